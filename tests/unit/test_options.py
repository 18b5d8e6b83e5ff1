"""The options for answers."""

from __future__ import annotations

import pytest

from llmkit.chat.options import options
from llmkit.errors import ConfigError
from llmkit.types import Capability


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
