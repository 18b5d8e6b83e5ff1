"""The tables of the panels: plain values in; text, HTML and data for a script out."""

from __future__ import annotations

import json
import os
from dataclasses import asdict
from datetime import UTC, date, datetime

import pytest

from llmkit import errors
from llmkit.catalogue import listing
from llmkit.catalogue.lifecycle import chain
from llmkit.providers.builtin import shipped
from llmkit.reports import AuthReport, Leaks, LiveModels, Models, Sessions
from llmkit.secret import Secret
from llmkit.types import Lifecycle
from llmkit.views.markup import width_of
from llmkit.views.tables import units
from llmkit.views.tables.auth import STATES, auth_table
from llmkit.views.tables.models import (
    badge,
    by_name,
    equivalents_table,
    home,
    models_table,
    picked,
    tags,
    why_table,
)
from llmkit.views.tables.sessions import leaks_table, sessions_table
from llmkit.views.tables.table import (
    Line,
    Table,
    TableCell,
    TableColumn,
    plain,
    tables_html,
    tables_text,
)

TODAY = date(2026, 11, 25)
SMALL = Table(
    "Keys",
    (
        TableColumn("state"),
        TableColumn("advice", text=False),
        TableColumn("n", number=True, spare=1),
    ),
    (
        Line(
            "a",
            (TableCell("✗ rejected", "bad", "401"), TableCell("Make a new one."), TableCell("12")),
        ),
    ),
    note="One of one.",
)


def auth(provider="openai", state="ready", **more):
    return {"provider": provider, "state": state, **more}


def session(number=1, status="open", **more):
    row = {
        "id": f"s{number}", "provider": "lab", "kind": "registered", "status": status,
        "cell": "c1", "execution_count": 3, "age_s": 61.0, "idle_s": 2.0, "requests": 4,
        "in_flight": 1, "open_connections": None, "bytes_in": 2048, "closed_by": None,
        "opened_at": "",
    }  # fmt: skip
    return {**row, **more}


def model(**more):
    row = {
        "name": "gpt-4", "class": "flagship", "provider": "openai", "id": "gpt-4",
        "lifecycle": "active", "retires_on": None, "live": "gpt-4", "live_rule": "same",
        "max_input": 128_000, "capabilities": "tools, vision", "input_usd_per_million": 2.5,
        "output_usd_per_million": 10.0,
    }  # fmt: skip
    return {**row, **more}


class Closeable:
    """A resource with a close method."""

    def close(self):
        pass


def texts(table):
    return [[cell.text for cell in line.cells] for line in table.lines]


def column(table, name):
    place = [c.name for c in table.columns].index(name)
    return [line.cells[place].text for line in table.lines]


def test_a_table_as_text_has_its_sentences_below_the_line():
    """Numbers are right-aligned, and a narrow column does not cut advice."""
    assert tables_text(SMALL, width=40).splitlines() == [
        "Keys",
        "state        n",
        "----------  --",
        "✗ rejected  12",
        "    Make a new one.",
        "One of one.",
    ]


def test_a_table_as_text_is_aligned_by_columns_of_the_screen_and_cut_to_the_width():
    """Wide characters count twice, in left-aligned text and right-aligned numbers."""
    cells = [("漢字", "1"), ("xyzw", "–")]
    lines = tuple(Line(a, (TableCell(a), TableCell(b))) for a, b in cells)
    table = Table("T", (TableColumn("a"), TableColumn("円", number=True)), lines)

    assert tables_text(table, width=40).splitlines()[1:] == [
        "a     円", "----  --", "漢字   1", "xyzw   –",
    ]  # fmt: skip
    assert all(width_of(line) <= 5 for line in tables_text(table, width=5).splitlines())


def test_a_table_as_html_reads_without_its_style():
    """Caption, headed columns, a sign with its word, and inline alignment."""
    html = tables_html(SMALL)

    assert "<caption>Keys</caption>" in html
    assert html.count('<th scope="col"') == 3
    assert '<th scope="col" style="text-align:left">state</th>' in html
    assert '<td class="lk-bad" style="text-align:left" title="401">✗ rejected</td>' in html
    assert 'style="text-align:right">12<' in html


def test_a_table_as_data_is_json_with_every_cell():
    """Cells are text, tone and title, as far as present."""
    data = json.loads(json.dumps(plain(SMALL)))

    assert data["lines"] == [
        {"id": "a", "cells": [["✗ rejected", "bad", "401"], ["Make a new one."], ["12"]]}
    ]
    assert [c["spare"] for c in data["columns"]] == [0, 0, 1]


def test_an_empty_table_is_a_sentence():
    """An empty table has no header."""
    empty = Table("Leaks", (TableColumn("status"),), (), "No session leaked.")

    assert tables_text(empty, width=40) == "Leaks\nNo session leaked."
    assert "<th" not in tables_html(empty)


@pytest.mark.parametrize("show", [tables_html, tables_text, lambda t: json.dumps(plain(t))])
def test_nothing_in_a_table_can_act_and_no_key_is_in_it(show):
    """Foreign markup, escapes and keys are harmless in every form."""
    key = Secret("sk-canary-9876543210").reveal()
    odd = Table(
        key, (TableColumn("a"),), (Line("x", (TableCell("<b>\x1b[31m", title=key),)),), note=key
    )

    said = show(odd)

    assert "canary" not in said
    assert "\x1b" not in said
    assert "<b>" not in said or show is not tables_html


def test_every_sign_in_state_has_a_sign_and_its_word():
    """Colour is not the only sign."""
    from llmkit.authentication.status import SignInState

    assert set(STATES) == {state.value for state in SignInState}
    (said,) = column(auth_table([auth(state="not_running")]), "state")
    assert said == "○ not running"


def test_a_key_is_known_by_its_source_and_its_end():
    """At most four characters are shown, and a dash without a key."""
    rows = [auth(key_source="variable OPENAI_API_KEY", key_tail="1a2b"), auth(key_source="none")]

    assert column(auth_table(rows), "key") == ["variable OPENAI_API_KEY …1a2b", "–"]


def test_advice_is_in_the_text_of_a_sign_in():
    """A terminal shows what to do, below the line."""
    report = AuthReport([auth(state="no_key", advice="Set OPENAI_API_KEY.")])

    assert "    Set OPENAI_API_KEY." in str(report).splitlines()
    assert "Set OPENAI_API_KEY." in report._repr_html_()


def test_open_sessions_come_first_and_old_closed_ones_are_counted():
    """The newest open one is on top; only the last closed ones are shown."""
    rows = [*(session(i, "closed", closed_by="rerun") for i in range(12)), session(98), session(99)]

    table = sessions_table(rows)

    assert column(table, "id")[:3] == ["s99", "s98", "s11"]
    assert len(table.lines) == 10
    assert table.note == "4 more were closed earlier; sessions().frame() lists them."
    assert column(table, "closed because")[2] == "its cell ran again"


def test_a_session_names_its_cell_and_its_age():
    """Users know a cell by its number."""
    table = sessions_table([session()])

    assert [column(table, name)[0] for name in ("cell", "age", "received", "open connections")] == [
        "In [3]",
        "1 min",
        "2.0 kB",
        "–",
    ]


def test_leaks_stand_apart_with_the_cell_and_the_line_that_made_them():
    """A leak is in no table of open sessions; a kernel's file name is shown as a line."""
    lost = session(
        7, "leaked", closed_by="collected", opened_at="/tmp/ipykernel_12/3456789.py:4", age_s=3.0
    )

    assert texts(sessions_table([lost])) == []
    leaks = leaks_table([lost, session(8)])
    assert column(leaks, "opened by") == ["In [3]"]
    assert column(leaks, "opened at") == ["line 4 of its cell"]
    assert "with block" in leaks.note


def test_a_leak_outside_of_a_cell_names_its_file():
    """In a script users look for the file and the line."""
    for place in ("/home/me/lab.py:12", "/home/me/ipykernel_1/2.py:12"):
        lost = session(7, "leaked", opened_at=place, cell=None, execution_count=None)

        assert column(leaks_table([lost]), "opened at") == [place]


def test_the_session_report_shows_leaks_only_where_there_are_any():
    """Without leaks there is one table."""
    assert "Leaks" not in str(Sessions([session()]))
    assert "Leaks" in str(Sessions([session(), session(2, "leaked")]))
    assert "No session leaked." in str(Leaks([]))


def test_a_name_has_one_line_with_a_column_for_each_provider():
    """The facts of the maker's id and what to call today follow the name; ids come after them."""
    other = model(provider="mistral", id="mistral-medium-2312", lifecycle="retired",
                  retires_on="2025-06-16", live="mistral-medium-latest")  # fmt: skip
    table = models_table([model(), other])

    assert [c.name for c in table.columns[:6]] == [
        "name", "state", "capabilities", "context", "US$/M in / out",
        "today: id, context, US$/M",
    ]  # fmt: skip
    assert texts(table) == [
        ["gpt-4", "● active", "tools, vision", "128k", "2.5 / 10", "the same", "flagship",
         "● gpt-4", "✗ mistral-medium-2312"]
    ]  # fmt: skip
    title = table.lines[0].cells[-1].title
    assert title == "mistral-medium-2312: retired since 2025-06-16; today mistral-medium-latest"


def test_a_name_without_its_makers_model_has_dashes():
    """The facts of a counterpart stand beside the counterpart only."""
    rows = [model(provider=name, id=f"{name}-large") for name in ("mistral", "google")]

    assert texts(models_table(rows)) == [
        ["gpt-4", "–", "–", "–", "–", "–", "flagship", "● mistral-large", "● google-large"]
    ]
    assert tags("gpt-4", rows) == []


def test_one_provider_is_a_list_with_facts_beside_its_ids():
    """With one provider the line of a name is that of its counterpart there."""
    rows = [model(provider="mistral", id="mistral-medium-2312", live="mistral-medium-latest")]

    assert texts(models_table(rows)) == [
        ["gpt-4", "mistral", "mistral-medium-2312", "● active", "128k", "2.5 / 10",
         "mistral-medium-latest"]
    ]  # fmt: skip


def test_the_facts_of_a_replacement_stand_beside_its_own_id():
    """A retired name keeps its own window and price; today's id has its own in one column."""
    gone = model(lifecycle="retired", live="gpt-9", live_max_input=922_000,
                 live_input_usd_per_million=2.0, live_output_usd_per_million=12.0)  # fmt: skip

    for table in (models_table([gone]), equivalents_table("gpt-4", [gone], {})):
        assert column(table, "context") == ["128k"]
        assert column(table, "US$/M in / out") == ["2.5 / 10"]
        assert column(table, "today: id, context, US$/M") == ["gpt-9 · 922k · 2 / 12"]


def test_a_source_stands_once_below_the_reasons():
    """Reasons carry its mark; a reason without a source has none."""
    reasons = {"openai": "It is gone.", "azure": "It is gone too.", "google": "Unknown."}
    table = why_table(reasons, dict.fromkeys(("openai", "azure"), "a page"), "Catalogue of today.")

    assert column(table, "what is sent") == [
        "It is gone. [1]", "It is gone too. [1]", "Unknown."
    ]  # fmt: skip
    assert table.note == "[1] a page. Catalogue of today."


def test_a_badge_says_when_a_model_goes():
    """Sign, word and date."""
    going = model(lifecycle="deprecated", retires_on="2026-12-11")

    assert badge(going).text == "◐ retires 2026-12-11"
    assert badge(model(lifecycle="rerouted")).text == "↪ rerouted"
    moving = model(lifecycle="deprecated", retires_on="2026-12-01", rerouted_to="gemini-3.8-flash")
    assert badge(moving).text == "◐ rerouted from 2026-12-01"


def test_what_is_told_of_a_name_walks_the_chain():
    """Each id of the chain has its state and its date."""
    row = model(provider="google", id="gemini-pro", lifecycle="retired", live="gemini-9",
                live_rule="official-successor")  # fmt: skip
    way = chain(shipped(), "google", "gemini-pro", TODAY, "small")
    table = equivalents_table("gemini-pro", [row], {"google": way})

    assert column(table, "reason") == ["the successor named by its provider"]
    (said,) = column(table, "successors")
    assert said.startswith("✗ gemini-pro (since 20")
    assert said.count("→") == len(way) - 1


@pytest.mark.parametrize("name", ["gpt-3.5-turbo", "gemini-pro", "claude-2", "mistral-tiny"])
def test_a_chain_begins_with_the_id_and_ends_with_what_can_be_called(name):
    """At every provider, for every rule that found the end."""
    rows = [row for row in listing.lines(catalogue=shipped(), on=TODAY) if row["name"] == name]

    for row in rows:
        way = chain(shipped(), row["provider"], row["id"], TODAY, row["class"])
        assert way[0].model == row["id"]
        assert row["live"] is None or way[-1].model == row["live"]
        assert way[-1].lifecycle is not Lifecycle.RETIRED or row["live"] is None
    assert rows


def test_every_shipped_name_is_at_home_at_its_maker():
    """The facts in a name's own line are those of its maker's model."""
    homes = {
        name: home(name, rows)["provider"]
        for name, rows in by_name(listing.lines(catalogue=shipped(), on=TODAY))
    }

    assert (homes["gpt-4"], homes["claude-3-haiku"], homes["mistral-7b"]) == (
        "openai",
        "anthropic",
        "mistral",
    )
    assert homes["llama-2-7b"] == "ollama"


def test_a_filter_prefers_a_names_own_words():
    """Nearly every name has a peer called gemini; only its own family matches."""
    rows = listing.lines(catalogue=shipped(), on=TODAY)

    names = [name for name, _ in picked(rows, "gemini")]
    assert names
    assert all("gemini" in name for name in names)
    assert [name for name, _ in picked(rows, "claude-instant-1.2")] == ["claude-instant-1.2"]
    assert picked(rows, "no such model") == []


def test_chips_are_capabilities_and_whether_a_name_lives():
    """A name is chosen by the facts about its maker's model."""
    assert tags("gpt-4", [model()]) == ["tools", "vision", "callable today"]
    assert tags("gpt-4", [model(lifecycle="retired")]) == ["tools", "vision"]
    assert picked([model(lifecycle="retired")], chips=["callable today"]) == []


def test_models_in_a_terminal_have_a_line_for_each_provider():
    """Six providers side by side do not fit a terminal; the name is shown once."""
    said = str(Models([model(), model(provider="mistral", id="mistral-medium-2312")])).splitlines()

    assert said[3].startswith("gpt-4  openai")
    assert said[4].startswith("       mistral")


def test_a_report_without_a_view_of_its_own_is_a_table_of_its_columns():
    """The models of a provider's list are shown unchanged."""
    said = str(LiveModels([{"provider": "mistral", "id": "x", "max_input": 32_000}]))

    assert said.splitlines()[0] == "Models that the provider lists"
    assert "32,000" in said


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        (units.seconds(0.314), "0.31 s"), (units.seconds(12.34), "12.3 s"),
        (units.seconds(None), "–"), (units.age(59.9), "59 s"),
        (units.age(3_700), "1 h"), (units.age(200_000), "2 d"),
        (units.size(999), "999 B"), (units.size(1_500_000), "1.5 MB"),
        (units.size(123_456), "123 kB"), (units.tokens(512), "512"),
        (units.tokens(128_000), "128k"), (units.tokens(1_048_576), "1.05M"),
        (units.tokens(None), "–"), (units.age(None), "–"), (units.size(None), "–"),
    ],
)  # fmt: skip
def test_spans_and_amounts_take_few_characters(said, expected):
    """They are easy to tell apart, and unknown values are a dash."""
    assert said == expected


def test_a_check_is_shown_with_its_time():
    """The time, the duration, and the number of requests."""
    status = auth(latency_s=0.31, attempts=2, checked_at=datetime(2026, 11, 25, 12, 0, tzinfo=UTC))
    table = auth_table([status])

    assert column(table, "took") == ["0.31 s"]
    assert column(table, "attempts") == ["2"]
    assert len(column(table, "checked")[0]) == 8


def test_reports_of_real_rows_have_views():
    """The kit's values are what the views accept."""
    from llmkit.kit import Kit

    with_one = Kit(environ={"LLMKIT_CONFIG": os.devnull})
    try:
        handle = with_one.manager.register_session(Closeable(), "mine")
        rows = with_one.manager.sessions()
        assert column(sessions_table([asdict(row) for row in rows]), "provider") == ["mine"]
        handle.close()
        said = str(AuthReport.of(with_one.checks.statuses()))
        assert "– no key" in said
        with pytest.raises(errors.UnknownProviderError):
            with_one.registry.provider("ghost")
    finally:
        with_one.close()
