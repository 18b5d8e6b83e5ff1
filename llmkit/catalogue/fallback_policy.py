"""Declares which models may replace an unavailable one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from ..errors import ConfigError
from .lifecycle import CLASS, OFFICIAL

# The rules that find a fallback model, besides a successor and the pick of a class.
OWN = "own-fallback"  # a row in the user's own file
SAME_MODEL = "same-model"  # the same model at another provider
PEER = "curated-peer"  # its peer in the table of standard names
RANKED = "ranked"  # the most similar model, by computed distance
NAMED = "named"  # a model of the caller's list

_NAMED_BY_THE_CATALOGUE = (OWN, SAME_MODEL, OFFICIAL, PEER, CLASS)
RULES_OF = {
    "error": (),
    "successor": (OWN, OFFICIAL),
    "same-model": (SAME_MODEL,),
    "equivalent": _NAMED_BY_THE_CATALOGUE,
    "any": (*_NAMED_BY_THE_CATALOGUE, RANKED),
}
POLICIES = tuple(RULES_OF)
MOST = 3  # after three models an error is more useful than another answer


@dataclass(frozen=True, slots=True)
class Fallback:
    """The models that may replace one that is retired, busy, or too small for the prompt.

    Attributes:
        allow: "error" (none), "successor" (what the same provider names instead, at OpenRouter also
            what the maker names), "same-model" (at another provider), "equivalent" (both, and the
            peers in the catalogue, also of other makers), "any" (also the most similar ones), or a
            list of names that are tried in this order.
        providers: The only providers to use. With them, "successor" also finds what "equivalent"
            finds at these providers. If empty, "equivalent" keeps a provider that was named with
            the model, and "same-model", "any" and a list may use any provider with a key.
        max_cost_usd: Highest estimated cost of a fallback model's answer, in US dollars.
        allow_unknown: True admits models whose lifecycle, context window or capabilities are not
            known.
        most: Most fallback models to try.
        names: The models of the caller's list; empty if *allow* is a policy.
        rules: The rules that may find a fallback model, in order.
    """

    allow: str | Sequence[str] = "successor"
    providers: Sequence[str] = ()
    max_cost_usd: float | None = None
    allow_unknown: bool = False
    most: int = MOST
    names: tuple[str, ...] = field(default=(), init=False, repr=False, compare=False)
    rules: tuple[str, ...] = field(default=(NAMED,), init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "providers", _names(self.providers, "providers"))
        if isinstance(self.allow, str):
            if self.allow not in POLICIES:
                raise ConfigError(
                    f"fallback must be one of {', '.join(POLICIES)}, or a list of models, "
                    f"got {self.allow!r}"
                )
            # A provider that the caller names may answer, also with another maker's model.
            is_opened = self.allow == "successor" and self.providers
            rules = RULES_OF["equivalent" if is_opened else self.allow]
            object.__setattr__(self, "rules", rules)
        else:
            names = _names(self.allow, "fallback")
            object.__setattr__(self, "allow", names)
            object.__setattr__(self, "names", names)
        if not isinstance(self.most, int) or self.most < 1:
            raise ConfigError(f"most must be >= 1, got {self.most!r}; for none, pass 'error'")
        if self.max_cost_usd is not None and not self.max_cost_usd >= 0:
            raise ConfigError(f"max_cost_usd must be a number >= 0, got {self.max_cost_usd!r}")

    @property
    def keeps_provider(self) -> bool:
        """True if only a row of the user's own may leave the provider named with the model."""
        return self.allow == "equivalent" and not self.providers


def policy_of(value: object) -> Fallback:
    """Returns *value*, which is a policy's name, a list of models or a Fallback, as a Fallback."""
    if isinstance(value, Fallback):
        return value
    if isinstance(value, str | Sequence):
        return Fallback(value)
    raise ConfigError(
        f"fallback must be one of {', '.join(POLICIES)}, a list of models, or a Fallback, "
        f"got {value!r}"
    )


def _names(value: object, what: str) -> tuple[str, ...]:
    names = (value,) if isinstance(value, str) else value
    if not isinstance(names, Sequence) or not all(isinstance(n, str) and n.strip() for n in names):
        raise ConfigError(f"{what} must be names, got {value!r}")
    if what == "fallback" and not names:
        raise ConfigError(
            'fallback must name at least one model, got an empty list; for none, pass "error"'
        )
    return tuple(names)
