"""The handle of a registered session."""

from __future__ import annotations

from collections.abc import Coroutine
from typing import Any, Protocol, Self

from .session import Session


class Manager(Protocol):
    """Closes a session by its id; see `manager`."""

    def run(self, coroutine: Coroutine[Any, Any, None]) -> None: ...

    async def aclose(self, what: str) -> int: ...


class SessionHandle:
    """Closes a registered session early; the session also stays open without its handle."""

    def __init__(self, manager: Manager, session: Session) -> None:
        self._manager = manager
        self._session = session

    @property
    def id(self) -> str:
        """Its id in the session table."""
        return self._session.id

    @property
    def status(self) -> str:
        """Its status, as in the session table."""
        return self._session.status

    def close(self) -> None:
        """Closes the session; a second call does nothing."""
        self._manager.run(self.aclose())

    async def aclose(self) -> None:
        """Closes the session; a second call does nothing."""
        if self._session.closed_by is None:
            await self._manager.aclose(self.id)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *failure: object) -> None:
        self.close()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *failure: object) -> None:
        await self.aclose()

    def __repr__(self) -> str:
        return f"<SessionHandle {self.id} {self._session.provider} {self.status}>"
