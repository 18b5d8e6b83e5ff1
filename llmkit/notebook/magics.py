"""`%%ask`, `%%compare` and `%llmkit`, each the words of one function."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from itertools import product
from typing import Any, TypeVar

from IPython.core.error import UsageError
from IPython.core.magic import Magics, cell_magic, line_magic, magics_class, no_var_expand
from IPython.core.magic_arguments import argument, magic_arguments, parse_argstring

from ..errors import ConfigError
from ..fields import Parameter
from ..types import PARAMETERS
from .commands import run_command, words_of
from .lazy_api import api
from .templates import fill_template

NAMES = ("ask", "compare", "llmkit")
NOT_PASSED_ON = ("model", "models", "raw", "out")

F = TypeVar("F", bound=Callable[..., Any])


def _values(kind: Callable[[str], Any]) -> Callable[[str], Any]:
    """An argument that may be one value or several with commas between them."""

    def parse(text: str) -> Any:
        values = [kind(part.strip()) for part in _unquoted(text).split(",")]
        return values[0] if len(values) == 1 else values

    parse.__name__ = f"{kind.__name__}[,{kind.__name__}...]"  # argparse shows it
    return parse


def _unquoted(text: str) -> str:
    # IPython's splitting of a line keeps the quotes around an argument.
    return text[1:-1] if len(text) > 1 and text[0] == text[-1] and text[0] in "\"'" else text


def _policy(text: str) -> str | list[str]:
    """A policy's name, or models with commas between them."""
    is_list = any(mark in text for mark in ",:/")
    return [name for name in text.split(",") if name] if is_list else text


def _option(name: str, row: Parameter) -> Any:
    """Returns the option of a magic for one request parameter."""
    option = f"--{name.replace('_', '-')}"
    if row.dtype == "object":
        return argument(option, type=_unquoted, action="append", help=row.help)
    return argument(option, type=_values(row.kind), help=row.help)


def common(function: F) -> F:
    """The arguments that `%%ask` and `%%compare` share."""
    for decorator in reversed(
        [
            argument("-s", "--system", type=_unquoted, action="append", help="system prompt"),
            *(_option(name, row) for name, row in PARAMETERS.items()),
            argument("--fallback", type=_policy, help="error, equivalent, any; or a:b,c:d"),
            argument("--timeout", type=float, help="seconds for a whole call"),
            argument("--retries", type=int, help="further attempts where nothing was answered"),
            argument("--strict", action="store_true", help="no parameter may be ignored"),
            argument("--raw", action="store_true", help="leave {{name}} as it is"),
            argument("--out", metavar="NAME", help="variable for the result"),
        ]
    ):
        function = decorator(function)
    return function


@contextmanager
def _usage_errors() -> Iterator[None]:
    """Raises a `UsageError` in place of a `ConfigError`."""
    # It is one line without a traceback, and stops "Run All" like any other error.
    try:
        yield
    except ConfigError as error:
        raise UsageError(str(error)) from None


@magics_class
class LlmkitMagics(Magics):
    """The magics of llmkit; braces, $ and % in a prompt arrive as they were written."""

    @no_var_expand
    @magic_arguments("ask")
    @argument("model", nargs="?", type=_unquoted, help="the embedded model if left out")
    @argument("-p", "--provider", help="where to ask")
    @common
    @cell_magic
    def ask(self, line: str, cell: str) -> Any:
        """Puts the cell to one model."""
        arguments = _parsed(self.ask, line)
        if arguments.system:
            arguments.system = arguments.system[-1]
        targets = [(arguments.model, arguments.provider)]
        return self._put(api().ask, cell, arguments, targets, arguments.model)

    @no_var_expand
    @magic_arguments("compare")
    @argument("models", nargs="*", type=_unquoted, metavar="MODEL", help="names or provider:id")
    @argument("-p", "--providers", "--provider", action="append", help="ask every model here")
    @argument("--repeats", type=int, help="how often each request is sent")
    @argument("--max-calls", type=int, help="most paid requests")
    @argument("--max-cost-usd", type=float, help="most US dollars, by estimate")
    @common
    @cell_magic
    def compare(self, line: str, cell: str) -> Any:
        """Puts the cell to several models, and shows the answers side by side."""
        arguments = _parsed(self.compare, line)
        if not arguments.models:
            raise UsageError('name at least one model, e.g. "%%compare local:smollm2"')
        targets = product(arguments.models, arguments.providers or [None])
        return self._put(api().compare, cell, arguments, targets, arguments.models)

    @no_var_expand
    @line_magic
    def llmkit(self, line: str) -> Any:
        """Shows and does what llmkit knows; `%llmkit help` lists the words."""
        with _usage_errors():
            return run_command(line)

    @_usage_errors()
    def _put(
        self, function: Any, cell: str, arguments: Any, targets: Iterable[Any], models: Any
    ) -> Any:
        for name, provider in targets:
            if name is not None:  # before anything is sent: a slip must not cost the other answers
                api().resolve(name, provider)
        assert self.shell is not None
        variables = self.shell.user_ns
        prompt = cell.removesuffix("\n")  # IPython ends every cell with one, typed or not
        if not arguments.raw:
            prompt = fill_template(prompt, variables)
        options = {
            name: value
            for name, value in vars(arguments).items()
            if name not in NOT_PASSED_ON and value is not None and value is not False  # 0 is said
        }
        try:
            result = function(prompt, models, **options)
        except KeyboardInterrupt:
            if arguments.out:
                variables[arguments.out] = api().current_kit().last
            raise
        if arguments.out:
            variables[arguments.out] = result
        return result


def _parsed(magic: Any, line: str) -> Any:
    options = [option for action in magic.parser._actions for option in action.option_strings]
    for word in words_of(line):
        name = word.partition("=")[0]
        if name.startswith("--") and name not in options:
            near = difflib.get_close_matches(name, options, n=3)
            hint = f"; did you mean {' or '.join(near)}?" if near else ""
            raise UsageError(f"there is no option {name}{hint}")
    return parse_argstring(magic, line)
