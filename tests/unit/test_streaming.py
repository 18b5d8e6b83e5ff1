"""The common behaviour of all stream parsers."""

from __future__ import annotations

import pytest

from llmkit.errors import BadResponseError
from llmkit.providers.anthropic import Anthropic, MessageParser, usage_of
from llmkit.providers.error_bodies import refused, words_in
from llmkit.providers.google import Google
from llmkit.providers.stream_parser import AnswerBuilder
from llmkit.types import Status, TextDelta
from llmkit.wire.sse import SSEDecoder

DELTA = b'data: {"type":"content_block_delta","delta":{"type":"text_delta","text":"Hi"}}\n\n'


def test_an_event_beyond_the_limit_ends_a_stream_without_raising():
    """The parser has the error, and the text before it is kept."""
    parser = MessageParser(Anthropic(), SSEDecoder(limit=200), AnswerBuilder(usage_of))

    delta = parser.feed(DELTA + b"data: " + b"x" * 300)

    assert delta == TextDelta("Hi")
    assert type(parser.error) is BadResponseError
    assert (parser.end().text, parser.end().status) == ("Hi", Status.ERROR)


def test_a_foreign_end_mark_ends_a_stream():
    """Proxies add OpenAI's mark to any dialect; there it does not tell that the answer is whole."""
    parser = Anthropic().stream_parser()

    parser.feed(DELTA + b"data: [DONE]\n\n" + DELTA)

    assert (parser.done, parser.error) == (True, None)
    assert (parser.end().text, parser.end().status) == ("Hi", Status.TRUNCATED)


def test_an_event_without_anything_in_it_is_skipped():
    """An empty data line is not invalid JSON."""
    parser = Anthropic().stream_parser()

    assert parser.feed(b"data:\n\n" + DELTA) == TextDelta("Hi")


def test_halves_of_a_character_in_two_events_become_one():
    """A server may split an emoji between two deltas."""
    parser = Anthropic().stream_parser()

    deltas = [parser.feed(DELTA.replace(b"Hi", half)) for half in (b"a\\ud83c", b"\\udfdeb")]

    assert deltas == [TextDelta("a"), TextDelta("🏞b")]
    assert parser.end().text == "a🏞b"


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ("no", "no"),
        ({"error": "no"}, "no"),
        ({"error": {"message": "no", "code": 7}}, "no"),
        ([{"error": {"message": "no"}}], "no"),
        ({"detail": "no"}, "no"),
        ({"detail": [{"loc": ["body", "messages", 0], "msg": "no"}]}, "messages.0: no"),
        ({"message": {"detail": [{"loc": ["body", "n"], "msg": "no"}]}}, "n: no"),
        ({"title": "no", "status": 400}, "no"),
        ({"error": {}}, ""),
        (["a", "b", "c", "d"], "a; b; c"),
        (None, ""),
        (7, ""),
    ],
)
def test_the_words_of_a_refusal_are_found_in_any_shape(body, words):
    """The forms in which gateways and providers send their reason."""
    assert words_in(body) == words


def test_words_that_are_nested_beyond_reason_are_not_looked_for():
    """A body built to exhaust the stack does not crash."""
    body: object = "deep"
    for _ in range(900):
        body = {"error": body}

    assert words_in(body) == ""


def test_a_redirect_is_about_the_base_url():
    """A redirect is not followed, because the key would be sent along."""
    error = refused(Google(), 302, "Moved")

    assert str(error) == (
        "google answered with a redirect, which llmkit does not follow (302): Moved; "
        "correct the base URL"
    )
