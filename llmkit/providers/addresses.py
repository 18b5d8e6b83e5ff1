"""Reads base URLs in the forms that people write, and tells a wrong address from a missing model.

Called by `Provider` when it is made, and by `error_bodies` after a refusal. Sends nothing.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import lru_cache
from types import MappingProxyType
from typing import Literal, NamedTuple
from urllib.parse import SplitResult, urlencode, urlsplit

from ..errors import shorten
from ..secret import MASK
from ..wire.base_urls import full_url, key_parameter, url_parts, without_user
from ..wire.messages import HttpRequest

CHAT = "/chat/completions"  # the path of the chat-completions dialect
# What a base URL of that dialect ends in when the URL of a request was copied: the chats, and other
# requests beside them (https://github.com/harry0703/MoneyPrinterTurbo/issues/57 and
# https://github.com/nextcloud/assistant/issues/593, read 2026-11-30). Azure has a path /models.
REQUEST_PATHS = re.compile(
    r"(?:/chat)?/completions$|/responses$|/embeddings$"
    r"|(?:(?<=/v\d)|(?<=/v\dbeta))/(?:chat|models|messages)$"
)
_REPEATED = re.compile(r"(/v\d+(?:alpha|beta)?)\1+$")
_VERSION = re.compile(r"/v\d")
# Hosts that answer chat completions below one path only, that of the base URL in their own
# documentation. People leave it out, or a part of it
# (https://github.com/zeroclaw-labs/zeroclaw/pull/346,
# https://github.com/theJayTea/WritingTools/issues/263,
# https://github.com/flagdizero/jenny-android-ai-agent/issues/18, read 2026-11-30).
PATHS: Mapping[str, str] = MappingProxyType({
    **dict.fromkeys(("api.openai.com", "api.anthropic.com", "api.mistral.ai", "api.x.ai",
                     "api.together.xyz", "api.cerebras.ai", "integrate.api.nvidia.com",
                     "router.huggingface.co", "gen.pollinations.ai"), "/v1"),
    "openrouter.ai": "/api/v1", "api.groq.com": "/openai/v1",
    "api.fireworks.ai": "/inference/v1",
    "generativelanguage.googleapis.com": "/v1beta/openai",
})  # fmt: skip
# https://learn.microsoft.com/azure/foundry/openai/api-version-lifecycle (read 2026-11-30): below
# /openai/v1 the deployment is the model of the request, and no version is needed.
AZURE = "/openai/v1"
AZURE_HOSTS = tuple(
    f".{name}.azure.{end}"
    for name in ("openai", "cognitiveservices", "services.ai")
    for end in ("com", "us", "cn")
)
AZURE_VERSION = "2024-10-21"  # the newest of those that end in no "-preview"

# Statuses of a server that has no such path, or no such model.
ABSENT = (404, 410)
NO_METHOD = 405
OTHER_REASONS = (401, 402, 408, 413, 425, 429)  # key, money, time, size, rate
# Words about the address, whatever the status: OpenAI, Groq, LM Studio (with 200), Fastify,
# Cloudflare (with 400), Kong, Bedrock, and the gateway of AWS (with 403:
# https://github.com/aws/chalice/issues/12, read 2026-11-30).
_ABOUT_PATHS = re.compile(
    r"(?:url|endpoint|route|path|method|api|cannot|invalid|unknown)\b[^.;]{0,60}?"
    r"\b(?:get|post)\b\W{0,3}/"
    r"|unknown_url|unknown request url|unrecognized request url|unexpected endpoint or method"
    r"|\bno route\b|could not route|unknownoperationexception|unsupported method \("
    r"|^\W*missing authentication token\W*$"
)
_ABOUT_VERSIONS = re.compile(
    r"(?:missing|required|invalid|unsupported)[^.]{0,40}\bapi-version\b|missingapiversion"
    r"|\bapi-version\b[^.,]{0,60}?(?:missing|required|not supported|unsupported|invalid|specified)"
    r"|api version (?:query parameter|not supported)|api versions? \d{4}-\d\d"
    r"|(?:invalid|unsupported)apiversion"
)
# Words about a model, after the paths are cut out: those of all servers, and what Azure, NVIDIA,
# OpenRouter, Databricks, Bedrock and mlx-lm call it
# (https://github.com/Alishahryar1/free-claude-code/issues/956, read 2026-11-30).
_ABOUT_MODELS = re.compile(
    r"mod[eè]l|模型|モデル|모델|api deployment|deploymentnotfound|function '[^']{1,80}'"
    r"|deployment\b.{1,80}(?:not exist|not found)|no endpoints? (?:found|available)"
    r"|no allowed providers|endpoint with name|inference profile|\blora\b|\badapter\b"
    r"|repository not found|\brepo_id\b"
)
_CALLED = re.compile(r"\b(?:get|post)\b\W{0,3}/")  # the request itself
# Words about the address if the status is one of ABSENT: Go, llama.cpp, Azure, Flask, Laravel ...
_ABOUT_ADDRESSES = re.compile(
    r"\bur[li]\b|\broute\b|\bpath\b|\bpage\b|\bsite\b|file not found|resource not found"
    r"|(?:unknown|invalid|unsupported|no such) endpoint|not allowed|please use http"
)
_PATH = re.compile(r"https?://[^\s\"'`<>]*|(?<![\w.:-])/[^\s\"'`<>)]*")


class Address(NamedTuple):
    """A base URL as it is used.

    Attributes:
        base_url: Without query and without a slash at its end.
        query: What follows the path of each request, such as "?api-version=2024-10-21"; or "".
        version: The API version that the base URL had at its end, "" for none.
        is_azure: True for a resource of Azure, which reads a key in the header `api-key`.
        note: Says that it was not used as it was written; None if it was.
    """

    base_url: str
    query: str = ""
    version: str = ""
    is_azure: bool = False
    note: str | None = None


@lru_cache(maxsize=256)
def read_address(given: str, name: str, superfluous: re.Pattern[str], *, is_chat: bool) -> Address:
    """Returns the base URL *given* for the provider *name* in the form that is certainly meant.

    A URL that must not be used, such as one with a key in its query, stays as it is, with the key
    masked: `refuse_plain_http` refuses it before the first request.

    Args:
        superfluous: Matches the end of a path to which llmkit adds its own.
        is_chat: True for the chat-completions dialect.
    """
    url = full_url(given)
    parts = url_parts(url)
    host = parts.hostname
    secret = key_parameter(parts.query)
    if not host:
        return Address(without_user(url).rstrip("/"))
    if secret is not None or "#" in url or "@" in parts.netloc:  # it is refused, and shown
        query = parts.query if secret is None else urlencode({secret: MASK}, safe="*")
        fragment = MASK if "#" in url else ""
        return Address(without_user(parts._replace(query=query, fragment=fragment).geturl()))
    path, version = _meant(parts.path.rstrip("/"), superfluous)
    query = f"?{parts.query}" if parts.query else ""
    if is_chat and (right := _only_path(host, path)) is not None:
        path, query = right, "" if right == AZURE else query
    base_url = parts._replace(path=path, query="").geturl()
    used = f"{base_url}{f'/{version}' if version else ''}{query}"
    plain = given.strip().strip("\"'").rstrip("/").replace("/?", "?")
    note = None
    if plain != used:
        note = f"base URL {shorten(plain, 120)} of {name} was read as {shorten(used, 120)}"
    return Address(base_url, query, version, host.endswith(AZURE_HOSTS), note)


def _meant(path: str, superfluous: re.Pattern[str]) -> tuple[str, str]:
    version, earlier = "", None
    while path != earlier:
        earlier = path
        path = _REPEATED.sub(r"\1", path)
        if match := superfluous.search(path):
            version = version or match.groupdict().get("version") or ""
            path = path[: match.start()].rstrip("/")
    return path, version


def _only_path(host: str, path: str) -> str | None:
    """Returns the one path of *host* if *path* is a part of it or has its parts twice."""
    right = AZURE if host.endswith(AZURE_HOSTS) else PATHS.get(host)
    if right is None or path == right:
        return None
    return right if {*path.split("/")} <= {*right.split("/"), "v1"} else None


def with_query(url: str, query: str) -> str:
    """Returns *url*, which may have a query, with the *query* of an `Address`."""
    return f"{url}&{query[1:]}" if query and "?" in url else url + query


def subject_of(
    status: int, words: str, model: str = ""
) -> Literal["address", "version", "either", "model"] | None:
    """Returns what a refusal with *status* and the reason and code *words* is about.

    "either" is very probably the address, and perhaps a model: NVIDIA answers "404 page not found"
    for both (https://github.com/continuedev/continue/issues/10303, read 2026-11-30). None if that
    cannot be told, or if it is about something else.

    Args:
        model: The id that was asked, "" if it is not known.
    """
    if status in OTHER_REASONS or 300 <= status < 400:
        return None
    text = words.lower()
    if _ABOUT_VERSIONS.search(text):
        return "version"
    is_called = status in ABSENT and _CALLED.search(text)
    if status == NO_METHOD or is_called or _ABOUT_PATHS.search(text):
        return "address"
    if status not in ABSENT:
        return None
    text = _PATH.sub(" ", text)
    if _ABOUT_MODELS.search(text) or (len(model) > 2 and model.lower() in text):
        return "model"
    return "either" if _ABOUT_ADDRESSES.search(text) else None


def advice(name: str, base_url: str, query: str, chat_path: str, *, is_added: bool) -> str:
    """Returns the next step for a wrong *base_url* of the provider *name*, with a guess if any.

    Args:
        is_added: True if the user added the provider.
    """
    better = _better(urlsplit(base_url), query, chat_path)
    if better is None:
        return f"correct it; llmkit adds {chat_path} to it"
    if is_added:
        return f"try add_provider({name!r}, {better!r})"
    return f"try configure(base_urls={{{name!r}: {better!r}}})"


def _better(parts: SplitResult, query: str, chat_path: str) -> str | None:
    origin, path = f"{parts.scheme}://{parts.netloc}", parts.path
    if (parts.hostname or "").endswith(AZURE_HOSTS):
        if "/deployments/" not in path:
            return None if path == AZURE else origin + AZURE
        return None if query else f"{origin}{path}?api-version={AZURE_VERSION}"
    if chat_path != CHAT or _VERSION.search(path):
        return None
    is_ollama = re.fullmatch(r"/api(?:/\w+)?", path)  # the paths of its own API
    return f"{origin}/v1" if is_ollama else f"{origin}{path}/v1"


def line_of(request: HttpRequest) -> str:
    """Returns method and URL of *request* for a message."""
    return f"{request.method} {shorten(request.url, 160)}"
