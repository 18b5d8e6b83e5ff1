"""A key is in nothing that llmkit shows, raises, logs or writes (S1, S2)."""

from __future__ import annotations

import asyncio
import copy
import json
import logging
import pickle
import re
import traceback
import zipfile
from dataclasses import replace

import pytest

from llmkit.chat.arguments import chat_arguments
from llmkit.comparison.arguments import comparison_arguments
from llmkit.errors import CallError, LlmkitError
from llmkit.kit import Kit
from llmkit.reports import AuthReport, LiveModels, Sessions
from llmkit.types import Status, ToolCall
from tests.fakes.misbehaviour import failing_after, saying
from tests.fakes.reply import DATA, Reply, stream
from tests.fakes.server import PREFIXES
from tests.ours import awaited
from tests.patience import NEVER_S
from tests.unit.test_tool_calls import DOCUMENTS

from .canary import traces

KEY_VARS = {
    "openai": "OPENAI_API_KEY", "anthropic": "ANTHROPIC_API_KEY", "google": "GEMINI_API_KEY",
    "mistral": "MISTRAL_API_KEY", "openrouter": "OPENROUTER_API_KEY",
}  # fmt: skip
MODELS = {
    "openai": "openai:gpt-6-luna", "anthropic": "anthropic:claude-haiku-5-5",
    "google": "google:gemini-3.5-flash-lite", "mistral": "mistral:mistral-small-latest",
    "openrouter": "openrouter:openai/gpt-6-luna", "ollama": "ollama:llama3.2:1b",
}  # fmt: skip
REFUSED = (TypeError, AttributeError, pickle.PicklingError)
EACH_PROVIDER = pytest.mark.parametrize("provider", sorted(PREFIXES))


@pytest.fixture
def kit(fakes):
    urls = {f"LLMKIT_{name.upper()}_BASE_URL": fakes.base_url(name) for name in PREFIXES}
    keys = dict.fromkeys(KEY_VARS.values(), fakes.key)
    made = Kit(environ={**urls, **keys}, retries=0, sign_in_delay_s=0.0)
    for name in KEY_VARS:  # Ollama's server repeats a key that only the others were sent
        made.credentials.find(made.registry.provider(name))
    yield made
    made.close()


def compare(kit, *asked, **more):
    compared = comparison_arguments(*asked, **more)
    return kit.manager.run(kit.compare(compared.requests, compared.options))


def raised(kit, model):
    request, options = chat_arguments("hi", model)
    with pytest.raises(CallError) as caught:
        kit.manager.run(kit.answer(request, options))
    return caught.value


def told(error):
    """Returns the contents of an error and its causes: text, arguments, attributes, notes."""
    said = []
    for link in chain(error):
        said += [str(link), repr(link), repr(link.args), repr(getattr(link, "__dict__", {}))]
        said += getattr(link, "__notes__", [])
    return said


def frames(error):
    """Returns the frames of an error and its causes with local variables, without the tests'."""
    for link in chain(error):
        shown = [
            (frame, line)
            for frame, line in traceback.walk_tb(link.__traceback__)
            if not str(frame.f_globals.get("__name__")).startswith("tests.")
        ]
        stack = traceback.StackSummary.extract(iter(shown), capture_locals=True)
        yield from (repr(f.locals) for f in stack)


def echoing(body, key):
    """Returns a list of models in which every id, name and alias ends with the key."""
    if isinstance(body, dict):
        names = ("id", "name", "model", "displayName", "display_name", "canonical_slug")
        return {n: f"{v}-{key}" if n in names and v else echoing(v, key) for n, v in body.items()}
    if isinstance(body, list):
        return [f"{part}-{key}" if isinstance(part, str) else echoing(part, key) for part in body]
    return body


def chain(error):
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__


def test_the_canary_finds_what_it_looks_for(tmp_path, fakes):
    """The search finds a planted key, so that an empty result is evidence."""
    body = fakes.key.removeprefix("sk-fake-")
    (tmp_path / "two-bytes").write_bytes(f"x{fakes.key}".encode("utf-16-le"))

    assert traces(fakes.key, "sk-fake-", "nothing") == []
    for place in (body[3:11], f"<{fakes.key}>", {"k": fakes.key}, fakes.key.encode(), tmp_path):
        assert traces(fakes.key, place) != []


def test_no_object_that_a_person_holds_shows_a_key(fakes, kit):
    """repr, str and vars of the kit, its parts, its reports and its answers do not contain it."""
    run = compare(kit, "hi", list(MODELS.values()))
    report = AuthReport.of(kit.manager.run(kit.check_all()))
    held = [kit, kit.registry, kit.credentials, kit.checks, kit.manager, kit.manager.registry,
            kit.settings, run, report, Sessions.of(kit.manager.sessions()), *run.rows, *report.rows,
            *(s.resource for s in kit.manager.registry.open_sessions())]  # fmt: skip
    held += [part for thing in held for part in getattr(thing, "__dict__", {}).values()]

    assert {row.completion.status for row in run.rows} == {Status.COMPLETE}
    assert traces(fakes.key, *(f"{thing!r} {thing!s}" for thing in held)) == []
    assert traces(fakes.key, *(vars(thing) for thing in held if hasattr(thing, "__dict__"))) == []


def test_neither_a_pickle_nor_a_copy_holds_a_key(fakes, kit):
    """Answers may be pickled and copied; objects that hold a key refuse."""
    run = compare(kit, "hi", MODELS["openai"])
    found = kit.credentials.find(kit.registry.provider("openai"))
    kit.credentials.type_in("openai", fakes.key)
    request = kit.registry.provider("openai").key_request(found.key)

    assert traces(fakes.key, pickle.dumps(run), pickle.dumps(kit.settings)) == []
    for holder in (found, request, kit.credentials):
        for attempt in (pickle.dumps, copy.deepcopy):
            with pytest.raises(REFUSED):
                attempt(holder)


@EACH_PROVIDER
@pytest.mark.parametrize("status", [200, 307, 400, 401, 402, 403, 404, 429, 500])
def test_a_server_that_echoes_the_key_is_not_repeated(fakes, kit, provider, status, caplog):
    """Whole, cut, in a header, in an address: no piece of it is in the error or in a log."""
    key = fakes.key
    words = f"bad key {key}, Bearer {key}, {key[10:30]}, https://x/?key={key}"
    body = {"error": {"message": words, "type": key, "code": status, "status": words}}
    headers = {"content-type": "application/json", "x-request-id": key, "request-id": key,
               "location": f"https://elsewhere.invalid/?key={key}"}  # fmt: skip
    fakes.always(provider, Reply(status, (json.dumps(body).encode(),), headers))
    kit.configure(max_pause_s=0)  # a row does not wait until a rate limit ends
    with caplog.at_level(logging.DEBUG):
        error = raised(kit, MODELS[provider])
        checked = kit.manager.run(kit.check(provider))
        row = compare(kit, "hi", MODELS[provider]).rows[0]

    assert traces(key, *told(error), error.request_id, error.code, error.completion) == []
    # The HTTP library below Mistral's SDK writes all received headers to its own debug log.
    records = [r for r in caplog.records if not r.name.startswith("httpcore")]
    report = AuthReport.of([checked])
    assert traces(key, report.frame().to_csv(), report._repr_html_(), str(report)) == []
    assert traces(key, checked, row, *(repr(vars(r)) for r in records)) == []
    assert str(error).count("\n") == 0
    assert len(str(error)) < 500


@EACH_PROVIDER
def test_a_key_inside_an_answer_is_masked_across_deltas(fakes, kit, provider):
    """An answer is exact except for the key; no delta, row, table or file has a piece of it."""
    key = fakes.key
    for cut in (3, 9, 20, len(key) - 1):
        fakes.answer(provider, saying(provider, f"A river is {key[:cut]}", f"{key[cut:]} and more"))
        seen = []

        async def collect(into=seen):
            async for part in kit.stream(*chat_arguments("hi", MODELS[provider])):
                into.append(part)

        kit.manager.run(collect())
        *deltas, end = seen
        assert end.completion.text == "A river is *** and more"
        assert traces(key, "".join(d.text for d in deltas), *deltas, end) == []


@pytest.mark.parametrize("provider", sorted(DOCUMENTS))
def test_a_key_in_the_call_of_a_tool_is_masked(fakes, kit, provider, tmp_path):
    """A model repeats the key as name, argument or id of a call: no row or file contains it."""
    key = fakes.key
    # In one pass: a key of random letters may itself contain one of the words.
    body = re.sub(r"weather|Gen\\u00e8ve|\bc1\b", key, json.dumps(DOCUMENTS[provider]))
    reply = Reply(pieces=(body.encode(),), headers={"content-type": "application/json"})
    fakes.always(provider, reply)

    run = compare(kit, "hi", MODELS[provider])
    run.to_json(tmp_path / "run.json")

    (row,) = run.rows
    assert [call.name for call in row.completion.tool_calls] == ["***", "clock"]
    assert "***" in row.completion.tool_calls[0].arguments
    assert traces(key, row, run, tmp_path) == []


def test_a_key_in_the_call_of_a_tool_is_masked_across_events(fakes, kit):
    """The arguments of a streamed call arrive in pieces, which may split the key."""
    key = fakes.key
    whole = saying("openai", "A river")
    spoken = next(i for i, piece in enumerate(whole.pieces) if b"A river" in piece)
    calls = (
        {"index": 0, "id": key, "function": {"name": key, "arguments": f'{{"to": "{key[:12]}'}},
        {"index": 0, "function": {"arguments": f'{key[12:]}"}}'}},
    )
    events = (
        f"data: {json.dumps({'choices': [{'index': 0, 'delta': {'tool_calls': [call]}}]})}\n\n"
        for call in calls
    )
    pieces = (*whole.pieces[: spoken + 1], *(event.encode() for event in events),
              *whole.pieces[spoken + 1 :])  # fmt: skip
    fakes.answer("openai", replace(whole, pieces=pieces))

    row = compare(kit, "hi", MODELS["openai"]).rows[0]

    assert row.completion.tool_calls == (ToolCall("***", '{"to": "***"}', "***"),)


@EACH_PROVIDER
def test_a_list_of_models_that_echoes_the_key_is_not_repeated(fakes, kit, provider, tmp_path):
    """In ids, names and aliases: no value, frame, view or cached file contains it."""
    key = fakes.key
    body = json.loads((DATA / provider / "models.json").read_text("utf-8"))
    last_page = {n: v for n, v in body.items() if n not in ("nextPageToken", "has_more", "links")}
    told = json.dumps(echoing(last_page, key)).encode()
    fakes.always(provider, Reply(pieces=(told,), headers={"content-type": "application/json"}))
    kit.configure(cache_dir=str(tmp_path))

    listing = kit.manager.run(kit.refresh(provider))

    report = LiveModels.of(listing.models)
    assert "***" in str(listing.models)
    assert traces(key, listing, report.frame().to_csv(), report, report._repr_html_()) == []
    assert traces(key, tmp_path) == []


@EACH_PROVIDER
def test_a_stream_that_is_cut_inside_of_a_key_shows_no_half_of_it(fakes, kit, provider):
    """The received text is kept, and the beginning of the key at its end is masked."""
    key = fakes.key
    fakes.answer(provider, failing_after(provider, f"A river {key[: len(key) - 3]}"))

    error = raised(kit, MODELS[provider])

    assert error.completion.text == "A river ***"
    assert traces(key, *told(error)) == []


def test_no_file_that_is_written_has_a_key(fakes, kit, tmp_path):
    """Files of every format, of answers and errors that echo it in every place."""
    key = fakes.key
    body = json.dumps({"error": {"message": key, "type": key, "code": key}}).encode()
    fakes.answer("openai", saying("openai", f"A river {key}"), Reply(400, (body,)))
    run = compare(kit, f"is {key} a key?", MODELS["openai"], repeats=2, system=f"not {key}",
                  stop=[key])  # fmt: skip
    run.to_json(tmp_path / "run.json")
    run.to_csv(tmp_path / "run.csv")
    zipfile.ZipFile(run.to_excel(tmp_path / "run.xlsx")).extractall(tmp_path / "xlsx")
    run.to_parquet(tmp_path / "run.parquet")
    run.to_html(tmp_path / "run.html")

    assert traces(key, tmp_path) == []
    assert traces(key, str(run), run._repr_html_(), run.show(markdown=True)._repr_html_()) == []


def test_no_log_at_any_level_has_a_key(fakes, kit, caplog):
    """All logs of llmkit, aiohttp, asyncio and httpx2, with retries and failures."""
    fakes.answer("openai", Reply(503, (b"busy",)), Reply(ending="reset", answered=False))
    fakes.answer("mistral", Reply(503, (b"busy",)), stream("mistral"))
    kit.configure(retries=1)
    names = ("llmkit", "aiohttp", "asyncio", "httpx2", "httpcore2", "mistralai")
    with caplog.at_level(logging.DEBUG):
        for name in names:
            logging.getLogger(name).setLevel(logging.DEBUG)
        try:
            compare(kit, "hi", [MODELS["openai"], MODELS["google"]], repeats=2)
            kit.manager.run(kit.check_all())
            kit.manager.run(kit.refresh("anthropic"))
        finally:
            for name in names:
                logging.getLogger(name).setLevel(logging.NOTSET)

    assert caplog.records
    assert traces(fakes.key, caplog.text, *(repr(vars(r)) for r in caplog.records)) == []


def test_an_interrupted_call_shows_no_key_in_its_frames(fakes, kit):
    """A traceback with every local variable of every frame, in the middle of a request."""
    for provider in ("openai", "mistral"):
        fakes.answer(provider, Reply(headers_after_s=NEVER_S))

        async def halfway(provider=provider):
            task = asyncio.create_task(kit.check(provider))
            while not fakes.asked[provider]:
                await asyncio.sleep(0.01)
            frames = [frame.f_locals for _, frame in awaited(task) if frame is not None]
            shown = [repr(value) for local in frames for value in local.values()]
            task.cancel()
            await asyncio.wait({task})
            return len(frames), shown

        depth, shown = kit.manager.run(halfway())
        assert depth > 3
        assert traces(fakes.key, *shown) == []


def test_errors_before_any_request_show_no_key(fakes):
    """A key in the wrong place, such as the base URL or a setting, is not repeated."""
    stranger = "sk-proj-aB3dE6gH9jK2mN5pQ8sT1vW4"
    kit = Kit(environ={"OPENAI_API_KEY": fakes.key})
    wrong = (
        {"base_urls": {"openai": stranger}},
        {"base_urls": {"openai": f"https://user:{stranger}@host/v1"}},
        {"retries": stranger},
        {"openai_api_key": stranger},
    )

    def asked(settings):
        kit.configure(**settings)
        kit.manager.run(kit.refresh("openai"))

    try:
        for settings in wrong:
            with pytest.raises(LlmkitError) as caught:
                asked(settings)
            assert traces(stranger, str(caught.value), repr(caught.value)) == []
    finally:
        kit.close()
