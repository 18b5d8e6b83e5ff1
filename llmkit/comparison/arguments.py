"""Declares, checks and documents the parameters of `compare` and `acompare`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any, NamedTuple

from ..catalogue.fallback_policy import Fallback
from ..chat.arguments import checked, in_other_words
from ..chat.options import Options
from ..chat.requests import (
    PlannedRequest,
    limit,
    prompt_inputs,
    row_parameter_names,
)
from ..chat.run_requests import plan_requests
from ..fields import Parameter
from .watchers import Watcher


class ComparisonArguments(NamedTuple):
    """The checked arguments of one comparison."""

    requests: Sequence[PlannedRequest]
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
    row_parameters: Sequence[str] = (),
    needs: Sequence[str] = (),
    strict: bool = False,
    verbatim: bool = False,
    timeout: float | None = None,
    retries: int | None = None,
    stream: bool = True,
    **provider_options: object,
) -> ComparisonArguments:
    """Checks the arguments of `compare` and `acompare`.

    Args:
        prompts: A text, or texts or Prompts in a list, array, generator, dict or Series, or in a
            DataFrame's column `prompt`. The frame of results keeps its index and other columns.
        models: One model name or several, as in `ask`; in one text, commas separate them.
        providers: Each model is requested from each of these providers.
        repeats: How many times each request is sent.
        fallback: As in `ask`, but the default is "error": a retired model gives an error row that
            names its successor. Rows answered by a fallback model are marked and not plotted.
        max_calls: Maximum number of paid requests; a larger plan is refused before it starts.
        max_cost_usd: Maximum estimated cost in US dollars; None for no limit.
        limit_per_provider: Maximum number of concurrent requests to one provider.
        view: A watcher that is called as answers arrive.
        system: The system prompt. A list of values spans a grid, as for the parameters below;
            *stop* takes a list of lists.
        messages: A conversation, oldest message first, instead of *prompts*.
        row_parameters: Columns of the DataFrame that are sent as parameters, such as "system".
        needs: Capabilities that a model must be known to have, such as "vision".
        strict: True makes a row an error if its model does not support a parameter.
        verbatim: True sends model names unchanged.
        timeout: Seconds for each call, including retries.
        retries: Maximum retries of each call that got no answer; 0 for none.
        stream: False asks for each answer in one document, for servers that do not stream.
        **provider_options: Further request fields in the provider's words; None leaves one out.

    Raises:
        ConfigError: An argument is invalid; nothing was sent. A failed call gives an error row.
        SpendLimitError: The plan exceeds *max_calls* or *max_cost_usd*; nothing was sent.
    """
    prompts, *named = in_other_words(provider_options, prompts, models, providers, plural=True)
    shared = (fallback, needs, strict, verbatim, timeout, retries, stream, system)
    pairs, points, wish, repaired = checked(provider_options, *named, *shared)
    inputs = prompt_inputs(prompts, messages, row_parameter_names(row_parameters, points[0]))
    requests = plan_requests(inputs, pairs, points, repeats, wish.extra, repaired=repaired)
    limits = _limits(max_calls, max_cost_usd, limit_per_provider)
    return ComparisonArguments(requests, wish, limits, view)


def _limits(max_calls: object, max_cost_usd: object, at_once: object) -> dict[str, Any]:
    count, amount = Parameter("Int64", "", low=0), Parameter("Float64", "", low=0)
    return {
        "max_calls": limit("max_calls", count, max_calls),
        "max_cost_usd": limit("max_cost_usd", amount, max_cost_usd),
        "limit": limit("limit_per_provider", replace(count, low=1), at_once),
    }
