"""The ids in the newest SDKs' types are known, or sent as they are; none is taken for another."""

from __future__ import annotations

from datetime import date
from functools import partial

import pytest

from llmkit.catalogue import resolve as module
from llmkit.catalogue.entry import normal
from llmkit.errors import UnknownModelError
from llmkit.providers.builtin import shipped

resolve = partial(module.resolve, on=date(2026, 11, 30), catalogue=shipped())

# The literal types of models, read 2026-11-30: openai 3.57.0 (`ChatModel`, `AllModels`), anthropic
# 2.14.0 (`Model`), google-genai 3.6.1 (`Model` of the interactions). mistralai 3.7.0 has none, so
# its line has the names in its own examples.
IDS = {
    "openai": """
chatgpt-4o-latest codex-mini-latest computer-use-preview computer-use-preview-2025-03-11
gpt-3.5-turbo gpt-3.5-turbo-0125 gpt-3.5-turbo-0301 gpt-3.5-turbo-0613 gpt-3.5-turbo-1106
gpt-3.5-turbo-16k gpt-3.5-turbo-16k-0613 gpt-4 gpt-4-0125-preview gpt-4-0314 gpt-4-0613
gpt-4-1106-preview gpt-4-32k gpt-4-32k-0314 gpt-4-32k-0613 gpt-4-turbo gpt-4-turbo-2024-04-09
gpt-4-turbo-preview gpt-4-vision-preview gpt-4.1 gpt-4.1-2025-04-14 gpt-4.1-mini
gpt-4.1-mini-2025-04-14 gpt-4.1-nano gpt-4.1-nano-2025-04-14 gpt-4o gpt-4o-2024-05-13
gpt-4o-2024-08-06 gpt-4o-2024-11-20 gpt-4o-audio-preview gpt-4o-audio-preview-2024-10-01
gpt-4o-audio-preview-2024-12-17 gpt-4o-audio-preview-2025-06-03 gpt-4o-mini gpt-4o-mini-2024-07-18
gpt-4o-mini-audio-preview gpt-4o-mini-audio-preview-2024-12-17 gpt-4o-mini-search-preview
gpt-4o-mini-search-preview-2025-03-11 gpt-4o-search-preview gpt-4o-search-preview-2025-03-11 gpt-5
gpt-5-2025-08-07 gpt-5-chat-latest gpt-5-codex gpt-5-mini gpt-5-mini-2025-08-07 gpt-5-nano
gpt-5-nano-2025-08-07 gpt-5-pro gpt-5-pro-2025-10-06 gpt-5.1 gpt-5.1-2025-11-13
gpt-5.1-chat-latest gpt-5.1-codex gpt-5.1-codex-max gpt-5.1-mini gpt-5.2 gpt-5.2-2025-12-11
gpt-5.2-chat-latest gpt-5.2-pro gpt-5.2-pro-2025-12-11 gpt-5.3-chat-latest gpt-5.4 gpt-5.4-mini
gpt-5.4-mini-2026-03-17 gpt-5.4-nano gpt-5.4-nano-2026-03-17 gpt-5.5 gpt-5.5-2026-04-23
gpt-5.5-pro gpt-5.5-pro-2026-04-23 gpt-5.6-cyber gpt-5.6-luna gpt-5.6-sol gpt-5.6-terra
gpt-6-astra gpt-6-cyber gpt-6-luna gpt-6-rosalind gpt-6-sol gpt-6.1-sol gpt-6.1-terra
gpt-6.2-astra gpt-6.2-astra-law gpt-6.2-sol gpt-audio-mini gpt-audio-mini-2025-12-15
gpt-daybreak-blue-latest gpt-daybreak-red-latest gpt-rosalind-research o1 o1-2024-12-17 o1-mini
o1-mini-2024-09-12 o1-preview o1-preview-2024-09-12 o1-pro o1-pro-2025-03-19 o3 o3-2025-04-16
o3-deep-research o3-deep-research-2025-06-26 o3-mini o3-mini-2025-01-31 o3-pro o3-pro-2025-06-10
o4-mini o4-mini-2025-04-16 o4-mini-deep-research o4-mini-deep-research-2025-06-26
""",
    "anthropic": """
claude-fable-5 claude-fable-5-1 claude-fable-5-2 claude-haiku-4-5 claude-haiku-4-5-20251001
claude-haiku-5-5 claude-mythos-5 claude-mythos-5-1 claude-mythos-5-2 claude-mythos-preview
claude-opus-4-5 claude-opus-4-5-20251101 claude-opus-4-6 claude-opus-4-7 claude-opus-4-8
claude-opus-5 claude-opus-5-5 claude-sonnet-4-5 claude-sonnet-4-5-20250929 claude-sonnet-4-6
claude-sonnet-5 claude-sonnet-5-5
""",
    "google": """
gemini-2.5-flash gemini-2.5-flash-image gemini-2.5-flash-lite gemini-2.5-pro
gemini-3-flash-preview gemini-3-pro-image gemini-3.1-flash-image gemini-3.1-flash-lite
gemini-3.1-flash-lite-image gemini-3.1-flash-tts-preview gemini-3.1-pro-preview
gemini-3.1-pro-preview-customtools gemini-3.5-flash gemini-3.5-flash-lite gemini-3.5-transcribe
gemini-3.6-flash gemini-3.7-flash gemini-3.8-flash gemini-3.8-flash-lite-tts gemini-3.8-flash-tts
gemini-4-argon gemini-4-carbon gemini-4-hydrogen gemini-4-neon gemini-flash-latest
gemini-flash-lite-latest gemini-nano-banana-2.1 gemini-omni-1.1-flash gemini-omni-1.2-flash
gemini-omni-flash-preview gemini-pro-latest gemini-robotics-er-1.6-preview
gemini-robotics-er-2-preview gemma-4-26b-a4b-it gemma-4-31b-it lyria-3-clip-preview
lyria-3-pro-preview lyria-3.5 nano-banana-pro-preview
""",
    "mistral": """
magistral-small-latest mistral-embed mistral-large mistral-large-latest mistral-medium
mistral-medium-3-5 mistral-small-latest
""",
}
PLACES = [(provider, model) for provider, text in IDS.items() for model in text.split()]


@pytest.mark.parametrize(("provider", "model"), PLACES)
def test_an_id_of_the_newest_sdk_is_itself(provider, model):
    """With its provider and bare: the same provider, the same id."""
    stated = resolve(f"{provider}:{model}")
    bare = resolve(model)

    assert (stated.provider, normal(stated.model)) == (provider, normal(model))
    assert (bare.provider, normal(bare.model)) == (provider, normal(model))


@pytest.mark.parametrize(
    ("provider", "model"),
    [
        ("openai", "gpt-7"), ("openai", "gpt-6.3-sol"), ("openai", "gpt-6-sol-mini"),
        ("openai", "o5"), ("openai", "gpt-5v"), ("openai", "gpt-6-terra-audio"),
        ("anthropic", "claude-sonnet-9"), ("anthropic", "claude-haiku-6"),
        ("anthropic", "claude-haiku-5-5-fast"), ("google", "gemini-5-flash"),
        ("google", "gemini-3.8-flash-live"), ("google", "gemini-4-argon-thinking"),
        ("google", "gemini-4-xenon"), ("mistral", "mistral-small-2701"),
        ("mistral", "magistral-large-latest"), ("mistral", "ministral-24b-2612"),
        ("openrouter", "anthropic/claude-opus-9"), ("openrouter", "openai/gpt-6-sol-mini"),
    ],
)  # fmt: skip
def test_a_newer_id_with_its_provider_is_sent_as_it_is(provider, model):
    """A further word, version, size or code name is no misspelling of the older id."""
    found = resolve(f"{provider}:{model}")

    assert (found.provider, found.model, found.verified) == (provider, model, False)


@pytest.mark.parametrize(
    ("name", "suggestion"),
    [
        ("openai:gpt-6-lnua", "gpt-6-luna"), ("openai:gpt-6-lunaa", "gpt-6-luna"),
        ("anthropic:claude-hauku-5-5", "claude-haiku-5-5"),
        ("anthropic:claude-sonet-5-5", "claude-sonnet-5-5"),
        ("google:gemini-3.8-flsh", "gemini-3.8-flash"),
        ("google:gemini3.8-flash", "gemini-3.8-flash"),
        ("mistral:mistral-smal-latest", "mistral-small-latest"),
        ("mistral:ministrall-8b-latest", "ministral-8b-latest"),
    ],
)  # fmt: skip
def test_one_wrong_letter_is_a_misspelling(name, suggestion):
    """A letter swapped, missing, doubled or wrong, or a separator."""
    with pytest.raises(UnknownModelError) as raised:
        resolve(name)

    assert suggestion in raised.value.suggestions
