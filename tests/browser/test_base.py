"""Tests the base of all panels with the smallest panel in a real notebook."""

from __future__ import annotations

import json

from .marks import BROWSER

pytestmark = BROWSER

OPEN = "from tests.browser.counter import Counter\npanel = Counter()\npanel"
BUSY = {
    "awaiting": "import asyncio\nawait asyncio.sleep(2)",
    "nested": "import asyncio, llmkit\nllmkit.get_event_loop_manager().run(asyncio.sleep(2))",
    "blocked": "import time\ntime.sleep(2)",
}


def counted(notebook, number):
    """Waits until the panel shows this count; its hidden static output has older ones."""
    notebook.page.wait_for_selector(f":is(.lk-live, .lk-plain) >> text=/counted {number} on/")


def test_no_click_is_lost_while_a_cell_runs(open_notebook):
    """Clicks during an awaiting, a nested and a sleeping cell all run on the main thread."""
    notebook = open_notebook(OPEN, *BUSY.values(), "print('next', panel.text())")
    notebook.run(0)
    counted(notebook, 0)
    button = notebook.page.get_by_role("button", name="Count")
    for number, _ in enumerate(BUSY, start=1):
        notebook.start(number)
        notebook.wait_until_running(number)
        button.click()
        counted(notebook, number)
        notebook.wait_for_cell(number)
    button.click()
    counted(notebook, 4)
    notebook.run(4)

    assert "next counted 4 on MainThread" in notebook.outputs()[4]


def test_what_a_click_asked_for_never_flickers(open_notebook):
    """Once an action is done, the page shows the new state, and never the old one first."""
    notebook = open_notebook(OPEN)
    notebook.run(0)
    counted(notebook, 0)
    notebook.page.evaluate(
        "() => { const root = document.querySelector('.lk-panel'); window.seen = [];"
        " new MutationObserver(() => window.seen.push(root.innerText))"
        ".observe(root, { childList: true, subtree: true, characterData: true }); }"
    )
    notebook.page.get_by_role("button", name="Count").click()
    notebook.until("() => window.seen.some(text => text.includes('counted 1'))")
    notebook.until("() => !window.seen.at(-1).includes('queued')")
    seen = notebook.page.evaluate("window.seen")

    assert "queued" in seen[0]
    assert not [text for text in seen if "counted 0" in text and "queued" not in text]


def test_a_state_that_fails_leaves_no_click_queued(open_notebook):
    """The action has run, and the button can be clicked again."""
    broken = (
        "from tests.browser.counter import Counter\nclass Broken(Counter):\n"
        "    def state(self):\n        return super().state() if not self.count else 1 / 0\n"
        "panel = Broken()\npanel"
    )
    notebook = open_notebook(broken)
    notebook.run(0)
    counted(notebook, 0)
    button = notebook.page.get_by_role("button", name="Count")
    button.click()
    notebook.page.wait_for_selector("text=ZeroDivisionError")
    notebook.until("() => !document.querySelector('.lk-panel').innerText.includes('queued')")

    assert button.get_attribute("aria-disabled") == "false"


def test_an_error_is_a_sentence_in_the_panel(open_notebook):
    """The message of a failing action says what to do, and the panel keeps working."""
    notebook = open_notebook(OPEN)
    notebook.run(0)
    notebook.page.get_by_role("button", name="Fail").click()
    said = notebook.page.locator(".lk [role=alert]")
    said.wait_for()
    words = said.inner_text()
    notebook.page.get_by_role("button", name="Count").click()
    counted(notebook, 1)

    assert words == "✗ this always fails; do something else"


def test_typing_in_a_panel_is_no_command_of_the_notebook(open_notebook):
    """Letters on a focused button or in a field neither add nor cut a cell."""
    notebook = open_notebook(OPEN, "1")
    notebook.run(0)
    counted(notebook, 0)
    keys = notebook.page.keyboard
    notebook.page.get_by_role("button", name="Fail").focus()
    for letter in "abxdd":
        keys.press(letter)
    notebook.page.get_by_label("note", exact=True).focus()
    keys.type("abxdd")
    notebook.page.get_by_role("button", name="Count").focus()
    keys.press("Enter")
    counted(notebook, 1)
    keys.press("Space")
    counted(notebook, 2)

    assert notebook.cells() == 2
    assert notebook.page.get_by_label("note", exact=True).input_value() == "abxdd"


def test_a_saved_panel_reads_without_a_kernel(open_notebook):
    """The file has HTML and text besides the widget."""
    notebook = open_notebook(OPEN)
    notebook.run(0)
    counted(notebook, 0)
    data = notebook.save()["cells"][0]["outputs"][0]["data"]

    assert "".join(data["text/plain"]) == "counted 0 on none"
    assert "counted 0 on none" in "".join(data["text/html"])
    assert "function patch" not in json.dumps(data)


def test_a_front_end_without_anywidget_gets_the_plain_panel(open_bare_notebook):
    """If no script starts, the panel appears as plain widgets, and works."""
    notebook = open_bare_notebook(OPEN)
    notebook.run(0)
    counted(notebook, 0)
    button = notebook.page.get_by_role("button", name="Count")
    button.click()
    counted(notebook, 1)

    shown = notebook.page.locator(".jp-OutputArea-child").filter(visible=True)
    assert shown.count() == 1
    assert "javascript error" not in notebook.outputs()[0]
