"""Tests the panels in Notebook 7, Voila and marimo, which `make release-matrix` installs."""

from __future__ import annotations

import importlib.util
import os
import socket
import subprocess
import sys
import time
from contextlib import contextmanager

import pytest

from .lab import PATIENCE_MS, Notebook, ended, lab, leaves, repaired, written
from .marks import BROWSER
from .test_live import SCRIPTS


def present(name):
    """Returns the mark that skips a test if its front end is not installed."""
    missing = importlib.util.find_spec(name) is None
    return pytest.mark.skipif(
        missing, reason=f"{name} is not installed here; make release-matrix has it"
    )


pytestmark = BROWSER

MARIMO = """\
import marimo

app = marimo.App()


@app.cell
def _():
    import llmkit
    from llmkit import Script

    kit = llmkit.current_kit()
    words = " ".join(f"word{number}" for number in range(40))
    kit.script("steady", Script(words, piece_delay_s=0.02))
    kit.script("refused", Script("you are out of credit", status=402))
    run = llmkit.compare("Why?", ["scripted:steady", "scripted:refused"])
    run
    return (llmkit,)


@app.cell
def _(llmkit):
    llmkit.panel("compare")
    return


if __name__ == "__main__":
    app.run()
"""
FOUR = "%%compare scripted:steady scripted:cut scripted:refused --out run\nWhy?"


def filled_in(page):
    """Types a prompt and a model into the form, and runs it; returns the text of the answer."""
    panel = page.locator(".lk-panel").filter(has=page.locator(".lk-form"))
    panel.get_by_label("prompt", exact=True).fill("Why?")
    panel.get_by_role("combobox", name="models").fill("scripted:echo")
    panel.get_by_role("button", name="▸ Run").click()
    card = panel.locator(".lk-card[data-state=complete]")
    card.wait_for()
    return card.inner_text()


@present("notebook")
def test_notebook_7_shows_the_same(browser, tmp_path):
    """Answers stream and stay, the form works, and nothing leaves the machine.

    Opened again without its kernel, the page shows the same words.
    """
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
        answer = filled_in(page)
        words = page.locator(".jp-CodeCell").nth(1).locator(".lk-live .lk-card").all_inner_texts()
        outside = list(notebook.outside)
        notebook.save()
        notebook.end_kernel()
        again = Notebook(browser, url.format(path.name), path, kernel=False)
        again.wait_for_kernel()  # Notebook 7 starts a new one, which does not know the widget
        reopened = again.outputs()[1]
        again.close()
        notebook.close()

    assert len(words) == 3
    assert "word39" in words[0]
    assert "Why?" in answer
    assert "word39" in reopened
    assert "model not found" not in reopened
    assert "Loading widget" not in reopened
    assert outside == []


@present("voila")
def test_voila_shows_the_panels(browser, tmp_path):
    """A page without cells has each answer once, and a form that works."""
    path = written(tmp_path / "v.ipynb", SCRIPTS, FOUR, "llmkit.panel('compare')")
    with voila(path) as url:
        context = browser.new_context()
        page = context.new_page()
        page.set_default_timeout(PATIENCE_MS)
        page.goto(url)
        page.locator(".lk-form").wait_for()
        answer = filled_in(page)
        words = page.locator("body").inner_text()
        context.close()

    assert words.count("word39") == 1
    assert "out of credit" in words
    assert "Why?" in answer


@present("marimo")
def test_marimo_shows_the_answers_and_the_form(browser, tmp_path):
    """A comparison is displayed in a cell, the form works, and nothing leaves the machine."""
    path = tmp_path / "app.py"
    path.write_text(MARIMO)
    outside = []

    def stop(route):
        outside.append(route.request.url)
        route.abort()

    with marimo(path) as url:
        context = browser.new_context()
        context.route(lambda u: not u.startswith(("data:", "blob:")) and leaves(u), stop)
        page = context.new_page()
        page.set_default_timeout(PATIENCE_MS)
        page.goto(url)
        page.locator(".lk-form").wait_for()
        ran = page.locator(".lk-card").filter(has_text="word39").first.inner_text()
        refused = page.get_by_text("out of credit").first.inner_text()
        answer = filled_in(page)
        page.wait_for_load_state("networkidle")
        context.close()

    assert "scripted:steady" in ran
    assert "complete" in ran
    assert "InsufficientFundsError" in refused
    assert "scripted:echo" in answer
    assert "Why?" in answer
    assert outside == []


@contextmanager
def voila(path):
    """Runs Voila for one notebook; yields its URL."""
    places = {"JUPYTER_RUNTIME_DIR": str(path.parent), "IPYTHONDIR": str(path.parent / "ipython")}
    repaired(path.parent / "ipython")
    command = ["voila", str(path), "--no-browser", "--port={port}", "--Voila.ip=127.0.0.1"]
    with serving(path.with_suffix(".log"), command, places) as url:
        yield url


@contextmanager
def marimo(path):
    """Runs marimo for one app, whose settings and state are beside it; yields its URL."""
    home = str(path.parent)
    places = {"HOME": home, "XDG_CONFIG_HOME": home, "XDG_STATE_HOME": home, "XDG_CACHE_HOME": home}
    command = ["marimo", "run", str(path), "--headless", "--no-token", "--host", "127.0.0.1",
               "--port", "{port}"]  # fmt: skip
    with serving(path.with_suffix(".log"), command, places) as url:
        yield url


@contextmanager
def serving(log, command, places):
    """Runs a Python module as a server on a free port; yields its URL when it is ready."""
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    words = [word.format(port=port) for word in command]
    with log.open("wb") as out:
        server = subprocess.Popen(
            [sys.executable, "-m", *words], stdout=out, stderr=out, start_new_session=True,
            env={**os.environ, "PYTHONPATH": os.getcwd(), **places},
        )  # fmt: skip
    try:
        deadline = time.monotonic() + PATIENCE_MS / 1000
        while f":{port}" not in log.read_text():
            assert time.monotonic() < deadline, f"{command[0]} did not start: {log.read_text()}"
            assert server.poll() is None, f"{command[0]} ended: {log.read_text()}"
            time.sleep(0.1)
        yield f"http://127.0.0.1:{port}/"
    finally:
        ended(server)
