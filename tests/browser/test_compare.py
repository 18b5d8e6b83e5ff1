"""Tests the compare panel: a form above, the answers below."""

from __future__ import annotations

from .marks import BROWSER
from .test_live import SCRIPTS

pytestmark = BROWSER


def test_a_person_compares_without_a_line_of_code(open_notebook):
    """Typed prompt, picked models and a grid run; the run is a comparison in a named variable."""
    notebook = open_notebook(
        SCRIPTS,
        "llmkit.panel('compare')",
        "print(type(mine).__name__, len(mine), mine.frame().temperature.tolist())",
    )
    page = notebook.page
    notebook.run(0)
    notebook.run(1)
    page.get_by_label("prompt", exact=True).fill("Why is the sky blue?")
    page.locator(".jp-OutputArea").get_by_role("button", name="Run").click()
    page.locator(".lk [role=alert]").wait_for()
    refusal = page.locator(".lk [role=alert]").inner_text()
    models = page.get_by_label("models")
    offered = page.locator("datalist option").evaluate_all("all => all.map(o => o.value)")
    models.fill("scripted:steady")
    models.press("Enter")
    models.fill("scripted:echo")
    page.get_by_label("temperature").fill("0, 1")
    page.get_by_label("variable", exact=True).fill("mine")
    page.locator(".jp-OutputArea").get_by_role("button", name="Run").click()
    page.wait_for_selector(".lk-panel .lk-card[data-state=writing]")
    page.get_by_text("in the variable mine").wait_for()
    cards = page.locator(".lk-panel .lk-card")
    page.get_by_role("button", name="Differences").click()
    page.locator(".lk-panel .lk-differ").wait_for()
    notebook.run(2)

    assert "name at least one model" in refusal
    assert "scripted:openai" in offered
    assert "claude-haiku-5-5" in " ".join(offered)
    assert cards.count() == 4
    assert "Why is the sky blue?" in cards.nth(2).inner_text()
    assert "Comparison 4 [0.0, 1.0, 0.0, 1.0]" in notebook.outputs()[2]
    assert notebook.outside == []


def test_stop_in_the_panel_leaves_the_form_as_it_was(open_notebook):
    """A stopped run has cancelled rows, and the form keeps its content."""
    notebook = open_notebook(SCRIPTS, "llmkit.panel('compare')", "print(comparison.rows[0].error)")
    page = notebook.page
    notebook.run(0)
    notebook.run(1)
    page.get_by_label("prompt", exact=True).fill("Why?")
    page.get_by_label("models").fill("scripted:endless")
    page.locator(".jp-OutputArea").get_by_role("button", name="Run").click()
    page.wait_for_selector(".lk-panel .lk-card[data-state=writing]")
    page.get_by_role("button", name="Stop").click()
    page.wait_for_selector(".lk-panel .lk-card[data-state=cancelled]")
    page.locator(".jp-OutputArea").get_by_role("button", name="Run").wait_for()
    notebook.run(2)

    assert page.get_by_label("prompt", exact=True).input_value() == "Why?"
    assert "None" in notebook.outputs()[2]


def test_the_plain_panel_compares_too(open_bare_notebook):
    """Without anywidget, plain fields and buttons run the same comparison."""
    notebook = open_bare_notebook(SCRIPTS, "llmkit.panel('compare')", "print(len(comparison))")
    page = notebook.page
    notebook.run(0)
    notebook.run(1)
    page.get_by_label("Prompt").fill("Why?")
    page.get_by_label("Models").fill("scripted:echo scripted:mistral")
    page.keyboard.press("Tab")
    page.locator(".jp-OutputArea").get_by_role("button", name="Run").click()
    page.locator(".lk-card", has_text="complete").nth(1).wait_for()
    notebook.run(2)

    assert notebook.outputs()[2].strip() == "2"
