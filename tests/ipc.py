"""Gives a test's kernel Unix sockets instead of ports."""

from __future__ import annotations

import atexit
import os
import shutil
import tempfile


def ipc() -> dict[str, str]:
    """Returns a kernel manager's options for Unix sockets in a new folder, except on Windows.

    Jupyter chooses free TCP ports, and another process may take one before the kernel does. Then
    the kernel never starts.
    """
    if os.name == "nt":
        return {}
    # Not the test's own folder: a Unix socket's path has at most 100 characters.
    folder = tempfile.mkdtemp(prefix="lk")
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return {"transport": "ipc", "ip": os.path.join(folder, "k")}
