"""Replaces llmkit's manager by a naive one, to show that its tests can fail.

It applies nest_asyncio as its page says, opens a session for each use, and closes nothing.
`install()` replaces the manager in this process.
"""

from __future__ import annotations

import asyncio
import os
from typing import Any

SWITCH = "NEGATIVE_CONTROL"  # the environment variable that enables it


def install() -> None:
    """Makes every new manager a naive one, and ignores cells."""
    import nest_asyncio

    import llmkit.kit
    import llmkit.notebook.hooks
    import llmkit.runtime.manager as house

    nest_asyncio.apply()

    class NaiveManager(house.EventLoopManager):
        """Applies the patch, and closes nothing."""

        def run(self, coroutine: Any, timeout: float | None = None, *, grace: float = 2) -> Any:
            nest_asyncio.apply()
            return asyncio.get_event_loop().run_until_complete(coroutine)

        async def interruptible(self, awaitable: Any) -> Any:
            return await awaitable

        def register_session(
            self, session: Any, provider_name: str | None = None, *, keep: bool = False
        ) -> Any:
            return self.registry.add(session, provider=str(provider_name), kind="registered")

        def pool(self, provider: str, base_url: str, open_session: Any) -> Any:
            return self.temporary(provider, base_url, open_session)

        def temporary(self, provider: str, base_url: str, open_session: Any) -> Any:
            opened = open_session()
            return opened, self.registry.add(opened, provider=provider, kind="temporary")

        async def aclose(self, what: str = "all") -> int:
            return 0

        def close(self) -> None:
            """Leaves open sessions to the garbage collector."""

        def cell_started(self, cell: Any) -> None: ...

        def cells_deleted(self, ids: Any) -> None: ...

    house.EventLoopManager = NaiveManager  # type: ignore[misc]
    llmkit.kit.EventLoopManager = NaiveManager  # type: ignore[misc]
    house.living = tuple  # type: ignore[assignment]
    llmkit.notebook.hooks.CellHooks.register = lambda self: None  # type: ignore[method-assign]


def wanted() -> bool:
    """Returns True if this run is the negative control."""
    return bool(os.environ.get(SWITCH))
