"""Values that no server should send: each is an answer or an error of llmkit, never a crash."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path

import pytest

from llmkit.catalogue import lifecycle, listing
from llmkit.catalogue.entry import LONGEST_CHAIN, Model
from llmkit.catalogue.names import close_to
from llmkit.catalogue.provider_lists import ProviderModelList, with_lists
from llmkit.errors import LlmkitError
from llmkit.providers.anthropic import generation
from llmkit.providers.builtin import PROVIDERS, shipped
from llmkit.providers.google import takes_sampling
from llmkit.providers.stream_parser import LONGEST_NAME
from llmkit.types import Lifecycle
from llmkit.wire.messages import HttpResponse, as_int
from llmkit.wire.retry_hints import retry_after

DATA = Path(__file__).parents[1] / "data"
DIALECTS = sorted(folder.name for folder in DATA.iterdir() if folder.is_dir())
NOW = datetime(2026, 11, 30, tzinfo=UTC)
MARK = "@@"
VALUES = (
    "9" * 4000, "1e400", r'"\ud800"', f'"{"9" * 5000}"', "[[1]]", "{}", '"http://["',
)  # fmt: skip
# About as deep as the reader of JSON accepts: a second walk starts deeper, and would fail.
DEEP = tuple(f"{'[' * n}{']' * n}" for n in range(955, 985, 5))


def with_mark(value):
    """Yields copies of *value*, each with the mark instead of one of the values in it."""
    yield MARK
    items = value.items() if isinstance(value, dict) else []
    if isinstance(value, list):
        items = list(enumerate(value))[:1]
    for key, item in items:
        for marked in with_mark(item):
            copied = dict(value) if isinstance(value, dict) else list(value)
            copied[key] = marked
            yield copied


def bodies(document, values):
    """Yields *document* with each value in each place."""
    for marked in with_mark(document):
        text = json.dumps(marked)
        for value in values:
            yield text.replace(f'"{MARK}"', value).encode()


def recorded(dialect, name):
    """Returns the document in a file, or the first one of a stream or a table of errors."""
    text = next((DATA / dialect).glob(f"{name}.*")).read_text(encoding="utf-8")
    if name == "stream":
        line = next(line for line in text.split("\n") if "text" in line or "content" in line)
        return json.loads(line.removeprefix("data: "))
    document = json.loads(text)
    first = next(iter(document.values())) if name == "errors" else document
    return first.get("body", first) if name == "errors" else first


def readings(provider, dialect):
    """Yields functions that read the recorded replies with hostile values in them."""
    for body in bodies(recorded(dialect, "errors"), VALUES + DEEP):
        yield partial(provider.error_from, HttpResponse(429, {}, body))
        yield partial(provider.parse_chat, HttpResponse(200, {}, body))
        yield partial(retry_after, {}, body, now=NOW)
    for body in bodies(recorded(dialect, "chat"), VALUES):
        yield partial(provider.parse_chat, HttpResponse(200, {}, body))
    for body in bodies(recorded(dialect, "models"), VALUES):
        yield partial(provider.parse_models, HttpResponse(200, {}, body))
    for body in bodies(recorded(dialect, "stream"), VALUES):
        yield partial(whole, provider, body)


def whole(provider, data):
    """Reads a stream of one event, and its answer as a row."""
    parser = provider.stream_parser()
    parser.feed((b"" if provider.name == "ollama" else b"data: ") + data + b"\n\n")
    answer = parser.end()
    json.dumps([answer.response_model, answer.finish_reason], ensure_ascii=False).encode()


@pytest.mark.parametrize("dialect", DIALECTS)
def test_no_value_in_any_place_is_an_unknown_exception(dialect):
    """Deep arrays, long numbers and half emoji in each field of each recorded reply."""
    count = 0
    for read in readings(PROVIDERS[dialect](), dialect):
        count += 1
        try:
            read()
        except LlmkitError:
            pass

    assert count > 200


def test_a_name_of_a_model_is_cut_and_the_text_is_not():
    """A finish reason or a model of a megabyte would fill each table."""
    long = "x" * 100_000
    body = {"choices": [{"message": {"content": long}, "finish_reason": long}], "model": long}
    answer = PROVIDERS["openai"]().parse_chat(HttpResponse(200, {}, json.dumps(body).encode()))

    assert answer.text == long
    assert answer.response_model == answer.finish_reason == "x" * LONGEST_NAME


def test_a_tool_call_with_deep_arguments_is_an_error_of_llmkit():
    """Arguments that are an object are written as text, which walks them again."""
    for deep in DEEP:
        body = f'{{"message": {{"tool_calls": [{{"function": {{"arguments": {deep}}}}}]}}}}'
        try:
            PROVIDERS["ollama"]().parse_chat(HttpResponse(200, {}, body.encode()))
        except LlmkitError:
            pass


@pytest.mark.parametrize(
    ("value", "count"),
    [(10**15, 10**15), (10**15 + 1, None), (10**4000, None), (True, None)],
    ids=["most", "more", "4,000 digits", "no count"],
)
def test_a_count_that_no_column_can_hold_is_unknown(value, count):
    """Integers of JSON have up to 4,300 digits."""
    assert as_int(value) == count


@pytest.mark.parametrize("digits", [1, 9, 10, 5000])
def test_a_version_of_many_digits_is_read_or_counts_as_the_newest(digits):
    """Python refuses to read integers of more than 4,300 digits."""
    assert generation("claude-" + "5" * digits) >= (5, 0)
    assert takes_sampling("gemini-" + "5" * digits) is False


def test_a_list_whose_names_form_one_chain_is_followed_for_a_few_steps():
    """Aliases and successors of two thousand models cost no more than those of ten."""
    ids = [f"m{n:05}" for n in range(2000)]
    models = tuple(
        Model("mistral", name, successor=after, lifecycle=Lifecycle.RETIRED, aliases=(after,))
        for name, after in zip(ids, [*ids[1:], ids[0]], strict=True)
    )
    own = ProviderModelList("mistral", "https://x", NOW, models)
    catalogue = with_lists(shipped(), [own], NOW + timedelta(hours=1))

    steps = [len(list(lifecycle.successors(catalogue, "mistral", name))) for name in ids[::100]]
    entries = [len(list(lifecycle.entries_of(catalogue, "mistral", name))) for name in ids[::100]]

    assert max(steps) < LONGEST_CHAIN
    assert max(entries) <= LONGEST_CHAIN
    assert listing.lines("m00001", "mistral", on=NOW.date(), catalogue=catalogue)


def test_the_closest_name_is_found_among_many_with_the_same_letters():
    """Twenty thousand names that need an exact comparison do not hide the closest one."""
    name = "abcdefghijklmnopqrstuvwxyz-0123456789"
    others = [f"{name[n % 37 :]}{name[: n % 37]}{n}" for n in range(20_000)]

    assert close_to(f"{name}x", [*others, f"{name}y"])[0] == f"{name}y"
