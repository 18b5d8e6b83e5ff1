"""Plans the rows of a run, in which each name is resolved once."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import TYPE_CHECKING

from ..catalogue import prices
from ..cell import ready_soon
from ..chat.options import Options
from ..chat.requests import PlannedRequest
from ..configuration.registry import ProviderRegistry
from ..configuration.resolved_names import ResolvedNames

if TYPE_CHECKING:
    from .plan import PlannedRow

ROWS_AT_ONCE = 500  # planned without a break for the event loop


async def plan_rows(
    registry: ProviderRegistry,
    plan_row: Callable[..., Awaitable[PlannedRow]],
    requests: Sequence[PlannedRequest],
    options: Options,
    *,
    max_cost_usd: float | None,
) -> list[PlannedRow]:
    """Returns the rows of a run before its limits are checked; *plan_row* is `Kit.plan_row`.

    Args:
        max_cost_usd: The limit of the run's cost, None for no limit.
    """
    capped = max_cost_usd is not None
    if capped:
        await ready_soon(prices.TABLES, prices.load)
    names, rows = ResolvedNames(registry), []
    for request in requests:
        rows.append(await plan_row(request, options, capped=capped, names=names))
        if len(rows) % ROWS_AT_ONCE == 0:
            await asyncio.sleep(0)
    return rows
