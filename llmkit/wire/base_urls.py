"""Checks base URLs: their form, whether a key may be sent there, and whose network it is."""

from __future__ import annotations

import re
from contextlib import suppress
from functools import lru_cache
from urllib.parse import SplitResult, parse_qsl, urlsplit

from ..errors import ConfigError, shorten, shown
from ..secret import MASK, looks_like_key
from ..text.words import KEY_WORDS

# https://www.iana.org/assignments/special-use-domain-names, RFC 6762 (appendix G), and the networks
# of Tailscale (read 2026-11-30).
PRIVATE_NAMES = (
    ".local", ".localhost", ".test", ".internal", ".intranet", ".private", ".corp", ".home",
    ".lan", ".home.arpa", ".ts.net",
)  # fmt: skip
# Further parameters of a URL that hold a secret: signatures, and Azure Functions' `code`.
KEY_PARAMETERS = ("sig", "signature", "code", "auth", "jwt", "pwd")
# A host without a scheme: this machine, or a name with a domain or a port.
_SERVER = re.compile(
    r"(?:localhost|\[[0-9a-f:]+\]|[\w-]+(?:\.[\w-]+)+|[\w-]+(?=:\d))(?::\d{1,5})?(?=[/?]|$)", re.I
)
_USER = re.compile(r"^([a-z][a-z0-9+.-]*://)?.*@", re.I | re.S)  # up to the last @
# Where a server listens on all addresses; a client cannot call it everywhere
# (https://github.com/ollama/ollama-python/issues/471, read 2026-11-30).
_ANY_ADDRESS = re.compile(r"(?<=://)(?:0\.0\.0\.0|\[::\])(?=[:/?]|$)")


def url_parts(url: str) -> SplitResult:
    """Returns the parts of *url*; all are empty if it is not a URL, such as "http://[::1"."""
    parts = urlsplit("")
    with suppress(ValueError):
        found = urlsplit(url)
        parts = found if found.port != 0 else parts  # it raises if the port is not a number
    return parts


def without_user(url: str) -> str:
    """Returns *url* with `***` instead of its user name and password, also if it is not a URL."""
    netloc = url_parts(url).netloc
    if netloc:
        place = netloc.rpartition("@")[2]
        return url.replace(netloc, f"{MASK}@{place}", 1) if "@" in netloc else url
    return _USER.sub(rf"\1{MASK}@", url)


@lru_cache(maxsize=256)
def refuse_plain_http(url: str, *, has_key: bool, hosts: tuple[str, ...] = ()) -> None:
    """Raises ConfigError if *url* is not a base URL, or would send a key in clear text.

    *hosts* are those of the setting `plain_http_hosts`.
    """
    parts = url_parts(url)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise ConfigError(
            "base URL must begin with https:// or http://, got "
            f"{shown(without_user(url.partition('?')[0]))}"
        )
    if parts.username or parts.password:
        raise ConfigError("base URL must not contain a user name or password; set a key instead")
    if "#" in url:
        raise ConfigError("base URL must not contain #; leave it out, and what follows it")
    if name := key_parameter(parts.query):
        raise ConfigError(
            f"base URL must not contain a key, got ?{shorten(name, 40)}=; URLs are written to "
            "logs, so leave it out and set the provider's key instead"
        )
    if has_key and not is_loopback(parts.hostname) and not may_send_key(url, hosts):
        raise ConfigError(
            f"base URL must begin with https:// to send a key to {parts.hostname}, got http://: "
            "the key, or a header of your own, would cross the network in clear text; if the "
            f'network is yours, call llmkit.configure(plain_http_hosts=["{parts.hostname}"])'
        )


@lru_cache(maxsize=256)
def may_send_key(url: str, hosts: tuple[str, ...]) -> bool:
    """Returns True if *url* is https, or its host is one of *hosts*, with or without its port."""
    parts = url_parts(url)
    return parts.scheme == "https" or parts.hostname in hosts or parts.netloc.lower() in hosts


def full_url(text: str) -> str:
    """Returns the base URL in *text* with its scheme, and an address that a client can call.

    Without a scheme, this machine and private networks mean http, any other host means https.
    What is not a URL is returned as it is.
    """
    url = text.strip().strip("\"'").strip()
    if "://" not in url and _SERVER.match(url):
        scheme = "http" if private_host(f"//{url}") else "https"
        url = f"{scheme}://{url}"
    return _ANY_ADDRESS.sub(lambda m: "[::1]" if "[" in m[0] else "127.0.0.1", url)


def key_parameter(query: str) -> str | None:
    """Returns the name of the parameter of a URL's *query* that holds a key, None for none."""
    for name, value in parse_qsl(query, keep_blank_values=True):
        word = name.lower()
        if word.endswith(KEY_WORDS) or word in KEY_PARAMETERS or value == MASK:
            return name
        if looks_like_key(value):
            return name
    return None


def is_loopback(host: str) -> bool:
    """Returns True if data for *host* does not leave this machine."""
    if host == "localhost":
        return True
    import ipaddress

    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


@lru_cache(maxsize=256)
def private_host(url: str) -> str | None:
    """Returns the host of *url* if it is this machine or in a private network, else None."""
    host = (url_parts(url).hostname or "").rstrip(".")
    if not host:
        return None
    import ipaddress

    try:
        return None if ipaddress.ip_address(host).is_global else host
    except ValueError:
        is_private = "." not in host or host.startswith("127.") or host.endswith(PRIVATE_NAMES)
        return host if is_private else None
