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
    """The peer of its time with its end, and its replacement with limits and price."""
    (line,) = lines("gpt-3.5-turbo", "anthropic", on=DAY)[:1]

    assert {key: line[key] for key in ("name", "class", "family", "provider", "id")} == {
        "name": "gpt-3.5-turbo", "class": "small", "family": "gpt-3.5", "provider": "anthropic",
        "id": "claude-instant-1.2",
    }  # fmt: skip
    assert (line["lifecycle"], line["retires_on"]) == ("retired", "2024-11-06")
    assert (line["live"], line["live_rule"]) == ("claude-haiku-4-5-20251001", "official-successor")
    assert (line["context_total"], line["max_input"], line["max_output"]) == (
        200_000, 200_000, 64_000,
    )  # fmt: skip
    assert line["capabilities"] == "json_schema, reasoning, tools, vision"
    assert (line["vision"], line["embedding"]) == (True, False)
    assert line["input_usd_per_million"] == 1.0
    assert (line["source"][:8], line["read"]) == ("https://", "2026-10-16")


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
    """In the name, the id, the family, the class, the state, the provider or the capabilities."""
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


@pytest.mark.parametrize("capability", list(Capability))
def test_every_capability_can_be_asked_for(capability):
    """All of them lead to models that are known to have it."""
    assert lines(capability=capability, on=DAY)


def test_what_there_is_not_is_answered_with_what_there_is():
    """A misspelled capability or provider gives one clear message."""
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
