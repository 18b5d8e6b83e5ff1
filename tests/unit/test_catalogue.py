"""The shipped catalogue, and what its names lead to on a fixed day."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llmkit import MODEL_NAME_MAPPING
from llmkit.catalogue import lifecycle, listing, prices
from llmkit.catalogue.entry import normal
from llmkit.catalogue.load import shipped
from llmkit.catalogue.resolution import why
from llmkit.catalogue.resolve import resolve
from llmkit.errors import ConfigError, UnknownModelError, UnknownProviderError
from llmkit.types import How, Lifecycle, Usage

DAY = date(2026, 11, 24)
IDS = [(p, i) for p, models in shipped().models.items() for i in models]


def test_there_are_97_standard_names():
    """The table of standard names is whole."""
    assert len(shipped().names) == 97


def test_the_row_gpt_3_5_turbo_is_what_it_was():
    """The peers of its day, at all six providers."""
    assert dict(MODEL_NAME_MAPPING["standard"]["gpt-3.5-turbo"]) == {
        "openai": "gpt-3.5-turbo",
        "openrouter": "openai/gpt-3.5-turbo",
        "anthropic": "claude-instant-1.2",
        "mistral": "mistral-small",
        "ollama": "llama2",
        "google": "gemini-pro",
    }


def test_a_providers_own_names_are_in_the_mapping():
    """Names that only one provider knows lead to themselves."""
    assert MODEL_NAME_MAPPING["mistral"]["mistral-tiny"] == "mistral-tiny"
    assert MODEL_NAME_MAPPING["mistral"]["mistral-small"] == "mistral-small"


def test_the_mapping_cannot_be_changed():
    """All levels are read-only."""
    with pytest.raises(TypeError):
        MODEL_NAME_MAPPING["standard"]["x"] = {}  # type: ignore[index]
    with pytest.raises(TypeError):
        MODEL_NAME_MAPPING["standard"]["gpt-3.5-turbo"]["x"] = "y"  # type: ignore[index]


def test_every_successor_is_a_model_or_an_alias():
    """No chain leads to a name that is not in the catalogue."""
    catalogue = shipped()
    dangling = [
        (p, entry.id, s)
        for p, models in catalogue.models.items()
        for entry in models.values()
        for s in entry.successors
        if s not in models and normal(s) not in catalogue.aliases.get(p, {})
    ]

    assert dangling == []


def test_every_peer_pick_and_target_is_known():
    """Standard names, classes and aliases name ids of their own provider."""
    catalogue = shipped()
    named = [(p, i) for n in catalogue.names.values() for p, ids in n.peers.items() for i in ids]
    named += [(p, i) for c in catalogue.classes.values() for p, ids in c.items() for i in ids]

    known = {(p, i) for p, i in IDS} | {
        (a.provider, a.alias) for t in catalogue.aliases.values() for a in t.values()
    }
    assert set(named) - known == set()


def test_every_row_has_a_source_and_a_date():
    """A fact without a source is none."""
    rows = [e for models in shipped().models.values() for e in models.values()]

    assert [e.id for e in rows if not e.source or e.read is None] == []


@pytest.mark.parametrize(("provider", "model"), IDS)
def test_no_replacement_is_gone_itself(provider, model):
    """What is to be called instead can be called; no chain goes round in circles."""
    live, rule = lifecycle.next_live(shipped(), provider, model, DAY)

    assert live is None or (
        lifecycle.lifecycle_of(shipped(), provider, live, DAY) not in lifecycle.GONE
    )
    assert (live is None) == (rule is None)


def test_the_whole_chain_is_walked():
    """gemini-pro leads over two retired models and one that is about to go."""
    found = resolve("gpt-3.5-turbo", "google", on=DAY)

    assert (found.id, found.model, found.live_rule) == (
        "gemini-pro",
        "gemini-3.5-flash-lite",
        "official-successor",
    )


@pytest.mark.parametrize(
    ("day", "state"),
    [
        (date(2026, 9, 1), Lifecycle.ACTIVE),
        (date(2026, 11, 24), Lifecycle.DEPRECATED),
        (date(2026, 12, 1), Lifecycle.REROUTED),
    ],
)
def test_a_models_state_depends_on_the_day(day, state):
    """gemini-2.5-flash was announced to go in October, and is rerouted from 1 December."""
    found = resolve("google:gemini-2.5-flash", on=day)

    assert found.lifecycle in (state, Lifecycle.DEPRECATED if state is Lifecycle.ACTIVE else state)
    assert found.model == "gemini-2.5-flash"


RULES = [
    # asked, provider, -> provider, model, how, verified
    ("gpt-3.5-turbo", None, "openai", "gpt-3.5-turbo", How.EXACT, True),
    ("gpt-3.5-turbo", "anthropic", "anthropic", "claude-haiku-4-5-20251001", How.MAPPED, True),
    ("gpt-3.5-turbo", "mistral", "mistral", "mistral-small", How.MAPPED, True),
    ("openai:gpt-6-luna", None, "openai", "gpt-6-luna", How.EXACT, True),
    ("openai:gpt-9-nova", None, "openai", "gpt-9-nova", How.VERBATIM, False),
    ("gemini:gemini-3.8-flash", None, "google", "gemini-3.8-flash", How.EXACT, True),
    ("gemini/gemini-3.8-flash", None, "google", "gemini-3.8-flash", How.EXACT, True),
    ("models/gemini-3.8-flash", None, "google", "gemini-3.8-flash", How.EXACT, True),
    ("openai/gpt-4o", None, "openrouter", "openai/gpt-4o", How.EXACT, True),
    ("openai/gpt-4o:nitro", None, "openrouter", "openai/gpt-4o:nitro", How.EXACT, False),
    ("mistral:7b", None, "ollama", "mistral:7b", How.EXACT, True),
    ("llama3.1:mine", None, "ollama", "llama3.1:mine", How.EXACT, False),
    ("GPT 4o", None, "openai", "gpt-4o", How.EXACT, True),
    ("ft:gpt-4o:org::id", None, "openai", "ft:gpt-4o:org::id", How.VERBATIM, False),
    ("sonnet", None, "anthropic", "claude-sonnet-5-5", How.ALIAS, True),
    ("sonnet", "openai", "openai", "gpt-6.1-terra", How.EQUIVALENT, True),
    ("local:smollm2", None, "local", "smollm2", How.EXACT, True),
    ("local:/models/My Model.gguf", None, "local", "/models/My Model.gguf", How.VERBATIM, False),
    ("claude-3-5-sonnet-latest", None, "anthropic", "claude-3-5-sonnet-latest", How.EXACT, True),
]


@pytest.mark.parametrize(("asked", "at", "provider", "model", "how", "verified"), RULES)
def test_each_rule_leads_where_it_says(asked, at, provider, model, how, verified):
    """Bare names, prefixes, slashes, tags, variants, snapshots and shorthands."""
    found = resolve(asked, at, on=DAY)

    assert (found.provider, found.model, found.verified) == (provider, model, verified)
    assert found.how in (how, How.ALIAS if how is How.EXACT else how)


@pytest.mark.parametrize(
    ("asked", "provider", "kind", "words"),
    [
        ("", None, ConfigError, "name is empty"),
        ("openai:", None, ConfigError, "names no model"),
        ("gpt4o", None, UnknownModelError, "did you mean gpt-4o"),
        ("openai:gpt-6-lnua", None, UnknownModelError, "did you mean gpt-6-luna"),
        ("anthropic:gpt-4o", None, UnknownModelError, "gpt-4o is openai's"),
        ("openai:gpt-4o", "mistral", ConfigError, "names openai, but provider='mistral'"),
        ("openai/gpt-4o:free", None, ConfigError, "never taken"),
        ("gpt-4o-2031-01-01", None, UnknownModelError, "no such snapshot of gpt-4o"),
        ("text-embedding-3-small", "anthropic", UnknownModelError, "no counterpart"),
        ("scripted:nobody", None, UnknownModelError, "scripted has .*echo"),
        ("local:nobody", None, UnknownModelError, "any .gguf file"),
        ("gpt-4o", "opnai", UnknownProviderError, "did you mean openai"),
        ("qzxv", None, UnknownModelError, "see models"),
    ],
)
def test_what_leads_nowhere_says_what_to_do(asked, provider, kind, words):
    """A slip is never corrected, only answered with suggestions."""
    with pytest.raises(kind, match=words):
        resolve(asked, provider, on=DAY)


def test_an_id_that_was_named_is_not_replaced():
    """A person who names a retired id gets it, with what lives in its place beside it."""
    found = resolve("claude-instant-1.2", on=DAY)

    assert (found.model, found.lifecycle, found.substituted) == (
        "claude-instant-1.2",
        Lifecycle.RETIRED,
        False,
    )
    assert found.live == "claude-haiku-4-5-20251001"


def test_a_name_at_two_places_names_the_other():
    """A bare name that Mistral and Ollama both have is Mistral's, and says so."""
    found = resolve("mistral-small", on=DAY)

    assert (found.provider, found.ambiguous) == ("mistral", True)
    assert found.alternatives == ("ollama:mistral-small",)


def test_verbatim_always_passes():
    """verbatim sends the name as it is, known or not."""
    found = resolve("openai:gpt-6-lnua", on=DAY, verbatim=True)

    assert (found.provider, found.model, found.how) == ("openai", "gpt-6-lnua", How.VERBATIM)


def test_a_provider_of_ones_own_takes_any_id():
    """An added server's ids are its own business."""
    found = resolve("lab:some/model:x", on=DAY, providers=("lab",))

    assert (found.provider, found.model, found.how) == ("lab", "some/model:x", How.VERBATIM)


def test_why_says_it_in_sentences():
    """The id, its end and what is sent instead."""
    said = why(resolve("gpt-3.5-turbo", "anthropic", on=DAY))

    assert said == (
        "gpt-3.5-turbo is anthropic's claude-instant-1.2 (the peer of that standard name). "
        "It is retired since 2024-11-06. claude-haiku-4-5-20251001 is sent instead (the successor "
        "that its provider names). Read 2026-11-22."
    )


@given(st.sampled_from(IDS))
def test_resolving_what_was_resolved_is_stable(pair):
    """An id that was found leads to itself."""
    provider, model = pair
    found = resolve(f"{provider}:{model}", on=DAY)

    assert resolve(f"{found.provider}:{found.model}", on=DAY).model == found.model


def test_no_two_ids_have_one_normal_form_but_synonyms():
    """Comparing names by their normal form joins no two different models."""
    joined = {}
    for provider, model in IDS:
        joined.setdefault((provider, normal(model)), set()).add(model)
    doubles = {frozenset(ids) for ids in joined.values() if len(ids) > 1}

    assert all(
        {i.replace(".", "-") for i in ids} == {min(ids).replace(".", "-")} for ids in doubles
    )


def test_an_answers_cost_follows_from_its_tokens():
    """A known price gives dollars, and says which row they follow from."""
    when = datetime(2026, 11, 20, tzinfo=UTC)

    found = prices.cost("openai", "gpt-6-luna", Usage(1_000_000, 1_000_000), on=when)

    assert found is not None
    assert found.usd > 0
    assert found.source.startswith("genai-prices openai:gpt-6-luna")


@pytest.mark.parametrize(
    ("provider", "model", "usage"),
    [
        ("openai", "nobody-knows-this", Usage(1, 1)),
        ("lab", "gpt-6-luna", Usage(1, 1)),
        ("openai", "gpt-6-luna", Usage()),
        ("google", "claude-3-haiku", Usage(1, 1)),
    ],
)
def test_an_unknown_price_is_none_and_never_zero(provider, model, usage):
    """No price, another's price and no count are all unknown."""
    assert prices.cost(provider, model, usage, on=None) is None


def test_what_ones_own_machine_answers_costs_nothing():
    """Local, Ollama and scripted answers cost 0 by rule."""
    found = [prices.cost(p, "x", Usage(), on=None) for p in ("local", "ollama", "scripted")]

    assert [cost.usd for cost in found if cost] == [0.0, 0.0, 0.0]


def test_the_models_table_can_be_narrowed():
    """By text, provider, capability and life."""
    lines = listing.lines("gpt-3.5-turbo", "anthropic", on=DAY)

    assert {line["id"] for line in lines} == {"claude-instant-1.2"}
    assert {line["lifecycle"] for line in listing.lines(alive=False, on=DAY)} == {"retired"}
    assert all(
        "vision" in line["capabilities"] for line in listing.lines(capability="vision", on=DAY)
    )
