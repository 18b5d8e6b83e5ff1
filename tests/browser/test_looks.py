"""Tests layout and accessibility of panels and views, by theme, width and size of the font."""

from __future__ import annotations

from llmkit.notebook.panels.open import PANELS

from .looks import clipped, font_size, serious
from .marks import BROWSER
from .test_live import SCRIPTS

pytestmark = BROWSER

VIEWS = [
    "%%compare scripted:steady scripted:hostile scripted:cut scripted:refused --out run\nWhy?",
    "%%compare scripted:openai scripted:cut scripted:refused --repeats 3\nWhy?",
    "run.differences(0, 2)",
    "task = asyncio.create_task(llmkit.acompare("
    "'Why?', ['scripted:endless', 'scripted:refused', 'scripted:a-model-with-a-rather-long-name'"
    ", 'nobody-knows-this'], temperature=[0.5]))",
]
WIDTHS = (640, 700, 1280, 1600)
# The summaries in the static output, or those in the widgets.
SUMMARIES = """
static => [...document.querySelectorAll(".lk-scroll:has(> .lk-summary)")]
  .filter(e => Boolean(e.closest(".lk-static")) === static)
  .map(e => ({ lines: e.querySelectorAll("tbody tr").length,
    isWhole: e.scrollHeight <= e.clientHeight + 1,
    hasShadow: getComputedStyle(e).backgroundImage.includes("gradient") }))
"""


def test_nothing_is_clipped_and_axe_finds_nothing_serious(open_notebook):
    """Every view and panel, at each width, in the light and the dark theme, and in a large font."""
    panels = [f"llmkit.panel({name!r})" for name in PANELS]
    notebook = open_notebook(SCRIPTS, *VIEWS, *panels)
    page = notebook.page
    notebook.run_all()
    page.wait_for_selector(".lk-panel .lk-card[data-state=writing]")
    page.locator(".lk-panel .lk-matrix").get_by_role("button", name="Open all").first.click()
    page.wait_for_selector(".lk-panel .lk-opened")
    found = {}
    for theme in ("JupyterLab Light", "JupyterLab Dark"):
        notebook.theme(theme)
        for font in ("", "24px"):
            font_size(page, font)
            for width in WIDTHS:
                page.set_viewport_size({"width": width, "height": 6000})
                found[f"{theme} {font} {width}"] = clipped(page) + serious(page)
    font_size(page, "")
    page.locator(".lk-panel").get_by_role("button", name="Stop").first.click()

    assert {where: what for where, what in found.items() if what} == {}
    assert notebook.outside == []


def test_a_summary_of_twenty_models_is_whole_and_more_scroll_with_a_cue(open_notebook):
    """In the widget and in the static output; on paper both are whole."""
    models = "for n in range(21): kit.script(f'model{n}', Script('yes'))"
    cell = "%%compare {} --repeats 2 --out run\nWhy?"
    names = [f"scripted:model{n}" for n in range(21)]
    notebook = open_notebook(
        f"{SCRIPTS}{models}", cell.format(" ".join(names[:20])), cell.format(" ".join(names))
    )
    page = notebook.page
    notebook.run_all()
    page.locator(".lk-panel .lk-summary").nth(1).wait_for()
    live = page.evaluate(SUMMARIES, arg=False)
    # The static output is hidden while its widget is live.
    page.evaluate("document.querySelectorAll('.lk-panel').forEach(panel => panel.remove())")
    page.locator(".lk-static .lk-summary").nth(1).wait_for()
    static = page.evaluate(SUMMARIES, arg=True)
    page.emulate_media(media="print")
    paper = page.evaluate(SUMMARIES, arg=True)
    page.emulate_media(media="screen")

    short = {"lines": 20, "isWhole": True, "hasShadow": False}
    assert live == static == [short, {"lines": 21, "isWhole": False, "hasShadow": True}]
    assert [(found["lines"], found["isWhole"]) for found in paper] == [(20, True), (21, True)]
