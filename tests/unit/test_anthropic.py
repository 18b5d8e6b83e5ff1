"""The Anthropic provider."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest

from llmkit.catalogue.entry import Model
from llmkit.errors import (
    ContextLengthExceededError,
    InsufficientFundsError,
    InvalidRequestError,
    Outcome,
    ProviderError,
    QuotaExhaustedError,
    RateLimitError,
    ServerError,
)
from llmkit.providers.anthropic import Anthropic, generation, takes_sampling
from llmkit.secret import Secret
from llmkit.types import Capability, Completion, Lifecycle, Message, Prompt, Status, Usage
from llmkit.wire.messages import HttpResponse

DATA = Path(__file__).parents[1] / "data" / "anthropic"
ANTHROPIC = Anthropic()
ASKED = Prompt((Message("user", "Why?"),))
USAGE = Usage(
    input_tokens=25,
    output_tokens=17,
    cached_tokens=8,
    reasoning_tokens=9,
    cache_write_tokens=3,
)


def reply(name: str, status: int = 200) -> HttpResponse:
    return HttpResponse(status, {"request-id": "req_01FX"}, (DATA / name).read_bytes())


def refusal(name: str) -> HttpResponse:
    row = json.loads((DATA / "errors.json").read_text())[name]
    return HttpResponse(row["status"], row["headers"], json.dumps(row["body"]).encode())


def sent(prompt: Prompt, model: str = "claude-haiku-5-5", **how) -> tuple[str, dict, dict]:
    """Returns URL, headers and body of the request for a prompt that was fitted first."""
    fitted = ANTHROPIC.fit(prompt, model).prompt
    request = ANTHROPIC.chat_request(fitted, model=model, key=Secret("sk-ant-test"), **how)
    return request.url, dict(request.headers), json.loads(request.body)


def test_a_request_is_what_the_api_documents():
    """URL, headers and the whole body of a request with everything in it."""
    prompt = Prompt(
        (Message("user", "Hi"), Message("assistant", "Hello."), Message("user", "Why?")),
        system="Be brief.",
        max_tokens=50,
        stop=("END",),
        options=(("thinking", {"type": "adaptive"}),),
    )

    assert sent(prompt, stream=True) == (
        "https://api.anthropic.com/v1/messages",
        {
            "anthropic-version": "2026-10-21",
            "x-api-key": "sk-ant-test",
            "Content-Type": "application/json",
        },
        {
            "model": "claude-haiku-5-5",
            "max_tokens": 50,
            "messages": [
                {"role": "user", "content": "Hi"},
                {"role": "assistant", "content": "Hello."},
                {"role": "user", "content": "Why?"},
            ],
            "system": "Be brief.",
            "stop_sequences": ["END"],
            "stream": True,
            "thinking": {"type": "adaptive"},
        },
    )


@pytest.mark.parametrize(
    ("model", "limit"),
    [("claude-haiku-5-5", 8192), ("claude-3-haiku-20240307", 4096), ("claude-opus-4-0", 8192)],
)
def test_a_limit_is_always_sent(model, limit):
    """The API requires max_tokens, so a request without one gets a default."""
    assert sent(ASKED, model)[2]["max_tokens"] == limit


@pytest.mark.parametrize(
    ("asked", "budget", "limit"),
    [
        (None, {"type": "enabled", "budget_tokens": 10_000}, 18_192),
        (5_000, {"type": "enabled", "budget_tokens": 10_000}, 15_000),
        (10_000, {"type": "enabled", "budget_tokens": 10_000}, 20_000),
        (10_001, {"type": "enabled", "budget_tokens": 10_000}, 10_001),
        (5_000, {"type": "adaptive"}, 5_000),
        (None, {"type": "disabled", "budget_tokens": 10_000}, 8192),
        (None, {"type": "enabled", "budget_tokens": "many"}, 8192),
        (None, None, 8192),
    ],
)
def test_a_budget_for_thinking_is_added_to_a_limit_without_room_for_it(asked, budget, limit):
    """The API refuses max_tokens <= budget_tokens, and thinking counts towards max_tokens.

    https://github.com/sigoden/aichat/issues/1304 (read 2026-11-30).
    """
    prompt = replace(ASKED, max_tokens=asked, options=(("thinking", budget),))

    assert sent(prompt, "claude-sonnet-4-5")[2]["max_tokens"] == limit
    filled_in = ANTHROPIC.filled_in(prompt, "claude-sonnet-4-5")
    assert filled_in.get("max_tokens", asked) == limit


def test_empty_texts_are_not_sent():
    """The API refuses an empty turn or system prompt, so it is omitted."""
    prompt = Prompt((Message("user", "Why?"), Message("assistant", " \n")), system="")

    assert sent(prompt)[2] == {
        "model": "claude-haiku-5-5",
        "max_tokens": 8192,
        "messages": [{"role": "user", "content": "Why?"}],
    }


def test_a_system_turn_joins_the_system_prompt():
    """Only the newest API version has system turns, so they go to the system prompt."""
    prompt = Prompt((Message("system", "Be kind."), Message("user", "Why?")), system="Be brief.")

    body = sent(prompt)[2]

    assert body["system"] == "Be brief.\n\nBe kind."
    assert body["messages"] == [{"role": "user", "content": "Why?"}]


@pytest.mark.parametrize(
    ("model", "version"),
    [
        ("claude-instant-1.2", (1, 2)),
        ("claude-2.1", (2, 1)),
        ("claude-3-opus-20240229", (3, 0)),
        ("claude-3-7-sonnet-latest", (3, 7)),
        ("claude-opus-4-20250514", (4, 0)),
        ("claude-opus-4-1-20250805", (4, 1)),
        ("claude-haiku-4-5-20251001", (4, 5)),
        ("us.anthropic.claude-sonnet-4-5-20250929-v1:0", (4, 5)),
        ("claude-opus-4-8", (4, 8)),
        ("claude-opus-5", (5, 0)),
        ("claude-fable-5-2", (5, 2)),
        ("claude-mythos-preview", (99, 0)),
    ],
)
def test_a_model_id_tells_its_generation(model, version):
    """Dates are not versions, and a name without a number is new."""
    assert generation(model) == version


@pytest.mark.parametrize(
    ("model", "takes"),
    [
        ("claude-sonnet-4-6", True),
        ("claude-haiku-4-5", True),
        ("claude-opus-4-7", False),
        ("claude-haiku-5-5", False),
        ("claude-mythos-preview", False),
        ("smollm2", True),
    ],
)
def test_sampling_parameters_end_with_opus_4_7(model, takes):
    """Later Claude models refuse them; other models belong to another server."""
    assert takes_sampling(model) is takes


def test_temperature_goes_out_under_the_older_version():
    """Only the older API version accepts a temperature, so the request names that version."""
    _, headers, body = sent(replace(ASKED, temperature=0.0), "claude-haiku-4-5")

    assert headers["anthropic-version"] == "2023-06-01"
    assert body["temperature"] == 0.0


def test_a_model_without_sampling_stays_on_the_newest_version():
    """Parameters that a model refuses under both versions are ignored, and listed."""
    prompt = replace(ASKED, temperature=0.5, top_p=0.5, seed=1)

    _, headers, body = sent(prompt)

    assert ANTHROPIC.fit(prompt, "claude-haiku-5-5").ignored == ("seed", "temperature", "top_p")
    assert headers["anthropic-version"] == "2026-10-21"
    assert sorted(body) == ["max_tokens", "messages", "model"]


@pytest.mark.parametrize(
    ("model", "ignored"),
    [("claude-haiku-4-5", ("top_p",)), ("claude-3-haiku-20240307", ())],
)
def test_temperature_and_top_p_exclude_each_other_from_4_1_on(model, ignored):
    """If only one of both may be sent, it is the temperature."""
    assert ANTHROPIC.fit(replace(ASKED, temperature=0.5, top_p=0.5), model).ignored == ignored


def test_a_blank_stop_sequence_is_listed_as_ignored():
    """The API refuses a sequence of white space; the others are sent."""
    fitted = ANTHROPIC.fit(replace(ASKED, stop=("\n", "END")), "claude-haiku-5-5")

    assert fitted.ignored == ("stop",)
    assert fitted.prompt.stop == ("END",)


def test_top_k_as_an_option_needs_the_older_version_too():
    """A sampling parameter among the options selects the older version, too."""
    _, headers, _ = sent(replace(ASKED, options=(("top_k", 5),)), "claude-sonnet-4-6")

    assert headers["anthropic-version"] == "2023-06-01"


def test_a_whole_answer():
    """Every field of a completion that the provider can fill."""
    assert ANTHROPIC.parse_chat(reply("chat.json")) == Completion(
        text="A river carries silt — 🏞 — to the sea.",
        reasoning="Short answer.",
        status=Status.COMPLETE,
        finish_reason="stop",
        native_finish_reason="end_turn",
        service_tier="standard",
        usage=USAGE,
        response_model="claude-haiku-5-5",
        request_id="req_01FX",
    )


def test_a_streamed_answer():
    """A stream fills the same fields, except for the request id, which is in a header."""
    parser = ANTHROPIC.stream_parser()
    parser.feed((DATA / "stream.sse").read_bytes())

    assert parser.done is True
    assert parser.end() == Completion(
        text="A river carries silt — 🏞.",
        reasoning="Short answer.",
        status=Status.COMPLETE,
        finish_reason="stop",
        native_finish_reason="end_turn",
        service_tier="standard",
        usage=USAGE,
        response_model="claude-haiku-5-5",
    )


def test_a_cut_stream_has_no_count_of_output_tokens():
    """The first count of a stream is a placeholder and is not passed on."""
    raw = (DATA / "stream.sse").read_bytes()
    parser = ANTHROPIC.stream_parser()
    parser.feed(raw[: raw.index(b"event: message_delta")])

    assert parser.end().usage == Usage(input_tokens=25, cached_tokens=8, cache_write_tokens=3)


def test_a_message_stop_without_a_reason_is_complete_with_a_warning():
    """The stream ended properly, only its reason is missing."""
    raw = (DATA / "stream.sse").read_bytes().replace(b'"stop_reason":"end_turn"', b'"x":1')
    parser = ANTHROPIC.stream_parser()
    parser.feed(raw)

    answer = parser.end()
    assert (answer.status, answer.finish_reason) == (Status.COMPLETE, None)
    assert answer.warnings == ("the provider sent no finish reason",)


def test_an_overload_in_a_stream_may_be_tried_again():
    """An error event has the class and outcome that its HTTP status would have had."""
    parser = ANTHROPIC.stream_parser()
    parser.feed((DATA / "stream_error.sse").read_bytes())

    error = parser.error
    assert type(error) is ServerError
    assert (error.status, error.code) == (529, "overloaded_error")
    assert (error.request_id, error.outcome) == ("req_01FX", Outcome.REFUSED)
    assert str(error) == "anthropic failed (529): Overloaded; try again later"


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("400", InvalidRequestError),
        ("400ctx", ContextLengthExceededError),
        ("400credit", InsufficientFundsError),
        ("400limit", QuotaExhaustedError),
        ("413", ContextLengthExceededError),
        ("429", RateLimitError),
        ("429tier", QuotaExhaustedError),
        ("504", ServerError),
        ("529", ServerError),
    ],
)
def test_refusals_inside_a_status_are_told_apart(name, kind):
    """The text of a 400 and the details of any status decide if the status is not specific."""
    error = ANTHROPIC.error_from(refusal(name))

    assert type(error) is kind
    assert error.request_id == "req_01FX"


def test_a_refused_key_says_what_to_check():
    """The whole message of the most common error."""
    error = ANTHROPIC.error_from(refusal("401"))

    assert str(error) == (
        "anthropic refused the key (401): invalid x-api-key; check ANTHROPIC_API_KEY"
    )
    assert error.code == "authentication_error"


def test_an_error_in_the_openai_shape_is_read_too():
    """llama.cpp has this API but sends the errors of the other dialect."""
    body = b'{"error":{"code":401,"message":"Invalid API Key","type":"authentication_error"}}'

    with pytest.raises(ProviderError, match=r"refused the key \(401\): Invalid API Key"):
        ANTHROPIC.parse_chat(HttpResponse(200, {}, body))


def test_a_local_servers_overflow_has_its_class():
    """llama.cpp's message for a prompt that is too long."""
    body = (
        b'{"error":{"code":400,"message":"request (5031 tokens) exceeds the available context size '
        b'(1024 tokens), try increasing it","type":"exceed_context_size_error"}}'
    )

    error = ANTHROPIC.error_from(HttpResponse(400, {}, body))

    assert type(error) is ContextLengthExceededError


def test_models_come_with_lifecycle_limits_and_capabilities():
    """One page of the list, with the cursor of the next one."""
    page = ANTHROPIC.parse_models(reply("models.json"))

    assert page.models == (
        Model(
            provider="anthropic",
            id="claude-haiku-5-5",
            name="Claude Haiku 5.5",
            lifecycle=Lifecycle.ACTIVE,
            max_input=200_000,
            max_output=64_000,
            capabilities=frozenset({Capability.VISION, Capability.JSON_SCHEMA}),
            lacks=frozenset({Capability.REASONING}),
        ),
        Model(
            provider="anthropic",
            id="claude-sonnet-4-5-20250929",
            name="Claude Sonnet 4.5",
            lifecycle=Lifecycle.DEPRECATED,
            retires_on=date(2026, 11, 30),
            max_input=200_000,
            max_output=64_000,
        ),
    )
    assert page.next_page == "claude-sonnet-4-5-20250929"


def test_the_next_page_of_models_is_asked_for_by_the_last_id():
    """The cursor is quoted; the list needs the version header, too."""
    request = ANTHROPIC.models_request(Secret("sk-ant-test"), page="a&b", limit=20)

    assert request.url == "https://api.anthropic.com/v1/models?limit=20&after_id=a%26b"
    assert request.headers["anthropic-version"] == "2026-10-21"
