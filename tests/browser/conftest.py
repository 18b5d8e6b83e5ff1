"""One JupyterLab and one browser for all browser tests; a notebook and a kernel for each."""

from __future__ import annotations

import os
from itertools import count

import pytest

from .lab import FLAGS, Notebook, browser_path, lab, written

numbers = count()
OPENED = pytest.StashKey[list[Notebook]]()


@pytest.fixture(scope="session")
def browser():
    """The distribution's Chromium; never missing in continuous integration."""
    path = browser_path()
    if path is None and os.environ.get("CI") != "true":
        pytest.skip("no Chromium here: install it to run the browser tests")
    assert path is not None, "CI=true, and no Chromium is installed"
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        opened = playwright.chromium.launch(executable_path=path, args=FLAGS)
        yield opened
        opened.close()


@pytest.fixture(scope="session")
def server(browser, tmp_path_factory):
    """A running JupyterLab: its folder, and its address with a place for a notebook's name."""
    home = tmp_path_factory.mktemp("lab")
    with lab(home) as url:
        yield home, url


@pytest.fixture(scope="session")
def bare_server(browser, tmp_path_factory):
    """The same without anywidget's extension, while the kernel has it."""
    home = tmp_path_factory.mktemp("bare")
    with lab(home, without=("anywidget",)) as url:
        yield home, url


@pytest.fixture
def open_notebook(request, server, browser):
    """Opens a new notebook with the given cells, in a page of its own.

    `open_notebook("%load_ext llmkit", "llmkit.panel()", width=700, dark=True)`
    """
    yield from opening(request.node, browser, *server)


@pytest.fixture
def open_bare_notebook(request, bare_server, browser):
    """The same where the front end has no anywidget."""
    yield from opening(request.node, browser, *bare_server)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item, call):
    """Says of a test that failed how its notebooks stood: a page is gone when it is read."""
    report = yield
    if report.when == "call" and report.failed:
        for notebook in item.stash.get(OPENED, []):
            report.sections.append((notebook.path.name, told(notebook)))
    return report


def told(notebook):
    """Its evidence, or why there is none."""
    try:
        return notebook.evidence()
    except Exception as error:
        return repr(error)


def opening(test, browser, home, url):
    """What opens notebooks, and closes them at the end."""
    opened = test.stash[OPENED] = []

    def open_one(*cells, **view):
        path = written(home / f"n{next(numbers)}.ipynb", *cells)
        opened.append(Notebook(browser, url.format(path.name), path, **view))
        return opened[-1]

    yield open_one
    for notebook in opened:
        notebook.close()
