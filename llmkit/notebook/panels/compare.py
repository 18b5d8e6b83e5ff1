"""Provides the compare panel: a form that sends one prompt to many models, and the answers."""

from __future__ import annotations

import keyword
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape
from typing import TYPE_CHECKING, Any

import ipywidgets
from IPython.core.getipython import get_ipython

from ...comparison.arguments import ComparisonArguments, comparison_arguments
from ...errors import ConfigError, LlmkitError
from ...transport.scripted import builtin_scripts
from ...types import PARAMETERS
from ...views.markup import safe_text
from ..lazy_api import api
from ..live.answers import AnswersModel
from ..live.run_watcher import RunWatcher
from .answers import plain_controls
from .base import Action, Panel
from .selection import selection_of

if TYPE_CHECKING:
    from ...kit import Kit

FIELDS = {name: row for name, row in PARAMETERS.items() if row.dtype != "object"}
VARIABLE = "comparison"


@dataclass(frozen=True, slots=True)
class CompareForm:
    """The content of the form, as the user typed it.

    Attributes:
        numbers: Texts by parameter; "" for the provider's default, "0, 1" for a grid.
        variable: The name of the variable that receives the comparison.
    """

    prompt: str = ""
    system: str = ""
    models: tuple[str, ...] = ()
    numbers: tuple[tuple[str, str], ...] = tuple((name, "") for name in FIELDS)
    repeats: int = 1
    variable: str = VARIABLE

    def compared(self) -> ComparisonArguments:
        """Returns the arguments of the comparison.

        Raises:
            ConfigError: A field is missing or invalid.
        """
        if not self.models:
            raise ConfigError("name at least one model, e.g. local:smollm2")
        if not self.variable.isidentifier() or keyword.iskeyword(self.variable):
            raise ConfigError(f"{self.variable!r} is not a valid variable name; try {VARIABLE}")
        parameters: dict[str, Any] = {}
        for name, text in self.numbers:
            if not text.strip():
                continue
            try:
                values = [FIELDS[name].kind(part.strip()) for part in text.split(",")]
            except (KeyError, ValueError):
                kind = "an integer" if name in FIELDS and FIELDS[name].kind is int else "a number"
                message = f"{name} must be {kind} or a comma-separated list, got {text!r}"
                raise ConfigError(message) from None
            parameters[name] = values[0] if len(values) == 1 else values
        if self.system.strip():
            parameters["system"] = self.system
        return comparison_arguments(
            self.prompt, list(self.models), repeats=self.repeats, **parameters
        )


class ComparePanel(Panel):
    """A form with the answers below it; the comparison is stored in a variable.

    Attributes:
        wish: The form of the last run.
        answers_model: The answers of the last run, None before the first.
    """

    script = "compare.js"

    def __init__(self, kit: Kit) -> None:
        self.wish = CompareForm()
        self.answers_model: AnswersModel | None = None
        shell = get_ipython()
        self._variables: dict[str, Any] = {} if shell is None else shell.user_ns
        # The model picker completes standard names, callable ids and scripted models.
        lines = api().models(alive=True).rows
        standard = {str(line["name"]) for line in lines if line.get("name")}
        ids = {f"{line['provider']}:{line['id']}" for line in lines if line.get("id")}
        script_ids = {f"scripted:{name}" for name in builtin_scripts()}
        self._names = sorted(standard) + sorted(ids | script_ids | {"local:smollm2"})
        self._is_running = False
        self._error = ""
        self._selection = selection_of(kit)
        super().__init__(kit)
        self._unwatch = self._selection.watch(self.changed)

    def close(self) -> None:
        """Removes the panel from the page; a running comparison continues."""
        self._unwatch()
        super().close()

    def state(self) -> Mapping[str, object]:
        return {
            "names": self._names,
            "parameters": {name: name.replace("_", " ") for name in FIELDS},
            "selection": list(self._selection.names),
            "running": self._is_running,
            "said": self._error,
            "variable": self.wish.variable,
            "run": self.answers_model.state() if self.answers_model is not None else None,
        }

    def html(self) -> str:
        if self.answers_model is None:
            return "<p>No comparison has run yet. Run the cell to open the panel.</p>"
        return f"<p>{escape(self._variable_note())}</p>{self.answers_model.html()}"

    def text(self) -> str:
        if self.answers_model is None:
            return 'no comparison has run yet; without the panel, call llmkit.compare("...", [...])'
        return f"{self._variable_note()}\n\n{self.answers_model.text()}"

    def actions(self) -> Mapping[str, Action]:
        actions = self.answers_model.actions() if self.answers_model is not None else {}
        return {**actions, "run": self._run}

    def controls(self) -> Sequence[Any]:
        wide = {"width": "95%"}
        prompt = ipywidgets.Textarea(description="Prompt", layout=wide)
        system = ipywidgets.Text(description="System", layout=wide)
        selection = " ".join(self._selection.names)
        models = ipywidgets.Text(
            selection, description="Models", placeholder="with blanks between", layout=wide
        )
        numbers = {name: ipywidgets.Text(description=name) for name in FIELDS}
        repeats = ipywidgets.BoundedIntText(value=1, min=1, max=1000, description="repeats")
        variable = ipywidgets.Text(value=VARIABLE, description="variable")
        run = ipywidgets.Button(description="Run", button_style="primary")
        run.on_click(lambda _: self.ask(
            "run", prompt=prompt.value, system=system.value, models=models.value.split(),
            numbers={name: field.value for name, field in numbers.items()},
            repeats=repeats.value, variable=variable.value,
        ))  # fmt: skip
        rest = [*numbers.values(), repeats, variable]
        fields = ipywidgets.HBox(rest, layout={"flex_flow": "row wrap"})
        buttons = [ipywidgets.HBox([run, self.button("Stop", "stop")])]
        if self.answers_model is not None:
            buttons.append(plain_controls(self, self.answers_model))
        return [ipywidgets.VBox([prompt, system, models, fields, *buttons])]

    def grown(self) -> None:
        """Sends the changes of the answers; call it on their event loop."""
        if self.answers_model is not None:
            self.tell("grow", answers=self.answers_model.changes(), **self.answers_model.progress())
        if self.is_plain:
            self.changed()

    async def _run(
        self,
        prompt: str = "",
        system: str = "",
        models: Sequence[str] = (),
        numbers: Mapping[str, str] | None = None,
        repeats: int = 1,
        variable: str = VARIABLE,
    ) -> None:
        if self._is_running:
            raise ConfigError("a comparison is already running in this panel; stop it first")
        self.wish = CompareForm(
            prompt, system, tuple(models), tuple((numbers or {}).items()), repeats, variable.strip()
        )
        arguments = self.wish.compared()
        self._is_running, self._error = True, ""
        self.kit.manager.spawn(self._compare(arguments, self.wish.variable))

    async def _compare(self, arguments: ComparisonArguments, variable: str) -> None:
        try:
            run = await self.kit.compare(
                arguments.requests, arguments.options, view=_Feed(self), **arguments.limits
            )
            self._variables[variable] = run
        except LlmkitError as error:
            self._error = safe_text(error)
        finally:
            self._is_running = False
            self.changed()

    def _variable_note(self) -> str:
        return f"The comparison is in the variable {self.wish.variable}."


class _Feed(RunWatcher):
    """Forwards the answers of a run to the panel."""

    def __init__(self, panel: ComparePanel) -> None:
        super().__init__()
        self._panel = panel

    def opened(self) -> None:
        if self.answers is not None:
            self._panel.answers_model = AnswersModel(self.answers, self.stop, self.elapsed_s)
            self._panel.changed()

    def updated(self) -> None:
        self._panel.grown()

    def closed(self) -> None:
        self._panel.changed()
