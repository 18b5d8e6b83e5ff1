"""Adapts any server with OpenAI's chat completions API to a provider with the user's name."""

from __future__ import annotations

from dataclasses import replace

from ..catalogue.provider_table import ProviderFacts
from ..secret import Secret
from .chat_completions import OpenAIChat


class Compatible(OpenAIChat):
    """A server that the user added; only its dialect is known."""

    facts = ProviderFacts("reseller", think_tags=True)
    own_words = ("max_completion_tokens", "n_predict", "random_seed")  # of llama.cpp, and Mistral's
    is_added = True
    needs_key = False
    proves_key = False  # many such servers list their models without a key


def compatible(
    name: str,
    base_url: str,
    key_vars: tuple[str, ...] = (),
    priced: bool = True,
    headers: tuple[tuple[str, Secret], ...] = (),
) -> Compatible:
    """Returns a provider called *name* at *base_url*.

    Args:
        name: The name in `provider=` and before a colon.
        base_url: The URL without `/chat/completions`, as in OpenAI's SDK; it may have a query.
        key_vars: Environment variables that may hold its key; without any it needs no key.
        priced: False if its answers cost nothing.
        headers: Further headers of its requests.
    """
    members = {
        "__doc__": Compatible.__doc__, "name": name, "label": name, "default_base_url": base_url,
        "key_vars": tuple(key_vars), "needs_key": bool(key_vars),
        "facts": replace(Compatible.facts, priced=priced),
    }  # fmt: skip
    server: Compatible = type("Compatible", (Compatible,), members)(base_url)
    server.headers = dict(headers)
    return server
