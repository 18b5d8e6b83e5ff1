"""Foreign JSON: the same values with either reader, and no key or markup in a message."""

from __future__ import annotations

import json
from datetime import date
from decimal import Decimal
from uuid import UUID

import pytest
from hypothesis import given, strategies as st

from llmkit.errors import BadResponseError, ConfigError, Outcome
from llmkit.providers.openai import OpenAI
from llmkit.secret import Secret
from llmkit.wire.messages import HttpResponse, fix_surrogates, parse_json, post_json


@pytest.mark.parametrize(
    ("data", "value"),
    [
        (b'{"a":"\xc3\xa9"}', {"a": "é"}),
        ('{"a":"é"}', {"a": "é"}),
        (b"\xef\xbb\xbf[1]", [1]),
        (rb'"\ud83e"', "\ud83e"),
        (b'"\xe9"', None),
        ('{"a":1}'.encode("utf-16"), None),
        (b'{"a":', None),
        (b"<html>", None),
        (b"", None),
        (b"[" * 100_000, None),
    ],
)
def test_json_is_utf8_or_nothing(data, value):
    """A document that only one reader accepts is accepted with both."""
    assert parse_json(data) == value


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (b"", "an empty body"),
        (b" \n", "an empty body"),
        (b"<!DOCTYPE html><html><head><title>502 Bad\nGateway</title></head></html>",
         'a web page, "502 Bad Gateway"'),
        (b"<html><body><script>alert(1)</script></body></html>", "a web page"),
        (b"upstream said <b>no</b>", "upstream said no"),
        (b'["<html>", "<img src=x onerror=alert(1)>"]', "a web page"),
        (b"unknown token <eos>, 1 < 2", "unknown token <eos>, 1 < 2"),
        (b"[1, 2]", "[1, 2]"),
    ],
)  # fmt: skip
def test_a_body_that_is_not_an_object_is_named_without_markup(body, said):
    """The message names the received value, in one line."""
    with pytest.raises(BadResponseError) as caught:
        OpenAI().parse_chat(HttpResponse(200, {}, body))

    assert f": {said}; check" in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_key_is_taken_out_before_the_body_is_cut():
    """Not even the first half of a key is left at the end of the snippet."""
    key = Secret("sk-half-a-key-is-a-leak-too-0123456789")
    body = ("x" * 190 + key.reveal()).encode()

    with pytest.raises(BadResponseError) as caught:
        OpenAI().parse_chat(HttpResponse(200, {}, body))

    assert "sk-half" not in str(caught.value)


def test_halves_of_a_character_are_sent_whole_or_marked():
    """A surrogate pair is one emoji; a lone surrogate is one replacement character."""
    request = post_json("https://x.invalid", {"text": "a\ud83e\udd86b\ud83ec"}, {})

    assert request.body == '{"text":"a🦆b\ufffdc"}'.encode()


DEEP: list = []
for _ in range(100_000):
    DEEP = [DEEP]


@pytest.mark.parametrize(
    "value",
    [
        float("nan"),
        float("inf"),
        [{"a": float("-inf")}],
        object(),
        [lambda: 1],
        Decimal("NaN"),
        Decimal("-Infinity"),
        DEEP,
    ],
)
def test_what_json_cannot_say_is_a_mistake_of_the_caller(value):
    """It is found before anything is sent."""
    with pytest.raises(ConfigError, match="cannot be written as JSON"):
        post_json("https://x.invalid", {"option": value}, {})


@pytest.mark.parametrize("prompt", ["hi", "is null a value?", "half \ud83d an emoji"])
@pytest.mark.parametrize(
    ("value", "written"),
    [
        (date(2026, 1, 1), "2026-01-01"),
        ({3}, [3]),
        (b"ab", "YWI="),
        (Decimal("0.5"), 0.5),
        (UUID(int=1), "00000000-0000-0000-0000-000000000001"),
        (Outcome.FINAL, "final"),
    ],
)
def test_what_an_option_becomes_does_not_depend_on_the_prompt(prompt, value, written):
    """Both writers give the same for a date, a set, bytes or a decimal number."""
    request = post_json("https://x.invalid", {"prompt": prompt, "option": value}, {})

    assert json.loads(request.body)["option"] == written


SCALARS = (
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters())
)  # fmt: skip
BODIES = st.dictionaries(
    st.text(max_size=5), st.recursive(SCALARS, lambda some: st.lists(some) | st.tuples(some)),
    min_size=1,
)  # fmt: skip


@given(BODIES)
def test_a_request_says_what_the_standard_library_would_say(body):
    """The faster JSON writer changes no value in any body."""
    request = post_json("https://x.invalid", body, {})

    plain = json.dumps(body, ensure_ascii=False)
    assert json.loads(request.body) == json.loads(fix_surrogates(plain))
