"""Tests the compare panel: a form above, the answers below."""

from __future__ import annotations

import json

import pytest

from tests.fakes.server import FakeProviders

from .marks import BROWSER
from .test_live import SCRIPTS
from .test_panels import setup

pytestmark = BROWSER

NO_KEYS = (
    "%load_ext llmkit\nimport os, llmkit\n"
    "for name in list(os.environ):\n    if name.endswith('_API_KEY'): del os.environ[name]"
)


@pytest.fixture(scope="module")
def fakes():
    with FakeProviders() as running:
        yield running


def fill(page, prompt, *models):
    """Types a prompt and adds models, as a user does."""
    page.get_by_label("prompt", exact=True).fill(prompt)
    for model in models:
        box = page.get_by_role("combobox", name="models")
        box.fill(model)
        box.press("Enter")


def lane_of(page, model):
    return page.locator(f".lk-panel .lk-card[aria-label^='{model}']")


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
    for lane in (0, 2):
        cards.nth(lane).locator("button[aria-label^='Compare the answer']").click()
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
    page.locator(".lk-card:visible", has_text="complete").nth(1).wait_for()
    notebook.run(2)

    assert notebook.outputs()[2].strip() == "2"


def test_a_newcomer_without_keys_begins_with_an_example_that_works(open_notebook):
    """All panels open on Compare, and one click asks models that need no key."""
    notebook = open_notebook(NO_KEYS, "%llmkit", "print(len(comparison))")
    page = notebook.page
    notebook.run(0)
    notebook.run(1)
    page.get_by_role("button", name="Try an example").click()
    page.get_by_text("in the variable comparison").wait_for()
    notebook.run(2)

    assert "complete" in lane_of(page, "scripted:echo").inner_text()
    assert int(notebook.outputs()[2]) >= 1
    assert page.get_by_role("button", name="Try an example").count() == 0


def test_with_a_key_all_panels_open_on_auth(open_notebook, fakes):
    """A user who has set a key sees first if it works."""
    notebook = open_notebook(setup(fakes, fakes.key), "%llmkit")
    notebook.run_all()

    notebook.page.get_by_role("button", name="Check all").wait_for()
    assert not notebook.page.get_by_label("prompt", exact=True).is_visible()


def test_the_form_estimates_refuses_and_runs_by_keyboard(open_notebook, fakes):
    """Errors stand at their fields, the estimate says why, and Ctrl+Enter in any field runs."""
    fakes.reset()
    notebook = open_notebook(
        f"{setup(fakes)}\nllmkit.configure(list_prices='all');", "llmkit.panel('compare')",
        "print(len(comparison))",
    )  # fmt: skip
    page = notebook.page
    notebook.run(0)
    notebook.run(1)
    fill(page, "Why?", "scripted:echo", "openai:gpt-6-luna", "openai:a-model-of-tomorrow")
    page.get_by_label("temperature").fill("0, 1")
    page.get_by_text("sent once for all its values").wait_for()
    estimate = page.locator(".lk-estimate").inner_text()
    notes = page.locator(".lk-panel").inner_text()
    page.get_by_label("seed").fill("soon")
    page.locator(".lk-field", has=page.get_by_label("seed")).get_by_role("alert").wait_for()
    invalid = page.get_by_label("seed").get_attribute("aria-invalid")
    prompt = page.get_by_label("prompt", exact=True)
    prompt.fill("")
    page.get_by_label("seed").press("Control+Enter")
    # Only Run makes an empty prompt an error, so that the alert shows that Run was refused.
    page.locator(".lk-field", has=prompt).get_by_role("alert").wait_for()
    prompt.fill("Why?")
    page.get_by_label("seed").fill("7")
    page.get_by_role("button", name="remove openai:a-model-of-tomorrow").click()
    page.get_by_role("button", name="remove openai:gpt-6-luna").click()
    sent = len(fakes.asked["openai"])
    page.get_by_label("seed").press("Control+Enter")
    page.get_by_text("in the variable comparison").wait_for()
    notebook.run(2)

    assert estimate == "5 requests, about $0.00051, 1 model has no price"
    assert "gpt-6-luna: temperature is ignored: sent once for all its values" in notes
    assert "openai needs a key." in notes
    assert invalid == "true"
    assert sent == 0
    assert notebook.outputs()[2].strip() == "2"
    assert notebook.cells() == 3


@pytest.mark.parametrize("kind", ["Copy as %%compare", "Copy as Python"])
def test_the_form_is_copied_as_code_that_does_the_same(open_notebook, kind):
    """The copied cell has all that was typed a moment before, and runs."""
    paste = "import json\nasked = json.loads({!r})\nget_ipython().run_cell(asked)\n"
    check = "print([(r.prompt, r.asked, r.parameters, r.repeat) for r in mine.rows])"
    notebook = open_notebook(SCRIPTS, "llmkit.panel('compare')", "")
    page = notebook.page
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    notebook.run(0)
    notebook.run(1)
    page.get_by_label("variable", exact=True).fill("mine")
    page.get_by_label("temperature").fill("0, 1")
    fill(page, 'Say "it\'s" \\ {{name}}\nin two lines', "scripted:echo")
    page.get_by_role("button", name=kind).click()
    page.get_by_text("✓ copied").wait_for()
    code = page.evaluate("navigator.clipboard.readText()")
    source = paste.format(json.dumps(code)) + check
    page.evaluate(
        "source => { window.jupyterapp.shell.currentWidget.content.widgets[2].model"
        ".sharedModel.setSource(source); }",
        source,
    )
    notebook.run(2)

    prompt = 'Say "it\'s" \\ {{name}}\nin two lines'
    wanted = [(prompt, "scripted:echo", {"temperature": float(t)}, 0) for t in (0, 1)]
    assert str(wanted) in notebook.outputs()[2]


def test_what_was_typed_survives_a_closed_tab_and_the_end_of_the_kernel(open_notebook):
    """A tab that opens again begins with the form and the answers; a dead kernel takes nothing."""
    notebook = open_notebook(SCRIPTS, "llmkit.panel('compare')")
    page = notebook.page
    notebook.run(0)
    notebook.run(1)
    fill(page, "Why?", "scripted:echo")
    page.locator(".lk-panel").get_by_role("button", name="Run").click()
    page.get_by_text("in the variable comparison").wait_for()
    page.get_by_label("repeats").fill("3")
    page.get_by_text("3 requests, free").wait_for()
    notebook.save()
    page.reload()
    notebook.wait_for_kernel()
    page.get_by_label("prompt", exact=True).wait_for()
    page.locator(".lk-panel .lk-card[data-state=complete]").wait_for()
    typed = [page.get_by_label(name, exact=True).input_value() for name in ("prompt", "repeats")]
    picks = page.locator(".lk-pick").all_inner_texts()
    notebook.end_kernel()
    page.get_by_label("seed").fill("8")
    page.get_by_text("The kernel was restarted or has ended").wait_for()

    assert typed == ["Why?", "3"]
    assert "scripted:echo" in picks[0]
    assert page.get_by_label("seed").input_value() == "8"
    assert page.get_by_label("prompt", exact=True).input_value() == "Why?"


def test_a_card_without_a_key_asks_for_it(open_notebook, fakes):
    """The key goes from the card to the kernel alone, and the next Run uses it."""
    fakes.reset()
    notebook = open_notebook(setup(fakes), "llmkit.panel('compare')")
    page = notebook.page
    notebook.run(0)
    notebook.run(1)
    fill(page, "Why?", "openai:gpt-6-luna")
    page.locator(".lk-panel").get_by_role("button", name="Run").click()
    lane = lane_of(page, "openai:gpt-6-luna")
    lane.get_by_role("button", name="Set the key of openai").click()
    lane.locator("input[type=password]").fill("sk-canary-0987654321abcdef")
    page.keyboard.press("Enter")
    page.get_by_text("the key for openai cannot be used").wait_for()
    accepted_too_early = lane.get_by_text("was taken").count()
    lane.get_by_role("button", name="Set the key of openai").click()
    lane.locator("input[type=password]").fill(fakes.key)
    page.keyboard.press("Enter")
    lane.get_by_text("Run again to ask").wait_for()
    content = page.content()
    page.locator(".lk-panel").get_by_role("button", name="Run").click()
    page.locator(".lk-panel .lk-card[data-state=complete]").wait_for()
    notebook.save()

    assert accepted_too_early == 0
    assert fakes.key not in content
    assert fakes.key not in notebook.path.read_text()
    assert "sk-canary" not in notebook.path.read_text()
