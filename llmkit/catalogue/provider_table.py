"""Holds the catalogue's facts about providers: spellings, name prefixes, makers and resellers.

Filled by `providers.builtin` from the provider classes, and part of each `Catalogue`. Must not
name a provider: each one is only a row.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Literal

from ..errors import ConfigError

_SEPARATORS = re.compile(r"[-_. ]")


@dataclass(frozen=True, slots=True)
class ProviderFacts:
    """The facts about one provider, apart from its wire format.

    Attributes:
        kind: "maker" sells its own models, "reseller" those of many makers, "own" runs on the
            user's machine, "script" plays scripted answers.
        price_table: Its id in genai-prices, None if it has no table there.
        aliases: Its names in other tools, for the same service. They count before a colon, before
            a slash and as `provider=`, with "-", "_", "." or nothing between their words.
        prefixes: Prefixes that its model names may have, such as "models/"; they state the
            provider, and are not sent.
        starts: Beginnings of the names of its own models; the longest match decides.
        slug: Its name at OpenRouter, None if its models are not there.
        closed: True if the catalogue has all its models, so that another id is an error.
        think_tags: True if its servers may send reasoning as `<think>` blocks of the text.
        otel: Its name in OpenTelemetry's conventions, None if it is the same.
        at_once: Concurrent requests if the user sets no limit; None for as many as it accepts.
        priced: False if the user declared that its answers cost nothing.
        color: Index of its colour in the palette of figures.
        marker: Its matplotlib marker in figures.
    """

    kind: Literal["maker", "reseller", "own", "script"]
    price_table: str | None = None
    aliases: tuple[str, ...] = ()
    prefixes: tuple[str, ...] = ()
    starts: tuple[str, ...] = ()
    slug: str | None = None
    closed: bool = False
    think_tags: bool = False
    otel: str | None = None
    at_once: int | None = None
    priced: bool = True
    color: int = 0
    marker: str = "o"

    @property
    def paid(self) -> bool:
        """True if an answer may cost money."""
        return self.priced and self.kind in ("maker", "reseller")


class ProviderTable(dict[str, ProviderFacts]):
    """The facts about all built-in providers, in order, with indexes.

    Attributes:
        makers: The provider of each OpenRouter slug.
        prefixes: The provider of each prefix of model names.
        bare: The providers at which a name without a provider is looked up, in order.
        is_unlisted: Returns True if a provider of that name has a file but is missing here.
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
        self._names = self._index(lambda name, row: map(compact, (name, *row.aliases)))
        self.prefixes = self._index(lambda name, row: row.prefixes)
        self.makers = self._index(lambda name, row: filter(None, [row.slug]))
        self._homes = self._index(lambda name, row: row.starts)
        self._starts = sorted(self._homes, key=len, reverse=True)
        self.bare = tuple(name for name, row in facts.items() if row.kind in ("maker", "own"))

    def name_of(self, spelling: str) -> str:
        """Returns the provider that *spelling* names, or *spelling* in lower case if unknown."""
        return self._names.get(compact(spelling), spelling.strip().lower())

    def home_of(self, model: str) -> str:
        """Returns the provider that makes *model*, else the first on the user's machine."""
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


def compact(word: str) -> str:
    """Returns the form in which two spellings of one provider are equal: LM-Studio, lm_studio."""
    return _SEPARATORS.sub("", word.strip().lower())
