"""Provides the models panel: the model of each standard name at each provider, and why."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import ipywidgets

from ...catalogue import listing, resolution
from ...catalogue.entry import normal
from ...catalogue.lifecycle import chain
from ...errors import LlmkitError
from ...types import Capability
from ...views.tables.models import (
    ALIVE,
    by_name,
    equivalents_table,
    models_list,
    models_table,
    picked,
    tags,
    why_table,
    words_of,
)
from ...views.tables.table import Table, plain, tables_html, tables_text
from .base import Action, Panel
from .selection import selection_of

if TYPE_CHECKING:
    from ...kit import Kit

Row = Mapping[str, object]

CHIPS = (*(capability.value for capability in Capability), ALIVE)
MOST_FROZEN = 25  # maximum lines in a closed notebook; `models().frame()` has all


class ModelsPanel(Panel):
    """All standard names; a click explains one. *filter* is the initial text of the filter."""

    script = "models.js"

    def __init__(self, kit: Kit, filter: str = "") -> None:
        self._today = kit.registry.now().date()
        self._rows = listing.lines(on=self._today, catalogue=kit.registry.catalogue)
        self._filter = filter
        self._chip = ""
        self._explanation: tuple[str, tuple[Table, ...]] | None = None
        self._today_ids: dict[str, str] = {}  # of the explained name, by provider
        super().__init__(kit)

    def state(self) -> Mapping[str, object]:
        explanation = {}
        if self._explanation is not None:
            name, tables = self._explanation
            explanation[name] = [plain(table) for table in tables]
        return {
            "models": plain(models_table(self._rows)),
            "tags": {name: tags(name, rows) for name, rows in by_name(self._rows)},
            "words": words_of(self._rows),
            "chips": CHIPS,
            "filter": self._filter,
            "told": explanation,
            "today": self._today_ids,
        }

    def html(self) -> str:
        tables = self._explanation[1] if self._explanation else ()
        return tables_html(*tables, self._frozen(models_table))

    def text(self) -> str:
        return tables_text(self._frozen(models_list))

    def actions(self) -> Mapping[str, Action]:
        return {"explain": self._explain, "pick": self._pick}

    def controls(self) -> Sequence[Any]:
        names = [name for name, _ in by_name(self._rows)]
        text = ipywidgets.Text(value=self._filter, description="Filter", continuous_update=False)
        chip = ipywidgets.Dropdown(options=["", *CHIPS], description="With")
        name = ipywidgets.Combobox(options=names, description="Name", placeholder="gpt-3.5-turbo")
        text.observe(lambda change: self._narrow(change.new, self._chip), "value")
        chip.observe(lambda change: self._narrow(self._filter, change.new), "value")
        explain_button = self.button_for("Explain", "explain", lambda: {"name": name.value})
        pick_button = self.button_for("Compare", "pick", lambda: {"model": name.value})
        return [ipywidgets.HBox([text, chip]), ipywidgets.HBox([name, explain_button, pick_button])]

    def _narrow(self, filter: str, chip: str) -> None:
        self._filter, self._chip = filter, chip
        self.changed()

    def _frozen(self, table: Callable[[Sequence[Row]], Table]) -> Table:
        groups = picked(self._rows, self._filter, [self._chip] if self._chip else [])
        excerpt = table([row for _, group in groups[:MOST_FROZEN] for row in group])
        more = len(groups) - MOST_FROZEN
        note = f"{more} more names are in models().frame(). " if more > 0 else ""
        return replace(excerpt, note=note + excerpt.note)

    async def _explain(self, name: str) -> None:
        rows = [row for row in self._rows if normal(str(row["name"])) == normal(name)]
        registry = self.kit.registry
        if not rows:
            reason = resolution.why(registry.resolve(name))
            self._explanation, self._today_ids = (name, (why_table({"": reason}),)), {}
            return
        ways, reasons, sources, dates = {}, {}, {}, ""
        for row in rows:
            place, model = str(row["provider"]), str(row["id"])
            ways[place] = chain(registry.catalogue, place, model, self._today, str(row["class"]))
            try:
                found = registry.resolve(name, place)
            except LlmkitError as error:
                reasons[place] = str(error)
                continue
            reasons[place] = resolution.why(found, with_source=False)
            dates = resolution.dated(found)
            if found.source:
                sources[place] = f"{found.source}, read {found.read}"
        self._today_ids = {str(row["provider"]): str(row["live"]) for row in rows if row["live"]}
        tables = equivalents_table(name, rows, ways), why_table(reasons, sources, dates)
        self._explanation = (name, tables)

    async def _pick(self, model: str) -> None:
        self.kit.registry.resolve(model)
        selection_of(self.kit).add(model)
