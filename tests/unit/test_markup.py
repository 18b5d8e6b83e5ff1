"""Text and markup in which no foreign content is active."""

from __future__ import annotations

import re
from dataclasses import replace
from html.parser import HTMLParser
from typing import ClassVar

import pytest

from llmkit.comparison.result import Comparison
from llmkit.secret import escape_controls
from llmkit.types import Completion, Status
from llmkit.views.answers.card import MARKS
from llmkit.views.answers.layout import comparison_html
from llmkit.views.answers.terminal import comparison_text
from llmkit.views.markup import cell, clipped, page, style_sheet, width_of, wrapped
from llmkit.views.tables.report import Report
from llmkit.views.tables.table import Line, Table, TableCell, TableColumn, tables_html
from tests.unit.rows import plain, row

HOSTILE = [
    "<script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    "<svg onload=alert(1)>",
    "</pre></section><script>alert(1)</script>",
    '"><iframe src="javascript:alert(1)">',
    "![x](http://evil.example/x.png)",
    "<style>*{display:none}</style>",
    "<!-- <script> -->",
    "<a href='javascript:alert(1)'>x</a>",
    "&lt;script&gt;",
    "\x1b]0;title\x07\x1b[31m",
    "\u202eevil\u2066",
    "\ud800",
    "a\x00b",
]


class Tags(HTMLParser):
    """Collects the tags and attributes of a document, as a browser would."""

    def __init__(self, text):
        super().__init__()
        self.found = []
        self.attributes = set()
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        self.found.append(tag)
        self.attributes |= {name for name, _ in attributes}


def table(text):
    """Returns a table with *text* in every place that can have text."""
    line = Line(text, (TableCell(text, title=text),))
    return Table(text, (TableColumn(text),), (line,), note=text)


# What Markdown makes of such texts; an image becomes a link.
MARKDOWN = ("a", "code", "em", "strong", "pre", "li", "ul", "blockquote")


@pytest.mark.parametrize("payload", HOSTILE)
def test_no_hostile_text_becomes_markup(payload):
    """A view has only llmkit's tags, whatever text is in it."""
    shown = row(
        prompt=payload, asked=payload, request_model=payload, error=payload, provider=payload,
        parameters={"system": payload},
        completion=replace(row().completion, text=payload, reasoning=payload,
                           response_model=payload, warnings=(payload,)),
    )  # fmt: skip
    harmless = row()
    for view in (
        lambda r: comparison_html([r], notes=[r.prompt]),
        lambda r: comparison_html([r] * 9),
        lambda r: tables_html(table(r.prompt), Table(r.prompt, (), (), empty=r.prompt)),
        lambda r: page(comparison_html([r]), title=r.prompt),
    ):
        tags = Tags(view(shown))

        assert set(tags.found) <= {*Tags(view(harmless)).found, *MARKDOWN}
        assert not any(name.startswith("on") for name in tags.attributes)
        assert not re.search("[\x00-\x08\x0b\x0c\x0e-\x1f\u202e\u2066\ud800]", view(shown))


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("plain\n\ttext", "plain\n\ttext"),
        ("über 漢字 👩‍🚀", "über 漢字 👩‍🚀"),
        ("\x1b[31m", "\\x1b[31m"),
        ("a\x00\x9b", "a\\x00\\x9b"),
        ("\u202e", "\\u202e"),
        ("\ud800", "\\ud800"),
        ("zero\u200bwidth", "zero\\u200bwidth"),
    ],
)
def test_what_would_act_on_a_terminal_is_shown(text, shown):
    """Escapes, controls and overrides become their codes; letters of every script stay."""
    assert escape_controls(text) == shown


def test_a_page_makes_no_requests():
    """The exported page has a policy that forbids it, and no address in it."""
    text = page(comparison_html([row()]), title="x")

    assert "default-src 'none'" in text
    assert not re.search(r"(src|href|url\()\s*=?\s*[\"']?(https?:)?//", text)
    assert set(Tags(text).attributes) & {"src", "href"} == set()


def test_every_status_has_its_own_glyph_and_word():
    """No two statuses look the same, with or without colours."""
    assert set(MARKS) == set(Status)
    assert len({mark[0] for mark in MARKS.values()}) == len(Status)
    assert len({mark[1] for mark in MARKS.values()}) == len(Status)


def test_all_that_matters_is_on_a_card():
    """Model, parameters, status, times, tokens, cost, substitution, warnings, error."""
    text = comparison_html([row()])

    said = """openai:gpt-3.5-turbo|answered by openai:gpt-6-luna|temperature 0.5|✓ complete|
first text 0.50 s|17 tokens|$0.0012|
openai:gpt-3.5-turbo → openai:gpt-5.6-terra (official-successor): it is retired; |
without tools|seed was not sent|ServerError: busy|
<summary>reasoning</summary>"""
    assert [s for s in said.replace("\n", "").split("|") if s not in text] == []


@pytest.mark.parametrize(
    ("status", "error", "count"),
    [
        (Status.CANCELLED, None, 1),
        (Status.TRUNCATED, "the connection broke", 1),
        (Status.TRUNCATED, "no data for 300 s; it may have been billed", 1),
        (Status.COMPLETE, None, 0),  # its cost is known
    ],
)
def test_an_unfinished_answer_that_may_have_been_billed_says_so_once(status, error, count):
    """A time-out says it in its message, a cancelled answer has no message."""
    came = plain(status=status)
    completion = replace(came.completion, possibly_billed=True)
    failed = replace(came, completion=completion, error=error, error_type=error and "CallError")
    text = comparison_text([failed])

    assert text.count("may have been billed") == count


def test_an_unknown_cost_is_said_to_be_unknown():
    """An unknown price is not 0."""
    assert "cost unknown" in comparison_html([plain(cost_usd=None)])
    assert "$0<" in comparison_html([plain(cost_usd=0.0)])


def test_many_answers_are_a_table_with_the_texts_folded():
    """Eight are cards, nine are a row of a table for each prompt, whose cells expand."""
    eight, nine = (
        comparison_html([replace(plain(i), prompt_id=i) for i in range(n)]) for n in (8, 9)
    )

    assert (eight.count("<section"), eight.count("lk-matrix")) == (
        8,
        comparison_html([]).count("lk-matrix"),
    )
    assert (nine.count('<details class="lk-cell">'), nine.count('<th scope="row"')) == (9, 10)


def test_an_empty_comparison_says_so():
    """An empty answer is shown as empty."""
    assert "No answers" in Comparison([], {})._repr_html_()
    assert str(Comparison([], {})) == "no answers"


def test_text_for_a_terminal_fits_its_width():
    """Lines are never longer than the width, whatever is in them."""
    long = [plain(0, text="word " * 100), plain(1, text="漢字" * 80), row(2, error="x " * 200)]

    lines = comparison_text(long, width=60).splitlines()

    assert max(width_of(line) for line in lines if "漢" not in line) <= 60


@pytest.mark.parametrize(
    ("value", "shown"),
    [(None, "–"), (float("nan"), "–"), (True, "yes"), (0.12345, "0.123"), (1234567, "1,234,567")],
)
def test_values_are_shown_as_people_read_them(value, shown):
    """Unknown is a dash, flags are words, numbers have three significant digits."""
    assert cell(value) == shown


def test_a_report_shows_itself():
    """A report is a table as text and as markup."""

    class Things(Report):
        title = "Things"
        columns: ClassVar = {"a": "string", "b": "Int64"}
        shown = ("a",)

    things = Things([{"a": "x", "b": 1}])

    assert str(things) == "Things\na\n-\nx"
    assert "<caption>Things</caption>" in things._repr_html_()
    assert len(things) == len(list(things)) == 1


def contrast(one, other):
    def light(colour):
        parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
        linear = [p / 12.92 if p <= 0.03928 else ((p + 0.055) / 1.055) ** 2.4 for p in parts]
        return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]

    high, low = sorted((light(one), light(other)), reverse=True)
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize("theme", [0, 1], ids=["light", "dark"])
def test_every_colour_can_be_read(theme):
    """Text has a contrast of at least 4.6 to its background, light and dark."""
    pairs = dict(re.findall(r"--lk-(\w+):.*?light-dark\((#\w+, #\w+)\)", style_sheet()))
    colour = {name: both.split(", ")[theme] for name, both in pairs.items()}

    backs = (colour["back"], colour["card"])
    worst = {
        name: min(contrast(colour[name], back) for back in backs)
        for name in ("text", "soft", "good", "warn", "bad")
    }
    assert {name for name, ratio in worst.items() if ratio < 4.6} == set()


def test_an_answer_without_anything_is_still_a_card():
    """A row that was never sent shows its error and no numbers."""
    text = comparison_html([row(completion=Completion(status=Status.ERROR, attempts=0))])

    assert "ServerError: busy" in text
    assert "cost" not in text.split("</style>")[1]


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("abcde", "abcde"),
        ("abcdef", "abcd…"),
        ("漢字漢", "漢字…"),
        ("e\u0301" * 5, "e\u0301" * 5),
        ("é" * 1_000_000, "éééé…"),
    ],
)
def test_a_text_is_clipped_to_columns_of_the_screen(text, shown):
    """Wide letters count twice, combining marks not at all, and a very long text is fast."""
    assert clipped(text, 5) == shown


@pytest.mark.parametrize(
    ("line", "pieces"),
    [
        ("one two three", ["one two", "three"]),
        ("unbreakable", ["unbreaka", "ble"]),
        ("  indented code", ["  indent", "ed code"]),
        ("日本語のテキスト", ["日本語の", "テキスト"]),
        ("", [""]),
    ],
)
def test_a_line_is_wrapped_between_words_in_columns(line, pieces):
    """Indentation stays, wide characters count twice, and no line is wider than requested."""
    assert wrapped(line, 8) == pieces
