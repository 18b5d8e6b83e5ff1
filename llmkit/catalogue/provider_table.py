"""What the catalogue knows of providers: how names state them, and who makes or sells models.

Filled by `providers.builtin` from the provider classes, and carried by each `Catalogue`. Must not
know a provider by itself: another one is a row here like any other.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Literal

from ..errors import ConfigError


@dataclass(frozen=True, slots=True)
class ProviderFacts:
    """The facts of one provider that are not about its wire format.

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
    """The facts of all built-in providers, in their order, with indexes by the words for them.

    Attributes:
        makers: The provider of each of OpenRouter's slugs.
        prefixes: The provider of each beginning that states one.
        bare: The providers that a name without a provider is looked up at, in order.
        is_unlisted: Tells whether a provider of that name has a file and is missing here.
    """

    def __init__(
        self,
        facts: Mapping[str, ProviderFacts],
        is_unlisted: Callable[[str], bool] = lambda name: False,
    ) -> None:
        """Raises:
        ConfigError: One word stands for two providers.
        """
        super().__init__(facts)
        self.is_unlisted = is_unlisted
        self._names = self._index(lambda name, row: (name, *row.aliases))
        self.prefixes = self._index(lambda name, row: row.prefixes)
        self.makers = self._index(lambda name, row: filter(None, [row.slug]))
        self._homes = self._index(lambda name, row: row.starts)
        self._starts = sorted(self._homes, key=len, reverse=True)
        self.bare = tuple(name for name, row in facts.items() if row.kind in ("maker", "own"))

    def name_of(self, spelling: str) -> str:
        """Returns the provider that *spelling* names, *spelling* in lower case if it is unknown."""
        lower = spelling.lower()
        return self._names.get(lower, lower)

    def home_of(self, model: str) -> str:
        """Returns the provider whose own model *model* is, else the first that a user runs."""
        start = next((start for start in self._starts if model.startswith(start)), "")
        return self._homes.get(start) or next(n for n, row in self.items() if row.kind == "own")

    def _index(self, words: Callable[[str, ProviderFacts], Iterable[str]]) -> dict[str, str]:
        index: dict[str, str] = {}
        for name, row in self.items():
            for word in map(str.lower, words(name, row)):
                if index.setdefault(word, name) != name:
                    raise ConfigError(
                        f"{word!r} stands for two providers, {index[word]} and {name}; remove it "
                        "from the facts of one of them"
                    )
        return index
