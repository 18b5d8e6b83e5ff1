"""Translates the finish reasons of all providers and gateways into llmkit's, each with its status.

Called by `stream_parser` for every dialect, because gateways pass on the words of other dialects.
"""

from __future__ import annotations

from collections.abc import Mapping

from ..types import Status

STOP, LENGTH, FILTERED, TOOL_CALLS, ERROR = "stop", "length", "filtered", "tool_calls", "error"
# Every other finish reason means an incomplete answer.
STATUSES: Mapping[str, Status] = {
    STOP: Status.COMPLETE, TOOL_CALLS: Status.COMPLETE, LENGTH: Status.LENGTH,
    FILTERED: Status.FILTERED, ERROR: Status.ERROR,
}  # fmt: skip
# Sources: the types of openai 3.57.0, anthropic 2.14.0, google-genai 3.6.1, mistralai 3.7.0 and
# openrouter 1.3.84, and public clients of Baidu, Bedrock, ChatGLM ("null"), Cohere, DeepSeek, Text
# Generation Inference, Together, vLLM, watsonx and Z.ai (read 2026-11-30).
_WORDS: Mapping[str, tuple[str, ...]] = {
    STOP: (
        "stop", "end_turn", "stop_sequence", "eos", "eos_token", "complete", "completed",
        "finish", "finished", "endoftext", "normal", "stop_criteria_met",
    ),
    LENGTH: (
        "length", "max_tokens", "max_length", "max_output_tokens", "max_completion_tokens",
        "model_length", "model_context_window_exceeded", "context_window_exceeded",
        "context_length_exceeded", "token_limit", "error_limit",
    ),
    FILTERED: (
        "content_filter", "content_filtered", "filtered", "refusal", "refused", "sensitive",
        "safety", "recitation", "language", "blocklist", "blacklist", "prohibited_content", "spii",
        "image_safety", "image_prohibited_content", "image_recitation", "escalation",
        "model_armor", "pup_limited_disabled", "jailbreak", "guardrail_intervened", "error_toxic",
        "moderation", "content_policy_violation", "content_blocked", "blocked",
    ),
    TOOL_CALLS: ("tool_calls", "tool_call", "tool_use", "function_call", "function_calls"),
    ERROR: (
        "error", "abort", "aborted", "network_error", "insufficient_system_resource", "timeout",
        "server_error", "internal_error", "internal_server_error", "upstream_error", "failed",
    ),
    # Not the end of an answer, but a value for "none yet".
    "": ("", "null", "none", "unspecified", "not_finished", "in_progress"),
}  # fmt: skip
# In the forms in which most servers write them; `finish_of` reads other forms.
FINISHES: Mapping[str, str] = {word: finish for finish, words in _WORDS.items() for word in words}
_BY_LETTERS = {word.replace("_", ""): finish for word, finish in FINISHES.items()}


def finish_of(word: str) -> str:
    """Returns llmkit's word for a finish reason, "" if *word* means none, else *word* itself.

    Case, separators and a prefix do not matter: "MaxTokens", "max-tokens" and
    "FinishReason.MAX_TOKENS" are one word.
    """
    letters = "".join(filter(str.isalpha, word.lower()))
    return _BY_LETTERS.get(letters.removeprefix("finishreason"), word)
