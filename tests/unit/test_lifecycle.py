"""The lifecycle of a model depends only on the given date."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pytest

from llmkit.catalogue import lifecycle
from llmkit.kit import Kit
from llmkit.providers.builtin import shipped
from llmkit.types import Lifecycle

IDS = [(p, i) for p, models in shipped().models.items() for i in models]
SEPTEMBER, NOVEMBER, DECEMBER, JANUARY = (
    date(2026, 9, 1), date(2026, 11, 24), date(2026, 12, 1), date(2027, 1, 14),
)  # fmt: skip

STATES = [
    ("google", "gemini-2.5-flash", SEPTEMBER, Lifecycle.DEPRECATED),
    ("google", "gemini-2.5-flash", NOVEMBER, Lifecycle.DEPRECATED),
    ("google", "gemini-2.5-flash", DECEMBER, Lifecycle.REROUTED),
    ("google", "gemini-3.8-flash", DECEMBER, Lifecycle.ACTIVE),
    ("openai", "gpt-4o", NOVEMBER, Lifecycle.DEPRECATED),
    ("openai", "gpt-4o", date(2027, 1, 13), Lifecycle.DEPRECATED),
    ("openai", "gpt-4o", JANUARY, Lifecycle.RETIRED),  # it is retired on the day itself
    ("openai", "gpt-3.5-turbo", date(2026, 10, 22), Lifecycle.DEPRECATED),
    ("openai", "gpt-3.5-turbo", date(2026, 10, 23), Lifecycle.RETIRED),
    # an alias, a snapshot and a fine-tune end with their targets
    ("anthropic", "claude-3-5-sonnet-latest", NOVEMBER, Lifecycle.RETIRED),
    ("openai", "o1-preview-2024-09-12", NOVEMBER, Lifecycle.RETIRED),
    ("openai", "ft:gpt-4o-2024-08-06:org::id", NOVEMBER, Lifecycle.DEPRECATED),
    ("openai", "ft:gpt-6-luna:org::id", NOVEMBER, Lifecycle.ACTIVE),
    ("mistral", "mistral-tiny", NOVEMBER, Lifecycle.RETIRED),
    ("mistral", "mistral-nemo", NOVEMBER, Lifecycle.RETIRED),
    ("mistral", "mistral-small", NOVEMBER, Lifecycle.ACTIVE),
    ("ollama", "llama2:latest", NOVEMBER, Lifecycle.ACTIVE),
    # a model that its maker has retired is neither confirmed nor denied at OpenRouter
    ("openrouter", "openai/gpt-3.5-turbo", NOVEMBER, Lifecycle.UNKNOWN),
    ("openrouter", "openai/gpt-4o:nitro", NOVEMBER, Lifecycle.ACTIVE),
    ("openrouter", "anthropic/claude-3-opus", NOVEMBER, Lifecycle.RETIRED),
    ("openai", "ghost", NOVEMBER, Lifecycle.UNKNOWN),
]


@pytest.mark.parametrize(("provider", "model", "day", "state"), STATES)
def test_a_models_state_depends_on_the_day(provider, model, day, state):
    """Before, on and after its dates, also through an alias."""
    assert lifecycle.lifecycle_of(shipped(), provider, model, day) is state


LIVES = [
    # the replacement, and the rule
    ("google", "gemini-pro", NOVEMBER, "gemini-3.5-flash-lite", "official-successor"),
    ("google", "gemini-1.5-pro", NOVEMBER, "gemini-3.8-flash", "official-successor"),
    ("google", "gemini-1.5-flash", SEPTEMBER, "gemini-3.5-flash-lite", "official-successor"),
    ("google", "gemini-2.5-pro", NOVEMBER, "gemini-2.5-pro", "same"),
    ("google", "gemini-2.5-pro", DECEMBER, "gemini-3.8-flash", "official-successor"),
    ("google", "gemini-2.0-flash-exp", NOVEMBER, "gemini-3.5-flash-lite", "class-default"),
    ("openai", "gpt-4-32k", NOVEMBER, "gpt-6-luna", "official-successor"),
    ("openai", "chatgpt-4o-latest", NOVEMBER, "gpt-5.6-sol", "official-successor"),
    ("openai", "o1-preview", NOVEMBER, "gpt-5.6-sol", "official-successor"),
    ("openai", "gpt-5", NOVEMBER, "gpt-5", "same"),
    ("openai", "gpt-5", DECEMBER.replace(day=11), "gpt-6.1-sol", "official-successor"),
    ("openai", "gpt-4-0314", NOVEMBER, "gpt-6.1-sol", "official-successor"),
    ("anthropic", "claude-3-5-haiku-latest", NOVEMBER, "claude-haiku-4-5-20251001",
     "official-successor"),
    ("mistral", "pixtral-large-latest", NOVEMBER, "mistral-medium-3-5", "official-successor"),
    ("openrouter", "google/gemini-pro-1.5", NOVEMBER, "google/gemini-2.5-pro", "vendor-successor"),
    ("openai", "gpt-5.4-cyber", NOVEMBER, None, None),
]  # fmt: skip


@pytest.mark.parametrize(("provider", "model", "day", "live", "rule"), LIVES)
def test_the_whole_chain_is_walked(provider, model, day, live, rule):
    """Over retired and deprecated models to one that stays."""
    kind = "small" if rule == "class-default" else None

    assert lifecycle.next_live(shipped(), provider, model, day, kind) == (live, rule)


@pytest.mark.parametrize("day", [SEPTEMBER, NOVEMBER, DECEMBER, JANUARY])
def test_no_replacement_is_gone_itself(day):
    """On any date the replacement is available, and no chain is circular."""
    catalogue = shipped()
    found = [(p, *lifecycle.next_live(catalogue, p, model, day)) for p, model in IDS]

    assert [
        (provider, live)
        for provider, live, rule in found
        if (live is None) != (rule is None)
        or (live and lifecycle.lifecycle_of(catalogue, provider, live, day) in lifecycle.GONE)
    ] == []


def test_an_id_ends_on_the_day_that_it_stops_to_answer_as_itself():
    """Retired or rerouted: the earlier date; None for a model that stays."""
    ends = [
        lifecycle.retires_on(shipped(), provider, model)
        for provider, model in (
            ("google", "gemini-2.5-flash"),
            ("openai", "gpt-4o"),
            ("openai", "gpt-6-luna"),
        )
    ]

    assert ends == [DECEMBER, JANUARY, None]


def test_a_kits_clock_says_which_day_it_is():
    """The default is the clock's date; an explicit date takes precedence."""
    kit = Kit(environ={}, clock=lambda: datetime(2027, 1, 14, tzinfo=UTC))
    found = [
        kit.registry.resolve("gpt-4o").lifecycle,
        kit.registry.resolve("gpt-4o", on=NOVEMBER).lifecycle,
    ]
    kit.close()

    assert found == [Lifecycle.RETIRED, Lifecycle.DEPRECATED]
