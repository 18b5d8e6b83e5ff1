"""A model's Markdown is rendered without anything active."""

from __future__ import annotations

import re
import subprocess
import sys

import pytest

from llmkit.comparison.result import Comparison
from llmkit.secret import Secret
from llmkit.views.answers.markdown import DEEPEST, LONGEST, markdown_html
from tests.unit.rows import plain
from tests.unit.test_markup import HOSTILE, Tags

RICH = """# Title

**bold** and `code <b>`

| a | b |
|---|--:|
| 1 | 2 |

- [here](https://example.org/a?b=1)
"""
ALLOWED = {
    "h1", "p", "strong", "code", "pre", "table", "thead", "tbody", "tr", "th", "td", "ul", "li",
    "a",
}  # fmt: skip


def test_markdown_is_rendered():
    """Headings, emphasis, code, tables, lists and links are rendered."""
    tags = Tags(markdown_html(RICH))

    assert set(tags.found) == ALLOWED - {"pre"}
    assert "code &lt;b&gt;" in markdown_html(RICH)


@pytest.mark.parametrize("payload", HOSTILE)
def test_no_hostile_text_becomes_markup_of_its_own(payload):
    """Raw HTML stays text, images are never fetched, hidden characters are shown."""
    rendered = markdown_html(f"before {payload} after\n\n{payload}\n")
    tags = Tags(rendered)

    assert set(tags.found) <= ALLOWED
    assert tags.attributes <= {"href", "title", "rel", "target", "style", "class"}
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
        "[a]: http://b",
    ],
)
def test_what_cannot_be_rendered_is_shown_as_it_was_written(text):
    """A limit cuts nothing from an answer."""
    rendered = markdown_html(text)

    assert rendered.startswith("<pre>")
    assert text.split()[-1] in rendered


def test_a_key_is_taken_out_of_markdown():
    """A key that an answer echoes is masked, also in code."""
    key = "sk-markdown-R7tQ2wLp9ZxV4nBk"
    Secret(key)

    assert "R7tQ2wLp" not in markdown_html(f"`{key}` and {key}")


def test_a_comparison_renders_on_request_alone():
    """show(markdown=True) renders the answers; the default view shows them as written."""
    run = Comparison([plain(text="**bold** <b>x</b>")], {})

    assert "<strong>bold</strong> &lt;b&gt;" in run.show(markdown=True)._repr_html_()
    assert "**bold**" in run.show()._repr_html_()
    assert repr(run.show(markdown=True)) == str(run)


def test_without_the_extra_the_error_says_how_to_install_it():
    """The message has the command to run."""
    code = (
        "import sys; sys.modules['markdown_it'] = None\n"
        "from llmkit.errors import ConfigError\n"
        "from llmkit.views.answers.markdown import markdown_html\n"
        "try: markdown_html('x')\n"
        "except ConfigError as error: print(error)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert done.stdout.strip() == 'rendering Markdown needs: pip install "llmkit[markdown]"'
