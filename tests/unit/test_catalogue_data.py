"""The shipped catalogue is complete and valid, and its mapping has the usual names."""

from __future__ import annotations

import json
from datetime import date
from importlib import resources

import pytest

from llmkit import MODEL_NAME_MAPPING
from llmkit.catalogue.entry import normal
from llmkit.catalogue.loader import FILES
from llmkit.providers.builtin import shipped
from llmkit.types import Capability
from tools.catalogue.validate import CLASSES, problems

SIX = ("openai", "openrouter", "anthropic", "mistral", "ollama", "google")


def text_of(name):
    return resources.files("llmkit.catalogue").joinpath(f"{name}.json").read_text(encoding="utf-8")


def test_the_shipped_files_have_no_mistake():
    """No loop, no dangling successor, no unknown provider, no default retired on its date."""
    files = {name: json.loads(text_of(name)) for name in FILES}

    assert problems(files, shipped().as_of) == ()


@pytest.mark.parametrize("name", FILES)
def test_a_data_file_has_one_row_a_line_in_order(name):
    """A difference between two versions then reads like a list of facts."""
    first, *lines = text_of(name).strip().split("\n")
    rows = [json.loads(line.rstrip(",")) for line in lines[:-1]]

    assert "as_of" in first
    assert lines[-1] == "]}"
    if name == "models":
        places = list(dict.fromkeys(row["provider"] for row in rows))
        assert rows == sorted(rows, key=lambda row: (places.index(row["provider"]), row["id"]))


def test_there_are_97_standard_names():
    """The table of standard names is whole, and most names have a peer at all six providers."""
    names = shipped().names.values()

    assert len(names) == 97
    assert sum(len(ids) for name in names for ids in name.peers.values()) == 583
    assert len({(p, i) for name in names for p, ids in name.peers.items() for i in ids}) == 255
    assert {place for name in names for place in name.peers} == set(SIX)


def test_there_are_eight_classes_with_picks_at_six_providers():
    """Only Anthropic has no embeddings."""
    classes = shipped().classes

    assert set(classes) == set(CLASSES)
    lacking = {(kind, p) for kind, picks in classes.items() for p in SIX if p not in picks}
    assert lacking == {("embedding", "anthropic")}


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
    """Names of only one provider lead to themselves, shorthands to their targets."""
    assert MODEL_NAME_MAPPING["mistral"]["mistral-tiny"] == "mistral-tiny"
    assert MODEL_NAME_MAPPING["mistral"]["mistral-small"] == "mistral-small"
    assert MODEL_NAME_MAPPING["anthropic"]["haiku"] == "claude-haiku-5-5"
    assert set(SIX) <= set(MODEL_NAME_MAPPING)


def test_the_mapping_cannot_be_changed():
    """All levels are read-only."""
    with pytest.raises(TypeError):
        MODEL_NAME_MAPPING["standard"]["x"] = {}  # type: ignore[index]
    with pytest.raises(TypeError):
        MODEL_NAME_MAPPING["standard"]["gpt-3.5-turbo"]["x"] = "y"  # type: ignore[index]
    with pytest.raises(TypeError):
        MODEL_NAME_MAPPING["mistral"]["x"] = "y"  # type: ignore[index]


def test_comparing_names_never_merges_two_ids():
    """Among all ids of one provider no two have the same normal form."""
    for models in shipped().models.values():
        assert len({normal(model) for model in models}) == len(models)


def test_what_no_source_says_is_unknown_and_not_false():
    """True, false and unknown are three answers; limits are distinct."""
    luna = shipped().entry("openai", "gpt-6-luna")
    carbon = shipped().entry("google", "gemini-4-carbon")

    assert luna is not None
    assert carbon is not None
    assert (luna.has(Capability.VISION), luna.has(Capability.EMBEDDING)) == (True, False)
    assert (luna.context_total, luna.max_input, luna.max_output) == (1_050_000, 922_000, 128_000)
    assert luna.input_modalities == {"text", "image", "pdf"}
    assert [carbon.has(word) for word in Capability] == [None] * len(Capability)
    assert carbon.input_limit is None


def test_a_row_says_where_it_was_read_in_full_words():
    """The short source words of the file become names with versions."""
    luna = shipped().entry("openai", "gpt-6-luna")
    llama = shipped().entry("ollama", "llama3.1:8b")

    assert luna is not None
    assert llama is not None
    assert luna.source.startswith("listed by litellm 1.")
    assert llama.source == "Ollama's library, as of 2026-05"
    assert llama.facts.startswith("docs.ollama.com")
    assert llama.read == date(2026, 11, 22)


def test_a_name_that_moved_on_has_what_it_points_at():
    """mistral-small is today's Small, even if a list has an older target."""
    small, today = (shipped().entry("mistral", i) for i in ("mistral-small", "mistral-small-2603"))

    assert small is not None
    assert today is not None
    assert (small.max_input, small.capabilities, small.family, small.kind) == (
        today.max_input, today.capabilities, today.family, today.kind,
    )  # fmt: skip
