"""The embedded model's server, the script, and servers that a user adds."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from llmkit.catalogue.entry import Model
from llmkit.errors import AuthenticationError, ContextLengthExceededError, Outcome, ServerError
from llmkit.providers.base import FittedPrompt, ModelPage
from llmkit.providers.compatible import compatible
from llmkit.providers.local import Local
from llmkit.providers.scripted import Scripted
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

DATA = Path(__file__).parents[1] / "data" / "local"
FULL = Prompt(
    (Message("user", "Hello"),), max_tokens=50, temperature=0.5, top_p=0.9, stop=("END",), seed=7
)
BODY = {
    "model": "m",
    "messages": [{"role": "user", "content": "Hello"}],
    "max_tokens": 50,
    "temperature": 0.5,
    "top_p": 0.9,
    "stop": ["END"],
    "seed": 7,
    "stream": True,
    "stream_options": {"include_usage": True},
}


def reply(name: str) -> HttpResponse:
    return HttpResponse(200, {}, (DATA / name).read_bytes())


def test_the_local_model_is_asked_without_its_cache():
    """Otherwise one seed would give different texts."""
    provider = Local("http://127.0.0.1:4711/v1")
    request = provider.chat_request(FULL, model="m", key=Secret("abcdef"), stream=True)

    assert request.url == "http://127.0.0.1:4711/v1/chat/completions"
    assert request.headers["Authorization"] == "Bearer abcdef"
    assert json.loads(request.body) == {**BODY, "cache_prompt": False}


def test_a_person_may_have_the_cache():
    """Options take precedence over the fields of every request."""
    prompt = Prompt(FULL.messages, options=(("cache_prompt", True),))
    request = Local().chat_request(prompt, model="m", key=None)

    assert json.loads(request.body)["cache_prompt"] is True


def test_the_local_model_takes_every_parameter():
    """No parameter has to be left out."""
    assert Local().fit(FULL, "m") == FittedPrompt(FULL)


def test_the_local_models_answer_is_read():
    """In the form of llama.cpp's server."""
    assert Local().parse_chat(reply("chat.json")) == Completion(
        text="A river carries silt.",
        status=Status.COMPLETE,
        finish_reason="stop",
        native_finish_reason="stop",
        usage=Usage(input_tokens=20, output_tokens=4, cached_tokens=0),
        response_model="smollm2",
    )


def test_the_local_models_stream_is_read():
    """The same tokens as in one piece."""
    parser = Local().stream_parser()
    delta = parser.feed((DATA / "stream.sse").read_bytes())

    assert (delta, parser.done) == (TextDelta("A river carries silt."), True)
    assert parser.end() == Local().parse_chat(reply("chat.json"))


def test_the_local_models_list_is_read():
    """The window is the share of one request, not that of the model's training."""
    assert Local().parse_models(reply("models.json")) == ModelPage(
        (
            Model(
                "local",
                "smollm2",
                lifecycle=Lifecycle.ACTIVE,
                max_input=1024,
                lacks=frozenset({Capability.VISION}),
            ),
        )
    )


REFUSALS = {
    "401": (AuthenticationError, "authentication_error", Outcome.FINAL),
    "400ctx": (ContextLengthExceededError, "exceed_context_size_error", Outcome.FINAL),
    "503": (ServerError, "unavailable_error", Outcome.REFUSED),
}


@pytest.mark.parametrize("case", REFUSALS)
def test_every_refusal_of_the_local_model_has_its_class(case):
    """llama.cpp repeats the status as its code, so its type is the code."""
    row = json.loads((DATA / "errors.json").read_bytes())[case]
    error = Local().error_from(HttpResponse(row["status"], {}, json.dumps(row["body"]).encode()))

    assert (type(error), error.code, error.outcome) == REFUSALS[case]


def test_an_error_in_the_local_models_stream_is_never_billed():
    """A local model costs nothing, also when it fails."""
    parser = Local().stream_parser()
    delta = parser.feed((DATA / "stream_error.sse").read_bytes())

    assert (delta, type(parser.error)) == (TextDelta("A river"), ServerError)
    assert parser.error.possibly_billed is False


def test_the_script_speaks_the_plain_dialect():
    """Its host never resolves, so that no request leaves the machine."""
    request = Scripted().chat_request(FULL, model="m", key=None, stream=True)

    assert request.url == "http://scripted.invalid/v1/chat/completions"
    assert json.loads(request.body) == BODY


def test_an_added_server_has_its_own_name_and_key():
    """Two of them are independent."""
    lab = compatible("lab", "https://lab.example/v1/", ("LAB_KEY",))
    desk = compatible("desk", "http://127.0.0.1:8000/v1")
    request = lab.chat_request(FULL, model="m", key=Secret("lab-key-0123456789"), stream=True)

    assert [(p.name, p.label, p.key_vars, p.needs_key, p.base_url) for p in (lab, desk)] == [
        ("lab", "lab", ("LAB_KEY",), True, "https://lab.example/v1"),
        ("desk", "desk", (), False, "http://127.0.0.1:8000/v1"),
    ]
    assert request.url == "https://lab.example/v1/chat/completions"
    assert json.loads(request.body) == BODY


def test_an_added_server_is_named_in_its_errors():
    """With the variable of its key."""
    lab = compatible("lab", "https://lab.example/v1", ("LAB_KEY",))
    error = lab.error_from(HttpResponse(401, {}, b'{"error":"nope"}'))

    assert str(error) == "lab refused the key (401): nope; check LAB_KEY"


def test_an_added_server_may_list_its_models_bare():
    """Some send only the array."""
    lab = compatible("lab", "https://lab.example/v1")
    page = lab.parse_models(HttpResponse(200, {}, b'[{"id":"a"},{"id":"b"}]'))

    assert page == ModelPage((Model("lab", "a"), Model("lab", "b")))
