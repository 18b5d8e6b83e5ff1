"""Tests that an interrupt never loses a reply and never breaks an import."""

from __future__ import annotations

import random
import time

import pytest

import llmkit

from .conftest import complaints, environ
from .driver import Kernel, value

pytestmark = pytest.mark.kernel

ROUNDS = 20
DOUBLE_S = 0.05
BUSY = {
    "ask": "while True: llmkit.ask('hi', 'scripted:ollama')",
    "await": "while True: await llmkit.aask('hi', 'scripted:ollama')",
    "%%compare": "while True: shell.run_cell_magic('compare', 'scripted:ollama', 'hi')",
}

COMPARED = "made = llmkit.compare('hi', ['scripted:echo', 'scripted:ollama'])\n"
# Each first call, and a range for the number of the import during which it is interrupted.
FIRST = {
    "ask": ("", "llmkit.ask('hi', 'scripted:echo').text", 100),
    "compare": ("", COMPARED + "len(made)", 110),
    "frame": (COMPARED, "made.frame().shape[0]", 400),
    "plot": (COMPARED, "made.plot()._repr_png_()[1]['width']", 250),
    "auth": ("", "len(llmkit.auth())", 130),
}

CELLS = """
llmkit.last
llmkit.ask('hi', 'scripted:echo')
llmkit.stream('hi', 'scripted:echo')
await llmkit.aask('hi', 'scripted:echo')
made = llmkit.compare('hi', ['scripted:echo', 'scripted:ollama']); display(made)
await llmkit.acompare('hi', ['scripted:echo'])
made.frame()
made.plot()
made.show()
made.differences(0, 1)
paths = made.to_csv('a.csv'), made.to_json('a.json'), made.to_html('a.html')
made.to_parquet('a.parquet')
llmkit.load('a.json')
llmkit.auth()
await llmkit.aauth()
llmkit.check('scripted')
await llmkit.acheck('scripted')
llmkit.models('luna')
llmkit.models('luna').frame()
llmkit.sessions()
llmkit.sessions(live=True)
llmkit.leaks()
llmkit.why('gpt-6-luna')
llmkit.resolve('gpt-6-luna')
llmkit.resolve('gpt-6-lunaa')  # fails
llmkit.ask('hi', 'scripted:echo', temperatur=3)  # fails
llmkit.estimate('hi', 'gpt-6-luna')
llmkit.configure(retries=1)
llmkit.configure(retrys=1)  # fails
llmkit.add_provider('mine', 'http://127.0.0.1:9/v1')
llmkit.refresh('mine')  # fails
with llmkit.session('mine') as http: pass
llmkit.get_event_loop_manager()
llmkit.register_session(http)
llmkit.current_kit().telemetry.frame()
llmkit.current_kit().lists, llmkit.current_kit().checks
llmkit.Kit(), llmkit.Script(text='hi'), llmkit.Fallback(), llmkit.MODEL_NAME_MAPPING
llmkit.Prompt, llmkit.Message, llmkit.Completion, llmkit.Comparison, llmkit.Resolution
llmkit.panel('compare')
llmkit.panel()
llmkit.close('all')
await llmkit.aclose('all')
"""
WITH_EXTENSION = """
%llmkit
%llmkit auth
%llmkit modles  # fails
%llmkit why gpt-6-luna
shell.run_cell_magic('ask', 'scripted:echo', 'hi')
shell.run_cell_magic('compare', 'scripted:echo scripted:ollama', 'hi')
%unload_ext llmkit
"""


@pytest.fixture
def first(tmp_path):
    """Starts a kernel that has not imported llmkit."""
    with Kernel(env=environ(tmp_path)) as kernel:
        kernel.one(f"import json, os, sys\nos.chdir({str(tmp_path)!r})\nshell = get_ipython()")
        yield kernel
    assert complaints(kernel.stderr) == []


@pytest.mark.parametrize("busy", BUSY.values(), ids=BUSY)
def test_a_double_press_costs_no_reply(kernel, busy):
    """Two signals arrive up to 50 ms apart, at random moments of a waiting or starting call."""
    kernel.one("shell = get_ipython()")
    seed = random.randrange(10**6)
    chance = random.Random(seed)
    ended = []
    for number in range(ROUNDS):
        sent = kernel.send(f"print('begun', flush=True)\n{busy}")
        kernel.wait_for_output(sent, "begun")
        moment, gap = chance.uniform(0, 0.1), chance.uniform(0, DOUBLE_S)
        time.sleep(moment)  # the varied moment
        kernel.interrupt()
        time.sleep(gap)
        kernel.interrupt()
        (ran,) = kernel.collect([sent])
        ended.append((ran.reply or {}).get("ename"))
        assert kernel.one(f"print({number})").out.strip() == str(number), (seed, ended)

    assert set(ended) <= {"KeyboardInterrupt", "CancelledError"}, (seed, ended)


@pytest.mark.parametrize("call", FIRST)
def test_stop_during_an_import_breaks_nothing(first, call):
    """The call is interrupted; then the same call and the packages it imports work."""
    before, code, most = FIRST[call]
    seed = random.randrange(10**6)
    number = random.Random(seed).randint(1, most)
    first.one(
        f"import llmkit\nfrom tests.imports import interrupt_at\n{before}"
        f"watcher = interrupt_at({number})"
    )

    stopped = first.one(code)
    count = value(first.one("sys.meta_path.remove(watcher)\nprint(json.dumps(watcher.count))"))
    again = first.one(f"{code}\nimport numpy, pandas, matplotlib.pyplot\nprint('whole')")

    name = (stopped.reply or {}).get("ename")
    assert name == ("KeyboardInterrupt" if count >= number else None), (seed, count, stopped.error)
    assert again.out.strip() == "whole", (seed, again.error)


@pytest.mark.parametrize("extension", [False, True], ids=["import", "load_ext"])
def test_no_import_of_llmkit_can_be_interrupted(first, extension):
    """Each public function is the first call of a fresh kernel, interrupted during imports."""
    cells = (CELLS + WITH_EXTENSION * extension).strip().splitlines()
    first.one("import llmkit\nfrom tests.imports import unguarded\nnames = unguarded()")
    found = {}
    for cell in ["%load_ext llmkit"] * extension + cells:
        ran = first.one(cell)
        assert ran.ok != cell.endswith("# fails"), (cell, ran.error)
        names = value(first.one("print(json.dumps(names)); names.clear()"))
        if names:
            found[cell] = names

    names = set(llmkit.__all__) - {"errors", "__version__"}
    assert found == {}
    assert [name for name in names if f"llmkit.{name}" not in CELLS] == []
