"""A model's Markdown is rendered without anything active, and at once."""

from __future__ import annotations

import re
import subprocess
import sys
import time

import pytest
from hypothesis import given, settings, strategies as st

from benchmarks.texts import TEXTS
from llmkit.comparison.result import Comparison
from llmkit.secret import Secret
from llmkit.views.answers import highlighting
from llmkit.views.answers.markdown import LONGEST_TAIL, MarkdownStream, markdown_html
from llmkit.views.answers.markdown_blocks import DEEPEST, LONGEST
from llmkit.views.markup import style_sheet
from tests.unit.rows import plain
from tests.unit.test_markup import HOSTILE, Tags, contrast

RICH = """# Title

**bold** and `code <b>`

| a | b |
|---|--:|
| 1 | 2 |

- [here](https://example.org/a?b=1)
"""
ALLOWED = {
    "h5", "h6", "p", "strong", "code", "pre", "table", "thead", "tbody", "tr", "th", "td", "ul",
    "li", "a", "div",
}  # fmt: skip
ATTRIBUTES = {
    "href", "title", "rel", "target", "style", "class", "dir", "tabindex", "data-lang", "display",
    "encoding", "stretchy",
}  # fmt: skip
FORMULA = {"math", "semantics", "annotation", "mrow", "mi", "mo", "mn", "msup", "span"}
# Pieces of Markdown that change what the pieces around them mean.
PIECES = [
    "# h\n", "\n", "\n\n", "- a\n", "  - b\n", "1. x\n", "> q\n", "```python\n", "```\n", "x = 1\n",
    "a | b\n", "---|---\n", "***", "**b**", "$x^2$", "$$\nx\n$$\n", "$$\n", "\\[ x^2 \\]\n",
    "    code\n", "foo ", "bar\n", "[l](http://a)", "<b>", "---\n", "===\n", "`c", "`", "~~~\n",
    "|", "*", "_", "\t", "  ", "\\", "1", "-", " ", "[a]", "שלום", "- \n", "+ p\n", "   ```\n",
    "> ```\n", "~~s~~",
]  # fmt: skip


def test_markdown_is_rendered():
    """Headings, emphasis, code, tables, lists and links are rendered."""
    tags = Tags(markdown_html(RICH))

    assert set(tags.found) == ALLOWED - {"pre", "h6"}
    assert "code &lt;b&gt;" in markdown_html(RICH)


@pytest.mark.parametrize("payload", HOSTILE)
def test_no_hostile_text_becomes_markup_of_its_own(payload):
    """Raw HTML stays text, images are never fetched, hidden characters are shown."""
    rendered = markdown_html(f"before {payload} after\n\n{payload}\n")
    tags = Tags(rendered)

    assert set(tags.found) <= ALLOWED
    assert tags.attributes <= ATTRIBUTES
    assert not re.search("[\x00-\x08\x0b\x0c\x0e-\x1f\u202e\u2066\ud800]", rendered)


@pytest.mark.parametrize(
    "target",
    [
        "javascript:alert(1)", "JaVaScRiPt:alert(1)", "java&#10;script:alert(1)",
        "data:text/html,x", "vbscript:x", "file:///etc/passwd", "/api/kernels", "//evil.example/x",
        "mailto:a@b.c", "x", "http:/x", "http://",
    ],
)  # fmt: skip
@pytest.mark.parametrize("form", ["[x]({})", "<{}>", "[x][y]\n\n[y]: {}", "![x]({})"])
def test_only_links_to_other_sites_are_links(form, target):
    """Scripts, files, data and paths of the notebook's own server stay text."""
    assert "<a" not in markdown_html(form.format(target))


def test_a_link_names_its_address_and_takes_nothing_along():
    """The title shows the target; the new page gets no referrer or opener."""
    rendered = markdown_html('[my bank](https://evil.example/?a="b "your bank")')

    assert 'title="https://evil.example/' in markdown_html("[my bank](https://evil.example/)")
    assert 'rel="noopener noreferrer nofollow"' in markdown_html("<https://example.org>")
    assert "<a" not in rendered or "your bank" not in rendered


@pytest.mark.parametrize(
    "text",
    [
        "> " * (DEEPEST + 20) + "deep",
        "> " * (DEEPEST - 5) + "a\n" + "b\n" * (LONGEST // 3),
        "[" * (LONGEST // 2),
        "long " * LONGEST,
    ],
)
def test_what_cannot_be_rendered_is_shown_as_it_was_written(text):
    """A limit cuts nothing from an answer."""
    rendered = markdown_html(text)

    assert rendered.startswith('<pre class="lk-raw" dir="auto" ')
    assert text_of(rendered).replace("\n", "") == text.replace("\n", "")


def test_a_key_is_taken_out_of_markdown():
    """A key that an answer echoes is masked, also in code."""
    key = "sk-markdown-R7tQ2wLp9ZxV4nBk"
    Secret(key)

    assert "R7tQ2wLp" not in markdown_html(f"`{key}` and {key}")


def test_a_comparison_is_rendered_unless_its_text_is_wanted_as_written():
    """Every view renders the answers; show(markdown=False) does not."""
    run = Comparison([plain(text="**bold** <b>x</b>")], {})

    assert "<strong>bold</strong> &lt;b&gt;" in run.show()._repr_html_()
    assert "<strong>bold</strong> &lt;b&gt;" in run._repr_html_()
    assert "**bold**" in run.show(markdown=False)._repr_html_()
    assert repr(run.show(markdown=True)) == str(run)


def test_a_link_that_is_defined_and_not_used_leaves_nothing():
    """A definition is no text."""
    assert markdown_html("[a]: http://b") == ""


@pytest.mark.parametrize(
    "text",
    [
        "costs $5 and $10", "US$5 or CA$6", "$5/$10", "$HOME/bin:$PATH", "**$5** or **$6**",
        "$ x $", "a $", r"\$x\$", "`$x$`", "$5 or `$x`", r"see \[1\]", r"\(if needed\)",
    ],
)  # fmt: skip
def test_prices_and_variables_are_no_formulas(text):
    """A dollar sign before a number or a name is one."""
    assert "<math" not in markdown_html(text)


@pytest.mark.parametrize(
    "text",
    [
        "$x^2$", "the $n$th", r"\(a^2\)", r"\(n\)", r"\[ x^2 \]", "$$x^2$$", "is $$x^2$$ here",
        "$$\nx\n$$", "text\n\\[\nx^2\n\\]\n", "- $x_1$\n  $$\n  y\n  $$", "*$a_b$ $c_d$*",
        r"$\begin{aligned} a &= b \\ c &= d \end{aligned}$", r"$\sqrt[3]{x} \le \frac12$",
    ],
)  # fmt: skip
def test_formulas_are_set_without_a_script(text):
    """All ways in which models write them are MathML, which also holds what was written."""
    rendered = markdown_html(text)

    assert rendered.count("<math ") == rendered.count("<annotation ") == rendered.count("</math>")
    assert "<math " in rendered
    assert "lk-tex" not in rendered


@pytest.mark.parametrize(
    "formula",
    [
        r"\unknown{x}", r"\frac{1", r"x^", r"\href{javascript:alert(1)}{x}", r"\style{a:b}{x}",
        r"\newcommand{\a}{\b\b}\a", r"\def\a{\a\a}\a", r"a \\ b", r"\rule{99em}{99em}", r"\llap{x}",
        "{" * 500,
        r"\phantom{x}", "x" * 900, r"\class{lk}{x}", r"\unicode{x202e}",
    ],
)  # fmt: skip
def test_a_formula_that_is_not_understood_stays_as_it_was_written(formula):
    """Half a formula would say something else; macros and links have no place in one."""
    rendered = markdown_html(f"${formula}$")

    assert "<math" not in rendered
    assert formula.replace("<", "&lt;") in rendered


def test_markup_in_a_formula_is_text():
    """The formula and its source are escaped."""
    tags = Tags(markdown_html("$x^2 <img src=x onerror=alert(1)> </math><script>$"))

    assert set(tags.found) <= FORMULA | {"p"}
    assert tags.attributes <= ATTRIBUTES


def test_code_is_coloured_and_its_text_stays():
    """Words have classes, not colours; the language is named, and text in it is escaped."""
    code = 'def f(x):\n    return "a<b"  # why\n'
    rendered = markdown_html(f"```Python extra\n{code}```")

    assert 'data-lang="python"' in rendered
    assert '<span class="lk-k">def </span><span class="lk-f">f</span>' in rendered
    assert set(re.findall('class="([^"]+)"', rendered)) == {
        "lk-code", "lk-k", "lk-f", "lk-s", "lk-c",
    }  # fmt: skip
    assert text_of(rendered) == code + "\n"


@pytest.mark.parametrize("language", ["", "unknown", '"><b>', "x" * 500, "text", "{.python}"])
def test_code_in_any_language_is_shown(language):
    """An unknown language has no colours; a name cannot leave its attribute."""
    rendered = markdown_html(f"```{language}\na < b\n```")

    assert text_of(rendered) == "a < b\n\n"
    assert set(Tags(rendered).found) <= {"pre", "code", "span"}


@pytest.mark.parametrize("language", sorted(set(highlighting.LANGUAGES.values())))
def test_every_lexer_keeps_the_text_and_takes_little_time(language):
    """Many lexers take the square or the cube of the length; pieces keep them from it."""
    highlighting.highlighted("x", language)  # imports the lexer
    for piece in ("a\n", "\n", " \n", "/", "-", "&", "a.b.", "a: ", "!", '"', "é", "a<"):
        code = piece * (highlighting.LONGEST // len(piece))
        start = time.process_time()
        coloured = highlighting.highlighted(code, language)

        assert time.process_time() - start < 1.0  # took up to 9 s, takes at most 0.05 s
        assert text_of(coloured) == code


def test_colours_of_code_can_be_read():
    """Each has a contrast of at least 4.5 to the ground of code, light and dark."""
    pairs = re.findall(r"--lk-(\w+):.*?light-dark\((#\w+), (#\w+)\)", style_sheet())
    names = ("text", "soft", "good", "bad", "word", "string", "number", "name", "known")
    (ground,) = (pair[1:] for pair in pairs if pair[0] == "code")
    worst = {
        name: min(contrast(colours[n], ground[n]) for n in (0, 1))
        for name, *colours in pairs
        if name in names
    }

    assert set(worst) == set(names)
    assert {name for name, ratio in worst.items() if ratio < 4.5} == set()


def test_tables_are_aligned_as_the_author_asked():
    """Left without a wish, in the element itself, because notebooks align cells to the right."""
    rendered = markdown_html("| a | b | c |\n|---|--:|:-:|\n| 1 | 2 | 3 |")

    assert re.findall(r"<td[^>]*text-align:(\w+)", rendered) == ["left", "right", "center"]


def test_a_text_has_the_direction_of_its_letters():
    """Each block decides on its own; a list or a quotation takes that of its first letter."""
    rendered = markdown_html("english\n\n> ציטוט\n\n- פריט\n\n`code` **עברית**\n\n1. one\n\n2. two")

    assert rendered.count('<p dir="auto">') == 5
    assert '<blockquote dir="rtl">' in rendered
    assert '<ul dir="rtl">\n<li dir="auto">' in rendered
    assert '<code dir="ltr">' in rendered
    assert "<ol>\n<li>\n<p" in rendered


def test_headings_are_below_that_of_the_card():
    """The card has an h4, so an answer begins with h5."""
    rendered = markdown_html("# a\n\n## b\n\n### c\n\nd\n===")

    assert re.findall(r'<(h\d) class="([^"]+)"', rendered) == [
        ("h5", "lk-h1"), ("h6", "lk-h2"), ("h6", "lk-h3"), ("h5", "lk-h1"),
    ]  # fmt: skip


def test_a_long_answer_is_rendered_as_far_as_its_limit():
    """What follows is shown as written, and nothing is lost."""
    text = "**bold** text\n\n" * (LONGEST // 10)
    rendered = markdown_html(text)

    assert rendered.startswith('<p dir="auto"><strong>bold</strong> text</p>')
    assert rendered.endswith("**bold** text\n\n</pre>\n")
    assert text_of(rendered).count("bold") == text.count("bold")


def text_of(rendered):
    parts = []

    class Text(Tags):
        def handle_data(self, data):
            parts.append(data)

    Text(rendered)
    return "".join(parts)


def page_after(text, cuts):
    """Returns what a page shows that applied the update at each of the *cuts*, and the stream."""
    stream, page = MarkdownStream(), []
    for cut in cuts:
        keep, blocks = stream.update(text[:cut])
        assert 0 <= keep <= len(page)
        page[keep:] = blocks
    return "".join(page), stream


@settings(max_examples=60)
@given(st.lists(st.sampled_from(PIECES), max_size=16).map("".join))
def test_a_text_that_grows_is_rendered_as_the_whole(text):
    """Cut at every character, in all that changes the meaning of what is above it."""
    page, _ = page_after(text, range(1, len(text) + 1))

    assert page == markdown_html(text)


@settings(max_examples=40)
@given(st.text("ab\n#*`$\\[]()|->~_ 1.:!<&\tא", max_size=50))
def test_any_text_that_grows_is_rendered_as_the_whole_at_its_end(text):
    """The last update corrects links whose address came below them."""
    stream, page = MarkdownStream(), []
    for cut in range(1, len(text) + 1):
        keep, blocks = stream.update(text[:cut])
        page[keep:] = blocks
    keep, blocks = stream.update(text, final=True)
    page[keep:] = blocks

    assert "".join(page) == markdown_html(text)


def test_a_link_whose_address_comes_later_is_one_at_the_end():
    """An address that came before is known at once, in a block that was finished long ago."""
    stream = MarkdownStream()
    text = "[a]: http://a\n\none\n\n[a] and [b]\n\ntwo\n\nthree\n"
    _, first = stream.update("[a]: http://a\n\none\n\n[a]")
    stream.update(text)
    text += "\n[b]: http://b\n"

    assert first[1].count("<a ") == 1
    assert stream.update(text) == (4, [])
    keep, blocks = stream.update(text, final=True)
    assert (keep, blocks[0].count("<a ")) == (1, 2)


def test_a_text_that_is_replaced_is_rendered_again():
    """What both texts have in common stays."""
    stream = MarkdownStream()
    stream.update("one\n\ntwo\n\nthree\n\nfour")

    keep, blocks = stream.update("one\n\n2\n\nthree")

    assert (keep, "".join(blocks)) == (1, '<p dir="auto">2</p>\n<p dir="auto">three</p>\n')
    assert stream.update("one\n\n2\n\nthree") == (3, [])


def test_a_growing_answer_is_parsed_a_few_times_not_a_thousand():
    """Only the end is parsed again: 50,000 characters in 500 pieces."""
    section = (
        f"## Title\n\n{'some **words** of text ' * 12}\n\n- one\n- two\n\n```python\nx = 1\n```\n\n"
    )
    text = (section * 200)[:50_000]
    page, stream = page_after(text, [len(text) * n // 500 for n in range(1, 501)])

    assert page == markdown_html(text)
    assert stream.characters_parsed < 5 * len(text)


@pytest.mark.parametrize("kind", ["fence", "one word", "words", "lines", "lists", "paragraphs"])
def test_a_tail_without_an_end_is_not_parsed_again_and_again(kind):
    """Parsing and sending stay far below the square of the length."""
    text = {
        "fence": "```python\n" + "x = f(1)\n" * 23_000, "one word": "a" * 200_000,
        "paragraphs": "a paragraph of words\n\n" * 9_500,
    }.get(kind) or TEXTS[kind](200_000)  # fmt: skip
    stream, shown, sent = MarkdownStream(), [], 0
    for n in range(1, 101):
        keep, blocks = stream.update(text[: len(text) * n // 100])
        shown[keep:] = blocks
        sent += sum(map(len, blocks))

    assert stream.characters_parsed < 15 * LONGEST + LONGEST_TAIL  # the square is 200 times as much
    assert sent < 5 * len(text)
    assert text_of("".join(shown)).count("a") == text_of(markdown_html(text)).count("a")


def test_a_key_is_masked_in_a_text_that_grows():
    """The stream redacts, whoever calls it."""
    key = "sk-growing-R8tQ2wLp9ZxV4nBkM"
    Secret(key)
    stream = MarkdownStream()

    assert "R8tQ2wLp" not in "".join(stream.update(f"one\n\n`{key}` two")[1])


def test_rendering_imports_nothing_before_it_is_needed():
    """Importing the views is light; `prepare` imports all that the first answer needs."""
    code = (
        "import sys\n"
        "from llmkit.views.answers import markdown, markdown_blocks\n"
        "heavy = {'markdown_it', 'pygments', 'latex2mathml'}\n"
        "print(heavy & set(sys.modules))\n"
        "markdown_blocks.prepare()\n"
        "before = set(sys.modules)\n"
        "markdown.markdown_html('**a** $x^2$\\n\\n```python\\nx\\n```')\n"
        "print(set(sys.modules) - before)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert done.stdout.splitlines() == ["set()", "set()"]
