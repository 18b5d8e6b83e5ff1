"""Defines `%%ask`, `%%compare` and `%llmkit`; each calls one public function."""

from __future__ import annotations

import difflib
import re
from argparse import ArgumentTypeError
from collections.abc import Callable, Collection, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import chain, product
from typing import Any, TypeVar

from IPython.core.error import UsageError
from IPython.core.magic import Magics, line_cell_magic, line_magic, magics_class, no_var_expand
from IPython.core.magic_arguments import argument, kwds, magic_arguments
from IPython.utils.process import arg_split  # type: ignore[attr-defined]  # not re-exported

from ..cell import OUT
from ..errors import ConfigError
from ..fields import Parameter
from ..types import PARAMETERS
from .commands import run_command, words_of
from .lazy_api import api
from .templates import fill_template

NAMES = ("ask", "compare", "llmkit")
NOT_PASSED_ON = ("model", "models", "named", "raw", "out", "help")
# argparse writes one "%" for two, and IPython's formatter puts another one before the usage.
ASK = {
    "usage": "%%ask [MODEL] [OPTION ...]",
    "epilog": "example:\n%%ask gpt-6-luna --temperature 0\nExplain entropy in one sentence.",
}
COMPARE = {
    "usage": "%%compare MODEL [MODEL ...] [OPTION ...]",
    "epilog": "example:\n%%compare gpt-6-luna, local:smollm2 --temperature 0, 1 -n 2 --out run\n"
    "Explain entropy in one sentence.",
}

OPTION = re.compile("--?[a-zA-Z]")
CELL_MAGIC = re.compile(r"%%(ask|compare)\b")

F = TypeVar("F", bound=Callable[..., Any])


@dataclass(frozen=True)
class _Values:
    """The type of an option that takes one value or, if *many*, several separated by commas."""

    kind: type[float | int | str]
    many: bool = True

    def __call__(self, text: str) -> Any:
        try:
            values = [self.kind(part) for part in (_names(text) if self.many else [text])]
            return values[0] if len(values) == 1 else values
        except ValueError:
            noun = "an integer" if self.kind is int else "a number"
            more = ", or several with commas" * self.many
            raise ArgumentTypeError(f"must be {noun}{more}, got {text}") from None


def _unquoted(text: str) -> str:
    # IPython's splitting of a line keeps the quotes around an argument.
    return text[1:-1] if len(text) > 1 and text[0] == text[-1] and text[0] in "\"'" else text


def _names(text: str) -> list[str]:
    return [name for name in map(str.strip, _unquoted(text).split(",")) if name]


INT, FLOAT = _Values(int, many=False), _Values(float, many=False)


def _policy(text: str) -> str | list[str]:
    """Returns the name of a policy, or a list of models."""
    return _names(text) if any(mark in text for mark in ",:/") else _unquoted(text)


def _option(name: str, row: Parameter) -> Any:
    """Returns the option of a magic for one request parameter."""
    option = f"--{name.replace('_', '-')}"
    if row.dtype == "object":
        return argument(
            option, type=_unquoted, action="append", metavar="TEXT",
            help="text that ends the answer; may be repeated",
        )  # fmt: skip
    return argument(option, type=_Values(row.kind), metavar="N", help=row.help)


def common(function: F) -> F:
    """Adds the options that `%%ask` and `%%compare` share."""
    for decorator in reversed(
        [
            argument(
                "-m", "--model", "--models", dest="named", type=_names, action="append",
                metavar="MODEL", help="as without the option",
            ),
            argument(
                "-s", "--system", type=_unquoted, action="append", metavar="TEXT",
                help="system prompt; %%%%compare sends each one if repeated",
            ),
            *(_option(name, row) for name, row in PARAMETERS.items()),
            argument(
                "--fallback", type=_policy, metavar="POLICY",
                help="if the model is unavailable: error, successor, same-model, "
                "equivalent, any, or models to try in order",
            ),
            argument("--timeout", type=FLOAT, metavar="S", help="seconds for each call"),
            argument("--retries", type=INT, metavar="N", help="further attempts of a failed call"),
            argument(
                "--no-stream", dest="stream", action="store_const", const=False,
                help="ask for the whole answer at once",
            ),
            argument("--strict", action="store_true", help="fail if a parameter is not supported"),
            argument("--raw", action="store_true", help="insert no variables for {{name}}"),
            argument("--out", metavar="NAME", help="variable that receives the result"),
            argument("-h", "--help", action="store_true", help="print this help; nothing is sent"),
        ]
    ):  # fmt: skip
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
    """The magics of llmkit; braces, $ and % in a prompt are sent as written."""

    @no_var_expand
    @magic_arguments("ask")
    @argument("model", nargs="*", type=_names, metavar="MODEL",
              help="a name, or provider:id; the embedded model if omitted")  # fmt: skip
    @argument("-p", "--provider", type=_unquoted, help="provider to ask; translates the name")
    @common
    @kwds(**ASK)
    @line_cell_magic
    def ask(self, line: str, cell: str | None = None) -> Any:
        """Sends the cell as a prompt to one model."""
        arguments = parsed(self.ask, line, cell)
        if arguments is None or cell is None:
            return None
        models = list(chain.from_iterable([*arguments.model, *(arguments.named or ())]))
        if len(models) > 1:
            raise UsageError(f"%%ask takes one model, got {', '.join(models)}; use %%compare")
        arguments.model = models[0] if models else None
        if arguments.system:
            arguments.system = arguments.system[-1]
        targets = [(arguments.model, arguments.provider)]
        return self._put(api().ask, cell, arguments, targets, arguments.model)

    @no_var_expand
    @magic_arguments("compare")
    @argument("models", nargs="*", type=_names, metavar="MODEL",
              help="names, or provider:id")  # fmt: skip
    @argument("-p", "--providers", "--provider", type=_names, action="append",
              metavar="PROVIDER", help="ask every model at this provider")  # fmt: skip
    @argument("-n", "--repeats", type=INT, metavar="N", help="how often each request is sent")
    @argument("--max-calls", type=INT, metavar="N", help="most paid requests")
    @argument("--max-cost-usd", type=FLOAT, metavar="USD", help="most US dollars, by estimate")
    @common
    @kwds(**COMPARE)
    @line_cell_magic
    def compare(self, line: str, cell: str | None = None) -> Any:
        """Sends the cell as a prompt to several models and shows the answers side by side.

        Models are separated by blanks, commas, or both. --provider, --temperature, --top-p,
        --max-tokens, --seed and --fallback take several values, separated by commas.
        """
        arguments = parsed(self.compare, line, cell)
        if arguments is None or cell is None:
            return None
        named = arguments.named or ()
        arguments.models = list(chain.from_iterable([*arguments.models, *named]))
        if not arguments.models:
            raise UsageError('name at least one model, e.g. "%%compare local:smollm2"')
        if arguments.providers:
            arguments.providers = list(chain.from_iterable(arguments.providers))
        targets = product(arguments.models, arguments.providers or [None])
        return self._put(api().compare, cell, arguments, targets, arguments.models)

    @no_var_expand
    @line_magic
    def llmkit(self, line: str) -> Any:
        """Opens the panels, or runs one command; `%llmkit help` lists the commands."""
        with _usage_errors():
            return run_command(line)

    @_usage_errors()
    def _put(
        self, function: Any, cell: str, arguments: Any, targets: Iterable[Any], models: Any
    ) -> Any:
        for name, provider in targets:
            if name is not None:  # before anything is sent: a typo must not cost the other answers
                api().resolve(name, provider)
        assert self.shell is not None
        variables = self.shell.user_ns
        prompt = cell.removesuffix("\n")  # IPython ends every cell with one, typed or not
        if not arguments.raw:
            prompt = fill_template(prompt, variables)
        options = {
            name: value
            for name, value in vars(arguments).items()
            if name not in NOT_PASSED_ON and value is not None  # 0 and False are passed
        }
        kit = api().current_kit()
        before, token = kit.last, OUT.set(arguments.out or "")
        try:
            result = function(prompt, models, **options)
        except KeyboardInterrupt:
            if arguments.out and kit.last is not before:  # a comparison that keeps answers
                variables[arguments.out] = kit.last
            raise
        finally:
            OUT.reset(token)
        if arguments.out:
            variables[arguments.out] = result
        return result


def line_magic_without_body(lines: list[str]) -> list[str]:
    """Makes a line magic of an `%%ask` or `%%compare` without a body; an input transformer.

    IPython refuses a cell magic without a body before it is called, also for `%%compare -h`.
    """
    if len(lines) == 1 and CELL_MAGIC.match(lines[0]):
        return [lines[0][1:]]
    return lines


# IPython skips it then when it decides if a cell is complete: a terminal waits for the prompt.
line_magic_without_body.has_side_effects = True  # type: ignore[attr-defined]


def list_options(parser: Any) -> frozenset[str]:
    """Returns the options of *parser* that take several values, separated by commas."""
    return frozenset(
        option
        for action in parser._actions
        if (isinstance(action.type, _Values) and action.type.many)
        or action.type in (_names, _policy)
        for option in action.option_strings
    )


def joined(words: Iterable[str], lists: Collection[str]) -> list[str]:
    """Joins the values of an option in *lists* if blanks follow the commas between them."""
    result: list[str] = []
    in_list = False
    for word in words:
        goes_on = bool(result) and (result[-1].endswith(",") or word.startswith(","))
        if in_list and goes_on and not OPTION.match(word):
            result[-1] += word
            continue
        in_list = word.partition("=")[0] in lists or (bool(result) and result[-1] in lists)
        result.append(word)
    return result


def parsed(magic: Any, line: str, cell: str | None) -> Any:
    """Returns the arguments of *line*, or None after printing the help.

    Raises:
        UsageError: An option is unknown, a value is wrong, or the cell has no body.
    """
    words_of(line)  # refuses keys
    words = arg_split(line)
    options = magic.parser._option_string_actions
    for word in words:
        name = word.partition("=")[0]
        if OPTION.match(name) and name not in options and name[:2] not in options:
            near = difflib.get_close_matches(name, options, n=3)
            see = f"see %%{magic.argcmd_name} -h; a value that begins with - is --stop={name}"
            hint = f"did you mean {' or '.join(near)}?" if near else see
            raise UsageError(f"unknown option {name}; {hint}")
    arguments = magic.parser.parse_intermixed_args(joined(words, list_options(magic.parser)))
    if arguments.help:
        text = magic.parser.format_help().removeprefix("::")  # reStructuredText for a docstring
        print(text.strip())  # noqa: T201
        return None
    if arguments.out and not arguments.out.isidentifier():
        raise UsageError(f"--out must be the name of a variable, got {arguments.out}")
    if cell is None:
        raise UsageError(f"%%{magic.argcmd_name} needs a prompt: write it in the lines below")
    return arguments
