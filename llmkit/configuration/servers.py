"""Checks the servers that the user added as providers: names, keys and base URLs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..errors import ConfigError
from ..providers.builtin import PROVIDERS, provider_table
from ..wire.base_urls import full_url, refuse_plain_http


def check_servers(providers: Mapping[str, Mapping[str, Any]], hosts: tuple[str, ...]) -> None:
    """Raises ConfigError if an added server uses a name or a key of a built-in provider.

    Also if it would get a key over plain http and is not one of *hosts*.
    """
    if not providers:
        return
    if len({name.lower() for name in providers}) < len(providers):
        raise ConfigError(
            f"provider names must differ in more than upper and lower case, got "
            f"{', '.join(providers)}; rename one of them"
        )
    owners = {variable: name for name, kind in PROVIDERS.items() for variable in kind.key_vars}
    for name, entry in providers.items():
        built_in = provider_table().name_of(name)
        if built_in in PROVIDERS:
            raise ConfigError(
                f"the provider name {name!r} is taken by the built-in {built_in}; choose another "
                f"name, or set base_urls to send {built_in} elsewhere"
            )
        owner = owners.get(entry.get("key_var", ""))
        if owner is not None:
            raise ConfigError(
                f"{entry['key_var']} holds the key of {owner}, and a key is sent to one provider "
                f"only; set another key_var for {name}, or set base_urls to send {owner} there"
            )
        try:
            refuse_plain_http(full_url(entry["base_url"]), has_key="key_var" in entry, hosts=hosts)
        except ConfigError as error:
            raise ConfigError(f"providers: {name}: {error}") from None
