"""Drives a real Jupyter kernel: cells are sent without waiting, as "Run All" does."""

from __future__ import annotations

import json
import os
import queue
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from jupyter_client.manager import KernelManager

from tests.ipc import ipc
from tests.patience import PATIENCE_S

START_S = 120.0


@dataclass
class Ran:
    """The result of one cell.

    Attributes:
        reply: Its execute_reply, None if the kernel lost the cell.
        out: Its standard output.
        err: Its standard error.
        shown: The MIME bundles of its displays and its result.
        order: Its position among the replies.
    """

    reply: dict[str, Any] | None = None
    out: str = ""
    err: str = ""
    shown: list[dict[str, Any]] = field(default_factory=list)
    order: int = -1

    @property
    def ok(self) -> bool:
        return bool(self.reply) and self.reply["status"] == "ok"

    @property
    def words(self) -> dict[str, Any]:
        """The last bundle with words; a widget has none, nor has the output before it at first."""
        return [bundle for bundle in self.shown if bundle.get("text/plain")][-1]

    @property
    def error(self) -> str:
        return "\n".join((self.reply or {}).get("traceback") or ())


class Kernel:
    """A kernel, as a context manager that ends it and keeps its standard error.

    Attributes:
        traffic: The repr of all messages to the front end so far.
        stderr: The standard error of the kernel's process, after it has ended.
    """

    def __init__(self, *flags: str, env: dict[str, str] | None = None) -> None:
        self._log = Path(tempfile.mkstemp(suffix=".stderr")[1])
        self._manager = KernelManager(kernel_name="python3", **ipc())
        self._manager.kernel_spec.argv[:] = [
            sys.executable, "-W", "error::ResourceWarning", *flags,
            # Otherwise ipykernel's debugger warns about frozen modules if it starts slowly.
            "-X", "frozen_modules=off",
            "-m", "ipykernel_launcher", "--log-level=ERROR", "-f", "{connection_file}",
            # A cell's output goes to the front end, and is echoed to this file.
            "--IPKernelApp.quiet=False",
        ]  # fmt: skip
        self._manager.shutdown_wait_time = PATIENCE_S  # the default kills a busy kernel after 2.5 s
        self._env = env
        self.traffic: list[str] = []
        self.stderr = ""

    def __enter__(self) -> Kernel:
        environ = {**os.environ, **(self._env or {}), "PYTHONPATH": str(Path(__file__).parents[2])}
        self._stderr = self._log.open("wb")
        self._manager.start_kernel(stdout=subprocess.DEVNULL, stderr=self._stderr, env=environ)
        self._connect()
        return self

    def _connect(self) -> None:
        self._client = self._manager.blocking_client()
        self._client.start_channels()
        self._client.wait_for_ready(timeout=START_S)
        info = self._client.kernel_info(reply=True, timeout=START_S)
        self._features = info["content"].get("supported_features") or ()

    def __exit__(self, *failure: object) -> None:
        self._client.stop_channels()
        self._manager.shutdown_kernel()
        self._stderr.close()
        self.stderr = self.stderr_so_far()
        self._log.unlink()

    def stderr_so_far(self) -> str:
        """Returns the standard error of the process so far."""
        return self._log.read_text(errors="replace")

    def restart(self) -> None:
        """Shuts the kernel down, and starts another process."""
        self._client.stop_channels()
        self._manager.restart_kernel()
        self._connect()

    def run(self, *cells: str, ids: list[str] | None = None, **metadata: Any) -> list[Ran]:
        """Sends all *cells* at once and waits for every reply."""
        sent = [
            self.send(cell, cell_id=ids[i] if ids else None, **metadata)
            for i, cell in enumerate(cells)
        ]
        return self.collect(sent)

    def one(self, cell: str, cell_id: str | None = None, **metadata: Any) -> Ran:
        """Sends one cell and waits for its reply."""
        return self.collect([self.send(cell, cell_id=cell_id, **metadata)])[0]

    def send(
        self,
        cell: str,
        *,
        cell_id: str | None = None,
        silent: bool = False,
        subshell: str | None = None,
        allow_stdin: bool = False,
        **metadata: Any,
    ) -> str:
        """Sends one cell without waiting; returns the id of the message."""
        content = {
            "code": cell, "silent": silent, "store_history": not silent, "user_expressions": {},
            "allow_stdin": allow_stdin, "stop_on_error": False,
        }  # fmt: skip
        metadata = {**({"cellId": cell_id} if cell_id else {}), **metadata}
        return self._send("execute_request", content, subshell, metadata)

    def _send(
        self,
        kind: str,
        content: dict[str, Any],
        subshell: str | None = None,
        metadata: dict[str, Any] | None = None,
    ) -> str:
        message = self._client.session.msg(kind, content, metadata=metadata)
        if subshell is not None:
            message["header"]["subshell_id"] = subshell
        self._client.shell_channel.send(message)
        found: str = message["header"]["msg_id"]
        return found

    def type_in(self, text: str) -> dict[str, Any]:
        """Answers the input request of a cell, and returns its prompt."""
        asked: dict[str, Any] = self._client.get_stdin_msg(timeout=PATIENCE_S)["content"]
        self._client.input(text)
        return asked

    def complete(self, code: str) -> list[str]:
        """Returns the completions for Tab at the end of *code*."""
        found: list[str] = self.completion(code)["matches"]
        return found

    def completion(self, code: str) -> dict[str, Any]:
        """Returns the whole reply to Tab at the end of *code*."""
        reply = self._client.complete(code, len(code), reply=True, timeout=PATIENCE_S)
        content: dict[str, Any] = reply["content"]
        return content

    def click(self, comm: str, *, subshell: str | None = None) -> None:
        """Clicks the button widget with that comm, as its page does."""
        data = {"method": "custom", "content": {"event": "click"}}
        self._send("comm_msg", {"comm_id": comm, "data": data}, subshell)

    def set_widget(self, comm: str, **state: Any) -> None:
        """Changes the widget with that comm, as its page does."""
        data = {"method": "update", "state": state, "buffer_paths": []}
        self._send("comm_msg", {"comm_id": comm, "data": data})

    def subshell(self) -> str | None:
        """Returns the id of a new subshell, None if the kernel does not support subshells."""
        found: str | None = self._control("create_subshell_request").get("subshell_id")
        return found

    def end_subshell(self, subshell: str | None) -> None:
        """Ends a subshell's thread."""
        if subshell is not None:
            self._control("delete_subshell_request", subshell_id=subshell)

    def _control(self, kind: str, **content: Any) -> dict[str, Any]:
        if "kernel subshells" not in self._features:
            return {}
        message = self._client.session.msg(kind, content)
        self._client.control_channel.send(message)
        while True:
            got = self._client.control_channel.get_msg(timeout=PATIENCE_S)
            if got["parent_header"].get("msg_id") == message["header"]["msg_id"]:
                answer: dict[str, Any] = got["content"]
                return answer

    def interrupt(self) -> None:
        """Presses the stop button."""
        self._manager.interrupt_kernel()

    def wait_for_output(self, message: str, text: str) -> list[dict[str, Any]]:
        """Waits until the cell of *message* has printed *text*; returns its widget messages."""
        deadline = time.monotonic() + PATIENCE_S
        seen, states = "", []
        while text not in seen:
            assert time.monotonic() < deadline, f"{text!r} never came, only {seen!r}"
            got = self._client.iopub_channel.get_msg(timeout=PATIENCE_S)
            self.traffic.append(repr(got))
            if got["parent_header"].get("msg_id") != message:
                continue
            if got["msg_type"] == "stream":
                seen += got["content"]["text"]
            elif got["msg_type"] == "comm_msg":
                states.append(got["content"]["data"].get("state"))
        return states

    def reply(self, sent: str) -> dict[str, Any]:
        """Waits only for the reply to one cell."""
        while True:
            got = self._client.shell_channel.get_msg(timeout=PATIENCE_S)
            if got["parent_header"].get("msg_id") == sent:
                content: dict[str, Any] = got["content"]
                return content

    def collect(self, sent: list[str]) -> list[Ran]:
        """Waits for the replies to all of *sent*, and collects the outputs of the cells."""
        found = {message: Ran() for message in sent}
        replies = idle = 0
        deadline = time.monotonic() + PATIENCE_S
        while replies < len(sent) or idle < len(sent):
            if time.monotonic() > deadline:
                break
            replies += self._take_reply(found, replies)
            idle += self._take_output(found)
        return [found[message] for message in sent]

    def _take_reply(self, found: dict[str, Ran], order: int) -> int:
        try:
            got = self._client.shell_channel.get_msg(timeout=0.02)
        except queue.Empty:
            return 0
        ran = found.get(got["parent_header"].get("msg_id"))
        if ran is None:
            return 0
        ran.reply, ran.order = got["content"], order
        return 1

    def _take_output(self, found: dict[str, Ran]) -> int:
        ended = 0
        while True:
            try:
                got = self._client.iopub_channel.get_msg(timeout=0.02)
            except queue.Empty:
                return ended
            self.traffic.append(repr(got))
            ran = found.get(got["parent_header"].get("msg_id"))
            if ran is None:
                continue
            kind, content = got["msg_type"], got["content"]
            if kind == "stream":
                setattr(ran, *_more(ran, content))
            elif kind in ("execute_result", "display_data", "update_display_data"):
                ran.shown.append(content["data"])
            elif kind == "status" and content["execution_state"] == "idle":
                ended += 1


def _more(ran: Ran, content: dict[str, Any]) -> tuple[str, str]:
    name = "out" if content["name"] == "stdout" else "err"
    return name, getattr(ran, name) + content["text"]


def value(ran: Ran) -> Any:
    """Returns the output of a cell, parsed as JSON."""
    assert ran.ok, ran.error or ran.reply
    return json.loads(ran.out)
