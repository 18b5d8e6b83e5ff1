"""What happens to loops and sessions in a kernel when people do what people do."""

from __future__ import annotations

import time

import pytest

from tests.fakes.reply import cut_stream
from tests.fakes.server import FakeProviders

from .driver import Kernel, value

pytestmark = pytest.mark.kernel

COMPLAINTS = ("Unclosed", "never retrieved", "was destroyed but it is pending", "already entered")
SOON_S = 5.0  # half a second on a machine with nothing else to do


@pytest.fixture(scope="module")
def fakes():
    with FakeProviders() as running:
        yield running


@pytest.fixture(scope="module")
def kernel(tmp_path_factory, fakes):
    """A kernel whose OpenAI is a fake, and which must end without a complaint."""
    home = tmp_path_factory.mktemp("ipython")
    environ = {
        "IPYTHONDIR": str(home), "LLMKIT_CONFIG": str(home / "none.toml"),
        "OPENAI_API_KEY": fakes.key, "OPENAI_BASE_URL": fakes.base_url("openai"),
    }  # fmt: skip
    with Kernel(env=environ) as running:
        loaded = running.one("%load_ext llmkit\nimport json, asyncio, aiohttp, llmkit")
        assert loaded.ok, loaded.error
        yield running
    assert [c for c in COMPLAINTS if c in running.stderr] == [], running.stderr
    assert "ResourceWarning" not in running.stderr, running.stderr


def stuck(fakes):
    """Queues a stream that says a few words and then nothing more."""
    fakes.reset()
    fakes.answer("openai", cut_stream("openai", "silence"))


def test_the_old_nest_asyncio_is_repaired(tmp_path):
    """Where a person has applied nest_asyncio, queued cells still all run."""
    with Kernel(env={"IPYTHONDIR": str(tmp_path)}) as kernel:
        kernel.one("import nest_asyncio\nnest_asyncio.apply()\n%load_ext llmkit\nimport llmkit")
        ran = kernel.run(
            "print(llmkit.ask('0', 'scripted:ollama').text)",
            *[f"print(llmkit.ask('{n}', 'scripted:echo').text)" for n in range(1, 4)],
            "nest_asyncio.apply()\nprint(llmkit.ask('4', 'scripted:echo').text)",
        )

    assert [r.ok for r in ran] == [True] * 5, [r.error for r in ran]
    assert [r.out.split()[-1] for r in ran] == ["0", "1", "2", "3", "4"]


def test_a_kernel_survives_thousands_of_timers_that_are_due(tmp_path):
    """The first nested run takes handles that the loop has counted already, and gives others."""
    with Kernel(env={"IPYTHONDIR": str(tmp_path)}) as kernel:
        ran = kernel.run(
            "%load_ext llmkit\nimport asyncio, llmkit, time\n"
            "loop = asyncio.get_running_loop()\n"
            "for i in range(5000): loop.call_later(0.001, int)\n"
            "time.sleep(0.05)\n"
            "for i in range(5000): loop.call_soon(int)\n"
            "print(llmkit.ask('alive', 'scripted:echo').text)",
            "print('still')",
        )

    assert [r.out.strip() for r in ran] == ["alive", "still"]


def test_stopping_a_stream_ends_it_at_the_server(kernel, fakes):
    """The stop button during a call: control is back, the server sees us go, the next cell runs."""
    stuck(fakes)
    sent = kernel.send("llmkit.ask('hi', 'gpt-6-luna')")
    fakes.wait_until_asked("openai")
    kernel.interrupt()
    pressed = time.monotonic()
    (ran,) = kernel.collect([sent])
    took = time.monotonic() - pressed

    assert ran.reply["ename"] == "KeyboardInterrupt"
    assert took < SOON_S
    assert fakes.asked["openai"][0].ended.wait(SOON_S)
    assert fakes.asked["openai"][0].left
    assert kernel.one("print(llmkit.ask('hi', 'gpt-6-luna').status)").out.strip() == "complete"


def test_a_stop_that_strikes_another_task_costs_no_reply(kernel, fakes):
    """A press is noted and not raised where it strikes, be it in the kernel's own machinery."""
    stuck(fakes)
    cell = (
        "import os, signal\n"
        "class Swallows:\n"
        "    def __del__(self): signal.raise_signal(signal.SIGINT)\n"
        "async def bystander():\n"
        "    while not asked: await asyncio.sleep(0.01)\n"
        "    {press}\n"
        "    await asyncio.sleep(0)\n"
        "    return 'unharmed'\n"
        "asked = []\n"
        "other = asyncio.get_running_loop().create_task(bystander())\n"
        "async def ask():\n"
        "    asked.append(1)\n"
        "    await llmkit.aask('hi', 'gpt-6-luna')\n"
        "llmkit.get_event_loop_manager().run(ask())"
    )
    for press in ("signal.raise_signal(signal.SIGINT)", "Swallows()"):
        stuck(fakes)
        ran = kernel.one(cell.format(press=press))

        assert ran.reply["ename"] == "KeyboardInterrupt"
        assert kernel.one("print(await other)").out.strip() == "unharmed"


def test_stopping_an_awaited_call_ends_it_too(kernel, fakes):
    """An awaited call within interruptible() is cancelled within a moment, however quiet it is."""
    stuck(fakes)
    sent = kernel.send(
        "await llmkit.get_event_loop_manager().interruptible(llmkit.aask('hi', 'gpt-6-luna'))"
    )
    fakes.wait_until_asked("openai")
    kernel.interrupt()
    pressed = time.monotonic()
    (ran,) = kernel.collect([sent])
    took = time.monotonic() - pressed

    assert ran.reply["status"] == "error"
    assert took < SOON_S
    assert fakes.asked["openai"][0].ended.wait(SOON_S)


def test_an_exception_in_the_middle_of_a_stream_leaves_nothing_open(kernel, fakes):
    """A cell that fails while it reads has closed its stream when the next one begins."""
    stuck(fakes)
    ran = kernel.one(
        "async for part in llmkit.stream('hi', 'gpt-6-luna'):\n    raise ValueError('mine')"
    )
    kernel.one("import gc; gc.collect()")

    assert ran.reply["ename"] == "ValueError"
    assert fakes.asked["openai"][0].ended.wait(SOON_S)


def test_a_rerun_closes_before_the_new_code_runs(kernel):
    """What the last run left is closed already when the cell's first line runs again."""
    cell = (
        "before = [r['status'] for r in llmkit.sessions() if r['kind'] == 'registered'"
        " and r['provider'] == 'again']\n"
        "handle = llmkit.register_session(aiohttp.ClientSession(), 'again')\n"
        "print(json.dumps(before))"
    )

    found = [value(kernel.one(cell, cell_id="first")) for _ in range(3)]

    assert found == [[], ["closed"], ["closed", "closed"]]


def test_cells_within_cells_belong_to_the_outer_one(kernel):
    """%%capture and run_cell open sessions for the cell that holds them."""
    kernel.one(
        "%%capture\nhandle = llmkit.register_session(aiohttp.ClientSession(), 'inner')",
        cell_id="outer",
    )
    kernel.one(
        'get_ipython().run_cell("h2 = llmkit.register_session(aiohttp.ClientSession(), '
        "'inner')\");",
        cell_id="outer2",
    )
    ran = kernel.one(
        "print(json.dumps([r['cell'] for r in llmkit.sessions() if r['provider'] == 'inner']))"
    )

    assert value(ran) == ["outer", "outer2"]


def test_odd_cells_change_no_ownership(kernel):
    """Empty cells, syntax errors and failing cells leave the next cell its own."""
    for odd in ("", "   ", "def (", "1/0"):
        kernel.one(odd, cell_id="odd")
    kernel.one("h = llmkit.register_session(aiohttp.ClientSession(), 'odd')", cell_id="mine")
    ran = kernel.one(
        "print(json.dumps([r['cell'] for r in llmkit.sessions() if r['provider'] == 'odd']))"
    )

    assert value(ran) == ["mine"]


def test_the_same_text_is_the_same_cell_where_no_ids_are_sent(kernel):
    """nbclient and a terminal send no ids: there the source stands for the cell."""
    cell = "h = llmkit.register_session(aiohttp.ClientSession(), 'nameless')"
    for _ in range(3):
        kernel.one(cell)
    ran = kernel.one(
        "print(json.dumps([r['status'] for r in llmkit.sessions() if r['provider'] == 'nameless']))"
    )

    assert sorted(value(ran)) == ["closed", "closed", "open"]


def test_a_kernel_ends_in_time_with_everything_open(tmp_path, fakes):
    """Sessions, a stream and a portal are open; the kernel ends by itself and says nothing."""
    stuck(fakes)
    environ = {
        "IPYTHONDIR": str(tmp_path), "OPENAI_API_KEY": fakes.key,
        "OPENAI_BASE_URL": fakes.base_url("openai"),
    }  # fmt: skip
    with Kernel(env=environ) as kernel:
        kernel.one(
            "%load_ext llmkit\nimport aiohttp, asyncio, llmkit, threading\n"
            "kept = llmkit.register_session(aiohttp.ClientSession(), 'mine')\n"
            "stream = llmkit.stream('hi', 'gpt-6-luna')\n"
            "first = await anext(stream)\n"
            "t = threading.Thread(target=lambda: llmkit.ask('hi', 'gpt-6-luna'))\n"
            "t.start(); t.join()\nprint(first.text)"
        )

    assert [c for c in (*COMPLAINTS, "ResourceWarning") if c in kernel.stderr] == [], kernel.stderr
    assert fakes.asked["openai"][0].ended.wait(SOON_S)
