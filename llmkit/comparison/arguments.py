"""The parameters of `compare` and `acompare`, written, checked and explained once."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

from ..catalogue.fallback_policy import Fallback
from ..chat.arguments import checked
from ..chat.options import Options
from ..chat.requests import PlannedRequest, plan_requests, prompt_inputs
from .watchers import Watcher


class ComparisonArguments(NamedTuple):
    """What one `compare` compares, and within which limits."""

    requests: tuple[PlannedRequest, ...]
    options: Options
    limits: dict[str, Any]
    view: Watcher | None


def comparison_arguments(
    prompts: object = None,
    models: str | Sequence[str] | None = None,
    *,
    providers: str | Sequence[str] | None = None,
    repeats: int = 1,
    fallback: str | Sequence[str] | Fallback = "error",
    max_calls: int | None = None,
    max_cost_usd: float | None = None,
    limit_per_provider: int | None = None,
    view: Watcher | None = None,
    system: object = None,
    messages: Sequence[object] | None = None,
    needs: Sequence[str] = (),
    strict: bool = False,
    verbatim: bool = False,
    timeout: float | None = None,
    retries: int | None = None,
    **provider_options: object,
) -> ComparisonArguments:
    """The parameters of `compare` and `acompare`.

    Args:
        prompts: Text, a list of texts or Prompts, a Series, or a DataFrame with a `prompt`
            column; its index and other columns stand in the table.
        models: One name or several, as in `ask`.
        providers: Every model is asked at every one of these.
        repeats: How often each request is sent.
        fallback: As in `ask`, but "error" if left out: a retired model is an error row that names
            its successor. Rows that another model answered are marked, and left out of figures.
        max_calls: Most paid requests; more are refused before anything is sent.
        max_cost_usd: Most US dollars by estimate; None for no limit.
        limit_per_provider: Requests to one provider at the same time.
        view: Who watches the answers grow.
        system: A list of values spans a grid, as for the parameters below; *stop* takes a list
            of lists.
        messages: A conversation, oldest first, in place of *prompts*.
        needs: Capabilities that a model must be known to have, such as "vision".
        strict: A parameter that a model cannot take makes its row an error.
        verbatim: Send the names as they are.
        timeout: Seconds for each call, retries included.
        retries: Further attempts of each call where nothing was answered; 0 for none.
        **provider_options: Further fields for the requests, in the providers' own words.

    Raises:
        ConfigError: An argument is wrong; nothing was sent. A call that fails is only a row.
        SpendLimitError: More calls or a higher estimate than allowed; nothing was sent.
    """
    pairs, points, wish = checked(
        provider_options, models, providers, fallback, needs, strict, verbatim, timeout, retries,
        system,
    )  # fmt: skip
    requests = plan_requests(prompt_inputs(prompts, messages), pairs, points, repeats, wish.extra)
    limits = {"max_calls": max_calls, "max_cost_usd": max_cost_usd, "limit": limit_per_provider}
    return ComparisonArguments(requests, wish, limits, view)
