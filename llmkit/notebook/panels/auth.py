"""Provides the auth panel: the state of each API key, advice, and a field to enter a key."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import ipywidgets
import traitlets

from ...reports import AuthReport
from ...views.tables.auth import auth_table
from ...views.tables.table import plain, tables_html
from ..key_prompt import take_key
from .base import Action, Panel

if TYPE_CHECKING:
    from ...kit import Kit

TYPED = "typed in"


class AuthPanel(Panel):
    """The sign-in state of every provider; unknown states are checked when the panel appears."""

    script = "auth.js"

    def __init__(self, kit: Kit) -> None:
        self._has_begun = False
        super().__init__(kit)
        self._unwatch = kit.checks.watch(self.changed)
        self.on_greeting(self._begin)

    def report(self) -> AuthReport:
        """Returns the current states."""
        return AuthReport.of(self.kit.checks.statuses())

    def state(self) -> Mapping[str, object]:
        rows = self.report().rows
        provider = self.kit.registry.provider
        takes_key = [row["provider"] for row in rows if provider(str(row["provider"])).key_vars]
        typed = [row["provider"] for row in rows if row["key_source"] == TYPED]
        return {"auth": plain(auth_table(rows)), "takes_key": takes_key, "typed": typed}

    def html(self) -> str:
        return tables_html(auth_table(self.report().rows))

    def text(self) -> str:
        return str(self.report())

    def actions(self) -> Mapping[str, Action]:
        return {
            "check": self._check,
            "check_all": self.kit.checks.check_all,
            "key": self._key,
            "forget": self._forget,
        }

    def plain(self) -> Any:
        """Returns the plain widgets, and checks the unknown states."""
        self._begin()
        return super().plain()

    def controls(self) -> Sequence[Any]:
        rows = self.report().rows
        who = ipywidgets.Dropdown(
            options=[str(row["provider"]) for row in rows], description="Provider"
        )
        key = KeyBox(lambda text: self.ask("key", provider=who.value, key=text))
        one = self.button_for("Check it", "check", lambda: {"provider": who.value})
        return [ipywidgets.HBox([self.button("Check all", "check_all"), who, one, key])]

    def close(self) -> None:
        self._unwatch()
        super().close()

    def _begin(self) -> None:
        if not self._has_begun:
            self._has_begun = True
            self.ask("check_all")

    async def _check(self, provider: str) -> None:
        await self.kit.checks.check(provider)

    async def _key(self, provider: str, key: str) -> None:
        await take_key(self.kit, provider, key)

    async def _forget(self, provider: str) -> None:
        self.kit.credentials.forget(provider)
        await self.kit.checks.check(provider)


class KeyBox(ipywidgets.Password):
    """A password field that is cleared when its text arrives, because its value would be saved.

    The kernel does not echo the text, so it is transmitted once.
    """

    value = traitlets.Unicode("").tag(sync=True, echo_update=False)

    def __init__(self, callback: Any) -> None:
        super().__init__(
            description="Key", placeholder="paste, then Enter", continuous_update=False
        )
        self._callback = callback
        self.observe(self._take, "value")

    def _take(self, change: Any) -> None:
        text = change["new"]
        if text:
            self.value = ""
            self._callback(text)
