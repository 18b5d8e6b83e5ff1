"""Tests the matrix of many answers: what it paints, finds, opens and keeps, in a real notebook."""

from __future__ import annotations

import pytest

from .marks import BROWSER

pytestmark = BROWSER

SCRIPTS = """\
%load_ext llmkit
import asyncio, llmkit
from llmkit import Script
kit = llmkit.current_kit()
kit.script("short", Script("A short answer."))
kit.script("refused", Script("you are out of credit", status=402))
kit.script("long", Script("A long answer with many words. " * 40 + "The needle is here."))
kit.script("slow", Script("word " * 5000, piece_delay_s=0.1))
for n in "234": kit.script(f"slow{n}", Script("word " * 5000, piece_delay_s=0.1))
kit.script("word", Script("x" * 100_000))
kit.script("arabic", Script("العربية لغة سامية. " * 30))
kit.script("wide", Script("日本の首都は東京です。👩‍👩‍👧 " * 30))
kit.script("code", Script("# Title\\n\\n" + "- a\\n" * 40 + "```python\\nprint('code')\\n```\\n"))
"""
SLOW = (
    "task = asyncio.create_task(llmkit.acompare({prompts}, {models}, {rest}))\n"
    "await asyncio.sleep(0)"
)
PANEL = ".lk-panel"
CELL = ".lk-cell"
LONG_TASKS = """() => { window.tasks = []; new PerformanceObserver(list => list.getEntries()
  .forEach(entry => window.tasks.push(entry.duration))).observe({ type: 'longtask' }); }"""


def shown(open_notebook, prompts, models, rest="", **view):
    """Opens a notebook and starts a run of which an answer goes on; returns it and the widget."""
    code = SLOW.format(prompts=prompts, models=models, rest=rest)
    notebook = open_notebook(SCRIPTS, code, **view)
    notebook.run(0)
    notebook.run(1)
    notebook.page.wait_for_selector(f"{PANEL} .lk-matrix")
    return notebook, notebook.page.locator(PANEL)


def test_a_page_has_25_prompts_and_the_pager_turns_it(open_notebook):
    """Of 90 prompts 25 are painted, one column for each model; the rest is one click away."""
    _, panel = shown(
        open_notebook, "[f'question {i}' for i in range(90)]", "['scripted:short', 'scripted:slow']"
    )
    heads = panel.locator(".lk-matrix thead th").all_inner_texts()
    first = panel.locator(".lk-prompt").all_inner_texts()
    place = panel.locator(".lk-pager [role=status]").inner_text()
    panel.get_by_role("button", name="Next").click()
    panel.get_by_text("26–50 of 90 prompts").wait_for()
    second = panel.locator(".lk-prompt").all_inner_texts()
    height = panel.evaluate("panel => panel.offsetHeight")
    panel.get_by_role("button", name="Stop").first.click()

    assert heads == ["prompt", "scripted:short", "scripted:slow"]
    assert (len(first), first[0], second[0]) == (25, "question 0", "question 25")
    assert place == "1–25 of 90 prompts"
    assert height <= 9_000


def test_search_filters_and_sort_find_what_went_wrong(open_notebook):
    """A search marks its hits beyond the first lines, a status shows its answers alone."""
    notebook, panel = shown(
        open_notebook, "[f'question {i}' for i in range(6)]",
        "['scripted:long', 'scripted:refused', 'scripted:slow']",
    )  # fmt: skip
    page = notebook.page
    panel.locator("td[data-state=error]").nth(5).wait_for()
    panel.locator("td[data-state=complete]").nth(5).wait_for()
    search = panel.get_by_label("search prompts, answers and errors")
    search.fill("NEEDLE")
    panel.get_by_text("6 of 18 shown").wait_for()
    hits = panel.locator(f"{CELL} mark").all_inner_texts()
    search.fill("no such word")
    nothing = panel.get_by_text("No answer matches.").inner_text()
    panel.get_by_role("button", name="Clear").click()
    panel.get_by_label("status").select_option("not ok")
    panel.get_by_text("6 of 18 shown").wait_for()
    words = set(panel.locator(f"{CELL} .lk-status").all_inner_texts())
    focus = page.evaluate("document.activeElement.tagName")
    panel.get_by_role("button", name="Stop").first.click()

    assert hits == ["needle"] * 6
    assert "Clear the search or the filters" in nothing
    assert words == {"✗ failed"}
    assert focus == "INPUT"


def test_what_a_reader_opened_and_typed_stays_while_answers_stream(open_notebook):
    """Open cards, the scroll position, the selection and the focus survive repaints."""
    notebook, panel = shown(
        open_notebook, "[f'question {i}' for i in range(10)]", "['scripted:long', 'scripted:slow']"
    )
    page = notebook.page
    panel.locator("td[data-state=complete] .lk-cell").first.click()
    box = panel.locator(".lk-card .lk-answer").first
    box.wait_for()
    search = panel.get_by_label("search prompts, answers and errors")
    search.press_sequentially("w")  # in all answers
    before = panel.locator("td[data-state=writing] .lk-cell").first.inner_text()
    notebook.until(
        "text => document.querySelector('.lk-panel td[data-state=writing] .lk-cell').innerText"
        " !== text",
        arg=before,
    )
    kept = (search.input_value(), page.evaluate("document.activeElement.type"))
    is_open = box.is_visible()
    page.keyboard.press("Control+A")
    page.keyboard.press("Delete")
    panel.locator(".lk-card").first.get_by_role("button", name="Close").press("Enter")
    box.wait_for(state="detached")
    focus = page.evaluate("document.activeElement.className")
    page.keyboard.press("Enter")
    box.wait_for()
    page.keyboard.press("Escape")
    box.wait_for(state="detached")
    panel.get_by_role("button", name="Stop").first.click()

    assert kept == ("w", "search")
    assert is_open
    assert focus == "lk-cell"


def test_a_box_follows_its_newest_line_until_the_reader_scrolls(open_notebook):
    """The box of a growing answer is at its end; scrolled up it stays; "Show all" opens it."""
    notebook, panel = shown(
        open_notebook, "[f'question {i}' for i in range(9)]", "['scripted:slow', 'scripted:long']"
    )
    panel.locator("td[data-state=writing] .lk-cell").first.click()
    box = panel.locator(".lk-card .lk-answer").first
    box.evaluate("box => { box.style.maxHeight = '3em'; }")
    at_end = (
        "() => { const b = document.querySelector('.lk-live .lk-card .lk-answer');"
        " return b.scrollTop > 20"
    )
    notebook.until(f"{at_end} && b.scrollHeight - b.clientHeight - b.scrollTop < 12; }}")
    box.evaluate("box => { box.scrollTop = 0; }")
    size = box.evaluate("box => box.scrollHeight")
    notebook.until(
        "size => document.querySelector('.lk-live .lk-card .lk-answer').scrollHeight > size",
        arg=size,
    )
    place = box.evaluate("box => box.scrollTop")
    panel.get_by_role("button", name="Show all").first.click()
    panel.get_by_role("button", name="Show less").first.wait_for()
    panel.get_by_role("button", name="Stop").first.click()

    assert place == 0


def test_copy_gives_the_raw_text_and_each_block_of_code(open_notebook):
    """The clipboard has the answer as it was written, and the code without its fence."""
    notebook, panel = shown(open_notebook, "['q'] * 5", "['scripted:code', 'scripted:slow']")
    page = notebook.page
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    panel.locator("td[data-state=complete] .lk-cell").first.click()
    card = panel.locator(".lk-card").first
    card.get_by_role("button", name="Copy the answer").click()
    card.get_by_text("✓ Copied").first.wait_for()
    text = page.evaluate("navigator.clipboard.readText()")
    card.get_by_role("button", name="Copy this code").click()
    notebook.until("async () => (await navigator.clipboard.readText()).startsWith('print')")
    code = page.evaluate("navigator.clipboard.readText()")
    heading = card.locator(".lk-markdown").get_by_text("Title").count()
    panel.get_by_label("Markdown").uncheck()
    written = card.locator("pre.lk-answer")
    written.wait_for()
    panel.get_by_role("button", name="Stop").first.click()

    assert text.startswith("# Title\n\n- a\n")
    assert code == "print('code')\n"
    assert heading == 1
    assert written.inner_text().startswith("# Title")


@pytest.mark.parametrize("width", [640, 1600])
def test_odd_texts_stay_in_their_cells_and_cards(open_notebook, width):
    """One word of 100,000 letters, Arabic, CJK and emoji wrap; Arabic is set from the right."""
    _, panel = shown(
        open_notebook, "['q'] * 3",
        "['scripted:word', 'scripted:arabic', 'scripted:wide', 'scripted:slow']", width=width,
    )  # fmt: skip
    panel.locator("td[data-state=complete]").nth(2).wait_for()
    for place in range(3):
        panel.locator("td[data-state=complete] .lk-cell").nth(place).click()
    panel.locator(".lk-card").nth(2).wait_for()
    wide = panel.evaluate(
        "panel => [panel, ...panel.querySelectorAll('.lk-card, td, .lk-answer')]"
        ".filter(node => node.scrollWidth > node.clientWidth + 1).map(node => node.className)"
    )
    direction = (
        panel.get_by_label("scripted:arabic")
        .locator(".lk-answer p")  # there as soon as its Markdown is
        .first.evaluate("text => getComputedStyle(text).direction")
    )
    panel.get_by_role("button", name="Stop").first.click()

    assert wide == []
    assert direction == "rtl"


def test_sixty_models_are_a_grid_below_their_prompt(open_notebook):
    """Each cell names its model; at most 200 cells are painted."""
    _, panel = shown(
        open_notebook, "['one', 'two', 'three', 'four', 'five']",
        "['scripted:slow', *[f'scripted:model-{i}' for i in range(60)]]", width=1280,
    )  # fmt: skip
    panel.locator("td[data-state=error]").nth(5).wait_for()
    cells = panel.locator(CELL).count()
    name = panel.locator(".lk-matrix .lk-model").nth(1)
    is_named = name.is_visible()
    head = panel.locator(".lk-matrix thead").is_visible()
    height = panel.evaluate("panel => panel.offsetHeight")
    panel.get_by_role("button", name="Stop").first.click()

    assert 61 <= cells <= 200
    assert (is_named, head) == (True, False)
    assert height <= 9_000


def test_four_hundred_streams_lose_no_click_and_block_no_page(open_notebook):
    """While 400 answers grow, a click opens its card, and no task takes over 250 ms."""
    notebook, panel = shown(
        open_notebook, "[f'question {i}' for i in range(100)]",
        "['scripted:slow', *[f'scripted:slow{n}' for n in '234']]",
    )  # fmt: skip
    page = notebook.page
    panel.locator("td[data-state=writing]").first.wait_for()
    page.evaluate(LONG_TASKS)
    for row in (0, 4, 8):
        panel.locator(CELL).nth(row).click()
    panel.locator(".lk-card").nth(2).wait_for()
    page.evaluate("() => new Promise(done => setTimeout(done, 3000))")
    tasks = page.evaluate("window.tasks")
    panel.get_by_role("button", name="Stop").first.click()

    assert [task for task in tasks if task > 250] == []
