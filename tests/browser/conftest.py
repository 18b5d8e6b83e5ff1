"""Provides one JupyterLab and one page for all browser tests; each has its notebook and kernel."""

from __future__ import annotations

import os
from contextlib import ExitStack
from itertools import count

import pytest

from .lab import FLAGS, Notebook, browser_path, lab, written

numbers = count()
OPENED = pytest.StashKey[list[Notebook]]()
REOPENED = pytest.StashKey[list[Notebook]]()
FAILED = pytest.StashKey[bool]()


@pytest.fixture(scope="session")
def browser():
    """Starts the distribution's Chromium, which continuous integration requires."""
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
    """Starts JupyterLab, and yields its folder and its URL with a placeholder for a notebook."""
    home = tmp_path_factory.mktemp("lab")
    with lab(home) as url:
        yield home, url


@pytest.fixture(scope="session")
def bare_server(browser, tmp_path_factory):
    """Starts JupyterLab without the anywidget extension, which the kernel still has."""
    home = tmp_path_factory.mktemp("bare")
    with lab(home, without=("anywidget",)) as url:
        yield home, url


@pytest.fixture(scope="session")
def pages(browser):
    """Holds one page for each server, by its URL; the page shows one notebook after another."""
    return {}


@pytest.fixture
def open_notebook(request, server, browser, pages):
    """Opens a new notebook with the given cells.

    `open_notebook("%load_ext llmkit", "llmkit.panel()", width=700, dark=True)`
    """
    yield from opening(request.node, browser, pages, *server)


@pytest.fixture
def open_bare_notebook(request, bare_server, browser, pages):
    """Opens a new notebook in a front end without anywidget."""
    yield from opening(request.node, browser, pages, *bare_server)


@pytest.fixture
def reopen(request, browser, server):
    """Opens a saved notebook in a page of its own, as a person does whose kernel has ended."""
    opened = request.node.stash[REOPENED] = []

    def reopen_one(path):
        opened.append(Notebook(browser, server[1].format(path.name), path, kernel=False))
        return opened[-1]

    yield reopen_one
    for notebook in opened:
        notebook.close()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item, call):
    """Adds the state of its notebooks to the report of a failed test, before the page is closed."""
    report = yield
    if report.when == "call" and report.failed:
        item.stash[FAILED] = True
        for notebook in (*item.stash.get(OPENED, []), *item.stash.get(REOPENED, [])):
            report.sections.append((notebook.path.name, told(notebook)))
    return report


def told(notebook):
    """Returns the state of a notebook, or why it is not available."""
    try:
        return notebook.evidence()
    except Exception as error:
        return repr(error)


def opening(test, browser, pages, home, url):
    """Yields the function that opens a notebook; closes it, and the page if the test failed."""
    opened = test.stash[OPENED] = []

    def open_one(*cells, **view):
        path = written(home / f"n{next(numbers)}.ipynb", *cells)
        assert not opened, "one notebook for each test: they share a page"
        page = pages.pop(url, None)  # put back if the test passes
        if page is None:
            opened.append(Notebook(browser, url.format(path.name), path, **view))
        else:
            opened.append(page)
            page.open(path, **view)
        return opened[0]

    yield open_one
    for notebook in opened:
        with ExitStack() as unless_left:
            unless_left.callback(notebook.close_page)
            notebook.end_kernel()
            if not test.stash.get(FAILED, False):
                notebook.leave()
                pages[url] = notebook
                unless_left.pop_all()
