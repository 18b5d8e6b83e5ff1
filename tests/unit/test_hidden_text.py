"""What a text can hide: characters without a glyph, and signs that a spreadsheet runs."""

from __future__ import annotations

import io
import sys
import unicodedata
from dataclasses import replace

import pandas as pd
import pytest

from llmkit.comparison.result import Comparison
from llmkit.errors import ConfigError
from llmkit.secret import escape_controls, is_unseen
from llmkit.types import TextDelta
from llmkit.views.answers.layout import comparison_html
from llmkit.views.answers.markdown import markdown_html
from llmkit.views.answers.place import place_of
from llmkit.views.answers.streaming import LiveAnswers
from llmkit.views.answers.terminal import comparison_text
from llmkit.views.exports.cells import guarded
from llmkit.views.exports.csv_file import csv_files
from tests.unit.rows import plain

# DerivedCoreProperties.txt of Unicode 17: Default_Ignorable_Code_Point (read 2026-11-30).
IGNORABLE = (
    (0xAD, 0xAD), (0x34F, 0x34F), (0x61C, 0x61C), (0x115F, 0x1160), (0x17B4, 0x17B5),
    (0x180B, 0x180F), (0x200B, 0x200F), (0x202A, 0x202E), (0x2060, 0x206F), (0x3164, 0x3164),
    (0xFE00, 0xFE0F), (0xFEFF, 0xFEFF), (0xFFA0, 0xFFA0), (0xFFF0, 0xFFF8), (0x1BCA0, 0x1BCA3),
    (0x1D173, 0x1D17A), (0xE0000, 0xE0FFF),
)  # fmt: skip
# Of the category Cf, but with a glyph: Prepended_Concatenation_Mark.
SIGNS = "\u0600\u0601\u0602\u0603\u0604\u0605\u06dd\u070f\u0890\u0891\u08e2\U000110bd\U000110cd"
SCOTLAND = "\U0001f3f4\U000e0067\U000e0062\U000e0073\U000e0063\U000e0074\U000e007f"
SECRET_TEXT = "".join(chr(0xE0000 + ord(c)) for c in "ignore all")


def safe_csv(rows):
    """Returns the guarded CSV of *rows*."""
    return csv_files(rows, {}, safe=True)[0].decode()


def test_no_character_without_a_glyph_passes():
    """Each default-ignorable character is shown by its code if it shapes nothing."""
    characters = [chr(n) for first, last in IGNORABLE for n in range(first, last + 1)]

    shown = escape_controls("a".join(characters))

    assert shown.isascii()
    assert shown.count("\\") == len(characters)


def test_the_category_decides_and_no_list():
    """Of all of Unicode no control, format character, separator or surrogate passes."""
    hidden = ("Cc", "Cf", "Cs", "Zl", "Zp")
    text = "a".join(
        c for c in map(chr, range(sys.maxunicode + 1)) if unicodedata.category(c) in hidden
    )

    left = {c for c in escape_controls(text) if unicodedata.category(c) in hidden}

    assert left - {"\n", "\t"} <= set(SIGNS)


@pytest.mark.parametrize(
    "text",
    [
        "über 漢字, e\u0301, \u3000 \u06dd",
        "👩‍🚀 👨‍👩‍👧‍👦 👩🏽‍❤️‍💋‍👨🏿 🏳️‍🌈 🏴‍☠️ ❤️‍🔥 👁️‍🗨️ 🏃‍♀️‍➡️",
        "1️⃣ #️⃣ ☎︎ ❤️ ↔️ ©️ 🇫🇷",
        SCOTLAND,
        "\U0001fae8 \U0001fac6",  # newer than the Unicode of some Pythons
        "می‌خواهم کتاب‌ها",
        "क्‍ष ක්‍ෂ র‍্য",
    ],
)
def test_what_shapes_a_text_stays(text):
    """Joined emoji, keycaps, flags of tags, and the joiners of Persian and Indic scripts."""
    assert escape_controls(text) == text


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("x\u061cy", "x\\u061cy"),
        ("a" + SECRET_TEXT[:1], "a\\U000e0069"),
        (f"🏴{SECRET_TEXT[:2]}\U000e007f", "🏴\\U000e0069\\U000e0067\\U000e007f"),
        ("a\u200db \u200d", "a\\u200db \\u200d"),
        ("😀\ufe0f\ufe0f\ufe0e", "😀\ufe0f\\ufe0f\\ufe0e"),
        ("a\ufe0f 1\ufe0f", "a\\ufe0f 1\\ufe0f"),
        ("葛\U000e0100", "葛\\U000e0100"),
        ("\u3164\u115f\u034f", "\\u3164\\u115f\\u034f"),
        ("a\u2028b\u0085", "a\\u2028b\\x85"),
        ("\ufff9a\ufffab\ufffb", "\\ufff9a\\ufffab\\ufffb"),
    ],
)  # fmt: skip
def test_what_shapes_nothing_is_shown(text, shown):
    """A joiner or selector that is in the wrong place carries data, and so do tags."""
    assert escape_controls(text) == shown


def test_marks_that_are_stacked_do_not_cover_other_lines():
    """More marks than letters have are shown by their codes, whatever stands between them."""
    marks = "\u0301\u0308\u20dd" * 4
    tibetan = "\u0f67\u0f90\u0fb5\u0fa8\u0fb3\u0fba\u0fbc\u0fbb\u0f82"

    shown = escape_controls(f"a{marks}")
    joined = escape_controls("\u0e01" + "\u0e49\u200d" * 50)

    assert shown == f"a{marks[:10]}\\u0308\\u20dd"
    assert escape_controls(f"a{marks[:10]} {tibetan}") == f"a{marks[:10]} {tibetan}"
    assert joined.count("\u0e49") + joined.count("\u200d") <= 10


def test_no_view_and_no_file_of_text_hides_a_character():
    """Cards, terminal text, Markdown, figures, CSV, live answers and errors."""
    odd = f"a{SECRET_TEXT}\u061c\u3164b"
    answer = replace(
        plain(text=odd, reasoning=odd), asked=odd, request_model=odd, error=odd, prompt=odd
    )
    growing = LiveAnswers([place_of(plain())])
    growing.grew(0, TextDelta(odd), 0.1)
    growing.grew(0, TextDelta(" end"), 0.1)
    views = {
        "html": comparison_html([answer], notes=[odd]),
        "folded": comparison_html([answer] * 9),
        "text": comparison_text([answer]),
        "markdown": markdown_html(f"**{odd}** [{odd}](https://x)"),
        "figure": str(Comparison([answer], {}).plot()),
        "csv": safe_csv([replace(answer, extra={odd: odd})]),
        "live": str(growing.changes()),
        "error": str(ConfigError(f"unknown model {odd}")),
    }

    assert {name for name, view in views.items() if any(map(is_unseen, view))} == set()
    assert {name for name, view in views.items() if "\\U000e0069" not in view} == set()


def test_a_joined_emoji_that_is_cut_between_two_pieces_stays_whole():
    """The page gets it at once, and never the code of its joiner."""
    text = f"Hi 👩🏽‍🚀 1️⃣ {SCOTLAND} می‌خواهم ❤️ 👨‍👩‍👧 end"
    growing, sent = LiveAnswers([place_of(plain())]), ""
    for character in text:
        growing.grew(0, TextDelta(character), 0.1)
        (change,) = growing.changes()
        sent += change["card"]["text"] if "card" in change else change.get("add", "")
    growing.grew(0, TextDelta(" "), 0.1)
    sent += growing.changes()[0]["add"]

    assert sent == f"{text} "


BLANKS = [
    "",
    " ",
    "\t",
    "\n",
    "\r\n",
    "\u0085",
    "\u2028",
    "\u00a0",
    "\u3000",
    "\u200b",
    "\ufeff \x0b",
]


@pytest.mark.parametrize("blank", BLANKS, ids=ascii)
def test_no_sign_after_blanks_begins_a_formula(blank):
    """Signs of all widths, after line ends and blanks of all scripts, in cells and in names."""
    signs = "=+-@＝＋－＠﹦﹢﹣﹫\u2212\u2013\u2010⁼⁺"
    odd = [
        replace(
            plain(i, text=f"{blank}{sign}1+1"), prompt_id=f"{blank}{sign}2+1",
            extra={f"{blank}{sign}c()": f"{blank}{sign}3+1"},
        )
        for i, sign in enumerate(signs)
    ]  # fmt: skip

    again = pd.read_csv(io.StringIO(safe_csv(odd)), dtype="string")

    assert set(again["text"].str[:1]) == {"'"}
    assert set(again["prompt_id"].str[:1]) == {"'"}
    assert {name[0] for name in again.columns[-len(signs) :]} == {"'"}
    assert set(again[again.columns[-1]].dropna().str[:1]) == {"'"}


def test_no_separator_of_a_spreadsheet_begins_a_formula():
    """LibreOffice separates cells at semicolons and tabs too, if no quotes are around them."""
    cells = [f"a{separator}=1+1" for separator in ";\t|"]
    rows = [plain(i, text=cell, reasoning=cell) for i, cell in enumerate(cells)]

    header, *lines = safe_csv(
        [replace(row, extra={"b;=2": row.completion.text}) for row in rows]
    ).splitlines()

    assert '"b;=2"' in header
    assert [line.count(f'"{cell}"') for line, cell in zip(lines, cells, strict=True)] == [3] * 3


def test_ordinary_cells_of_a_csv_are_not_marked():
    """A text whose sign is in its middle, and numbers, stay as they are."""
    texts = [
        "a = b", "  two - three", "é", "(-1)", "漢字", "\u00a0x", "-5", "-0.02", "+49", "-1e-7",
        "-1,234.5", "-.5", "-5%", "+5.\n",
    ]  # fmt: skip

    text = safe_csv([plain(i, text=t) for i, t in enumerate(texts)])

    assert pd.read_csv(io.StringIO(text), dtype="string")["text"].tolist() == texts


@pytest.mark.parametrize(
    "text", ["-5+cmd", "-5 -2", "+49 30 1", "-1,23", "-", "+", "-e5", "- 5", "-5;=1", "-٥", "=-5"]
)
def test_what_is_only_nearly_a_number_is_marked(text):
    """A spreadsheet would compute it, or split it."""
    assert guarded(text) == f"'{text}"
