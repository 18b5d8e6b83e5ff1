"""Checks the user's own request headers; their values are secrets and in no message."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping

from ..catalogue.names import unknown_provider
from ..errors import ConfigError, shown
from ..providers.builtin import provider_table
from ..secret import Secret

_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")  # a token of RFC 9110, section 5.6.2
_VALUE = re.compile(r"[!-~](?:[\t -~]*[!-~])?")
# They describe the connection or the body, which the transport makes (RFC 9110, RFC 9112).
OF_THE_TRANSPORT = frozenset({
    "accept-encoding", "connection", "content-encoding", "content-length", "content-type", "expect",
    "host", "keep-alive", "proxy-authorization", "proxy-connection", "te", "trailer",
    "transfer-encoding", "upgrade",
})  # fmt: skip


def own_headers(
    headers: Mapping[str, Mapping[str, Secret]], providers: Collection[str]
) -> dict[str, Mapping[str, Secret]]:
    """Returns *headers*, the setting, by the name of each provider.

    Args:
        providers: The names of all providers; those of built-in ones may be spelt otherwise.

    Raises:
        ConfigError: A name or a value cannot be sent.
        UnknownProviderError: *headers* name a provider that does not exist.
    """
    table, result = provider_table(), dict[str, Mapping[str, Secret]]()
    for spelling, entries in headers.items():
        provider = spelling if spelling in providers else table.name_of(spelling)
        if provider not in providers:
            raise unknown_provider(table, spelling, providers)
        if provider in result:
            raise ConfigError(f"headers names {provider} twice; write its headers into one table")
        spellings: dict[str, str] = {}
        for name, value in entries.items():
            _check(provider, name, value)
            if spellings.setdefault(name.lower(), name) != name:
                raise ConfigError(
                    f"headers of {provider}: {spellings[name.lower()]} and {name} are the same "
                    "header; leave one out"
                )
        result[provider] = dict(entries)
    return result


def _check(provider: str, name: str, value: Secret) -> None:
    place = f"headers of {provider}"
    if not _NAME.fullmatch(name):
        raise ConfigError(
            f"{place}: a name must be a word of letters, digits and hyphens, got {shown(name)}"
        )
    if name.lower() in OF_THE_TRANSPORT:
        raise ConfigError(f"{place}: llmkit sets {name} itself; leave it out")
    if not _VALUE.fullmatch(value.reveal()):
        raise ConfigError(
            f"{place}: the value of {name} must be printable ASCII text in one line, without "
            "blanks around it"
        )
