"""What differs between the kernels that people have, and what is done about it.

| ipykernel | symptom | here | upstream | delete when |
|---|---|---|---|---|
| 7.0 to 7.3 | a request that comes in while a reply goes out is never read: the cell shows [*] for ever | `patch_replies` | replies go through the stream since 7.4 (ipykernel #1529, of 2026-06-14; the cause is in #1554) | 7.3 is no longer supported |
| 7.4 | a click during `compare()` in a cell is delivered after the cell | `intercept_comm` | open; the kernel routes a widget's message in its channel's thread, where it can be seen | a click is delivered while a nested run waits |
| all | the second signal of a double press strikes the kernel while it builds the reply of an awaiting cell: the reply is lost | `absorb_second_press` | open; `_cancel_on_sigint` puts back Python's own handler before the reply (read 2026-11-29) | the kernel ignores SIGINT after a cell's code |
| 6 | nothing at all is delivered while a cell runs | `delivers_during_cells` | solved by subshells, 7.0 (2025-10-13) | 6 is no longer supported |

Read in ipykernel 6.31, 7.0.1 and 7.4 on 2026-11-25.
"""  # noqa: E501  # a table

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from ..cell import InterruptGuard


def patch_replies(shell: Any) -> None:
    """Has replies sent as ipykernel 7.4 sends them; changes nothing elsewhere, or a second time.

    In 7.0 to 7.3 they are sent past the stream that reads requests from the same socket. Such a
    send uses up the socket's one signal that something has come, so that a request of that moment
    is not read, nor is any after it. Seen on 7.0.1 within 40 pairs of requests, and in JupyterLab,
    whose widgets send their last message just as their cell ends.
    """
    kernel = getattr(shell, "kernel", None)
    manager = getattr(getattr(kernel, "shell_channel_thread", None), "manager", None)
    stream = getattr(kernel, "shell_stream", None)
    socket = getattr(manager, "_shell_socket", None)
    if socket is not None and socket is getattr(stream, "socket", None):
        manager._shell_socket = stream  # type: ignore[union-attr]  # it has a socket, so it is one


def absorb_second_press(shell: Any) -> None:
    """Keeps an `InterruptGuard` around each cell that awaits; see `CellHooks.after`."""
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
    """Calls *take* with each custom message at once, in the thread of the channel, on 7.4.

    The same message comes a second time in the usual way: *take* has to recognise it. Makes Stop
    work while a run waits nested in a cell. Other kernels route nothing there, and lose nothing.
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
    """True where a widget's messages can arrive while a cell runs: since ipykernel 7."""
    from ipykernel._version import __version__ as version

    return int(version.partition(".")[0]) >= 7
