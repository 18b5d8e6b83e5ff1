"""Tests that paper and plain HTML hold every word of the answers.

The notebook is executed without a page, and its file read by nbconvert. Chromium prints it.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
import unicodedata
from html.parser import HTMLParser
from io import BytesIO

import pytest

from tests.ipc import ipc
from tools.notebooks import store

from .lab import written
from .marks import BROWSER

pytestmark = [*BROWSER, pytest.mark.kernel]

LONG, SHORT = 900, 40  # words
# Each answer has words of its own, so that no word of one stands for that of another.
SCRIPTS = f"""\
%load_ext llmkit
from itertools import count
import llmkit
from llmkit import Script
kit = llmkit.current_kit()
for name in ("first", "second", "single"):
    kit.script(name, Script(" ".join(f"{{name}}{{number}}" for number in range({LONG}))))
turns = count()

def answer(body):
    turn = next(turns)
    return Script(" ".join(f"{{turn}}n{{number}}" for number in range({SHORT})))

kit.script("red", answer)
kit.script("blue", answer)
kit.script("torn", Script(" ".join(f"torn{{number}}" for number in range({SHORT})), failure="cut"))
kit.script("poor", Script("you are out of credit", status=402))
"""
TWO = "%%compare scripted:first scripted:second --out run\nWhat is long?"
SINGLE = "%%ask scripted:single\nWhat is single?"
MANY = (
    "many = llmkit.compare([f'Prompt {number}?' for number in range(6)],"
    " ['scripted:red', 'scripted:blue'], temperature=[0, 1])"
)
FAILED = "%%compare scripted:torn scripted:poor\nWhat fails?"
WORDS_OF_TWO = {f"{name}{number}" for name in ("first", "second") for number in range(LONG)}
WORDS_OF_ONE = {f"single{number}" for number in range(LONG)}
WORDS_OF_MANY = {f"{turn}n{number}" for turn in range(24) for number in range(SHORT)}


@pytest.fixture(scope="module")
def exported(tmp_path_factory):
    """Executes the notebook, and exports it without a network; gives the folder of the pages."""
    folder = tmp_path_factory.mktemp("paper")
    path = written(folder / "paper.ipynb", SCRIPTS, TWO, SINGLE, MANY, FAILED, pages_of(folder))
    store(path, ipc())
    subprocess.run(
        [sys.executable, "-m", "nbconvert", "--to", "html", "--embed-images", str(path)],
        check=True, capture_output=True,
        env={"PATH": "", "HOME": str(folder), "http_proxy": "http://127.0.0.1:9",
             "https_proxy": "http://127.0.0.1:9", "IPYTHONDIR": str(folder)},
    )  # fmt: skip
    return folder


def pages_of(folder):
    """Returns a cell that writes the pages of `to_html` into *folder*."""
    return f"_ = [run.to_html(r'{folder / 'two.html'}'), many.to_html(r'{folder / 'many.html'}')]"


def printed(browser, page_file):
    """Returns the words on the paper of an HTML page, printed without a network."""
    import pypdf

    context = browser.new_context(offline=True)
    page = context.new_page()
    page.goto(page_file.as_uri())
    paper = page.pdf(format="A4")
    context.close()
    sheets = pypdf.PdfReader(BytesIO(paper)).pages
    text = "\n".join(sheet.extract_text() for sheet in sheets)
    # Fonts have one sign for "fi".
    return set(re.findall(r"\w+", unicodedata.normalize("NFKC", text)))


def test_a_printed_notebook_has_every_word_of_long_answers(browser, exported):
    """Two answers of 900 words side by side, and one of `%%ask`, are whole on paper."""
    words = printed(browser, exported / "paper.html")

    assert sorted(WORDS_OF_TWO - words) == []
    assert sorted(WORDS_OF_ONE - words) == []


def test_a_printed_notebook_has_every_word_of_many_answers(browser, exported):
    """More than eight answers are folded on the page and open on paper."""
    words = printed(browser, exported / "paper.html")

    assert sorted(WORDS_OF_MANY - words) == []


@pytest.mark.parametrize(
    ("name", "expected"), [("two.html", WORDS_OF_TWO), ("many.html", WORDS_OF_MANY)]
)
def test_a_printed_page_has_every_word(browser, exported, name, expected):
    """The page that `to_html` writes is whole on paper, too."""
    assert sorted(expected - printed(browser, exported / name)) == []


def test_plain_html_reads_in_order(exported):
    """Without scripts, styles and attributes the words stand in the order in which one reads."""
    text = plain_text(outputs_of(exported / "paper.ipynb")[1])

    assert in_order(text, [
        "2 answers", "What is long?", "scripted:first", "complete", "first0", "first899", "$0",
        "scripted:second", "complete", "second0", "second899", "$0",
    ]) == []  # fmt: skip


def test_plain_html_of_many_answers_reads_in_order(exported):
    """The table has the summary first, then each prompt with the answers of each model."""
    text = plain_text(outputs_of(exported / "paper.ipynb")[3])

    assert in_order(text, [
        "24 answers", "24 ok", "model", "cost", "scripted:red", "12", "$0", "scripted:blue",
        "Prompt 0?", "scripted:red", "complete", f"n{SHORT - 1}", "$0", "scripted:blue",
        f"n{SHORT - 1}", "$0", "Prompt 1?", "Prompt 5?", "scripted:red", "scripted:blue",
    ]) == []  # fmt: skip
    assert set(re.findall(r"\w+", text)) >= WORDS_OF_MANY


def test_plain_html_says_what_failed(exported):
    """A cut answer keeps its words, and a refused one says why."""
    text = plain_text(outputs_of(exported / "paper.ipynb")[4])

    assert in_order(text, [
        "What fails?", "scripted:torn", "cut off", "torn0", "scripted:poor", "failed",
        "out of credit",
    ]) == []  # fmt: skip


def outputs_of(path):
    """Returns the HTML of each code cell."""
    cells = json.loads(path.read_text("utf-8"))["cells"]
    return ["".join("".join(output["data"].get("text/html", "")) for output in cell["outputs"]
                    if "data" in output) for cell in cells]  # fmt: skip


def plain_text(html):
    """Returns what is left of *html* without tags, attributes, scripts and styles."""
    reader = _Words()
    reader.feed(html)
    return " ".join(reader.words)


class _Words(HTMLParser):
    """Collects the words outside of scripts and styles."""

    def __init__(self) -> None:
        super().__init__()
        self.words: list[str] = []
        self._unread = 0

    def handle_starttag(self, tag: str, attrs: object) -> None:
        self._unread += tag in ("script", "style")

    def handle_endtag(self, tag: str) -> None:
        self._unread -= tag in ("script", "style")

    def handle_data(self, data: str) -> None:
        if not self._unread:
            self.words += data.split()


def in_order(text, wanted):
    """Returns the phrases of *wanted* that do not follow the ones before them in *text*."""
    at, missing = 0, []
    for phrase in wanted:
        found = text.find(phrase, at)
        if found < 0:
            missing.append(phrase)
        else:
            at = found + len(phrase)
    return missing
