"""Finds the API keys of providers, and cleans and checks them."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass
from operator import attrgetter

from ..catalogue.names import unknown_provider
from ..cell import InterruptGuard, live_shell
from ..errors import ConfigError, MissingApiKeyError
from ..providers.base import Provider
from ..providers.builtin import provider_table
from ..secret import HeaderValue, Secret, is_unseen
from .key_stores import KeyStore

NOWHERE = "none"
QUOTES = "\"'“”‘’«»`"


@dataclass(frozen=True, slots=True)
class Credential:
    """A key and where it came from.

    Attributes:
        key: None if no usable key was found.
        source: "argument", "typed in", "variable NAME", "keyring", "Colab" or "none".
        problem: Why the key cannot be used; "" for a usable key, or if none was found.
        unreadable: True if *problem* is that the store could not be read.
    """

    key: Secret | None
    source: str = NOWHERE
    problem: str = ""
    unreadable: bool = False


class Credentials:
    """The keys of one kit.

    The order is: keys that were passed or typed in, environment variables, stores. Variables are
    read at each use, so that changes count. Stores may be slow or ask the user: each is read once.
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

    @InterruptGuard()
    def type_in(self, provider: str, key: str) -> None:
        """Uses *key* for *provider* in this process, and writes it nowhere.

        Accepts an invalid key too: the provider's status then names the problem.

        Raises:
            UnknownProviderError: *provider* is unknown.
        """
        self._give(provider, key, "typed in")

    def forget(self, provider: str) -> None:
        """Drops a key that was passed or typed in, and what the stores returned."""
        self._overrides.pop(provider, None)
        self._cache = {place: c for place, c in self._cache.items() if place[1] != provider}

    def _give(self, provider: str, key: str, source: str) -> None:
        if self._provider_names is not None and provider not in self._provider_names():
            raise unknown_provider(provider_table(), provider, self._provider_names())
        self._overrides[provider] = _cleaned(HeaderValue(key), source)

    def find(self, provider: Provider, *, again: bool = False) -> Credential:
        """Returns the cleaned key for *provider*. *again* reads the stores a second time."""
        if provider.name in self._overrides:
            return self._overrides[provider.name]
        for variable in provider.key_vars:
            if self._environ.get(variable, "").strip():
                return _cleaned(HeaderValue(self._environ[variable]), f"variable {variable}")
        for store in self._stores():
            place = (store.name, provider.name)
            if again or place not in self._cache:
                self._cache[place] = _read(store, provider)
            credential = self._cache[place]
            if credential is not None:
                return credential
        return Credential(None)

    def require(self, provider: Provider) -> Secret | None:
        """Returns the key to send, None if *provider* works without one.

        Raises:
            MissingApiKeyError: *provider* needs a key, and none was found.
            ConfigError: The key is invalid, or a store could not be read.
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
    return MissingApiKeyError(
        f"{provider.name} needs an API key: {ways_to_give_key(provider)}",
        provider=provider.name,
        key_vars=provider.key_vars,
    )


def ways_to_give_key(provider: Provider) -> str:
    """Returns the two ways to give a missing key; the magic is named only if it is loaded."""
    shell = live_shell()
    names = " or ".join(provider.key_vars)
    if shell is not None and shell.find_line_magic("llmkit"):
        return f"set {names} or run %llmkit key {provider.name}"
    return f'set {names} or use llmkit.Kit(keys={{"{provider.name}": ...}})'


def _cleaned(raw: HeaderValue, source: str) -> Credential:
    # Copied keys may contain zero-width characters, byte order marks and soft hyphens.
    seen = HeaderValue("".join([c for c in raw if not is_unseen(c)]))
    key = HeaderValue(seen.strip().strip(QUOTES).strip())
    if not key:
        return Credential(None, source, "is empty; paste it again")
    if any(c.isspace() for c in key):
        return Credential(None, source, "contains a space or a line break; paste it again")
    if not key.isascii() or not key.isprintable():
        return Credential(None, source, "contains control or non-ASCII characters; paste it again")
    return Credential(Secret(key), source)


def _read(store: KeyStore, provider: Provider) -> Credential | None:
    if not provider.key_vars:
        return None
    try:
        raw_key = HeaderValue(store.read(provider.name, provider.key_vars) or "")
    except ConfigError as error:
        return Credential(None, store.name, str(error), unreadable=True)
    return _cleaned(raw_key, store.name) if raw_key else None


# A call, because IPython's Verbose mode prints the value of each attribute in a line.
_variables: Callable[[object], Mapping[str, str]] = attrgetter("_variables")


class Environment(Mapping[str, str]):
    """Reads the current variables; its repr shows none of them."""

    __slots__ = ("_variables",)

    def __init__(self, variables: Mapping[str, str]) -> None:
        self._variables = variables

    def __getitem__(self, name: str) -> str:
        return _variables(self)[name]

    def __iter__(self) -> Iterator[str]:
        return iter(_variables(self))

    def __len__(self) -> int:
        return len(_variables(self))

    def __repr__(self) -> str:
        return f"<Environment of {len(self)} variables>"
