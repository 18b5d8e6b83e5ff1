"""Translates to and from Ollama's own API.

Source: https://docs.ollama.com/api and the types of ollama 0.6.3 (read 2026-11-22).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any
from urllib.parse import urlsplit

from ..catalogue.entry import Model
from ..catalogue.price_rules import IN_CLOUD
from ..catalogue.provider_table import ProviderFacts
from ..errors import ConfigError, Outcome, ProviderError
from ..secret import Secret, bearer
from ..types import Completion, Prompt, Usage
from ..wire.base_urls import full_url
from ..wire.messages import (
    HttpRequest,
    HttpResponse,
    as_dict,
    as_dicts,
    as_int,
    as_str,
    post_json,
    texts_in,
)
from ..wire.sse import NDJSONDecoder
from .base import ModelPage, Provider, StreamParser
from .error_bodies import (
    error_object,
    holds_error,
    refused,
    status_inside,
    unreadable,
    words_in,
    words_of,
)
from .extra_body import extended
from .stream_parser import AnswerBuilder, EventParser
from .think_tags import ThinkTags

PORT = 11434
PULL = "pull it with `ollama pull`, or take a name from `ollama list`"

# Fields of the object `options` (types of ollama 0.6.3, https://docs.ollama.com/modelfile, read
# 2026-11-30). Ollama ignores a field that it does not know, so an answer would not show its lack.
IN_OPTIONS = (
    "numa", "num_ctx", "num_batch", "num_gpu", "main_gpu", "use_mmap", "num_thread", "num_keep",
    "top_k", "min_p", "typical_p", "repeat_last_n", "repeat_penalty", "presence_penalty",
    "frequency_penalty", "mirostat", "mirostat_tau", "mirostat_eta",
)  # fmt: skip
# Fields of the makers' and OpenRouter's requests (types of their SDKs, read 2026-11-30).
IGNORED = (
    "speed", "service_tier", "verbosity", "store", "prediction", "modalities", "logit_bias",
    "web_search_options", "prompt_cache_key", "tool_choice", "safe_prompt", "prompt_mode",
    "guardrails", "min_tokens", "repetition_penalty", "transforms", "plugins", "provider", "models",
    "route", "safetySettings", "generationConfig", "cachedContent", "inference_geo",
    "output_config", "container", "context_management", "mcp_servers", "cache_control",
)  # fmt: skip


class Ollama(Provider):
    """The user's own Ollama server, or ollama.com, whose key other servers do not get.

    The server truncates a prompt longer than the model's `num_ctx` without reporting it.
    """

    name = "ollama"
    label = "Ollama"
    default_base_url = f"http://127.0.0.1:{PORT}"
    key_vars = ("OLLAMA_API_KEY",)
    base_url_vars = ("OLLAMA_HOST",)
    chat_path = "/api/chat"
    superfluous = re.compile(
        r"/(?:api|v1)(?:/(?:chat|generate|tags|version|models|(?:chat/)?completions))?$"
    )
    parameter_fields = MappingProxyType({"max_tokens": "num_predict"})
    misplaced_fields = MappingProxyType({
        **{name: f'pass options={{"{name}": ...}}' for name in IN_OPTIONS},
        **dict.fromkeys(IGNORED, "other providers do, so leave it out"),
        "response_format": "pass format=",
        **dict.fromkeys(("reasoning", "reasoning_effort", "thinking"), "pass think="),
    })  # fmt: skip
    facts = ProviderFacts(
        "own", aliases=("ollama-chat",),
        prefixes=("library/", "registry.ollama.ai/library/", "ollama.com/library/"),
        starts=("gpt-oss",), color=5, marker="P",
        at_once=8, think_tags=True,  # before 0.9, which separates the reasoning itself
    )  # fmt: skip
    needs_key = False
    key_needs_https = True
    proves_key = False

    def __init__(self, base_url: str | None = None) -> None:
        super().__init__(host_url(base_url or ""))

    def chat_request(
        self, prompt: Prompt, *, model: str, key: Secret | None, stream: bool = False
    ) -> HttpRequest:
        """Returns a POST to /api/chat; its `stream` is explicit because the default is true."""
        body = _body(prompt, model, self.body_fields(prompt), stream)
        body = extended(body, dict(prompt.options))
        return post_json(self.url(self.chat_path), body, _headers(key), stream=stream)

    def parse_chat(self, response: HttpResponse) -> Completion:
        body = response.json()
        if holds_error(body):
            raise self.stream_error(body)
        if not isinstance(body, dict) or not isinstance(body.get("message"), dict):
            raise unreadable(self, response.body)
        builder = AnswerBuilder(_usage_of, tags=ThinkTags())
        _take(builder, body)
        return builder.whole(self, needs_reason=body.get("done") is False)

    def stream_parser(self) -> StreamParser:
        return LineParser(self, NDJSONDecoder(), AnswerBuilder(_usage_of, tags=ThinkTags()))

    def models_request(
        self, key: Secret | None, *, page: str | None = None, limit: int = 1000
    ) -> HttpRequest:
        """Returns a GET of /api/tags, which has no pages."""
        return HttpRequest("GET", self.url("/api/tags"), _headers(key))

    def parse_models(self, response: HttpResponse) -> ModelPage:
        rows = as_dict(response.json()).get("models")
        if not isinstance(rows, list):
            raise unreadable(self, response.body)
        names = (as_str(row.get("model")) or as_str(row.get("name")) for row in as_dicts(rows))
        return ModelPage(tuple(Model(provider=self.name, id=name) for name in names if name))

    def key_request(self, key: Secret | None) -> HttpRequest:
        """Returns a GET of /api/version, which needs no key."""
        return HttpRequest("GET", self.url("/api/version"), _headers(key))

    def error_from(self, response: HttpResponse) -> ProviderError:
        return self.error_in(response.status, words_of(response), response.model)

    def stream_error(self, event: dict[str, Any]) -> ProviderError:
        words = words_in(event)
        return self.error_in(status_inside(error_object(event), words) or 500, words)

    def error_in(self, status: int, words: str, model: str = "") -> ProviderError:
        """Returns the error for a status and a text: Ollama sends no codes."""
        error = refused(self, status, words, then=PULL if status == 404 else None, model=model)
        if "more system memory" in words.lower():
            error.outcome = Outcome.FINAL
        return error


class LineParser(EventParser):
    """Reads one streamed answer; its last line has the field `done`."""

    end_mark = "done"

    def read(self, event: dict[str, Any]) -> None:
        """Adds one line."""
        is_piece = isinstance(event.get("message"), dict) and "error" not in event
        if not is_piece and holds_error(event):
            self.fail(self._provider.stream_error(event))
            return
        _take(self.builder, event)
        self.finished = self.done = event.get("done") is True


def host_url(host: str) -> str:
    """Returns the base URL for any form of OLLAMA_HOST.

    "" is this machine. "h", "h:1", ":1" and "h/path" mean plain http, on port 11434 by default.
    With a scheme the default port is that of the scheme, as in the official client. The addresses
    0.0.0.0 and [::], where a server listens, mean this machine.

    Raises:
        ConfigError: *host* is invalid.
    """
    address = host.strip().strip("\"'")
    scheme, _, rest = address.rpartition("://")
    try:
        parts = urlsplit(f"{scheme or 'http'}://{rest}")
        name, port = parts.hostname or "127.0.0.1", parts.port
    except ValueError:
        raise ConfigError(
            f"{address!r} is not a host for ollama; write it like 127.0.0.1:{PORT}"
        ) from None
    if port is None and not scheme:
        port = PORT
    place = f"[{name}]" if ":" in name else name
    path = parts.path.strip("/")
    end = f"{f'/{path}' if path else ''}{f'?{parts.query}' if parts.query else ''}"
    return full_url(f"{parts.scheme}://{place}{f':{port}' if port else ''}{end}")


def _headers(key: Secret | None) -> dict[str, str]:
    return {"Authorization": bearer(key)} if key else {}


def _body(prompt: Prompt, model: str, options: dict[str, object], stream: bool) -> dict[str, Any]:
    system = [{"role": "system", "content": prompt.system}] if prompt.system else []
    return {
        "model": model,
        "messages": [*system, *({"role": m.role, "content": m.text} for m in prompt.messages)],
        "stream": stream,
        **({"options": options} if options else {}),
    }


def _take(builder: AnswerBuilder, line: dict[str, Any]) -> None:
    builder.model = as_str(line.get("model")) or builder.model
    message = as_dict(line.get("message"))
    for name, pieces in (("content", builder.text_pieces), ("thinking", builder.reasoning_pieces)):
        piece = message.get(name)
        if piece:
            pieces.extend([piece] if isinstance(piece, str) else texts_in(piece))
    if message.get("images"):
        builder.also("images")
    for call in as_dicts(message.get("tool_calls")):
        tool = as_dict(call.get("function"))
        builder.tool(None, name=tool.get("name"), arguments=tool.get("arguments"))
    if line.get("done") is True:
        builder.is_whole = True
        reason = as_str(line.get("done_reason"))
        if reason:  # older servers send none
            builder.ended(reason)
        builder.counts = line


def _usage_of(line: Mapping[str, Any]) -> Usage:
    return Usage(
        # Missing if the whole prompt was in the server's cache.
        input_tokens=as_int(line.get("prompt_eval_count")),
        output_tokens=as_int(line.get("eval_count")),
        # A server passes the requests for cloud models on, whatever their names
        # (https://github.com/saurabhav88/EnviousWispr/issues/1914, read 2026-11-30).
        unpriced=IN_CLOUD if line.get("remote_host") or line.get("remote_model") else None,
    )
