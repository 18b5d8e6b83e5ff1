"""Runs the calls of a comparison concurrently; a failed call never loses another row."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import replace
from functools import partial

from ..cell import cell_id
from ..chat.call import Call
from ..chat.exchange import Exchange
from ..chat.fallback import FallbackRunner, MakeExchange
from ..errors import CallError, LlmkitError
from ..retries.pauses import Pause
from ..secret import without_locals
from ..types import Completion, Status
from ..views.rows import Row
from .budget import Budget
from .plan import PlannedRow, row_of, shared_row
from .watchers import Audience, Watcher

TASKS_AT_ONCE = 100  # started without a break for the event loop

log = logging.getLogger(__name__)


class ComparisonRunner:
    """A running comparison.

    Attributes:
        run_id: Identifies the run in each of its rows.
        rows: The final rows, by position.
        errors: What failed, by position, if *keeps_errors* is set.
    """

    def __init__(
        self,
        plan: Sequence[PlannedRow],
        *,
        run_id: str,
        make: MakeExchange,
        price: Callable[[Completion, Call], Awaitable[Completion]],
        watchers: Iterable[Watcher] = (),
        cell: str | None = None,
        budget: Budget | None = None,
        watch_pauses: Callable[[Callable[[Pause], None]], Callable[[], None]] | None = None,
        keeps_errors: bool = False,
    ) -> None:
        self._plan = plan
        self.run_id = run_id
        self._exchange_factory = make
        self._price = price
        self._audience = Audience(watchers)
        self._cell = cell
        self._budget = budget
        self._watch_pauses = watch_pauses
        self._pauses: dict[str, Pause] = {}  # by provider
        self._tasks: dict[int, asyncio.Task[None]] = {}  # by row
        self._loop: asyncio.AbstractEventLoop | None = None
        self._is_stopped = False
        self.rows: dict[int, Row] = {}
        self.errors: dict[int, Exception] = {}
        self._keeps_errors = keeps_errors

    async def run(self) -> None:
        """Fills `rows`, with one row for each planned row even if the run is stopped or cancelled.

        Raises:
            asyncio.CancelledError: The run was cancelled; `rows` has the text received so far.
        """
        self._loop = asyncio.get_running_loop()
        self._audience.begun(self._plan, self.stop)
        unwatch = self._watch_pauses(self._pause_begins) if self._watch_pauses else None
        try:
            await self._start()
            # Unlike `gather`, it does not end with the first task that `stop` cancels.
            done: Iterable[asyncio.Task[None]] = ()
            if self._tasks:
                tasks = self._tasks.values()
                done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_EXCEPTION)
            for task in done:
                if not task.cancelled():
                    task.result()
        except BaseException:
            self._cancel(None)
            await asyncio.gather(*self._tasks.values(), return_exceptions=True)
            raise
        finally:
            if unwatch is not None:
                unwatch()
            if self._pauses:  # stopped before they ended
                self._pauses.clear()
                self._audience.paused("")
            self._fill_the_rest()
            self._audience.ended()

    async def _start(self) -> None:
        """Starts the rows that are not sent for another one, until the run is stopped."""
        for planned_row in self._plan:
            row = planned_row.request.row
            if self._is_stopped:
                return
            if planned_row.same_as is None and row not in self.rows:
                self._tasks[row] = asyncio.create_task(self._run_row(planned_row))
                if len(self._tasks) % TASKS_AT_ONCE == 0:
                    await asyncio.sleep(0)

    def _pause_begins(self, pause: Pause) -> None:
        """Tells the watchers of a pause until it ends. Thread-safe."""
        loop = self._loop
        assert loop is not None
        if any(
            row.call is not None and row.call.provider.name == pause.provider for row in self._plan
        ):
            loop.call_soon_threadsafe(self._show_pause, pause)
            loop.call_soon_threadsafe(loop.call_later, pause.seconds, self._end_pause, pause)

    def _show_pause(self, pause: Pause) -> None:
        self._pauses[pause.provider] = pause
        self._audience.paused("; ".join(map(str, self._pauses.values())))

    def _end_pause(self, pause: Pause) -> None:
        if self._pauses.get(pause.provider) is pause:  # no longer one has begun since
            del self._pauses[pause.provider]
            self._audience.paused("; ".join(map(str, self._pauses.values())))

    def stop(self, row: int | None = None) -> None:
        """Ends the run early, or only the answer of *row*; keeps what came. Thread-safe."""
        if self._loop is not None:
            self._loop.call_soon_threadsafe(self._cancel, row)

    def _cancel(self, row: int | None) -> None:
        self._is_stopped = self._is_stopped or row is None
        for planned_row in self._plan:
            number = planned_row.request.row
            if row not in (None, number):
                continue
            if number in self._tasks:
                self._tasks[number].cancel()
            elif row is not None and row not in self.rows:  # it waits for an identical request
                self._finish(planned_row, replace(planned_row.unsent(), status=Status.CANCELLED))

    async def _run_row(self, planned_row: PlannedRow) -> None:
        if planned_row.call is None:
            self._finish(planned_row, planned_row.unsent(), planned_row.error)
            return
        account = None if self._budget is None else self._budget.account()

        def make(call: Call) -> Exchange:
            exchange = self._exchange_factory(call)
            exchange.account = account
            return exchange

        runner = FallbackRunner(planned_row.call, make, planned_row.fallbacks)
        failure: Exception | None = None
        try:
            completion = await runner.whole(partial(self._audience.grew, planned_row.request.row))
        except LlmkitError as error:
            failure = error
            partial_completion = error.completion if isinstance(error, CallError) else None
            completion = partial_completion or runner.completion(Status.ERROR)
        except Exception as error:  # a bug of llmkit in one row must not lose the others
            failure = without_locals(error)
            if not self._keeps_errors:  # else the caller raises it
                log.exception("row %d failed with an unexpected exception", planned_row.request.row)
            completion = runner.completion(Status.ERROR)
        except BaseException:  # cancelled, or interrupted while this ran
            completion = runner.completion(Status.CANCELLED)
            try:  # hardly waits: the price tables were loaded before the request
                completion = await self._price(completion, runner.call)
            finally:
                if account is not None:
                    completion = account.close(completion)
                self._finish(planned_row, completion, call=runner.call)
            raise
        try:
            completion = await self._price(completion, runner.call)
        finally:  # keep the answer even if pricing is interrupted
            if account is not None:
                completion = account.close(completion)
            self._finish(planned_row, completion, failure, runner.call)

    def _finish(
        self,
        planned_row: PlannedRow,
        completion: Completion,
        error: Exception | None = None,
        call: Call | None = None,
    ) -> None:
        row = row_of(planned_row, self.run_id, completion, error, self._cell, call)
        if error is not None and self._keeps_errors:
            self.errors[row.row] = error
        self.rows[row.row] = row
        self._audience.finished(row)

    def _fill_the_rest(self) -> None:
        for planned_row in self._plan:
            if planned_row.request.row in self.rows:
                continue
            twin = self.rows.get(planned_row.same_as) if planned_row.same_as is not None else None
            if twin is None:
                self._finish(planned_row, replace(planned_row.unsent(), status=Status.CANCELLED))
                continue
            row = shared_row(planned_row, twin)
            self.rows[row.row] = row
            self._audience.finished(row)


async def watched_answer(
    planned_row: PlannedRow,
    watchers: Iterable[Watcher],
    *,
    make: MakeExchange,
    price: Callable[[Completion, Call], Awaitable[Completion]],
) -> Completion:
    """Returns one answer of `ask` while *watchers* follow it.

    If a watcher stops it, the answer has the status "cancelled" and the text received so far.

    Raises:
        LlmkitError: The call failed.
        asyncio.CancelledError: The caller was cancelled; the watchers have the text so far.
    """
    if planned_row.call is None:
        raise planned_row.error or LlmkitError("nothing to send")
    runner = ComparisonRunner(
        [planned_row], run_id="", make=make, price=price, watchers=watchers, cell=cell_id(),
        keeps_errors=True,
    )  # fmt: skip
    await runner.run()
    for error in runner.errors.values():
        raise error
    (row,) = runner.rows.values()
    return row.completion
