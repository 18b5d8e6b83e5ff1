"""Google's Gemini API.

Source: https://ai.google.dev/api and the types of google-genai 3.4.0 (read 2026-11-22).
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from types import MappingProxyType
from typing import Any
from urllib.parse import urlencode

from ..catalogue.entry import Model
from ..catalogue.provider_table import ProviderFacts
from ..errors import (
    AuthenticationError,
    ContextLengthExceededError,
    PermissionDeniedError,
    ProviderError,
    QuotaExhaustedError,
)
from ..secret import Secret
from ..types import Capability, Completion, Prompt, Usage
from ..wire.messages import (
    HttpRequest,
    HttpResponse,
    as_dict,
    as_dicts,
    as_int,
    as_str,
    as_strings,
    post_json,
)
from ..wire.sse import SSEDecoder
from .base import ModelPage, Provider, StreamParser, path_segment
from .error_bodies import (
    code_of,
    error_object,
    holds_error,
    refused,
    unreadable,
    words_in,
    words_of,
)
from .extra_body import extended
from .stream_parser import AnswerBuilder, EventParser

ROLES = {"user": "user", "assistant": "model"}

# Aliases that move, previews and experiments are served under v1beta alone, as google-genai's
# notes on its 3.0 say; what is stable is under both (read 2026-11-22).
_BETA_ONLY = re.compile(r"-latest$|-preview\b|-exp\b")
# Gemini 3.6 Flash, 3.5 Flash-Lite and every later model ignore temperature, top_p and top_k, and
# will refuse them one day (https://ai.google.dev/gemini-api/docs/latest-model, read 2026-11-24).
FIRST_WITHOUT_SAMPLING = (3, 6)
_FLASH_WITHOUT_SAMPLING = re.compile(r"gemini-3\.5-flash-lite|gemini-flash(-lite)?-latest")
_VERSION_IN_ID = re.compile(r"gemini-(\d+)(?:\.(\d+))?")

# https://ai.google.dev/api/generate-content#FinishReason; the other values pass as they are.
FINISH_REASONS = {
    "STOP": "stop",
    "MAX_TOKENS": "length",
    "CONTINUATION": "length",
    **dict.fromkeys(
        (
            "SAFETY", "RECITATION", "LANGUAGE", "BLOCKLIST", "PROHIBITED_CONTENT", "SPII",
            "IMAGE_SAFETY", "IMAGE_PROHIBITED_CONTENT", "IMAGE_RECITATION", "ESCALATION",
            "MODEL_ARMOR", "PUP_LIMITED_DISABLED",
        ),
        "filtered",
    ),
}  # fmt: skip
UNSPECIFIED = "FINISH_REASON_UNSPECIFIED"

# Some refusals have a status that says too little: a bad key is a 400, a leaked one a 403.
_KINDS: tuple[tuple[int, str, type[ProviderError]], ...] = (
    (400, "api key not valid", AuthenticationError),
    (400, "api key expired", AuthenticationError),
    (403, "reported as leaked", AuthenticationError),
    (400, "input token count", ContextLengthExceededError),
    (400, "location is not supported", PermissionDeniedError),
)
# A free tier that does not hold the model at all has a quota of none.
_NO_QUOTA = re.compile(r"limit: 0\b(?![.,]?\d)")


class Google(Provider):
    """Gemini, by the Generative Language API."""

    name = "google"
    label = "Google"
    default_base_url = "https://generativelanguage.googleapis.com"
    key_vars = ("GOOGLE_API_KEY", "GEMINI_API_KEY")
    base_url_vars = ("GOOGLE_GEMINI_BASE_URL",)
    parameter_fields = MappingProxyType(
        {"max_tokens": "maxOutputTokens", "top_p": "topP", "stop": "stopSequences"}
    )
    fixed_fields = ("contents",)
    facts = ProviderFacts(
        "maker", price_table="google", slug="google", starts=("gemini",), otel="gcp.gemini",
        aliases=("gemini", "google-gla", "google-genai"), prefixes=("gemini/", "models/"),
        color=0, marker="^",
    )  # fmt: skip

    def refused_parameters(self, prompt: Prompt, model: str) -> Sequence[str]:
        """Returns the sampling parameters, if *model* would not heed them."""
        return () if takes_sampling(model) else ("temperature", "top_p")

    def chat_request(
        self, prompt: Prompt, *, model: str, key: Secret | None, stream: bool = False
    ) -> HttpRequest:
        """A POST to the model's generateContent, or streamGenerateContent."""
        body = extended(_body(prompt, self.body_fields(prompt)), dict(prompt.options))
        method = "streamGenerateContent?alt=sse" if stream else "generateContent"
        kind, slash, name = model.partition("/")
        if not slash or kind not in ("models", "tunedModels"):
            kind, name = "models", model
        url = f"{self.base_url}/{version_of(model)}/{kind}/{path_segment(name)}:{method}"
        return post_json(url, body, _headers(key), stream=stream)

    def parse_chat(self, response: HttpResponse) -> Completion:
        """Returns the answer in a successful *response*, thoughts apart from text.

        A server that ignores `alt=sse` answers a request for a stream with one array of chunks. A
        prompt that was blocked has no candidates: its completion is `filtered` and empty.
        """
        body = response.json()
        builder = AnswerBuilder()
        for chunk in as_dicts(body if isinstance(body, list) else [body]):
            if holds_error(chunk):
                raise self._error(_status_of(chunk), chunk, words_in(chunk) or words_of(response))
            _take(builder, chunk)
        has_text = builder.text_pieces or builder.reasoning_pieces
        if builder.model is None and not builder.finish and not has_text:
            raise unreadable(self, response.body)
        return builder.whole()

    def stream_parser(self) -> StreamParser:
        """A reader for one streamed answer."""
        return ChunkParser(self)

    def stream_error(self, event: dict[str, Any]) -> ProviderError:
        """The error that an event inside a stream means."""
        return self._error(_status_of(event), event, words_in(event))

    def models_request(
        self, key: Secret | None, *, page: str | None = None, limit: int = 1000
    ) -> HttpRequest:
        """A GET of /v1/models."""
        query = {"pageSize": str(limit)} | ({"pageToken": page} if page else {})
        return HttpRequest("GET", f"{self.base_url}/v1/models?{urlencode(query)}", _headers(key))

    def parse_models(self, response: HttpResponse) -> ModelPage:
        """The models with their limits, and whether they think."""
        body = as_dict(response.json())
        # An empty list of models is left out of the body, as protobuf's JSON does.
        if not isinstance(body.get("models", [] if "nextPageToken" in body else None), list):
            raise unreadable(self, response.body)
        rows = as_dicts(body.get("models"))
        models = tuple(_model(row) for row in rows if as_str(row.get("name")))
        return ModelPage(models, as_str(body.get("nextPageToken")))

    def error_from(self, response: HttpResponse) -> ProviderError:
        """The error that *response* means; its words and quotas decide inside the 4xx."""
        return self._error(response.status, response.json(), words_of(response))

    def _error(self, status: int, body: object, words: str) -> ProviderError:
        error = error_object(body)
        details = as_dicts(error.get("details"))
        violations = (v for detail in details for v in as_dicts(detail.get("violations")))
        is_used_up = any("PerDay" in (as_str(v.get("quotaId")) or "") for v in violations)
        kind: type[ProviderError] | None
        if any(detail.get("reason") == "API_KEY_INVALID" for detail in details):
            kind = AuthenticationError
        elif status == 429 and (is_used_up or _NO_QUOTA.search(words)):
            kind = QuotaExhaustedError
        else:
            kinds = (k for code, phrase, k in _KINDS if code == status and phrase in words.lower())
            kind = next(kinds, None)
        return refused(self, status, words, kind=kind, code=code_of(error, "status"))


class ChunkParser(EventParser):
    """Reads one streamed answer, whose chunks have the shape of a whole one.

    No event says that nothing more comes: the chunk with the finish reason is the last.
    """

    def __init__(self, provider: Google) -> None:
        super().__init__(provider, SSEDecoder())
        self._google = provider

    def read(self, event: dict[str, Any]) -> None:
        """Takes one chunk; after the finish reason only token counts still count."""
        if holds_error(event):
            self.fail(self._google.stream_error(event))
            return
        _take(self.builder, event if not self.finished else {**event, "candidates": None})
        self.finished = self.builder.finish is not None
        self.done = self.finished and "usageMetadata" in event


def takes_sampling(model: str) -> bool:
    """True where *model* heeds a temperature; models of other families do."""
    if _FLASH_WITHOUT_SAMPLING.search(model):
        return False
    match = _VERSION_IN_ID.search(model)
    return not match or (int(match[1]), int(match[2] or 0)) < FIRST_WITHOUT_SAMPLING


def version_of(model: str) -> str:
    """The API version under which *model* is served."""
    return "v1beta" if _BETA_ONLY.search(model) else "v1"


def _headers(key: Secret | None) -> dict[str, str]:
    # Never `?key=`: URLs end up in logs and in the text of exceptions.
    return {"x-goog-api-key": key.reveal()} if key else {}


def _body(prompt: Prompt, parameters: dict[str, object]) -> dict[str, Any]:
    system_texts = [m.text for m in prompt.messages if m.role == "system"]
    system = "\n\n".join(filter(None, [prompt.system, *system_texts]))
    optional = {
        "systemInstruction": {"parts": [{"text": system}]} if system else None,
        "generationConfig": parameters or None,
    }
    contents = [
        {"role": ROLES[m.role], "parts": [{"text": m.text}]}
        for m in prompt.messages
        if m.role != "system" and m.text
    ]
    return {"contents": contents, **{n: v for n, v in optional.items() if v is not None}}


def _take(builder: AnswerBuilder, chunk: dict[str, Any]) -> None:
    builder.model = as_str(chunk.get("modelVersion")) or builder.model
    builder.request_id = as_str(chunk.get("responseId")) or builder.request_id
    if "usageMetadata" in chunk:
        builder.usage = usage_of(as_dict(chunk["usageMetadata"]))
    candidates = as_dicts(chunk.get("candidates"))
    first = next((c for c in candidates if not c.get("index")), {})
    for part in as_dicts(as_dict(first.get("content")).get("parts")):
        piece = as_str(part.get("text"))
        if piece:
            (
                builder.reasoning_pieces if part.get("thought") is True else builder.text_pieces
            ).append(piece)
        if "functionCall" in part:
            call = as_dict(part["functionCall"])
            builder.tool(None, name=call.get("name"), id=call.get("id"), arguments=call.get("args"))
    reason = as_str(first.get("finishReason"))
    if reason and reason != UNSPECIFIED:
        builder.ended(reason, FINISH_REASONS)
    block_reason = as_str(as_dict(chunk.get("promptFeedback")).get("blockReason"))
    if block_reason and not candidates:
        builder.ended(block_reason, {block_reason: "filtered"})


def usage_of(usage: dict[str, Any]) -> Usage:
    """Tokens counted as everywhere: Google leaves thoughts out of the candidates' tokens."""
    tools = as_int(usage.get("toolUsePromptTokenCount")) or 0
    prompt = as_int(usage.get("promptTokenCount"))
    answer_tokens = as_int(usage.get("candidatesTokenCount"))
    thought_tokens = as_int(usage.get("thoughtsTokenCount"))
    is_silent = answer_tokens is None and thought_tokens is None
    return Usage(
        input_tokens=None if prompt is None else prompt + tools,
        output_tokens=None if is_silent else (answer_tokens or 0) + (thought_tokens or 0),
        cached_tokens=as_int(usage.get("cachedContentTokenCount")),
        reasoning_tokens=thought_tokens,
    )


def _status_of(body: object) -> int:
    status = as_int(error_object(body).get("code"))
    return status if status and status >= 300 else 500


def _model(row: dict[str, Any]) -> Model:
    methods = as_strings(row.get("supportedGenerationMethods"))
    thinking = row.get("thinking")
    abilities = {
        Capability.REASONING: thinking if isinstance(thinking, bool) else None,
        Capability.EMBEDDING: "embedContent" in methods or None,
    }
    return Model(
        provider=Google.name,
        id=row["name"].removeprefix("models/"),
        name=as_str(row.get("displayName")),
        max_input=as_int(row.get("inputTokenLimit")),
        max_output=as_int(row.get("outputTokenLimit")),
        capabilities=frozenset(c for c, has_it in abilities.items() if has_it is True),
        lacks=frozenset(c for c, has_it in abilities.items() if has_it is False),
    )
