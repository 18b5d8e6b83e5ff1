"""Tests the views of a saved notebook without its kernel."""

from __future__ import annotations

import html
import re
import subprocess
import sys

from .lab import Notebook
from .marks import BROWSER
from .test_live import SCRIPTS

pytestmark = BROWSER


def readable(page_text: str) -> bool:
    """Returns True if the page has the answers, numbers and errors of the comparison."""
    wanted = ("word39", "complete", "cut off", "out of credit", "tokens at")
    return all(word in page_text for word in wanted)


def test_a_closed_notebook_reads(open_notebook, server, browser):
    """Reopened without a kernel, in nbconvert and without its styles, the answers are there."""
    notebook = open_notebook(
        SCRIPTS,
        "%%compare scripted:steady scripted:cut scripted:refused --out run\nWhy?",
        "llmkit.panel('compare')",
        "llmkit.panel('sessions')",
    )
    notebook.run_all()
    notebook.page.wait_for_selector(".lk-form")
    saved = notebook.save()
    notebook.end_kernel()
    again = Notebook(browser, server[1].format(notebook.path.name), notebook.path, kernel=False)
    again.page.wait_for_selector(".lk-card")
    reopened = again.outputs()
    complaints = again.page.get_by_text("model not found").count()
    again.close()
    page = exported(notebook.path)
    with_panels = exported(notebook.path, "--NbConvertBase.display_data_priority=text/html")

    assert readable(reopened[1])
    assert complaints == 0
    assert readable(page)
    assert "No session leaked" in with_panels
    assert readable(re.sub(r"<style>.*?</style>", "", page, flags=re.DOTALL))
    assert "http" not in "".join(saved["cells"][1]["outputs"][0]["data"]["text/html"])


def exported(path, *options):
    """Returns the HTML page that nbconvert makes of a notebook, without a network."""
    subprocess.run(
        [sys.executable, "-m", "nbconvert", "--to", "html", "--embed-images", *options, str(path)],
        check=True, capture_output=True,
        env={"PATH": "", "HOME": str(path.parent), "http_proxy": "http://127.0.0.1:9",
             "https_proxy": "http://127.0.0.1:9", "IPYTHONDIR": str(path.parent)},
    )  # fmt: skip
    return html.unescape(path.with_suffix(".html").read_text())
