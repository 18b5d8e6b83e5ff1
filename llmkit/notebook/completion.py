"""Completes models, providers, options and commands in the lines of the magics."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from IPython.core.completer import SimpleCompletion

from ..errors import LlmkitError
from .commands import COMMANDS
from .lazy_api import api
from .magics import joined, list_options

CELL_MAGICS = ("%%ask", "%%compare")
PROVIDER_OPTIONS = ("-p", "--provider", "--providers")
MODEL_OPTIONS = ("-m", "--model", "--models", "--fallback")
# Of catalogue.fallback_policy, which is not loaded for them.
POLICIES = ("error", "successor", "same-model", "equivalent", "any")
TAKES_MODEL = ("resolve", "why")
TAKES_PROVIDER = ("auth", "check", "key", "refresh")
CLOSES = ("stale", "all")


class MagicsMatcher:
    """Completes the lines of the magics, by version 2 of IPython's matcher API."""

    matcher_api_version = 2
    matcher_priority = 100.0  # before the matchers that read a model's name as Python
    matcher_identifier = "llmkit"

    def __init__(self, magics: Any) -> None:
        self._parsers = {name: getattr(magics, name.strip("%")).parser for name in CELL_MAGICS}
        self.__qualname__ = type(self).__qualname__  # IPython reads it from every matcher

    def __call__(self, context: Any) -> dict[str, Any]:
        """Returns the completions of the word before the cursor; none in other lines."""
        line = context.text_until_cursor
        words = line.split()
        if not words or line[-1].isspace():
            words.append("")  # the next word, still empty
        first, *words = words
        if context.cursor_line == 0 and first in CELL_MAGICS and words:
            *words, last = joined(words, list_options(self._parsers[first]))
            words.append(last.rpartition(",")[2])
            completions, kind = self._for_cell(first, words, is_list="," in last)
        elif first == "%llmkit" and words:
            completions, kind = _for_line(words)
        else:
            return {"completions": []}  # a new dict: IPython changes it
        return {
            "completions": [SimpleCompletion(text, type=kind) for text in completions],
            "matched_fragment": words[-1],
            "suppress": True,
        }

    def _for_cell(
        self, magic: str, words: Sequence[str], *, is_list: bool
    ) -> tuple[list[str], str]:
        *before, prefix = words
        option = before[-1] if before and before[-1].startswith("-") else ""
        if option in PROVIDER_OPTIONS:
            return _providers(prefix), "provider"
        if option == "--fallback" and not is_list:
            return _beginning(prefix, POLICIES), "policy"
        options = self._parsers[magic]._option_string_actions
        if prefix.startswith("-"):
            return _beginning(prefix, options), "option"
        if option in options and options[option].nargs != 0 and option not in MODEL_OPTIONS:
            return [], ""  # a value that only the user knows
        return _models(prefix), "model"


def register(shell: Any, magics: Any) -> None:
    """Adds the matcher to *shell* and replaces an earlier one."""
    unregister(shell)
    if hasattr(shell, "Completer"):
        shell.Completer.custom_matchers.append(MagicsMatcher(magics))


def unregister(shell: Any) -> None:
    """Removes the matcher from *shell*."""
    matchers = getattr(getattr(shell, "Completer", None), "custom_matchers", [])
    # By name: after a reload the old matcher is an instance of another class object.
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
    except LlmkitError:  # an error in the user's files is reported when they are used
        return []


def _providers(prefix: str) -> list[str]:
    try:
        return _beginning(prefix, api().current_kit().registry.provider_names())
    except LlmkitError:
        return []


def _beginning(prefix: str, names: Iterable[str]) -> list[str]:
    return sorted(name for name in names if name.startswith(prefix))
