"""Tests that text of a model or a server runs and fetches nothing in any view (S6)."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from .lab import Notebook, leaves
from .marks import BROWSER

pytestmark = BROWSER

# If rendered as markup, each sets `hacked` or sends a request to the host `evil.invalid`.
PAYLOADS = [
    "<script>window.hacked=1</script>",
    "<img src=http://evil.invalid/2.png onerror=window.hacked=2>",
    "<svg onload=window.hacked=3><use href=http://evil.invalid/3.svg></svg>",
    "</pre></section></div><script>window.hacked=4</script>",
    '"\'><iframe src="javascript:parent.hacked=5"></iframe>',
    "![x](http://evil.invalid/6.png) ![y][z]\n\n[z]: http://evil.invalid/6b.png",
    "<style>@import url(http://evil.invalid/7.css); *{background:url(http://evil.invalid/7)}</style>",
    "<input autofocus onfocus=window.hacked=8><a href=javascript:hacked=8>x</a>",
    "[x](javascript:window.hacked=9) <javascript:window.hacked=9>",
    "<details open ontoggle=window.hacked=10><summary>x</summary></details>",
    "<video src=http://evil.invalid/11.mp4 onerror=window.hacked=11 autoplay></video>",
    "<object data=http://evil.invalid/12></object><embed src=http://evil.invalid/12b>",
    '<math><mtext></mtext><mglyph><style><!--</style><img title="--><img src=x '
    'onerror=window.hacked=13>">',
    "$\\href{javascript:window.hacked=14}{x}$ $$\\require{html}\\class{x}{y}$$",
    "\x1b]8;;http://evil.invalid/15\x07x\x1b]8;;\x07 \u202e{{constructor('hacked=15')()}}\x00",
    "&lt;script&gt;window.hacked=16&lt;/script&gt; <!--[if IE]><script>hacked=16</script>-->",
]

# One line for each view: `run` has one payload in every field that a server, a model or a user
# fills.
VIEWS = {
    "cards": "run",
    "rendered Markdown": "run.show(markdown=True)",
    "folded cards": "Comparison(run.rows * 9, run.about, run.notes)",
    "text": "Printed(str(run))",
    "answer": "run.rows[0].completion",
    "frame": "run.frame()",
    "sign-in": "AuthReport([{n: text for n in AuthReport.columns}])",
    "models": "LiveModels([{n: text for n in LiveModels.columns}])",
    "sessions": "Leaks([{n: text for n in Leaks.columns}])",
    "differences": "Comparison([*run.rows, replace(run.rows[0], row=1)], {}).differences(0, 1)",
    "live view": "llmkit.compare(text, ['scripted:echo'] * 2)",
    "sessions panel": "registered(text)",
    "error": "Raised(ServerError(text, provider=text, model=text))",
    "plot": "run.plot()",
}
SETUP = """\
%load_ext llmkit
import llmkit
from dataclasses import replace
from IPython.display import HTML, display
from llmkit.comparison.result import Comparison
from llmkit.errors import ServerError
from llmkit.reports import AuthReport, Leaks, LiveModels
from tests.unit.rows import answer, row
def hostile(text):
    said = answer(text=text, reasoning=text, response_model=text, warnings=(text,),
                  upstream_provider=text, request_id=text, request_model=text)
    one = row(prompt=text, system=text, asked=text, provider=text, request_model=text, error=text,
              error_type=text, parameters={"system": text}, extra={"x": text}, completion=said)
    return Comparison([one], {"run_id": text}, [text])
def registered(name):
    llmkit.register_session(Nothing(), name)
    return llmkit.panel("sessions")
class Nothing:
    def close(self): pass
class Printed:
    def __init__(self, text): self.text = text
    def _ipython_display_(self): print(self.text)
class Raised:
    def __init__(self, error): self.error = error
    def _ipython_display_(self):
        try:
            raise self.error
        except Exception:
            get_ipython().showtraceback()
"""
# What nbconvert writes for each widget: a reference, and a script that finds its own element.
VIEW = "application/vnd.jupyter.widget-view+json"
OWN_SCRIPT = r"^\s*var element = document\.getElementById\('[-0-9a-f]+'\);\s*$"
# A slow page gets plain widgets, whose inputs (.widget-input) are not made from text.
ACTIVE = (
    f"script:not([type='{VIEW}']), iframe, object, embed, video, audio, form, link, svg, mglyph,"
    " input:not(.widget-input, .lk-switch input),"
    " img:not([src^='data:image/png']), [onerror], [onload], [onfocus], [ontoggle],"
    " a[href^='javascript'], .lk mjx-container, .lk .MathJax"
)


def shown(view: str) -> str:
    return f"for text in {PAYLOADS!r}:\n    run = hostile(text)\n    display({view})"


@pytest.fixture(scope="module")
def saved(browser, server):
    """Returns the file of a notebook that displayed every view, and what ran in its page."""
    home, url = server
    path = home / "hostile.ipynb"
    from .lab import written

    written(path, SETUP, *map(shown, VIEWS.values()))
    with watched(browser, url.format(path.name), path) as opened:
        opened.run_all()
        opened.page.wait_for_timeout(500)  # for delayed requests and scripts
        live = found_in(opened)
        opened.save()
    return path, live


@contextmanager
def watched(browser, url: str, path: Path) -> Iterator[Notebook]:
    notebook = Notebook(browser, url, path)
    try:
        yield notebook
    finally:
        notebook.close()


def found_in(opened: Notebook) -> dict[str, object]:
    """Returns the scripts run, the requests sent and the active elements in a page's outputs."""
    page = opened.page
    return {
        "ran": page.evaluate("() => window.hacked ?? null"),
        "asked": [url for url in opened.outside if "evil" in url],
        "active": page.eval_on_selector_all(
            ".jp-OutputArea-output",
            "(outputs, [active, own]) => outputs.flatMap(o => [...o.querySelectorAll(active)]"
            ".filter(e => e.localName !== 'script' || !RegExp(own).test(e.textContent))"
            ".map(e => e.outerHTML.slice(0, 200)))",
            [ACTIVE, OWN_SCRIPT],
        ),
    }


HARMLESS = {"ran": None, "asked": [], "active": []}


def test_in_a_live_notebook_nothing_runs(saved):
    """The page is JupyterLab, trusted, directly after the cells have run."""
    assert saved[1] == HARMLESS
    outputs = [cell["outputs"] for cell in json.loads(saved[0].read_text())["cells"][1:]]
    assert [len(shown) > 0 for shown in outputs] == [True] * len(VIEWS)


@pytest.mark.parametrize("trusted", [True, False], ids=["trusted", "untrusted"])
def test_in_a_reopened_notebook_nothing_runs(browser, server, saved, trusted):
    """The saved file is reopened without running a cell, both trusted and untrusted."""
    home, url = server
    path = saved[0]
    if not trusted:
        content = json.loads(path.read_text())
        content["metadata"]["from"] = "a stranger"  # changes the signature
        path = home / "stranger.ipynb"
        path.write_text(json.dumps(content))
    with watched(browser, url.format(path.name), path) as opened:
        opened.page.wait_for_selector(".jp-OutputArea-output", state="attached")
        opened.page.wait_for_timeout(500)
        is_trusted = opened.page.evaluate(
            "() => window.jupyterapp.shell.currentWidget.content.widgets[1].model.trusted"
        )
        found = found_in(opened)

    assert is_trusted is trusted
    assert found == HARMLESS


@pytest.mark.parametrize("flags", [(), ("--sanitize-html",)], ids=["plain", "sanitized"])
def test_in_an_exported_page_nothing_runs(browser, saved, flags, tmp_path):
    """nbconvert exports the saved file."""
    found = exported(browser, saved[0], tmp_path, *flags)

    assert found == HARMLESS


def test_the_search_finds_what_it_looks_for(browser, server, tmp_path):
    """The payloads as raw HTML run and fetch, so the search would detect them."""
    home, url = server
    from .lab import written

    path = written(home / "control.ipynb", SETUP, shown("HTML(text)"))
    with watched(browser, url.format(path.name), path) as opened:
        opened.run_all()
        opened.until("() => window.hacked")
        live = found_in(opened)
        opened.save()
    page = exported(browser, path, tmp_path)

    for found in (live, page):
        assert found["ran"] is not None
        assert len(found["asked"]) > 2
        assert len(found["active"]) > 5


def exported(browser, notebook: Path, folder: Path, *flags: str) -> dict[str, object]:
    subprocess.run(
        [sys.executable, "-m", "nbconvert", "--to", "html", f"--output-dir={folder}",
         "--output=page", *flags, str(notebook)],
        check=True, capture_output=True,
    )  # fmt: skip
    with served(folder) as root:
        opened = Page(browser, f"{root}/page.html")
        try:
            opened.page.wait_for_selector(".jp-OutputArea-output", state="attached")
            opened.page.wait_for_timeout(500)
            return found_in(opened)
        finally:
            opened.close()


class Page:
    """A page that is not a notebook, with the interface of `Notebook` for `found_in`."""

    def __init__(self, browser, url: str) -> None:
        self._context = browser.new_context()
        self.outside: list[str] = []
        self._context.route(leaves, self._stop)
        self.page = self._context.new_page()
        self.page.goto(url)

    def _stop(self, route) -> None:
        self.outside.append(route.request.url)
        route.abort()

    def close(self) -> None:
        self._context.close()


class Quiet(SimpleHTTPRequestHandler):
    """Serves files without logging."""

    def log_message(self, *words: object) -> None:
        pass


@contextmanager
def served(folder: Path) -> Iterator[str]:
    """Serves *folder*, and yields its URL."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(folder)))
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
