"""Token counts and the service tier: where servers put them, and what they leave out."""

from __future__ import annotations

import json

import pytest

from llmkit.providers.builtin import PROVIDERS, compatible
from llmkit.wire.messages import HttpResponse

LAB = compatible("lab", "https://lab.example.org/v1")
COUNTS = {"prompt_tokens": 23, "completion_tokens": 19, "total_tokens": 42}
NO_COUNTS = {"prompt_tokens": 0, "completion_tokens": 0, "total_tokens": 0}
HI = {"index": 0, "delta": {"content": "Hi"}, "finish_reason": None}
END = {"index": 0, "delta": {}, "finish_reason": "stop"}


def streamed(provider, *events):
    """Returns the answer of a stream of server-sent events, or of lines for Ollama."""
    parser = provider.stream_parser()
    form = "%s\n" if provider.name == "ollama" else "data: %s\n\n"
    parser.feed("".join(form % json.dumps(event) for event in events).encode())
    return parser.end()


def counted(completion):
    return completion.usage.input_tokens, completion.usage.output_tokens


@pytest.mark.parametrize(
    "events",
    [
        ({"choices": [HI]}, {"choices": [END]}, {"choices": [], "usage": COUNTS}),
        ({"choices": [HI], "usage": COUNTS}, {"choices": [END], "usage": None}),
        ({"choices": [HI]}, {"choices": [{**END, "usage": COUNTS}]}),  # Moonshot
        ({"choices": [HI]}, {"choices": [END], "x_groq": {"usage": COUNTS}}),  # Groq
        ({"choices": [HI], "usage": NO_COUNTS}, {"choices": [END], "usage": COUNTS}),
        ({"choices": [HI], "usage": COUNTS}, {"choices": [END], "usage": NO_COUNTS}),
        ({"choices": [HI], "usage": {**COUNTS, "completion_tokens": 1, "total_tokens": 24}},
         {"choices": [END], "usage": COUNTS}),
    ],
)  # fmt: skip
def test_counts_are_found_wherever_a_server_puts_them(events):
    """At the end, in an earlier chunk, in the choice, under x_groq; zeros replace no count."""
    assert counted(streamed(LAB, *events)) == (23, 19)


@pytest.mark.parametrize(
    "counts",
    [
        {"prompt_cache_hit_tokens": 8},
        {"cached_tokens": 8},
        {"num_cached_tokens": 8},
        {"prompt_token_details": {"cached_tokens": 8}},
    ],
)
def test_cached_tokens_have_several_names(counts):
    """DeepSeek, Moonshot, and Mistral (https://github.com/vercel/ai/issues/14382)."""
    usage = {**COUNTS, **counts}
    completion = streamed(LAB, {"choices": [HI]}, {"choices": [END], "usage": usage})

    assert completion.usage.cached_tokens == 8


def test_the_counts_of_a_chat_may_have_the_names_of_the_responses_api():
    """mlx-vlm has them (https://github.com/earendil-works/pi/issues/2326).

    Beside them, the counts of Anthropic's cache are not part of the input, so they are not read.
    """
    usage = {"input_tokens": 23, "output_tokens": 19, "total_tokens": 42,
             "output_tokens_details": {"reasoning_tokens": 7}}  # fmt: skip
    completion = streamed(LAB, {"choices": [HI]}, {"choices": [END], "usage": usage})
    claude = {**usage, "cache_read_input_tokens": 9}

    assert counted(completion) == (23, 19)
    assert completion.usage.reasoning_tokens == 7
    assert counted(whole(LAB, chat("Hi", claude))) == (None, None)


@pytest.mark.parametrize("total", [None, 0, 42, 65])
def test_more_reasoning_than_output_is_not_part_of_it(total):
    """Then it is added, whatever the total says."""
    usage = {**COUNTS, "total_tokens": total, "completion_tokens_details": {"reasoning_tokens": 23}}

    assert counted(whole(LAB, chat("Hi", usage))) == (23, 42)


def test_later_zeros_of_claude_replace_no_count():
    """A gateway repeats the counts as 0, also those of the cache by age."""
    start = {"input_tokens": 1500, "output_tokens": 1, "cache_creation_input_tokens": 700,
             "cache_creation": {"ephemeral_1h_input_tokens": 700}}  # fmt: skip
    end = {"input_tokens": 0, "output_tokens": 4, "cache_creation_input_tokens": 0,
           "cache_creation": {"ephemeral_1h_input_tokens": 0}}  # fmt: skip
    completion = streamed(
        PROVIDERS["anthropic"](),
        {"type": "message_start", "message": {"usage": start}},
        {"type": "message_delta", "delta": {"stop_reason": "end_turn"}, "usage": end},
        {"type": "message_stop"},
    )

    assert counted(completion) == (2200, 4)
    assert completion.usage.cache_write_1h_tokens == 700


def whole(provider, body):
    return provider.parse_chat(HttpResponse(200, {}, json.dumps(body).encode()))


def chat(text, usage):
    choice = {"index": 0, "message": {"content": text}, "finish_reason": "stop"}
    return {"choices": [choice], "usage": usage}


def claude(text, usage):
    block = {"type": "text", "text": text}
    return {"content": [block], "stop_reason": "end_turn", "usage": usage}


def gemini(text, usage):
    candidate = {"content": {"parts": [{"text": text}]}, "finishReason": "STOP"}
    return {"candidates": [candidate], "usageMetadata": usage}


def ollama(text, usage):
    return {"message": {"content": text}, "done": True, "done_reason": "stop", **usage}


@pytest.mark.parametrize(
    ("name", "body", "counts"),
    [
        *(
            (name, chat, ("prompt_tokens", "completion_tokens"))
            for name in ("openai", "mistral", "openrouter", "local")
        ),
        ("anthropic", claude, ("input_tokens", "output_tokens")),
        ("google", gemini, ("promptTokenCount", "candidatesTokenCount")),
        ("ollama", ollama, ("prompt_eval_count", "eval_count")),
    ],
)
def test_zero_is_no_count_of_what_is_not_empty(name, body, counts):
    """An empty answer has 0 tokens; no prompt has, and no text."""
    provider = PROVIDERS[name]()

    assert counted(whole(provider, body("Hi", dict.fromkeys(counts, 0)))) == (None, None)
    assert counted(whole(provider, body("", {counts[0]: 7, counts[1]: 0}))) == (7, 0)


@pytest.mark.parametrize(
    ("provider", "events"),
    [
        ("openai", ({"choices": [HI], "service_tier": "auto"},
                    {"choices": [END], "service_tier": "flex"}, {"choices": [], "usage": COUNTS})),
        ("mistral", ({"choices": [HI]},
                     {"choices": [END], "usage": {**COUNTS, "service_tier": "flex"}})),
        ("google", ({**gemini("Hi", {"trafficType": "ON_DEMAND_FLEX"})},)),
        ("anthropic", ({"type": "message_start", "message": {"usage": {"service_tier": "flex"}}},
                       {"type": "message_delta", "delta": {"stop_reason": "end_turn"}})),
    ],
)  # fmt: skip
def test_the_tier_is_the_last_one_that_the_answer_names(provider, events):
    """It may be in any chunk, or in the usage."""
    assert streamed(PROVIDERS[provider](), *events).service_tier == "flex"


def test_words_of_a_server_about_its_price_are_short_and_plain():
    """They reach tables and files."""
    usage = {"input_tokens": 1, "output_tokens": 1, "speed": "x" * 500, "inference_geo": "\ud800"}
    completion = whole(PROVIDERS["anthropic"](), claude("Hi", usage))

    assert (completion.usage.speed, completion.usage.inference_geo) == ("unreadable", "unreadable")


@pytest.mark.parametrize(
    "usage",
    [
        {"prompt_tokens": "7", "completion_tokens": [], "prompt_tokens_details": 3},
        {"prompt_tokens": 7, "completion_tokens": 2, "total_tokens": "9", "server_tool_use": []},
        {"prompt_tokens": -7, "completion_tokens": 2, "total_tokens": -5},
    ],
)
def test_damaged_counts_are_no_counts(usage):
    """Nothing else of the answer is lost."""
    completion = streamed(LAB, {"choices": [HI]}, {"choices": [END], "usage": usage})

    assert completion.text == "Hi"
    assert completion.usage.cached_tokens is None
