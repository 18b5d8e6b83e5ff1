"""Tests the panels in Notebook 7 and Voila, which `make release-matrix` installs."""

from __future__ import annotations

import importlib.util
import os
import socket
import subprocess
import sys
import time
from contextlib import contextmanager

import pytest

from .lab import PATIENCE_MS, Notebook, ended, lab, repaired, written
from .marks import BROWSER
from .test_live import SCRIPTS


def present(name):
    """Returns the mark that skips a test if its front end is not installed."""
    missing = importlib.util.find_spec(name) is None
    return pytest.mark.skipif(
        missing, reason=f"{name} is not installed here; make release-matrix has it"
    )


pytestmark = BROWSER

FOUR = "%%compare scripted:steady scripted:cut scripted:refused --out run\nWhy?"


def filled_in(page, scope):
    """Types a prompt and a model into the form, runs it and waits for its end."""
    scope.get_by_label("prompt", exact=True).fill("Why?")
    scope.get_by_role("combobox", name="models").fill("scripted:echo")
    scope.get_by_role("button", name="▸ Run").click()
    page.locator(".lk-panel .lk-card[data-state=complete]").wait_for()


@present("notebook")
def test_notebook_7_shows_the_same(browser, tmp_path):
    """Answers stream and freeze, the form works, and nothing leaves the machine."""
    path = written(tmp_path / "n.ipynb", SCRIPTS, FOUR, "llmkit.panel('compare')")
    with lab(tmp_path, app="notebook") as url:
        notebook = Notebook(browser, url.format(path.name), path)
        page = notebook.page
        notebook.run(0)
        notebook.start(1)
        page.wait_for_selector(".lk-panel .lk-card[data-state=writing]")
        notebook.wait_for_cell(1)
        notebook.run(2)
        page.wait_for_selector(".lk-panel", state="attached")
        frozen = page.locator(".jp-CodeCell").nth(1).locator(".lk-card")
        filled_in(page, page)
        words = [frozen.nth(i).inner_text() for i in range(frozen.count())]
        outside = list(notebook.outside)
        notebook.close()

    assert len(words) == 3
    assert "word39" in words[0]
    assert outside == []


@present("voila")
def test_voila_shows_the_panels(browser, tmp_path):
    """A page without cells has the frozen answers and a form that works."""
    path = written(tmp_path / "v.ipynb", SCRIPTS, FOUR, "llmkit.panel('compare')")
    with voila(path) as url:
        context = browser.new_context()
        page = context.new_page()
        page.set_default_timeout(PATIENCE_MS)
        page.goto(url)
        page.locator(".lk-form").wait_for()
        filled_in(page, page)
        words = page.locator("body").inner_text()
        context.close()

    assert "word39" in words
    assert "out of credit" in words


@contextmanager
def voila(path):
    """Runs Voila for one notebook; yields its URL."""
    log = path.with_suffix(".log")
    places = {"PYTHONPATH": os.getcwd(), "JUPYTER_RUNTIME_DIR": str(path.parent),
              "IPYTHONDIR": str(path.parent / "ipython")}  # fmt: skip
    repaired(path.parent / "ipython")
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    with log.open("wb") as out:
        server = subprocess.Popen(
            [sys.executable, "-m", "voila", str(path), "--no-browser", f"--port={port}",
             "--Voila.ip=127.0.0.1"],
            stdout=out, stderr=out, start_new_session=True, env={**os.environ, **places},
        )  # fmt: skip
    try:
        wait_for(log, server, f":{port}/")
        yield f"http://127.0.0.1:{port}/"
    finally:
        ended(server)


def wait_for(log, server, words):
    """Waits until Voila accepts connections."""
    deadline = time.monotonic() + PATIENCE_MS / 1000
    while time.monotonic() < deadline and server.poll() is None:
        if words in log.read_text():
            return
        time.sleep(0.1)
    raise AssertionError(f"Voila did not start: {log.read_text()}")
