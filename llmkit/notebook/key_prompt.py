"""How a key comes into a notebook without leaving a trace in it."""

from __future__ import annotations

import getpass
from collections.abc import Iterable
from typing import Any

from IPython.core.error import StdinNotImplementedError, UsageError

from ..configuration.key_stores import Keyring
from ..secret import looks_like_key
from .lazy_api import api

NAMES = ("key", "api-key", "api_key", "apikey", "token", "secret", "password")


def refuse_keys(words: Iterable[str]) -> None:
    """Nothing, where none of a magic's *words* is a key or says that one follows.

    Raises:
        UsageError: One is; says why it must not stand there, and not what it is.
    """
    for word in words:
        name, _, value = word.partition("=")
        is_option = name.startswith("--") or bool(value)
        if (is_option and name.lstrip("-").lower() in NAMES) or any(
            map(looks_like_key, (word, value))
        ):
            raise UsageError(
                "a key in a magic stays in the notebook and in the history of its commands: take "
                "it out of the cell, and type it in with %llmkit key PROVIDER, which shows nothing"
            )


def key(provider: str, flag: str = "") -> Any:
    """`%llmkit key PROVIDER [--save|--forget]`: asks for a key unseen, and checks it."""
    kit = api().current_kit()
    kit.registry.provider(provider)
    if flag not in ("", "--save", "--forget"):
        raise UsageError(f"there is no option {flag}; did you mean --save or --forget?")
    if flag == "--forget":
        kit.credentials.forget(provider)
        if kit.settings.keyring:
            Keyring().write(provider, None)
        return kit.checks.status(provider)
    try:
        # Not imported by its name: a kernel puts its own in that place for each cell. In no
        # variable: the frame of a check that fails would hold the key.
        kit.credentials.type_in(provider, getpass.getpass(f"Key for {provider}: "))
    except StdinNotImplementedError:
        raise UsageError(
            "nobody can be asked for a key here; set the provider's environment variable"
        ) from None
    if flag == "--save":
        credential = kit.credentials.find(kit.registry.provider(provider))
        if credential.key is None:
            raise UsageError(f"the key {credential.problem}")
        Keyring().write(provider, str(credential.key.reveal()))
        kit.configure(keyring=True)
        print("kept in the keyring; LLMKIT_KEYRING=1 makes later kernels look there")  # noqa: T201
    return api().check(provider)
