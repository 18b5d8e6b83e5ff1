"""Provides the compare panel: a form that sends one prompt to many models, and the answers."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping, Sequence
from contextlib import suppress
from html import escape
from typing import TYPE_CHECKING, Any

import ipywidgets
from IPython.core.getipython import get_ipython

from ...catalogue import prices
from ...cell import ready_soon
from ...comparison.arguments import ComparisonArguments
from ...errors import ConfigError, LlmkitError
from ...secret import hides_locals, without_locals
from ...transport.local_model import EMBEDDED
from ...transport.scripted import builtin_scripts
from ...views.answers.streaming import LiveAnswers
from ...views.markup import safe_text
from ..key_prompt import set_key
from ..lazy_api import api
from ..live.answers import AnswersModel
from ..live.run_watcher import RunWatcher
from .answers import AnswersPanel, plain_controls
from .base import Action
from .compare_form import FIELDS, VARIABLE, CompareAdvice, CompareForm, advice_for, is_newcomer
from .selection import selection_of

if TYPE_CHECKING:
    from ...kit import Kit

log = logging.getLogger(__name__)

EXAMPLE = "Explain in one sentence why the sky is blue."
LAST = "llmkit.last"


class ComparePanel(AnswersPanel):
    """A form with the answers below it; the comparison is stored in a variable.

    Attributes:
        form: What was typed last, by any view; a view that opens later begins with it.
        where: How to get at the last comparison in Python.
        has_run: False before the first run.
    """

    script = "compare.js"

    def __init__(self, kit: Kit) -> None:
        shell = get_ipython()
        self._variables: dict[str, Any] | None = None if shell is None else shell.user_ns
        self._selection = selection_of(kit)
        empty = CompareForm(variable="" if shell is None else VARIABLE)
        self.form = self._selection.form or empty
        self.where = LAST
        self.has_run = False
        # The model picker completes standard names, callable ids and scripted models.
        lines = api().models(alive=True).rows
        standard = {str(line["name"]) for line in lines if line.get("name")}
        ids = {f"{line['provider']}:{line['id']}" for line in lines if line.get("id")}
        script_ids = {f"scripted:{name}" for name in builtin_scripts()}
        self._names = sorted(standard) + sorted(ids | script_ids | {f"local:{EMBEDDED}"})
        self._example = example(kit) if is_newcomer(kit) else None
        self._advice = CompareAdvice()
        self._serial = ""
        self._is_running = False
        self._error = ""
        super().__init__(kit, AnswersModel(LiveAnswers([]), lambda row=None: None))
        self._unwatch = self._selection.watch(self.changed)

    @property
    def has_variables(self) -> bool:
        """True if the front end has variables of the user's."""
        return self._variables is not None

    def close(self) -> None:
        """Removes the panel from the page; a running comparison continues."""
        self._unwatch()
        super().close()

    def state(self) -> Mapping[str, object]:
        advice = self._advice
        return {
            "names": self._names,
            "parameters": {name: name.replace("_", " ") for name in FIELDS},
            "selection": list(self._selection.names),
            "example": self._example,
            "form": self.form.plain(),
            "typed": self._serial,
            "faults": dict(advice.faults),
            "estimate": advice.words,
            "notes": list(advice.notes),
            "keys": list(advice.keys),
            "kinds": ["python"] if self._variables is None else ["magic", "python"],
            "code": dict(advice.code),
            "refusals": dict(advice.refusals),
            "running": self._is_running,
            "said": self._error,
            "has_variables": self.has_variables,
            "where": safe_text(self.where),
            "run": super().state() if self.has_run else None,
        }

    def lasting(self, state: Mapping[str, Any]) -> Mapping[str, object]:
        return {**state, "run": super().lasting(state["run"] or {})}

    def html(self) -> str:
        faults = [*self._advice.faults.values(), self._error]
        html = "".join(f'<p class="lk-bad">✗ {escape(text)}</p>' for text in faults if text)
        if self.has_run:
            html += f"<p>{escape(self._where_note())}</p>{self.answers_model.html()}"
        elif not self._advice.code:
            html += "<p>No comparison has run yet. Run the cell to open the panel.</p>"
        if code := self._advice.code.get("python"):
            words = "the form as Python" if self.has_run else "what was typed, as Python"
            html += f"<details><summary>{words}</summary><pre>{escape(code)}</pre></details>"
        return html

    def text(self) -> str:
        if not self.has_run:
            return 'no comparison has run yet; without the panel, call llmkit.compare("...", [...])'
        return f"{self._where_note()}\n\n{self.answers_model.text()}"

    def actions(self) -> Mapping[str, Action]:
        answers = super().actions()
        return {**answers, "run": self._run, "typed": self._typed, "key": self._key}

    def controls(self) -> Sequence[Any]:
        wide = {"width": "95%"}
        prompt = ipywidgets.Textarea(self.form.prompt, description="Prompt", layout=wide)
        system = ipywidgets.Text(self.form.system, description="System", layout=wide)
        names = " ".join(dict.fromkeys([*self.form.models, *self._selection.names]))
        models = ipywidgets.Text(
            names, description="Models", placeholder="with blanks between", layout=wide
        )
        typed = dict(self.form.numbers)
        numbers = {name: ipywidgets.Text(typed.get(name, ""), description=name) for name in FIELDS}
        count = int(self.form.repeats) if self.form.repeats.isdecimal() else 1
        repeats = ipywidgets.BoundedIntText(count, min=1, max=1000, description="repeats")
        rest = [*numbers.values(), repeats]
        variable = ipywidgets.Text(value=self.form.variable, description="variable")
        if self._variables is not None:
            rest.append(variable)
        run = ipywidgets.Button(description="Run", button_style="primary")
        run.on_click(lambda _: self.ask("run", form={
            "prompt": prompt.value, "system": system.value,
            "models": _names(models.value),
            "numbers": {name: field.value for name, field in numbers.items()},
            "repeats": repeats.value, "variable": variable.value,
        }))  # fmt: skip
        fields = ipywidgets.HBox(rest, layout={"flex_flow": "row wrap"})
        buttons = [ipywidgets.HBox([run, self.button("Stop", "stop")])]
        if self.has_run:
            buttons.append(plain_controls(self, self.answers_model))
        return [ipywidgets.VBox([prompt, system, models, fields, *buttons])]

    async def _typed(self, form: Mapping[str, Any], typing: str = "", serial: str = "") -> None:
        """Takes what was typed; *typing* is a model's name that may be incomplete."""
        self._keep(CompareForm.of({**form, "models": [*form.get("models", ()), *_names(typing)]}))
        whole = self.form if _is_known(typing) else CompareForm.of(form)
        await self._advise(whole, serial)

    async def _run(self, form: Mapping[str, Any]) -> None:
        if self._is_running:
            raise ConfigError("a comparison is already running in this panel; stop it first")
        wish = CompareForm.of(form)
        self._keep(wish)
        self._is_running, self._error = True, ""  # at once: a second click must not pay again
        is_started = False
        try:
            if (await self._advise(wish, "", is_run=True)).faults:
                return
            arguments = wish.arguments()
            self.where = LAST  # the variable is set at the end
            variable = wish.variable if self.has_variables else ""
            self.kit.manager.spawn(self._compare(arguments, variable))
            is_started = True
        finally:
            self._is_running = is_started

    def _keep(self, form: CompareForm) -> None:
        self.form = self._selection.form = form

    async def _advise(
        self, form: CompareForm, serial: str, *, is_run: bool = False
    ) -> CompareAdvice:
        """Returns the advice for *form*, and shows it unless more was typed in the meantime."""
        latest, self._serial = self.form, ""
        await ready_soon(prices.TABLES, prices.load)
        advice = await asyncio.to_thread(advice_for, self.kit, form, is_run=is_run)
        if self.form is latest:
            self._advice, self._serial = advice, serial
            self.changed()
        return advice

    @hides_locals
    async def _key(self, provider: str, key: str) -> None:
        try:
            await set_key(self.kit, provider, key)
        finally:
            await self._advise(self.form, self._serial)

    async def _compare(self, arguments: ComparisonArguments, variable: str) -> None:
        try:
            feed = _Feed(self, variable)
            run = await self.kit.compare(
                arguments.requests, arguments.options, view=feed, **arguments.limits
            )
            if self._variables is not None and variable:
                self._variables[variable] = run
                self.where = self.answers_model.where = variable
        except LlmkitError as error:
            self._error = safe_text(error)
        except Exception as error:
            log.exception("a comparison of a panel failed", exc_info=without_locals(error))
            self._error = f"it failed unexpectedly ({type(error).__name__}); see the log"
        finally:
            self._is_running = False
            self.changed()

    def _where_note(self) -> str:
        return f"In Python, these answers are {self.where}."


class _Feed(RunWatcher):
    """Forwards the answers of a run to the panel."""

    def __init__(self, panel: ComparePanel, variable: str) -> None:
        super().__init__()
        self._panel = panel
        self.where = f"{variable} and {LAST}" if variable else LAST

    def opened(self) -> None:
        assert self.answers is not None
        self._panel.answers_model = AnswersModel(
            self.answers, self.stop, self.elapsed_s, self._panel.where
        )
        self._panel.has_run = True
        self._panel.extended()

    def updated(self) -> None:
        self._panel.grown()
        for output in self._panel.static_outputs:
            output.renew()

    def closed(self) -> None:
        for output in self._panel.static_outputs:  # at once, as the kernel may end
            output.flush()
        self._panel.grown()
        self._panel.changed()


def example(kit: Kit) -> dict[str, object]:
    """Returns an example for a user without keys: a prompt, and models that answer at once."""
    models = ["scripted:echo"]
    with suppress(LlmkitError):
        kit.local_models().require(EMBEDDED)
        models.insert(0, f"local:{EMBEDDED}")
    return {"prompt": EXAMPLE, "models": models}


def _names(text: str) -> list[str]:
    return text.replace(",", " ").split()


def _is_known(text: str) -> bool:
    try:
        return all(api().resolve(name) for name in _names(text))
    except LlmkitError:
        return False
