"""Runs the commands of `%llmkit`; most of them call one public function."""

from __future__ import annotations

import difflib
import inspect
import re
import shlex
from collections.abc import Callable
from typing import Any

from IPython.core.error import UsageError

from .key_prompt import key, refuse_keys
from .lazy_api import api
from .live.main_loop import in_kernel
from .panels.open import panel

HELP = """\
%llmkit                          all panels, each in a tab
%llmkit auth [PROVIDER]          which keys work, and how to fix the others
%llmkit models [FILTER]          standard names, and the model id of each provider
%llmkit sessions                 open connections, and the cells that own them
%llmkit compare                  a form that sends one prompt to many models
%llmkit leaks                    connections that were dropped without being closed
%llmkit close [WHAT]             stale (the default), all, a provider, or an id
%llmkit check PROVIDER           checks the key of one provider
%llmkit key PROVIDER             asks for a key without showing it; --save keeps it in the
                                 keyring, --forget removes it
%llmkit resolve NAME [-p PROV]   the model that a name stands for
%llmkit why NAME [-p PROV]       the same, explained in sentences
%llmkit refresh PROVIDER         the models that the provider lists today
%llmkit local install            installs the embedded model, after asking
%llmkit help [COMMAND]           this list, or one line of it; so does %llmkit COMMAND -h

example: %llmkit why gpt-3.5-turbo -p mistral"""


def run_command(line: str) -> Any:
    """Runs the command in *line* and returns what the cell shows.

    Raises:
        UsageError: The command is unknown, or its arguments are wrong.
    """
    words = words_of(line)
    if not words:
        return panel()
    if not {"-h", "--help"}.isdisjoint(words):
        words = ["help", *(word for word in words if not word.startswith("-"))][:2]
    word, *rest = words
    command = COMMANDS.get(word)
    if command is None:
        raise _unknown(word)
    try:
        inspect.signature(command).bind(*rest)
    except TypeError:
        raise _wrong_use(word) from None
    return command(*rest)


def words_of(line: str) -> list[str]:
    """Returns the words of a magic's line, split as a shell does.

    Raises:
        UsageError: A quote is not closed, or one of the words is an API key.
    """
    try:
        words = shlex.split(line)
    except ValueError as error:
        raise UsageError(f"cannot parse the line ({error}); close the quotes") from None
    refuse_keys(words)
    return words


def _unknown(word: str) -> UsageError:
    near = difflib.get_close_matches(word, COMMANDS, n=3)
    hint = f"did you mean {' or '.join(near)}?" if near else "see %llmkit help"
    return UsageError(f"unknown command {word!r}; {hint}")


def _usage(word: str) -> str:
    if word not in ("", *COMMANDS):
        raise _unknown(word)
    line = re.search(rf"^%llmkit {word} .*(\n .*)*", HELP, re.MULTILINE)
    return line[0] if word and line else HELP


def _wrong_use(word: str) -> UsageError:
    return UsageError(f"wrong arguments; use:\n{_usage(word)}")


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
    """Returns the name in *words* and the value of -p or --provider, in any order."""
    names: list[str] = []
    provider = None
    rest = iter(words)
    for part in rest:
        option, separator, value = part.partition("=")
        if option in ("-p", "--provider"):
            provider = value if separator else next(rest, "")
            names += [] if provider else ["", ""]  # an option without its value is an error
        elif option.startswith("-"):
            raise UsageError(f"unknown option {option}; did you mean --provider?")
        else:
            names.append(part)
    if len(names) != 1:
        raise _wrong_use(word)
    return names[0], provider


def _local(what: str) -> None:
    if what != "install":
        raise UsageError(f"unknown command {what!r}; did you mean %llmkit local install?")
    from ..install import main  # it starts processes, which few cells do

    main([], ask=input)


COMMANDS: dict[str, Callable[..., Any]] = {
    "auth": _auth,
    "check": lambda provider: api().check(provider),
    "close": _close,
    "compare": lambda: panel("compare"),
    "help": lambda word="": print(_usage(word)),
    "key": key,
    "leaks": lambda: api().leaks(),
    "local": _local,
    "models": _models,
    "refresh": lambda provider: api().refresh(provider),
    "resolve": lambda *words: api().resolve(*_name_and_provider("resolve", words)),
    "sessions": lambda: panel("sessions") if in_kernel() else api().sessions(),
    "why": lambda *words: print(api().why(*_name_and_provider("why", words))),
}
