"""Holds what a user typed into the compare form: checks it, estimates it, writes it as code.

Called by the compare panel, which sends the results to its form. Must not know widgets, and sends
no request.
"""

from __future__ import annotations

import ast
import keyword
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import chain
from typing import TYPE_CHECKING, Any

from IPython.core.error import UsageError
from IPython.core.getipython import get_ipython

from ...comparison.arguments import ComparisonArguments, comparison_arguments
from ...errors import ConfigError, LlmkitError
from ...types import PARAMETERS
from ...views.answers.summary import dollars
from ...views.markup import safe_text
from ..lazy_api import api
from ..magics import LlmkitMagics, parsed

if TYPE_CHECKING:
    from ...comparison.estimate import Estimate
    from ...kit import Kit

FIELDS = {name: row for name, row in PARAMETERS.items() if row.dtype != "object"}
VARIABLE = "comparison"
A_PROMPT, A_MODEL = "x", "scripted:echo"  # for the check of one field without the others


@dataclass(frozen=True, slots=True)
class CompareForm:
    """The content of the form, as the user typed it.

    Attributes:
        numbers: Texts by parameter; "" for the provider's default, "0, 1" for a grid.
        variable: The name of the variable that receives the comparison; "" if the front end has
            no variables of the user.
    """

    prompt: str = ""
    system: str = ""
    models: tuple[str, ...] = ()
    numbers: tuple[tuple[str, str], ...] = ()
    repeats: str = "1"
    variable: str = VARIABLE

    @classmethod
    def of(cls, typed: Mapping[str, Any]) -> CompareForm:
        """Returns the form of a message from the page, whose values are texts."""
        return cls(
            str(typed.get("prompt", "")), str(typed.get("system", "")),
            tuple(map(str, typed.get("models", ()))),
            tuple((str(name), str(text)) for name, text in dict(typed.get("numbers", {})).items()),
            str(typed.get("repeats", 1)).strip(), str(typed.get("variable", VARIABLE)).strip(),
        )  # fmt: skip

    def plain(self) -> dict[str, object]:
        """Returns the form as JSON values for a page, with API keys redacted."""
        return {
            "prompt": safe_text(self.prompt), "system": safe_text(self.system),
            "models": list(map(safe_text, self.models)),
            "numbers": {name: safe_text(text) for name, text in self.numbers},
            "repeats": safe_text(self.repeats), "variable": safe_text(self.variable),
        }  # fmt: skip

    def faults(self) -> dict[str, str]:
        """Returns what is wrong with each field, by the field's name."""
        found = {}
        if not self.prompt.strip():
            found["prompt"] = "the prompt is empty; write what you want to ask"
        if not self.models:
            found["models"] = "name at least one model, e.g. local:smollm2"
        try:
            for model in self.models:
                api().resolve(model)
        except LlmkitError as error:
            found["models"] = str(error)
        for name, text in (("repeats", self.repeats), *self.numbers):
            try:
                if text.strip() or name == "repeats":
                    comparison_arguments(A_PROMPT, A_MODEL, **{name: values_of(name, text)})
            except ConfigError as error:
                found[name] = str(error)
        if self.variable and (not self.variable.isidentifier() or keyword.iskeyword(self.variable)):
            found["variable"] = f"{self.variable!r} is not a valid variable name; try {VARIABLE}"
        return {name: safe_text(text) for name, text in found.items()}

    def parameters(self) -> dict[str, Any]:
        """Returns the values of the parameters that are filled in, a list for a grid.

        Raises:
            ConfigError: A text cannot be read as a number.
        """
        return {name: values_of(name, text) for name, text in self.numbers if text.strip()}

    def call(self) -> dict[str, Any]:
        """Returns the arguments of `llmkit.compare` that do what the form does.

        Raises:
            ConfigError: A text cannot be read as a number.
        """
        asked = {"prompts": self.prompt, "models": list(self.models), **self.parameters()}
        if self.system.strip():
            asked["system"] = self.system
        return {**asked, "repeats": values_of("repeats", self.repeats)}

    def arguments(self) -> ComparisonArguments:
        """Returns the checked arguments of the comparison.

        Raises:
            ConfigError: A field is missing or invalid.
        """
        return comparison_arguments(**self.call())

    def python(self) -> str:
        """Returns a cell of Python that does what the form does.

        Raises:
            ConfigError: A field is invalid, or a text contains an API key.
        """
        asked = self.call()
        arguments = [literal(asked.pop("prompts")), repr(asked.pop("models"))]
        if asked["repeats"] == 1:
            del asked["repeats"]
        for name, given in asked.items():
            arguments.append(f"{name}={literal(given) if name == 'system' else repr(given)}")
        lines = "".join(f"    {argument},\n" for argument in arguments)
        target = f"{self.variable} = " if self.variable else ""
        code = f"import llmkit\n\n{target}llmkit.compare(\n{lines})"
        if safe_text(code) != code:
            raise ConfigError("the form contains an API key; delete it before you copy the code")
        return code

    def magic(self) -> str:
        """Returns a cell with `%%compare` that does what the form does.

        Raises:
            ConfigError: The magic cannot say it, as a text with both kinds of quotes.
        """
        words = ["%%compare", *self.models]
        for name, values in self.parameters().items():
            text = ",".join(map(repr, values if isinstance(values, list) else [values]))
            option = f"--{name.replace('_', '-')}"
            words += [f"{option}={text}"] if text.startswith("-") else [option, text]
        if self.system.strip():
            quote = "'" if '"' in self.system else '"'
            words += ["--system", f"{quote}{self.system}{quote}"]
        if (repeats := values_of("repeats", self.repeats)) != 1:
            words += ["--repeats", str(repeats)]
        if "{{" in self.prompt:
            words.append("--raw")
        if self.variable:
            words += ["--out", self.variable]
        end = "\n" if self.prompt.endswith("\n") else ""  # the magic drops the last line break
        code = f"{' '.join(words)}\n{self.prompt}{end}"
        if safe_text(code) != code or not self._reads_back(code):
            raise ConfigError(
                "%%compare cannot hold this prompt or system prompt exactly; copy it as Python"
            )
        return code

    def _reads_back(self, code: str) -> bool:
        """Returns True if IPython reads *code* as this form."""
        shell = get_ipython()
        if shell is None:
            return False
        try:
            (statement,) = ast.parse(shell.input_transformer_manager.transform_cell(code)).body
            _, line, cell = [ast.literal_eval(word) for word in statement.value.args]
            words = parsed(LlmkitMagics.compare, line, cell)
        except (SyntaxError, ValueError, AttributeError, UsageError, SystemExit):
            return False
        wanted = self.parameters()
        return (
            cell.removesuffix("\n") == self.prompt
            and (words.raw or "{{" not in cell)
            and list(chain.from_iterable([*words.models, *(words.named or ())])) == [*self.models]
            and all(getattr(words, name) == wanted.get(name) for name in FIELDS)
            and (words.system or []) == ([self.system] if self.system.strip() else [])
            and (words.repeats or 1) == values_of("repeats", self.repeats)
            and (words.out or "") == self.variable
        )


def values_of(name: str, text: str) -> Any:
    """Returns the value in a field, or a list of several values with commas between them.

    Raises:
        ConfigError: *text* cannot be read as a number, and the field takes one.
    """
    kind = int if name == "repeats" else FIELDS[name].kind
    try:
        if name == "repeats":
            return int(text)
        values = [kind(part.strip()) for part in text.split(",")]
    except ValueError:
        what = "an integer" if kind is int else "a number"
        more = "" if name == "repeats" else " or a comma-separated list"
        raise ConfigError(f"{name} must be {what}{more}, got {text!r}") from None
    return values[0] if len(values) == 1 else values


def literal(text: str) -> str:
    """Returns *text* as Python code, which is readable if the text has several plain lines."""
    lines: Sequence[str] = text.split("\n")
    is_plain = "\\" not in text and '"""' not in text and not text.endswith('"')
    if len(lines) > 1 and is_plain and all(line.isprintable() for line in lines):
        return f'"""{text}"""'
    return repr(text)


@dataclass(frozen=True, slots=True)
class CompareAdvice:
    """The estimate, the errors and the code of a form; all texts are redacted.

    Attributes:
        faults: What is wrong with each field, by name.
        words: The number of requests and the cost, such as "12 requests · about $0.004".
        notes: Why a count or the cost is what it is.
        keys: The providers of the chosen models that need a key and have none.
        code: The cells to copy, by kind: magic and python.
        refusals: Why a kind of code is missing.
    """

    faults: Mapping[str, str] = field(default_factory=dict)
    words: str = ""
    notes: tuple[str, ...] = ()
    keys: tuple[str, ...] = ()
    code: Mapping[str, str] = field(default_factory=dict)
    refusals: Mapping[str, str] = field(default_factory=dict)


def advice_for(kit: Kit, form: CompareForm, *, is_run: bool = False) -> CompareAdvice:
    """Returns the advice for *form*; runs in a thread, because a large grid takes seconds.

    Args:
        is_run: True if Run was pressed: then an empty field is an error too.
    """
    faults = form.faults()
    if faults:
        empty = {"prompt": not form.prompt.strip(), "models": not form.models}
        shown = {name: text for name, text in faults.items() if is_run or not empty.get(name)}
        return CompareAdvice(shown)
    code, refusals = {}, {}
    for kind, write in (("magic", form.magic), ("python", form.python)):
        try:
            code[kind] = write()
        except ConfigError as error:
            refusals[kind] = safe_text(error)
    try:
        estimate = api().estimate(**form.call())
    except LlmkitError as error:  # such as two fields that exclude each other
        return CompareAdvice({"": safe_text(error)}, code=code, refusals=refusals)
    words, notes = estimate_words(estimate)
    return CompareAdvice({}, words, notes, keyless(kit, estimate), code, refusals)


def estimate_words(estimate: Estimate) -> tuple[str, tuple[str, ...]]:
    """Returns the number of requests and the cost in one line, and notes on single models."""
    count = sum(int(str(row["requests"])) for row in estimate.rows)
    costs = [row["cost_usd"] for row in estimate.rows if row["requests"]]
    known = [cost for cost in costs if isinstance(cost, float)]
    unpriced = len(costs) - len(known)
    parts = [f"{count:,} request{'' if count == 1 else 's'}"]
    if known:
        total = sum(known)
        parts.append(f"about {dollars(total)}" if total else "free")
    if unpriced:
        models = "1 model has" if unpriced == 1 else f"{unpriced} models have"
        parts.append(f"{models} no price")
    notes = [f"{row['asked']}: {row['remark']}" for row in estimate.rows if row["remark"]]
    return ", ".join(parts), tuple(map(safe_text, notes))


def keyless(kit: Kit, estimate: Estimate) -> tuple[str, ...]:
    """Returns the providers in *estimate* that need a key and have none."""
    names = dict.fromkeys(str(row["provider"]) for row in estimate.rows if row["provider"])
    return tuple(name for name in names if needs_a_key(kit, name))


def needs_a_key(kit: Kit, name: str) -> bool:
    """Returns True if the provider *name* needs a key and has none."""
    provider = kit.registry.provider(name)
    return provider.needs_key and kit.credentials.find(provider).key is None


def is_newcomer(kit: Kit) -> bool:
    """Returns True if no provider that needs a key has one."""
    hosted = [n for n in kit.registry.provider_names() if kit.registry.provider(n).needs_key]
    return all(needs_a_key(kit, name) for name in hosted)
