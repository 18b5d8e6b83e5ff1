"""The contract of every provider, for any dialect."""

from __future__ import annotations

import copy
import json
from collections import defaultdict
from dataclasses import replace
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from llmkit.errors import (
    AuthenticationError,
    BadResponseError,
    ConfigError,
    ContextLengthExceededError,
    InsufficientFundsError,
    ModelNotFoundError,
    Outcome,
    PermissionDeniedError,
    ProviderError,
    RateLimitError,
    ServerError,
)
from llmkit.providers.builtin import PROVIDERS
from llmkit.secret import Secret
from llmkit.types import Completion, Message, Prompt, Status
from llmkit.wire.messages import HttpResponse

DATA = Path(__file__).parents[1] / "data"
SAME_DIALECT = {"scripted": "local"}
# One that accepts sampling parameters and one that does not, if a provider has both.
MODELS = defaultdict(lambda: ("any-model",)) | {
    "openai": ("gpt-4o", "gpt-6-luna"),
    "anthropic": ("claude-haiku-4-5", "claude-haiku-5-5"),
    "google": ("gemini-2.5-flash", "gemini-3.8-flash"),
    "mistral": ("mistral-small-latest",),
    "openrouter": ("openai/gpt-5.4-mini",),
    "ollama": ("llama3.2:1b",),
    "local": ("smollm2",),
    "scripted": ("echo",),
}
CASES = [(name, model) for name in PROVIDERS for model in MODELS[name]]
KEY = "sk-canary-2f7c91d04b6e8a35"
PARAMETERS = {
    "temperature": 0.25,
    "top_p": 0.75,
    "max_tokens": 123,
    "stop": ("HALT-WORD",),
    "seed": 4711,
}
TURNS = ("First question", "First answer", "Second question")
TALK = Prompt(
    messages=(
        Message("user", TURNS[0]),
        Message("assistant", TURNS[1]),
        Message("user", TURNS[2]),
    ),
    system="Be brief",
)
# By the names in errors.json, which name the meaning of a refusal.
TABLE = {
    "401": AuthenticationError,
    "402": InsufficientFundsError,
    "403": PermissionDeniedError,
    "404": ModelNotFoundError,
    "429": RateLimitError,
    "500": ServerError,
    "503": ServerError,
    "400ctx": ContextLengthExceededError,
}
# The 403 in OpenRouter's file is its moderator's: its own tests cover it.
REFUSALS = [
    (provider, name)
    for provider in PROVIDERS
    for name in TABLE
    if (provider, name) != ("openrouter", "403")
]
ODD_BODIES = {
    "empty": b"",
    "page": b"<!DOCTYPE html><html><head><title>Bad Gateway</title></head><body>x</body></html>",
    "null": b"null",
    "number": b"7",
    "string": b'"sorry"',
    "array": b'["sorry", {"a": 1}]',
    "object": b"{}",
    "cut": b'{"choices": [{"mess',
    "latin-1": '{"text": "gr\xfc\xdfe"}'.encode("latin-1"),
    "utf-16": '{"error": "nope"}'.encode("utf-16"),
    "deep": b"[" * 5000 + b"]" * 5000,
    "lines": b"one\r\ntwo\x1b[31m\nthree" * 400,
}
ODD_VALUES = (None, [], {}, "", 0, -1, True, "odd", [None], [[]], {"a": {}}, 1.5, 10**30)
SSE_FORMS = {
    "crlf": lambda raw: raw.replace(b"\n", b"\r\n"),
    "cr": lambda raw: raw.replace(b"\n", b"\r"),
    "byte order mark": lambda raw: b"\xef\xbb\xbf" + raw,
    "no final blank line": lambda raw: raw.rstrip(b"\n"),
    "no space after the colon": lambda raw: raw.replace(b"data: ", b"data:"),
    "comments": lambda raw: b": hello\n\n" + raw.replace(b"\n\n", b"\n\n: still here\n\n"),
    "ids": lambda raw: b"retry: 5\nid: 1\n\n" + raw.replace(b"data: ", b"id: 7\ndata: "),
}  # fmt: skip


@pytest.fixture(params=list(PROVIDERS))
def provider(request):
    return PROVIDERS[request.param]()


def folder(provider) -> Path:
    return DATA / SAME_DIALECT.get(provider.name, provider.name)


def stream_of(provider, name: str = "stream") -> bytes:
    (path,) = (p for p in folder(provider).iterdir() if p.stem == name and p.suffix != ".json")
    return path.read_bytes()


def whole(provider) -> HttpResponse:
    return HttpResponse(200, {}, (folder(provider) / "chat.json").read_bytes())


def refusal(provider, name: str) -> HttpResponse:
    rows = json.loads((folder(provider) / "errors.json").read_text())
    if name in rows:
        row = rows[name]
        return HttpResponse(row["status"], row.get("headers", {}), json.dumps(row["body"]).encode())
    return HttpResponse(int(name[:3]), {}, b'{"error": {"message": "no"}}')


def request_of(provider, model: str, prompt: Prompt = TALK, *, stream: bool = False):
    fitted = provider.fit(prompt, model).prompt
    return provider.chat_request(fitted, model=model, key=Secret(KEY), stream=stream)


def streamed(provider, *pieces: bytes) -> tuple[str, Completion]:
    """Returns the joined deltas and the answer of a stream in *pieces*."""
    parser = provider.stream_parser()
    deltas = [parser.feed(piece) for piece in pieces]
    return "".join(delta.text for delta in deltas if delta), parser.end()


def cut_every(raw: bytes, size: int) -> list[bytes]:
    return [raw[at : at + size] for at in range(0, len(raw), size)]


def events_of(provider, raw: bytes) -> list[bytes]:
    mark = b"\n" if raw.startswith(b"{") else b"\n\n"
    return [event + mark for event in raw.split(mark) if event.strip()]


def assert_is_one_honest_line(error: ProviderError) -> None:
    said = str(error)
    assert said.isprintable()
    assert len(said) < 500
    assert "<" not in said
    assert KEY not in repr((error, error.args, vars(error), said))


def variants(value: object, path: tuple = ()):
    """Yields every JSON that differs from *value* in one place, with an unexpected value there."""
    for odd in ODD_VALUES:
        yield path, odd
    if isinstance(value, dict | list):
        for name, child in value.items() if isinstance(value, dict) else enumerate(value):
            yield from variants(child, (*path, name))


def with_change(value: object, path: tuple, odd: object) -> object:
    if not path:
        return odd
    changed = copy.deepcopy(value)
    inner = changed
    for name in path[:-1]:
        inner = inner[name]
    inner[path[-1]] = odd
    return changed


def with_strangers(value: object) -> object:
    """Returns *value* with an unknown field in every object."""
    if isinstance(value, dict):
        return {k: with_strangers(v) for k, v in value.items()} | {"x_new": {"a": [1]}}
    return [with_strangers(item) for item in value] if isinstance(value, list) else value


def test_every_provider_has_its_fixtures(provider):
    """Each provider in the table has replies in the form of this file."""
    names = {path.stem for path in folder(provider).iterdir()}

    assert names >= {"chat", "stream", "stream_error", "models", "errors"}


@pytest.mark.parametrize(("name", "model"), CASES)
@pytest.mark.parametrize("stream", [False, True])
def test_the_conversation_is_sent_in_order_under_the_base_url(name, model, stream):
    """The system prompt and every turn are in the body, and in no other part of the request."""
    provider = PROVIDERS[name]()

    request = request_of(provider, model, stream=stream)

    sent = request.body.decode()
    assert request.method == "POST"
    assert request.stream is stream
    assert request.url.startswith(provider.base_url + "/")
    assert [sent.count(text) for text in (*TURNS, "Be brief")] == [1, 1, 1, 1]
    assert sorted(TURNS, key=sent.index) == list(TURNS)


@pytest.mark.parametrize(("name", "model"), CASES)
@pytest.mark.parametrize("parameter", PARAMETERS)
def test_no_parameter_disappears_silently(name, model, parameter):
    """A parameter is in the request, or the model cannot take it and it is listed."""
    provider = PROVIDERS[name]()
    value = PARAMETERS[parameter]

    fitted = provider.fit(replace(TALK, **{parameter: value}), model)
    sent = provider.chat_request(fitted.prompt, model=model, key=None).body.decode()

    shown = json.dumps(value[0] if parameter == "stop" else value)
    assert (shown in sent) is (parameter not in fitted.ignored)
    assert set(fitted.ignored) <= {parameter}


@pytest.mark.parametrize(("name", "model"), CASES)
def test_unset_parameters_are_not_sent(name, model):
    """A parameter that was not set keeps the provider's default: it is not in the body."""
    body = request_of(PROVIDERS[name](), model).body.decode().lower()

    assert [w for w in ("temperature", "top_p", "topp", "seed", "stop") if f'"{w}' in body] == []


def test_an_option_joins_the_body(provider):
    """An option in the provider's own form is sent unchanged."""
    prompt = replace(TALK, options=(("x_option", {"deep": [1, "ü"]}),))

    body = json.loads(request_of(provider, MODELS[provider.name][0], prompt).body)

    assert body["x_option"] == {"deep": [1, "ü"]}


def test_an_option_cannot_replace_the_conversation(provider):
    """The fields that llmkit sets are refused as options before anything is sent."""
    field = "contents" if provider.name == "google" else "messages"
    prompt = replace(TALK, options=((field, []),))

    with pytest.raises(ConfigError, match=field):
        request_of(provider, MODELS[provider.name][0], prompt)


def test_lone_surrogates_do_not_stop_a_request(provider):
    """A lone surrogate in a prompt is sent as U+FFFD."""
    request = request_of(provider, MODELS[provider.name][0], Prompt((Message("user", "a\ud83db"),)))

    assert "a\ufffdb" in request.body.decode()


def test_the_key_is_in_a_header_and_nowhere_else(provider):
    """The key is sent in one header, whose text is masked in every repr."""
    key = Secret(KEY)
    model = MODELS[provider.name][0]
    requests = (
        provider.chat_request(TALK, model=model, key=key),
        provider.chat_request(TALK, model=model, key=key, stream=True),
        provider.models_request(key),
        provider.key_request(key),
    )

    for request in requests:
        assert sum(KEY in value for value in request.headers.values()) == 1
        assert KEY not in request.url
        assert KEY not in request.body.decode()
        assert KEY not in repr((request, dict(request.headers), vars(provider)))


def test_no_key_means_no_key_header(provider):
    """Without a key a request lacks the header of the key."""
    with_key = set(provider.models_request(Secret(KEY)).headers)
    without_key = set(provider.models_request(None).headers)

    assert len(with_key - without_key) == 1


@pytest.mark.parametrize(
    "model",
    ["../../admin", "a/b/c", "m?key=1#f", "a b", "..", ".", "%2e%2e", "é🏞", "m\nHost: x", "http://evil.example/"],
)  # fmt: skip
@pytest.mark.parametrize("stream", [False, True])
def test_a_model_name_cannot_change_where_a_request_goes(provider, model, stream):
    """Host, path segments and query are those of an ordinary name, or nothing is sent."""
    plain = urlsplit(request_of(provider, "plain", stream=stream).url)
    try:
        request = request_of(provider, model, stream=stream)
    except ConfigError:
        return
    hostile = urlsplit(request.url)

    assert hostile[:2] == plain[:2]
    assert hostile.path.count("/") == plain.path.count("/")
    assert not {".", "..", ""} & set(hostile.path.split("/")[1:])
    assert hostile.query == plain.query
    assert hostile.fragment == ""
    assert request.url.isascii()
    assert request.url.isprintable()


def test_a_base_url_may_carry_a_path(provider):
    """The usual paths are appended to any base URL, without a doubled slash."""
    there = type(provider)("https://proxy.example/lab/")

    urls = [
        request_of(there, "plain").url,
        there.models_request(None).url,
        there.key_request(None).url,
    ]

    assert all(url.startswith("https://proxy.example/lab/") for url in urls)
    assert not any("//" in url.removeprefix("https://") for url in urls)


def test_a_whole_answer_is_read(provider):
    """Text, status, model and token counts are read from one JSON document."""
    answer = provider.parse_chat(whole(provider))

    assert answer.text
    assert answer.status is Status.COMPLETE
    assert (answer.finish_reason, answer.native_finish_reason is None) == ("stop", False)
    assert answer.response_model
    assert answer.warnings == ()
    assert answer.usage.input_tokens > 0
    assert answer.usage.output_tokens > 0


def test_a_stream_is_read(provider):
    """A stream gives deltas that add up to the text, and ends complete."""
    parser = provider.stream_parser()
    delta = parser.feed(stream_of(provider))

    answer = parser.end()
    assert (parser.finished, parser.error) == (True, None)
    assert (delta.text, delta.reasoning) == (answer.text, answer.reasoning)
    assert answer.text
    assert answer.status is Status.COMPLETE
    assert answer.warnings == ()
    assert answer.usage.output_tokens > 0


def test_a_stream_reads_the_same_under_every_cut(provider):
    """Two pieces cut at any byte, or many pieces of any size, give the same answer."""
    raw = stream_of(provider)
    expected = streamed(provider, raw)

    cuts = [[raw[:at], raw[at:]] for at in range(len(raw))]
    cuts += [cut_every(raw, size) for size in (*range(1, 18), 64, 255, 1000)]
    results = [streamed(provider, *pieces) for pieces in cuts]

    assert [pieces for pieces, got in zip(cuts, results, strict=True) if got != expected] == []


def test_a_cut_stream_is_never_complete_without_its_whole_text(provider):
    """A stream cut at any byte has the beginning of its text; complete means all of it."""
    raw = stream_of(provider)
    _, expected = streamed(provider, raw)

    answers = [streamed(provider, raw[:at])[1] for at in range(len(raw))]

    assert {a.status for a in answers} <= {Status.TRUNCATED, Status.COMPLETE}
    assert all(expected.text.startswith(a.text) for a in answers)
    assert {a.text for a in answers if a.status is Status.COMPLETE} <= {expected.text}
    assert answers[len(raw) // 2].status is Status.TRUNCATED


def test_two_interleaved_streams_do_not_mix(provider):
    """Two parsers of one provider object are independent."""
    raw = stream_of(provider)
    _, expected = streamed(provider, raw)
    first, second = provider.stream_parser(), provider.stream_parser()
    before = dict(vars(provider))

    for piece in cut_every(raw, 50):
        first.feed(piece)
        second.feed(piece)

    assert (first.end(), second.end()) == (expected, expected)
    assert vars(provider) == before


def test_what_comes_after_the_end_is_ignored(provider):
    """A second answer after the first has no effect, unless only the body ends the stream."""
    raw = stream_of(provider)
    expected = streamed(provider, raw)
    if provider.stream_parser().ends_with_body:
        assert streamed(provider, raw, raw)[1].text == 2 * expected[1].text
        return

    assert streamed(provider, raw, raw) == expected
    assert streamed(provider, raw + raw) == expected


def test_the_end_can_be_asked_for_twice(provider):
    """A second call returns the same answer, and a late piece changes nothing."""
    parser = provider.stream_parser()
    parser.feed(stream_of(provider)[:-40])

    first = parser.end()
    parser.feed(stream_of(provider))

    assert parser.end() == first


def test_a_missing_end_mark_is_only_a_warning(provider):
    """If a mark should follow the finish reason, its absence is a warning of a complete answer."""
    *kept, last = events_of(provider, stream_of(provider))
    parser = provider.stream_parser()
    for event in kept:
        parser.feed(event)

    answer = parser.end()
    if parser.finished:
        assert answer.status is Status.COMPLETE
        assert [w for w in answer.warnings if "mark" in w] == list(answer.warnings) != []
    else:
        assert answer.status is Status.TRUNCATED
        assert last  # it contained the finish reason


def test_an_error_event_ends_a_stream_and_keeps_its_text(provider):
    """The provider's error becomes llmkit's, and the text before it is kept."""
    parser = provider.stream_parser()
    parser.feed(stream_of(provider, "stream_error"))

    answer = parser.end()
    assert isinstance(parser.error, ProviderError)
    assert_is_one_honest_line(parser.error)
    assert parser.done is True
    assert streamed(provider, stream_of(provider))[0].startswith(answer.text)
    assert answer.text
    assert answer.status is Status.ERROR


@pytest.mark.parametrize("junk", [b'{"cut', b"<html><body>Bad gateway</body></html>", b"[1, 2]"])
def test_garbage_where_an_event_should_be_keeps_the_text(provider, junk):
    """An event that is not a JSON object is a protocol error; the text before it is kept."""
    raw = stream_of(provider)
    kept = b"".join(events_of(provider, raw)[:-2])
    junk_event = junk + b"\n" if raw.startswith(b"{") else b"data: " + junk + b"\n\n"
    expected, _ = streamed(provider, kept)

    parser = provider.stream_parser()
    parser.feed(kept)
    parser.feed(junk_event)

    assert isinstance(parser.error, BadResponseError)
    assert_is_one_honest_line(parser.error)
    assert parser.end().text == expected


def test_bytes_that_are_not_utf_8_are_replaced_and_flagged(provider):
    """One invalid byte costs one character, and a warning reports it."""
    raw = stream_of(provider)
    _, expected = streamed(provider, raw)
    begins = expected.text[:5]
    broken = raw.replace(begins.encode(), begins[:3].encode() + b"\xff" + begins[4:].encode(), 1)

    _, answer = streamed(provider, broken)

    assert answer.text == expected.text[:3] + "\ufffd" + expected.text[4:]
    assert answer.status is Status.COMPLETE
    assert any("UTF-8" in warning for warning in answer.warnings)


@pytest.mark.parametrize("form", SSE_FORMS)
@pytest.mark.parametrize("name", [name for name in PROVIDERS if name != "ollama"])
def test_an_event_stream_may_be_written_in_any_form(name, form):
    """Line ends, marks and fields that the standard allows have no effect."""
    provider = PROVIDERS[name]()
    raw = stream_of(provider)
    _, expected = streamed(provider, raw)

    _, answer = streamed(provider, SSE_FORMS[form](raw))

    assert replace(answer, warnings=()) == expected


def test_unknown_fields_are_tolerated(provider):
    """A new field in any object has no effect, in a whole answer and in a stream."""
    body = with_strangers(whole(provider).json())
    raw = stream_of(provider)
    events = [
        event.replace(line, json.dumps(with_strangers(json.loads(line))).encode())
        for event in events_of(provider, raw)
        for line in [event[event.find(b"{") : event.rfind(b"}") + 1]]
        if line
    ]
    rest = b"" if raw.startswith(b"{") else b"data: [DONE]\n\n"

    assert provider.parse_chat(
        HttpResponse(200, {}, json.dumps(body).encode())
    ) == provider.parse_chat(whole(provider))
    assert streamed(provider, b"".join(events) + rest) == streamed(provider, raw)


def test_odd_shapes_in_a_whole_answer_are_read_or_refused(provider):
    """An unexpected value in one place of an answer is read, or raises an error of llmkit."""
    body = whole(provider).json()
    crashes = []

    for path, odd in variants(body):
        sent = json.dumps(with_change(body, path, odd)).encode()
        try:
            provider.parse_chat(HttpResponse(200, {}, sent))
        except ProviderError as error:
            assert_is_one_honest_line(error)
        except Exception as error:
            crashes.append((path, odd, error))

    assert crashes == []


def test_odd_shapes_in_a_stream_never_raise(provider):
    """An unexpected value in one place of one event does not make feeding raise."""
    crashes, shapes = [], set()

    for event in events_of(provider, stream_of(provider)):
        line = event[event.find(b"{") : event.rfind(b"}") + 1] or b"{}"
        changes = list(variants(json.loads(line)))
        shape = tuple(path for path, _ in changes)
        for path, odd in changes if shape not in shapes else ():
            changed = json.dumps(with_change(json.loads(line), path, odd)).encode()
            try:
                streamed(provider, event.replace(line, changed))
            except Exception as error:
                crashes.append((line, path, odd, error))
        shapes.add(shape)

    assert crashes == []


@pytest.mark.parametrize(("name", "row"), REFUSALS)
def test_a_refusal_has_its_class_and_says_who_and_what(name, row):
    """The class follows the table; the message names the provider, the status and a next step."""
    provider = PROVIDERS[name]()
    response = refusal(provider, row)

    error = provider.error_from(response)

    assert type(error) is TABLE[row]
    assert (error.provider, error.status) == (provider.name, response.status)
    assert error.outcome is (Outcome.REFUSED if error.retryable else Outcome.FINAL)
    assert error.possibly_billed is (provider.facts.paid and response.status == 500)
    assert str(error).startswith(f"{provider.name} ")
    assert f"({response.status})" in str(error)
    assert "; " in str(error)
    assert_is_one_honest_line(error)


def test_a_refused_key_says_where_the_key_comes_from(provider):
    """The next step after a refused key names the variable to check."""
    said = str(provider.error_from(refusal(provider, "401")))

    assert (" or ".join(provider.key_vars) or "the key") in said


@pytest.mark.parametrize("body", ODD_BODIES.values(), ids=ODD_BODIES)
def test_a_refusal_with_an_odd_body_is_one_honest_line(provider, body):
    """Pages, empty bodies, lists and binary give one short line without markup."""
    statuses = (302, 400, 401, 403, 404, 418, 429, 500, 502, 529)

    errors = [provider.error_from(HttpResponse(status, {}, body)) for status in statuses]

    assert [(e.provider, e.status) for e in errors] == [(provider.name, s) for s in statuses]
    for error in errors:
        assert_is_one_honest_line(error)


@pytest.mark.parametrize("body", ODD_BODIES.values(), ids=ODD_BODIES)
def test_a_success_with_an_odd_body_is_refused(provider, body):
    """A 200 without an answer is an error, never an empty success."""
    with pytest.raises(ProviderError) as caught:
        provider.parse_chat(HttpResponse(200, {}, body))

    assert_is_one_honest_line(caught.value)


def test_an_error_in_a_200_is_an_error(provider):
    """A success status with an error body raises that error."""
    response = refusal(provider, "401" if provider.name == "openrouter" else "500")

    with pytest.raises(ProviderError) as caught:
        provider.parse_chat(HttpResponse(200, {}, response.body))

    assert_is_one_honest_line(caught.value)


def test_an_echoed_key_is_masked(provider):
    """A key that a provider repeats is not in llmkit's error."""
    Secret(KEY)
    body = refusal(provider, "401").body.replace(b'message": "', b'message": "' + KEY.encode())
    echoed = [
        provider.error_from(HttpResponse(401, {}, body)),
        provider.error_from(HttpResponse(401, {}, f'{{"error": "bad {KEY}"}}'.encode())),
        provider.error_from(HttpResponse(500, {}, f"<html>{KEY * 20}</html>".encode())),
        provider.error_from(HttpResponse(400, {}, f'{{"error": {{"code": "{KEY}"}}}}'.encode())),
    ]

    for error in echoed:
        assert_is_one_honest_line(error)


def test_the_models_are_listed(provider):
    """The ids of a page of models can be requested."""
    raw = (folder(provider) / "models.json").read_bytes()

    page = provider.parse_models(HttpResponse(200, {}, raw))

    assert page.models
    assert {model.provider for model in page.models} == {provider.name}
    assert all(model.id and "models/" not in model.id for model in page.models)


@pytest.mark.parametrize("body", ODD_BODIES.values(), ids=ODD_BODIES)
def test_an_odd_list_of_models_is_refused_or_empty(provider, body):
    """A body that is not a list of models raises an error of llmkit."""
    try:
        page = provider.parse_models(HttpResponse(200, {}, body))
    except ProviderError as error:
        assert_is_one_honest_line(error)
    else:
        assert page.models == ()


def test_odd_shapes_in_a_list_of_models_are_read_or_refused(provider):
    """An unexpected value in one place of a list leaves the rest of it readable."""
    body = json.loads((folder(provider) / "models.json").read_text())
    crashes = []

    for path, odd in variants(body):
        sent = json.dumps(with_change(body, path, odd)).encode()
        try:
            provider.parse_models(HttpResponse(200, {}, sent))
        except ProviderError:
            continue
        except Exception as error:
            crashes.append((path, odd, error))

    assert crashes == []


def test_the_key_is_proved_without_a_bill(provider):
    """The request that checks a key generates nothing."""
    request = provider.key_request(Secret(KEY))

    assert (request.method, request.body, request.stream) == ("GET", b"", False)
    assert request.url.startswith(provider.base_url + "/")
