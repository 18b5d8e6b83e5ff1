"""Ollama's own API.

Source: https://docs.ollama.com/api and the types of ollama 0.6.3 (read 2026-11-22).
"""

from __future__ import annotations

from types import MappingProxyType
from typing import Any
from urllib.parse import urlsplit

from ..catalogue.entry import Model
from ..catalogue.provider_table import ProviderFacts
from ..errors import ConfigError, ContextLengthExceededError, Outcome, ProviderError
from ..secret import Secret, bearer
from ..types import Completion, Prompt, Usage
from ..wire.messages import HttpRequest, HttpResponse, as_dict, as_dicts, as_int, as_str, post_json
from ..wire.sse import NDJSONDecoder
from .base import ModelPage, Provider, StreamParser
from .error_bodies import holds_error, refused, unreadable, words_in, words_of
from .extra_body import extended
from .stream_parser import AnswerBuilder, EventParser

PORT = 11434
DONE_REASONS = {"stop": "stop", "length": "length"}  # "load" and "unload" pass as they are
LIMITED = ("too many requests", "rate limit", "usage limit")
PULL = "pull it with `ollama pull`, or take a name from `ollama list`"


class Ollama(Provider):
    """Models that a user's own Ollama serves, with a key only if its server wants one.

    What goes beyond the model's `num_ctx` is cut off by the server, which does not say so.
    """

    name = "ollama"
    label = "Ollama"
    default_base_url = f"http://127.0.0.1:{PORT}"
    key_vars = ("OLLAMA_API_KEY",)
    base_url_vars = ("OLLAMA_HOST",)
    parameter_fields = MappingProxyType({"max_tokens": "num_predict"})
    facts = ProviderFacts(
        "own", prefixes=("ollama/", "library/"), starts=("gpt-oss",), color=5, marker="P"
    )
    needs_key = False
    proves_key = False

    def __init__(self, base_url: str | None = None) -> None:
        super().__init__(host_url(base_url or ""))

    def chat_request(
        self, prompt: Prompt, *, model: str, key: Secret | None, stream: bool = False
    ) -> HttpRequest:
        """A POST to /api/chat; its `stream` is always said, for the server's default is true."""
        body = _body(prompt, model, self.body_fields(prompt), stream)
        body = extended(body, dict(prompt.options))
        return post_json(f"{self.base_url}/api/chat", body, _headers(key), stream=stream)

    def parse_chat(self, response: HttpResponse) -> Completion:
        """The answer in a successful *response*, thinking apart from text."""
        body = response.json()
        if holds_error(body):
            raise self.error_inside(words_of(response))
        if not isinstance(body, dict) or not isinstance(body.get("message"), dict):
            raise unreadable(self, response.body)
        builder = AnswerBuilder()
        _take(builder, body)
        return builder.whole()

    def stream_parser(self) -> StreamParser:
        """A reader for one streamed answer."""
        return LineParser(self)

    def models_request(
        self, key: Secret | None, *, page: str | None = None, limit: int = 1000
    ) -> HttpRequest:
        """A GET of /api/tags, which has no pages: the models on that machine."""
        return HttpRequest("GET", f"{self.base_url}/api/tags", _headers(key))

    def parse_models(self, response: HttpResponse) -> ModelPage:
        """The names of the models on that machine."""
        rows = as_dict(response.json()).get("models")
        if not isinstance(rows, list):
            raise unreadable(self, response.body)
        names = (as_str(row.get("model")) or as_str(row.get("name")) for row in as_dicts(rows))
        return ModelPage(tuple(Model(provider=self.name, id=name) for name in names if name))

    def key_request(self, key: Secret | None) -> HttpRequest:
        """A GET of /api/version, which any server answers to anybody."""
        return HttpRequest("GET", f"{self.base_url}/api/version", _headers(key))

    def error_from(self, response: HttpResponse) -> ProviderError:
        """The error that *response* means."""
        return self.error_in(response.status, words_of(response))

    def error_inside(self, words: str) -> ProviderError:
        """The error inside an answer with 200, where only words tell a limit from trouble."""
        lower_words = words.lower()
        return self.error_in(429 if any(word in lower_words for word in LIMITED) else 500, words)

    def error_in(self, status: int, words: str) -> ProviderError:
        """The error that the words of a refusal mean, which are all that Ollama gives."""
        lower_words = words.lower()
        if status == 400 and "context length" in lower_words:
            return refused(self, status, words, kind=ContextLengthExceededError)
        error = refused(self, status, words, then=PULL if status == 404 else None)
        if "more system memory" in lower_words:
            error.outcome = Outcome.FINAL
        return error


class LineParser(EventParser):
    """Reads one streamed answer; its last line says `done`."""

    end_mark = "done"

    def __init__(self, provider: Ollama) -> None:
        super().__init__(provider, NDJSONDecoder())
        self._ollama = provider

    def read(self, event: dict[str, Any]) -> None:
        """Takes one line."""
        if holds_error(event):
            self.fail(self._ollama.error_inside(words_in(event)))
            return
        _take(self.builder, event)
        self.finished = self.done = event.get("done") is True


def host_url(host: str) -> str:
    """A base URL out of any form that OLLAMA_HOST may have.

    "" is this machine; "h", "h:1", ":1" and "h/path" are plain http on port 11434 where none is
    given; with a scheme the port is that scheme's own, as in the official client.

    Raises:
        ConfigError: It cannot be a host.
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
    return f"{parts.scheme}://{place}{f':{port}' if port else ''}{f'/{path}' if path else ''}"


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
        piece = as_str(message.get(name))
        if piece:
            pieces.append(piece)
    for call in as_dicts(message.get("tool_calls")):
        tool = as_dict(call.get("function"))
        builder.tool(None, name=tool.get("name"), arguments=tool.get("arguments"))
    if line.get("done") is True:
        # Older servers say only that it is done.
        builder.ended(as_str(line.get("done_reason")) or "stop", DONE_REASONS)
        builder.usage = Usage(
            # Left out where the whole prompt was still in the server's cache.
            input_tokens=as_int(line.get("prompt_eval_count")),
            output_tokens=as_int(line.get("eval_count")),
        )
