"""Runs JupyterLab on loopback, and controls it in a browser as a user does."""

from __future__ import annotations

import json
import os
import secrets
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

PATIENCE_MS = 90_000  # for a loaded machine
POLL_MS = 50
# JupyterLab sends its first requests together, and ipykernel 7.0 to 7.3 may lose one of them before
# any cell has run. On other versions this has no effect.
REPAIR = "from llmkit.notebook.kernel_patches import patch_replies\npatch_replies(get_ipython())\n"
APPS = {
    "lab": ("jupyterlab", "LabApp", "lab/tree"),
    "notebook": ("notebook", "JupyterNotebookApp", "notebooks"),
}
# A reloaded Lab also opens the notebooks of other pages, in panels that are hidden.
PANEL = ".jp-NotebookPanel:not(.lm-mod-hidden)"
FLAGS = [
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
    "--disable-dev-shm-usage", "--disable-renderer-backgrounding",
    "--disable-backgrounding-occluded-windows", "--disable-background-timer-throttling",
]  # fmt: skip


def browser_path() -> str | None:
    """Returns the path of the installed Chromium or Chrome, None if neither is installed."""
    names = ("chromium", "chromium-browser", "google-chrome")  # as in .ci/browser
    return next(filter(None, map(shutil.which, names)), None)


@contextmanager
def lab(home: Path, *, without: tuple[str, ...] = (), app: str = "lab") -> Iterator[str]:
    """Runs a JupyterLab whose files are all below *home*; yields its URL with its token.

    Args:
        app: "lab" or "notebook".
        without: Names of front end extensions to disable.
    """
    runtime = home / "runtime"
    runtime.mkdir()
    module, kind, place = APPS[app]
    token = secrets.token_hex(16)
    quiet = home / "settings" / "@jupyterlab" / "apputils-extension"
    quiet.mkdir(parents=True)
    # Otherwise a dialog of Lab asks whether to fetch news.
    (quiet / "notification.jupyterlab-settings").write_text('{"fetchNews": "false"}')
    pages = home / "config" / "labconfig"
    pages.mkdir(parents=True)
    repaired(home / "ipython")
    missing = dict.fromkeys(without, True)
    (pages / "page_config.json").write_text(json.dumps({"disabledExtensions": missing}))
    places = {
        "JUPYTER_RUNTIME_DIR": runtime, "JUPYTER_CONFIG_DIR": home / "config",
        "JUPYTER_DATA_DIR": home / "data", "IPYTHONDIR": home / "ipython",
        "JUPYTERLAB_SETTINGS_DIR": home / "settings", "PYTHONPATH": Path(__file__).parents[2],
    }  # fmt: skip
    with (home / "server.log").open("wb") as log:
        server = subprocess.Popen(
            [sys.executable, "-m", module, "--no-browser", "--allow-root",
             "--ServerApp.port=0", f"--IdentityProvider.token={token}",
             f"--{kind}.expose_app_in_browser=True", f"--ServerApp.root_dir={home}"],
            stdout=log, stderr=log, start_new_session=True,
            env={**os.environ, **{name: str(place) for name, place in places.items()}},
        )  # fmt: skip
    try:
        yield f"http://127.0.0.1:{_port(runtime, server)}/{place}/{{}}?token={token}&reset"
    finally:
        ended(server)


def repaired(folder: Path) -> None:
    """Patches each kernel whose IPYTHONDIR is *folder* before its first request."""
    startup = folder / "profile_default" / "startup"
    startup.mkdir(parents=True)
    (startup / "repair.py").write_text(REPAIR)


def ended(server: subprocess.Popen[bytes]) -> None:
    """Ends a server and its kernels, even on a busy machine."""
    os.killpg(server.pid, signal.SIGTERM)
    try:
        server.wait(30)
    except subprocess.TimeoutExpired:
        os.killpg(server.pid, signal.SIGKILL)
        server.wait()


def leaves(url: str) -> bool:
    """Returns True if a request for *url* would leave this machine."""
    return urlsplit(url).hostname != "127.0.0.1"


class Notebook:
    """One open notebook in a page; `close()` ends its kernel.

    Attributes:
        page: The page, for steps that only one test needs.
        outside: Blocked requests that would have left this machine.
        path: The file of the notebook.
    """

    def __init__(
        self,
        browser: Any,
        url: str,
        path: Path,
        *,
        width: int = 1280,
        dark: bool = False,
        kernel: bool = True,
    ) -> None:
        self.path = path
        self._context = browser.new_context(
            viewport={"width": width, "height": 900},
            reduced_motion="reduce",
            color_scheme="dark" if dark else "light",
        )
        self.outside: list[str] = []
        self._context.route(
            lambda u: not u.startswith(("data:", "blob:")) and leaves(u), self._stop
        )
        self.page = self._context.new_page()
        self.page.set_default_timeout(PATIENCE_MS)
        self.page.goto(url)
        if not kernel:
            self.page.wait_for_selector(".jp-OutputArea-output")
            return
        self.wait_for_kernel()
        # The server keeps the theme for the next page.
        self.theme("JupyterLab Dark" if dark else "JupyterLab Light")

    def open(self, path: Path, *, width: int = 1280, dark: bool = False) -> None:
        """Opens another file in the same page, because reloading JupyterLab takes five seconds."""
        self.path = path
        self.outside.clear()
        self.page.set_viewport_size({"width": width, "height": 900})
        self.page.emulate_media(color_scheme="dark" if dark else "light", reduced_motion="reduce")
        self.page.evaluate(
            "async path => { await window.jupyterapp.commands.execute('docmanager:open',"
            " { path }); }",
            path.name,
        )
        self.until(
            "path => window.jupyterapp.shell.currentWidget?.context?.path === path", path.name
        )
        self.wait_for_kernel()
        self.theme("JupyterLab Dark" if dark else "JupyterLab Light")

    def leave(self) -> None:
        """Closes the file without saving; keeps the page."""
        self.page.evaluate(
            "() => { const w = window.jupyterapp.shell.currentWidget;"
            " w.context.model.dirty = false; w.close(); }"
        )
        self.until("() => !window.jupyterapp.shell.currentWidget?.sessionContext")

    def until(self, condition: str, arg: object = None) -> None:
        """Waits until a JavaScript function returns a true value."""
        # By a timer: Playwright's default polls at each animation frame, and a headless
        # browser that renders no frame is then never polled.
        self.page.wait_for_function(condition, arg=arg, polling=POLL_MS)

    def wait_for_kernel(self) -> None:
        """Waits until the kernel accepts cells."""
        # The indicator shows "idle" before the kernel is connected, when Run All is lost.
        self.until(
            "() => { const n = window.jupyterapp?.shell?.currentWidget;"
            " return n?.sessionContext?.isReady && n.sessionContext.session?.kernel?.status"
            " === 'idle'; }"
        )
        self.page.evaluate(
            "async () => { const c = window.jupyterapp.shell.currentWidget.sessionContext;"
            " await c.ready; await c.session.kernel.info; }"
        )

    def theme(self, name: str) -> None:
        """Changes the theme, as the settings menu does."""
        self.page.evaluate(
            "name => { window.jupyterapp.commands.execute('apputils:change-theme',"
            " { theme: name }); }",
            name,
        )
        dark = str("Dark" not in name).lower()
        self.page.wait_for_selector(f'body[data-jp-theme-light="{dark}"]', state="attached")

    def start_all(self) -> None:
        """Presses "Run All" without waiting."""
        # Not awaited, because the command may hang forever.
        self.page.evaluate("() => { window.jupyterapp.commands.execute('runmenu:run-all'); }")

    def run_all(self) -> None:
        """Presses "Run All" and waits until every cell has its number."""
        self.start_all()
        self.wait_for_cells()

    def start(self, index: int) -> None:
        """Runs one cell without waiting."""
        self.page.evaluate(
            "i => { const n = window.jupyterapp.shell.currentWidget.content;"
            " n.activeCellIndex = i; n.deselectAll();"
            " window.jupyterapp.commands.execute('notebook:run-cell'); }",
            index,
        )

    def run(self, index: int) -> None:
        """Runs one cell and waits for its end."""
        before = self._count(index)
        self.start(index)
        self.until(
            "([i, before]) => { const w = window.jupyterapp.shell.currentWidget.content.widgets[i];"
            " return w.model.executionCount && w.model.executionCount !== before"
            " && w.model.executionState !== 'running'; }",
            arg=[index, before],
        )

    def wait_until_running(self, index: int) -> None:
        """Waits until the cell has started."""
        self.until(
            "i => window.jupyterapp.shell.currentWidget.content.widgets[i].model.executionState"
            " === 'running'",
            arg=index,
        )

    def wait_for_cell(self, index: int) -> None:
        """Waits until the cell has ended."""
        self.until(
            "i => window.jupyterapp.shell.currentWidget.content.widgets[i].model.executionState"
            " !== 'running'",
            arg=index,
        )

    def wait_for_cells(self) -> None:
        """Waits until every code cell has run."""
        self.until(
            "() => { const cells = window.jupyterapp.shell.currentWidget.content.widgets"
            ".filter(w => w.model.type === 'code');"
            " return cells.length && cells.every(w => w.model.executionCount"
            " && w.model.executionState !== 'running'); }"
        )

    def delete(self, index: int) -> None:
        """Deletes one cell."""
        self.page.evaluate(
            "i => { const n = window.jupyterapp.shell.currentWidget.content;"
            " n.activeCellIndex = i; n.deselectAll();"
            " window.jupyterapp.commands.execute('notebook:delete-cell'); }",
            index,
        )

    def reopen(self) -> None:
        """Ends the kernel and reopens the saved file with a new kernel."""
        self.page.evaluate(
            "async () => { await window.jupyterapp.shell.currentWidget.sessionContext.shutdown(); }"
        )
        self.page.reload()
        self.wait_for_kernel()

    def cell(self, index: int) -> Any:
        """Returns the locator of a cell."""
        return self.page.locator(f"{PANEL} .jp-Notebook .jp-Cell").nth(index)

    def cells(self) -> int:
        """Returns the number of cells."""
        count: int = self.page.evaluate(
            "() => window.jupyterapp.shell.currentWidget.content.widgets.length"
        )
        return count

    def outputs(self) -> list[str]:
        """Returns the visible text of every code cell's output."""
        found: list[str] = self.page.eval_on_selector_all(
            f"{PANEL} .jp-CodeCell",
            "cells => cells.map(c => c.querySelector('.jp-OutputArea')?.innerText || '')",
        )
        return found

    def wait_for_output(self, index: int, text: str) -> None:
        """Waits until the output of the cell contains *text*."""
        self.until(
            "([panel, i, text]) => document.querySelectorAll(`${panel} .jp-CodeCell`)[i]"
            ".querySelector('.jp-OutputArea')?.innerText.includes(text)",
            arg=[PANEL, index, text],
        )

    def interrupt(self) -> None:
        """Presses the stop button of the notebook."""
        self.page.evaluate(
            "() => { window.jupyterapp.shell.currentWidget.sessionContext.session.kernel"
            ".interrupt(); }"
        )

    def begin_restart(self) -> None:
        """Asks the server to restart the kernel, without waiting."""
        self.page.evaluate(
            "() => { window.restarted = window.jupyterapp.shell.currentWidget.sessionContext"
            ".session.kernel.restart(); }"
        )

    def wait_for_restart(self) -> None:
        """Waits until the kernel has restarted and accepts cells."""
        # The server fails to end a kernel while it restarts it.
        self.page.evaluate("async () => { await window.restarted; }")
        self.wait_for_kernel()

    def save(self) -> dict[str, Any]:
        """Saves the notebook, and returns the content of its file."""
        self.page.evaluate(
            "async () => { await window.jupyterapp.shell.currentWidget.context.save(); }"
        )
        found: dict[str, Any] = json.loads(self.path.read_text())
        return found

    def end_kernel(self) -> None:
        """Shuts the kernel down."""
        self.page.evaluate(
            "async () => { await window.jupyterapp.shell.currentWidget.sessionContext.shutdown(); }"
        )

    def evidence(self) -> str:
        """Returns the state of the kernel and of every cell, for the report of a failed test."""
        found: str = self.page.evaluate(
            "() => { const w = window.jupyterapp.shell.currentWidget;"
            " const k = w.sessionContext.session?.kernel;"
            " const told = w.content.widgets.map(c =>"
            " `[${c.model.executionCount}] ${c.model.executionState}: "
            "${c.outputArea?.node.innerText.slice(-300)}`);"
            " return [`kernel ${k?.status}, ${k?.connectionStatus}`, ...told].join('\\n'); }"
        )
        return found

    def close(self) -> None:
        """Ends the kernel and the page."""
        try:
            self.end_kernel()
        finally:
            self.close_page()

    def close_page(self) -> None:
        """Closes the page; its kernel goes on."""
        self._context.close()

    def _count(self, index: int) -> int | None:
        count: int | None = self.page.evaluate(
            "i => window.jupyterapp.shell.currentWidget.content.widgets[i].model.executionCount",
            index,
        )
        return count

    def _stop(self, route: Any) -> None:
        self.outside.append(route.request.url)
        route.abort()


@contextmanager
def keeping_widget_states(notebook: Notebook) -> Iterator[None]:
    """Makes Lab save the states of all widgets with a notebook; the server keeps the setting."""
    command = "@jupyter-widgets/jupyterlab-manager:saveWidgetState"
    switch = "name => { window.jupyterapp.commands.execute(name); }"
    notebook.page.evaluate(switch, command)
    notebook.until("name => window.jupyterapp.commands.isToggled(name)", arg=command)
    try:
        yield
    finally:
        notebook.page.evaluate(switch, command)
        notebook.until("name => !window.jupyterapp.commands.isToggled(name)", arg=command)


def written(path: Path, *cells: str) -> Path:
    """Writes a notebook file with *cells*."""
    nodes = [
        {"cell_type": "code", "id": f"c{i}", "metadata": {}, "execution_count": None,
         "outputs": [], "source": cell}
        for i, cell in enumerate(cells)
    ]  # fmt: skip
    spec = {"name": "python3", "display_name": "Python 3", "language": "python"}
    path.write_text(
        json.dumps({"cells": nodes, "metadata": {"kernelspec": spec}, "nbformat": 4,
                    "nbformat_minor": 5})
    )  # fmt: skip
    return path


def _port(runtime: Path, server: subprocess.Popen[bytes]) -> int:
    deadline = time.monotonic() + PATIENCE_MS / 1000
    while time.monotonic() < deadline and server.poll() is None:
        for file in runtime.glob("jpserver-*.json"):
            try:
                port: int = json.loads(file.read_text())["port"]
            except ValueError:  # still being written
                continue
            return port
        time.sleep(0.05)
    raise AssertionError("JupyterLab did not start")
