"""Where a provider's key comes from, and what is done to it before it is used."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from ..errors import ConfigError, MissingApiKeyError
from ..providers.base import Provider
from ..secret import Secret

NOWHERE = "none"
QUOTES = "\"'“”‘’«»`"
# Copied keys bring these along: zero-width characters, byte order marks, soft hyphens.
INVISIBLE = re.compile("[\u00ad\u200b-\u200f\u2028\u2029\u2060\ufeff]")
KEYRING_SERVICE = "llmkit"


@dataclass(frozen=True, slots=True)
class Credential:
    """A key and where it came from.

    Attributes:
        key: None where there is none.
        source: "typed in", "variable NAME", "keyring" or "none".
        problem: Why the key cannot be one, "" where it can.
    """

    key: Secret | None
    source: str = NOWHERE
    problem: str = ""


class Credentials:
    """The keys of one kit; reads the environment anew each time, so a changed key is noticed."""

    def __init__(self, environ: Mapping[str, str], *, keyring: bool = False) -> None:
        self._environ = environ
        self._typed: dict[str, str] = {}
        self._keyring = keyring

    def type_in(self, provider: str, key: str) -> None:
        """Uses *key* for *provider* in this process; it is written nowhere."""
        self._typed[provider] = key

    def forget(self, provider: str) -> None:
        """Drops a key that was typed in."""
        self._typed.pop(provider, None)

    def find(self, provider: Provider) -> Credential:
        """The key for *provider*, cleaned; one that cannot be a key says why in `problem`."""
        if provider.name in self._typed:
            return _cleaned(self._typed[provider.name], "typed in")
        for variable in provider.key_vars:
            if self._environ.get(variable, "").strip():
                return _cleaned(self._environ[variable], f"variable {variable}")
        if self._keyring:
            found = _from_keyring(provider.name)
            if found:
                return _cleaned(found, "keyring")
        return Credential(None)

    def require(self, provider: Provider) -> Secret | None:
        """The key to send, None where *provider* works without one.

        Raises:
            MissingApiKeyError: It needs one, and there is none.
            ConfigError: What is there cannot be a key.
        """
        found = self.find(provider)
        if found.problem:
            raise ConfigError(f"the key for {provider.name} ({found.source}) {found.problem}")
        if found.key is None and provider.needs_key:
            raise missing(provider)
        return found.key


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


def _from_keyring(provider: str) -> str | None:
    try:
        import keyring
    except ImportError:
        raise ConfigError('keys from the keyring need: pip install "llmkit[keyring]"') from None
    found: str | None = keyring.get_password(KEYRING_SERVICE, provider)
    return found
