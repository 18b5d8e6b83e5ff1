"""One real kernel for each file; the file's tests share it, as cells share theirs."""

from __future__ import annotations

import pytest

from .driver import Kernel

COMPLAINTS = ("Unclosed", "never retrieved", "was destroyed but it is pending", "already entered")


@pytest.fixture(scope="module")
def kernel(tmp_path_factory):
    """A kernel with the extension loaded, which must end without a complaint."""
    home = tmp_path_factory.mktemp("ipython")
    with Kernel(
        env={
            "IPYTHONDIR": str(home),
            "LLMKIT_CONFIG": str(home / "none.toml"),
            "LLMKIT_CACHE_DIR": str(home),
        }
    ) as running:
        loaded = running.one("%load_ext llmkit\nimport json, asyncio, llmkit")
        assert loaded.ok, loaded.error
        yield running
    assert [c for c in COMPLAINTS if c in running.stderr] == [], running.stderr
    assert "ResourceWarning" not in running.stderr, running.stderr
