"""Tests the sessions of a kernel when cells run again, are deleted or end."""

from __future__ import annotations

import json

import pytest

from tests.fakes.misbehaviour import never_ending
from tests.fakes.reply import cut_stream
from tests.fakes.server import FakeProviders
from tests.patience import SOON_S

from .conftest import complaints, control
from .driver import value

pytestmark = pytest.mark.kernel
scenario = pytest.mark.scenario  # a naive manager fails it

COUNT = (
    "print(json.dumps({'fds': len(os.listdir('/proc/self/fd')) if os.path.isdir('/proc/self/fd')"
    " else 0, 'tasks': len(asyncio.all_tasks()), 'threads': threading.active_count(),"
    " 'open': sum(r['status'] in ('open', 'in_use', 'stale') for r in llmkit.sessions())}))"
)


def rows(kernel, provider):
    """Returns status, reason and cell of a provider's sessions, oldest first."""
    ran = kernel.one(
        "print(json.dumps([[str(r['status']), r['closed_by'], r['cell']]"
        f" for r in llmkit.sessions() if r['provider'] == {provider!r}]))"
    )
    return value(ran)


def leaks(kernel, provider):
    """Returns reason and cell of a provider's leaks."""
    ran = kernel.one(
        "print(json.dumps([[r['closed_by'], r['cell']] for r in llmkit.leaks()"
        f" if r['provider'] == {provider!r}]))"
    )
    return value(ran)


def one_line(provider):
    """Returns the only line of a cell, which keeps no reference to the session."""
    return f"llmkit.register_session(aiohttp.ClientSession(), provider_name={provider!r})"


def opening(provider, name="handle"):
    return f"{name} = llmkit.register_session(aiohttp.ClientSession(), {provider!r})\n"


@scenario
def test_a_hundred_reruns_leave_as_much_as_one(asking, fakes):
    """4: The numbers of sessions, descriptors, tasks, threads and connections do not grow."""
    models = f"{fakes.base_url('openai')}/models"
    cell = (
        "clients = [aiohttp.ClientSession() for _ in range(3)]\n"
        "handles = [llmkit.register_session(c, 'mine') for c in clients]\n"
        f"for c in clients:\n    async with c.get({models!r}) as r: await r.read()\n"
        f"{COUNT}"
    )

    first = [value(ran) for ran in asking.run(*[cell] * 3, ids=["again"] * 3)][-1]
    connections = fakes.open_connections
    last = [value(ran) for ran in asking.run(*[cell] * 97, ids=["again"] * 97)][-1]

    assert last == {**first, "fds": pytest.approx(first["fds"], abs=2)}
    assert fakes.open_connections <= connections + 2
    assert [status for status, _, _ in rows(asking, "mine")].count("open") == 3


@scenario
@pytest.mark.parametrize("scheme", ["http", "https"])
def test_an_exception_in_the_middle_of_a_stream_leaves_nothing_open(asking, scheme):
    """7: A cell fails while it reads; its re-run closes the earlier session."""
    with FakeProviders(tls=scheme == "https") as fakes:
        fakes.always("openai", never_ending("openai", "signs of life"))
        url = f"{fakes.base_url('openai')}/chat/completions"
        cell = (
            "client = aiohttp.ClientSession(connector=aiohttp.TCPConnector(ssl=False))\n"
            f"handle = llmkit.register_session(client, {scheme!r})\n"
            f"response = await client.post({url!r}, json={{}})\n"
            "await response.content.readany()\nraise ValueError('mine')"
        )

        failed = asking.run(cell, cell, ids=[scheme, scheme])
        asked = fakes.asked["openai"]
        first_ended = asked[0].ended.wait(SOON_S)
        still_open = rows(asking, scheme)
        ended = asking.one("gc.collect()", cell_id=scheme)

        assert [ran.reply["ename"] for ran in failed] == ["ValueError"] * 2
        assert first_ended
        assert [row[:2] for row in still_open] == [["closed", "rerun"], ["in_use", None]]
        assert ended.ok
        assert [row[0] for row in rows(asking, scheme)] == ["closed", "closed"]
        assert asked[1].ended.wait(SOON_S)


def test_a_stream_of_llmkit_is_closed_when_its_reader_fails(asking, fakes):
    """7: llmkit's own stream is closed without a re-run."""
    fakes.answer("openai", cut_stream("openai", "silence"))
    ran = asking.one(
        "async for part in llmkit.stream('hi', 'gpt-6-luna'):\n    raise ValueError('mine')",
        cell_id="own",
    )
    asking.one("gc.collect()", cell_id="own")

    assert ran.reply["ename"] == "ValueError"
    assert fakes.asked["openai"][0].ended.wait(SOON_S)


@scenario
@pytest.mark.parametrize("reader", ["a task", "nobody"])
def test_a_rerun_ends_the_background_stream_first(asking, fakes, reader):
    """8: It ends before the new code runs; other cells' sessions and the pool are kept."""
    fakes.answer("openai", never_ending("openai", "signs of life"))
    begin = {
        "a task": (
            "got = []\n"
            "async def read():\n"
            "    async for part in llmkit.stream('hi', 'gpt-6-luna'): got.append(part)\n"
            "task = asyncio.create_task(read())\n"
            "while not got: await asyncio.sleep(0.01)"
        ),
        "nobody": "parts = llmkit.stream('hi', 'gpt-6-luna')\nfirst = await anext(parts)",
    }[reader]
    provider = f"other than {reader}"
    ask = "llmkit.ask('hi', 'gpt-6-luna').status"

    asking.run(opening(provider, "other"), begin, ids=["other", reader])
    (asked,) = fakes.asked["openai"]
    running = not asked.ended.is_set()
    over = "task.done()" if reader == "a task" else "parts.ag_frame is None"
    ran = asking.one(f"print(json.dumps({over}))", cell_id=reader)

    assert running
    assert value(ran) is True
    assert asked.ended.wait(SOON_S)
    assert [row[0] for row in rows(asking, provider)] == ["open"]
    assert asking.run(f"print({ask})", f"print({ask})")[1].out.strip() == "complete"
    assert len({a.connection for a in fakes.asked["openai"][-2:]}) == 1


@scenario
def test_a_rerun_closes_before_the_new_code_runs(asking):
    """8: Sessions of the last run are closed before the first line of the cell runs."""
    cell = (
        "print(json.dumps([str(r['status']) for r in llmkit.sessions()"
        " if r['provider'] == 'again']))\n" + opening("again")
    )

    ran = asking.run(cell, cell, cell, ids=["first"] * 3)

    assert [value(r) for r in ran] == [[], ["closed"], ["closed", "closed"]]


@scenario
def test_deleted_cells_lose_what_they_opened_and_no_other_does(asking):
    """9: JupyterLab sends the deleted ids with the next cell that runs."""
    asking.run(opening("kept", "h1"), opening("gone", "h2"), ids=["kept", "gone"])
    asking.one("print(1)", deletedCells=["gone", "unheard of"])

    assert rows(asking, "kept") == [["open", None, "kept"]]
    assert rows(asking, "gone") == [["closed", "deleted", "gone"]]


@scenario
@pytest.mark.parametrize("end", ["", ";"])  # with a semicolon, `Out` does not keep the handle
def test_a_session_that_only_llmkit_refers_to_is_held_until_its_cell_runs_again(asking, end):
    """It survives a garbage collection, and the re-run closes it without a leak."""
    provider = f"held{end}"
    first = asking.one(one_line(provider) + end, cell_id=provider)
    collection = asking.one("gc.collect();")
    held = rows(asking, provider)
    again = asking.one(one_line(provider) + end, cell_id=provider)

    assert held == [["open", None, provider]]
    assert rows(asking, provider) == [["closed", "rerun", provider], ["open", None, provider]]
    assert leaks(asking, provider) == []
    assert [ran.err for ran in (first, collection, again)] == ["", "", ""]
    assert complaints(asking.stderr_so_far()) == []


@scenario
def test_a_session_that_only_llmkit_refers_to_is_closed_when_its_cell_is_deleted(asking):
    """It is open until then, and is closed without a leak or a warning."""
    first = asking.one(one_line("deleted one"), cell_id="deleted one")
    held = rows(asking, "deleted one")
    after = asking.one("gc.collect();", deletedCells=["deleted one"])

    assert held == [["open", None, "deleted one"]]
    assert rows(asking, "deleted one") == [["closed", "deleted", "deleted one"]]
    assert leaks(asking, "deleted one") == []
    assert [first.err, after.err] == ["", ""]
    assert complaints(asking.stderr_so_far()) == []


@scenario
def test_a_session_that_only_llmkit_refers_to_is_closed_when_it_is_idle(asking):
    """The setting `idle_s` is the limit; it is closed without a leak or a warning."""
    first = asking.one(one_line("idle one"), cell_id="idle one")
    held = rows(asking, "idle one")
    asking.one("llmkit.configure(idle_s=0);")
    after = asking.one("gc.collect();")
    asking.one("llmkit.configure(idle_s=300);")

    assert held == [["open", None, "idle one"]]
    assert rows(asking, "idle one") == [["closed", "idle", "idle one"]]
    assert leaks(asking, "idle one") == []
    assert [first.err, after.err] == ["", ""]
    assert complaints(asking.stderr_so_far()) == []


@scenario
def test_a_session_that_only_llmkit_refers_to_is_closed_when_the_kernel_ends(fresh, tmp_path):
    """It is closed when the process ends, without a leak or a warning."""
    note = tmp_path / "note"
    kernel = fresh()
    kernel.one(
        "import atexit, json\n"
        "def note():\n"
        "    states = [[r['status'], r['closed_by'], r['cell']] for r in llmkit.sessions()]\n"
        f"    with open({str(note)!r}, 'w') as file:\n"
        "        json.dump([states, len(llmkit.leaks())], file)\n"
        "atexit.register(note)\n"  # registered before llmkit's, so it runs after it
        f"{control()}%load_ext llmkit\nimport aiohttp, gc, llmkit"
    )
    first = kernel.one(one_line("last one"), cell_id="last one")
    held = rows(kernel, "last one")
    kernel.restart()

    assert held == [["open", None, "last one"]]
    assert json.loads(note.read_text()) == [[["closed", "exit", "last one"]], 0]
    assert first.err == ""
    assert complaints(kernel.stderr_so_far()) == []


@scenario
def test_every_odd_cell_leaves_ownership_right(asking):
    """10: %%capture, nested, empty, silent and broken cells, and the same text without an id."""
    asking.one(f"%%capture\n{opening('captured', 'h1')}", cell_id="capturing")
    asking.one(
        f"get_ipython().run_cell({opening('nested', 'h2')!r})\n"
        "get_ipython().run_cell('')\n" + opening("after nested", "h3"),
        cell_id="nesting",
    )
    for odd in ("", "   ", "def (", "1/0"):
        asking.one(odd, cell_id="odd")
    asking.one("silent = 1", cell_id="silent", silent=True)
    asking.one(opening("after odd", "h4"), cell_id="mine")
    for _ in range(3):
        asking.one(opening("nameless", "h5"))

    assert rows(asking, "captured") == [["open", None, "capturing"]]
    assert rows(asking, "nested") == [["open", None, "nesting"]]
    assert rows(asking, "after nested") == [["open", None, "nesting"]]
    assert rows(asking, "after odd") == [["open", None, "mine"]]
    assert [row[0] for row in rows(asking, "nameless")] == ["closed", "closed", "open"]


@scenario
def test_cells_of_the_main_shell_and_of_a_subshell_keep_apart(asking):
    """10: They run at the same time in separate threads."""
    subshell = asking.subshell()
    if subshell is None:  # without subshells a cell waits for the other one
        assert asking.one(opening("main", "h1"), cell_id="main").ok
        assert rows(asking, "main") == [["open", None, "main"]]
        return
    asking.one("begun, go = threading.Event(), threading.Event()")
    main = asking.send("begun.set()\nassert go.wait(30)\n" + opening("main", "h1"), cell_id="main")
    sub = asking.send(
        "assert begun.wait(30)\n" + opening("sub", "h2") + "go.set()",
        cell_id="sub", subshell=subshell,
    )  # fmt: skip
    ran = asking.collect([main, sub])
    found = rows(asking, "main"), rows(asking, "sub")
    asking.end_subshell(subshell)

    assert [r.ok for r in ran] == [True, True], [r.error for r in ran]
    assert found == ([["open", None, "main"]], [["open", None, "sub"]])
    assert rows(asking, "sub") == [["leaked", "loop_end", "sub"]]
    assert leaks(asking, "sub") == [["loop_end", "sub"]]


@scenario
def test_reset_and_reload_leave_one_pair_of_hooks(asking):
    """13: %reset -f, %reload_ext and importlib.reload neither duplicate nor lose a hook."""
    asking.one(opening("reset"), cell_id="reset")
    asking.run("%reset -f", "import json, llmkit")
    after_reset = rows(asking, "reset")
    asking.run(
        "%reload_ext llmkit", "%load_ext llmkit",
        "import importlib, llmkit.notebook.hooks, llmkit.notebook.extension, llmkit.cell\n"
        "import llmkit.kit, llmkit.runtime.manager\n"
        "for module in (llmkit.cell, llmkit.runtime.manager, llmkit.kit,"
        " llmkit.notebook.hooks, llmkit.notebook.extension): importlib.reload(module)\n"
        "%reload_ext llmkit",
    )  # fmt: skip
    ran = asking.one(
        "import aiohttp, asyncio, gc, json, os, signal, threading, time\nimport llmkit\n"
        "manager = llmkit.get_event_loop_manager()\nevents = get_ipython().events.callbacks\n"
        "from tests.ours import ours\n"
        "hooks = [c for k in ('pre_run_cell', 'post_run_cell') for c in events[k] if ours(c)]\n"
        "print(json.dumps(len(hooks)))"
    )
    again = asking.run(opening("reloaded"), opening("reloaded"), ids=["reloaded"] * 2)

    assert value(ran) == 2
    assert after_reset == [["open", None, "reset"]]
    assert rows(asking, "reset") == [["closed", "exit", "reset"]]
    assert [r.ok for r in again] == [True, True]
    assert [row[0] for row in rows(asking, "reloaded")] == ["closed", "open"]


@scenario
def test_a_kernel_ends_in_time_with_everything_open(fresh, served, tmp_path):
    """14: A session, the Mistral client, a stream and the portal; restarted, and shut down."""
    served.reset()
    note = tmp_path / "note"
    kernel = fresh()
    for _ in range(2):
        served.answer("openai", cut_stream("openai", "silence"))
        ran = kernel.one(
            "import atexit, json, time\n"
            "def ended():\n"
            f"    with open({str(note)!r}, 'a') as note:\n"
            "        print(json.dumps([time.monotonic() - begun, open_()]), file=note)\n"
            "atexit.register(ended)\n"
            f"{control()}%load_ext llmkit\nimport aiohttp, asyncio, llmkit, threading\n"
            "kept = llmkit.register_session(aiohttp.ClientSession(), 'mine')\n"
            "signed_in = llmkit.check('mistral')\n"
            "thread = threading.Thread(target=lambda: llmkit.ask('hi', 'mistral:mistral-small'))\n"
            "thread.start(); thread.join()\n"
            "stream = llmkit.stream('hi', 'gpt-6-luna')\nfirst = await anext(stream)\n"
            "def open_(): return [[r['provider'], r['kind'], r['status'], r['loop']] for r in"
            " llmkit.sessions() if r['status'] in ('open', 'in_use', 'stale')]\n"
            "def begin():\n    global begun\n    begun = time.monotonic()\n"
            "atexit.register(begin)\nprint(json.dumps([signed_in.ready, open_()]))"
        )
        kernel.restart()

    ends = [json.loads(line) for line in note.read_text().splitlines()]
    assert value(ran)[0] is True
    assert len(value(ran)[1]) >= 4
    assert [left for _, left in ends] == [[], []], kernel.stderr_so_far()
    assert all(took < SOON_S for took, _ in ends)
    assert all(asked.ended.wait(SOON_S) for asked in served.asked["openai"])
    assert complaints(kernel.stderr_so_far()) == []


@scenario
def test_an_answer_is_read_after_its_temporary_session_was_dropped(asking, fakes):
    """16: The body is still readable; then the session is closed and reported as a leak."""
    whole = cut_stream("openai", gap_s=0.05)
    fakes.answer("openai", whole)
    url = f"{fakes.base_url('openai')}/chat/completions"
    ran = asking.one(
        "http = await llmkit.session('openai', persistent=False).__aenter__()\n"
        f"response = await http.post({url!r}, json={{}})\n"
        "del http\ngc.collect()\nawait asyncio.sleep(0.1)\n"
        "body = await response.read()\ndel response\nprint(json.dumps(len(body)))",
        cell_id="dropping",
    )
    asking.one("await asyncio.sleep(0.1)")
    told = asking.one(
        "print(json.dumps([[r['kind'], r['closed_by'], r['cell']] for r in llmkit.leaks()"
        " if r['provider'] == 'openai']))"
    )

    assert value(ran) == sum(map(len, whole.pieces))
    assert value(told) == [["temporary", "collected", "dropping"]]


@scenario
def test_loading_leaves_asyncio_unchanged(fresh):
    """18: asyncio's classes and functions are the same before and after a nested run."""
    kernel = fresh()
    ran = kernel.one(
        "import asyncio, json, sys\n"
        "def seen(): return [asyncio.Task, asyncio.Future, asyncio.run, asyncio.get_event_loop,"
        " asyncio.SelectorEventLoop._run_once, asyncio.SelectorEventLoop.run_forever]\n"
        f"before = seen()\n{control()}import llmkit\n"
        "imported = ['nest_asyncio2' in sys.modules, seen() == before]\n"
        "llmkit.ask('hi', 'scripted:echo')\n"
        "print(json.dumps([*imported, seen() == before]))"
    )

    assert value(ran) == [False, True, True]


@scenario
def test_a_second_request_opens_no_new_connection(asking, fakes):
    """20: The server counts one connection over several cells, awaited or not."""
    ask = "llmkit.ask('hi', 'gpt-6-luna').status"
    ran = asking.run(
        f"print({ask})", f"print({ask})",
        "print((await llmkit.aask('hi', 'gpt-6-luna')).status)",
    )  # fmt: skip

    assert [r.out.strip() for r in ran] == ["complete"] * 3
    assert len({asked.connection for asked in fakes.asked["openai"]}) == 1
