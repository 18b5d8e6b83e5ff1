"""The differences of OpenRouter to the chat-completions dialect."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from llmkit.catalogue import prices
from llmkit.catalogue.entry import Model
from llmkit.catalogue.price_rules import STANDARD_TERMS
from llmkit.errors import (
    AuthenticationError,
    ContentFilterError,
    ContextLengthExceededError,
    InsufficientFundsError,
    ModelNotFoundError,
    Outcome,
    QuotaExhaustedError,
    RateLimitError,
    ServerError,
)
from llmkit.providers.base import ModelPage
from llmkit.providers.builtin import shipped
from llmkit.providers.openrouter import OpenRouter
from llmkit.secret import Secret
from llmkit.types import (
    Capability,
    Completion,
    Lifecycle,
    Message,
    Prompt,
    Status,
    TextDelta,
    Usage,
)
from llmkit.wire.messages import HttpResponse

DATA = Path(__file__).parents[1] / "data" / "openrouter"
KEY = Secret("sk-or-v1-test-0123456789abcdef")
HEADERS = {
    "Authorization": "Bearer sk-or-v1-test-0123456789abcdef",
    "X-OpenRouter-Title": "llmkit",
}
FULL = Prompt(
    (Message("user", "Hello"),), max_tokens=50, temperature=0.5, top_p=0.9, stop=("END",), seed=7
)
USAGE = Usage(input_tokens=21, output_tokens=17, cached_tokens=8, reasoning_tokens=9)


def reply(body: object, status: int = 200) -> HttpResponse:
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    return HttpResponse(status, {}, data)


def fixture(name: str) -> bytes:
    return (DATA / name).read_bytes()


def test_a_full_request_has_every_parameter():
    """A stream always has usage and cost."""
    request = OpenRouter().chat_request(FULL, model="meta-llama/x:free", key=KEY, stream=True)

    assert request.url == "https://openrouter.ai/api/v1/chat/completions"
    assert request.headers == {**HEADERS, "Content-Type": "application/json"}
    assert json.loads(request.body) == {
        "model": "meta-llama/x:free",
        "messages": [{"role": "user", "content": "Hello"}],
        "max_tokens": 50,
        "temperature": 0.5,
        "top_p": 0.9,
        "stop": ["END"],
        "seed": 7,
        "stream": True,
    }


def test_the_key_is_proved_by_what_it_may_spend():
    """The list of models is public and would accept any key."""
    request = OpenRouter().key_request(KEY)

    assert (request.url, request.headers) == ("https://openrouter.ai/api/v1/key", HEADERS)


@pytest.mark.parametrize(
    ("model", "ignored"),
    [
        ("openai/gpt-6-luna", ("temperature", "top_p", "stop")),
        ("openai/gpt-4o", ()),
        ("anthropic/claude-haiku-5.5", ("seed", "temperature", "top_p")),
        ("mistralai/mistral-small", ()),
        ("o1", ()),
    ],
)
def test_what_a_model_refuses_at_home_is_not_dropped_in_silence(model, ignored):
    """OpenRouter itself would silently drop it."""
    assert set(OpenRouter().fit(FULL, model).ignored) == set(ignored)


def test_an_answer_names_who_gave_it_and_what_it_cost():
    """The cost is OpenRouter's own figure."""
    assert OpenRouter().parse_chat(reply(fixture("chat.json"))) == Completion(
        text="A river carries silt to the sea.",
        reasoning="Short answer.",
        status=Status.COMPLETE,
        finish_reason="stop",
        native_finish_reason="completed",
        usage=USAGE,
        response_model="openai/gpt-5.4-mini",
        request_id="gen-1795370000-FX",
        upstream_provider="FxHost",
        cost_usd=1.23e-05,
        cost_source="provider",
    )


def test_a_stream_names_them_too():
    """Comments between the events have no effect."""
    parser = OpenRouter().stream_parser()
    delta = parser.feed(fixture("stream.sse"))

    assert (delta, parser.done) == (TextDelta("A river carries silt."), True)
    assert parser.end() == Completion(
        text="A river carries silt.",
        status=Status.COMPLETE,
        finish_reason="stop",
        native_finish_reason="stop",
        usage=USAGE,
        response_model="openai/gpt-5.4-mini",
        request_id="gen-1795370000-FX",
        upstream_provider="FxHost",
        cost_usd=1.23e-05,
        cost_source="provider",
    )


@pytest.mark.parametrize("cost", [None, "free", -1, True, {}])
def test_a_cost_that_is_none_is_unknown(cost):
    """Unknown is not zero."""
    body = {"choices": [{"message": {"content": "x"}}], "usage": {"cost": cost}}
    done = OpenRouter().parse_chat(reply(body))

    assert (done.cost_usd, done.cost_source) == (None, None)


@pytest.mark.parametrize(("upstream", "cost"), [(0.02, 0.021), (None, None)])
def test_on_a_key_of_ones_own_the_upstreams_price_counts(upstream, cost):
    """OpenRouter's figure is then only its fee."""
    usage = {"cost": 0.001, "is_byok": True, "cost_details": {"upstream_inference_cost": upstream}}
    body = {"choices": [{"message": {"content": "x"}}], "usage": usage}

    assert OpenRouter().parse_chat(reply(body)).cost_usd == cost


def test_a_free_answer_costs_zero():
    """Zero is OpenRouter's own figure."""
    body = {"choices": [{"message": {"content": "x"}}], "usage": {"cost": 0}}
    done = OpenRouter().parse_chat(reply(body))

    assert (done.cost_usd, done.cost_source) == (0.0, "provider")


def test_an_error_event_ends_the_stream_and_keeps_the_text():
    """It comes with the finish reason "error", before [DONE]."""
    parser = OpenRouter().stream_parser()
    delta = parser.feed(fixture("stream_error.sse"))

    assert (delta, parser.done, type(parser.error)) == (TextDelta("A river"), True, ServerError)
    assert (parser.error.status, parser.error.code) == (502, "provider_unavailable")
    assert parser.end().status is Status.ERROR


def test_an_error_in_a_200_is_an_error():
    """OpenAI's SDK would show it as an answer without text."""
    with pytest.raises(ServerError, match="FxHost: upstream closed the connection") as caught:
        OpenRouter().parse_chat(reply(fixture("chat_error.json")))

    assert (caught.value.status, caught.value.possibly_billed) == (502, True)


REFUSALS = {
    "400": (ModelNotFoundError, None, Outcome.FINAL, False),
    "401": (AuthenticationError, None, Outcome.FINAL, False),
    "402": (InsufficientFundsError, None, Outcome.FINAL, False),
    "403": (ContentFilterError, "flagged_input", Outcome.FINAL, False),
    "404": (ModelNotFoundError, None, Outcome.FINAL, False),
    "400ctx": (ContextLengthExceededError, "context_length_exceeded", Outcome.FINAL, False),
    "429": (RateLimitError, None, Outcome.REFUSED, False),
    "429up": (RateLimitError, None, Outcome.REFUSED, False),
    "502": (ServerError, None, Outcome.REFUSED, True),
    "503": (ServerError, None, Outcome.REFUSED, False),
}


@pytest.mark.parametrize("case", REFUSALS)
def test_every_refusal_has_its_class(case):
    """A code that repeats the status is dropped."""
    row = json.loads(fixture("errors.json"))[case]
    error = OpenRouter().error_from(reply(row["body"], row["status"]))

    assert (type(error), error.code, error.outcome, error.possibly_billed) == REFUSALS[case]


def test_the_upstreams_own_words_are_told():
    """ "Provider returned error" alone does not help."""
    row = json.loads(fixture("errors.json"))["429up"]
    error = OpenRouter().error_from(reply(row["body"], 429))

    assert "FxHost: openai/gpt-5.4-mini is temporarily rate-limited upstream" in str(error)


def test_a_used_up_key_budget_is_not_a_permission_error():
    """OpenRouter reports it with 403."""
    body = {"error": {"message": "Key limit exceeded (total limit).", "code": 403}}

    assert type(OpenRouter().error_from(reply(body, 403))) is QuotaExhaustedError


def test_the_models_carry_limits_and_abilities():
    """A model lacks what its row does not list."""
    assert OpenRouter().parse_models(reply(fixture("models.json"))) == ModelPage(
        (
            Model(
                "openrouter",
                "openai/gpt-5.4-mini",
                name="OpenAI: GPT-5.4 Mini",
                lifecycle=Lifecycle.ACTIVE,
                max_input=400_000,
                max_output=128_000,
                capabilities=frozenset({Capability.VISION, Capability.TOOLS, Capability.REASONING}),
                lacks=frozenset({Capability.JSON_SCHEMA}),
                aliases=("openai/gpt-5.4-mini-20260317",),
            ),
        )
    )


def test_an_expiration_date_makes_a_model_deprecated():
    """The date is kept; fields missing in the row are unknown."""
    page = OpenRouter().parse_models(
        reply({"data": [{"id": "a/b", "expiration_date": "2026-12-31"}, {"id": "c/d"}]})
    )

    assert page.models == (
        Model(
            "openrouter",
            "a/b",
            lifecycle=Lifecycle.DEPRECATED,
            retires_on=date(2026, 12, 31),
        ),
        Model("openrouter", "c/d"),
    )


@pytest.mark.parametrize(
    ("link", "page"),
    [
        ("/api/v1/models?offset=1000&limit=1000", "1000"),
        ("https://elsewhere.invalid/?offset=7", "7"),
        ("https://elsewhere.invalid/?offset=../x", None),
        ("/api/v1/models", None),
        (None, None),
        (5, None),
    ],
)
def test_the_next_page_is_a_number_and_never_a_link(link, page):
    """A link could send the key to another server."""
    found = OpenRouter().parse_models(reply({"data": [], "links": {"next": link}}))

    assert found.next_page == page


def test_a_page_of_models_is_asked_for_by_its_offset():
    """The first page begins at 0."""
    first = OpenRouter().models_request(KEY)
    second = OpenRouter().models_request(KEY, page="1000", limit=500)

    assert (first.url, second.url) == (
        "https://openrouter.ai/api/v1/models?offset=0&limit=1000",
        "https://openrouter.ai/api/v1/models?offset=1000&limit=500",
    )


@pytest.mark.parametrize(
    ("asked", "answering", "usd"),
    [
        ("openai/gpt-4o:free", "openai/gpt-4o", 0.0),
        ("openai/gpt-4o:free", None, 0.0),
        ("openai/gpt-4o:thinking", "openai/gpt-4o", None),
        ("openai/gpt-4o:nitro", "openai/gpt-4o", None),
        ("openai/gpt-4o:online", None, None),
        ("openai/gpt-4o:extended", "openai/gpt-4o", 0.024),  # it has a row of its own
        ("openai/gpt-4o@preset/mail", "openai/gpt-4o", 0.0125),
        ("@preset/mail", None, None),
    ],
)
def test_a_variant_never_costs_what_its_base_costs(asked, answering, usd):
    """It has a price of its own, or an unknown one; OpenRouter's own charge comes before both."""
    price = prices.price_of(
        "openrouter", asked, answering, Usage(1_000, 1_000),
        on=datetime(2026, 11, 24, tzinfo=UTC), catalogue=shipped(), terms=STANDARD_TERMS,
    )  # fmt: skip

    assert (None if isinstance(price, str) else price.usd) == usd
