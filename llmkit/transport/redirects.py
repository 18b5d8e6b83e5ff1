"""Explains a redirect, which is never followed: it would carry the key to another address."""

from __future__ import annotations

import re
from urllib.parse import urljoin, urlsplit

from ..errors import ProviderError, shorten
from ..providers.base import Provider
from ..providers.error_bodies import refused
from ..wire.messages import HttpResponse

LONGEST = 160  # characters of an address
# Words in the addresses of sign-in pages.
_SIGN_IN = re.compile(
    r"(?i)(?<![a-z])(?:log-?[io]n|sign-?in|sso|saml2?|oauth2?|authorize|openid(?:-connect)?|adfs|idp"
    r"|okta|auth0|keycloak|microsoftonline|cloudflareaccess|accounts\.google)(?![a-z])"
)


def redirected(provider: Provider, response: HttpResponse, url: str) -> ProviderError:
    """Returns the error for a redirect of a request to *url*: where it leads, and what to do."""
    location = response.headers.get("location", "").strip()
    try:
        parts = urlsplit(urljoin(url, location))
    except ValueError:
        parts = urlsplit("")
    if not location or not parts.hostname:
        return provider.error_from(response)
    host = parts.netloc.rpartition("@")[2]  # without a user name
    target = f"{parts.scheme}://{host}{parts.path}"  # a query may hold a token
    asked, suffix = urlsplit(url), url.partition("?")[0].removeprefix(provider.base_url)
    base = target.removesuffix("/").removesuffix(suffix)
    if asked.scheme == "https" and parts.scheme == "http":
        then = "it would send the key in clear text: correct the base URL, or ask the operator of "
        then += "the server why it leads from https to http"
    elif target == f"{asked.scheme}://{asked.netloc}{asked.path}":
        then = "it is the same address: the server may want a cookie or a sign-in; ask its operator"
        then += " for an address that takes keys"
    elif _SIGN_IN.search(f"{host}{parts.path}") and not target.endswith(suffix):
        then = (
            "it looks like a sign-in page: sign in to your network (VPN), or ask the operator of "
        )
        then += "the server for an address that takes keys"
    elif base in (target, target.removesuffix("/")):
        then = "correct the base URL, or ask the operator of the server for the right one"
    elif base == provider.base_url:
        then = "the server wants another form of the path; ask its operator for the right base URL"
    else:
        then = f"set the base URL of {provider.name} to {shorten(base, LONGEST)}"
    words = f"it leads to {shorten(target, LONGEST)}"
    return refused(provider, response.status, words, then=then)
