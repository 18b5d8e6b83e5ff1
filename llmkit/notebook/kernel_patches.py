"""Works around bugs of and differences between versions of ipykernel.

| ipykernel | symptom | here | upstream | delete when |
|---|---|---|---|---|
| 7.0 to 7.3 | a request that arrives during a reply is never read; the cell shows [*] forever | `patch_replies` | replies go through the stream since 7.4 (ipykernel #1529, 2026-06-14; cause in #1554) | 7.3 is not supported |
| 7.4 | a click during `compare()` in a cell is delivered after the cell | `intercept_comm` | open; the kernel routes a widget's message in the thread of its channel | a click is delivered while a nested run waits |
| all | a second SIGINT reaches the kernel while it builds the reply of an awaiting cell; the reply is lost | `absorb_second_press` | open; `_cancel_on_sigint` restores Python's handler before the reply (read 2026-11-29) | the kernel ignores SIGINT after a cell's code |
| 6 | no message is delivered while a cell runs | `delivers_during_cells` | fixed by subshells in 7.0 (2025-10-13) | 6 is not supported |

Read in ipykernel 6.31, 7.0.1 and 7.4 on 2026-11-25.
"""  # noqa: E501  # a table

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from ..cell import InterruptGuard


def patch_replies(shell: Any) -> None:
    """Sends replies as ipykernel 7.4 does; has no effect on other versions or when repeated.

    7.0 to 7.3 bypass the stream that reads requests from the same socket. Such a send consumes the
    edge-triggered read event, so a request that arrives then is not read, nor is any later one.
    Seen on 7.0.1 within 40 pairs of requests, and in JupyterLab, whose widgets send their last
    message as their cell ends.
    """
    kernel = getattr(shell, "kernel", None)
    manager = getattr(getattr(kernel, "shell_channel_thread", None), "manager", None)
    stream = getattr(kernel, "shell_stream", None)
    socket = getattr(manager, "_shell_socket", None)
    if socket is not None and socket is getattr(stream, "socket", None):
        manager._shell_socket = stream  # type: ignore[union-attr]  # it has a socket, so it is one


def absorb_second_press(shell: Any) -> None:
    """Wraps each awaiting cell in an `InterruptGuard`; see `CellHooks.after`."""
    kernel = getattr(shell, "kernel", None)
    cancel_on_sigint = getattr(type(kernel), "_cancel_on_sigint", None)
    if cancel_on_sigint is None:
        return

    @contextmanager
    def guarded(future: Any) -> Iterator[None]:
        with InterruptGuard(), cancel_on_sigint(kernel, future):
            yield

    kernel._cancel_on_sigint = guarded  # type: ignore[union-attr]  # it has one, so it is one


def intercept_comm(comm: Any, take: Callable[[Mapping[str, Any]], None]) -> None:
    """Calls *take* with each custom message on arrival, in the thread of the channel, on 7.4.

    The kernel delivers the message again later, so *take* must ignore duplicates. This makes Stop
    work while a nested run waits in a cell. On other versions it has no effect.
    """
    route = getattr(comm, "_reply_subshell_for", None)
    if route is None:
        return

    def intercept(data: Any, default: str | None) -> Any:
        content = data.get("content") if isinstance(data, dict) else None
        if isinstance(content, dict):
            take(content)
        return route(data, default)

    comm._reply_subshell_for = intercept


def delivers_during_cells() -> bool:
    """Returns True if widget messages can arrive while a cell runs: since ipykernel 7."""
    from ipykernel._version import __version__ as version

    return int(version.partition(".")[0]) >= 7
