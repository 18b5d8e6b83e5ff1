"""The words that follow `%llmkit`, each one a public function."""

from __future__ import annotations

import difflib
import inspect
import shlex
import subprocess
from collections.abc import Callable
from typing import Any

from IPython.core.error import UsageError

from ..transport.local_model import install_commands
from .key_prompt import key, refuse_keys
from .lazy_api import api
from .live.main_loop import in_kernel
from .panels.open import panel

HELP = """\
%llmkit                          all panels, each in a tab
%llmkit auth [PROVIDER]          which keys work, and what to do about the others
%llmkit models [FILTER]          standard names, and what they lead to at each provider
%llmkit sessions                 open connections, and the cells that own them
%llmkit compare                  a form that puts one prompt to many models
%llmkit leaks                    connections that were lost without being closed
%llmkit close [WHAT]             stale (the default), all, a provider, or an id
%llmkit check PROVIDER           whether one key works
%llmkit key PROVIDER             type a key in, unseen; --save keeps it, --forget drops it
%llmkit resolve NAME [-p PROV]   what a name leads to
%llmkit why NAME [-p PROV]       the same in sentences
%llmkit refresh PROVIDER         the models that the provider itself lists today
%llmkit local install            the embedded model, after asking"""


def run_command(line: str) -> Any:
    """Does what *line* says, and gives what there is to show.

    Raises:
        UsageError: There is no such word; the message names the nearest.
    """
    words = words_of(line)
    if not words:
        return panel()
    word, *rest = words
    command = COMMANDS.get(word)
    if command is None:
        near = difflib.get_close_matches(word, COMMANDS, n=3) or sorted(COMMANDS)
        raise UsageError(f"%llmkit knows no {word!r}; did you mean {' or '.join(near)}?")
    try:
        inspect.signature(command).bind(*rest)
    except TypeError:
        raise UsageError(f"%llmkit {word} is used like this:\n{_usage(word)}") from None
    return command(*rest)


def words_of(line: str) -> list[str]:
    """The words of a magic's line, quotes respected.

    Raises:
        UsageError: A quote is open, or one of the words is a key.
    """
    try:
        words = shlex.split(line)
    except ValueError as error:
        raise UsageError(f"the line cannot be read ({error}); close its quotes") from None
    refuse_keys(words)
    return words


def _usage(word: str) -> str:
    return "\n".join(row for row in HELP.splitlines() if row.startswith(f"%llmkit {word}"))


def _auth(provider: str | None = None) -> Any:
    if provider is not None:
        return api().check(provider)
    return panel("auth") if in_kernel() else api().auth()


def _models(*words: str) -> Any:
    filter = " ".join(words)
    return panel("models", filter=filter) if in_kernel() else api().models(filter or None)


def _close(what: str = "stale") -> None:
    count = api().close(what)
    print(f"closed {count} session{'' if count == 1 else 's'}")


def _name_and_provider(word: str, words: tuple[str, ...]) -> tuple[str, str | None]:
    """The name in *words*, and the provider after -p or --provider, wherever it stands."""
    names: list[str] = []
    provider = None
    rest = iter(words)
    for part in rest:
        option, separator, value = part.partition("=")
        if option in ("-p", "--provider"):
            provider = value if separator else next(rest, "")
            names += [] if provider else ["", ""]  # an option without its value is a wrong use
        elif option.startswith("-"):
            raise UsageError(f"there is no option {option}; did you mean --provider?")
        else:
            names.append(part)
    if len(names) != 1:
        raise UsageError(f"%llmkit {word} is used like this:\n{_usage(word)}")
    return names[0], provider


def _local(what: str) -> None:
    if what != "install":
        raise UsageError("%llmkit local knows only: install")
    commands = install_commands()
    print("This will run:", *(" ".join(command) for command in commands), sep="\n  ")
    if input("Go ahead? [y/N] ").strip().lower() not in ("y", "yes"):
        print("nothing was installed")
        return
    for command in commands:
        subprocess.run(command, check=True)  # noqa: S603  # our own words, shown and agreed to
    print("done; try: %%ask local:smollm2")


COMMANDS: dict[str, Callable[..., Any]] = {
    "auth": _auth,
    "check": lambda provider: api().check(provider),
    "close": _close,
    "compare": lambda: panel("compare"),
    "help": lambda: print(HELP),
    "key": key,
    "leaks": lambda: api().leaks(),
    "local": _local,
    "models": _models,
    "refresh": lambda provider: api().refresh(provider),
    "resolve": lambda *words: api().resolve(*_name_and_provider("resolve", words)),
    "sessions": lambda: panel("sessions") if in_kernel() else api().sessions(),
    "why": lambda *words: print(api().why(*_name_and_provider("why", words))),
}
