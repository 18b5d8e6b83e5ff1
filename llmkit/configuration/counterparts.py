"""Says how to ask for a model elsewhere if its own provider has no key.

Called by `ProviderRegistry.key_for`, which imports it only for that error. Reads the catalogue and
the keys of the other providers; sends nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import date

from ..catalogue.entry import Catalogue
from ..catalogue.fallback import FallbackQuery, candidates
from ..catalogue.fallback_policy import SAME_MODEL
from ..catalogue.names import qualified_name
from ..catalogue.requirements import FallbackLimits, Requirements, objection_to
from ..catalogue.resolution import Resolution
from ..errors import ConfigError, MissingApiKeyError
from ..types import Usage

Resolve = Callable[[str, str | None], Resolution]

MOST = 2  # ways in one message
SHORT = Requirements(Usage(1, 1))  # the answer may still be too long for the model


def with_counterparts(
    error: MissingApiKeyError,
    asked: str,
    catalogue: Catalogue,
    *,
    today: date,
    resolve: Resolve,
    has_key: Callable[[str], bool],
) -> MissingApiKeyError:
    """Returns *error* with at most two ways to ask for the model name *asked* elsewhere.

    The same model comes before its peers. Only models are named that are known to be available at
    a provider for which *has_key* returns True.
    """
    limits = FallbackLimits(today, has_key=has_key)
    ways: dict[str, str] = {}
    for provider, model, relation in _elsewhere(catalogue, asked, today, resolve):
        if provider in ways or len(ways) == MOST:
            continue
        if objection_to(catalogue, provider, model, SHORT, limits, named=False) is None:
            ask = f'ask for {relation}"{qualified_name((provider, model))}"'
            peer = f'pass provider="{provider}" for its peer {model}'
            ways[provider] = peer if relation is None else ask
    if not ways:
        return error
    message = f"{error}; with a key that you have, {', or '.join(ways.values())}"
    return MissingApiKeyError(message, provider=error.provider, key_vars=error.key_vars)


def _elsewhere(
    catalogue: Catalogue, asked: str, today: date, resolve: Resolve
) -> Iterator[tuple[str, str, str | None]]:
    """Yields provider and id of the same model, or its successor, then of each peer.

    The third value is what the model is in words, None for a peer.
    """
    here = resolve(asked, None)
    query = FallbackQuery(here.provider, here.live or here.id)
    relation = "its successor " if query.model != here.id else ""
    for candidate in candidates(catalogue, query, [SAME_MODEL], today):
        yield *candidate.place, relation
    for provider, facts in catalogue.providers.items():
        if facts.paid and provider != here.provider:
            try:
                yield provider, resolve(asked, provider).model, None
            except ConfigError:  # it has no counterpart, or the name states another provider
                continue
