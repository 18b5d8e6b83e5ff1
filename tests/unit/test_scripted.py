"""Answers from a script."""

from __future__ import annotations

import asyncio

import pytest

from llmkit.chat.call import Call
from llmkit.chat.exchange import Exchange
from llmkit.comparison.arguments import comparison_arguments
from llmkit.errors import (
    APIConnectionError,
    APITimeoutError,
    ModelNotFoundError,
    RateLimitError,
    StreamInterruptedError,
)
from llmkit.kit import Kit
from llmkit.providers.scripted import Scripted
from llmkit.retries.policy import RetryPolicy
from llmkit.transport.scripted import Script, ScriptedTransport, builtin_scripts
from llmkit.transport.timeouts import Timeouts
from llmkit.types import Message, Prompt, Status
from tests.over import over


async def no_wait(seconds):
    """A sleep that takes no time."""


def ask(transport, model="echo", text="one two three", *, attempts=1, **parameters):
    prompt = Prompt((Message("user", text),), **parameters)
    policy = RetryPolicy(attempts=attempts, delay=0.0)
    call = Call(Scripted(), model, prompt, None, Timeouts(), policy)
    return asyncio.run(Exchange(call, over(transport)).whole())


def transport(**replies):
    return ScriptedTransport({**builtin_scripts(), **replies}, sleep=no_wait)


def test_echo_gives_the_prompt_back():
    """The echo answers with the prompt."""
    answer = ask(transport(), text="one  two\nthree ")

    assert answer.text == "one  two\nthree "
    assert answer.status is Status.COMPLETE
    assert answer.response_model == "echo"


@pytest.mark.parametrize("name", ["openai", "anthropic", "google", "mistral", "ollama"])
def test_every_player_is_labelled(name):
    """Scripted answers are recognisable as such."""
    answer = ask(transport(), name)

    assert answer.text.startswith(f"[scripted {name}] ")
    assert not answer.rerouted


def test_the_same_request_has_the_same_answer():
    """At temperature 0, and with a seed at any other, answers are deterministic."""
    texts = {ask(transport(), "openai", temperature=1.0, seed=3).text for _ in range(3)}

    assert len(texts) == 1


def test_temperature_and_seed_change_an_answer():
    """Over a few seeds a player with two openings uses both."""
    texts = {ask(transport(), "openai", temperature=1.0, seed=n).text for n in range(8)}

    assert len(texts) == 2


def test_a_token_limit_and_a_stop_sequence_are_kept():
    """Words count as tokens; text after a stop sequence is cut."""
    limited = ask(transport(), max_tokens=2)

    assert (limited.text, limited.status) == ("one two", Status.LENGTH)
    assert ask(transport(), stop=("three",)).text == "one two "


def test_a_script_of_ones_own_needs_no_mock():
    """A test needs only a script, or a function of the request."""
    mine = transport(mine=lambda body: Script(text=body["model"].upper()))

    assert ask(mine, "mine").text == "MINE"
    assert mine.requests[0]["messages"] == [{"role": "user", "content": "one two three"}]


@pytest.mark.parametrize(
    ("failure", "kind"),
    [
        ("cut", StreamInterruptedError),
        ("reset", APIConnectionError),
        ("silence", APITimeoutError),
    ],
)
def test_a_script_can_fail_in_the_middle(failure, kind):
    """Half of the text arrived, and is kept with the error."""
    broken = transport(broken=Script(text="one two three four", failure=failure))

    with pytest.raises(kind) as raised:
        ask(broken, "broken")

    assert raised.value.completion.text == "one two"
    assert raised.value.completion.status is Status.TRUNCATED


def test_who_refuses_first_answers_the_second_time():
    """The moody player demonstrates a retry."""
    with pytest.raises(RateLimitError):
        ask(transport(), "openrouter")

    answer = ask(transport(), "openrouter", attempts=2)
    assert (answer.attempts, answer.status) == (2, Status.COMPLETE)


def test_an_unknown_player_is_a_model_that_was_not_found():
    """The message names the players."""
    with pytest.raises(ModelNotFoundError, match="known scripts: echo"):
        ask(transport(), "ghost")


def test_a_script_of_ones_own_has_a_name():
    """Each effect for a course or a test has a model name."""
    kit = Kit(environ={})
    kit.script("torn", Script("one two three four", failure="cut"))
    compared = comparison_arguments("hi", ["scripted:torn", "scripted:echo"])
    found = kit.manager.run(kit.compare(compared.requests, compared.options))
    kit.close()

    assert [str(row.completion.status) for row in found] == ["truncated", "complete"]
    assert found.rows[0].completion.text == "one two"
