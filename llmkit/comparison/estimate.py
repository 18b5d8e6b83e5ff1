"""Estimates the tokens and the cost of a comparison before anything is sent."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import ClassVar

from ..catalogue import prices
from ..catalogue.entry import Catalogue
from ..catalogue.fallback_policy import RULES_OF
from ..catalogue.lifecycle import CLASS
from ..catalogue.names import qualified_name
from ..catalogue.resolution import Resolution
from ..chat.call import call_for
from ..chat.options import Options
from ..chat.requests import PlannedRequest
from ..configuration.registry import ProviderRegistry
from ..errors import LlmkitError, SpendLimitError
from ..types import Lifecycle
from ..views.answers.summary import dollars
from ..views.tables.report import Report
from .arguments import ComparisonArguments
from .limits import estimate_usage, open_ended_cost
from .plan import PlannedRow, merge_identical, open_ended_notes


class Estimate(Report):
    """The estimated tokens and cost of each model, and the highest cost; nothing was sent.

    Attributes:
        total_usd: The sum in US dollars, None if a price is unknown.
    """

    title: ClassVar[str] = "Estimate, before anything is sent"
    columns: ClassVar[Mapping[str, str]] = {
        "asked": "string", "provider": "string", "model": "string", "requests": "Int64",
        "input_tokens": "Int64", "output_tokens": "Int64", "cost_usd": "float64",
        "cost_source": "string", "remark": "string",
    }  # fmt: skip
    shown: ClassVar[tuple[str, ...]] = (
        "asked", "provider", "model", "requests", "input_tokens", "output_tokens", "cost_usd",
        "remark",
    )  # fmt: skip

    def __init__(self, rows: Sequence[Mapping[str, object]], highest: Sequence[str] = ()) -> None:
        super().__init__(rows)
        self._highest = highest  # costs of answers without max_tokens
        costs = [row["cost_usd"] for row in rows if row["requests"]]
        known_costs = [cost for cost in costs if isinstance(cost, float)]
        self.total_usd = sum(known_costs) if len(known_costs) == len(costs) else None

    @property
    def note(self) -> str:
        """The total and how it was estimated."""
        total = "unknown" if self.total_usd is None else f"about {dollars(self.total_usd)}"
        texts = (
            f"Total: {total}. Approximate: input tokens are estimated from the length of the text; "
            "each answer is assumed to have max_tokens tokens, or to fill a page without a limit.",
            *self._highest,
        )
        return " ".join(texts)

    def __str__(self) -> str:
        return f"{super().__str__()}\n{self.note}"

    __repr__ = __str__

    def _repr_html_(self) -> str:
        return f"{super()._repr_html_()}<p>{self.note}</p>"


def estimated(registry: ProviderRegistry, arguments: ComparisonArguments) -> Estimate:
    """Returns the estimate for *arguments*; needs no API key and sends no request."""
    prices.load()
    plan = merge_identical(
        _plan_row(registry, request, arguments.options) for request in arguments.requests
    )
    groups: dict[tuple[str, str, str], list[PlannedRow]] = {}
    for row in plan:
        call, resolution = row.call, row.resolution
        place = (resolution.provider, resolution.id) if resolution else ("", "")
        if call is not None:
            place = call.provider.name, call.model
        groups.setdefault((row.request.asked, *place), []).append(row)
    catalogue = registry.catalogue
    highest = []
    for row in plan:
        with suppress(SpendLimitError):  # the price is unknown, which the line says
            highest.append((row.call, open_ended_cost(row.call, catalogue)))
    return Estimate(
        [_line(*name, group, catalogue) for name, group in groups.items()],
        open_ended_notes(highest),
    )


def _plan_row(registry: ProviderRegistry, request: PlannedRequest, options: Options) -> PlannedRow:
    resolution: Resolution | None = None
    try:
        resolution = registry.resolve(request.asked, request.provider, verbatim=options.verbatim)
        target = resolution
        # The first fallback of a retired model; further ones depend on keys and providers.
        is_gone = target.lifecycle is Lifecycle.RETIRED and not target.substituted
        rules = options.fallback.rules
        if target.live_rule == CLASS and rules == RULES_OF["successor"]:
            rules = ()
        if is_gone and target.live is not None and rules and not options.verbatim:
            target = registry.resolve(qualified_name((target.provider, target.live)))
        call = call_for(
            target, request.prompt, options,
            catalogue=registry.catalogue, provider=registry.provider(target.provider),
            settings=registry.settings, key=lambda provider: None,
        )  # fmt: skip
    except LlmkitError as error:
        return PlannedRow(request, resolution, error=error)
    return PlannedRow(request, resolution, call)


def _line(
    asked: str, provider: str, model: str, plan: Sequence[PlannedRow], catalogue: Catalogue
) -> Mapping[str, object]:
    calls = [row.call for row in plan if row.call is not None and row.same_as is None]
    guesses = [estimate_usage(call, catalogue) for call in calls]
    costs = [cost for _, cost in guesses if not isinstance(cost, str)]
    reasons = [cost for _, cost in guesses if isinstance(cost, str)]
    is_known = bool(guesses) and not reasons
    sources = reasons or [cost.source for cost in costs]
    remarks = []
    ignored: dict[str, set[str]] = {}  # the values of each parameter that the model ignores
    for row in plan:
        values = {**row.request.prompt.parameters, **row.request.parameters}
        for name in row.call.ignored if row.call is not None else ():
            ignored.setdefault(name, set()).add(repr(values.get(name)))
    for name, different in ignored.items():
        once = ": sent once for all its values" if len(different) > 1 else ""
        remarks.append(f"{name} is ignored{once}")
    for row in plan:
        if row.error is not None:
            remarks.append(f"would not be sent: {row.error}")
        elif row.resolution is not None and row.resolution.id != model:
            remarks.append(f"in place of {row.resolution.id}")
    return {
        "asked": asked,
        "provider": provider or None,
        "model": model or None,
        "requests": len(guesses),
        "input_tokens": sum(usage.input_tokens or 0 for usage, _ in guesses) if guesses else None,
        "output_tokens": sum(usage.output_tokens or 0 for usage, _ in guesses) if guesses else None,
        "cost_usd": float(sum(cost.usd for cost in costs)) if is_known else None,
        "cost_source": sources[0] if sources else None,
        "remark": "; ".join(dict.fromkeys(remarks)) or None,
    }
