"""Tests the auth, models and sessions panels as a user operates them."""

from __future__ import annotations

import json
import subprocess
import sys
import time

import pytest

from tests.fakes.server import FakeProviders

from .lab import PATIENCE_MS, keeping_widget_states
from .looks import clipped, serious
from .marks import BROWSER

pytestmark = BROWSER

KEY = "sk-canary-0987654321abcdef"
BUSY = {
    "awaiting": "import asyncio\nawait asyncio.sleep(3)",
    "nested": "import asyncio, llmkit\nllmkit.get_event_loop_manager().run(asyncio.sleep(3))",
    "blocked": "import time\ntime.sleep(3)",
}
CLOSEABLE = "class Closeable:\n    def close(self): pass\n"
VIEWS = [(width, dark) for width in (700, 1280) for dark in (False, True)]


@pytest.fixture(scope="module")
def fakes():
    with FakeProviders() as running:
        yield running


def setup(fakes, key=""):
    """Returns the first cell: OpenAI is a fake with that key, the others have no key."""
    return (
        "%load_ext llmkit\nimport os, llmkit\n"
        "for name in list(os.environ):\n"
        "    if name.endswith('_API_KEY'): del os.environ[name]\n"
        f"os.environ['OPENAI_API_KEY'] = {key!r}\n"
        f"llmkit.configure(base_urls={{'openai': {fakes.base_url('openai')!r},"
        f" 'ollama': {fakes.base_url('ollama')!r}}});"
    )


def until(condition):
    """Waits for a condition outside the page."""
    deadline = time.monotonic() + PATIENCE_MS / 1000
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def seen(page, words):
    """Waits until *words* are visible outside the static output of a closed notebook."""
    page.wait_for_selector(f"text={words} >> visible=true")


def open_detail(page, name):
    page.get_by_role("button", name=name, exact=True).click()
    page.wait_for_selector(".lk-detail table")


def shown_ages(page):
    """Starts to record every age that the session table shows."""
    page.evaluate(
        "() => { window.ages = new Set(); const note = () => document"
        ".querySelectorAll('.lk-panel tbody td').forEach(c => / s$/.test(c.innerText)"
        " && window.ages.add(c.innerText)); note();"
        " new MutationObserver(note).observe(document.querySelector('.lk-panel'),"
        " { subtree: true, childList: true, characterData: true }); }"
    )


def test_a_check_asked_for_in_any_form_of_work_is_done(open_notebook, fakes):
    """Clicks while idle, in an await, a nested run and a sleeping cell all reach the server."""
    fakes.reset()
    notebook = open_notebook(setup(fakes, fakes.key), "llmkit.panel('auth')", *BUSY.values())
    notebook.run(0)
    notebook.run(1)
    page = notebook.page
    seen(page, "✓ ready")
    check = page.get_by_role("button", name="Check openai")
    for busy in (None, *range(2, 2 + len(BUSY))):
        before = len(fakes.asked["openai"])
        if busy is not None:
            notebook.start(busy)
            notebook.wait_until_running(busy)
        check.click()
        until(lambda before=before: len(fakes.asked["openai"]) > before)
        if busy is not None:
            notebook.wait_for_cell(busy)

    seen(page, f"…{fakes.key[-4:]}")
    assert not any("Traceback" in text or "Unclosed" in text for text in notebook.outputs())
    assert notebook.outside == []


def test_a_key_that_was_typed_in_is_in_no_file(open_notebook, fakes, tmp_path):
    """Typed, used, saved with the state of all widgets, and exported: only its end is anywhere."""
    fakes.reset()
    notebook = open_notebook(setup(fakes), "llmkit.panel('auth')")
    notebook.run(0)
    notebook.run(1)
    page = notebook.page
    page.get_by_role("button", name="Enter a key for openai").click()
    page.locator("input[name=key]").click()
    page.keyboard.type(KEY)
    page.keyboard.press("Enter")
    seen(page, "typed in …cdef")
    seen(page, "✗ rejected")
    in_page = page.content()
    with keeping_widget_states(notebook):
        saved = notebook.save()
    exported = tmp_path / "exported.html"
    subprocess.run(
        [sys.executable, "-m", "jupyter", "nbconvert", "--to", "html", str(notebook.path),
         "--output", str(exported)],
        check=True, capture_output=True,
    )  # fmt: skip

    assert KEY not in in_page
    assert "application/vnd.jupyter.widget-state+json" in json.dumps(saved["metadata"])
    assert KEY not in notebook.path.read_text()
    assert KEY not in exported.read_text()
    assert fakes.asked["openai"][-1].headers["authorization"].endswith(KEY)


def test_the_session_table_moves_while_cells_run_and_follows_their_cells(open_notebook):
    """Ages change during an await and a nested run; rerun and deletion close sessions."""
    opening = f"{CLOSEABLE}h = llmkit.register_session(Closeable(), 'mine')"
    notebook = open_notebook(
        "%load_ext llmkit\nimport llmkit, asyncio",
        "llmkit.panel('sessions')",
        opening,
        "await asyncio.sleep(60)",
        "llmkit.get_event_loop_manager().run(asyncio.sleep(60))",
        "print('next')",
    )
    page = notebook.page
    for cell in range(3):
        notebook.run(cell)
    seen(page, "In [3]")
    for busy in (3, 4):
        notebook.start(busy)
        notebook.wait_until_running(busy)
        shown_ages(page)
        notebook.until("() => window.ages.size >= 4")
        notebook.interrupt()
        notebook.wait_for_cell(busy)
    notebook.run(2)
    page.wait_for_selector("text=its cell ran again", state="attached")
    notebook.delete(2)
    notebook.run(4)
    page.wait_for_selector("text=its cell was deleted", state="attached")

    assert not any("Unclosed" in text or "destroyed" in text for text in notebook.outputs())


def test_sessions_are_closed_from_the_panel(open_notebook):
    """One, then all; a closed session cannot be closed again."""
    notebook = open_notebook(
        "%load_ext llmkit\nimport llmkit",
        f"{CLOSEABLE}hs = [llmkit.register_session(Closeable(), 'mine') for _ in range(3)]",
        "llmkit.panel('sessions')",
    )
    notebook.run_all()
    page = notebook.page
    page.get_by_role("button", name="Close s2").click()
    page.get_by_role("button", name="Close all (2)").click()
    page.get_by_role("button", name="Close all (0)").wait_for()

    assert page.get_by_role("button", name="Close s1").count() == 0


def test_a_name_is_found_explained_and_copied(open_notebook, browser):
    """Filter and chips apply at once; a click explains a name, and its id can be copied."""
    notebook = open_notebook("%load_ext llmkit", "%llmkit models")
    notebook.run_all()
    page = notebook.page
    filter = page.get_by_role("searchbox")
    filter.fill("gemini-pro")
    seen(page, "/^1 of /")
    open_detail(page, "▸ gemini-pro")
    detail = page.locator(".lk-detail").inner_text()
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    page.get_by_role("button", name="Copy gemini-pro").click()
    seen(page, "✓ copied gemini-pro")
    copied = page.evaluate("navigator.clipboard.readText()")
    filter.fill("")
    page.get_by_role("button", name="embedding", exact=True).click()
    notebook.until(
        "() => [...document.querySelectorAll('.lk-name')].length > 0"
        " && [...document.querySelectorAll('.lk-name')].every(n => /embed/.test(n.innerText))"
    )

    assert copied == "gemini-pro"
    for words in ("then and today", "✗ retired", "→", "is sent instead", "named by its provider"):
        assert words in detail


def test_all_panels_open_in_tabs_and_by_keyboard_alone(open_notebook):
    """Tab, Enter and Space do everything; a letter typed on a button runs no command of Lab."""
    notebook = open_notebook("%load_ext llmkit", "%llmkit")
    notebook.run_all()
    page = notebook.page
    keys = page.keyboard
    page.get_by_role("tab", name="Models").click()
    page.get_by_role("searchbox").focus()
    keys.type("xabdd")
    for _ in "xabdd":
        keys.press("Backspace")
    keys.type("gpt-4o-mini")
    seen(page, "/^1 of /")
    while not page.evaluate("document.activeElement.classList.contains('lk-name')"):
        keys.press("Tab")
    for letter in "xabdd":
        keys.press(letter)
    keys.press("Enter")
    page.wait_for_selector(".lk-detail table")
    focus = page.evaluate("document.activeElement.innerText")
    keys.press("Space")
    page.wait_for_selector(".lk-detail", state="detached")

    assert notebook.cells() == 2
    assert "gpt-4o-mini" in focus


@pytest.mark.parametrize(("width", "dark"), VIEWS)
def test_the_panels_fit_and_are_accessible(open_notebook, fakes, width, dark):
    """At 700 and 1280 px, light and dark, no text is clipped and axe-core finds nothing serious."""
    fakes.reset()
    notebook = open_notebook(
        setup(fakes, fakes.key),
        f"{CLOSEABLE}hs = [llmkit.register_session(Closeable(), 'mine') for _ in range(2)]",
        "llmkit.panel('auth')",
        "llmkit.panel('sessions')",
        "llmkit.panel('models', filter='gemini-pro')",
        width=width,
        dark=dark,
    )
    notebook.run_all()
    page = notebook.page
    # All panels are shown, and no check repaints the first one any more.
    page.get_by_role("button", name="▸ gemini-pro", exact=True).wait_for()
    page.wait_for_selector("text=… checking", state="detached")
    seen(page, "✓ ready")
    page.get_by_role("button", name="Enter a key for openai").click()
    page.locator("input[name=key]").wait_for()
    open_detail(page, "▸ gemini-pro")

    assert clipped(page) == []
    assert (
        page.eval_on_selector_all(
            ".lk-scroll", "all => all.filter(e => e.scrollWidth > e.clientWidth + 1).length"
        )
        == 0
    )
    assert serious(page) == []
    assert notebook.outside == []


def test_a_saved_panel_reads_again_without_its_kernel(open_notebook, tmp_path):
    """After a restart and on an exported page the tables are visible, without an error."""
    notebook = open_notebook("%load_ext llmkit", "%llmkit auth", "%llmkit sessions")
    notebook.run_all()
    seen(notebook.page, "– no key")
    notebook.save()
    notebook.reopen()
    seen(notebook.page, "Sessions")
    said = notebook.outputs()
    exported = tmp_path / "exported.html"
    subprocess.run(
        [sys.executable, "-m", "jupyter", "nbconvert", "--to", "html", str(notebook.path),
         "--output", str(exported)],
        check=True, capture_output=True,
    )  # fmt: skip

    assert "no key" in said[1]
    assert "rror displaying" not in "".join(said)
    assert "<caption>Sign-in</caption>" in exported.read_text()


def test_a_front_end_without_anywidget_has_all_of_it_in_plain_widgets(open_bare_notebook, fakes):
    """Checks, keys, sessions and models work, and no key stays in what would be saved."""
    fakes.reset()
    notebook = open_bare_notebook(
        setup(fakes),
        f"{CLOSEABLE}hs = [llmkit.register_session(Closeable(), 'mine') for _ in range(2)]",
        "llmkit.panel('auth')",
        "llmkit.panel('sessions')",
        "llmkit.panel('models')",
    )
    notebook.run_all()
    page = notebook.page
    page.get_by_role("button", name="Check all").wait_for()
    page.get_by_label("Key").click()
    page.keyboard.type(KEY)
    page.keyboard.press("Enter")
    seen(page, "typed in …cdef")
    page.get_by_role("button", name="Close all").click()
    seen(page, "○ closed")
    page.get_by_label("Name").fill("gemini-pro")
    page.keyboard.press("Enter")
    page.get_by_role("button", name="Explain").click()
    seen(page, "gemini-pro: then and today")
    with keeping_widget_states(notebook):
        notebook.save()

    assert "widget-state+json" in notebook.path.read_text()
    assert KEY not in notebook.path.read_text()
    assert notebook.outside == []
