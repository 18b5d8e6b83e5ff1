"""What the catalogue knows of providers: how names state them, and who makes or sells models.

Filled by `providers.builtin` from the provider classes, and carried by each `Catalogue`. Must not
know a provider by itself: another one is a row here like any other.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from ..errors import ConfigError


@dataclass(frozen=True, slots=True)
class ProviderFacts:
    """What holds of a provider beside its wire format.

    Attributes:
        kind: "maker" sells its own models, "reseller" those of many makers, "own" runs on the
            user's machine, "script" plays answers.
        price_table: Its id in genai-prices; None if it has no table there.
        aliases: Names that other tools give it.
        prefixes: Beginnings of a model's name that state it, such as "gemini/".
        starts: Beginnings of the names whose models are at home there; the longest one decides.
        slug: What OpenRouter calls it; None if its models are not there.
        closed: True if the catalogue has all its models, so that another id is an error.
        otel: Its name in OpenTelemetry's conventions; None if that is the same.
        color: Place of its colour in a figure's palette.
        marker: Its marker in a figure, as matplotlib writes it.
    """

    kind: Literal["maker", "reseller", "own", "script"]
    price_table: str | None = None
    aliases: tuple[str, ...] = ()
    prefixes: tuple[str, ...] = ()
    starts: tuple[str, ...] = ()
    slug: str | None = None
    closed: bool = False
    otel: str | None = None
    color: int = 0
    marker: str = "o"

    @property
    def paid(self) -> bool:
        """True if an answer may cost money."""
        return self.kind in ("maker", "reseller")


class ProviderTable(dict[str, ProviderFacts]):
    """The facts of all built-in providers, in their order, with indexes by the names for them.

    Attributes:
        makers: The provider of each of OpenRouter's slugs.
        bare: The providers that a name without a provider is looked up at, in order.
        prefixes: The provider of each beginning that states one.
    """

    def __init__(self, facts: Mapping[str, ProviderFacts]) -> None:
        """Raises:
        ConfigError: Two providers share a name.
        """
        super().__init__(facts)
        self._names = {name: name for name in facts}
        self.prefixes: dict[str, str] = {}
        for name, row in facts.items():
            for table, words in ((self._names, row.aliases), (self.prefixes, row.prefixes)):
                for word in words:
                    if table.setdefault(word, name) != name:
                        raise ConfigError(
                            f"{word!r} names two providers, {table[word]} and {name}; "
                            f"remove it from the facts of one of them"
                        )
        self.makers = {row.slug: name for name, row in facts.items() if row.slug}
        self.bare = tuple(name for name, row in facts.items() if row.kind in ("maker", "own"))
        starts = ((start, name) for name, row in facts.items() for start in row.starts)
        self._starts = sorted(starts, key=lambda pair: -len(pair[0]))

    def name_of(self, spelling: str) -> str:
        """Returns the provider that *spelling* names, *spelling* in lower case if it is unknown."""
        lower = spelling.strip().lower()
        return self._names.get(lower, lower)

    def home_of(self, model: str) -> str:
        """Returns the provider whose own model *model* is; Ollama for models of other makers."""
        return next((name for start, name in self._starts if model.startswith(start)), "ollama")

    def price_table(self, provider: str) -> str | None:
        """Returns the id of *provider* in genai-prices, None if it has no table there."""
        return self[provider].price_table if provider in self else None
