"""The texts of an answer and of a list that are searched for keys."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace

import pytest

from llmkit.catalogue.entry import Model
from llmkit.providers.redaction import NOT_REDACTED, StreamRedactor, without_keys
from llmkit.secret import Secret
from llmkit.types import Completion, FallbackStep, Status, TextDelta, ToolCall
from tests.unit.rows import answer

KEY = "sk-redact-Wq3nP8vT1xZk6LrY"
Secret(KEY)


@dataclass(frozen=True, slots=True)
class Note:
    """A nested value that an answer does not have today."""

    words: str = ""
    size: int = 0


@dataclass(frozen=True, slots=True)
class LaterCompletion(Completion):
    """An answer with fields that are added later."""

    citation: str | None = None
    notes: tuple[Note, ...] = ()
    details: Mapping[str, object] = field(default_factory=dict)
    labels: frozenset[str] = frozenset()


def test_a_field_that_is_added_is_redacted_without_another_line():
    """Text, nested values, mappings and sets: a field not named as llmkit's may be a server's."""
    later = LaterCompletion(
        citation=f"see {KEY}",
        notes=(Note(f"{KEY}!", 3),),
        details={f"a {KEY}": [f"b {KEY}", 1, None]},
        labels=frozenset({KEY}),
    )

    assert without_keys(later) == LaterCompletion(
        citation="see ***",
        notes=(Note("***!", 3),),
        details={"a ***": ["b ***", 1, None]},
        labels=frozenset({"***"}),
    )


@pytest.mark.parametrize("kind", [Completion, ToolCall, FallbackStep, Model])
def test_every_text_of_a_value_is_redacted_unless_llmkit_sets_it(kind):
    """A key in each field with text is masked, except in the named ones."""
    texts = [f.name for f in fields(kind) if str(f.type) in ("str", "str | None")]
    tuples = [f.name for f in fields(kind) if f.type == "tuple[str, ...]"]
    needed = {f.name: KEY for f in fields(kind) if f.name in ("asked", "chosen", "rule", "reason")}
    value = kind(**{**needed, **dict.fromkeys(texts, KEY), **dict.fromkeys(tuples, (KEY,))})

    masked = without_keys(value)

    shown = {name for name in [*texts, *tuples] if KEY in str(getattr(masked, name))}
    assert shown == NOT_REDACTED & {*texts, *tuples}


def test_a_key_in_the_call_of_a_tool_is_masked():
    """Name, arguments and id are a model's text; the JSON around the key stays."""
    call = ToolCall(f"send_{KEY}", f'{{"to": "{KEY}", "n": 1}}', KEY)

    masked = without_keys(Completion(tool_calls=(call,)))

    assert masked.tool_calls == (ToolCall("send_***", '{"to": "***", "n": 1}', "***"),)


def test_an_answer_without_a_key_is_the_same_object():
    """Nearly every answer has none and is not copied."""
    whole = replace(answer(), tool_calls=(ToolCall("clock"),), warnings=("w",))

    assert without_keys(whole) is whole


def test_a_status_stays_a_status():
    """A member of a closed set does not become plain text."""
    masked = without_keys(Completion(text=KEY, status=Status.LENGTH))

    assert (masked.text, masked.status) == ("***", Status.LENGTH)
    assert type(masked.status) is Status


def test_a_text_that_was_searched_in_pieces_is_exact():
    """Only whole keys are masked in a model's text, also if its pieces were read."""
    redactor = StreamRedactor()
    delta = redactor.feed(TextDelta(f"a {KEY} b", KEY[:17]))

    masked = without_keys(Completion(text=f"a {KEY} b", reasoning="words"), redactor)

    assert delta.text == "a *** b"
    assert (masked.text, masked.reasoning) == ("a *** b", "words")
