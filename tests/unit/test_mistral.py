"""The differences of Mistral to the chat-completions dialect."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path

import pytest

from llmkit.catalogue.entry import Model
from llmkit.errors import (
    AuthenticationError,
    ContextLengthExceededError,
    InsufficientFundsError,
    InvalidRequestError,
    ModelNotFoundError,
    Outcome,
    PermissionDeniedError,
    RateLimitError,
    ServerError,
)
from llmkit.providers.base import FittedPrompt, ModelPage
from llmkit.providers.mistral import Mistral
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

DATA = Path(__file__).parents[1] / "data" / "mistral"
KEY = Secret("mistral-test-0123456789abcdef")
FULL = Prompt(
    (Message("user", "Hello"),),
    system="Be brief.",
    max_tokens=50,
    temperature=0.5,
    top_p=0.9,
    stop=("END",),
    seed=7,
    options=(("safe_prompt", True),),
)


def reply(name: str, **headers: str) -> HttpResponse:
    return HttpResponse(200, headers, (DATA / name).read_bytes())


def test_a_full_request_has_every_parameter_in_mistrals_words():
    """The seed has its own name; a stream always has usage."""
    request = Mistral().chat_request(FULL, model="mistral-small-latest", key=KEY, stream=True)

    assert request.url == "https://api.mistral.ai/v1/chat/completions"
    assert request.headers["Authorization"] == "Bearer mistral-test-0123456789abcdef"
    assert json.loads(request.body) == {
        "model": "mistral-small-latest",
        "messages": [
            {"role": "system", "content": "Be brief."},
            {"role": "user", "content": "Hello"},
        ],
        "max_tokens": 50,
        "temperature": 0.5,
        "top_p": 0.9,
        "stop": ["END"],
        "random_seed": 7,
        "stream": True,
        "safe_prompt": True,
    }


def test_every_parameter_is_taken():
    """No parameter has to be left out."""
    assert Mistral().fit(FULL, "mistral-small-latest") == FittedPrompt(FULL)


def test_the_base_url_has_no_version():
    """As in Mistral's own SDK, the version belongs to the path."""
    provider = Mistral("https://eu.api.mistral.ai/")

    assert provider.key_request(KEY).url == "https://eu.api.mistral.ai/v1/models"


def test_thinking_parts_are_reasoning():
    """A reasoning model's content is a list of parts."""
    response = reply("chat_reasoning.json", **{"mistral-correlation-id": "fx-corr"})

    assert Mistral().parse_chat(response) == Completion(
        text="A river carries silt to the sea.",
        reasoning="Short answer.",
        status=Status.COMPLETE,
        finish_reason="stop",
        native_finish_reason="stop",
        usage=Usage(21, 8),
        response_model="magistral-medium-latest",
        request_id="fx-corr",
    )


def test_thinking_parts_come_in_a_stream_too():
    """Text and thinking may share a chunk; a reference is neither."""
    content = [
        {"type": "thinking", "thinking": [{"type": "text", "text": "Short "}]},
        {"type": "thinking", "thinking": "answer."},
        {"type": "reference", "reference_ids": [1]},
        {"type": "text", "text": "A river"},
    ]
    chunk = {"choices": [{"index": 0, "delta": {"content": content}}]}
    parser = Mistral().stream_parser()

    assert parser.feed(f"data: {json.dumps(chunk)}\n\n".encode()) == TextDelta(
        "A river", "Short answer."
    )


def test_the_last_chunk_carries_reason_and_usage():
    """Both come with a last piece of text."""
    parser = Mistral().stream_parser()
    delta = parser.feed((DATA / "stream.sse").read_bytes())

    assert (delta, parser.done) == (TextDelta("A river carries silt."), True)
    assert parser.end() == Completion(
        text="A river carries silt.",
        status=Status.COMPLETE,
        finish_reason="stop",
        native_finish_reason="stop",
        usage=Usage(21, 8),
        response_model="mistral-small-latest",
    )


def test_an_error_object_in_a_stream_ends_it():
    """The error is not inside an "error" object."""
    parser = Mistral().stream_parser()
    delta = parser.feed((DATA / "stream_error.sse").read_bytes())

    assert (delta, parser.done, type(parser.error)) == (TextDelta("A river"), True, ServerError)
    assert (parser.error.status, parser.error.code) == (500, "3000")


REFUSALS = {
    "401": (AuthenticationError, None, Outcome.FINAL, False),
    "401b": (AuthenticationError, "1000", Outcome.FINAL, False),
    "402": (InsufficientFundsError, "2000", Outcome.FINAL, False),
    "403": (PermissionDeniedError, "1001", Outcome.FINAL, False),
    "400model": (ModelNotFoundError, "1500", Outcome.FINAL, False),
    "404": (ModelNotFoundError, "unknown_model", Outcome.FINAL, False),
    "400ctx": (ContextLengthExceededError, "3051", Outcome.FINAL, False),
    "422": (InvalidRequestError, None, Outcome.FINAL, False),
    "429": (RateLimitError, "1300", Outcome.REFUSED, False),
    "500": (ServerError, "3000", Outcome.REFUSED, True),
    "503": (ServerError, "3001", Outcome.REFUSED, False),
}


@pytest.mark.parametrize("case", REFUSALS)
def test_every_refusal_has_its_class(case):
    """Mistral's codes decide if its status is not specific."""
    row = json.loads((DATA / "errors.json").read_bytes())[case]
    error = Mistral().error_from(HttpResponse(row["status"], {}, json.dumps(row["body"]).encode()))

    assert (type(error), error.code, error.outcome, error.possibly_billed) == REFUSALS[case]


def test_a_validation_error_names_the_field():
    """The list of problems becomes text."""
    row = json.loads((DATA / "errors.json").read_bytes())["422"]
    error = Mistral().error_from(HttpResponse(422, {}, json.dumps(row["body"]).encode()))

    assert "messages: Field required" in str(error)


def test_the_models_carry_lifecycle_limits_and_abilities():
    """The date is that of the removal; a capability that is False is known to be absent."""
    assert Mistral().parse_models(reply("models.json")) == ModelPage(
        (
            Model(
                "mistral",
                "mistral-small-latest",
                name="mistral-small-2603",
                lifecycle=Lifecycle.ACTIVE,
                max_input=131_072,
                capabilities=frozenset({Capability.TOOLS, Capability.VISION}),
                lacks=frozenset({Capability.REASONING}),
                aliases=("mistral-small-2603",),
            ),
            Model(
                "mistral",
                "mistral-old-2402",
                lifecycle=Lifecycle.DEPRECATED,
                retires_on=date(2026, 11, 30),
                successor="mistral-small-latest",
                max_input=32_768,
                lacks=frozenset({Capability.TOOLS, Capability.VISION}),
            ),
        )
    )
