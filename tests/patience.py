"""Limits for events that tests wait for.

They measure nothing: the fault that a test guards against takes much longer, or lasts forever.
"""

from __future__ import annotations

import os

# For a reply on a busy machine; `make negative-control` shortens it.
PATIENCE_S = float(os.environ.get("KERNEL_PATIENCE_S", "60"))
SOON_S = PATIENCE_S / 2
NEVER_S = 600.0  # how long a fake server delays what must not be waited for
