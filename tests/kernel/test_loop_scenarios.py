"""Tests the event loop of a kernel in common user scenarios."""

from __future__ import annotations

import time

import pytest

from tests.fakes.misbehaviour import never_ending
from tests.fakes.reply import cut_stream
from tests.patience import SOON_S

from .conftest import complaints, control
from .driver import value

pytestmark = pytest.mark.kernel
scenario = pytest.mark.scenario  # a naive manager fails it

ASK = "llmkit.ask('hi', 'gpt-6-luna')"
# Prints a line once the main thread has been waiting for a while.
QUIET = (
    "import sys\n"
    "def tell():\n"
    "    main, waits = threading.main_thread().ident, 0\n"
    "    while waits < 30:\n"
    "        time.sleep(0.01)\n"
    "        waits += sys._current_frames()[main].f_code.co_name == 'select' or -waits\n"
    "    print('quiet', flush=True)\n"
    "threading.Thread(target=tell).start()\n"
)


def stuck(fakes):
    """Queues a stream that stalls after a few words."""
    fakes.answer("openai", cut_stream("openai", "silence"))


def ended_at_the_server(fakes):
    asked = fakes.asked["openai"][0]
    return asked.ended.wait(SOON_S) and asked.left


def stopped(kernel, fakes, cell, *, quiet=False):
    """Interrupts *cell* during its request; returns its result and the seconds until the reply."""
    sent = kernel.send(QUIET + cell if quiet else cell)
    fakes.wait_until_asked("openai")
    if quiet:
        kernel.wait_for_output(sent, "quiet")
    kernel.interrupt()
    pressed = time.monotonic()
    (ran,) = kernel.collect([sent])
    return ran, time.monotonic() - pressed


def pending(kernel):
    """Returns the tasks of llmkit that have not ended."""
    return value(kernel.one("from tests.ours import tasks\nprint(json.dumps(tasks()))"))


@scenario
def test_all_cells_of_run_all_reply_in_order(asking):
    """1: Six queued cells each wait for an answer."""
    cells = [f"print(llmkit.ask('{n}', 'scripted:ollama').text)" for n in range(6)]

    ran = asking.run(*cells)

    assert [r.ok for r in ran] == [True] * 6
    assert [r.order for r in ran] == list(range(6))


@scenario
def test_the_old_nest_asyncio_is_repaired(fresh):
    """2: If the user has applied nest_asyncio, all queued cells still run."""
    kernel = fresh()
    kernel.one(
        f"{control()}import nest_asyncio\nnest_asyncio.apply()\n%load_ext llmkit\nimport llmkit"
    )

    ran = kernel.run(
        "print(llmkit.ask('0', 'scripted:ollama').text)",
        *[f"print(llmkit.ask('{n}', 'scripted:echo').text)" for n in range(1, 4)],
        "nest_asyncio.apply()\nprint(llmkit.ask('4', 'scripted:echo').text)",
    )

    assert [r.ok for r in ran] == [True] * 5, [r.error for r in ran]
    assert [r.out.split()[-1] for r in ran] == ["0", "1", "2", "3", "4"]


@scenario
def test_a_kernel_survives_thousands_of_timers_that_are_due(fresh):
    """3: The first nested run consumes handles that the loop has counted, and adds others."""
    kernel = fresh()

    ran = kernel.run(
        f"{control()}import asyncio, time\nloop = asyncio.get_running_loop()\n"
        "def again(): loop.call_later(0.0005, again)\n"
        "for i in range(3000): again()",
        "%load_ext llmkit\nimport llmkit\ntime.sleep(0.05)\n"
        "print(llmkit.ask('alive', 'scripted:ollama').status)",
        "again = int\nprint('still')",
    )

    assert [r.out.strip() for r in ran] == ["", "complete", "still"]


@pytest.mark.parametrize("how", [pytest.param("silent", marks=scenario), "talking", "beginning"])
def test_stopping_a_call_ends_it_at_the_server(asking, fakes, how):
    """5: The cell ends, no task is left, the server sees the disconnect, the next cell runs."""
    talks = how == "talking"
    fakes.answer(
        "openai",
        never_ending("openai", "empty deltas") if talks else cut_stream("openai", "silence"),
    )

    ran, took = stopped(asking, fakes, ASK, quiet=how == "silent")

    assert ran.reply["ename"] == "KeyboardInterrupt"
    assert took < SOON_S
    assert ended_at_the_server(fakes)
    assert pending(asking) == []
    assert asking.one(f"print({ASK}.status)").out.strip() == "complete"


def test_stopping_an_awaited_stream_ends_it_at_the_server(asking, fakes):
    """5: An interrupt ends an awaiting cell in the same way."""
    fakes.answer("openai", never_ending("openai", "signs of life"))

    ran, took = stopped(
        asking, fakes, "async for part in llmkit.stream('hi', 'gpt-6-luna'):\n    pass"
    )

    assert ran.reply["status"] == "error"
    assert took < SOON_S
    assert ended_at_the_server(fakes)
    assert pending(asking) == []
    assert asking.one(f"print({ASK}.status)").out.strip() == "complete"


@scenario
def test_stopping_a_quiet_awaited_call_is_noticed_at_once(asking, fakes):
    """6: interruptible() notices an interrupt even without any network traffic."""
    stuck(fakes)

    cell = "await manager.interruptible(llmkit.aask('hi', 'gpt-6-luna'))"
    ran, took = stopped(asking, fakes, cell, quiet=True)

    assert ran.reply["status"] == "error"
    assert took < SOON_S
    assert ended_at_the_server(fakes)


@scenario
@pytest.mark.parametrize("press", ["signal.raise_signal(signal.SIGINT)", "Swallows()"])
def test_a_stop_that_strikes_another_task_costs_no_reply(asking, fakes, press):
    """A signal is recorded, and not raised in the code that it interrupts, such as the kernel's."""
    stuck(fakes)
    ran = asking.one(
        "class Swallows:\n"
        "    def __del__(self): signal.raise_signal(signal.SIGINT)\n"
        "async def bystander():\n"
        "    while not asked: await asyncio.sleep(0.01)\n"
        f"    {press}\n"
        "    await asyncio.sleep(0)\n"
        "    return 'unharmed'\n"
        "asked = []\n"
        "other = asyncio.get_running_loop().create_task(bystander())\n"
        "async def ask():\n"
        "    asked.append(1)\n"
        "    await llmkit.aask('hi', 'gpt-6-luna')\n"
        "manager.run(ask())"
    )

    assert ran.reply["ename"] == "KeyboardInterrupt"
    assert asking.one("print(await other)").out.strip() == "unharmed"


@scenario
def test_a_click_may_ask(asking):
    """11: Both on the main thread during a call, and on the thread of a subshell."""
    comm = value(
        asking.one(
            "import ipywidgets\nheard = []\n"
            "def click(_):\n"
            "    heard.append(llmkit.ask('clicked', 'scripted:echo').text)\n"
            "    clicked_at.append(time.monotonic())\n"
            "clicked_at = []\n"
            "button = ipywidgets.Button()\nbutton.on_click(click)\n"
            "print(json.dumps(button.comm.comm_id))"
        )
    )
    sent = asking.send("print('begun', flush=True)\nllmkit.ask('hi', 'scripted:ollama')")
    asking.wait_for_output(sent, "begun")
    asking.click(comm)
    (ran,) = asking.collect([sent])
    heard = asking.one("print(json.dumps(heard))")

    assert ran.ok
    assert value(heard) == ["clicked"]


def test_a_click_on_a_subshell_does_not_wait_for_a_sleeping_cell(asking):
    """11: Kernels with subshells run it in a separate thread; others run it after the cell."""
    comm = value(
        asking.one(
            "import ipywidgets, ipykernel\nheard, threads = [], set()\n"
            "def click(_):\n"
            "    threads.add(threading.current_thread() is threading.main_thread())\n"
            "    heard.append(llmkit.ask('clicked', 'scripted:echo').text)\n"
            "    done.set()\n"
            "done = threading.Event()\n"
            "button = ipywidgets.Button()\nbutton.on_click(click)\n"
            "print(json.dumps(button.comm.comm_id))"
        )
    )
    subshell = asking.subshell()
    own_thread = value(asking.one("print(json.dumps((7,) <= ipykernel.version_info[:2] < (7, 4)))"))
    sent = asking.send(f"print('begun', flush=True)\nseen = done.wait({20 if own_thread else 0.2})")
    asking.wait_for_output(sent, "begun")
    asking.click(comm, subshell=subshell)
    (ran,) = asking.collect([sent])
    heard = asking.one("print(json.dumps([heard, seen, list(threads)]))")
    asking.end_subshell(subshell)

    assert ran.ok
    assert value(heard) == [["clicked"], own_thread, [not own_thread]]


@scenario
def test_threads_of_a_cell_and_coroutines_of_a_call_may_ask(asking):
    """12: Workers that the cell waits for, and `run` within `run`, on both kinds of thread."""
    ran = asking.one(
        "found = []\n"
        "async def inner(): return llmkit.ask('inner', 'scripted:echo').text\n"
        "def work():\n"
        "    found.append(llmkit.ask('outer', 'scripted:echo').text)\n"
        "    found.append(manager.run(inner()))\n"
        "workers = [threading.Thread(target=work) for _ in range(3)]\n"
        "for w in workers: w.start()\n"
        "for w in workers: w.join()\n"
        "work()\n"
        "print(json.dumps(sorted(found)))"
    )

    asking.one("gc.collect()")

    assert value(ran) == ["inner"] * 4 + ["outer"] * 4
    assert complaints(asking.stderr_so_far()) == []


@scenario
def test_output_and_widgets_live_while_a_call_runs(asking, tmp_path):
    """17: Output is sent, background tasks run, and messages of the page are not lost."""
    go = tmp_path / "go"
    comm = value(
        asking.one(
            "import ipywidgets\nslider = ipywidgets.IntSlider()\nfar = ipywidgets.IntSlider()\n"
            "print(json.dumps(far.comm.comm_id))"
        )
    )
    sent = asking.send(
        "ticks = []\n"
        "async def tick():\n"
        "    while True:\n"
        "        ticks.append(1)\n"
        "        await asyncio.sleep(0.01)\n"
        "ticking = asyncio.get_running_loop().create_task(tick())\n"
        "async def wait():\n"
        "    slider.value = 5\n"
        "    print('begun', flush=True)\n"
        f"    while len(ticks) < 5 or not os.path.exists({str(go)!r}): await asyncio.sleep(0.01)\n"
        "manager.run(wait())\n"
        "ticking.cancel()\nprint(json.dumps(len(ticks)))"
    )
    values = asking.wait_for_output(sent, "begun")
    asking.set_widget(comm, value=7)
    go.touch()
    (ran,) = asking.collect([sent])

    assert {"value": 5} in values
    assert int(ran.out.split()[-1]) >= 5
    assert asking.one("print(far.value)").out.strip() == "7"
