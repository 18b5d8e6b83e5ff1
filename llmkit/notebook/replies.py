"""Keeps ipykernel 7.0 to 7.3 from losing a request that comes in while a reply goes out.

There replies are sent past the stream that reads requests from the same socket. Such a send uses
up the socket's one signal that something has come: a request of that moment is not read, nor is
any after it, and the cell shows [*] for ever. Seen on 7.0.1 within 40 pairs of requests, and in
JupyterLab, whose widgets send their last word just as their cell ends. ipykernel 7.4 sends replies
through the stream (read 2026-11-25, `SubshellManager._send_on_shell_channel`).
"""

from __future__ import annotations

from typing import Any


def repair(shell: Any) -> None:
    """Has replies sent as ipykernel 7.4 sends them; changes nothing elsewhere, or a second time."""
    kernel = getattr(shell, "kernel", None)
    manager = getattr(getattr(kernel, "shell_channel_thread", None), "manager", None)
    stream = getattr(kernel, "shell_stream", None)
    socket = getattr(manager, "_shell_socket", None)
    if socket is not None and socket is getattr(stream, "socket", None):
        manager._shell_socket = stream  # type: ignore[union-attr]  # it has a socket, so it is one
