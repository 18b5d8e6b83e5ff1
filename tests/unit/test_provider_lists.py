"""The effect of providers' own lists on the catalogue, and their cache."""

from __future__ import annotations

import json
import stat
from datetime import UTC, date, datetime, timedelta

import pytest

from llmkit.catalogue.entry import Alias, Model, ModelEntry, StandardName
from llmkit.catalogue.lifecycle import is_listed, lifecycle_of
from llmkit.catalogue.loader import by_provider, indexed
from llmkit.catalogue.provider_lists import ProviderModelList, document, list_from, with_lists
from llmkit.catalogue.resolution import why
from llmkit.catalogue.resolve import resolve
from llmkit.configuration.model_list_cache import ModelListCache
from llmkit.providers.builtin import provider_table
from llmkit.types import Capability, How, Lifecycle

NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)
DAY = NOW.date()
HOME = "https://api.openai.com/v1"
GONE = date(2026, 10, 23)


def entry(name, provider="openai", **known):
    known = {"state": Lifecycle.ACTIVE, **known}
    return ModelEntry(provider, name, **known)


def world(*entries, **more):
    return indexed(DAY, models=by_provider(entries), names=more.get("names", ()),
                   aliases=more.get("aliases", ()), classes={},
                   providers=provider_table())  # fmt: skip


def listed(*models, provider="openai", at=NOW):
    made = [Model(provider, m) if isinstance(m, str) else m for m in models]
    return ProviderModelList(provider, HOME, at, tuple(made))


def state(catalogue, name, provider="openai"):
    return lifecycle_of(catalogue, provider, name, DAY)


def test_a_model_that_only_the_list_has_is_resolved():
    """An id that the catalogue lacks is exact and verified."""
    found = with_lists(world(), [listed("gpt-7")], NOW)

    resolution = resolve("gpt-7", on=DAY, catalogue=found)

    assert (resolution.provider, resolution.id, resolution.how) == ("openai", "gpt-7", How.EXACT)
    assert (resolution.verified, resolution.lifecycle) == (True, Lifecycle.ACTIVE)


@pytest.mark.parametrize(
    ("known", "model", "is_now"),
    [
        ({"retires": GONE}, Model("openai", "m"), "active"),
        ({"state": Lifecycle.UNKNOWN}, Model("openai", "m"), "active"),
        ({"deprecated": GONE}, Model("openai", "m"), "deprecated"),
        ({"rerouted": GONE}, Model("openai", "m"), "rerouted"),
        ({"retires": GONE}, Model("openai", "m", lifecycle=Lifecycle.ACTIVE), "active"),
        ({"deprecated": GONE}, Model("openai", "m", lifecycle=Lifecycle.ACTIVE), "active"),
        ({}, Model("openai", "m", lifecycle=Lifecycle.DEPRECATED), "deprecated"),
        ({}, Model("openai", "m", lifecycle=Lifecycle.RETIRED), "retired"),
        ({}, Model("openai", "m", lifecycle=Lifecycle.DEPRECATED, retires_on=GONE), "retired"),
    ],
)
def test_the_list_has_the_say_over_a_lifecycle(known, model, is_now):
    """Its lifecycle takes precedence, being listed means active, and future dates are kept."""
    found = with_lists(world(entry("m", **known)), [listed(model)], NOW)

    assert state(found, "m") == is_now


def test_the_lists_facts_win_and_add_up():
    """Limits and capabilities are the list's if it has any, else the catalogue's."""
    known = entry("m", max_input=5, max_output=6, capabilities=frozenset({Capability.TOOLS}))
    model = Model("openai", "m", max_input=9, capabilities=frozenset({Capability.VISION}))

    found = with_lists(world(known), [listed(model)], NOW).entry("openai", "m")

    assert (found.max_input, found.max_output) == (9, 6)
    assert found.capabilities == {Capability.TOOLS, Capability.VISION}
    assert (found.source, found.read) == ("openai's own list", DAY)


def test_what_the_list_says_is_not_there_is_not_there():
    """A capability that the list denies is removed from the catalogue's row."""
    known = entry("m", capabilities=frozenset({Capability.TOOLS}))
    model = Model("openai", "m", lacks=frozenset({Capability.TOOLS}))

    found = with_lists(world(known), [listed(model)], NOW).entry("openai", "m")

    assert (found.capabilities, found.lacks) == (frozenset(), {Capability.TOOLS})


def test_equivalents_stay_those_of_the_catalogue():
    """A list has no peers, so it changes none."""
    name = StandardName("n", "small", "n", DAY, {"openai": ("m",), "google": ("g",)})

    found = with_lists(world(entry("m"), names=[name]), [listed("x")], NOW)

    assert found.names["n"].peers == name.peers


def test_what_a_fresh_list_lacks_is_marked():
    """Absence counts only for the provider of the list, and for an alias by its target."""
    alias = Alias("openai", "floating", "m-20260101", "floating", "s")
    known = world(
        entry("absent"), entry("floating"), entry("m-20260101"), entry("x", "google"),
        aliases=[alias],
    )  # fmt: skip

    found = with_lists(known, [listed("m-20260101")], NOW)

    names = [
        ("openai", "absent"),
        ("openai", "m-20260101"),
        ("openai", "floating"),
        ("google", "x"),
    ]
    assert [is_listed(found, *name) for name in names] == [False, True, True, None]


def test_a_name_that_the_list_lacks_says_so():
    """resolve and why report that the provider's own list lacks an id."""
    found = with_lists(world(entry("m"), entry("n")), [listed("n")], NOW)

    lacking, there = (resolve(name, on=DAY, catalogue=found) for name in ("m", "n"))

    assert (lacking.listed, there.listed) == (False, True)
    assert "It is missing from its provider's own list." in why(lacking)


def test_ollamas_latest_is_the_name_without_a_tag():
    """llama2 is there if llama2:latest is listed."""
    known = world(entry("llama2", "ollama"), entry("qwen3", "ollama"))

    found = with_lists(known, [listed("llama2:latest", provider="ollama")], NOW)

    assert [is_listed(found, "ollama", n) for n in ("llama2", "qwen3")] == [None, False]


def test_an_old_list_only_adds_unknown_ids():
    """After a day it does not override the catalogue, but its ids still resolve."""
    old = listed("new", Model("openai", "m", lifecycle=Lifecycle.RETIRED), at=NOW - timedelta(1))

    found = with_lists(world(entry("m"), entry("absent")), [old], NOW)

    assert [state(found, n) for n in ("new", "m", "absent")] == ["active"] * 3
    assert [is_listed(found, "openai", n) for n in ("new", "absent")] == [None, None]


def test_a_list_that_names_every_alias_as_a_model_makes_no_circle():
    """Of two rows that are aliases of each other, the dated one is the model."""
    rows = [
        Model("mistral", "small-latest", aliases=("small-2603",)),
        Model("mistral", "small-2603", aliases=("small-latest",)),
    ]

    found = with_lists(world(), [listed(*rows, provider="mistral")], NOW)

    assert found.concrete("mistral", "small-latest") == "small-2603"
    assert found.concrete("mistral", "small-2603") == "small-2603"


def test_an_alias_that_has_moved_follows_the_list():
    """The list's target takes precedence over the catalogue's."""
    stale = Alias("mistral", "small-latest", "small-2503", "floating", "s")
    rows = [Model("mistral", "small-2603", aliases=("small-latest",))]

    found = with_lists(world(aliases=[stale]), [listed(*rows, provider="mistral")], NOW)

    assert found.concrete("mistral", "small-latest") == "small-2603"


def test_without_lists_nothing_is_made_again():
    """Without lists the same catalogue is returned."""
    known = world(entry("m"))

    assert with_lists(known, [], NOW) is known


FULL = listed(
    Model("openai", "m", "M", Lifecycle.DEPRECATED, GONE, "n", 1, 2,
          frozenset({Capability.TOOLS}), frozenset({Capability.VISION}), ("a", "b")),
    "bare",
)  # fmt: skip


def test_a_list_comes_back_from_its_document_as_it_was():
    """All fields of a list are kept."""
    assert list_from(json.loads(json.dumps(document(FULL)))) == FULL


def test_a_kept_list_is_read_again(tmp_path):
    """Another process reads it, for the same address only, and other users cannot."""
    kept = ModelListCache(lambda: tmp_path / "cache")
    kept.write(FULL)
    (file,) = (tmp_path / "cache" / "models").iterdir()

    assert ModelListCache(lambda: tmp_path / "cache").read("openai", HOME) == FULL
    assert kept.read("openai", "https://elsewhere.example/v1") is None
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert stat.S_IMODE(file.parent.stat().st_mode) == 0o700


@pytest.mark.parametrize(
    "text", ["", "[]", "{}", '{"schema": "llmkit.models", "version": 9}', "\xff", "null"]
)
def test_a_damaged_list_is_ignored(tmp_path, caplog, text):
    """It is logged, and the next refresh replaces it."""
    kept = ModelListCache(lambda: tmp_path)
    kept.write(FULL)
    (file,) = (tmp_path / "models").iterdir()
    file.write_text(text, encoding="latin-1")

    assert kept.read("openai", HOME) is None
    assert "cannot be read" in caplog.text


def test_a_list_without_a_zone_in_its_time_is_damaged():
    """A time without a zone is invalid."""
    data = {**document(FULL), "read_at": "2026-11-24T12:00:00"}

    with pytest.raises(ValueError, match="zone"):
        list_from(data)


def test_nothing_is_kept_without_a_folder():
    """A kit with an environment of its own does not touch the home folder."""
    kept = ModelListCache(lambda: None)

    kept.write(FULL)

    assert kept.read("openai", HOME) is None


def test_a_folder_that_cannot_be_made_is_told(tmp_path):
    """If the folder is not writable, the caller gets the error."""
    (tmp_path / "file").write_text("")

    with pytest.raises(NotADirectoryError):
        ModelListCache(lambda: tmp_path / "file").write(FULL)


def test_a_list_from_a_clock_far_ahead_is_not_fresh():
    """It never overrides the catalogue, and its end can be computed."""
    latest = datetime.max.replace(tzinfo=UTC)

    assert not listed("m", at=latest).fresh(NOW)
    assert listed("m", at=NOW + timedelta(hours=1)).fresh(NOW)
