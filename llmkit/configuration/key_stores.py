"""Where a person may keep keys besides the environment: the keyring, and Colab's user data."""

from __future__ import annotations

import sys
from importlib import import_module
from typing import Protocol

from ..errors import ConfigError

SERVICE = "llmkit"  # under which the keyring holds a key for each provider
NEEDS_KEYRING = 'pip install "llmkit[keyring]"'


class KeyStore(Protocol):
    """A place that holds keys.

    Attributes:
        name: As a status calls it.
    """

    name: str

    def read(self, provider: str, key_vars: tuple[str, ...]) -> str | None:
        """The key for *provider*, None where there is none.

        Raises:
            ConfigError: The store cannot be read; says what to do.
        """
        ...


class Keyring:
    """The operating system's own store, by the package keyring."""

    name = "keyring"

    def read(self, provider: str, key_vars: tuple[str, ...]) -> str | None:
        """The key that `write` left."""
        try:
            import keyring
            import keyring.errors
        except ImportError:
            raise ConfigError(f"needs the package keyring: {NEEDS_KEYRING}") from None
        try:
            key: str | None = keyring.get_password(SERVICE, provider)
        except (keyring.errors.KeyringError, RuntimeError) as error:
            raise ConfigError(_locked(error)) from None
        return key

    def write(self, provider: str, key: str | None) -> None:
        """Puts *key* in the place of an earlier one; None takes it away.

        Raises:
            ConfigError: There is no keyring, or it does not open.
        """
        try:
            import keyring
            import keyring.errors
        except ImportError:
            raise ConfigError(f"to keep a key, first: {NEEDS_KEYRING}") from None
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

    def read(self, provider: str, key_vars: tuple[str, ...]) -> str | None:
        """The first of *key_vars* that exists there and that this notebook may read."""
        userdata = import_module("google.colab.userdata")
        for variable in key_vars:
            try:
                key: str | None = userdata.get(variable)
            # Not there, or not granted to this notebook.
            except (userdata.SecretNotFoundError, userdata.NotebookAccessError):
                continue
            except userdata.TimeoutException:
                raise ConfigError(
                    f"did not answer for {variable}; run the cell in Colab's own page"
                ) from None
            if key:
                return key
        return None


def stores(*, keyring: bool) -> tuple[KeyStore, ...]:
    """The stores to look into, in order: the keyring if it is wanted, Colab's if we are there."""
    key_stores: list[KeyStore] = [Keyring()] if keyring else []
    if "google.colab" in sys.modules:  # Colab's kernels import it themselves
        key_stores.append(Colab())
    return tuple(key_stores)


def _locked(error: Exception) -> str:
    return (
        f"does not open ({type(error).__name__}); unlock it, or use an environment variable instead"
    )
