"""Tests llmkit in JupyterLab as a user sees it."""

from __future__ import annotations

import os
from io import BytesIO

from PIL import Image

from .marks import BROWSER

pytestmark = BROWSER


def test_run_all_loses_no_cell_and_shows_the_answers(open_notebook):
    """Cells queued behind a comparison all run; cards show text, and nothing leaves the machine."""
    opened = open_notebook(
        "%load_ext llmkit",
        "%%compare scripted:openai scripted:anthropic scripted:google scripted:mistral --out run\n"
        "Explain <b>entropy</b> <img src=x onerror=\"document.title='hacked'\">",
        "print('after', len(run))",
        "import llmkit\nprint(llmkit.ask('and this', 'scripted:echo').text)",
        "run.plot()",
    )
    opened.run_all()
    page = opened.page
    page.wait_for_selector(".lk-live .lk-card")
    cards = page.locator(".lk-live .lk-card")
    outputs = opened.outputs()

    assert cards.count() == 4
    assert "[scripted anthropic]" in cards.nth(1).inner_text()
    assert "<b>entropy</b>" in cards.nth(0).inner_text()
    assert "after 4" in outputs[2]
    assert "and this" in outputs[3]
    assert page.locator(".jp-CodeCell img").count() == 1  # the plot, and no other picture
    assert "hacked" not in page.title()
    assert opened.outside == []
    clipped = page.eval_on_selector_all(
        ".lk-card", "all => all.filter(e => e.scrollWidth > e.clientWidth + 1).length"
    )
    assert clipped == 0
    if os.environ.get("BROWSER_SHOT"):
        page.screenshot(path=os.environ["BROWSER_SHOT"])


def test_a_figure_follows_the_theme_of_the_notebook(open_notebook):
    """A dark theme inverts the picture, whose ground is then dark, and a light one does not."""
    opened = open_notebook(
        "%load_ext llmkit\nimport llmkit\n"
        "llmkit.compare('hi', ['scripted:openai', 'scripted:echo']).plot()",
        dark=True,
    )
    opened.run_all()
    figure = opened.page.locator(".jp-CodeCell img.lk-figure")
    figure.wait_for()
    grounds = {}
    for theme in ("JupyterLab Dark", "JupyterLab Light"):
        opened.theme(theme)
        opened.page.wait_for_selector("#jupyterlab-splash", state="detached")  # it covers the page
        corner = Image.open(BytesIO(figure.screenshot())).convert("RGB").getpixel((2, 2))
        grounds[theme] = max(corner), min(corner)

    assert grounds["JupyterLab Dark"][0] <= 20
    assert grounds["JupyterLab Light"][1] >= 250
    assert figure.get_attribute("alt").startswith("median (minimum to maximum)")
    if os.environ.get("BROWSER_SHOT"):
        opened.theme("JupyterLab Dark")
        opened.page.wait_for_selector("#jupyterlab-splash", state="detached")
        opened.page.screenshot(path=os.environ["BROWSER_SHOT"])
