"""Names the proxy of the environment in the error of a failed connection."""

from __future__ import annotations

import os
from urllib.parse import urlsplit
from urllib.request import getproxies, proxy_bypass

from ..wire.base_urls import is_loopback, url_parts

VARIABLES = ("https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY")


def proxy_advice(url: str, *, is_used: bool) -> str:
    """Returns what the environment's proxy has to do with a failed connection to *url*, "" if none.

    *is_used* is the setting `trust_env_proxies`. A host in NO_PROXY needs no proxy.
    """
    variable, proxy = _proxy_for(url)
    if not proxy:
        return ""
    if fault := _fault_of(proxy):
        return f"the proxy in {variable} {fault}"
    if variable.lower() == "all_proxy":
        return f"llmkit does not read {variable}; name the proxy in HTTPS_PROXY" + (
            "" if is_used else " and set trust_env_proxies=True"
        )
    if not is_used:
        return (
            f"{variable} names a proxy, which llmkit uses only if you set it: "
            "llmkit.configure(trust_env_proxies=True)"
        )
    return ""


def slow_proxy(url: str, *, is_used: bool) -> str:
    """Returns the same for a connection that took too long; names the proxy if it is used."""
    used = f"check the proxy {proxy_name(url)}" if is_used and _proxy_for(url)[1] else ""
    return proxy_advice(url, is_used=is_used) or used


def proxy_name(url: str) -> str:
    """Returns the host and port of the proxy for *url*, and its variable; without a password."""
    variable, proxy = _proxy_for(url)
    address = _address(proxy)
    return f"{address} of {variable}" if address else "the environment's proxy"


def _fault_of(proxy: str) -> str:
    """Returns what is wrong with the URL *proxy*, and what to do; "" for nothing."""
    if _address(proxy) is None:
        codes = "write special characters of its password by their codes"
        return f"is not a URL; {codes}, such as %23 for # and %2F for /"
    scheme = proxy.partition("://")[0].lower() if "://" in proxy else ""
    if scheme != "http":
        what = f"begins with {scheme}://" if scheme else "has no http:// before it"
        return f"{what}, and llmkit needs one with http://"
    return "" if url_parts(proxy).hostname else "has no host; write it as http://HOST:PORT"


def _address(proxy: str) -> str | None:
    """Returns the host and port in the URL *proxy*, without a password; None if it is not a URL.

    A # or / in the password ends the part with the host, and what follows has the last @.
    """
    url = proxy if "://" in proxy else f"//{proxy}"
    netloc = url_parts(url).netloc
    return netloc.rpartition("@")[2] if url.count("@") == netloc.count("@") else None


def _proxy_for(url: str) -> tuple[str, str]:
    """Returns the variable and the URL of the proxy for *url*; both are "" if there is none."""
    parts = urlsplit(url)
    host = parts.hostname or ""
    if parts.scheme != "https" or is_loopback(host) or proxy_bypass(host):
        return "", ""
    proxies = getproxies()
    proxy = proxies.get("https") or proxies.get("all") or ""
    variable = next((name for name in VARIABLES if os.environ.get(name) == proxy), "the system")
    return (variable, proxy) if proxy else ("", "")
