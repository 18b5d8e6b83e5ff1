"""Tests layout and accessibility of panels and views: light and dark, wide and narrow."""

from __future__ import annotations

from llmkit.notebook.panels.open import PANELS

from .looks import clipped, serious
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


def test_nothing_is_clipped_and_axe_finds_nothing_serious(open_notebook):
    """Every view and panel, at 700 and 1280 pixels, in the light and the dark theme."""
    panels = [f"llmkit.panel({name!r})" for name in PANELS]
    notebook = open_notebook(SCRIPTS, *VIEWS, *panels)
    page = notebook.page
    notebook.run_all()
    page.wait_for_selector(".lk-panel .lk-card[data-state=writing]")
    found = {}
    for theme in ("JupyterLab Light", "JupyterLab Dark"):
        notebook.theme(theme)
        for width in (700, 1280):
            page.set_viewport_size({"width": width, "height": 6000})
            found[f"{theme} {width}"] = clipped(page) + serious(page)
    page.locator(".lk-panel").get_by_role("button", name="Stop").first.click()

    assert {where: what for where, what in found.items() if what} == {}
    assert notebook.outside == []
