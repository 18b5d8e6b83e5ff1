"""Tests the live view of a comparison with four streaming answers."""

from __future__ import annotations

import re

from .marks import BROWSER

pytestmark = BROWSER

SCRIPTS = """\
%load_ext llmkit
import asyncio, json, llmkit
from llmkit import Script
kit = llmkit.current_kit()
words = " ".join(f"word{i}" for i in range(40))
kit.script("steady", Script(words, piece_delay_s=0.1, reasoning="Let me think."))
kit.script("hostile", Script("<img src=x onerror=alert(1)> " * 4 + "**bold**", piece_delay_s=0.1))
kit.script("cut", Script(words, piece_delay_s=0.05, failure="cut"))
kit.script("refused", Script("you are out of credit", status=402))
kit.script("endless", Script(words * 100, piece_delay_s=0.1))
kit.script("silent", Script("one two", piece_delay_s=3600.0))
"""
FOUR = "%%compare scripted:steady scripted:hostile scripted:cut scripted:refused --out run\nWhy?"
LIVE = ".lk-panel .lk-card"


def test_four_lanes_grow_and_stay(open_notebook):
    """Text appears as it arrives, errors appear in their card, and the view outlives the run."""
    notebook = open_notebook(SCRIPTS, FOUR, "print('next', len(run))\nrun")
    page = notebook.page
    notebook.run(0)
    notebook.start(1)
    page.wait_for_selector(f"{LIVE}[data-state=writing]")
    first = page.locator(LIVE).first.inner_text()
    notebook.until(
        "text => document.querySelector('.lk-panel .lk-card').innerText.length > text.length",
        arg=first,
    )
    refused = page.locator(LIVE).nth(3).inner_text()
    alive = page.locator(".lk-panel").first.inner_text()
    notebook.wait_for_cell(1)
    page.wait_for_selector(f"{LIVE}[data-state=truncated]")
    page.get_by_role("button", name="Stop").first.wait_for(state="detached")
    cards = page.locator(LIVE)
    ended = [cards.nth(i).inner_text() for i in range(cards.count())]
    notebook.run(2)
    data = notebook.save()["cells"]
    saved = ["".join(output["data"].get("text/html", "")) for output in data[1]["outputs"]]

    assert "first reasoning ≈" in first
    assert "out of credit" in refused
    assert "Answers marked [scripted]" in alive
    assert len(ended) == 4
    assert "complete" in ended[0]
    times = r"first reasoning [\d.]+ s · first text [\d.]+ s · [\d.]+ s"
    assert re.search(rf"{times} · 40 tokens at [\d.]+/s · \$0", ended[0])
    assert "<img src=x" in ended[1]
    assert "cut off" in ended[2]
    assert "word3" in ended[2]
    assert "InsufficientFundsError" in ended[3]
    assert page.locator(".jp-OutputArea .jp-CodeCell img").count() == 0
    assert any("word39" in html and "out of credit" in html for html in saved)
    assert "next 4" in notebook.outputs()[2]


def test_stop_keeps_what_came_and_the_next_cell_runs(open_notebook):
    """Stop reaches a nested run, an awaited run and a background task."""
    notebook = open_notebook(
        SCRIPTS,
        "run = llmkit.compare('Why?', ['scripted:endless', 'scripted:steady'], repeats=1)",
        "run = await llmkit.acompare('Why?', ['scripted:endless', 'scripted:steady'])",
        "run = task = asyncio.create_task(llmkit.acompare('Why?', ['scripted:endless']))",
        "if not isinstance(run, llmkit.Comparison): run = await task\n"
        "from tests.ours import tasks\n"
        "print([str(r.completion.status) for r in run], bool(run.rows[0].completion.text))\n"
        "print(tasks())",
    )
    page = notebook.page
    notebook.run(0)
    for number in (1, 2, 3):
        notebook.start(number)
        live = page.locator(".jp-CodeCell").nth(number).locator(".lk-panel")
        live.locator(".lk-card[data-state=writing]").first.wait_for()
        stop = live.get_by_role("button", name="Stop")
        stop.click()
        live.locator(".lk-card[data-state=cancelled]").first.wait_for()
        stop.wait_for(state="detached")
        notebook.wait_for_cell(number)
        notebook.run(4)
        first = live.locator(".lk-card").first.inner_text()

        assert "cancelled" in first
        assert "word1" in first
        assert "'cancelled'" in notebook.outputs()[4]
        assert "True\n[]" in notebook.outputs()[4]


def test_a_silent_answer_says_so_and_is_stopped_alone(open_notebook):
    """The page counts the seconds while a cell blocks the kernel; the other answer goes on."""
    notebook = open_notebook(
        SCRIPTS,
        "run = llmkit.compare('Why?', ['scripted:silent', 'scripted:endless'])",
        "print([str(row.completion.status) for row in run], run.rows[0].completion.text)",
    )
    page = notebook.page
    notebook.run(0)
    notebook.start(1)
    silent, endless = page.locator(LIVE).nth(0), page.locator(LIVE).nth(1)
    silent.get_by_text("silent for 5 s").wait_for()
    own_stops = page.locator(f"{LIVE} .lk-stop").count()
    # As if 30 s passed between two looks at the clock, because each message sets it again.
    page.evaluate(
        "() => { let n = 0; window.clock = Date.now;"
        " Date.now = () => window.clock() + 30_000 * n++; }"
    )
    silent.get_by_role("button", name="Stop 0: scripted:silent").click()
    page.wait_for_selector(f"{LIVE}[data-state=cancelled]")
    stopped, still = silent.inner_text(), endless.get_attribute("data-state")
    buttons = silent.locator(".lk-stop").count()
    page.evaluate("() => { Date.now = window.clock; }")  # the next test has the same page
    page.locator(".lk-panel .lk-headbar").get_by_role("button", name="Stop").click()
    notebook.wait_for_cell(1)
    notebook.run(2)

    assert (own_stops, buttons, still) == (0, 0, "writing")
    assert "one" in stopped
    assert "silent for" not in stopped
    assert notebook.outputs()[2].strip() == "['cancelled', 'cancelled'] one"


def test_many_answers_are_a_matrix_that_opens(open_notebook):
    """More than eight answers are cells; a click opens one, even while it streams."""
    notebook = open_notebook(
        SCRIPTS,
        "%%compare scripted:steady scripted:endless scripted:cut --repeats 3 --out run\nWhy?",
        "print(len(run))",
    )
    page = notebook.page
    notebook.run(0)
    notebook.start(1)
    page.wait_for_selector(".lk-panel td[data-state=writing]")
    cells = page.locator(".lk-panel .lk-cell")
    cells.nth(1).click()
    section = page.locator(".lk-panel section")
    section.wait_for()
    before = section.inner_text()
    notebook.until(
        "n => document.querySelector('.lk-panel section').innerText.length > n", arg=len(before)
    )
    count, place = cells.count(), page.locator(".lk-pages").nth(1).inner_text()
    page.get_by_label("a line for each repeat").check()
    notebook.until("() => document.querySelectorAll('.lk-panel .lk-cell').length === 9")
    page.locator(".lk-panel .lk-headbar").get_by_role("button", name="Stop").click()
    notebook.wait_for_cell(1)
    notebook.run(2)

    assert count == 3
    assert "1 of 3" in place
    assert notebook.outputs()[2].strip() == "9"
    assert section.is_visible()


def test_markdown_and_differences_are_shown(open_notebook):
    """Answers are rendered while they stream, shown as written on request, and compared."""
    notebook = open_notebook(
        SCRIPTS, "llmkit.compare('Why?', ['scripted:hostile', 'scripted:echo', 'scripted:endless'])"
    )
    page = notebook.page
    notebook.run(0)
    notebook.start(1)
    page.wait_for_selector(f"{LIVE}[data-state=complete] >> nth=1")
    bold = page.locator(f"{LIVE} strong")
    bold.wait_for()
    shown, text = page.locator(LIVE).first.inner_text(), bold.inner_text()
    compare = page.locator(LIVE).get_by_role("button", name="Compare the answer")
    compare.nth(0).click()
    page.get_by_text("Press Compare at another answer").wait_for()
    compare.nth(1).click()
    page.locator(".lk-panel .lk-differ ins").first.wait_for()
    page.get_by_label("Markdown").uncheck()
    bold.wait_for(state="detached")
    written = page.locator(LIVE).first.inner_text()
    page.locator(".lk-panel .lk-headbar").get_by_role("button", name="Stop").click()
    notebook.wait_for_cell(1)

    assert text == "bold"
    assert "<img src=x" in shown
    assert "**bold**" in written
    assert page.locator(".jp-CodeCell img").count() == 0


def test_a_view_says_that_its_kernel_was_restarted(open_notebook):
    """It sends nothing further, and what came, what is open and what was typed stays."""
    notebook = open_notebook(
        SCRIPTS,
        "task = asyncio.create_task(llmkit.acompare(['a', 'b', 'c'], ['scripted:endless',"
        " 'scripted:steady', 'scripted:cut']))",
    )
    page = notebook.page
    notebook.run(0)
    notebook.run(1)
    page.locator(".lk-panel td[data-state=writing] .lk-cell").first.click()
    page.locator(".lk-panel section").wait_for()
    page.get_by_label("search prompts, answers and errors").fill("word")
    notebook.begin_restart()
    said = page.locator(".lk-panel [role=alert]")
    said.wait_for()
    words = said.inner_text()
    stop = page.locator(".lk-panel .lk-headbar").get_by_role("button", name="Stop")
    off = stop.get_attribute("aria-disabled")
    typed = page.get_by_label("search prompts, answers and errors").input_value()
    card = page.locator(".lk-panel section").inner_text()
    page.get_by_role("button", name="Clear").click()
    page.get_by_role("button", name="Clear").wait_for(state="detached")
    notebook.wait_for_restart()

    assert words == (
        "The kernel was restarted or has ended. Run this cell again;"
        " what stands here is what had come."
    )
    assert (off, typed) == ("true", "word")
    assert "word0" in card
    assert "not finished" in card
