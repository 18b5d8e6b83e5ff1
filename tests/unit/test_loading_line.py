"""The line that is shown while the embedded model loads, and where it goes."""

from __future__ import annotations

import io
import sys
import threading
from types import SimpleNamespace

import pytest

from llmkit.transport.loading_line import LoadingLine
from tests.patience import SOON_S


class Errors(io.StringIO):
    """A standard error stream that tells when something was written."""

    def __init__(self, *, is_terminal: bool) -> None:
        super().__init__()
        self.is_terminal = is_terminal
        self.written = threading.Event()

    def isatty(self):
        return self.is_terminal

    def write(self, text):
        self.written.set()
        return super().write(text)


@pytest.mark.parametrize(
    ("is_terminal", "text"),
    [(False, "loading it ...\n"), (True, "loading it ...\r" + 14 * " " + "\r")],
)
def test_a_script_has_it_on_stderr(monkeypatch, capsys, is_terminal, text):
    """One line in a pipe or file; a terminal's line is overwritten. Nothing goes to stdout."""
    errors = Errors(is_terminal=is_terminal)
    monkeypatch.setattr(sys, "stderr", errors)
    line = LoadingLine()
    line.appear_s = 0.0

    line("loading it ...")
    assert errors.written.wait(SOON_S)
    line("")

    assert errors.getvalue() == text
    assert capsys.readouterr().out == ""


def test_a_notebook_has_it_in_a_display_that_ends_empty(monkeypatch):
    """The same display first has the line and then no text; other outputs are not touched."""
    published = []
    shown = threading.Event()

    def publish(data, **options):
        published.append((data, options["transient"]["display_id"], options["update"]))
        shown.set()

    shell = SimpleNamespace(kernel=object(), display_pub=SimpleNamespace(publish=publish))
    monkeypatch.setitem(sys.modules, "IPython", SimpleNamespace(get_ipython=lambda: shell))
    line = LoadingLine()
    line.appear_s = 0.0

    line("loading it ...")
    assert shown.wait(SOON_S)
    line("")

    (first, first_id, is_update), (last, last_id, is_last_update) = published
    assert (first, is_update) == ({"text/plain": "loading it ..."}, False)
    assert (last, is_last_update) == ({"text/plain": ""}, True)
    assert first_id == last_id


def test_a_model_that_loads_quickly_shows_nothing(monkeypatch):
    """What ended before the line appeared leaves no timer and no output."""
    errors = Errors(is_terminal=True)
    monkeypatch.setattr(sys, "stderr", errors)
    before = threading.active_count()
    line = LoadingLine()
    line.appear_s = 600.0

    line("loading it ...")
    line("")
    for thread in threading.enumerate():
        if isinstance(thread, threading.Timer):
            thread.join(SOON_S)

    assert errors.getvalue() == ""
    assert threading.active_count() == before
