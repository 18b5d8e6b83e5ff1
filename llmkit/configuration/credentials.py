"""Where a provider's key comes from, and what is done to it before it is used."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass

from ..catalogue.names import unknown_provider
from ..errors import ConfigError, MissingApiKeyError
from ..providers.base import Provider
from ..providers.builtin import provider_table
from ..secret import Secret
from .key_stores import KeyStore

NOWHERE = "none"
QUOTES = "\"'“”‘’«»`"
# Copied keys bring these along: zero-width characters, byte order marks, soft hyphens.
INVISIBLE = re.compile("[\u00ad\u200b-\u200f\u2028\u2029\u2060\ufeff]")


@dataclass(frozen=True, slots=True)
class Credential:
    """A key and where it came from.

    Attributes:
        key: None where there is none.
        source: "argument", "typed in", "variable NAME", "keyring", "Colab" or "none".
        problem: Why there is no key to use, "" where there is one or none is known of.
        unreadable: True where the problem is the store's and not the key's.
    """

    key: Secret | None
    source: str = NOWHERE
    problem: str = ""
    unreadable: bool = False


class Credentials:
    """The keys of one kit.

    First come the keys that were given or typed in, then the environment, which is read anew
    each time, so that a changed key is noticed; then the stores, which may take long or ask the
    person, and are therefore read once.
    """

    def __init__(
        self,
        environ: Mapping[str, str],
        given: Mapping[str, str] | None = None,
        *,
        stores: Callable[[], tuple[KeyStore, ...]] = tuple,
        known: Callable[[], Collection[str]] | None = None,
    ) -> None:
        self._environ = environ
        self._stores = stores
        self._provider_names = known
        self._overrides: dict[str, Credential] = {}
        for name, key in (given or {}).items():
            self._give(name, key, "argument")
        self._cache: dict[tuple[str, str], Credential | None] = {}

    def type_in(self, provider: str, key: str) -> None:
        """Uses *key* for *provider* from now on in this process; it is written nowhere.

        One that cannot be a key is taken too: its provider's state says then what is wrong.

        Raises:
            UnknownProviderError: There is no such provider.
        """
        self._give(provider, key, "typed in")

    def forget(self, provider: str) -> None:
        """Drops a key that was given or typed in, and what a store had said."""
        self._overrides.pop(provider, None)
        self._cache = {place: c for place, c in self._cache.items() if place[1] != provider}

    def _give(self, provider: str, key: str, source: str) -> None:
        if self._provider_names is not None and provider not in self._provider_names():
            raise unknown_provider(provider_table(), provider, self._provider_names())
        self._overrides[provider] = _cleaned(key, source)

    def find(self, provider: Provider, *, again: bool = False) -> Credential:
        """The key for *provider*, cleaned; one that cannot be a key says why in `problem`.

        *again* also asks the stores a second time.
        """
        if provider.name in self._overrides:
            return self._overrides[provider.name]
        for variable in provider.key_vars:
            if self._environ.get(variable, "").strip():
                return _cleaned(self._environ[variable], f"variable {variable}")
        for store in self._stores():
            place = (store.name, provider.name)
            if again or place not in self._cache:
                self._cache[place] = _read(store, provider)
            credential = self._cache[place]
            if credential is not None:
                return credential
        return Credential(None)

    def require(self, provider: Provider) -> Secret | None:
        """The key to send, None where *provider* works without one.

        Raises:
            MissingApiKeyError: It needs one, and there is none.
            ConfigError: What is there cannot be a key.
        """
        credential = self.find(provider)
        if credential.problem and (provider.needs_key or not credential.unreadable):
            raise ConfigError(
                f"the key for {provider.name} ({credential.source}) {credential.problem}"
            )
        if credential.key is None and provider.needs_key:
            raise missing(provider)
        return credential.key


def missing(provider: Provider) -> MissingApiKeyError:
    """The error of a provider without a key."""
    names = " or ".join(provider.key_vars)
    return MissingApiKeyError(
        f"no API key for {provider.name}: set {names}",
        provider=provider.name,
        key_vars=provider.key_vars,
    )


def _cleaned(raw: str, source: str) -> Credential:
    key = INVISIBLE.sub("", raw).strip().strip(QUOTES).strip()
    if not key:
        return Credential(None, source, "is empty; paste it again")
    if any(c.isspace() for c in key):
        return Credential(None, source, "has a space or a line end in its middle; paste it again")
    if not key.isascii() or not key.isprintable():
        return Credential(None, source, "has characters that no key has; paste it again")
    return Credential(Secret(key), source)


def _read(store: KeyStore, provider: Provider) -> Credential | None:
    if not provider.key_vars:
        return None
    try:
        raw_key = store.read(provider.name, provider.key_vars)
    except ConfigError as error:
        return Credential(None, store.name, str(error), unreadable=True)
    return _cleaned(raw_key, store.name) if raw_key else None


class Environment(Mapping[str, str]):
    """Reads through to the variables as they are now; its repr has none of them."""

    __slots__ = ("_variables",)

    def __init__(self, variables: Mapping[str, str]) -> None:
        self._variables = variables

    def __getitem__(self, name: str) -> str:
        return self._variables[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._variables)

    def __len__(self) -> int:
        return len(self._variables)

    def __repr__(self) -> str:
        return f"<Environment of {len(self)} variables>"
