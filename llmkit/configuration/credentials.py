"""Finds the API keys of providers, and cleans and checks them."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from operator import attrgetter

from ..catalogue.names import unknown_provider
from ..cell import InterruptGuard, live_shell
from ..errors import ConfigError, MissingApiKeyError
from ..providers.base import Provider
from ..providers.builtin import provider_table
from ..secret import HeaderValue, Secret, is_unseen
from ..wire.base_urls import may_send_key, private_host
from .key_forms import fault_of, placeholder_fault
from .key_stores import KeyStore

NOWHERE = "none"
GIVEN = {"argument": "passed in keys=", "typed in": "typed in"}
QUOTES = "\"'“”‘’«»`"
Stored = tuple[HeaderValue, str, str]  # a text, its source and its place, before any check


@dataclass(frozen=True, slots=True)
class Credential:
    """A key and where it came from.

    Attributes:
        key: None if no usable key was found.
        source: "argument", "typed in", "variable NAME", "keyring", "Colab" or "none".
        problem: Why the key cannot be used; "" for a usable key, or if none was found.
        unreadable: True if *problem* is that the store could not be read.
        withheld: True if there is a key that is not sent to the provider's address.
    """

    key: Secret | None
    source: str = NOWHERE
    problem: str = ""
    unreadable: bool = False
    withheld: bool = False


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
        plain_http_hosts: Callable[[], tuple[str, ...]] = tuple,
    ) -> None:
        self._environ = environ
        self._stores = stores
        self._provider_names = known
        self._plain_http_hosts = plain_http_hosts
        self._overrides: dict[str, tuple[HeaderValue, str]] = {}
        for name, key in (given or {}).items():
            self._give(name, key, "argument")
        self._stored: dict[tuple[str, str], Stored | Credential | None] = {}  # by store and name
        self._latest: dict[str, tuple[object, Credential]] = {}

    @InterruptGuard()
    def type_in(self, provider: str, key: str) -> None:
        """Uses *key* for *provider* in this process, and writes it nowhere.

        Accepts an invalid key too: the provider's status then names the problem.

        Raises:
            UnknownProviderError: *provider* is unknown.
            ConfigError: *key* is not text.
        """
        self._give(provider, key, "typed in")

    def forget(self, provider: str) -> None:
        """Drops a key that was passed or typed in, and what the stores returned."""
        self._overrides.pop(provider, None)
        self._latest.pop(provider, None)
        self._stored = {place: s for place, s in self._stored.items() if place[1] != provider}

    def _give(self, provider: str, key: object, source: str) -> None:
        if self._provider_names is not None and provider not in self._provider_names():
            raise unknown_provider(provider_table(), provider, self._provider_names())
        if isinstance(key, Secret):
            key = key.reveal()
        if not isinstance(key, str):
            what = "None" if key is None else f"a value of type {type(key).__name__}"
            hint = "; os.environ.get returns None for a variable that is not set" * (key is None)
            raise ConfigError(f"the key for {provider} must be text, got {what}{hint}")
        self._overrides[provider] = HeaderValue(key), source

    def find(self, provider: Provider, *, again: bool = False) -> Credential:
        """Returns the cleaned key for *provider*. *again* reads the stores a second time."""
        name, variables = provider.name, provider.key_vars
        given = self._overrides.get(name)
        hosts = self._plain_http_hosts() if provider.key_needs_https else ()
        texts = () if given else tuple([self._variable(variable) for variable in variables])
        is_here = given is not None or "".join(texts).strip() != ""
        stored = None if is_here else self._from_stores(provider, again)
        state = given, texts, stored, provider.base_url, hosts
        latest = self._latest.get(name)
        if latest is not None and latest[0] == state:
            return latest[1]
        if isinstance(stored, Credential):
            return stored
        found = [] if given is None else [(*given, f"the key that was {GIVEN[given[1]]}")]
        found += [(self._variable(v), f"variable {v}", v) for v in variables]
        found += [] if stored is None else [stored]
        found = [one for one in found if one[0].strip() or one[1] in GIVEN]
        credential = self._checked(provider, found) if found else Credential(None)
        self._latest[name] = state, credential
        return credential

    def _from_stores(self, provider: Provider, again: bool) -> Stored | Credential | None:
        """Returns what the first store with a key has, or why it could not be read."""
        for store in self._stores() if provider.key_vars else ():
            place = (store.name, provider.name)
            if again or place not in self._stored:
                self._stored[place] = _read(store, provider)
            if (stored := self._stored[place]) is not None:
                return stored
        return None

    def has(self, provider: Provider) -> bool:
        """Returns True if a key was given, is in a variable, or came from a store before.

        Reads no store, because a store may be slow or ask the user.
        """
        if provider.name in self._overrides:
            return bool(self._overrides[provider.name][0].strip())
        if any(self._environ.get(variable, "").strip() for variable in provider.key_vars):
            return True
        stored = (one for place, one in self._stored.items() if place[1] == provider.name)
        return any(isinstance(one, tuple) and one[0].strip() for one in stored)

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

    def _variable(self, name: str) -> HeaderValue:
        return HeaderValue(self._environ.get(name, ""))

    def _checked(self, provider: Provider, found: Sequence[Stored]) -> Credential:
        """Returns the first of *found*, cleaned; each is a text, its source and its place."""
        (raw, source, place), *others = found
        hosts, url = self._plain_http_hosts(), provider.base_url
        if provider.key_needs_https and source not in GIVEN and not may_send_key(url, hosts):
            return Credential(None, source, withheld=True)
        # The manual of one's own server may ask for a placeholder.
        is_hosted = provider.needs_key and private_host(url) is None
        key, problem = _cleaned(raw, is_hosted=is_hosted)
        if problem:
            return Credential(None, source, problem)
        rivals = [other[2] for other in others if other[0].strip() and _cleaned(other[0])[0] != key]
        rival = f"{' and '.join(rivals)} holds another key, which is not used" if rivals else ""
        return Credential(Secret(key, place, rival), source)


def _read(store: KeyStore, provider: Provider) -> Stored | Credential | None:
    try:
        stored = store.read(provider.name, provider.key_vars)
    except ConfigError as error:
        return Credential(None, store.name, str(error), unreadable=True)
    return None if stored is None else (stored[0], store.name, stored[1])


def missing(provider: Provider) -> MissingApiKeyError:
    """The error of a provider without a key."""
    return MissingApiKeyError(
        f"{provider.name} needs an API key: {ways_to_give_key(provider)}",
        provider=provider.name,
        key_vars=provider.key_vars,
    )


def ways_to_give_key(provider: Provider) -> str:
    """Returns the two ways to give a missing key: the magic in IPython, a `Kit` elsewhere."""
    shell = live_shell()
    names = " or ".join(provider.key_vars)
    if shell is None:
        return f'set {names} or use llmkit.Kit(keys={{"{provider.name}": ...}})'
    first = "" if shell.find_line_magic("llmkit") else "%load_ext llmkit, then "
    return f"set {names} or run {first}%llmkit key {provider.name}"


def _cleaned(raw: HeaderValue, *, is_hosted: bool = False) -> tuple[HeaderValue, str]:
    """Returns *raw* without quotes and invisible characters, and why it is not a key.

    *is_hosted* also refuses what only one's own server accepts.
    """
    # Copied keys may contain zero-width characters, byte order marks and soft hyphens.
    seen = HeaderValue("".join([c for c in raw if not is_unseen(c)]).strip())
    key = HeaderValue(seen.strip(QUOTES).strip())
    if not key:
        return key, "is empty; paste it again"
    if fault := fault_of(seen) or fault_of(key) or (placeholder_fault(key) if is_hosted else ""):
        return key, fault
    if any(c.isspace() for c in key):
        return key, "contains a space or a line break; paste it again"
    if not key.isascii() or not key.isprintable():
        return key, "contains control or non-ASCII characters; paste it again"
    return key, ""


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
