"""Completes the names of models and providers, and the words of the magics, on the Tab key."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from IPython.core.completer import SimpleCompletion

from ..errors import LlmkitError
from .commands import COMMANDS
from .lazy_api import api

CELL_MAGICS = ("%%ask", "%%compare")
PROVIDER_OPTIONS = ("-p", "--provider", "--providers")
POLICIES = ("error", "same-model", "equivalent", "any")  # as in catalogue.policy, not loaded here
TAKES_MODEL = ("resolve", "why")
TAKES_PROVIDER = ("auth", "check", "key", "refresh")
CLOSES = ("stale", "all")


class MagicsMatcher:
    """What IPython asks for completions, in the words of its second matcher API."""

    matcher_api_version = 2
    matcher_priority = 100.0  # before those that would take a model's name for Python
    matcher_identifier = "llmkit"

    def __init__(self, options: Mapping[str, Mapping[str, bool]]) -> None:
        """Args:
        options: By cell magic, its options and whether a value follows each.
        """
        self._options = options
        self.__qualname__ = type(self).__qualname__  # IPython asks every matcher for its own

    def __call__(self, context: Any) -> dict[str, Any]:
        """The completions for the word before the cursor; none where the line is not ours."""
        line = context.text_until_cursor
        words = line.split()
        if not words or line[-1].isspace():
            words.append("")  # the word that has not begun yet
        first, *words = words
        if context.cursor_line == 0 and first in CELL_MAGICS and words:
            completions, kind = self._for_cell(first, words)
        elif first == "%llmkit" and words:
            completions, kind = _for_line(words)
        else:
            return {"completions": []}  # a fresh one, for IPython writes into it
        return {
            "completions": [SimpleCompletion(text, type=kind) for text in completions],
            "matched_fragment": words[-1],
            "suppress": True,
        }

    def _for_cell(self, magic: str, words: Sequence[str]) -> tuple[list[str], str]:
        *before, prefix = words
        option = before[-1] if before and before[-1].startswith("-") else ""
        if option in PROVIDER_OPTIONS:
            return _providers(prefix), "provider"
        if option == "--fallback":
            return _beginning(prefix, POLICIES), "policy"
        options = self._options[magic]
        if prefix.startswith("-"):
            return _beginning(prefix, options), "option"
        if options.get(option):
            return [], ""  # a value that only the person knows
        return _models(prefix), "model"


def register(shell: Any, magics: Any) -> None:
    """Begins to complete on *shell*, in the place of an earlier time."""
    unregister(shell)
    options = {}
    for name in CELL_MAGICS:
        actions = getattr(magics, name.strip("%")).parser._actions
        options[name] = {
            option: action.nargs != 0 for action in actions for option in action.option_strings
        }
    if hasattr(shell, "Completer"):
        shell.Completer.custom_matchers.append(MagicsMatcher(options))


def unregister(shell: Any) -> None:
    """Stops to complete on *shell*."""
    matchers = getattr(getattr(shell, "Completer", None), "custom_matchers", [])
    # By name: after a reload the old matcher is of another class that looks the same.
    mine = (__name__, MagicsMatcher.__name__)
    matchers[:] = [m for m in matchers if (type(m).__module__, type(m).__name__) != mine]


def _for_line(words: Sequence[str]) -> tuple[list[str], str]:
    *before, prefix = words
    if not before:
        return _beginning(prefix, COMMANDS), "command"
    if before[-1] in PROVIDER_OPTIONS or (before[0] in TAKES_PROVIDER and len(before) == 1):
        return _providers(prefix), "provider"
    if before[0] in TAKES_MODEL and len(before) == 1:
        return _models(prefix), "model"
    if before == ["close"]:
        return _beginning(prefix, [*CLOSES, *_providers("")]), "session"
    return [], ""


def _models(prefix: str) -> list[str]:
    try:
        return list(api().current_kit().registry.model_names(prefix))
    except LlmkitError:  # a mistake in the person's own files is told when they are used
        return []


def _providers(prefix: str) -> list[str]:
    try:
        return _beginning(prefix, api().current_kit().registry.provider_names())
    except LlmkitError:
        return []


def _beginning(prefix: str, names: Iterable[str]) -> list[str]:
    return sorted(name for name in names if name.startswith(prefix))
