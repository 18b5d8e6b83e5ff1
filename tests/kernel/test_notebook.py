"""Tests llmkit in a real notebook kernel."""

from __future__ import annotations

import json
import time

import pytest

from tests.patience import SOON_S

from .driver import Kernel, value

pytestmark = pytest.mark.kernel

ODD = 'JSON {"a": {"b": 1}} and {x!r}, $HOME, %d, 100 %, `!ls`, \\n, "quotes"\n  second line  '


def test_loading_imports_nothing_heavy(tmp_path):
    """`%load_ext llmkit` in a fresh kernel imports no heavy package."""
    heavy = ["pandas", "matplotlib.pyplot", "aiohttp", "mistralai", "ipywidgets", "anywidget",
             "nest_asyncio2", "genai_prices"]  # fmt: skip
    with Kernel(env={"IPYTHONDIR": str(tmp_path)}) as fresh:
        before = fresh.one(f"import sys\nhad = [m for m in {heavy} if m in sys.modules]")
        ran = fresh.one(
            "%load_ext llmkit\nimport json\n"
            f"print(json.dumps([m for m in {heavy} if m in sys.modules and m not in had]))"
        )

    assert before.ok
    assert value(ran) == []


def test_ask_shows_the_answer(kernel):
    """%%ask sends the cell to a model and shows its answer."""
    ran = kernel.one("%%ask scripted:echo\nhello there")

    assert ran.ok, ran.error
    assert "hello there" in ran.words["text/plain"]
    assert "lk-card" in ran.words["text/html"]


def test_compare_shows_the_answers_side_by_side(kernel):
    """%%compare shows cards with html and text, and leaves the run in a variable."""
    ran = kernel.one(
        "%%compare scripted:echo scripted:mistral --temperature 0,1 --repeats 2 --out run\nwhy?"
    )
    frame = kernel.one(
        "table = run.frame()\n"
        "print(json.dumps([len(table), sorted(set(table.status)), sorted(set(table.temperature))]))"
    )

    assert ran.ok, ran.error
    assert "lk-card" in ran.words["text/html"]
    assert "[scripted mistral]" in ran.words["text/plain"]
    assert value(frame) == [8, ["complete"], [0.0, 1.0]]


@pytest.mark.parametrize(
    ("cell", "words"),
    [
        ("%%compare -h", "example:\n%%compare"),
        ("%%compare scripted:echo --help\n\n", "example:\n%%compare"),
        ("%compare -h", "example:\n%%compare"),
        ("%%ask --help\nhi", "example:\n%%ask"),
        ("x = 1\n%ask -h", "example:\n%%ask"),
        ("%llmkit -h", "%llmkit sessions"),
        ("%llmkit auth -h", "%llmkit auth [PROVIDER]"),
    ],
)
def test_help_needs_no_prompt(kernel, cell, words):
    """-h prints the help, in a line magic and a cell magic, and sends nothing."""
    count = "print(json.dumps(len(llmkit.current_kit().telemetry.frame())))"
    before = value(kernel.one(count))
    ran = kernel.one(cell)

    assert ran.ok, ran.error
    assert words in ran.out
    assert (ran.shown, ran.err) == ([], "")
    assert value(kernel.one(count)) == before


def test_models_may_be_separated_by_commas(kernel):
    """Blanks, commas or both, and -n for how often."""
    ran = kernel.one(
        "%%compare scripted:echo,scripted:openai -m scripted:mistral, scripted:google -n 2"
        " --temperature 0, 1 --out run\nhi"
    )
    frame = kernel.one("print(json.dumps([len(run.rows), len({row.asked for row in run.rows})]))")

    assert ran.ok, ran.error
    assert value(frame) == [16, 4]


def test_a_zero_is_passed_on(kernel):
    """Temperature 0 and seed 0 request reproducible answers."""
    ran = kernel.one("%%ask scripted:echo --temperature 0 --seed 0 --retries 0\nhi")
    sent = kernel.one(
        "sent = llmkit.current_kit().telemetry.frame().iloc[-1]\n"
        "print(json.dumps([float(sent.temperature), int(sent.seed)]))"
    )

    assert ran.ok, ran.error
    assert value(sent) == [0.0, 0]


def test_a_prompt_arrives_byte_by_byte(kernel):
    """Braces, dollars, percents, quotes and backslashes are sent unchanged."""
    ran = kernel.one(f"%%ask scripted:echo --out answer\n{ODD}")
    told = kernel.one("print(json.dumps(answer.text))")

    assert ran.ok, ran.error
    assert value(told) == ODD


def test_a_variable_is_inserted_by_its_name(kernel):
    """{{name}} is replaced by the variable's text; --raw keeps it."""
    kernel.one("topic = 'heat {{x}}'")
    filled = kernel.one("%%ask scripted:echo\nabout {{topic}}")
    raw = kernel.one("%%ask scripted:echo --raw\nabout {{topic}}")

    assert "\n  about heat {{x}}\n" in filled.words["text/plain"]
    assert "\n  about {{topic}}\n" in raw.words["text/plain"]


@pytest.mark.parametrize(
    ("cell", "words"),
    [
        ("%%compare gpt-6-lunaa\nhi", "did you mean gpt-6-luna"),
        ("%%compare\nhi", "name at least one model"),
        ("%%compare scripted:echo", "%%compare needs a prompt: write it in the lines below"),
        ("%ask scripted:echo", "%%ask needs a prompt"),
        ("%%compare scripted:echo --temprature 1\nhi", "did you mean --temperature"),
        ("%%compare scripted:echo -p nobody\nhi", "unknown provider"),
        ("%%ask scripted:echo\n  ", "the prompt is empty"),
        ("%%ask scripted:echo\n{{nobody}}", "is not defined"),
        ("%llmkit sesions", "did you mean sessions"),
        ("%llmkit close nobody", "unknown session"),
    ],
)
def test_a_slip_is_one_line_and_an_error(kernel, cell, words):
    """A wrong model, option or word is a UsageError of one line, which stops Run All."""
    ran = kernel.one(cell)

    assert ran.reply["status"] == "error"
    assert ran.reply["ename"] == "UsageError"
    assert words in ran.err
    assert len(ran.err.strip().splitlines()) == 1


def test_an_error_is_a_sentence_and_no_frames(kernel):
    """A call that fails shows what happened and what to do."""
    ran = kernel.one("llmkit.ask('hi', 'gpt-6-luna')")

    assert ran.reply["ename"] == "MissingApiKeyError"
    assert ran.reply["traceback"] == [
        "MissingApiKeyError: openai needs an API key: set OPENAI_API_KEY or run %llmkit key openai"
    ]


def test_a_missing_key_leaves_the_other_answers(kernel):
    """What works is shown; the card without a key says both ways to give it, as the table does."""
    ran = kernel.one("%%compare scripted:echo gpt-6-luna --out run\nhello")
    status = kernel.one(
        "known = {row.provider: row.advice for row in llmkit.current_kit().checks.statuses()}\n"
        "print(json.dumps(known['openai']))"
    )

    assert ran.ok, ran.error
    html, text = ran.words["text/html"], ran.words["text/plain"]
    ways = "set OPENAI_API_KEY or run %llmkit key openai"
    assert "hello" in html
    assert f'<p class="lk-note">openai needs an API key: {ways}</p>' in html
    assert '"lk-bad"' not in html
    assert "– openai:gpt-6-luna · no key" in text
    assert value(status) == f"S{ways[1:]}."


def test_six_cells_queued_behind_a_comparison_all_run(kernel):
    """Run All loses no cell, and keeps their order."""
    compare = "llmkit.compare('hi', ['scripted:ollama'] * 3)\nprint('done')"
    cells = [compare, *[f"print(llmkit.ask('{n}', 'scripted:echo').text)" for n in range(6)]]

    ran = kernel.run(*cells)

    assert [r.ok for r in ran] == [True] * 7
    assert [r.out.strip() for r in ran] == ["done", *map(str, range(6))]
    assert [r.order for r in ran] == list(range(7))


def test_awaiting_works_too(kernel):
    """The async twins need no manager."""
    ran = kernel.one("print((await llmkit.aask('hi', 'scripted:echo')).text)")

    assert ran.out.strip() == "hi"


def test_an_interrupt_gives_control_back_and_keeps_what_came(kernel):
    """Stopping a comparison cancels it; its partial text is a row, and the next cell runs."""
    sent = kernel.send(
        "from llmkit import Script\n"
        "kit = llmkit.Kit(transports={'scripted': __import__('llmkit.transport.scripted', "
        "fromlist=['x']).ScriptedTransport({'slow': Script(text='begun and more', "
        "piece_delay_s=600.0)})})\n"
        "from llmkit.comparison.arguments import comparison_arguments\n"
        "class Telling:\n"
        "    def begun(self, plan, stop): pass\n"
        "    def grew(self, row, delta): print('grew', delta.text, flush=True)\n"
        "    def finished(self, row): pass\n"
        "    def ended(self): pass\n"
        "asked = comparison_arguments('hi', 'scripted:slow', verbatim=True)\n"
        "kit.manager.run(kit.compare(asked.requests, asked.options, view=Telling()))"
    )
    kernel.wait_for_output(sent, "grew begun")
    kernel.interrupt()
    pressed = time.monotonic()
    (ran,) = kernel.collect([sent])
    took = time.monotonic() - pressed
    after = kernel.one(
        "from tests.ours import tasks\nrow = kit.last.rows[0]\n"
        "print(json.dumps([row.completion.status, row.completion.text, tasks()]))\n"
        "kit.close()"
    )

    assert ran.reply["ename"] == "KeyboardInterrupt"
    assert took < SOON_S  # its next piece comes after 600 s
    assert value(after) == ["cancelled", "begun", []]


def test_rerunning_a_cell_closes_what_it_opened(kernel):
    """Twenty runs of a cell leave one session of its own; other cells keep theirs."""
    opening = (
        "import aiohttp\nNAME = llmkit.register_session(aiohttp.ClientSession(), 'mine')\n"
        "print(json.dumps(len([r for r in llmkit.sessions() if r['status'] == 'open'"
        " and r['kind'] == 'registered'])))"
    )
    other = kernel.one(opening.replace("NAME", "other"), cell_id="other")
    counts = [value(kernel.one(opening, cell_id="again")) for _ in range(20)]
    reasons = kernel.one(
        "print(json.dumps(sorted({r['closed_by'] for r in llmkit.sessions() if r['closed_by']})))"
    )
    kernel.one("print(1)", deletedCells=["other", "again"])
    gone = kernel.one(
        "print(json.dumps([r['status'] for r in llmkit.sessions() if r['kind'] == 'registered']))"
    )

    assert value(other) == 1
    assert counts == [2] * 20
    assert value(reasons) == ["rerun"]
    assert set(value(gone)) == {"closed"}


def test_threads_of_a_cell_may_ask(kernel):
    """A worker thread gets its answer while the cell waits for it."""
    ran = kernel.one(
        "import threading\nfound = []\n"
        "def ask(): found.append(llmkit.ask('hi', 'scripted:echo').text)\n"
        "t = threading.Thread(target=ask)\n"
        "t.start(); t.join()\nprint(json.dumps(found))"
    )

    assert value(ran) == ["hi"]


def test_output_flows_while_a_call_runs(kernel):
    """Background tasks of the kernel's loop continue during a nested run."""
    ran = kernel.one(
        "ticks = []\n"
        "async def tick():\n"
        "    while True:\n"
        "        ticks.append(1)\n"
        "        await asyncio.sleep(0.01)\n"
        "ticking = asyncio.get_running_loop().create_task(tick())\n"
        "llmkit.ask('hi', 'scripted:ollama')\n"
        "ticking.cancel()\n"
        "print(json.dumps(len(ticks) > 0))"
    )

    assert value(ran) is True


def test_asyncio_is_left_as_it_was(kernel):
    """Nested runs change only the kernel's loop, and neither asyncio.Task nor asyncio.run."""
    ran = kernel.one(
        "print(json.dumps([asyncio.Task.__module__, asyncio.run.__module__, "
        "llmkit.get_event_loop_manager().status().mode]))"
    )

    assert value(ran) == ["_asyncio", "asyncio.runners", "nested"]


def test_the_tables_are_shown(kernel):
    """%llmkit auth, models, sessions and help show their tables."""
    ran = kernel.run(
        "%llmkit auth", "%llmkit models gpt-3.5", "%llmkit sessions", "%llmkit help",
        "%llmkit why gpt-3.5-turbo -p mistral", "%llmkit leaks", "%llmkit close all",
    )  # fmt: skip

    assert [r.ok for r in ran] == [True] * 7, [r.error for r in ran]
    assert "no key" in ran[0].shown[0]["text/html"]
    assert "claude-instant-1.2" in ran[1].shown[0]["text/html"]
    assert "<caption>Sessions</caption>" in ran[2].shown[0]["text/html"]
    assert "%llmkit close" in ran[3].out
    assert "mistral-small" in ran[4].out


def test_reset_and_reload_leave_one_pair_of_hooks(kernel):
    """%reset -f and %reload_ext neither duplicate nor break a hook."""
    kernel.run("%reset -f", "%reload_ext llmkit", "%load_ext llmkit")
    ran = kernel.one(
        "import json, asyncio, llmkit\nfrom tests.ours import ours\n"
        "events = get_ipython().events.callbacks\n"
        "hooks = [c for k in ('pre_run_cell', 'post_run_cell') for c in events[k] if ours(c)]\n"
        "print(json.dumps(len(hooks)))"
    )

    assert value(ran) == 2


def test_unloading_leaves_nothing_behind(kernel):
    """%unload_ext removes all magics and hooks, and closes all sessions."""
    kernel.one("%unload_ext llmkit")
    ran = kernel.one(
        "from tests.ours import ours\nip = get_ipython()\n"
        "hooks = [repr(c) for k in [*ip.events.callbacks.values(), ip.input_transformers_cleanup]"
        " for c in k if ours(c)]\n"
        "magics = [n for n in ('ask', 'compare', 'llmkit') for k in ('line', 'cell')"
        " if n in ip.magics_manager.magics[k]]\n"
        "open_ = [r['id'] for r in llmkit.sessions() if r['status'] == 'open']\n"
        "print(json.dumps([hooks, magics, open_]))"
    )
    again = kernel.one("%load_ext llmkit")

    assert json.loads(ran.out) == [[], [], []]
    assert again.ok
