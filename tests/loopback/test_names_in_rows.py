"""The warnings of an answer about the name by which its model was asked."""

from __future__ import annotations

import pytest

from llmkit.chat.arguments import chat_arguments
from llmkit.kit import Kit
from tests.fakes.server import PREFIXES

HAIKU = (
    "anthropic/claude-haiku-4.5 is OpenRouter's name, so OpenRouter answers; for Anthropic itself "
    "ask for anthropic:claude-haiku-4-5"
)


@pytest.fixture
def warnings_of(fakes):
    """Asks a kit with keys for the named providers, and returns the warnings of the answer."""
    kits = []

    def ask(name, *keys, provider=None, own=None, **options):
        urls = {f"LLMKIT_{place.upper()}_BASE_URL": fakes.base_url(place) for place in PREFIXES}
        variables = {f"{place.upper()}_API_KEY": fakes.key for place in keys}
        kits.append(Kit(environ={**urls, **variables}, notify=lambda text: None))
        for added, key_var in (own or {}).items():
            kits[-1].add_provider(added, fakes.base_url("openai"), key_var)
        arguments = chat_arguments("hi", name, provider=provider, **options)
        return kits[-1].manager.run(kits[-1].answer(arguments.request, arguments.options)).warnings

    yield ask
    for kit in kits:
        kit.close()


@pytest.mark.parametrize(
    ("name", "keys", "provider", "expected"),
    [
        ("anthropic/claude-haiku-4.5", ("openrouter", "anthropic"), None, (HAIKU,)),
        ("anthropic/claude-haiku-4.5", ("openrouter",), None, ()),
        ("anthropic/claude-haiku-4.5", ("openrouter", "openai"), None, ()),
        ("openrouter/anthropic/claude-haiku-4.5", ("openrouter", "anthropic"), None, ()),
        ("openrouter:anthropic/claude-haiku-4.5", ("openrouter", "anthropic"), None, ()),
        ("anthropic/claude-haiku-4.5", ("openrouter", "anthropic"), "openrouter", ()),
        ("x-ai/grok-4.3", ("openrouter", "anthropic"), None, ()),
    ],
)
def test_openrouter_answers_for_a_maker_whose_key_the_person_has(
    warnings_of, name, keys, provider, expected
):
    """The row says so, unless the name or the provider states OpenRouter."""
    assert warnings_of(name, *keys, provider=provider) == expected


@pytest.mark.parametrize(("key_var", "is_told"), [(None, True), ("MY_DEEPSEEK_KEY", False)])
def test_an_added_provider_of_the_maker_counts_if_it_can_be_asked(warnings_of, key_var, is_told):
    """It needs no key, or its key is there."""
    warnings = warnings_of("deepseek/deepseek-chat", "openrouter", own={"deepseek": key_var})

    assert any("deepseek itself ask for deepseek:deepseek-chat" in w for w in warnings) is is_told


@pytest.mark.parametrize(
    ("name", "place"),
    [
        ("openai:gpt-99", "openai:gpt-99"),
        ("anthropic:claude-sonnet-9", "anthropic:claude-sonnet-9"),
        ("mistral:magistral-huge-9", "mistral:magistral-huge-9"),
        ("openrouter:new-maker/model", "openrouter:new-maker/model"),
        ("z-ai/glm-99", "openrouter:z-ai/glm-99"),
        ("openai/gpt-4o:free", "openrouter:openai/gpt-4o:free"),
    ],
)
def test_a_row_says_that_the_catalogue_does_not_know_its_model(warnings_of, name, place):
    """It was sent as it is, because its provider was stated."""
    expected = f"the catalogue of 2026-11-22 does not know {place}; sent as is"

    assert warnings_of(name, "openai", "anthropic", "mistral", "openrouter")[0] == expected


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("openai:gpt-4o-2024-11-20", {}),
        ("openai:gpt-99", {"verbatim": True}),
        ("openai:ft:gpt-4o-2024-08-06:org::id", {}),
        ("ollama:my-own-model", {}),
        ("lab:my-own-model", {}),
        ("@preset/mail", {}),
        ("openrouter/auto", {}),
    ],
)
def test_what_the_catalogue_cannot_know_is_no_reason_for_a_warning(warnings_of, name, options):
    """Local and added servers, fine-tunes and presets; and whoever asks for verbatim knows."""
    keys = ("openai", "openrouter", "lab")
    warnings = warnings_of(name, *keys, own={"lab": "LAB_API_KEY"}, **options)

    assert not any("does not know" in warning for warning in warnings)
