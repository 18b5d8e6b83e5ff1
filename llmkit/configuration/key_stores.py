"""Reads keys from the system keyring and from Colab's user data."""

from __future__ import annotations

import sys
from importlib import import_module
from typing import Protocol

from ..cell import InterruptGuard, ready
from ..errors import ConfigError
from ..secret import HeaderValue

SERVICE = "llmkit"  # the keyring's service name; its user names are the providers
NEEDS_KEYRING = 'pip install "llmkit[keyring]"'


StoredKey = tuple[HeaderValue, str]  # a key, and how messages name its place


class KeyStore(Protocol):
    """A place that holds keys; a status shows its *name*."""

    name: str

    def read(self, provider: str, key_vars: tuple[str, ...]) -> StoredKey | None:
        """Returns the key for *provider*, None if there is none.

        Raises:
            ConfigError: The store cannot be read; the message says what to do.
        """
        ...


class Keyring:
    """The operating system's key store, through the package keyring."""

    name = "keyring"

    def read(self, provider: str, key_vars: tuple[str, ...]) -> StoredKey | None:
        """Returns the key that `write` stored."""
        try:
            ready("keyring")
            import keyring
            import keyring.errors
        except ImportError:
            raise ConfigError(f"needs the package keyring: {NEEDS_KEYRING}") from None
        try:
            key = HeaderValue(keyring.get_password(SERVICE, provider) or "")
        except (keyring.errors.KeyringError, RuntimeError) as error:
            raise ConfigError(_locked(error)) from None
        return (key, "the key in the keyring") if key else None

    @InterruptGuard()
    def write(self, provider: str, key: str | None) -> None:
        """Stores *key* instead of an earlier one; None deletes it.

        Raises:
            ConfigError: The keyring is missing or cannot be opened.
        """
        try:
            ready("keyring")
            import keyring
            import keyring.errors
        except ImportError:
            raise ConfigError(f"storing a key needs the package keyring: {NEEDS_KEYRING}") from None
        try:
            if key is not None:
                keyring.set_password(SERVICE, provider, key)
            elif keyring.get_password(SERVICE, provider) is not None:
                keyring.delete_password(SERVICE, provider)
        except (keyring.errors.KeyringError, RuntimeError) as error:
            raise ConfigError(f"the keyring {_locked(error)}") from None


class Colab:
    """The secrets of Google Colab's side bar, under the names of the environment variables."""

    name = "Colab"

    def read(self, provider: str, key_vars: tuple[str, ...]) -> StoredKey | None:
        """Returns the first of *key_vars* that exists and that this notebook may read.

        Raises:
            ConfigError: This notebook may read none of those that exist.
        """
        userdata = import_module("google.colab.userdata")
        locked = ""
        for variable in key_vars:
            try:
                key = HeaderValue(userdata.get(variable) or "")
            except userdata.SecretNotFoundError:
                continue
            except userdata.NotebookAccessError:
                locked = locked or variable
                continue
            except userdata.TimeoutException:
                raise ConfigError(
                    f"did not return {variable} in time; run the cell in Colab's own page"
                ) from None
            if key:
                return key, f"Colab's secret {variable}"
        if locked:
            # The column of the side bar is called so (read 2026-11-30).
            raise ConfigError(
                f"is the secret {locked}, which this notebook may not read: open Secrets (the key "
                'in the side bar), switch on "Notebook access" beside it, then run '
                f'llmkit.check("{provider}")'
            )
        return None


def stores(*, keyring: bool) -> tuple[KeyStore, ...]:
    """Returns the stores to search, in order: the keyring if wanted, Colab's if on Colab."""
    key_stores: list[KeyStore] = [Keyring()] if keyring else []
    if "google.colab" in sys.modules:  # imported by Colab's kernels
        key_stores.append(Colab())
    return tuple(key_stores)


def _locked(error: Exception) -> str:
    return f"does not open ({type(error).__name__}); unlock it, or use an environment variable"
