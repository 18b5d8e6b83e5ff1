"""No traceback shows a key, whatever prints its variables, and wherever llmkit is interrupted."""

from __future__ import annotations

import asyncio
import gc
import inspect
import json
import traceback
from dataclasses import replace
from functools import partial

import aiohttp
import pytest

import llmkit
from llmkit.chat.arguments import chat_arguments
from llmkit.comparison.result import Comparison, load
from llmkit.errors import CallError, LlmkitError
from llmkit.kit import Kit
from llmkit.notebook.panels.auth import AuthPanel
from llmkit.runtime.interrupt import StoppableTask
from llmkit.runtime.manager import EventLoopManager, living
from llmkit.secret import Secret, hides_locals, without_locals
from llmkit.transport.aiohttp_transport import close_now
from llmkit.transport.mistral_sdk import MistralClient
from llmkit.transport.timeouts import Timeouts
from tests.fakes import raw
from tests.fakes.misbehaviour import saying
from tests.fakes.reply import Reply
from tests.fakes.server import PREFIXES

from .canary import traces
from .test_sinks import KEY_VARS, MODELS, compare, told
from .tracebacks import WAYS, Interrupted, Struck, lines_of, struck_at, variables, with_locals

# A call that is struck at any line leaves coroutines and sessions behind.
pytestmark = [
    pytest.mark.filterwarnings("ignore::RuntimeWarning"),
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]
EXPORTS = ("frame", "to_csv", "to_json", "to_parquet", "to_html", "to_excel")
PANEL_FILES = ("notebook/panels/", "configuration/credentials.py", "authentication/")
# The first line of a guard runs before it can catch an error. asyncio calls the last one when a
# loop is closed, and it sees no key.
# The repr of an answer, which asyncio logs, has redacted texts only.
WRAPPERS = ("cell.py", "secret.py", "runtime/closer.py", "types.py")
# What a server can send with the key inside of the protocol itself.
MALFORMED = (
    "HTTP/1.1 200 {key}\r\n{key}\r\n\r\n", "HTTP/1.1 20O {key}\r\n\r\n", "{key}\r\n\r\n",
    "HTTP/1.1 200 OK\r\nContent-Length: {key}\r\n\r\nabc",
    "HTTP/1.1 200 OK\r\na: b\r\n\0{key}: c\r\n\r\n",
    "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n{key}\r\nabc\r\n",
    "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc{key}\r\n",
    "HTTP/1.1 200 OK\r\nContent-Encoding: {key}\r\n\r\nabc",
)  # fmt: skip


class Variables(dict):
    """The caller's variables; that the caller's own frames show them is not llmkit's doing."""

    __repr__ = object.__repr__


def kit_of(fakes, **options):
    urls = {f"LLMKIT_{name.upper()}_BASE_URL": fakes.base_url(name) for name in PREFIXES}
    keys = dict.fromkeys(KEY_VARS.values(), fakes.key)
    return Kit(environ=Variables({**urls, **keys}), retries=0, sign_in_delay_s=0.0, **options)


def echo(fakes):
    body = json.dumps({"error": {"message": f"bad {fakes.key}", "code": fakes.key}}).encode()
    return Reply(401, (body,), {"content-type": "application/json", "x-request-id": fakes.key})


def with_kit(fakes, provider, reply, act):
    fakes.reset()
    fakes.answer(provider, reply)
    kit = kit_of(fakes)
    try:
        act(kit)
    finally:
        kit.close()


def ask(fakes, provider, reply):
    def act(kit):
        request, options = chat_arguments("hi", MODELS[provider])
        try:
            kit.manager.run(kit.answer(request, options))
        except CallError as error:
            raise_unless_expected(error)

    with_kit(fakes, provider, reply, act)


def raise_unless_expected(error):
    if error.status != 401:
        raise error


def check_and_refresh(fakes, provider):
    def act(kit):
        kit.manager.run(kit.check(provider))
        kit.manager.run(kit.refresh(provider))

    with_kit(fakes, provider, Reply(503, (fakes.key.encode(),)), act)


def calls(fakes):
    halves = fakes.key[:15], f"{fakes.key[15:]} indeed"
    return {
        "an answer": partial(
            ask, fakes, "google", saying("google", f"it is {halves[0]}", halves[1])
        ),
        "an error": partial(ask, fakes, "openai", echo(fakes)),
        "an answer by another dialect": partial(
            ask, fakes, "anthropic", saying("anthropic", *halves)
        ),
        "a check and a list": partial(check_and_refresh, fakes, "mistral"),
    }


def leaks(key, action, *, ways=WAYS, kind=Struck, files=(), every=1, seen=()):
    """Returns the number of lines that were struck, and those that show the key, by way."""
    places = [p for p in lines_of(action) if p[0].startswith(files or "") and p not in seen]
    shown = []
    for place in places[::every]:
        error = struck_at(place, action, kind)
        if error is not None:
            shown += [(place, way.__name__) for way in ways if traces(key, way(error))]
    return places[::every], shown


@pytest.fixture(autouse=True)
def leftovers():
    yield
    for manager in living():  # the struck calls left their sessions open
        manager.close()
    for thing in gc.get_objects():
        if isinstance(thing, aiohttp.ClientSession) and not thing.closed:
            close_now(thing)
    gc.collect()  # while the marks above are in force


@pytest.fixture
def run(fakes):
    """Returns a comparison whose texts hold the key, as if they came before it was known."""
    kit = kit_of(fakes)
    key = fakes.key
    rows = compare(
        kit, f"is {key} a key?", MODELS["openai"], repeats=2, system=key, stop=[key]
    ).rows
    kit.close()
    first, second = (
        replace(row, completion=replace(row.completion, text=text, warnings=(key,)))
        for row, text in zip(rows, (f"It is **{key}**.\n\n# {key}", f"{key} is it"), strict=True)
    )
    return Comparison([replace(first, extra={"column": key}), second], {"key": key}, [key])


def views(run, folder):
    yield run._repr_html_
    yield partial(str, run)
    yield run.show(markdown=True)._repr_html_
    yield lambda: run.differences(0, 1)._repr_html_()
    yield lambda: str(run.differences(0, 1))
    for name in EXPORTS:
        yield getattr(run, name) if name == "frame" else partial(getattr(run, name), folder / name)


@pytest.mark.fault
def test_no_line_of_a_call_shows_a_key(fakes):
    """An error at each line of an answer, an error and a check that echo the key, all shown."""
    seen = set()
    for name, action in calls(fakes).items():
        places, shown = leaks(fakes.key, action, ways=(with_locals,), seen=seen)
        seen.update(places)
        assert shown == [], name
        print(f"{name}: 0 of {len(places)} lines")

    assert len(seen) > 1500


@pytest.mark.fault
def test_no_way_of_showing_shows_a_key(fakes, run, tmp_path):
    """The lines that touch keys, and those of all views and exports, in five ways of showing."""
    files = ("secret.py", "configuration/credentials.py", "providers/", "transport/", "cell.py")
    seen = set()
    actions = [*((action, files) for action in calls(fakes).values()),
               *((view, ()) for view in views(run, tmp_path))]  # fmt: skip
    for action, only in actions:
        places, shown = leaks(fakes.key, action, files=only, seen=seen)
        seen.update(places)
        assert shown == []
    print(f"0 of {len(seen)} lines in {len(WAYS)} of {len(WAYS)} ways")

    assert len(seen) > 269


def test_an_interrupted_view_or_call_shows_no_key(fakes, run, tmp_path):
    """A sample of the lines; the whole takes a minute and belongs to `make test-real`."""
    for view in (run._repr_html_, partial(run.to_json, tmp_path / "run.json")):
        places, shown = leaks(fakes.key, view, ways=WAYS[:3], kind=Interrupted, every=7)
        assert shown == []
        assert len(places) > 5
    secrets = ("secret.py", "configuration/credentials.py")
    action = calls(fakes)["an answer"]
    places, shown = leaks(fakes.key, action, ways=WAYS[:3], files=secrets, every=5)

    assert shown == []
    assert len(places) > 5


def used(fakes, act):
    """Returns an action that calls *act* with llmkit's functions using the fakes."""

    def action():
        fakes.reset()
        llmkit.kit._current = kit_of(fakes)
        try:
            act()
        finally:
            kit, llmkit.kit._current = llmkit.kit._current, None
            kit.close()

    return action


async def streamed(model):
    return [part async for part in llmkit.stream("hi", model)]


async def side_by_side(model):
    async with asyncio.TaskGroup() as group:
        group.create_task(llmkit.aask("hi", model))
        group.create_task(llmkit.acheck("openai"))


def in_session():
    with llmkit.session("openai"):
        pass
    llmkit.close("all")


def in_a_panel(fakes):
    """Types a key into the panel of keys, as its page or its password field does."""
    panel = AuthPanel(llmkit.kit._current)
    asyncio.run(panel._act("key", {"provider": "mistral", "key": fakes.key}))
    panel.close()


def refused(read, file):
    with pytest.raises(LlmkitError):
        read(file)


def damaged_file(folder):
    file = folder / "damaged.json"
    about = {"schema": "llmkit.comparison", "version": 1, "about": {}}
    file.write_text(json.dumps({**about, "rows": [{"run_id": 1}]}))
    return file


def test_no_error_of_a_public_function_has_variables(fakes, run, tmp_path):
    """Functions of a program, of tasks and of files."""
    model, file = MODELS["openai"], run.to_json(tmp_path / "run.json")
    damaged = damaged_file(tmp_path)
    actions = {
        "aask": used(fakes, lambda: asyncio.run(llmkit.aask("hi", model))),
        "acompare": used(fakes, lambda: asyncio.run(llmkit.acompare("hi", [model]))),
        "stream": used(fakes, lambda: asyncio.run(streamed(model))),
        "tasks": used(fakes, lambda: asyncio.run(side_by_side(model))),
        "check": used(fakes, lambda: llmkit.check("openai")),
        "auth": used(fakes, llmkit.auth),
        "session": used(fakes, in_session),
        "add_provider": used(fakes, lambda: llmkit.add_provider("lab", "https://lab.example/v1")),
        "why": used(fakes, lambda: llmkit.why("gpt-6-luna")),
        "load": lambda: load(file),
        "load a damaged file": partial(refused, load, damaged),
    }
    found = {}
    for name, action in actions.items():
        for place in [p for p in lines_of(action) if p[0] not in WRAPPERS][::41]:
            error = struck_at(place, action, Interrupted)
            if error is not None and variables(error):
                found[name, place] = variables(error)

    assert found == {}


def test_an_error_loses_its_variables_even_if_their_removal_is_interrupted(tmp_path):
    """At each line but the first and the last one of the removal, which nothing can catch."""
    action = partial(refused, load, damaged_file(tmp_path))
    places = [p for p in lines_of(action) if p[0] == "secret.py"]

    left = [p for p in places if variables(struck_at(p, action, Interrupted) or Struck())]

    assert len(places) > 20
    assert len(left) <= 2


# The oldest anywidget describes its traits in a way that traitlets deprecates.
@pytest.mark.filterwarnings("ignore:Deprecated in traitlets:DeprecationWarning")
def test_no_error_of_a_panel_shows_the_key_that_was_typed(fakes):
    """The page sends it as a word of an action."""
    action = used(fakes, lambda: in_a_panel(fakes))

    places, shown = leaks(
        fakes.key, action, ways=(with_locals,), kind=Interrupted, files=PANEL_FILES, every=5
    )

    assert shown == []
    assert len(places) > 5


@pytest.mark.parametrize("text", MALFORMED)
def test_malformed_http_that_echoes_the_key_is_not_repeated(fakes, text):
    """In the status line, a header or a chunk: neither our error nor its causes have it."""
    with raw.RawServer(raw.saying(text.format(key=fakes.key).encode())) as server:
        environ = {"OPENAI_API_KEY": fakes.key, "LLMKIT_OPENAI_BASE_URL": server.root}
        kit = Kit(environ=Variables(environ), retries=0, idle_timeout_s=20.0)
        with pytest.raises(LlmkitError) as raised:
            kit.manager.run(kit.answer(*chat_arguments("hi", MODELS["openai"])))
        kit.close()

    assert traces(fakes.key, *told(raised.value)) == []
    assert traces(fakes.key, *(way(raised.value) for way in WAYS)) == []


def test_the_sdks_own_client_shows_no_key(fakes):
    """Its HTTP library keeps all headers as bytes in its variables."""

    async def main():
        client = MistralClient(
            Secret(fakes.key), base_url="http://127.0.0.1:9", timeouts=Timeouts(connect_s=5.0)
        )
        try:
            client.sdk().models.list()
        except Exception as error:
            return error
        finally:
            await client.aclose()

    error = asyncio.run(main())

    assert error is not None
    assert traces(fakes.key, *(way(error) for way in WAYS)) == []


@pytest.mark.parametrize("timeout", [None, 5.0])
def test_an_interrupt_before_the_start_closes_the_coroutine(timeout):
    """Else Python warns later that it was never awaited. From the start on, its task owns it."""
    manager, made = EventLoopManager(), []

    async def work():
        pass

    def wait():
        made.append(work())
        manager.run(made[-1], timeout)

    wait()
    code, first = inspect.getsourcelines(StoppableTask.__init__)
    start = next(first + n for n, line in enumerate(code) if "create_task" in line)
    places = lines_of(wait)
    before = places[: places.index(("runtime/interrupt.py", start))]
    open_ones = []
    for place in before:
        struck_at(place, wait, KeyboardInterrupt)
        if inspect.getcoroutinestate(made[-1]) == inspect.CORO_CREATED:
            made[-1].close()
            open_ones.append(place)
    manager.close()

    assert len(before) > 20
    # At the first lines of `run`, nothing of llmkit can close it.
    assert {file for file, _ in open_ones} <= {"runtime/manager.py", "runtime/loop.py"}
    assert len(open_ones) <= 3, open_ones


def test_a_traceback_keeps_files_lines_and_functions():
    """Without them, a report of a bug would be of no use."""

    async def fails():
        word = "a local"
        return word / 2

    error = struck_by(hides_locals(fails))

    trace = traceback.extract_tb(error.__traceback__)[-1]
    assert (trace.name, trace.filename, trace.line) == ("fails", __file__, "return word / 2")
    assert "a local" not in with_locals(error)


def struck_by(function):
    try:
        function().send(None)
    except TypeError as error:
        return error


def test_causes_groups_and_cycles_lose_their_variables_too():
    """Each error is visited once, however they refer to each other."""
    inner, outer = ValueError("inner"), ExceptionGroup("outer", [KeyError("part")])
    inner.__context__, outer.__cause__ = outer, inner

    assert without_locals(outer) is outer


def test_the_frames_of_the_users_program_keep_their_variables():
    """A user debugs a callback of his own with its variables."""
    scope = {"__name__": "__main__"}
    exec("def callback():\n    mine = 'visible'\n    raise KeyError('a bug')", scope)
    try:
        scope["callback"]()
    except KeyError as error:
        shown = with_locals(without_locals(error))

    assert "'visible'" in shown
