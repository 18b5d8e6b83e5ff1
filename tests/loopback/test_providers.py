"""Tests every provider over the real transport, against fakes that official SDKs also read."""

from __future__ import annotations

import asyncio
from contextlib import aclosing

import pytest

from llmkit.chat.call import NO_END, Call
from llmkit.chat.exchange import Exchange
from llmkit.errors import (
    APIConnectionError,
    APITimeoutError,
    AuthenticationError,
    Outcome,
    ProviderError,
    StreamInterruptedError,
)
from llmkit.providers.builtin import PROVIDERS
from llmkit.retries.policy import RetryPolicy
from llmkit.secret import Secret
from llmkit.transport.aiohttp_transport import AiohttpTransport, open_session
from llmkit.transport.timeouts import Timeouts
from llmkit.types import Message, Prompt, Status
from tests.fakes.misbehaviour import up_to_the_finish_reason
from tests.fakes.reply import Reply, cut_stream, document, refusal, stream
from tests.fakes.server import PREFIXES
from tests.over import over
from tests.patience import NEVER_S, SOON_S

SIX = sorted(PREFIXES)
WORDY = ("anthropic", "google", "ollama")  # their recorded answers contain non-ASCII characters
STREAMED = {p: f"A river carries silt{' — 🏞' if p in WORDY else ''}." for p in SIX}
WHOLE = {p: f"A river carries silt{' — 🏞 —' if p in WORDY else ''} to the sea." for p in SIX}
PATIENT = Timeouts(connect_s=20.0, first_byte_s=20.0, idle_s=20.0, idle_content_s=20.0)
QUICK = Timeouts(
    connect_s=20.0, first_byte_s=20.0, idle_s=0.5, idle_content_s=1.0, deadline_s=60.0
)  # fmt: skip


def call(fakes, provider, *, key=None, timeouts=PATIENT, attempts=3):
    return Call(
        PROVIDERS[provider](fakes.base_url(provider)),
        "some-model",
        Prompt((Message("user", "hi"),)),
        Secret(key or fakes.key),
        timeouts,
        RetryPolicy(attempts=attempts, delay=0.01),
    )


def ask(fakes, provider, *, times=1, **more):
    async def ask_them():
        async with open_session() as session:
            transport = AiohttpTransport(session)
            for _ in range(times):
                answer = await Exchange(call(fakes, provider, **more), over(transport)).whole()
            return answer

    return asyncio.run(ask_them())


@pytest.mark.parametrize("provider", SIX)
def test_an_answer_comes_from_each(fakes, provider):
    """A streamed answer has text, status and tokens."""
    answer = ask(fakes, provider)

    assert (answer.text, answer.status) == (STREAMED[provider], Status.COMPLETE)
    assert answer.usage.input_tokens > 0
    assert answer.usage.output_tokens > 0


@pytest.mark.parametrize("provider", SIX)
def test_a_second_request_opens_no_connection(fakes, provider):
    """A finished stream returns its connection to the pool."""
    ask(fakes, provider, times=3)

    assert len({asked.connection for asked in fakes.asked[provider]}) == 1


@pytest.mark.parametrize("provider", [p for p in SIX if p != "ollama"])
def test_a_wrong_key_is_one_request_and_no_leak(fakes, provider):
    """The refusal is final, and no text that a user sees contains the key."""
    wrong = "sk-wrong-0123456789abcdef"

    with pytest.raises(AuthenticationError) as raised:
        ask(fakes, provider, key=wrong)

    assert len(fakes.asked[provider]) == 1
    shown = f"{raised.value!r} {raised.value} {vars(raised.value)} {raised.value.__cause__!r}"
    assert "0123456789abcdef" not in shown
    assert "0123456789abcdef" not in fakes.asked[provider][0].query


@pytest.mark.parametrize("provider", SIX)
def test_a_key_that_a_refusal_repeats_is_taken_out(fakes, provider):
    """The error masks the key, in any form of the key and of the refusal."""
    wrong = "aB0123456789abcdefXYZ0k3jR9w2LmQ"
    fakes.answer(provider, Reply(401, (f'{{"detail":"no such key: {wrong}"}}'.encode(),)))

    with pytest.raises(AuthenticationError, match=r"\*\*\*") as raised:
        ask(fakes, provider, key=wrong)

    shown = f"{raised.value!r} {vars(raised.value)} {raised.value.__cause__!r}"
    assert wrong in str(fakes.asked[provider][0].headers)
    assert wrong not in shown
    assert len(fakes.asked[provider]) == 1


@pytest.mark.parametrize("provider", SIX)
def test_an_answer_that_comes_byte_by_byte_is_the_same(fakes, provider):
    """Writes that split events, lines and characters anywhere change nothing."""
    whole = stream(provider)
    single = tuple(bytes([byte]) for byte in b"".join(whole.pieces))
    fakes.answer(provider, Reply(pieces=single, headers=whole.headers))

    answer = ask(fakes, provider)

    assert (answer.text, answer.status) == (STREAMED[provider], Status.COMPLETE)


@pytest.mark.parametrize("provider", SIX)
@pytest.mark.parametrize("ending", ["close", "cut", "reset"])
def test_a_cut_stream_is_never_complete(fakes, provider, ending):
    """The text is kept and nothing is sent again, in whatever way the connection ends."""
    fakes.answer(provider, cut_stream(provider, ending))

    with pytest.raises((StreamInterruptedError, APIConnectionError)) as raised:
        ask(fakes, provider)

    answer = raised.value.completion
    assert (answer.text, answer.status) == ("A river", Status.TRUNCATED)
    assert raised.value.possibly_billed is PROVIDERS[provider].facts.paid
    assert len(fakes.asked[provider]) == 1


@pytest.mark.parametrize("provider", SIX)
def test_a_break_after_the_finish_reason_leaves_a_complete_answer(fakes, provider):
    """It is neither an error nor sent again, and a note says that the end is missing."""
    fakes.answer(provider, up_to_the_finish_reason(provider, ending="cut"))

    answer = ask(fakes, provider)

    assert (answer.text, answer.status) == (STREAMED[provider], Status.COMPLETE)
    assert NO_END in answer.warnings
    assert len(fakes.asked[provider]) == 1


def test_what_came_before_a_break_is_read_after_it(fakes):
    """A late reader of a broken connection still gets the text that was flushed."""
    fakes.answer("openai", cut_stream("openai", "cut"))
    asked = call(fakes, "openai")
    request = asked.provider.chat_request(asked.prompt, model="m", key=asked.key, stream=True)

    async def late():
        async with (
            open_session() as session,
            AiohttpTransport(session).send(request, PATIENT) as response,
        ):
            while response._response.content.exception() is None:
                await asyncio.sleep(0.01)
            came = await response.read()
            with pytest.raises(APIConnectionError):
                await response.read()
            return came

    assert b"A river" in asyncio.run(late())


@pytest.mark.parametrize("provider", SIX)
def test_silence_ends_at_the_idle_limit(fakes, provider):
    """Text, then silence: the limit passes, the text is kept, the server sees the disconnect."""
    fakes.answer(provider, cut_stream(provider, "silence"))

    with pytest.raises(
        APITimeoutError, match=r"no data for 0.5 s; increase idle_timeout_s"
    ) as raised:
        ask(fakes, provider, timeouts=QUICK)

    (asked,) = fakes.asked[provider]
    assert (raised.value.completion.text, raised.value.outcome) == ("A river", Outcome.STREAMED)
    assert asked.ended.wait(SOON_S)
    assert asked.left


@pytest.mark.parametrize("provider", [p for p in SIX if p != "ollama"])
def test_heartbeats_are_no_content(fakes, provider):
    """Endless comments end at the limit on content; a socket timeout never passes."""
    fakes.answer(provider, cut_stream(provider, "drip"))

    with pytest.raises(
        APITimeoutError, match=r"only pings for 1 s; increase idle_content_timeout_s"
    ) as raised:
        ask(fakes, provider, timeouts=QUICK)

    assert raised.value.completion.text == "A river"


@pytest.mark.parametrize("provider", SIX)
def test_no_headers_end_at_the_first_byte_limit(fakes, provider):
    """A server that never answers is given up, and may have billed the request."""
    fakes.answer(provider, Reply(headers_after_s=NEVER_S))
    timeouts = Timeouts(first_byte_s=0.2)

    with pytest.raises(
        APITimeoutError, match=r"no answer began .* increase first_byte_timeout_s"
    ) as raised:
        ask(fakes, provider, timeouts=timeouts)

    is_paid = PROVIDERS[provider].facts.paid
    assert (raised.value.outcome, raised.value.possibly_billed) == (Outcome.AMBIGUOUS, is_paid)
    assert len(fakes.asked[provider]) == 1


@pytest.mark.parametrize("provider", SIX)
def test_the_deadline_bounds_a_living_stream(fakes, provider):
    """An endless stream ends at the deadline of the call."""
    slow = stream(provider, gap_s=0.6)
    fakes.answer(provider, slow)

    with pytest.raises(APITimeoutError, match="within the call's 1 s; increase timeout="):
        ask(fakes, provider, timeouts=Timeouts(deadline_s=1.0, call_s=1.0))

    assert fakes.asked[provider][0].ended.wait(SOON_S)


@pytest.mark.parametrize("provider", SIX)
def test_a_busy_server_is_asked_again(fakes, provider):
    """503 and then an answer: two attempts, one answer."""
    fakes.answer(provider, Reply(503, (b"busy",)))

    answer = ask(fakes, provider)

    assert (answer.text, answer.attempts) == (STREAMED[provider], 2)


@pytest.mark.parametrize("provider", SIX)
def test_an_error_in_a_stream_keeps_the_text(fakes, provider):
    """An error event raises llmkit's error with the text that arrived before it."""
    fakes.answer(provider, stream(provider, "stream_error"))

    with pytest.raises(ProviderError) as raised:
        ask(fakes, provider)

    came = raised.value.completion
    assert (came.text, came.status) == ("A river", Status.ERROR)
    assert len(fakes.asked[provider]) == 1


@pytest.mark.parametrize("provider", SIX)
def test_one_document_in_the_place_of_a_stream_is_an_answer(fakes, provider):
    """Servers that do not stream are supported."""
    fakes.answer(provider, document(provider, "chat"))

    answer = ask(fakes, provider)

    assert (answer.text, answer.status) == (WHOLE[provider], Status.COMPLETE)


@pytest.mark.parametrize("provider", SIX)
def test_a_redirect_is_not_followed(fakes, provider):
    """A key is sent to its own origin only."""
    target = fakes.base_url("openai") + "/elsewhere"
    fakes.answer(provider, Reply(307, headers={"location": target}))

    with pytest.raises(ProviderError):
        ask(fakes, provider)

    assert [len(asked) for asked in fakes.asked.values()] == [1]


@pytest.mark.parametrize("provider", SIX)
def test_a_client_that_stops_reading_is_seen_to_go(fakes, provider):
    """Leaving a stream ends the request at the server within a moment."""
    fakes.answer(provider, cut_stream(provider, "silence"))

    async def leave():
        async with open_session() as session:
            transport = AiohttpTransport(session)
            exchange = Exchange(call(fakes, provider), over(transport))
            async with aclosing(exchange.deltas()) as deltas:
                async for _ in deltas:
                    break

    asyncio.run(leave())

    (asked,) = fakes.asked[provider]
    assert asked.ended.wait(SOON_S)
    assert asked.left


@pytest.mark.parametrize("provider", SIX)
def test_a_cancelled_stream_is_seen_to_go(fakes, provider):
    """Cancelling the task that reads the stream ends the request and keeps the text."""
    fakes.answer(provider, cut_stream(provider, "silence"))

    async def cancel():
        async with open_session() as session:
            transport = AiohttpTransport(session)
            exchange = Exchange(call(fakes, provider, timeouts=Timeouts()), over(transport))
            spoken = asyncio.Event()

            async def read():
                async with aclosing(exchange.deltas()) as deltas:
                    async for delta in deltas:
                        if delta.text:
                            spoken.set()

            task = asyncio.create_task(read())
            await spoken.wait()
            task.cancel()
            (ended,) = await asyncio.gather(task, return_exceptions=True)
            return ended, exchange.completion(Status.CANCELLED)

    ended, answer = asyncio.run(cancel())

    (asked,) = fakes.asked[provider]
    assert isinstance(ended, asyncio.CancelledError)
    assert (answer.text, answer.status) == ("A river", Status.CANCELLED)
    assert asked.ended.wait(SOON_S)
    assert asked.left


def test_a_port_where_nobody_listens_was_never_reached(fakes):
    """A refused connection was not sent, so it may be retried; the message says what to check."""
    unreached = Call(
        PROVIDERS["openai"]("http://127.0.0.1:1"), "m", Prompt((Message("user", "hi"),)), None,
        PATIENT, RetryPolicy(attempts=2, delay=0.0),
    )  # fmt: skip

    async def asked():
        async with open_session() as session:
            await Exchange(unreached, over(AiohttpTransport(session))).whole()

    with pytest.raises(APIConnectionError, match="check that the server runs") as raised:
        asyncio.run(asked())

    assert (raised.value.outcome, raised.value.attempts) == (Outcome.UNSENT, 2)
    assert not raised.value.possibly_billed


def test_a_rate_limit_waits_as_long_as_the_server_says(fakes):
    """The Retry-After of a refusal is waited for before the second attempt."""
    limited = refusal("openai", "429")
    quick = Reply(429, limited.pieces, {**limited.headers, "retry-after-ms": "50"})
    fakes.answer("openai", quick)

    answer = ask(fakes, "openai")

    assert answer.attempts == 2
    assert answer.duration_s >= 0.05


def test_too_long_an_answer_is_refused(fakes):
    """The limit on a body's size holds, so that a server cannot fill the memory."""
    with pytest.raises(ProviderError, match="longer than 100 bytes"):
        ask(fakes, "openai", timeouts=Timeouts(body_bytes=100))


def test_a_slow_reader_is_not_a_silent_server(fakes):
    """Time that llmkit's reader takes does not count against the server's limits."""
    fakes.answer("openai", stream("openai", gap_s=0.05))

    async def dawdle():
        async with open_session() as session:
            exchange = Exchange(
                call(fakes, "openai", timeouts=QUICK), over(AiohttpTransport(session))
            )
            async for _ in exchange.deltas():
                await asyncio.sleep(0.7)
            return exchange.completion()

    assert asyncio.run(dawdle()).status is Status.COMPLETE


def test_a_kept_connection_that_breaks_is_tried_once_more_and_not_twice(fakes):
    """One disconnect of a kept connection may be due to its age; a second may have been billed."""
    hung_up = Reply(answered=False, ending="cut")

    async def asked():
        async with open_session() as session:
            transport = AiohttpTransport(session)
            warm = [Exchange(call(fakes, "openai"), over(transport)).whole() for _ in range(4)]
            await asyncio.gather(*warm)
            fakes.reset()
            fakes.answer("openai", *[hung_up] * 4)
            await Exchange(call(fakes, "openai"), over(transport)).whole()

    with pytest.raises(APIConnectionError) as raised:
        asyncio.run(asked())

    assert len(fakes.asked["openai"]) == 2
    assert (raised.value.outcome, raised.value.possibly_billed) == (Outcome.AMBIGUOUS, True)
