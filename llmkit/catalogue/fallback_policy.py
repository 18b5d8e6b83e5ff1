"""What a person allows to answer in the place of a model that cannot."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from ..errors import ConfigError
from .lifecycle import CLASS, OFFICIAL

# Where a substitute may come from, besides a successor and the pick of a class.
OWN = "own-fallback"  # a row of the person's own
SAME_MODEL = "same-model"  # the same model at another provider
PEER = "curated-peer"  # what stands beside it in the table of standard names
RANKED = "ranked"  # what looks most like it; a suggestion of arithmetic
NAMED = "named"  # in the list that the caller gave

_NAMED_BY_THE_CATALOGUE = (OWN, SAME_MODEL, OFFICIAL, PEER, CLASS)
RULES_OF = {
    "error": (),
    "same-model": (SAME_MODEL,),
    "equivalent": _NAMED_BY_THE_CATALOGUE,
    "any": (*_NAMED_BY_THE_CATALOGUE, RANKED),
}
POLICIES = tuple(RULES_OF)
MOST = 3  # a fourth model says less about the question than an error does


@dataclass(frozen=True, slots=True)
class Fallback:
    """What may answer in the place of a model that is gone, busy, or too small for the prompt.

    Attributes:
        allow: "error" for nothing; "same-model" for the same model at another provider;
            "equivalent" also for what its provider or the catalogue names instead; "any" also
            for what looks most like it; or a list of names, tried in that order.
        providers: Only there. Left empty, "equivalent" stays at a provider that was named with
            the model, and everything else may go wherever there is a key.
        max_cost_usd: Most US dollars that a substitute's answer may cost, by estimate.
        allow_unknown: True lets models pass of which it is not known whether they are alive,
            large enough or able.
        most: How many models are tried in its place.
        names: The caller's own list; empty if *allow* is a policy's name.
        rules: Where a substitute may come from, in order; empty if there may be none.
    """

    allow: str | Sequence[str] = "equivalent"
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
                    f"fallback must be one of {', '.join(POLICIES)}, or a list of models to try, "
                    f"not {self.allow!r}"
                )
            object.__setattr__(self, "rules", RULES_OF[self.allow])
        else:
            names = _names(self.allow, "fallback")
            object.__setattr__(self, "allow", names)
            object.__setattr__(self, "names", names)
        if not isinstance(self.most, int) or self.most < 1:
            raise ConfigError(f"most must be 1 or more, not {self.most!r}; for none use 'error'")
        if self.max_cost_usd is not None and not self.max_cost_usd >= 0:
            raise ConfigError(f"max_cost_usd must be 0 or more, not {self.max_cost_usd!r}")

    @property
    def keeps_provider(self) -> bool:
        """True where a provider that was named with the model is kept."""
        return self.allow == "equivalent" and not self.providers


def policy_of(value: object) -> Fallback:
    """*value* (a policy's name, a list of models, or a Fallback) as a Fallback.

    Raises:
        ConfigError: It is none of these.
    """
    if isinstance(value, Fallback):
        return value
    if isinstance(value, str | Sequence):
        return Fallback(value)
    raise ConfigError(
        f"fallback must be one of {', '.join(POLICIES)}, a list of models, or a Fallback, "
        f"not {value!r}"
    )


def _names(value: object, what: str) -> tuple[str, ...]:
    names = (value,) if isinstance(value, str) else value
    if not isinstance(names, Sequence) or not all(isinstance(n, str) and n.strip() for n in names):
        raise ConfigError(f"{what} must be names, not {value!r}")
    if what == "fallback" and not names:
        raise ConfigError('the list of models to fall back to is empty; for none use "error"')
    return tuple(names)
