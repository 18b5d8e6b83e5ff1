"""Translates to and from Google's Gemini API.

Source: https://ai.google.dev/api and the types of google-genai 3.4.0 (read 2026-11-22).
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any
from urllib.parse import urlencode

from ..catalogue.entry import Model
from ..catalogue.provider_table import ProviderFacts
from ..errors import (
    AuthenticationError,
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
    status_inside,
    unreadable,
    words_in,
    words_of,
)
from .extra_body import extended
from .finish_reasons import FILTERED
from .stream_parser import SECOND, AnswerBuilder, EventParser, add_counts

ROLES = {"user": "user", "assistant": "model"}

# Floating aliases, previews and experiments are served only under v1beta, stable models also under
# v1 (release notes of google-genai 3.0, read 2026-11-22).
_BETA_ONLY = re.compile(r"-latest$|-preview\b|-exp\b")
# Gemini 3.6 Flash, 3.5 Flash-Lite and later models ignore temperature, top_p and top_k; Google will
# reject them (https://ai.google.dev/gemini-api/docs/latest-model, read 2026-11-24).
FIRST_WITHOUT_SAMPLING = (3, 6)
_FLASH_WITHOUT_SAMPLING = re.compile(r"gemini-3\.5-flash-lite|gemini-flash(-lite)?-latest")
_VERSION_IN_ID = re.compile(r"gemini-(\d{1,9})(?:\.(\d{1,9}))?")

# Names in a part that llmkit reads, or that are not content.
READ_NAMES = {"text", "thought", "thoughtSignature", "functionCall", "videoMetadata"}
MAPS = "Google bills searches in Maps, and no price of them is known"
# The names of tiers in requests, by those in answers (types of google-genai 3.6.1).
TRAFFIC_TYPES = {
    "ON_DEMAND": "standard", "ON_DEMAND_FLEX": "flex", "ON_DEMAND_PRIORITY": "priority",
}  # fmt: skip

# Errors with an unspecific status: an invalid key gets 400, a leaked one 403.
_KINDS: tuple[tuple[int, str, type[ProviderError]], ...] = (
    (400, "api key not valid", AuthenticationError),
    (400, "api key expired", AuthenticationError),
    (403, "reported as leaked", AuthenticationError),
    (400, "location is not supported", PermissionDeniedError),
)
# The free tier has a quota of 0 for models that it does not include.
_NO_QUOTA = re.compile(r"limit: 0\b(?![.,]?\d)")

# Fields of generationConfig (types of google-genai 3.6.1); a request with one outside is refused.
IN_CONFIG = (
    "topK", "presencePenalty", "frequencyPenalty", "responseMimeType", "responseSchema",
    "responseJsonSchema", "responseModalities", "thinkingConfig", "mediaResolution",
    "speechConfig", "imageConfig", "audioTimestamp", "enableEnhancedCivicAnswers",
)  # fmt: skip


class Google(Provider):
    """Gemini, by the Generative Language API."""

    name = "google"
    label = "Google"
    default_base_url = "https://generativelanguage.googleapis.com"
    key_vars = ("GOOGLE_API_KEY", "GEMINI_API_KEY")
    base_url_vars = ("GOOGLE_GEMINI_BASE_URL",)
    chat_path = "/v1/models"
    superfluous = re.compile(
        r"/(?P<version>v1(?:alpha|beta)?)(?:/openai)?(?:/chat/completions|/models(?:/[^/]*)?)?$"
    )
    parameter_fields = MappingProxyType(
        {"max_tokens": "maxOutputTokens", "top_p": "topP", "stop": "stopSequences"}
    )
    own_words = ("systemInstruction", "system_instruction")
    misplaced_fields = MappingProxyType(
        {word: f'pass generationConfig={{"{name}": ...}}' for name in IN_CONFIG
         for word in (name, re.sub("([A-Z])", r"_\1", name).lower())}
    )  # fmt: skip
    fixed_fields = ("contents",)
    facts = ProviderFacts(
        "maker", price_table="google", slug="google", starts=("gemini",), otel="gcp.gemini",
        aliases=(
            "gemini", "google-gla", "google-genai", "google-ai", "google-ai-studio",
            "google-gemini", "google-generative-ai", "generative-ai", "genai", "google-decisions",
            "gemini-api",
        ),
        prefixes=("models/",), color=0, marker="^",
    )  # fmt: skip

    def refused_parameters(self, prompt: Prompt, model: str) -> Sequence[str]:
        """Returns the sampling parameters if *model* ignores them."""
        return () if takes_sampling(model) else ("temperature", "top_p")

    def chat_request(
        self, prompt: Prompt, *, model: str, key: Secret | None, stream: bool = False
    ) -> HttpRequest:
        """Returns a POST to the model's generateContent, or streamGenerateContent."""
        body = extended(_body(prompt, self.body_fields(prompt)), dict(prompt.options))
        method = "streamGenerateContent?alt=sse" if stream else "generateContent"
        kind, slash, name = model.partition("/")
        if not slash or kind not in ("models", "tunedModels"):
            kind, name = "models", model
        version = self._address.version
        if not version or (version == "v1" and self.is_official):
            version = version_of(model)
        url = self.url(f"/{version}/{kind}/{path_segment(name)}:{method}")
        return post_json(url, body, _headers(key), stream=stream)

    def parse_chat(self, response: HttpResponse) -> Completion:
        """Returns the answer in a successful *response*, thoughts separate from text.

        A server that ignores `alt=sse` sends an array of chunks instead of a stream. A blocked
        prompt has no candidates: its completion is `filtered` and empty.
        """
        body = response.json()
        builder = AnswerBuilder(usage_of)
        for chunk in as_dicts(body if isinstance(body, list) else [body]):
            if holds_error(chunk):
                raise self._error(_status_of(chunk), chunk, words_in(chunk) or words_of(response))
            _take(builder, chunk)
        has_text = builder.text_pieces or builder.reasoning_pieces
        if builder.model is None and not builder.finish and not has_text:
            raise unreadable(self, response.body)
        return builder.whole(self, needs_reason=isinstance(body, list))

    def stream_parser(self) -> StreamParser:
        return ChunkParser(self, SSEDecoder(), AnswerBuilder(usage_of))

    def stream_error(self, event: dict[str, Any]) -> ProviderError:
        return self._error(_status_of(event), event, words_in(event))

    def models_request(
        self, key: Secret | None, *, page: str | None = None, limit: int = 1000
    ) -> HttpRequest:
        query = {"pageSize": str(limit)} | ({"pageToken": page} if page else {})
        url = self.url(f"/{self._address.version or 'v1'}/models?{urlencode(query)}")
        return HttpRequest("GET", url, _headers(key))

    def parse_models(self, response: HttpResponse) -> ModelPage:
        body = as_dict(response.json())
        # Protobuf's JSON omits an empty list.
        if not isinstance(body.get("models", [] if "nextPageToken" in body else None), list):
            raise unreadable(self, response.body)
        rows = as_dicts(body.get("models"))
        models = tuple(_model(row) for row in rows if as_str(row.get("name")))
        return ModelPage(models, as_str(body.get("nextPageToken")))

    def error_from(self, response: HttpResponse) -> ProviderError:
        return self._error(response.status, response.json(), words_of(response), response.model)

    def _error(self, status: int, body: object, words: str, model: str = "") -> ProviderError:
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
        return refused(self, status, words, kind=kind, code=code_of(error, "status"), model=model)


class ChunkParser(EventParser):
    """Reads one streamed answer, whose chunks have the form of a whole answer.

    The stream ends with its body. A finish reason is not its end: Gemini sends one after each use
    of a built-in tool (https://github.com/0xPlaygrounds/rig/issues/2328, read 2026-11-30).
    """

    ends_with_body = True

    def read(self, event: dict[str, Any]) -> None:
        """Adds one chunk."""
        if ("candidates" not in event or "error" in event) and holds_error(event):
            self.fail(self._provider.stream_error(event))
            return
        _take(self.builder, event)
        self.finished = self.builder.finish is not None


def takes_sampling(model: str) -> bool:
    """Returns False if *model* is a Gemini model that ignores the sampling parameters."""
    if _FLASH_WITHOUT_SAMPLING.search(model):
        return False
    match = _VERSION_IN_ID.search(model)
    return not match or (int(match[1]), int(match[2] or 0)) < FIRST_WITHOUT_SAMPLING


def version_of(model: str) -> str:
    """Returns the API version under which *model* is served."""
    return "v1beta" if _BETA_ONLY.search(model) else "v1"


def _headers(key: Secret | None) -> dict[str, str]:
    # Not `?key=`: URLs are written to logs and exceptions.
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
    candidates, counts = as_dicts(chunk.get("candidates")), chunk.get("usageMetadata")
    first = next((c for c in candidates if not c.get("index")), {})
    others = [c for c in candidates if c.get("index")]
    if others and any(c.get("content") for c in others):
        builder.warn(SECOND)
    if isinstance(counts, dict):
        add_counts(builder.counts, counts)
        kind = as_str(counts.get("trafficType") or counts.get("serviceTier"))
        builder.service_tier = (
            TRAFFIC_TYPES.get(kind.upper(), kind.lower()) if kind else builder.service_tier
        )
    if "groundingMetadata" in first:
        grounding = as_dict(first["groundingMetadata"])
        add_counts(builder.counts, {"grounding": grounding})
    for part in as_dicts(as_dict(first.get("content")).get("parts")):
        _take_part(builder, part)
    reason = as_str(first.get("finishReason"))
    if reason:
        builder.ended(reason)
    if "promptFeedback" in chunk:
        block_reason = as_str(as_dict(chunk["promptFeedback"]).get("blockReason"))
        if block_reason:  # the prompt was filtered, whatever the reason
            builder.finish, builder.native_finish_reason = FILTERED, block_reason


def _take_part(builder: AnswerBuilder, part: dict[str, Any]) -> None:
    piece = as_str(part.get("text"))
    if piece:
        is_thought = part.get("thought") is True
        (builder.reasoning_pieces if is_thought else builder.text_pieces).append(piece)
    if "functionCall" in part:
        call = as_dict(part["functionCall"])
        builder.tool(None, name=call.get("name"), id=call.get("id"), arguments=call.get("args"))
    if not READ_NAMES.issuperset(part):
        for name in part.keys() - READ_NAMES:
            builder.also(as_str(as_dict(part[name]).get("mimeType")) or name)


def usage_of(counts: Mapping[str, Any]) -> Usage:
    """Returns the usage, with thoughts in the output tokens: Google counts them separately."""
    grounding = as_dict(counts.get("grounding"))
    searches = sum(map(bool, as_strings(grounding.get("webSearchQueries"))))
    has_maps = any("maps" in chunk for chunk in as_dicts(grounding.get("groundingChunks")))
    prompt = as_int(counts.get("promptTokenCount"))
    answer_tokens = as_int(counts.get("candidatesTokenCount"))
    thought_tokens = as_int(counts.get("thoughtsTokenCount"))
    tool_tokens = as_int(counts.get("toolUsePromptTokenCount")) or 0
    output_tokens = answer_tokens
    # Some servers count the thoughts with the answer, which the total shows
    # (https://github.com/BerriAI/litellm/pull/10141, read 2026-11-30).
    total = (prompt or 0) + tool_tokens + (answer_tokens or 0)
    if thought_tokens is not None and total != counts.get("totalTokenCount"):
        output_tokens = (answer_tokens or 0) + thought_tokens
    parts: dict[tuple[str, str], int] = {}
    for name in ("promptTokensDetails", "cacheTokensDetails", "candidatesTokensDetails"):
        for part in as_dicts(counts.get(name)):
            place = name, (as_str(part.get("modality")) or "").upper()
            parts[place] = parts.get(place, 0) + (as_int(part.get("tokenCount")) or 0)
    # The tokens of a search's results are not billed
    # (https://ai.google.dev/gemini-api/docs/pricing, by litellm 1.110.2, read 2026-11-30).
    return Usage(
        input_tokens=None if prompt is None else prompt + (0 if searches else tool_tokens),
        output_tokens=output_tokens,
        cached_tokens=as_int(counts.get("cachedContentTokenCount")),
        reasoning_tokens=thought_tokens,
        input_audio_tokens=parts.get(("promptTokensDetails", "AUDIO")) or None,
        # Kinds without tokens are left out of the list.
        cached_audio_tokens=parts.get(
            ("cacheTokensDetails", "AUDIO"), 0 if counts.get("cacheTokensDetails") else None
        ),
        output_audio_tokens=parts.get(("candidatesTokensDetails", "AUDIO")) or None,
        input_image_tokens=parts.get(("promptTokensDetails", "IMAGE")) or None,
        output_image_tokens=parts.get(("candidatesTokensDetails", "IMAGE")) or None,
        web_searches=searches or None,
        unpriced=MAPS if has_maps else None,
    )


def _status_of(body: object) -> int:
    error = error_object(body)
    status = as_int(error.get("code"))
    return status if status and status >= 300 else status_inside(error, words_in(body)) or 500


def _model(row: dict[str, Any]) -> Model:
    methods = as_strings(row.get("supportedGenerationMethods"))
    thinking = row.get("thinking")
    abilities = {
        Capability.REASONING: thinking if isinstance(thinking, bool) else None,
        Capability.EMBEDDING: "embedContent" in methods or None,
    }
    return Model(
        Google.name, row["name"].removeprefix("models/"), as_str(row.get("displayName")),
        max_input=as_int(row.get("inputTokenLimit")),
        max_output=as_int(row.get("outputTokenLimit")),
        capabilities=frozenset(c for c, has_it in abilities.items() if has_it is True),
        lacks=frozenset(c for c, has_it in abilities.items() if has_it is False),
    )  # fmt: skip
