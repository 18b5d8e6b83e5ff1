"""Asks for API keys in a notebook, so that none is saved in it or in the history."""

from __future__ import annotations

import getpass
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from IPython.core.error import StdinNotImplementedError, UsageError

from ..configuration.key_stores import Keyring
from ..errors import ConfigError
from ..secret import hides_locals, looks_like_key
from .lazy_api import api

if TYPE_CHECKING:
    from ..authentication.status import AuthStatus
    from ..kit import Kit

UNUSABLE = ("malformed", "rejected", "no_permission", "no_key")
NAMES = ("key", "api-key", "api_key", "apikey", "token", "secret", "password")


def refuse_keys(words: Iterable[str]) -> None:
    """Raises a UsageError if one of a magic's *words* is an API key or an option that takes one.

    The message does not repeat the key.
    """
    for word in words:
        name, _, value = word.partition("=")
        is_option = name.startswith("--") or bool(value)
        if (is_option and name.lstrip("-").lower() in NAMES) or any(
            map(looks_like_key, (word, value))
        ):
            raise UsageError(
                "an API key in a magic is saved in the notebook and in the command history: remove "
                "it from the cell and run %llmkit key PROVIDER, which asks without showing it"
            )


def key(provider: str, flag: str = "") -> Any:
    """Asks for a key without showing it and checks it: `%llmkit key PROVIDER [--save|--forget]`."""
    kit = api().current_kit()
    kit.registry.provider(provider)
    if flag not in ("", "--save", "--forget"):
        raise UsageError(f"unknown option {flag}; did you mean --save or --forget?")
    if flag == "--forget":
        kit.credentials.forget(provider)
        if kit.settings.keyring:
            Keyring().write(provider, None)
        return kit.checks.status(provider)
    try:
        # As an attribute: a kernel replaces getpass.getpass for each cell. Without a variable: the
        # traceback of a failed check would hold the key.
        kit.credentials.type_in(provider, getpass.getpass(f"Key for {provider}: "))
    except StdinNotImplementedError:
        raise UsageError(
            "this front end cannot ask for a key; set the provider's environment variable"
        ) from None
    if flag == "--save":
        credential = kit.credentials.find(kit.registry.provider(provider))
        if credential.key is None:
            raise UsageError(f"the key {credential.problem}")
        Keyring().write(provider, str(credential.key.reveal()))
        kit.configure(keyring=True)
        print("saved in the keyring; set LLMKIT_KEYRING=1 so that new kernels read it")  # noqa: T201
    return api().check(provider)


@hides_locals
async def take_key(kit: Kit, provider: str, key: str) -> AuthStatus:
    """Uses *key* for *provider* in this kernel, saves it nowhere, and returns its check.

    Raises:
        UnknownProviderError: *provider* is unknown; the key is not kept.
    """
    kit.registry.provider(provider)
    kit.credentials.type_in(provider, key)
    return await kit.checks.check(provider)


@hides_locals
async def set_key(kit: Kit, provider: str, key: str) -> None:
    """Takes a key from the card of an answer; `partial(set_key, kit)` is its action "key".

    Raises:
        ConfigError: The key cannot be used; the message says what to do.
    """
    status = await take_key(kit, provider, key)
    if status.state in UNUSABLE:
        raise ConfigError(f"the key for {provider} cannot be used: {status.advice}")
