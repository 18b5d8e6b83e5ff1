"""The auth panel: which keys work, what to do about the others, and a place to type one in."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import ipywidgets
import traitlets

from ...reports import AuthReport
from ...views.tables.auth import auth_table
from ...views.tables.table import plain, tables_html
from .base import Action, LastingPanel

if TYPE_CHECKING:
    from ...kit import Kit

TYPED = "typed in"


class AuthPanel(LastingPanel):
    """The sign-in state of every provider; what is not known is asked when the panel is shown."""

    script = "auth.js"

    def __init__(self, kit: Kit) -> None:
        self._has_begun = False
        super().__init__(kit)
        self._unwatch = kit.checks.watch(self.changed)
        self.on_greeting(self._begin)

    def report(self) -> AuthReport:
        """What is known now."""
        return AuthReport.of(self.kit.checks.statuses())

    def state(self) -> Mapping[str, object]:
        """The table, who takes a key, and whose key was typed in; no key."""
        rows = self.report().rows
        return {
            "auth": plain(auth_table(rows)),
            "takes_key": [
                row["provider"]
                for row in rows
                if self.kit.registry.provider(str(row["provider"])).key_vars
            ],
            "typed": [row["provider"] for row in rows if row["key_source"] == TYPED],
        }

    def html(self) -> str:
        """The table for a notebook that nobody runs."""
        return tables_html(auth_table(self.report().rows))

    def text(self) -> str:
        """The same for a terminal."""
        return str(self.report())

    def actions(self) -> Mapping[str, Action]:
        """Checking one or all, typing a key in, and forgetting it."""
        return {
            "check": self._check,
            "check_all": self.kit.checks.check_all,
            "key": self._key,
            "forget": self._forget,
        }

    def plain(self) -> Any:
        """The same of plain widgets; it asks for what is not known as well."""
        self._begin()
        return super().plain()

    def controls(self) -> Sequence[Any]:
        """Buttons, and a box for a key that is emptied before anybody can save it."""
        rows = self.report().rows
        who = ipywidgets.Dropdown(
            options=[str(row["provider"]) for row in rows], description="Provider"
        )
        key = KeyBox(lambda text: self.ask("key", provider=who.value, key=text))
        one = self.button_for("Check it", "check", lambda: {"provider": who.value})
        return [ipywidgets.HBox([self.button("Check all", "check_all"), who, one, key])]

    def close(self) -> None:
        """Takes it off the page and stops to follow the checks."""
        self._unwatch()
        super().close()

    def _begin(self) -> None:
        if not self._has_begun:
            self._has_begun = True
            self.ask("check_all")

    async def _check(self, provider: str) -> None:
        await self.kit.checks.check(provider)

    async def _key(self, provider: str, key: str) -> None:
        self.kit.registry.provider(provider)  # an unknown one is an error, and no key is kept
        self.kit.credentials.type_in(provider, key)
        await self.kit.checks.check(provider)

    async def _forget(self, provider: str) -> None:
        self.kit.credentials.forget(provider)
        await self.kit.checks.check(provider)


class KeyBox(ipywidgets.Password):
    """A box whose text is taken out at once when it arrives: what stays in it would be saved.

    The kernel does not echo it either, so that it goes over the wire once.
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
