"""Tests what a kernel displays for comparisons and asks, and what an interrupt says."""

from __future__ import annotations

import pytest

from .driver import value

pytestmark = pytest.mark.kernel

SCRIPTS = """\
from llmkit import Script
kit = llmkit.current_kit()
words = " ".join(f"word{i}" for i in range(40))
kit.script("steady", Script(words, piece_delay_s=0.02))
kit.script("silent", Script("begun and more", piece_delay_s=3600.0))
kit.script("refused", Script("you are out of credit", status=402))
class Telling:
    def __getattr__(self, name):
        return lambda *_: None
    def grew(self, row, delta):
        print("grew", flush=True)
kit.watchers.append(Telling)
kit.ask_watchers.append(Telling)
"""


@pytest.fixture(scope="module")
def scripted(kernel):
    """Yields the kernel with scripts, and with a watcher that prints when text arrives."""
    ran = kernel.one(SCRIPTS)
    assert ran.ok, ran.error
    return kernel


def interrupted(kernel, cell):
    """Runs a cell, interrupts it when text has arrived, and returns what it displayed."""
    sent = kernel.send(cell, cell_id=cell)
    kernel.wait_for_output(sent, "grew")
    kernel.interrupt()
    (ran,) = kernel.collect([sent])
    return ran


def words(ran):
    """Returns the texts of the outputs of a cell, without those that are empty."""
    return [shown["text/plain"] for shown in ran.shown if shown["text/plain"]]


def test_an_interrupt_says_how_many_answers_are_kept_and_where(scripted):
    """One sentence without frames; the view, `llmkit.last` and the variable have the answers."""
    ran = interrupted(
        scripted, "%%compare scripted:echo scripted:silent scripted:refused --out run\nhi"
    )
    kept = scripted.one(
        "print(json.dumps([llmkit.last is run, len(run), run.rows[1].completion.status]))"
    )

    sentence = "Stopped: 1 of 3 answers is kept in run and llmkit.last."
    assert ran.reply["ename"] == "KeyboardInterrupt"
    assert ran.reply["traceback"] == [sentence]
    assert sentence.rstrip(".") in " ".join(words(ran)[-1].split())
    assert value(kept) == [True, 3, "cancelled"]


def test_an_interrupt_of_an_awaited_comparison_says_the_same(scripted):
    """The cell ends with the sentence alone."""
    ran = interrupted(scripted, "await llmkit.acompare('hi', ['scripted:echo', 'scripted:silent'])")

    assert ran.reply["traceback"] == ["Stopped: 1 of 2 answers is kept in llmkit.last."]


def test_an_interrupt_can_still_be_caught(scripted):
    """`except KeyboardInterrupt` runs, and the newest comparison is the interrupted one."""
    ran = interrupted(
        scripted,
        "try:\n    llmkit.compare('hi', ['scripted:silent'])\n"
        "except KeyboardInterrupt as error:\n    print(error)",
    )

    assert (
        "Stopped: 0 of 1 answers are complete; the text so far is kept in llmkit.last." in ran.out
    )


def test_an_interrupted_ask_keeps_its_text_in_the_output(scripted):
    """The card has what arrived."""
    ran = interrupted(scripted, "%%ask scripted:silent\nhi")

    assert ran.reply["traceback"] == ["Stopped: the text so far is in the output of the cell."]
    assert "begun" in words(ran)[-1]
    assert "cancelled" in words(ran)[-1]


def test_all_asks_of_a_cell_are_one_view(scripted):
    """A loop of a hundred asks ends with one table of a hundred answers."""
    ran = scripted.one("for i in range(100): llmkit.ask(f'prompt {i}', 'scripted:echo')")

    (text,) = words(ran)
    assert text.startswith("100 answers · 100 ok")


def test_asks_at_the_same_time_are_side_by_side(scripted):
    """The view has all three, and the result of the cell is not displayed again."""
    ran = scripted.one(
        "found = await asyncio.gather(*(llmkit.aask(f'p{i}', 'scripted:steady')"
        " for i in range(3)))\nfound[0]"
    )

    (text,) = words(ran)
    assert text.startswith("3 answers · 3 ok")
    assert text.count("word39") == 3


def test_an_answer_is_a_card_in_a_later_cell(scripted):
    """Only the cell that asked displays nothing for it, because its view is above."""
    asked = scripted.one("answer = llmkit.ask('hello there', 'scripted:echo')\nanswer")
    later = scripted.one("answer")

    (_,) = words(asked)
    (shown,) = later.shown
    assert shown["text/plain"].startswith("hello there")
    assert "lk-card" in shown["text/html"]


def test_a_failed_ask_has_a_card_and_one_sentence(scripted):
    """The card says why, and the error is one line."""
    ran = scripted.one("llmkit.ask('hi', 'scripted:refused')")

    (text,) = words(ran)
    assert "out of credit" in text
    assert len(ran.reply["traceback"]) == 1


def test_no_unfinished_text_is_shown_before_a_widget_greets(scripted):
    """A front end that ignores updates shows the final words, once."""
    ran = scripted.one("run = llmkit.compare('hi', ['scripted:steady', 'scripted:echo'])")

    (text,) = words(ran)
    assert "word39" in text
    assert "writing" not in text


def test_views_are_closed_with_their_cells(scripted):
    """A cell that runs again or is deleted closes its view, and fifty views stay at most."""
    count = "from llmkit.notebook import extension\nprint(json.dumps(len(extension._views)))"
    ask = "llmkit.ask('hi', 'scripted:echo')"
    scripted.one("print(1)", deletedCells=[f"c{i}" for i in range(60)])
    before = value(scripted.one(count))
    for _ in range(3):
        scripted.one(ask, cell_id="c0")
    again = value(scripted.one(count))
    for i in range(60):
        scripted.one(ask, cell_id=f"c{i}")
    many = value(scripted.one(count))
    scripted.one("print(1)", deletedCells=[f"c{i}" for i in range(60)])
    deleted = value(scripted.one(count))

    assert again == before + 1
    assert many == 50
    assert deleted == 0
