"""Where a test's kernel listens."""

from __future__ import annotations

import atexit
import os
import shutil
import tempfile


def ipc() -> dict[str, str]:
    """Options of a kernel manager: Unix sockets in a folder of their own, where there are any.

    Jupyter chooses TCP ports that are free, and another process may take one before the kernel
    does; then that kernel never starts.
    """
    if os.name == "nt":
        return {}
    # Not the test's own folder: a Unix socket's path has at most 100 characters.
    folder = tempfile.mkdtemp(prefix="lk")
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return {"transport": "ipc", "ip": os.path.join(folder, "k")}
