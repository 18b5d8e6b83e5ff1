"""Tests the views of a saved notebook without its kernel."""

from __future__ import annotations

import html
import json
import re
import subprocess
import sys

import pytest

from .lab import keeping_widget_states
from .marks import BROWSER
from .test_live import SCRIPTS

pytestmark = BROWSER


# A widget whose model is in no kernel. The widget manager gives up on it after some seconds, and
# until then "model not found" is absent everywhere.
LOST = """\
from IPython.display import display
view = {"model_id": "none", "version_major": 2, "version_minor": 0}
display({"application/vnd.jupyter.widget-view+json": view, "text/plain": ""}, raw=True)
"""


# The page is closed long before its end, also on a busy machine.
SLOW = 'kit.script("slow", Script(words, piece_delay_s=0.3))'
# Takes all words from the static output of a cell, and saves the notebook in the same moment.
EMPTY_AND_SAVE = """
async i => {
  const notebook = window.jupyterapp.shell.currentWidget;
  const { outputs } = notebook.content.widgets[i].model;
  for (let n = 0; n < outputs.length; n++) {
    const { data } = outputs.get(n);
    const tag = /^<div class="lk-static[^>]*>/.exec(data["text/html"]);
    if (tag) outputs.get(n).setData({ data: { ...data, "text/html": `${tag[0]}</div>` } });
  }
  await notebook.context.save();
}
"""


def readable(page_text: str) -> bool:
    """Returns True if the page has the answers, numbers and errors of the comparison."""
    wanted = ("word39", "complete", "cut off", "out of credit", "tokens at")
    return all(word in page_text for word in wanted)


def settled(notebook):
    """Waits until the widget manager has given up, and returns all visible outputs."""
    notebook.page.get_by_text("model not found").first.wait_for(state="attached")
    return notebook.outputs()


def test_a_closed_notebook_reads(open_notebook, reopen):
    """Reopened without a kernel, in nbconvert and without its styles, the answers are there."""
    notebook = open_notebook(
        SCRIPTS,
        "%%compare scripted:steady scripted:cut scripted:refused --out run\nWhy?",
        "llmkit.panel('compare')",
        "llmkit.panel('sessions')",
        "%%ask scripted:steady\nhello",
    )
    notebook.run_all()
    notebook.page.wait_for_selector(".lk-form")
    saved = notebook.save()
    notebook.end_kernel()
    outputs = settled(reopen(notebook.path))
    page = exported(notebook.path)
    with_panels = exported(notebook.path, "--NbConvertBase.display_data_priority=text/html")

    assert not any("model not found" in output for output in outputs)
    assert readable(outputs[1])
    assert "earlier state" not in outputs[1]
    assert "No comparison has run yet" in outputs[2]
    assert "No session leaked" in outputs[3]
    assert "word39" in outputs[4]
    assert readable(page)
    assert "No session leaked" in with_panels
    assert readable(re.sub(r"<style>.*?</style>", "", page, flags=re.DOTALL))
    assert "http" not in "".join(saved["cells"][1]["outputs"][0]["data"]["text/html"])


def test_a_notebook_saved_in_the_middle_of_a_run_keeps_the_text_so_far(open_notebook, reopen):
    """Without a kernel the page says how much had come, and shows it."""
    notebook = open_notebook(SCRIPTS, "%%compare scripted:endless scripted:refused --out run\nWhy?")
    notebook.run(0)
    notebook.start(1)
    # The static output is hidden, and newer than the first text by at most its interval.
    notebook.until("() => document.querySelector('.lk-static')?.textContent.includes('word9')")
    notebook.save()
    notebook.end_kernel()
    (_, output) = settled(reopen(notebook.path))

    assert "model not found" not in output
    assert re.search(r"as of \d\d:\d\d, 1 of 2 answers", output)
    assert "what came later is in llmkit.last" in output
    assert "word9" in output
    assert "writing" in output


@pytest.mark.parametrize("stored", ["some words", "nothing yet"])
def test_a_reopened_tab_shows_what_came_while_it_was_closed(open_notebook, stored):
    """The kernel lives, so the widget shows the end of a run that the file does not have."""
    notebook = open_notebook(SCRIPTS + SLOW, LOST, "%%compare scripted:slow --out run\nWhy?")
    page = notebook.page
    notebook.run(0)
    notebook.run(1)
    notebook.start(2)
    page.wait_for_selector(".lk-live .lk-card[data-state=writing]")
    notebook.until("() => document.querySelector('.lk-static')?.childElementCount")
    if stored == "nothing yet":  # as in a file that was saved some moments earlier
        page.evaluate(EMPTY_AND_SAVE, 2)
    else:
        notebook.save()
    saved = json.loads(notebook.path.read_text())
    page.reload()
    page.wait_for_selector(".lk-live .lk-card[data-state=complete]")
    page.get_by_text("The notebook still holds").wait_for()
    shown = settled(notebook)[2]
    outputs = [output["data"].get("text/html", "") for output in saved["cells"][2]["outputs"]]

    assert ("lk-early" in str(outputs)) == (stored == "some words")
    assert "word39" in shown
    assert "The notebook still holds an earlier state of these answers" in shown
    assert notebook.cell(2).get_by_text("model not found").count() == 0


def test_a_widget_that_was_saved_with_its_notebook_says_that_its_kernel_has_ended(
    open_notebook, reopen
):
    """Lab restores it from the file, and starts a kernel that does not know it."""
    notebook = open_notebook(SCRIPTS, "%%compare scripted:steady scripted:cut --out run\nWhy?")
    notebook.run_all()
    notebook.page.wait_for_selector(".lk-live .lk-card[data-state=complete]")
    with keeping_widget_states(notebook):
        notebook.save()
    notebook.end_kernel()
    again = reopen(notebook.path)
    again.page.wait_for_selector(".lk-gone >> text=The kernel was restarted or has ended")
    (_, output) = again.outputs()

    assert "word39" in output
    assert "waiting for the kernel" not in output


def test_a_notebook_that_is_not_trusted_shows_the_same_words(open_notebook, reopen):
    """JupyterLab takes styles and scripts out of it, and runs no widget."""
    notebook = open_notebook(
        SCRIPTS, "%%compare scripted:steady scripted:cut scripted:refused --out run\nWhy?"
    )
    notebook.run_all()
    saved = notebook.save()
    notebook.end_kernel()
    copy = notebook.path.with_name(f"other-{notebook.path.name}")
    copy.write_text(json.dumps(saved).replace("Why?", "Why not?"))  # a file that never ran here
    again = reopen(copy)
    again.page.get_by_text("word39").first.wait_for()
    output = again.outputs()[1]

    assert readable(output)
    assert "model not found" not in output


def exported(path, *options):
    """Returns the HTML page that nbconvert makes of a notebook, without a network."""
    subprocess.run(
        [sys.executable, "-m", "nbconvert", "--to", "html", "--embed-images", *options, str(path)],
        check=True, capture_output=True,
        env={"PATH": "", "HOME": str(path.parent), "http_proxy": "http://127.0.0.1:9",
             "https_proxy": "http://127.0.0.1:9", "IPYTHONDIR": str(path.parent)},
    )  # fmt: skip
    return html.unescape(path.with_suffix(".html").read_text())
