"""Tests loops and sessions together, in separate programs in which warnings are errors."""

from __future__ import annotations

import os
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

from tests.patience import PATIENCE_S

COMMON = """
import asyncio, gc, inspect, logging, math, signal, sys, threading, time
from tests import naive
if naive.wanted():
    naive.install()
import aiohttp
from aiohttp import web
from llmkit.cell import SAME_PRESS_S, InterruptGuard
from llmkit.runtime.manager import EventLoopManager
from llmkit.transport.aiohttp_transport import open_session

manager = EventLoopManager(check_s=0.1)
# On a loaded machine every step may take long; -X dev has asyncio say so.
logging.getLogger("asyncio").addFilter(lambda record: " took " not in record.getMessage())

async def serve():
    async def slow(request):
        response = web.StreamResponse()
        await response.prepare(request)
        await response.write(b"begun")
        try:
            await asyncio.sleep(600)
        except asyncio.CancelledError:
            print("server saw the end", flush=True)
            raise
        return response
    app = web.Application()
    app.router.add_get("/slow", slow)
    async def hello(request):
        return web.Response(text="hi")
    app.router.add_get("/", hello)
    runner = web.AppRunner(app, shutdown_timeout=0.1, handler_cancellation=True)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    return runner, f"http://127.0.0.1:{site._server.sockets[0].getsockname()[1]}"

async def fetch():
    runner, url = await serve()
    session, record = manager.pool("x", url, open_session)
    with manager.registry.using(record):
        async with session.get(url) as response:
            text = await response.text()
    await runner.cleanup()
    return text

class Handle:
    pass

def temporary():
    handle = Handle()
    session, record = manager.temporary("x", "u", open_session)
    manager.handed_out(record, handle)
    return session, handle

async def until(held):
    while not held():
        await asyncio.sleep(0.01)

def states():
    return [(row.kind, row.status, row.closed_by) for row in manager.sessions()]
"""

SCRIPTS = {
    "asyncio_run_three_times": """
        for _ in range(3):
            assert asyncio.run(fetch()) == "hi"
        assert states() == [("pool", "closed", "loop_end")] * 3, states()
    """,
    "sync_calls_share_a_loop_and_its_pool": """
        runner, url = manager.run(serve())
        async def get():
            session, record = manager.pool("x", url, open_session)
            async with session.get(url) as response:
                return await response.text()
        assert [manager.run(get()) for _ in range(3)] == ["hi"] * 3
        assert states() == [("pool", "open", None)], states()
        manager.run(runner.cleanup())
        manager.close()
        manager.close()
        assert states() == [("pool", "closed", "exit")], states()
    """,
    "nested_in_asyncio_run": """
        async def main():
            task_class = asyncio.Task
            inner = await asyncio.sleep(0, manager.run(fetch()))
            assert asyncio.Task is task_class
            assert manager.status().mode == "nested"
            return inner
        assert asyncio.run(main()) == "hi"
        assert states() == [("pool", "closed", "loop_end")], states()
    """,
    "threads_use_the_portal": """
        found = []
        async def main():
            thread = threading.Thread(target=lambda: found.append(manager.run(fetch())))
            thread.start()
            thread.join()
        asyncio.run(main())
        assert found == ["hi"]
        manager.close()
        assert states() == [("pool", "closed", "exit")], states()
    """,
    "run_inside_run_inside_the_portal": """
        async def outer():
            return manager.run(fetch())
        found = []
        thread = threading.Thread(target=lambda: found.append(manager.run(outer())))
        thread.start()
        thread.join()
        assert found == ["hi"]
        manager.close()
    """,
    "a_loop_closed_by_hand": """
        loop = asyncio.new_event_loop()
        assert loop.run_until_complete(fetch()) == "hi"
        loop.close()
        assert states() == [("pool", "closed", "loop_end")], states()
    """,
    "a_forgotten_registered_session": """
        async def main():
            global line
            line = sys._getframe().f_lineno + 1
            manager.register_session(aiohttp.ClientSession(), "mine")
            gc.collect()
            manager.close_stale()
            assert states() == [("registered", "open", None)], states()
        asyncio.run(main())
        assert states() == [("registered", "leaked", "loop_end")], states()
        assert manager.sessions()[0].opened_at == f"{__file__}:{line}", manager.sessions()
    """,
    "a_session_that_its_owner_closed_has_not_leaked": """
        async def main():
            async with aiohttp.ClientSession() as session:
                manager.register_session(session, "mine")
        asyncio.run(main())
        assert states() == [("registered", "closed", "user")], states()
    """,
    "a_client_that_does_not_say_whether_it_is_closed_has_not_leaked": """
        class Client:
            async def aclose(self):
                pass
        async def main():
            client = Client()
            manager.register_session(client, "mine")
            await client.aclose()
        asyncio.run(main())
        assert states() == [("registered", "closed", "loop_end")], states()
    """,
    "a_loop_on_another_thread_that_does_not_answer_at_the_end": """
        import logging
        logging.disable(logging.WARNING)
        begun, released = threading.Event(), threading.Event()
        async def main():
            manager.register_session(aiohttp.ClientSession(), "mine")
            begun.set()
            released.wait()
        thread = threading.Thread(target=asyncio.run, args=(main(),))
        thread.start()
        begun.wait()
        manager.close()
        assert states() == [("registered", "leaked", "exit")], states()
        released.set()
        thread.join()
    """,
    "a_loop_that_was_told_to_stop_before_the_end": """
        loop = asyncio.new_event_loop()
        async def main():
            for name in ("one", "two"):
                manager.register_session(aiohttp.ClientSession(), name)
        loop.run_until_complete(main())
        for delay_s in (0, 0, 0.001):
            loop.call_later(delay_s, loop.stop)
        manager.close()
        assert states() == [("registered", "closed", "exit")] * 2, states()
        loop.close()
    """,
    "the_end_of_a_script_that_has_used_a_thread": """
        from llmkit.kit import current_kit
        assert current_kit().manager.run(asyncio.to_thread(int)) == 0
    """,
    "a_dropped_temporary_session": """
        from llmkit.api import current_kit, leaks, session
        async def main():
            global line
            line = sys._getframe().f_lineno + 1
            await session("ollama", persistent=False).__aenter__()
            await until(leaks)
        asyncio.run(main())
        (row,) = leaks()
        assert (row["kind"], row["status"], row["closed_by"]) == (
            "temporary", "leaked", "collected"), row
        assert row["opened_at"] == f"{__file__}:{line}", row
    """,
    "a_session_of_a_script_is_held_until_its_end": """
        async def register():
            manager.register_session(aiohttp.ClientSession(), "mine")
        manager.run(register())
        gc.collect()
        manager.close_stale()
        assert states() == [("registered", "open", None)], states()
        manager.close()
        assert states() == [("registered", "closed", "exit")], states()
    """,
    "a_handle_closes_twice_also_when_its_line_is_forgotten": """
        from llmkit.runtime.session_registry import REMEMBERED
        class Closeable:
            def close(self): ...
        first = manager.register_session(Closeable(), "mine")
        first.close()
        for _ in range(REMEMBERED):
            manager.register_session(Closeable(), "mine").close()
        first.close()
        assert first.id not in {row.id for row in manager.sessions()}
    """,
    "a_session_without_its_handle_is_still_in_use": """
        async def main():
            session = aiohttp.ClientSession()
            manager.register_session(session, "mine")
            handle = manager.register_session(aiohttp.ClientSession(), "handle")
            await asyncio.sleep(0.05)
            assert not session.closed
            assert states() == [("registered", "open", None)] * 2, states()
            await session.close()
            assert states()[0] == ("registered", "closed", "user"), states()
            handle.close()
            handle.close()
        asyncio.run(main())
        assert states() == [("registered", "closed", "user")] * 2, states()
    """,
    "uvloop_run": """
        try:
            import uvloop
        except ImportError:  # not on every system
            print("held", flush=True)
            sys.exit()
        async def main():
            assert await fetch() == "hi"
            # It cannot be entered again: then a thread of ours does it.
            assert manager.status().mode == "portal"
            return await asyncio.to_thread(manager.run, fetch())
        assert uvloop.run(main()) == "hi"
        assert states()[0] == ("pool", "closed", "loop_end"), states()
        manager.close()
        assert states()[1] == ("pool", "closed", "exit"), states()
    """,
    "a_uvloop_closed_by_hand": """
        try:
            import uvloop
        except ImportError:
            print("held", flush=True)
            sys.exit()
        loop = uvloop.new_event_loop()
        assert loop.run_until_complete(fetch()) == "hi"
        loop.close()
        assert states() == [("pool", "closed", "loop_end")], states()
    """,
    "a_forked_child_leaves_its_parent_alone": """
        import os
        if not hasattr(os, "fork"):
            print("held", flush=True)
            sys.exit()
        runner, url = manager.run(serve())
        async def get():
            session, record = manager.pool("x", url, open_session)
            async with session.get(url) as response:
                return await response.text()
        def ask_on_a_thread():
            found = []
            thread = threading.Thread(target=lambda: found.append(manager.run(asyncio.sleep(0, 1))))
            thread.start()
            thread.join()
            return found
        assert (manager.run(get()), ask_on_a_thread()) == ("hi", [1])
        import warnings
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of forks in a process with threads, from 3.12 on
            child = os.fork()
        if not child:
            # Roads of its own, and an orderly end.
            assert states() == [], states()
            assert manager.run(asyncio.sleep(0, "child")) == "child"
            assert ask_on_a_thread() == [1]
            manager.close()
            sys.exit(0)
        assert os.waitpid(child, 0)[1] == 0
        assert manager.run(get()) == "hi"
        assert ask_on_a_thread() == [1]
        (row,) = manager.sessions()
        assert (row.status, row.requests, row.open_connections) == ("open", 2, 1), row
        manager.run(runner.cleanup())
        manager.close()
    """,
    "nobody_closes_on_a_foreign_loop": """
        class Noted:
            def __init__(self):
                self.loop = asyncio.get_running_loop()
                assert self.loop.get_debug()
            async def aclose(self):
                assert asyncio.get_running_loop() is self.loop
                closed.append(self)
        mine, closed, go, opened = [], [], threading.Event(), threading.Event()
        async def open_one():
            mine.append(Noted())
            manager.register_session(mine[-1], "mine", keep=True)
        async def stay():
            await open_one()
            opened.set()
            await asyncio.to_thread(go.wait)
        manager.run(open_one())
        asking = threading.Thread(target=lambda: manager.run(open_one()))
        asking.start(); asking.join()
        staying = threading.Thread(target=lambda: asyncio.run(stay()), daemon=True)
        staying.start(); opened.wait()
        async def main():
            await open_one()
            assert await manager.aclose("all") == 4
        asyncio.run(main())
        assert len(closed) == 4, closed
        go.set(); staying.join()
        manager.close()
    """,
    "garbage_in_another_thread": """
        async def main():
            handle = temporary()[1]
            circle = [handle]
            circle.append(circle)
            del handle, circle
            await asyncio.to_thread(gc.collect)
            await until(lambda: manager.sessions()[0].status == "leaked")
            assert states() == [("temporary", "leaked", "collected")], states()
        gc.disable()
        asyncio.run(main())
    """,
    "an_answer_is_still_read_after_its_session_was_dropped": """
        async def serve_much():
            async def much(request):
                response = web.StreamResponse()
                await response.prepare(request)
                await response.write(b"x" * 100_000)
                await go.wait()
                await response.write(b"y")
                return response
            app = web.Application()
            app.router.add_get("/", much)
            runner = web.AppRunner(app, shutdown_timeout=0.1)
            await runner.setup()
            await web.TCPSite(runner, "127.0.0.1", 0).start()
            return runner, "http://%s:%s/" % runner.addresses[0][:2]
        async def main():
            global go
            go = asyncio.Event()
            runner, url = await serve_much()
            session, handle = temporary()
            response = await session.get(url)
            del session, handle
            gc.collect()
            await asyncio.sleep(0.05)
            assert states() == [("temporary", "in_use", None)], states()
            go.set()
            assert len(await response.read()) == 100_001
            del response
            await until(lambda: manager.sessions()[0].status == "leaked")
            assert states() == [("temporary", "leaked", "collected")], states()
            await runner.cleanup()
        asyncio.run(main())
    """,
    "closing_ends_the_answers_that_are_under_way": """
        # Collected before its answer, a connection would complain; so it must be free by then.
        async def begun(session, url):
            response = await session.get(url + "/slow")
            assert await response.content.readany() == b"begun"
            return response, response.connection
        async def main():
            runner, url = await serve()
            session = aiohttp.ClientSession()
            handle = manager.register_session(session, "mine")
            response, connection = await begun(session, url)
            reader = asyncio.create_task(response.content.readany())
            await asyncio.sleep(0)
            await handle.aclose()
            assert connection.protocol is None
            try:
                await reader
            except aiohttp.ClientError:
                print("told", flush=True)
            await runner.cleanup()
        asyncio.run(main())
        # The same where it is too late for an orderly end.
        loop = asyncio.new_event_loop()
        async def forget():
            runner, url = await serve()
            session = aiohttp.ClientSession()
            return runner, session, await begun(session, url)
        runner, session, (response, connection) = loop.run_until_complete(forget())
        handle = manager.register_session(session, "late")
        loop.run_until_complete(runner.cleanup())
        loop.close()
        manager.close()
        assert connection.protocol is None
        assert states()[1] == ("registered", "leaked", "loop_end"), states()
    """,
    "stale_sessions_go_by_themselves": """
        async def main():
            brief = EventLoopManager(idle_s=0.0, check_s=0.01)
            idle, kept = aiohttp.ClientSession(), aiohttp.ClientSession()
            handles = brief.register_session(idle), brief.register_session(kept, keep=True)
            await until(lambda: idle.closed)
            assert [row.closed_by for row in brief.sessions()] == ["idle", None]
            brief.close()
            assert [row.closed_by for row in brief.sessions()] == ["idle", "exit"]
        asyncio.run(main())
    """,
    "a_client_whose_loop_has_gone": """
        import httpx
        async def use(client):
            runner, url = await serve()
            assert (await client.get(url)).text == "hi"
            await runner.cleanup()
        client = httpx.AsyncClient()
        handle = manager.register_session(client, "early")  # before there is any loop
        asyncio.run(use(client))
        manager.close()
        assert client.is_closed
        assert states() == [("registered", "closed", "exit")], states()
    """,
    "nothing_is_lost_when_the_manager_is": """
        async def main():
            global manager
            other = EventLoopManager()
            session, _ = other.pool("x", "u", open_session)
            del other
            gc.collect()
            return session
        loop = asyncio.new_event_loop()
        session = loop.run_until_complete(main())
        import atexit
        atexit.register(lambda: print("held" if session.closed else "open"))
        # Nobody closes the loop: the end of the process does.
        import llmkit.runtime.manager as house
        assert len(house.living()) == 1
        atexit.register(loop.close)
        atexit.register(house._close_all)
    """,
    "an_interrupt_cancels_and_ends": """
        async def main():
            runner, url = await serve()
            session, _ = manager.pool("x", url, open_session)
            async def read():
                async with session.get(url + "/slow") as response:
                    await response.content.readany()
                    signal.raise_signal(signal.SIGINT)
                    await asyncio.sleep(600)
            reading = read()
            try:
                manager.run(reading)
            except KeyboardInterrupt:
                assert inspect.getcoroutinestate(reading) == "CORO_CLOSED"
                await runner.cleanup()
                print("interrupted", flush=True)
        # As in a kernel, the loop itself survives the interrupt.
        loop = asyncio.new_event_loop()
        loop.run_until_complete(main())
        loop.close()
    """,
    "an_interrupt_without_a_loop": """
        async def read():
            signal.raise_signal(signal.SIGINT)
            await asyncio.sleep(600)
        try:
            manager.run(read())
        except KeyboardInterrupt:
            print("interrupted", flush=True)
        assert manager.run(fetch()) == "hi"
        manager.close()
    """,
    "an_interrupt_harms_no_other_task": """
        # Python's own handler raises wherever it strikes, here in a task of somebody else's.
        async def bystander():
            signal.raise_signal(signal.SIGINT)
            await asyncio.sleep(0)
            return "unharmed"
        async def main():
            other = asyncio.get_running_loop().create_task(bystander())
            try:
                manager.run(asyncio.sleep(600))
            except KeyboardInterrupt:
                assert await other == "unharmed"
                print("interrupted", flush=True)
        asyncio.run(main())
    """,
    "an_interrupt_in_a_finalizer_is_heard": """
        # A KeyboardInterrupt that is raised in there would be swallowed, and the press lost.
        class Final:
            def __del__(self):
                signal.raise_signal(signal.SIGINT)
        async def read():
            Final()
            await asyncio.sleep(600)
            raise AssertionError("the press was lost")
        for wait in (manager.run, lambda coroutine: asyncio.run(inside(coroutine))):
            async def inside(coroutine):
                return manager.run(coroutine)
            try:
                wait(read())
            except KeyboardInterrupt:
                print("interrupted", flush=True)
            signal.signal(signal.SIGINT, signal.default_int_handler)  # as a kernel after a cell
        manager.close()
    """,
    "an_interrupt_leaves_the_handler_as_it_was": """
        async def press():
            signal.raise_signal(signal.SIGINT)
            await asyncio.sleep(600)
        before = signal.getsignal(signal.SIGINT)
        mine = lambda number, frame: print("mine", flush=True)
        for handler in (before, signal.SIG_IGN, mine):
            signal.signal(signal.SIGINT, handler)
            manager.run(asyncio.sleep(0))
            assert signal.getsignal(signal.SIGINT) is handler
        manager.run(asyncio.wait_for(asyncio.sleep(0, signal.raise_signal(signal.SIGINT)), 9))
        signal.signal(signal.SIGINT, before)
        try:
            manager.run(press())
        except KeyboardInterrupt:
            InterruptGuard.last_press_at = time.monotonic()  # however slow the machine is
            signal.raise_signal(signal.SIGINT)  # the second of a double press
        until = time.monotonic() + SAME_PRESS_S
        try:
            while True:  # a later one stops what the program does then
                if time.monotonic() > until:
                    signal.raise_signal(signal.SIGINT)
        except KeyboardInterrupt:
            InterruptGuard.last_press_at = -math.inf  # that was long ago
        manager.run(asyncio.sleep(0))
        assert signal.getsignal(signal.SIGINT) is before
        manager.close()
    """,
    "a_double_press_does_not_break_the_clean_up": """
        import atexit
        async def read():
            signal.raise_signal(signal.SIGINT)
            await asyncio.sleep(600)
        def clean_up():
            InterruptGuard.last_press_at = time.monotonic()  # however slow the machine is
            signal.raise_signal(signal.SIGINT)
        atexit.register(clean_up)
        try:
            manager.run(read())
        except KeyboardInterrupt:
            print("interrupted", flush=True)
    """,
    "a_signal_wakes_a_quiet_loop": """
        # One that comes just before the loop begins to wait would not be looked at otherwise.
        def wakes():
            now = signal.set_wakeup_fd(-1)
            signal.set_wakeup_fd(now)
            return now
        async def look():
            return wakes() == asyncio.get_running_loop()._csock.fileno()
        async def main():
            assert manager.run(look())
            assert wakes() == -1
        asyncio.run(main())
        assert manager.run(look())
        assert wakes() == -1
        mine = asyncio.new_event_loop()
        signal.set_wakeup_fd(mine._csock.fileno())
        assert not manager.run(look())
        assert wakes() == mine._csock.fileno()
        mine.close()
        manager.close()
    """,
    "a_blocked_loop_is_stopped_by_pressing_again": """
        import os, time
        async def block():
            while True:
                pass
        ended = threading.Event()
        def press():
            while not ended.wait(0.3):
                os.kill(os.getpid(), signal.SIGINT)
        finger = threading.Thread(target=press)
        finger.start()
        try:
            manager.run(block())
        except KeyboardInterrupt:
            ended.set()
        finger.join()
        manager.close()
    """,
    "what_will_not_end_is_left_after_the_grace": """
        import logging
        logging.disable(logging.CRITICAL)
        async def stubborn():
            signal.raise_signal(signal.SIGINT)
            while not ended:
                try:
                    await asyncio.sleep(0.01)
                except asyncio.CancelledError:
                    pass
            raise OSError("late, and asked for by nobody")
        ended = []
        async def main():
            try:
                manager.run(stubborn(), grace=0.05)
            except KeyboardInterrupt:
                ended.append(True)
            await asyncio.sleep(0.1)
        asyncio.run(main())
        assert ended
    """,
    "an_interrupt_of_what_runs_on_the_portal": """
        import contextvars
        from llmkit.runtime.portal import Portal
        portal, mine, seen = Portal(), contextvars.ContextVar("mine"), []
        async def read():
            seen.append(mine.get())
            main = threading.main_thread().ident
            signal.pthread_kill(main, signal.SIGINT)
            try:
                await asyncio.sleep(600)
            except asyncio.CancelledError:
                seen.append("cancelled")
                raise
        mine.set("seen")
        try:
            portal.run(read(), grace=2)
        except KeyboardInterrupt:
            assert seen == ["seen", "cancelled"], seen
            print("interrupted", flush=True)
        assert portal.run(asyncio.sleep(0, "again"), grace=2) == "again"
        portal.stop()
    """,
    "a_timeout_is_ours": """
        from llmkit.errors import APITimeoutError
        try:
            manager.run(asyncio.sleep(600), timeout=0.05)
        except APITimeoutError as error:
            print("timed out:", error)
        manager.close()
    """,
    "one_failure_and_the_rest_still_goes": """
        closed = []
        class Broken:
            def close(self): raise OSError("broken")
        class Fine:
            async def aclose(self): closed.append("fine")
        for thing in (Fine(), Broken(), Fine()):
            manager.register_session(thing)
        import logging
        logging.disable(logging.CRITICAL)
        assert manager.run(manager.aclose("all")) == 3
        assert closed == ["fine", "fine"]
        manager.close()
    """,
    "many_nested_runs_in_one_step_cost_the_same_each": """
        ran = []
        async def main():
            loop = asyncio.get_running_loop()
            for number in range(200):
                loop.call_soon(ran.append, number)
                manager.run(asyncio.sleep(0))
            assert len(loop._ready) < 100, len(loop._ready)
        asyncio.run(main())
        assert ran == list(range(200))
        manager.close()
    """,
    "a_nested_run_leaves_the_outer_iteration_what_it_has_counted": """
        ran = []
        async def main():
            loop = asyncio.get_running_loop()
            async def nested():
                manager.run(asyncio.sleep(0))
            task = loop.create_task(nested())
            for number in range(200):
                loop.call_soon(ran.append, number)
            await task
        asyncio.run(main())
        assert ran == list(range(200))
        manager.close()
    """,
    "a_kit_closed_during_the_call_of_a_thread": """
        from llmkit.errors import SessionClosedError
        errors, has_begun = [], threading.Event()
        async def wait():
            has_begun.set()
            await asyncio.sleep(600)
        def call():
            try:
                manager.run(wait())
            except SessionClosedError as error:
                errors.append(str(error))
        thread = threading.Thread(target=call)
        thread.start()
        has_begun.wait()
        manager.close()
        thread.join()
        assert "kit was closed" in errors[0], errors
    """,
    "importing_changes_nothing": """
        import asyncio.tasks
        before = (asyncio.Task, asyncio.run, asyncio.get_event_loop)
        import llmkit.kit
        assert before == (asyncio.Task, asyncio.run, asyncio.get_event_loop)
        assert "nest_asyncio2" not in sys.modules
    """,
}  # fmt: skip


# The scenarios of promises 15 and 19, which a naive manager breaks.
SCENARIOS = {
    "asyncio_run_three_times", "uvloop_run", "a_loop_closed_by_hand", "a_uvloop_closed_by_hand",
    "a_forgotten_registered_session", "garbage_in_another_thread", "an_interrupt_cancels_and_ends",
    "nobody_closes_on_a_foreign_loop",
}  # fmt: skip


@pytest.mark.parametrize(
    "name", [pytest.param(n, marks=pytest.mark.scenario if n in SCENARIOS else ()) for n in SCRIPTS]
)
def test_a_program_ends_in_silence(name, tmp_path):
    """Each program meets its demands, and writes nothing to stderr."""
    script = tmp_path / f"{name}.py"
    script.write_text(COMMON + textwrap.dedent(SCRIPTS[name]) + "\nprint('held')\n")

    done = subprocess.run(
        [sys.executable, "-X", "dev", "-W", "error::ResourceWarning", str(script)],
        capture_output=True, text=True, timeout=PATIENCE_S, check=False,
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])},
    )  # fmt: skip

    assert done.stdout.rstrip().endswith("held"), done.stderr
    # Development mode also reports every step that took a tenth of a second, as all do on a
    # machine that others use.
    said = [line for line in done.stderr.splitlines() if not line.startswith("Executing <")]
    assert said == []
    assert done.returncode == 0
