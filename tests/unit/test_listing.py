"""The models table: the filter, the known facts, and the replacements."""

from __future__ import annotations

from datetime import date
from functools import partial

import pandas as pd
import pytest

from llmkit.catalogue import listing
from llmkit.errors import ConfigError, UnknownProviderError
from llmkit.providers.builtin import shipped
from llmkit.reports import Models
from llmkit.types import Capability

DAY = date(2026, 11, 24)
lines = partial(listing.lines, catalogue=shipped())


def test_a_line_says_what_was_meant_then_and_what_can_be_called_now():
    """The peer of its time with its end and without facts, and the id of its replacement."""
    (line,) = lines("gpt-3.5-turbo", "anthropic", on=DAY)[:1]

    assert {key: line[key] for key in ("name", "class", "family", "provider", "id")} == {
        "name": "gpt-3.5-turbo", "class": "small", "family": "gpt-3.5", "provider": "anthropic",
        "id": "claude-instant-1.2",
    }  # fmt: skip
    assert (line["lifecycle"], line["retires_on"]) == ("retired", "2024-11-06")
    assert (line["live"], line["live_rule"]) == ("claude-haiku-4-5-20251001", "official-successor")
    assert (line["context_total"], line["max_input"], line["max_output"]) == (None, None, None)
    assert (line["capabilities"], line["vision"]) == ("", None)
    assert line["input_usd_per_million"] is None
    assert (line["source"][:8], line["read"]) == ("https://", "2026-10-16")


def test_a_line_has_the_facts_of_its_own_id():
    """Neither a retired model nor a counterpart elsewhere has those of another model."""
    found = {line["provider"]: line for line in lines("gpt-3.5-turbo", on=DAY)[:6]}
    old, elsewhere = found["openai"], found["mistral"]

    assert (old["id"], old["live"]) == ("gpt-3.5-turbo", "gpt-5.6-terra")
    assert (old["max_input"], old["capabilities"]) == (16_385, "tools")
    assert (old["input_usd_per_million"], old["output_usd_per_million"]) == (0.5, 1.5)
    assert (elsewhere["id"], elsewhere["max_input"]) == ("mistral-small", 256_000)


@pytest.mark.parametrize(
    ("id", "price"),
    [
        ("mistral-small-2402", None),
        ("mistral-large-2402", None),
        ("mistral-small-2603", 0.15),
        ("gpt-4-turbo-preview", 10.0),
        ("gemini-1.5-flash", 0.075),
    ],
)
def test_a_retired_version_has_not_the_price_of_the_latest(id, price):
    """A price table that lists only the latest version knows no price of an earlier one."""
    line = next(line for line in lines(id, on=DAY, every=True) if line["id"] == id)

    assert line["input_usd_per_million"] == price


@pytest.mark.parametrize(
    ("filter", "names"),
    [
        ("haiku", {"claude-3-haiku", "claude-3.5-haiku", "claude-haiku-4.5", "claude-haiku-5.5"}),
        ("gpt-3.5", {"gpt-3.5-turbo", "gpt-3.5-turbo-16k"}),
        ("claude-3-haiku-20240307", {"claude-3-haiku"}),
        ("HAIKU small", {"claude-3-haiku", "claude-3.5-haiku", "claude-haiku-4.5"}),
        ("sonnet-4", {"claude-sonnet-4", "claude-sonnet-4.5", "claude-sonnet-4.6"}),
    ],
)  # fmt: skip
def test_a_filter_chooses_names_and_not_counterparts(filter, names):
    """A name is not listed because its counterpart elsewhere has the word in its id."""
    found = lines(filter, on=DAY)

    assert {line["name"] for line in found} == names
    assert {line["provider"] for line in found} >= {"openai", "anthropic", "google", "mistral"}


def test_an_id_that_no_name_is_called_after_is_listed_by_itself():
    """The id of a counterpart is its own line, and not that of the name that it stands for."""
    (found,) = lines("gemini-1.5-flash-8b", on=DAY)

    assert (found["name"], found["id"], found["provider"]) == (
        "gemini-1.5-flash-8b", "gemini-1.5-flash-8b", "google",
    )  # fmt: skip


def test_every_id_is_listed_once_beside_the_names():
    """every=True adds the ids that the lines of the names do not have."""
    found = lines("haiku", on=DAY, every=True)
    places = [(line["provider"], line["id"]) for line in found if line["name"] == line["id"]]

    assert len(places) == len(set(places))
    assert ("openrouter", "~anthropic/claude-haiku-latest") in places
    assert not set(places) & {
        (line["provider"], line["id"]) for line in found if line["name"] != line["id"]
    }


def test_a_rerouted_id_cannot_be_called():
    """Its provider answers with another model, so it is not listed as callable."""
    day = date(2026, 12, 1)
    place = {"filter": "gemini-2.5-flash", "provider": "google", "on": day}

    assert "gemini-2.5-flash" in {line["id"] for line in lines(**place, alive=False)}
    assert "gemini-2.5-flash" not in {line["id"] for line in lines(**place, alive=True)}


def test_a_capability_that_no_source_tells_is_missing_and_not_false():
    """The frame has three answers: true, false and missing."""
    found = Models(lines("gemini-4-carbon", on=DAY, every=True)).frame()

    assert list(found.id) == ["gemini-4-carbon"]
    assert found.vision.isna().all()
    assert found.vision.dtype == "boolean"
    assert found.max_input.isna().all()


def test_the_frame_has_its_columns_also_when_nothing_fits():
    """Fixed columns and dtypes, no rows."""
    frame = Models(lines("no such thing at all", on=DAY)).frame()

    assert list(frame.columns) == list(listing.COLUMNS)
    assert len(frame) == 0
    assert frame.max_input.dtype == pd.Int64Dtype()


def test_all_words_of_a_filter_must_fit():
    """A state, a provider and a capability choose lines if no name has all words."""
    found = lines("haiku openrouter active", on=DAY)

    assert found
    assert {line["provider"] for line in found} == {"openrouter"}
    assert {line["lifecycle"] for line in found} == {"active"}


def test_the_table_can_be_narrowed_by_provider_capability_and_life():
    """Each argument removes what does not match."""
    dead = lines(alive=False, on=DAY)
    seeing = lines(capability="vision", provider="gemini", on=DAY)

    assert {line["lifecycle"] for line in dead} == {"retired"}
    assert {line["vision"] for line in seeing} == {True}
    assert {line["provider"] for line in seeing} == {"google"}
    assert "retired" not in {line["lifecycle"] for line in lines(alive=True, on=DAY)}


def test_an_id_without_a_standard_name_is_found_by_a_filter_or_among_every_one():
    """The table of standard names stays short; further ids are there on request."""
    names = {line["name"] for line in lines(on=DAY)}
    found = lines("gpt-5.6-cyber", on=DAY)
    every = lines(on=DAY, every=True)

    assert "gpt-5.6-cyber" not in names
    assert [line["id"] for line in found] == ["gpt-5.6-cyber"]
    assert {"gpt-5.6-cyber", "gpt-3.5-turbo"} <= {line["name"] for line in every}


def test_the_day_decides_what_the_table_says():
    """The same name a month later has another replacement."""
    now, later = (lines("gemini-2.5-flash", "google", on=day) for day in (DAY, date(2026, 12, 1)))

    assert [(line["lifecycle"], line["live"]) for line in (now[0], later[0])] == [
        ("deprecated", "gemini-2.5-flash"), ("rerouted", "gemini-3.5-flash-lite"),
    ]  # fmt: skip
    assert now[0]["retires_on"] == "2026-12-01"
    assert {line["rerouted_to"] for line in (now[0], later[0])} == {"gemini-3.5-flash-lite"}


@pytest.mark.parametrize("capability", list(Capability))
def test_every_capability_can_be_asked_for(capability):
    """All of them lead to models that are known to have it."""
    assert lines(capability=capability, on=DAY)


def test_what_there_is_not_is_answered_with_what_there_is():
    """A wrong filter, capability or provider gives one clear message."""
    with pytest.raises(ConfigError, match="filter must be words of a name, got 5"):
        lines(5, on=DAY)
    with pytest.raises(ConfigError, match="unknown capability 'visoin'; did you mean vision"):
        lines(capability="visoin", on=DAY)
    with pytest.raises(UnknownProviderError, match="did you mean google"):
        lines(provider="googel", on=DAY)


def test_what_one_runs_oneself_costs_nothing_and_an_unknown_price_is_missing():
    """0 by rule, and never 0 if the price is unknown."""
    own = lines("llama-3.1-8b", "ollama", on=DAY)[0]
    unpriced = lines("gemini-4-carbon", on=DAY, every=True)[0]

    assert (own["input_usd_per_million"], own["output_usd_per_million"]) == (0.0, 0.0)
    assert unpriced["input_usd_per_million"] is None
