"""Tests the live view of a comparison with four streaming answers."""

from __future__ import annotations

import json
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


def test_four_lanes_grow_and_end_frozen(open_notebook):
    """Text appears as it arrives, errors appear in their card, and the result is plain HTML."""
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
    page.wait_for_selector(".lk-panel", state="detached")
    cards = page.locator(".jp-CodeCell").nth(1).locator(".lk-card")
    ended = [cards.nth(i).inner_text() for i in range(cards.count())]
    notebook.run(2)
    data = notebook.save()["cells"]

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
    assert [list(o["data"]) for o in data[1]["outputs"]] == [["text/html", "text/plain"]]
    assert "next 4" in notebook.outputs()[2]
    assert "widget-view" not in json.dumps(data)


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
        live.get_by_role("button", name="Stop").click()
        live.wait_for(state="detached")
        notebook.wait_for_cell(number)
        notebook.run(4)
        first = page.locator(".jp-CodeCell").nth(number).locator(".lk-card").first.inner_text()

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
    own_stops = page.locator(f"{LIVE} button").count()
    # As if 30 s had passed.
    page.evaluate("const now = Date.now; Date.now = () => now() + 30_000")
    silent.get_by_role("button", name="Stop 0: scripted: silent").click()
    page.wait_for_selector(f"{LIVE}[data-state=cancelled]")
    stopped, still = silent.inner_text(), endless.get_attribute("data-state")
    buttons = silent.locator("button").count()
    page.get_by_role("button", name="■ Stop", exact=True).first.click()
    notebook.wait_for_cell(1)
    notebook.run(2)

    assert (own_stops, buttons, still) == (0, 0, "writing")
    assert "one" in stopped
    assert "silent for" not in stopped
    assert notebook.outputs()[2].strip() == "['cancelled', 'cancelled'] one"


def test_many_answers_are_a_grid_that_opens(open_notebook):
    """More than eight answers are lines; a click opens one, even while it streams."""
    notebook = open_notebook(
        SCRIPTS,
        "%%compare scripted:steady scripted:endless scripted:cut --repeats 3 --out run\nWhy?",
        "print(len(run))",
    )
    page = notebook.page
    notebook.run(0)
    notebook.start(1)
    page.wait_for_selector(".lk-panel tr[data-state=writing]")
    rows = page.locator(".lk-panel tbody tr")
    opening = rows.nth(3).locator("summary")
    opening.click()
    section = rows.nth(3).locator("section")
    section.wait_for()
    before = section.inner_text()
    notebook.until(
        "n => document.querySelectorAll('.lk-panel tbody tr')[3].querySelector('section')"
        ".innerText.length > n",
        arg=len(before),
    )
    lines = rows.count()
    page.get_by_role("button", name="Stop").click()
    notebook.wait_for_cell(1)
    notebook.run(2)

    assert lines == 9
    assert notebook.outputs()[2].strip() == "9"
    assert page.locator(".jp-CodeCell").nth(1).locator("tbody details").count() >= 9


def test_markdown_and_differences_are_shown_on_request(open_notebook):
    """Finished answers can be rendered and compared while the run continues."""
    notebook = open_notebook(
        SCRIPTS, "llmkit.compare('Why?', ['scripted:hostile', 'scripted:echo', 'scripted:endless'])"
    )
    page = notebook.page
    notebook.run(0)
    notebook.start(1)
    page.wait_for_selector(f"{LIVE}[data-state=complete] >> nth=1")
    page.get_by_label("Markdown").check()
    bold = page.locator(".lk-panel strong")
    bold.wait_for()
    shown = page.locator(LIVE).first.inner_text()
    page.get_by_role("button", name="Differences").click()
    page.locator(".lk-panel .lk-differ ins").first.wait_for()
    page.get_by_role("button", name="Stop").click()
    page.wait_for_selector(".lk-panel", state="detached")

    assert bold.count() == 0
    assert "<img src=x" in shown
    assert page.locator(".jp-CodeCell img").count() == 0
    assert page.locator(".jp-CodeCell strong").inner_text() == "bold"
