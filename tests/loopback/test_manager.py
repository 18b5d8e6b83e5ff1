"""Loop and sessions together, in programs of their own where warnings are errors."""

from __future__ import annotations

import subprocess
import sys
import textwrap

import pytest

COMMON = """
import asyncio, gc, signal, sys, threading
import aiohttp
from aiohttp import web
from llmkit.runtime.manager import EventLoopManager
from llmkit.runtime.transport import open_session

manager = EventLoopManager()

async def serve():
    async def slow(request):
        response = web.StreamResponse()
        await response.prepare(request)
        await response.write(b"begun")
        try:
            await asyncio.sleep(30)
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
            assert manager.status().road == "nested"
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
            manager.register_session(aiohttp.ClientSession(), "mine")
            gc.collect()
        asyncio.run(main())
        assert states() == [("registered", "closed", "loop_end")], states()
    """,
    "an_interrupt_cancels_and_ends": """
        async def main():
            runner, url = await serve()
            session, _ = manager.pool("x", url, open_session)
            async def read():
                async with session.get(url + "/slow") as response:
                    await response.content.readany()
                    signal.raise_signal(signal.SIGINT)
                    await asyncio.sleep(30)
            try:
                manager.run(read())
            except KeyboardInterrupt:
                left = [t for t in asyncio.all_tasks() if "read" in repr(t)]
                assert left == [], left
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
            await asyncio.sleep(30)
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
                manager.run(asyncio.sleep(30))
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
            await asyncio.sleep(30)
            raise AssertionError("the press was lost")
        for wait in (manager.run, lambda coroutine: asyncio.run(inside(coroutine))):
            async def inside(coroutine):
                return manager.run(coroutine)
            try:
                wait(read())
            except KeyboardInterrupt:
                print("interrupted", flush=True)
        manager.close()
    """,
    "an_interrupt_leaves_the_handler_as_it_was": """
        async def press():
            signal.raise_signal(signal.SIGINT)
            await asyncio.sleep(30)
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
            assert signal.getsignal(signal.SIGINT) is before
        manager.close()
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
                await asyncio.sleep(30)
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
            manager.run(asyncio.sleep(30), timeout=0.05)
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
    "importing_changes_nothing": """
        import asyncio.tasks
        before = (asyncio.Task, asyncio.run, asyncio.get_event_loop)
        import llmkit.kit
        assert before == (asyncio.Task, asyncio.run, asyncio.get_event_loop)
        assert "nest_asyncio2" not in sys.modules
    """,
}  # fmt: skip


@pytest.mark.parametrize("name", SCRIPTS)
def test_a_program_ends_in_silence(name, tmp_path):
    """Each program keeps its promises, and nothing at all is left on standard error."""
    script = tmp_path / f"{name}.py"
    script.write_text(COMMON + textwrap.dedent(SCRIPTS[name]) + "\nprint('held')\n")

    done = subprocess.run(
        [sys.executable, "-X", "dev", "-W", "error::ResourceWarning", str(script)],
        capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip

    assert done.stdout.rstrip().endswith("held"), done.stderr
    # Development mode also tells of every step that took a tenth of a second, as all do on a
    # machine that others use.
    said = [line for line in done.stderr.splitlines() if not line.startswith("Executing <")]
    assert said == []
    assert done.returncode == 0
