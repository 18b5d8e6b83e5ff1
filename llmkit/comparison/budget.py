"""Keeps a running comparison within its cost limit.

Used on the event loop of one comparison. A row reserves the highest cost of its request before it
is sent, and waits while other rows hold too much. At its end, its cost replaces the reservation.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import NamedTuple

from ..chat.call import Call
from ..errors import SpendLimitError
from ..types import Completion, Status

# An answer with another status may have cost more than its token counts say.
COUNTED = (Status.COMPLETE, Status.LENGTH, Status.FILTERED, Status.INCOMPLETE)


class HighestCost(NamedTuple):
    """What one call may cost at most, in US dollars.

    Attributes:
        is_open: True if the request has no `max_tokens`, so that few answers cost as much.
    """

    usd: float
    is_open: bool = False


@dataclass(slots=True)
class _Waiter:
    account: RowAccount
    highest: HighestCost
    turn: asyncio.Future[None]


class Budget:
    """The cost limit of one comparison in US dollars.

    If the highest cost of a request without `max_tokens` does not fit, it counts as twice the
    costliest such answer so far; the first one is then sent alone. So only such a request can
    exceed the limit. If an answer costs more than was reserved, because the provider charges more
    than its list says, the next reservations are as much higher.

    Attributes:
        spent: The cost of the ended rows, and the reservations of those whose cost is unknown.
    """

    def __init__(self, limit_usd: float, highest_cost: Callable[[Call], HighestCost]) -> None:
        self.spent = 0.0
        self._limit = limit_usd
        self._highest_cost = highest_cost
        self._reserved: dict[RowAccount, float] = {}
        self._total_reserved = 0.0
        self._waiting: deque[_Waiter] = deque()
        self._costliest = 0.0
        self._excess = 1.0  # of a cost, as a multiple of its reservation

    def account(self) -> RowAccount:
        """Returns the account of one row."""
        return RowAccount(self)

    async def reserve(self, account: RowAccount, call: Call) -> None:
        """Waits until the highest cost of *call* fits; see `chat.exchange.Account`."""
        highest = self._highest_cost(call)
        account.highest_usd = highest.usd
        if not highest.usd:  # sent also when the limit is exceeded
            self.end(account, 0.0)
            return
        if account in self._reserved:  # refused, and sent again
            if self._reserved[account] >= highest.usd or highest.is_open:
                return
            self._total_reserved -= self._reserved.pop(account)
        turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append(_Waiter(account, highest, turn))
        self._serve()
        await turn

    def end(self, account: RowAccount, cost_usd: float | None = None) -> float:
        """Replaces the reservation of *account* by *cost_usd*, None to count it as spent."""
        reserved = self._reserved.pop(account, 0.0)
        self._total_reserved = self._total_reserved - reserved if self._reserved else 0.0
        cost = reserved if cost_usd is None else cost_usd
        self.spent += cost
        if account.highest_usd:
            self._excess = max(self._excess, cost / account.highest_usd)
        self._costliest = max(self._costliest, cost)
        self._serve()
        return reserved

    def _serve(self) -> None:
        """Admits the rows that fit, in order; refuses one that fits into an empty run neither."""
        while self._waiting:
            waiter = self._waiting[0]
            usd, is_open = waiter.highest
            usd *= self._excess
            left = self._limit - self.spent - self._total_reserved
            if is_open and usd > left and self._costliest:
                usd = min(usd, 2 * self._costliest)
            # Without others in flight, an open request may cost as much as the costliest so far.
            is_next = is_open and not self._reserved and self._costliest <= left > 0
            if waiter.turn.done():  # its row was cancelled
                pass
            elif usd <= left or is_next:
                self._reserved[waiter.account] = usd
                self._total_reserved += usd
                waiter.turn.set_result(None)
            elif self._reserved:
                return
            else:
                waiter.turn.set_exception(self._refusal(usd))
            self._waiting.popleft()

    def _refusal(self, usd: float) -> SpendLimitError:
        from ..views.answers.summary import dollars  # few runs have a cost limit

        return SpendLimitError(
            f"of max_cost_usd={self._limit:g}, {dollars(self.spent)} is spent, and this answer may "
            f"cost up to {dollars(usd)}, so it was not requested; raise max_cost_usd or lower "
            "max_tokens"
        )


class RowAccount:
    """The part of a budget that one row spends; see `chat.exchange.Account`.

    Attributes:
        highest_usd: The highest cost of the row's last request.
    """

    def __init__(self, budget: Budget) -> None:
        self.highest_usd = 0.0
        self._budget = budget

    async def reserve(self, call: Call) -> None:
        await self._budget.reserve(self, call)

    def keep(self) -> None:
        self._budget.end(self)

    def close(self, completion: Completion) -> Completion:
        """Ends the row, and returns *completion* with a warning if its cost is not known."""
        status, cost = completion.status, completion.cost_usd
        if status in COUNTED and cost is not None:
            self._budget.end(self, cost)
        elif not completion.attempts or (
            status is Status.ERROR and not completion.possibly_billed and not completion.text
        ):
            self._budget.end(self, 0.0)
        elif reserved := self._budget.end(self):
            from ..views.answers.summary import dollars

            warning = f"its cost is not known; max_cost_usd counts it as {dollars(reserved)}"
            return replace(completion, warnings=(*completion.warnings, warning))
        return completion
