"""Measures session tracking and its leaks, by cells in a real kernel and without one."""

from __future__ import annotations

import asyncio
import gc
import os
import statistics
import tempfile
import time
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

from tests.fakes.reply import cut_stream
from tests.fakes.server import FakeProviders
from tests.kernel.driver import Kernel, value

from ..measure import Figure, median_ratio

ROUNDS, RERUNS, RUNS, CELLS, MANY, DROPPED = 4, 100, 3000, 2000, 1000, 2000
LOADED = (
    "%load_ext llmkit\nimport aiohttp, asyncio, json, os, time\nimport llmkit\n"
    # Other descriptors vary, because the kernel saves its history.
    "def is_socket(fd):\n"
    "    try: return os.readlink('/proc/self/fd/' + fd).startswith('socket')\n"
    "    except OSError: return False\n"
    "def told(): return [time.process_time(), sum(map(is_socket, os.listdir('/proc/self/fd'))),"
    " sum(r['status'] == 'open' for r in llmkit.sessions())]"
)
OPENING = "clients = [aiohttp.ClientSession() for _ in range(3)]\n"
USING = "for c in clients:\n    async with c.get({url!r}) as r: await r.read()\n"
OURS = OPENING + "for c in clients: llmkit.register_session(c, 'mine', keep=True)\n" + USING
BY_HAND = OPENING + USING + "for c in clients: await c.close()\n"
TOLD = "print(json.dumps(told()))"


def figures() -> list[Figure]:
    """Returns counts and ratios of CPU time; only interrupts are measured by wall time."""
    with FakeProviders() as fakes, tempfile.TemporaryDirectory() as home:
        environ = {
            "IPYTHONDIR": home, "LLMKIT_CONFIG": os.devnull, "LLMKIT_CACHE_DIR": home,
            "OPENAI_API_KEY": fakes.key, "OPENAI_BASE_URL": fakes.base_url("openai"),
        }  # fmt: skip
        with Kernel(env=environ) as kernel:
            kernel.one(LOADED)
            found = [*reruns(kernel, fakes), *warm(kernel, fakes), *interrupts(kernel, fakes)]
    return [*found, *nesting(), hooks(), *many(), *dropped()]


def reruns(kernel: Kernel, fakes: FakeProviders) -> list[Figure]:
    """Runs the same cell repeatedly; its session is closed by the next run or by its last line."""
    url = f"{fakes.base_url('openai')}/models"
    rounds: list[tuple[float, float]] = []
    before: tuple[int, ...] = ()
    for _ in range(ROUNDS):
        ours, seen = cpu_of(kernel, OURS.format(url=url), "ours")
        if len(rounds) == 1:  # the first is a warm-up
            before = *seen, fakes.open_connections
        by_hand, _ = cpu_of(kernel, BY_HAND.format(url=url), "by hand")
        rounds.append((ours, by_hand))
    _, seen = cpu_of(kernel, OURS.format(url=url), "ours")
    grown = [now - then for now, then in zip((*seen, fakes.open_connections), before, strict=True)]
    what = f"{RERUNS * (ROUNDS - 1)} re-runs of a cell with three clients: more"
    return [
        Figure(f"{RERUNS} re-runs / the same closed by hand, CPU", 1.5, median_ratio(rounds)),
        Figure(f"{what} sockets than at first", 0, grown[0], ""),
        Figure(f"{what} live sessions", 0, grown[1], ""),
        Figure(f"{what} connections at the server", 0, grown[2], ""),
    ]


def cpu_of(kernel: Kernel, cell: str, name: str) -> tuple[float, list[int]]:
    """Returns CPU seconds of many runs of *cell*, and descriptors and sessions after them."""
    kernel.run(cell, cell, ids=[name] * 2)
    started, *_ = value(kernel.one(TOLD, "told"))
    ran = kernel.run(*[cell] * RERUNS, ids=[name] * RERUNS)
    assert all(r.ok for r in ran), ran[0].error
    ended, *seen = value(kernel.one(TOLD, "told"))
    return ended - started, seen


def warm(kernel: Kernel, fakes: FakeProviders) -> list[Figure]:
    """Returns the number of connections that a second request opens."""
    fakes.reset()
    kernel.run(*["llmkit.ask('hi', 'gpt-6-luna')"] * 2)
    connections = len({asked.connection for asked in fakes.asked["openai"]})
    return [Figure("connections that a second request opens", 0, connections - 1, "")]


def interrupts(kernel: Kernel, fakes: FakeProviders) -> list[Figure]:
    """Returns the times from an interrupt to the reply, and to the server's disconnect."""
    control, noticed = [], []
    for _ in range(ROUNDS):
        fakes.reset()
        fakes.answer("openai", cut_stream("openai", "silence"))
        sent = kernel.send("llmkit.ask('hi', 'gpt-6-luna')")
        asked = fakes.wait_until_asked("openai")
        kernel.interrupt()
        pressed = time.monotonic()
        asked.ended.wait(10.0)
        ended = time.monotonic()
        kernel.reply(sent)
        control.append(time.monotonic() - pressed)
        noticed.append(ended - pressed)
    return [
        Figure("interrupt to control, by the clock", 0.5, statistics.median(control), " s"),
        Figure("interrupt to the server's notice", 0.1, statistics.median(noticed), " s"),
    ]


def nesting() -> list[Figure]:
    """Returns the ratio of a nested run to the patch alone, on the same loop."""
    from llmkit.runtime.manager import EventLoopManager

    manager = EventLoopManager()

    async def nothing() -> None: ...

    async def measured() -> float:
        loop = asyncio.get_running_loop()
        manager.run(nothing())
        rounds = []
        for _ in range(ROUNDS):
            ours = cpu(lambda: manager.run(nothing()))
            rounds.append((ours, cpu(lambda: loop.run_until_complete(nothing()))))
        return median_ratio(rounds)

    ratio = asyncio.run(measured())
    return [Figure("nested run() / bare run_until_complete of the patch, CPU", 2.0, ratio)]


def cpu(action: Any, times: int = RUNS) -> float:
    """Returns the CPU seconds of *times* actions."""
    started = time.process_time()
    for _ in range(times):
        action()
    return time.process_time() - started


def hooks() -> Figure:
    """Returns the cost of both hooks of a cell while other cells have three sessions open."""
    from llmkit.cell import Cell
    from llmkit.notebook.hooks import CellHooks
    from llmkit.runtime.manager import EventLoopManager

    manager = EventLoopManager()
    for n in range(3):
        manager.registry.add(object(), provider="x", kind="registered", cell=Cell(f"other {n}"))
    shell = SimpleNamespace(displayhook=SimpleNamespace(prompt_count=1), get_parent=dict)
    pair = CellHooks(shell, started=manager.cell_started, deleted=manager.cells_deleted)
    info = SimpleNamespace(cell_id="a", raw_cell="1 + 1", store_history=True, cell_meta={})
    result = SimpleNamespace(info=info)

    def cell() -> None:
        pair.before(info)
        pair.after(result)

    taken = statistics.median(cpu(cell, CELLS) / CELLS for _ in range(ROUNDS))
    for session in manager.registry.open_sessions():
        manager.registry.closed(session, "user")
    return Figure("both hooks, CPU a cell", 100, taken * 1e6, " µs")


def many() -> list[Figure]:
    """Uses a thousand sessions once; every other one is abandoned, and a re-run closes it."""
    import aiohttp

    from llmkit.cell import CURRENT, Cell
    from llmkit.runtime.manager import EventLoopManager

    manager, most = EventLoopManager(), 0

    async def all_of_them(url: str) -> None:
        nonlocal most
        for n in range(MANY):
            cell = Cell("a", n)
            manager.cell_started(cell)
            CURRENT.set(cell)
            session = aiohttp.ClientSession()
            manager.register_session(session, "mine")
            async with session.get(url) as response:
                await response.read()
            most = max(most, len(manager.registry.open_sessions()))
            if n % 2:
                await session.close()

    with FakeProviders() as fakes:
        manager.run(asyncio.sleep(0))
        before = len(os.listdir("/proc/self/fd"))
        manager.run(all_of_them(f"{fakes.base_url('openai')}/models"))
        manager.cell_started(Cell("a", MANY))
        left = len(os.listdir("/proc/self/fd")) - before - fakes.open_connections
    manager.close()
    return [
        Figure(f"{MANY:,} sessions closed or abandoned: open at once", 1, most, ""),
        Figure(f"{MANY:,} sessions closed or abandoned: descriptors left", 0, left, ""),
    ]


def dropped() -> list[Figure]:
    """Returns the costs of registering a thousand sessions and of dropping all references."""
    import aiohttp

    from llmkit.api import current_kit, session

    manager = current_kit().manager

    async def after(action: Callable[[], object]) -> float:
        gc.collect()
        started = time.process_time()
        action()
        await asyncio.sleep(1.0)  # longer than all effects of *action* take
        return time.process_time() - started

    async def measured() -> list[float]:
        own = [aiohttp.ClientSession() for _ in range(MANY)]
        started = time.process_time()
        handles = [manager.register_session(one, "mine", keep=True) for one in own]
        registering = time.process_time() - started
        own.clear()
        dropping = await after(handles.clear)
        await manager.aclose("all")
        opened = [session("ollama", persistent=False) for _ in range(DROPPED)]
        for one in opened:
            await one.__aenter__()
        leaking = await after(opened.clear)
        started = time.process_time()
        for _ in range(MANY):
            opened.append(session("ollama", persistent=False))
            await opened[-1].__aenter__()
        for one in opened:
            await one.__aexit__(None, None, None)
        return [registering, dropping, leaking, time.process_time() - started]

    registering, dropping, leaking, blocks = asyncio.run(measured())
    return [
        Figure(f"registering {MANY:,} sessions, CPU", 0.5, registering, " s"),
        Figure(f"{MANY:,} handles dropped at once, CPU", 0.1, dropping, " s"),
        Figure(f"{DROPPED:,} temporary sessions dropped at once, CPU", 1.0, leaking, " s"),
        Figure(f"{MANY:,} temporary sessions opened, then closed, CPU", 1.0, blocks, " s"),
    ]
