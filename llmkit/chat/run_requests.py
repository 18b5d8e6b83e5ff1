"""Lists the requests of a run, which are made one by one when they are read."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import product
from typing import overload

from ..fields import Parameter
from .requests import PlannedRequest, PromptInput, checked_number, plan_request
from .values import plain


def plan_requests(
    prompt_inputs: Sequence[PromptInput],
    models: Sequence[tuple[str, str | None]],
    grid: Sequence[Mapping[str, object]],
    repeats: object,
    options: Mapping[str, object],
    *,
    repaired: tuple[str, ...] = (),
) -> RunRequests:
    """Returns all rows, ordered by prompt, model, grid point and repeat.

    Raises:
        ConfigError: *repeats* is not a positive integer.
    """
    count = int(checked_number("repeats", Parameter("Int64", "", low=1), plain("repeats", repeats)))
    return RunRequests(prompt_inputs, models, grid, count, options, repaired)


class RunRequests(Sequence[PlannedRequest]):
    """The requests of a run, in order.

    A run may have many thousands of rows. So each is made when it is read, and the event loop is
    not held up for all of them.
    """

    def __init__(
        self,
        prompt_inputs: Sequence[PromptInput],
        models: Sequence[tuple[str, str | None]],
        grid: Sequence[Mapping[str, object]],
        repeats: int,
        options: Mapping[str, object],
        repaired: tuple[str, ...],
    ) -> None:
        self._prompt_inputs = prompt_inputs
        self._models, self._grid, self._repeats = models, grid, repeats
        self._options = options
        self._repaired = repaired

    def __len__(self) -> int:
        return len(self._prompt_inputs) * self._rows_of_a_prompt()

    @overload
    def __getitem__(self, place: int) -> PlannedRequest: ...

    @overload
    def __getitem__(self, place: slice) -> tuple[PlannedRequest, ...]: ...

    def __getitem__(self, place: int | slice) -> PlannedRequest | tuple[PlannedRequest, ...]:
        if isinstance(place, slice):
            return tuple(self[n] for n in range(*place.indices(len(self))))
        number = range(len(self))[place]
        prompt, rest = divmod(number, self._rows_of_a_prompt())
        return next(row for row in self._rows(prompt) if row.row % self._rows_of_a_prompt() == rest)

    def __iter__(self) -> Iterator[PlannedRequest]:
        for prompt in range(len(self._prompt_inputs)):
            yield from self._rows(prompt)

    def _rows_of_a_prompt(self) -> int:
        return len(self._models) * len(self._grid) * self._repeats

    def _rows(self, number: int) -> Iterator[PlannedRequest]:
        """Makes the rows of one prompt; all models share its values."""
        prompt_input = self._prompt_inputs[number]
        first = number * self._rows_of_a_prompt()
        prompts = [
            (point, plan_request(0, prompt_input, self._models[0], point, 0, self._options).prompt)
            for point in self._grid
        ]
        places = product(self._models, prompts, range(self._repeats))
        for row, (model, (point, prompt), repeat) in enumerate(places, first):
            yield PlannedRequest(row, prompt_input, *model, point, repeat, prompt, self._repaired)
