"""Every possible mistake in a catalogue is found, and named with its file and its row."""

from __future__ import annotations

import copy
from datetime import date

import pytest

from tools.catalogue.validate import problems

DAY = date(2026, 11, 22)
GOOD = {
    "models": {
        "as_of": "2026-11-22",
        "models": [
            {"provider": "openai", "id": "old", "deprecated": "2025-01-01", "retires": "2026-01-01",
             "successor": "mid", "source": "a page", "read": "2026-11-22"},
            {"provider": "openai", "id": "mid", "retires": "2026-06-01", "successor": "new",
             "source": "a page", "read": "2026-11-22"},
            {"provider": "openai", "id": "new", "state": "active", "context_total": 100,
             "max_input": 90, "has": ["vision"], "lacks": ["embedding"],
             "source": "a page", "read": "2026-11-22"},
            {"provider": "anthropic", "id": "theirs", "state": "active",
             "source": "a page", "read": "2026-11-22"},
        ],
    },
    "equivalents": {
        "names": [
            {"name": "old", "class": "small", "family": "f", "released": "2024-01-01",
             "peers": {"openai": ["old"], "anthropic": ["theirs"]}},
        ]
    },
    "classes": {"classes": [{"class": "small", "picks": {"openai": ["new"]}}]},
    "aliases": {
        "aliases": [
            {"provider": "openai", "alias": "latest", "target": "new", "kind": "floating",
             "source": "a page", "read": "2026-11-22"},
        ]
    },
}  # fmt: skip


def row(files, name, index):
    return files[name]["names" if name == "equivalents" else name][index]


def test_a_good_catalogue_has_no_problem():
    """Chains that end in an available model are valid."""
    assert problems(GOOD, DAY) == ()


BREAKS = [
    # file, row, the change, the message
    ("models", 2, {"retires": "2026-07-01", "successor": "old"},
     "models: openai:old leads in a circle: old -> mid -> new"),
    ("models", 1, {"successor": "ghost"},
     "models: openai:mid names the successor ghost, which no row is about"),
    ("models", 1, {"successor": "theirs"},
     "models: openai:mid names the successor theirs, which is anthropic's"),
    ("models", 2, {"retires": "2026-11-01"},
     "models: openai:old leads only to retired models: old -> mid -> new"),
    ("models", 2, {"retires": "2026-11-01"},
     "classes: small picks openai:new, which is retired on 2026-11-22"),
    ("models", 2, {"rerouted": "2026-11-01", "rerouted_to": "mid"},
     "classes: small picks openai:new, which is rerouted on 2026-11-22"),
    ("models", 2, {"rerouted": "2026-11-01"},
     "models: openai:new has no date of its rerouting or no target of it"),
    ("models", 0, {"source": ""},
     "models: openai:old has no source or no date of reading"),
    ("models", 0, {"read": None},
     "models: openai:old has no source or no date of reading"),
    ("models", 3, {"provider": "opnai"}, "models: unknown provider 'opnai'"),
    ("models", 0, {"id": "New"}, "models: openai:new appears 2 times, ignoring spelling"),
    ("models", 2, {"class": "tiny"}, "models: openai:new has the unknown class 'tiny'"),
    ("models", 2, {"lacks": ["vision"]}, "models: openai:new both has and lacks vision"),
    ("models", 2, {"max_input": 101}, "models: openai:new takes more input than its window"),
    ("models", 0, {"deprecated": "2026-02-01"},
     "models: openai:old ends before its end is announced"),
    ("equivalents", 0, {"class": "tiny"},
     "equivalents: old has the unknown class 'tiny'"),
    ("equivalents", 0, {"peers": {"openai": ["theirs"]}},
     "equivalents: old names openai:theirs, which is anthropic's"),
    ("equivalents", 0, {"peers": {"opnai": ["old"]}},
     "equivalents: old names the unknown provider 'opnai'"),
    ("equivalents", 0, {"peers": {"openai": []}}, "equivalents: old names openai without an id"),
    ("classes", 0, {"picks": {"openai": ["ghost"]}},
     "classes: small names openai:ghost, which no row is about"),
    ("classes", 0, {"class": "tiny"}, "classes: unknown class 'tiny'"),
    ("aliases", 0, {"target": "ghost"},
     "aliases: openai:latest leads to ghost, which no row is about"),
    ("aliases", 0, {"target": "latest"}, "aliases: openai:latest leads in a circle"),
    ("aliases", 0, {"kind": "odd"}, "aliases: openai:latest has the unknown kind 'odd'"),
    ("aliases", 0, {"source": ""},
     "aliases: openai:latest has no source or no date of reading"),
    ("aliases", 0, {"provider": "opnai"}, "aliases: unknown provider 'opnai'"),
]  # fmt: skip


@pytest.mark.parametrize(("name", "index", "change", "said"), BREAKS)
def test_each_mistake_is_named_with_its_file_and_row(name, index, change, said):
    """One wrong value gives one message."""
    files = copy.deepcopy(GOOD)
    row(files, name, index).update(change)

    assert said in problems(files, DAY)


@pytest.mark.parametrize("name", ["models", "equivalents", "classes", "aliases"])
def test_a_row_that_is_there_twice_is_found(name):
    """The second one would silently hide the first."""
    files = copy.deepcopy(GOOD)
    rows = files[name]["names" if name == "equivalents" else name]
    rows.append(copy.deepcopy(rows[0]))

    assert any(f"{name}: " in said and "2 times" in said for said in problems(files, DAY))
