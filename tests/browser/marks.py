"""Defines the marks of every browser test."""

from __future__ import annotations

import pytest

BROWSER = [
    pytest.mark.browser,
    # Playwright's own event loop leaves its sockets to the garbage collector.
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]
