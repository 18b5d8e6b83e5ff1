"""The map of finish reasons has every word in the types of the official SDKs."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from llmkit.providers.finish_reasons import STATUSES, finish_of
from llmkit.types import Status

pytestmark = pytest.mark.peer

PRINT = Path(__file__).with_name("print_finish_reasons.py")
COMPLETE, LENGTH, FILTERED, INCOMPLETE = (
    Status.COMPLETE, Status.LENGTH, Status.FILTERED, Status.INCOMPLETE,
)  # fmt: skip
# A new word fails the test until its meaning is decided here.
EXPECTED: dict[str, dict[Status | None, str]] = {
    "openai": {
        COMPLETE: "stop tool_calls function_call", LENGTH: "length", FILTERED: "content_filter",
    },
    "anthropic": {
        COMPLETE: "end_turn stop_sequence tool_use",
        LENGTH: "max_tokens model_context_window_exceeded",
        FILTERED: "refusal",
        INCOMPLETE: "pause_turn compaction",
    },
    "mistral": {
        COMPLETE: "stop tool_calls", LENGTH: "length model_length", Status.ERROR: "error",
    },
    "google": {
        COMPLETE: "STOP",
        LENGTH: "MAX_TOKENS",
        FILTERED: "SAFETY RECITATION LANGUAGE BLOCKLIST PROHIBITED_CONTENT SPII IMAGE_SAFETY "
        "IMAGE_PROHIBITED_CONTENT IMAGE_RECITATION ESCALATION PUP_LIMITED_DISABLED MODEL_ARMOR",
        INCOMPLETE: "OTHER MALFORMED_FUNCTION_CALL IMAGE_OTHER NO_IMAGE UNEXPECTED_TOOL_CALL "
        "TOO_MANY_TOOL_CALLS MISSING_THOUGHT_SIGNATURE MALFORMED_RESPONSE CONTINUATION",
        None: "FINISH_REASON_UNSPECIFIED",
    },
}  # fmt: skip


@pytest.fixture(scope="module")
def printed():
    """Returns the words of all SDKs."""
    done = subprocess.run(
        [sys.executable, "-W", "ignore", str(PRINT)], capture_output=True, text=True, timeout=120,
        check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def status_of(word):
    finish = finish_of(word)
    return STATUSES.get(finish, INCOMPLETE) if finish else None


@pytest.mark.parametrize("provider", EXPECTED)
def test_every_word_of_an_sdk_has_its_status(provider, printed):
    """None is a word for no reason yet."""
    expected = {w: status for status, words in EXPECTED[provider].items() for w in words.split()}

    assert {word: status_of(word) for word in printed[provider]} == expected
