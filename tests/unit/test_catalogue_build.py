"""The build of models.json: packages are merged, corrected, and completed by curated rows."""

from __future__ import annotations

import json
from itertools import permutations
from pathlib import Path

import pytest

from llmkit.providers.builtin import shipped
from tools.catalogue import build
from tools.catalogue.build import built, written
from tools.catalogue.endings import Ending, named
from tools.catalogue.judgement import class_by_words, family_by_words
from tools.catalogue.listings import NO_CHAT, Listing

CURATED = Path(__file__).parents[2] / "tools" / "catalogue" / "curated.json"
NOTHING = {"as_of": "2026-11-22", "sources": {}, "models": [], "not_models": []}


def rows_of(listings, endings=(), kept=NOTHING, names=(), aliases=()):
    return built(listings, endings, kept, list(names), list(aliases))


def ending(model, retires, *successors, provider="openai", deprecated=None, family=False):
    return Ending(
        provider, model, deprecated, retires, successors, "retire:openai", "2026-10-16", family
    )


def alias(name, target, provider="mistral"):
    return {"provider": provider, "alias": name, "target": target, "kind": "floating"}


@pytest.mark.parametrize(
    ("text", "ids"),
    [
        ("gpt-5 or gpt-4.1", ("gpt-5", "gpt-4.1")),
        ("gpt-5.6-sol (reasoning.mode: pro)", ("gpt-5.6-sol",)),
        ("gpt-image-2, gpt-image-1, or gpt-image-1-mini",
         ("gpt-image-2", "gpt-image-1", "gpt-image-1-mini")),
        ("The most capable cyber model available to you.", ()),
        ("", ()),
    ],
)  # fmt: skip
def test_ids_are_found_in_what_a_page_says_of_replacements(text, ids):
    """Free text becomes ids, or nothing."""
    assert named(text) == ids


def test_what_no_package_says_stays_unsaid():
    """A fact that no package has stays unknown."""
    row = rows_of([Listing("openai", "m", "litellm", has={"vision": True, "tools": False})])[
        "openai", "m"
    ]

    assert row["has"] == ["vision"]
    assert row["lacks"] == ["tools", "embedding"]
    assert not {"max_input", "max_output", "context_total", "in", "out"} & set(row)


def test_limits_are_kept_apart_and_the_careful_figure_counts():
    """The widest claim is the window, the narrowest the input; price tables round, and narrow none.

    If two packages differ on a capability litellm's value is used.
    """
    row = rows_of(
        [
            Listing("openai", "m", "litellm", max_input=272, max_output=128, has={"tools": True}),
            Listing("openai", "m", "langchain-openai", state="active", total=400, max_output=130,
                    has={"tools": False, "vision": True}),
            Listing("openai", "m", "genai-prices", total=100),
        ]
    )["openai", "m"]  # fmt: skip

    assert (row["context_total"], row["max_input"], row["max_output"]) == (400, 272, 128)
    assert row["has"] == ["vision", "tools"]
    assert row["facts"] == "litellm langchain-openai genai-prices"


@pytest.mark.parametrize(
    ("sources", "state"),
    [
        (["litellm"], "unknown"),
        (["langchain-openai"], "active"),
        (["litellm", "genai-prices"], "active"),
    ],
)
def test_one_list_alone_proves_no_life(sources, state):
    """A model in two lists is active; so is one in the list that drops retired models."""
    listings = [
        Listing("openai", "m", s, state="active" if "langchain" in s else None) for s in sources
    ]

    assert rows_of(listings)["openai", "m"]["state"] == state


def test_an_end_is_written_over_a_listing_and_its_state_goes():
    """A date takes precedence over a list."""
    row = rows_of(
        [Listing("openai", "m", "langchain-openai", state="active")], [ending("m", "2026-01-01")]
    )["openai", "m"]

    assert (row["retires"], row["read"], row.get("state")) == ("2026-01-01", "2026-10-16", None)


def test_a_line_of_models_is_not_an_id():
    """A page that names a family adds no row for it."""
    assert rows_of([], [ending("gpt-audio", "2027-01-20", family=True)]) == {}


def test_an_unlisted_successor_is_removed(capsys):
    """The build prints it, so that a maintainer can correct it."""
    rows = rows_of([Listing("openai", "b", "litellm")], [ending("a", "2026-01-01", "ghost", "b")])

    assert rows["openai", "a"]["successor"] == "b"
    assert "openai:a: no package lists ghost" in capsys.readouterr().out


def test_names_and_snapshots_end_together():
    """A bare name ends with its newest snapshot, an unlisted snapshot with its bare name."""
    rows = rows_of(
        [Listing("openai", i, "litellm") for i in ("a", "a-2025-01-01", "a-2025-06-01", "b",
                                                   "b-2025-01-01", "next")],
        [ending("a-2025-01-01", "2026-01-01", "next"), ending("a-2025-06-01", "2026-06-01", "next"),
         ending("b", "2026-03-01", "next")],
    )  # fmt: skip

    assert rows["openai", "a"]["retires"] == "2026-06-01"
    assert rows["openai", "a"]["successor"] == "next"
    assert rows["openai", "b-2025-01-01"]["retires"] == "2026-03-01"


def test_a_name_that_moved_on_looks_like_its_target():
    """Limits, class and end are the target's, however the name was listed."""
    rows = rows_of(
        [
            Listing("mistral", "small", "litellm", max_input=32),
            Listing("mistral", "small-2603", "langchain-mistralai", state="active", total=256),
        ],
        aliases=[alias("small", "small-latest"), alias("small-latest", "small-2603")],
    )

    assert rows["mistral", "small"].get("max_input") is None
    assert rows["mistral", "small"]["context_total"] == 256
    assert rows["mistral", "small"]["state"] == "active"


def test_openrouter_is_doubted_where_the_maker_has_ended_a_model_of_its_own():
    """Other providers serve open weights, independent of their maker."""
    listings = [
        Listing("openrouter", f"openai/{i}", "langchain-openrouter", state="active", open_weights=o)
        for i, o in (("closed", False), ("open", True), ("alive", False))
    ]
    listings.append(Listing("openai", "alive", "litellm"))
    ends = [ending("closed", "2026-10-23"), ending("open", "2026-10-23")]

    rows = rows_of(listings, ends)

    assert [rows["openrouter", f"openai/{i}"]["state"] for i in ("closed", "open", "alive")] == [
        "unknown", "active", "active",
    ]  # fmt: skip


def test_of_two_spellings_one_stays():
    """3.5 and 3-5 are one id; the spelling of more packages is kept."""
    rows = rows_of(
        [Listing("mistral", "m-3.5", "litellm"), Listing("mistral", "m-3-5", "litellm"),
         Listing("mistral", "m-3-5", "genai-prices")]
    )  # fmt: skip

    assert list(rows) == [("mistral", "m-3-5")]


def test_rows_kept_by_hand_win_and_can_take_away():
    """Null removes a field; rows that are not models are omitted."""
    kept = {
        **NOTHING,
        "models": [{"provider": "openai", "id": "m", "retires": None, "rerouted": "2026-12-01",
                    "rerouted_to": "n", "source": "hand"}],
        "not_models": [{"provider": "openai", "id": "tool", "why": "a product"}],
    }  # fmt: skip
    listings = [Listing("openai", i, "litellm") for i in ("m", "n", "tool")]

    rows = rows_of(listings, [ending("m", "2026-12-01")], kept)

    assert set(rows) == {("openai", "m"), ("openai", "n")}
    assert (rows["openai", "m"].get("retires"), rows["openai", "m"]["rerouted"]) == (
        None, "2026-12-01",
    )  # fmt: skip


def test_the_same_facts_give_the_same_bytes():
    """The order in which ids are found does not matter."""
    listings = [Listing("openai", i, "litellm") for i in ("b", "a", "c")]
    texts = {written(rows_of(order), NOTHING) for order in permutations(listings)}

    (text,) = texts
    assert [row["id"] for row in json.loads(text)["models"]] == ["a", "b", "c"]
    assert len(text.splitlines()) == 5


@pytest.mark.parametrize(
    ("model", "kind", "family"),
    [
        ("gemini-3.8-pro", "flagship", "gemini-3.8-pro"),  # "mini" is not a word of "gemini"
        ("gpt-5.4-mini-2026-03-17", "small", "gpt-5.4-mini"),
        ("text-embedding-004", "embedding", "text-embedding"),
        ("qwen/qwen3-coder-30b-instruct", "code", "qwen3-coder-30b"),
        ("llama3.2:1b", "nano", "llama3.2"),
        ("meta-llama/llama-3.1-405b-instruct", "flagship", "llama-3.1-405b"),
        ("claude-9-nova", None, "claude-9-nova"),
    ],
)
def test_a_class_and_a_family_are_read_from_the_words_of_an_id(model, kind, family):
    """A curated class, for ids without a standard name."""
    assert (class_by_words(model), family_by_words(model)) == (kind, family)


@pytest.mark.parametrize(
    "model",
    ["gpt-image-1", "dall-e-3", "veo-3.1-generate-preview", "tts-1", "whisper-1", "ft-gpt-4",
     "Agent Builder", "Evals platform", "omni-moderation", "1024-x-1024/high/gpt-image-1.5",
     "gpt-realtime", "sora-2"],
)  # fmt: skip
def test_products_that_are_no_chat_models_are_left_out(model):
    """Pictures, sound, unreleased lines, fine-tunes by family and entries that are not models."""
    assert NO_CHAT.search(model)


def test_every_row_kept_by_hand_is_in_the_shipped_file():
    """The snapshot was built after the last change of a curated file."""
    kept = json.loads(CURATED.read_text(encoding="utf-8"))
    catalogue = shipped()

    assert kept["as_of"] == catalogue.as_of.isoformat()
    for row in kept["models"]:
        entry = catalogue.entry(row["provider"], row["id"])
        assert entry is not None, row
        if "successor" in row:
            assert entry.successors[0] == row["successor"]
        if row.get("rerouted"):
            assert (entry.rerouted.isoformat(), entry.rerouted_to) == (  # type: ignore[union-attr]
                row["rerouted"], row["rerouted_to"],
            )  # fmt: skip
    assert not any(catalogue.entry(row["provider"], row["id"]) for row in kept["not_models"])


def test_a_catalogue_with_mistakes_is_not_written(monkeypatch, tmp_path):
    """Without the packages' rows aliases have no target: the build names them, and stops."""
    for name in ("equivalents", "classes", "aliases"):
        (tmp_path / f"{name}.json").write_bytes((build.TARGET / f"{name}.json").read_bytes())
    monkeypatch.setattr(build, "listings", lambda downloads: [])
    monkeypatch.setattr(build, "endings", lambda downloads: [])

    with pytest.raises(SystemExit, match=r"aliases: .*, which no row is about") as stopped:
        build.main(tmp_path, tmp_path)

    assert str(stopped.value).endswith("models.json was not written")
    assert not (tmp_path / "models.json").exists()
