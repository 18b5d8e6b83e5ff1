"""Tests the events of real requests to fake providers."""

from __future__ import annotations

import asyncio
from contextlib import aclosing

import pytest

from llmkit.chat.arguments import chat_arguments
from llmkit.comparison.arguments import comparison_arguments
from llmkit.errors import CallError
from llmkit.kit import Kit
from llmkit.telemetry.event import EventKind
from tests.fakes.reply import Reply, cut_stream
from tests.fakes.server import PREFIXES


@pytest.fixture
def kit(fakes):
    """A kit whose OpenAI is the fake one."""
    urls = {f"LLMKIT_{name.upper()}_BASE_URL": fakes.base_url(name) for name in PREFIXES}
    made = Kit(
        environ={**urls, "OPENAI_API_KEY": fakes.key, "MISTRAL_API_KEY": fakes.key},
        notify=lambda text: None, sign_in_delay_s=0.0,
    )  # fmt: skip
    yield made
    made.close()


def ask(kit, prompt="hi", model="gpt-6-luna", **more):
    return kit.manager.run(kit.answer(*chat_arguments(prompt, model, **more)))


def kinds(kit):
    return [str(event.kind) for event in kit.manager.telemetry.events()]


def requests(kit):
    events = kit.manager.telemetry.events()
    return [event for event in events if event.kind is EventKind.REQUEST]


def test_a_life_of_a_session_is_told_in_order(fakes, kit):
    """Opened, connected, requested, reused, closed; the second question needs no new connection."""
    ask(kit)
    ask(kit)
    kit.close()

    assert kinds(kit) == ["opening", "connection", "request", "reuse", "request", "close"]
    assert {event.session for event in kit.manager.telemetry.events()} == {"s1"}
    assert {event.provider for event in kit.manager.telemetry.events()} == {"openai"}


def test_a_request_tells_what_its_answer_tells(fakes, kit):
    """Models, status, tokens and times are those of the completion."""
    answer = ask(kit, max_tokens=7)

    (event,) = requests(kit)
    assert (event.request_model, event.response_model, event.status, event.finish_reason) == (
        answer.request_model,
        answer.response_model,
        "complete",
        answer.finish_reason,
    )
    assert (event.duration_s, event.time_to_first_chunk_s, event.output_tokens) == (
        answer.duration_s,
        answer.time_to_first_chunk_s,
        answer.usage.output_tokens,
    )
    assert (event.parameters["max_tokens"], event.attempts, event.error_type) == (7, 1, None)


def test_texts_among_the_parameters_are_told_only_on_request_and_without_keys(fakes, kit):
    """Stop sequences are the user's text, and may contain a key."""
    ask(kit, model="gpt-4o", stop=["END", fakes.key], seed=3)
    kit.configure(telemetry_text=True)
    ask(kit, model="gpt-4o", stop=["END", fakes.key], seed=3)

    quiet, full = requests(kit)
    assert quiet.parameters == {"seed": 3}
    assert full.parameters == {"seed": 3, "stop": ("END", "***")}


def test_a_retry_is_told_before_it_is_made(fakes, kit):
    """The event has the number of the next attempt, its wait and the error before it."""
    fakes.answer("openai", Reply(503, (b"busy",), {"retry-after-ms": "1"}))
    ask(kit)

    *_, retry, reuse, request = kit.manager.telemetry.events()
    assert (reuse.kind, request.kind) == (EventKind.REUSE, EventKind.REQUEST)
    assert (retry.kind, retry.attempts, retry.error_type) == (EventKind.RETRY, 2, "ServerError")
    assert retry.wait_s > 0
    assert requests(kit)[0].attempts == 2


@pytest.mark.parametrize(
    ("reply", "status", "error"),
    [
        (Reply(400, (b"no",)), "error", "InvalidRequestError"),
        (cut_stream("openai"), "truncated", "StreamInterruptedError"),
    ],
)
def test_a_failure_is_a_request_too(fakes, kit, reply, status, error):
    """A failed request has its status and the class of its error."""
    fakes.answer("openai", reply)
    with pytest.raises(CallError):
        ask(kit)

    (event,) = requests(kit)
    assert (event.status, event.error_type) == (status, error)


def test_whoever_stops_reading_is_told_as_cancelled(fakes, kit):
    """A stream that is left early is recorded as a cancelled request."""
    fakes.answer("openai", cut_stream("openai", "silence"))

    async def leave():
        async with aclosing(kit.stream(*chat_arguments("hi", "gpt-6-luna"))) as parts:
            async for _ in parts:
                break

    kit.manager.run(leave())

    (event,) = requests(kit)
    assert (event.status, event.error_type) == ("cancelled", "GeneratorExit")


def test_a_cancelled_comparison_is_told_as_cancelled(fakes, kit):
    """So is a row whose comparison was stopped."""
    fakes.always("openai", cut_stream("openai", "silence"))
    compared = comparison_arguments("hi", ["gpt-6-luna"], repeats=2)

    async def stop():
        task = asyncio.create_task(kit.compare(compared.requests, compared.options))
        while len(fakes.asked["openai"]) < 2 and not task.done():
            await asyncio.sleep(0.01)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)

    kit.manager.run(stop())

    assert [event.status for event in requests(kit)] == ["cancelled"] * 2


def test_checks_and_lists_are_requests_too(fakes, kit):
    """Each event names its operation."""
    kit.manager.run(kit.check("openai"))
    kit.manager.run(kit.refresh("openai"))
    fakes.answer("openai", Reply(401, (b"no",)))
    kit.manager.run(kit.check("openai"))

    told = [(event.operation, event.status, event.error_type) for event in requests(kit)]
    assert told == [
        ("sign_in", "complete", None), ("models", "complete", None),
        ("sign_in", "error", "rejected"),
    ]  # fmt: skip
    assert kinds(kit).count("connection") == 3  # one for each


def test_a_sign_in_tells_of_its_sessions_connections_and_retries(fakes, kit):
    """Each attempt opens and closes its own session."""
    fakes.answer("openai", Reply(503, (b"busy",)))
    kit.manager.run(kit.check("openai"))

    assert kinds(kit) == [
        "opening", "connection", "close", "retry", "opening", "connection", "request", "close",
    ]  # fmt: skip


def test_no_prompt_is_in_an_event_unless_it_was_asked_for(fakes, kit):
    """The setting `telemetry_text` decides, from the next request on."""
    ask(kit, "Tell me of rivers")
    kit.configure(telemetry_text=True)
    answer = ask(kit, "Tell me of rivers", system="Be brief.")

    silent, spoken = requests(kit)
    assert (silent.messages, silent.text) == ((), None)
    assert spoken.messages == (("system", "Be brief."), ("user", "Tell me of rivers"))
    assert spoken.text == answer.text


def test_no_key_is_in_an_event(fakes, kit):
    """Not even if the user put the key into the prompt and records prompts."""
    kit.configure(telemetry_text=True)
    ask(kit, f"Is {fakes.key} a good key?")
    kit.manager.run(kit.check("mistral"))

    told = repr(kit.manager.telemetry.events()) + kit.telemetry.frame().to_csv()
    assert fakes.key not in told
    assert fakes.key[:12] not in told


def test_the_table_and_the_subscription_are_at_the_kit(fakes, kit):
    """`kit.telemetry` shows past events, and passes on new ones."""
    heard = []
    stop = kit.telemetry.watch(heard.append)
    ask(kit)
    stop()

    frame = kit.telemetry.frame()
    assert list(frame["kind"]) == ["opening", "connection", "request"]
    assert [event.kind for event in heard] == list(frame["kind"])
