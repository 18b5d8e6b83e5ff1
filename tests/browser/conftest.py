"""One JupyterLab and one page for all browser tests; a notebook and a kernel for each."""

from __future__ import annotations

import os
from itertools import count

import pytest

from .lab import FLAGS, Notebook, browser_path, lab, written

numbers = count()
OPENED = pytest.StashKey[list[Notebook]]()
FAILED = pytest.StashKey[bool]()


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


@pytest.fixture(scope="session")
def pages(browser):
    """The page that shows each server's notebooks one after the other, by the server's address."""
    return {}


@pytest.fixture
def open_notebook(request, server, browser, pages):
    """Opens a new notebook with the given cells.

    `open_notebook("%load_ext llmkit", "llmkit.panel()", width=700, dark=True)`
    """
    yield from opening(request.node, browser, pages, *server)


@pytest.fixture
def open_bare_notebook(request, bare_server, browser, pages):
    """The same where the front end has no anywidget."""
    yield from opening(request.node, browser, pages, *bare_server)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item, call):
    """Says of a test that failed how its notebooks stood: a page is gone when it is read."""
    report = yield
    if report.when == "call" and report.failed:
        item.stash[FAILED] = True
        for notebook in item.stash.get(OPENED, []):
            report.sections.append((notebook.path.name, told(notebook)))
    return report


def told(notebook):
    """Its evidence, or why there is none."""
    try:
        return notebook.evidence()
    except Exception as error:
        return repr(error)


def opening(test, browser, pages, home, url):
    """What opens a notebook, and closes it at the end; the page of a test that failed goes too."""
    opened = test.stash[OPENED] = []

    def open_one(*cells, **view):
        path = written(home / f"n{next(numbers)}.ipynb", *cells)
        assert not opened, "one notebook for each test: they share a page"
        page = pages.pop(url, None)  # back again if the test passes
        if page is None:
            opened.append(Notebook(browser, url.format(path.name), path, **view))
        else:
            opened.append(page)
            page.open(path, **view)
        return opened[0]

    yield open_one
    for notebook in opened:
        if test.stash.get(FAILED, False):
            notebook.close()
        else:
            notebook.leave()
            pages[url] = notebook
