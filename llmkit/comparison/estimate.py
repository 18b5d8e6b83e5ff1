"""What a comparison would use and cost, before anything is sent."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import ClassVar

from ..catalogue import prices
from ..catalogue.entry import Catalogue
from ..catalogue.names import qualified_name
from ..catalogue.resolution import Resolution
from ..chat.call import call_for
from ..chat.cost import guess
from ..chat.options import Options
from ..chat.parameters import Spot
from ..configuration.registry import Directory
from ..errors import LlmkitError
from ..types import Lifecycle
from ..views.answers.card import dollars
from ..views.tables.report import Report
from .arguments import Compared
from .plan import Lane, merge_equal


class Estimate(Report):
    """Roughly what each model would use and cost; nothing was sent.

    Attributes:
        total_usd: US dollars in all, None where a price is not known.
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

    def __init__(self, rows: Sequence[Mapping[str, object]]) -> None:
        super().__init__(rows)
        costs = [row["cost_usd"] for row in rows if row["requests"]]
        known = [cost for cost in costs if isinstance(cost, float)]
        self.total_usd = sum(known) if len(known) == len(costs) else None

    @property
    def note(self) -> str:
        """What the numbers are worth, and their sum."""
        total = "unknown" if self.total_usd is None else f"about {dollars(self.total_usd)}"
        return (
            f"In all {total}. Approximate: tokens are guessed from the length of the text, and an "
            "answer is taken to be as long as max_tokens, or a page where nothing bounds it."
        )

    def __str__(self) -> str:
        return f"{super().__str__()}\n{self.note}"

    __repr__ = __str__

    def _repr_html_(self) -> str:
        return f"{super()._repr_html_()}<p>{self.note}</p>"


def estimated(directory: Directory, compared: Compared) -> Estimate:
    """The estimate for *compared*; needs no key and asks nobody."""
    prices.load()
    lanes = merge_equal(_lane(directory, spot, compared.options) for spot in compared.spots)
    groups: dict[tuple[str, str, str], list[Lane]] = {}
    for lane in lanes:
        call, found = lane.call, lane.resolution
        place = (found.provider, found.id) if found else ("", "")
        if call is not None:
            place = call.provider.name, call.model
        groups.setdefault((lane.spot.asked, *place), []).append(lane)
    catalogue = directory.catalogue
    return Estimate([_line(*name, group, catalogue) for name, group in groups.items()])


def _lane(directory: Directory, spot: Spot, options: Options) -> Lane:
    resolution: Resolution | None = None
    try:
        resolution = directory.resolve(spot.asked, spot.provider, verbatim=options.verbatim)
        sent = resolution
        # Where a fallback from a retired model begins; what follows depends on keys and providers.
        gone = sent.lifecycle is Lifecycle.RETIRED and not sent.substituted
        if gone and sent.live is not None and options.fallback.rules and not options.verbatim:
            sent = directory.resolve(qualified_name((sent.provider, sent.live)))
        call = call_for(
            sent, spot.prompt, options,
            catalogue=directory.catalogue, provider=directory.provider(sent.provider),
            settings=directory.settings, key=lambda provider: None,
        )  # fmt: skip
    except LlmkitError as error:
        return Lane(spot, resolution, error=error)
    return Lane(spot, resolution, call)


def _line(
    asked: str, provider: str, model: str, lanes: Sequence[Lane], catalogue: Catalogue
) -> Mapping[str, object]:
    calls = [lane.call for lane in lanes if lane.call is not None and lane.same_as is None]
    guesses = [guess(call, catalogue) for call in calls]
    costs = [cost for _, cost in guesses if cost is not None]
    known = bool(guesses) and len(costs) == len(guesses)
    remarks = []
    for lane in lanes:
        if lane.error is not None:
            remarks.append(f"would not be sent: {lane.error}")
        elif lane.resolution is not None and lane.resolution.id != model:
            remarks.append(f"in place of {lane.resolution.id}")
    return {
        "asked": asked,
        "provider": provider or None,
        "model": model or None,
        "requests": len(guesses),
        "input_tokens": sum(usage.input_tokens or 0 for usage, _ in guesses) if guesses else None,
        "output_tokens": sum(usage.output_tokens or 0 for usage, _ in guesses) if guesses else None,
        "cost_usd": float(sum(cost.usd for cost in costs)) if known else None,
        "cost_source": costs[0].source if known else None,
        "remark": "; ".join(dict.fromkeys(remarks)) or None,
    }
