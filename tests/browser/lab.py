"""JupyterLab on loopback, and a browser that uses it as a person would."""

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

PATIENCE_MS = 90_000  # for a loaded machine
FLAGS = [
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
    "--disable-dev-shm-usage",
]  # fmt: skip


def browser_path() -> str | None:
    """The distribution's Chromium, None where there is none."""
    return shutil.which("chromium") or shutil.which("chromium-browser")


@contextmanager
def lab(home: Path) -> Iterator[str]:
    """A JupyterLab whose files are all below *home*; gives its address with its token."""
    runtime = home / "runtime"
    runtime.mkdir()
    token = secrets.token_hex(16)
    places = {
        "JUPYTER_RUNTIME_DIR": runtime, "JUPYTER_CONFIG_DIR": home / "config",
        "JUPYTER_DATA_DIR": home / "data", "IPYTHONDIR": home / "ipython",
        "JUPYTERLAB_SETTINGS_DIR": home / "settings", "PYTHONPATH": Path(__file__).parents[2],
    }  # fmt: skip
    with (home / "server.log").open("wb") as log:
        server = subprocess.Popen(
            [sys.executable, "-m", "jupyterlab", "--no-browser", "--allow-root",
             "--ServerApp.port=0", f"--IdentityProvider.token={token}",
             "--LabApp.expose_app_in_browser=True", f"--ServerApp.root_dir={home}"],
            stdout=log, stderr=log, start_new_session=True,
            env={**os.environ, **{name: str(place) for name, place in places.items()}},
        )  # fmt: skip
    try:
        yield f"http://127.0.0.1:{_port(runtime, server)}/lab/tree/{{}}?token={token}&reset"
    finally:
        os.killpg(server.pid, signal.SIGTERM)
        server.wait(20)


class Notebook:
    """One open notebook in a page.

    Attributes:
        page: The page, for whatever is particular to a test.
        outside: Requests that would have left this machine; they were stopped.
    """

    def __init__(self, browser: Any, url: str) -> None:
        context = browser.new_context(viewport={"width": 1280, "height": 900})
        self.outside: list[str] = []
        context.route(lambda u: "//127.0.0.1:" not in u and not u.startswith(("data:", "blob:")),
                      self._stop)  # fmt: skip
        self.page = context.new_page()
        self.page.set_default_timeout(PATIENCE_MS)
        self.page.goto(url)
        # The indicator says "idle" before the kernel is connected, and Run All is then lost.
        self.page.wait_for_function(
            "() => { const n = window.jupyterapp?.shell?.currentWidget;"
            " return n?.sessionContext?.isReady && n.sessionContext.session?.kernel?.status"
            " === 'idle'; }"
        )
        self.page.evaluate(
            "async () => { const c = window.jupyterapp.shell.currentWidget.sessionContext;"
            " await c.ready; await c.session.kernel.info; }"
        )

    def run_all(self) -> None:
        """Presses "Run All" and waits until every cell has its number."""
        # Fired and not awaited: the command may hang without a limit.
        self.page.evaluate("() => { window.jupyterapp.commands.execute('runmenu:run-all'); }")
        self.page.wait_for_function(
            "() => { const cells = window.jupyterapp.shell.currentWidget.content.widgets"
            ".filter(w => w.model.type === 'code');"
            " return cells.length && cells.every(w => w.model.executionCount"
            " && w.model.executionState !== 'running'); }"
        )

    def outputs(self) -> list[str]:
        """The text of every code cell's output, as a person sees it."""
        found: list[str] = self.page.eval_on_selector_all(
            ".jp-CodeCell",
            "cells => cells.map(c => c.querySelector('.jp-OutputArea')?.innerText || '')",
        )
        return found

    def _stop(self, route: Any) -> None:
        self.outside.append(route.request.url)
        route.abort()


def written(path: Path, *cells: str) -> Path:
    """A notebook file with *cells*."""
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
