"""Tests over real sockets that a wrong base URL is used as it is meant, or told as such."""

from __future__ import annotations

import pytest

from llmkit.authentication.status import SignInState
from llmkit.chat.arguments import chat_arguments
from llmkit.comparison.arguments import comparison_arguments
from llmkit.errors import WrongAddressError
from llmkit.kit import Kit
from llmkit.types import Status
from tests.fakes.reply import Reply
from tests.fakes.server import PREFIXES
from tests.security.test_sinks import KEY_VARS, MODELS

# What the URL of each is written with, and is not part of the base URL.
ENDS = {
    "openai": "/chat/completions", "anthropic": "/v1", "google": "/v1beta/models",
    "mistral": "/v1", "openrouter": "/chat/completions", "ollama": "/v1",
}  # fmt: skip
JSON = {"content-type": "application/json"}
PAGE = {"content-type": "text/html"}
LM_STUDIO = Reply(200, (b'{"error":"Unexpected endpoint or method. (POST /chat)"}',), JSON)


@pytest.fixture
def kit_at(fakes):
    """Makes kits for the six fakes, whose base URLs have *ends*."""
    kits = []

    def made(ends, **changes):
        urls = {
            f"LLMKIT_{name.upper()}_BASE_URL": fakes.base_url(name) + ends.get(name, "")
            for name in PREFIXES
        }
        keys = dict.fromkeys(KEY_VARS.values(), fakes.key)
        kits.append(Kit(environ={**urls, **keys}, sign_in_delay_s=0.0, **changes))
        return kits[-1]

    yield made
    for kit in kits:
        kit.close()


def compared(kit, *asked):
    arguments = comparison_arguments(*asked)
    return kit.compare(arguments.requests, arguments.options)


def ask(kit, name):
    return kit.manager.run(kit.answer(*chat_arguments("hi", MODELS[name], fallback="equivalent")))


@pytest.mark.parametrize("name", MODELS)
def test_an_answer_comes_from_the_base_url_that_was_meant(fakes, kit_at, name):
    """Its row warns of it, and so does the check of the key."""
    kit = kit_at(ENDS)

    answer = ask(kit, name)
    checked = kit.manager.run(kit.check(name))
    kit.manager.run(kit.refresh(name))

    assert answer.status is Status.COMPLETE
    url = fakes.base_url(name)
    assert [w for w in answer.warnings if w.startswith(f"base URL {url}{ENDS[name]} of {name} was")]
    assert checked.state is SignInState.READY
    assert f"The base URL {url}{ENDS[name]} of {name} was read as {url}" in checked.advice
    assert checked.base_url == url


@pytest.mark.parametrize("name", MODELS)
@pytest.mark.parametrize(
    "reply",
    [
        Reply(404, (b"404 page not found",)),
        Reply(404, (b'{"detail":"Not Found"}',), JSON),
        Reply(404, ()),
        Reply(405, (b'{"detail":"Method Not Allowed"}',), JSON),
        Reply(200, (b"<!DOCTYPE html><html><title>Gateway</title></html>",), PAGE),
        Reply(200, (b"<!DOCTYPE html><html><title>Gateway</title></html>",),
              {"content-type": "text/event-stream"}),
        LM_STUDIO,
        Reply(404, (b"",), {"x-should-retry": "true"}),
    ],
)  # fmt: skip
def test_a_wrong_address_is_told_with_the_url_that_was_called(fakes, kit_at, name, reply):
    """It is asked once, no other model is asked, and the key is not blamed."""
    kit = kit_at({}, retries=2)
    fakes.always(name, reply)

    with pytest.raises(WrongAddressError) as caught:
        ask(kit, name)
    checked = kit.manager.run(kit.check(name))
    with pytest.raises(WrongAddressError) as listing:
        kit.manager.run(kit.refresh(name))

    error, url = caught.value, fakes.base_url(name)
    assert str(error).startswith(f"POST {url}/")
    assert f"base URL {url} of {name} is probably wrong" in str(error)
    assert (error.attempts, error.provider, error.possibly_billed) == (1, name, False)
    assert sum(len(asked) for asked in fakes.asked.values()) == 3
    assert (checked.state, checked.attempts) == (SignInState.WRONG_ADDRESS, 1)
    assert checked.error.startswith(f"GET {url}/")
    assert str(listing.value).startswith(f"GET {url}/")


def test_the_rows_of_a_run_say_what_was_called(fakes, kit_at):
    """The row of the wrong address has the error, and the other rows their answers."""
    kit = kit_at({"anthropic": "/v1"})
    fakes.always("openai", Reply(404, (b'{"detail":"Not Found"}',), JSON))
    models = [MODELS["openai"], MODELS["anthropic"]]

    result = kit.manager.run(compared(kit, ["hi"], models))

    wrong, right = result.frame().to_dict("records")
    assert "/openai/v1/chat/completions: openai has no such path (404)" in wrong["error"]
    assert wrong["base_url"] == fakes.base_url("openai")
    assert (right["status"], right["base_url"]) == ("complete", fakes.base_url("anthropic"))


def test_a_server_with_a_query_in_its_base_url_gets_it_with_each_request(fakes, kit_at):
    """The path stands before it, as in the URLs of Azure's deployments."""
    kit = kit_at({})
    kit.add_provider("lab", f"{fakes.base_url('openai')}?api-version=2024-10-21", "LAB_KEY")
    kit.registry.credentials.type_in("lab", fakes.key)

    answer = kit.manager.run(kit.answer(*chat_arguments("hi", "lab:m")))
    kit.manager.run(kit.refresh("lab"))

    assert answer.status is Status.COMPLETE
    assert [(asked.path, asked.query) for asked in fakes.asked["openai"]] == [
        ("/openai/v1/chat/completions", "api-version=2024-10-21"),
        ("/openai/v1/models", "api-version=2024-10-21"),
    ]


def test_the_check_and_the_list_of_mistral_send_the_query_too(fakes):
    """The official SDK would leave it out."""
    url = f"{fakes.base_url('mistral')}?api-version=7"
    kit = Kit(environ={"LLMKIT_MISTRAL_BASE_URL": url, "MISTRAL_API_KEY": fakes.key})
    try:
        status = kit.manager.run(kit.check("mistral"))
        kit.manager.run(kit.refresh("mistral"))
    finally:
        kit.close()

    assert status.ready
    asked = fakes.asked["mistral"]
    assert [one.query for one in asked] == ["api-version=7"] * len(asked)
