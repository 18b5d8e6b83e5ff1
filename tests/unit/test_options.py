"""The options for answers."""

from __future__ import annotations

import json

import pytest

import llmkit
from llmkit.chat.options import options
from llmkit.errors import ConfigError
from llmkit.providers.builtin import PROVIDERS
from llmkit.types import Capability, Message, Prompt


def test_what_is_not_ours_goes_to_the_provider():
    """An option that only the provider knows is passed on."""
    assert options({}, fallback="error", extra={"top_k": 3}).extra == {"top_k": 3}


def test_needs_are_capabilities():
    """Capabilities are given by name, one or several."""
    assert options({}, fallback="error", needs="vision").needs == (Capability.VISION,)


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"fallback": "maybe"}, "same-model, equivalent, any, or a list"),
        ({"fallback": "error", "needs": ["sight"]}, "known: vision"),
        ({"fallback": "error", "timeout": 0}, "timeout must be a number > 0"),
        ({"fallback": "error", "retries": -1}, "0 means one attempt"),
        ({"fallback": "error", "extra": {"temprature": 1}}, "did you mean 'temperature'"),
        ({"fallback": "error", "stream": "no"}, "stream must be True or False, got 'no'"),
    ],
)
def test_a_wrong_option_is_refused_in_a_sentence(given, words):
    """Values of the wrong type and misspellings are llmkit's errors."""
    with pytest.raises(ConfigError, match=words):
        options({}, **given)


def test_a_key_among_the_options_is_refused():
    """It would be sent in the request, and be stored in the notebook."""
    for name in ("api_key", "API_KEY", "x-api-key", "token"):
        with pytest.raises(ConfigError, match="is not an option, and its value would be sent"):
            options({}, fallback="error", extra={name: "sk-x"})


SEVERAL = [
    {"n": 2}, {"best_of": 3}, {"candidateCount": 2}, {"candidate_count": 2},
    {"generationConfig": {"candidateCount": 2}}, {"extra_body": {"n": 2}},
]  # fmt: skip
PROBABILITIES = [
    {"logprobs": True}, {"logprobs": 5}, {"top_logprobs": 2}, {"responseLogprobs": True},
    {"generation_config": {"response_logprobs": True}},
]  # fmt: skip


@pytest.mark.parametrize("extra", [*SEVERAL, *PROBABILITIES])
@pytest.mark.parametrize("provider", ["openai", "google", "anthropic", "ollama"])
def test_what_a_row_cannot_hold_is_refused(extra, provider):
    """It would be paid for and lost; the message names the way to several answers."""
    prompt = Prompt((Message("user", "hi"),), options=tuple(extra.items()))

    for call in (
        lambda: options({}, fallback="error", extra=extra),
        lambda: PROVIDERS[provider]().fit(prompt, "m"),
    ):
        with pytest.raises(ConfigError, match=r"a row holds one.*repeats=") as raised:
            call()
    assert "2" not in str(raised.value) or "repeats=2" in str(raised.value)


@pytest.mark.parametrize(
    "extra",
    [
        {"n": 1}, {"n": None}, {"logprobs": False}, {"top_logprobs": None}, {"logprobs": 0},
        {"response_format": {"json_schema": {"schema": {"properties": {"n": {"type": "x"}}}}}},
    ],
)  # fmt: skip
def test_asking_for_one_answer_is_harmless(extra):
    """So is a field of that name in a schema."""
    assert options({}, fallback="error", extra=extra).extra == extra


def test_none_leaves_a_field_out():
    """Also one that llmkit sends by itself."""
    prompt = Prompt((Message("user", "hi"),), options=(("stream_options", None), ("x", None)))

    request = PROVIDERS["openai"]().chat_request(prompt, model="m", key=None, stream=True)

    assert json.loads(request.body).keys() == {"model", "messages", "stream"}


def test_a_stream_of_pieces_cannot_be_one_document():
    """The sentence names the function that can."""
    with pytest.raises(ConfigError, match=r"use ask\(\.\.\., stream=False\)"):
        llmkit.stream("hi", stream=False)
