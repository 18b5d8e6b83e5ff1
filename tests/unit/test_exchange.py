"""The exchange of one prompt with one model."""

from __future__ import annotations

import asyncio
import logging
from contextlib import aclosing, asynccontextmanager
from dataclasses import dataclass, field, replace

import pytest

from llmkit.chat.call import Call
from llmkit.chat.exchange import Exchange
from llmkit.errors import (
    APIConnectionError,
    BadResponseError,
    Outcome,
    RateLimitError,
    ServerError,
    StreamInterruptedError,
)
from llmkit.providers.google import Google
from llmkit.providers.openai import OpenAI
from llmkit.retries.policy import RetryPolicy
from llmkit.secret import Secret
from llmkit.transport.base import Opened
from llmkit.transport.timeouts import Timeouts
from llmkit.types import Message, Prompt, Status, TextDelta
from tests.over import over

SSE = {"content-type": "text/event-stream", "x-request-id": "req_1"}
JSON = {"content-type": "application/json"}


def event(text="", finish=None):
    reason = f'"{finish}"' if finish else "null"
    return (
        b'data: {"model":"gpt-6-luna-2026-09-01","choices":[{"index":0,"delta":{"content":"%s"},'
        b'"finish_reason":%s}]}\n\n' % (text.encode(), reason.encode())
    )


class Here(OpenAI):
    """A server on the user's own machine."""

    facts = replace(OpenAI.facts, kind="local")


WHOLE = [event("Hello "), event("world"), event("", "stop"), b"data: [DONE]\n\n"]
REFUSED = b'{"error":{"message":"slow down","type":"requests","code":"rate_limit_exceeded"}}'


@dataclass
class Answer:
    """One answer as a list of network reads; an exception in the list is raised there."""

    reads: list
    headers: dict = field(default_factory=lambda: dict(SSE))
    status: int = 200
    soft_end: list = field(default_factory=list)

    def __post_init__(self):
        self.reads = list(self.reads)

    async def read(self):
        if not self.reads:
            return b""
        read = self.reads.pop(0)
        if isinstance(read, asyncio.Event):
            await read.wait()
        if isinstance(read, Exception):
            raise read
        return read

    def content_received(self):
        pass

    def finish_within(self, within_s):
        self.soft_end.append(within_s)


class Replay:
    """A transport that gives each of its answers once."""

    def __init__(self, *answers):
        self.answers = list(answers)
        self.open = 0

    @asynccontextmanager
    async def send(self, request, limits):
        answer = self.answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        self.open += 1
        try:
            yield answer
        finally:
            self.open -= 1


def exchange(*answers, attempts=3):
    prompt = Prompt((Message("user", "hi"),))
    policy = RetryPolicy(attempts=attempts, delay=0.0)
    call = Call(OpenAI(), "gpt-6-luna", prompt, Secret("sk-1234567890abcdef"), Timeouts(), policy)
    transport = Replay(*answers)
    return Exchange(call, over(transport)), transport


@pytest.mark.parametrize("group", [None, "a comparison"])
def test_what_opening_takes_is_none_of_the_calls_time(group):
    """Loading the embedded model does not count towards the deadline."""
    one, _ = exchange(Answer(WHOLE))
    call = replace(one.call, timeouts=Timeouts(deadline_s=30.0))
    seen = []

    class Noting(Replay):
        def send(self, request, limits):
            seen.append(limits.deadline_s)
            return super().send(request, limits)

    async def opening(call):
        loop = asyncio.get_running_loop()
        clock, loop.time = loop.time, lambda: clock() + 20.0  # as long as loading may take
        return Opened(call.provider, call.key, Noting(Answer(WHOLE)))

    answer = asyncio.run(Exchange(call, opening, group=group).whole())

    assert answer.status is Status.COMPLETE
    assert seen[0] == pytest.approx(30.0, abs=5.0)


def test_the_last_piece_comes_also_without_the_line_that_closes_it():
    """A reader of the stream gets all of the text, not only the completion."""
    one, _ = exchange(Answer([event("Hello "), event("world", "stop").rstrip(b"\n")]))

    async def read():
        async with aclosing(one.deltas()) as deltas:
            return [delta.text async for delta in deltas]

    assert asyncio.run(read()) == ["Hello ", "world"]
    assert one.completion().text == "Hello world"


@pytest.mark.parametrize(("content_type", "cut"), [("text/event-stream", 3), ("text/plain", 40)])
def test_a_malformed_event_ends_a_stream_whose_first_event_came_in_two_reads(content_type, cut):
    """Nothing more is read: after an event, the body cannot be one JSON document."""
    first = event("Hello ")
    reads = [first[:cut], first[cut:], b"data: {bad\n\n", AssertionError("read on")]
    one, _ = exchange(Answer(reads, headers={"content-type": content_type}))

    with pytest.raises(BadResponseError) as raised:
        asyncio.run(one.whole())

    assert raised.value.completion.text == "Hello "


def test_an_answer_knows_where_it_comes_from():
    """Text, ids, models and times are in the completion."""
    one, transport = exchange(Answer(WHOLE))

    answer = asyncio.run(one.whole())

    assert (answer.text, answer.status, answer.finish_reason) == (
        "Hello world",
        Status.COMPLETE,
        "stop",
    )
    assert (answer.provider, answer.request_model, answer.response_model, answer.request_id) == (
        "openai",
        "gpt-6-luna",
        "gpt-6-luna-2026-09-01",
        "req_1",
    )
    assert 0 <= answer.time_to_first_chunk_s <= answer.duration_s
    assert (transport.open, answer.attempts, answer.possibly_billed) == (0, 1, False)


def test_each_network_read_is_one_delta():
    """Text of one network read is one delta."""
    one, _ = exchange(Answer([b"".join(WHOLE)]))

    async def collect():
        return [delta async for delta in one.deltas()]

    assert asyncio.run(collect()) == [TextDelta("Hello world")]


def test_the_end_of_an_answer_is_not_waited_for():
    """After the end mark the rest of the body gets a short time to arrive."""
    never = asyncio.Event()
    answer = Answer([*WHOLE, never])
    one, _ = exchange(answer)

    assert asyncio.run(one.whole()).text == "Hello world"
    assert answer.soft_end[-1] < 1.0


THOUGHT = event("hm", "stop").replace(b"content", b"reasoning_content")
GEMINI = b'data: {"candidates":[{"content":{"parts":[{"text":"%s"}]},"finishReason":"STOP"}]}\n\n'


@pytest.mark.parametrize(
    ("provider", "reads", "limits"),
    [
        (OpenAI(), [event("Hello ", "stop"), event("world"), event("", "stop")], [2.0, None, 0.1]),
        (OpenAI(), [THOUGHT, event("Hello world", "stop")], [None, None, 0.1]),
        (Google(), [GEMINI % b"Hello ", GEMINI % b"world"], [0.1]),
    ],
)
def test_a_server_that_goes_on_after_a_finish_reason_is_not_cut_off(provider, reads, limits):
    """The short wait for an end mark is over once more comes; after reasoning there is none."""
    answer = Answer(reads)
    one, _ = exchange(answer)
    one.call = replace(one.call, provider=provider)

    assert asyncio.run(one.whole()).text == "Hello world"
    assert answer.soft_end == limits


def test_an_incomplete_answer_is_returned_and_never_tried_again():
    """Its finish reason is neither a normal end nor an error of the server."""
    one, transport = exchange(Answer([event("", "MALFORMED_RESPONSE")]), Answer(WHOLE))

    answer = asyncio.run(one.whole())

    assert (answer.status, answer.status.is_ok) == (Status.INCOMPLETE, False)
    assert "'MALFORMED_RESPONSE'" in answer.warnings[1]
    assert (answer.attempts, len(transport.answers)) == (1, 1)


DOCUMENT = b'{"choices":[{"message":{"content":"Hello "},"finish_reason":"abort"}]}'


@pytest.mark.parametrize(
    "answer",
    [
        Answer([event("Hello "), event("", "abort"), b"data: [DONE]\n\n"]),
        Answer([event("Hello ", "abort"), APIConnectionError("reset", outcome=Outcome.STREAMED)]),
        Answer([DOCUMENT], JSON),
    ],
    ids=["stream", "stream and reset", "document"],
)
def test_an_answer_that_the_server_gave_up_is_an_error_with_its_text(answer):
    """The finish reason says that the server failed; the text was billed, so nothing is resent."""
    one, transport = exchange(answer, Answer(WHOLE))

    with pytest.raises(ServerError, match="finish reason 'abort'") as raised:
        asyncio.run(one.whole())

    error = raised.value
    assert (error.completion.text, error.completion.status) == ("Hello ", Status.ERROR)
    assert (error.outcome, error.possibly_billed) == (Outcome.STREAMED, True)
    assert len(transport.answers) == 1


def test_a_server_that_gives_up_before_any_text_is_asked_again():
    """Such an end is an error event without a status."""
    one, _ = exchange(Answer([event("", "abort"), b"data: [DONE]\n\n"]), Answer(WHOLE))

    answer = asyncio.run(one.whole())

    assert (answer.text, answer.attempts, answer.possibly_billed) == ("Hello world", 2, True)


def test_a_mark_without_a_finish_reason_ends_an_answer():
    """The server ended the stream by its dialect, so nothing is raised; a mark alone is none."""
    one, _ = exchange(Answer([event("Hello "), b"data: [DONE]\n\n"]))
    two, _ = exchange(Answer([b"data: [DONE]\n\n"]))

    assert asyncio.run(one.whole()).status is Status.COMPLETE
    with pytest.raises(StreamInterruptedError):
        asyncio.run(two.whole())


def test_a_refusal_before_any_text_is_tried_again():
    """A 429 and then an answer are two attempts, and the wait is logged."""
    one, transport = exchange(Answer([REFUSED], JSON, 429), Answer(WHOLE))

    answer = asyncio.run(one.whole())

    assert (answer.text, answer.attempts) == ("Hello world", 2)
    assert transport.answers == []


def test_a_retry_is_told_in_the_log(caplog):
    """INFO names the provider and the reason, not the prompt or the key."""
    one, _ = exchange(Answer([REFUSED], JSON, 429), Answer(WHOLE))

    with caplog.at_level(logging.INFO, logger="llmkit"):
        asyncio.run(one.whole())

    assert [r.getMessage()[:34] for r in caplog.records] == ["Retrying OpenAI (attempt 2) in 0.0"]
    assert "1234567890" not in caplog.text


def test_after_the_first_text_nothing_is_sent_again():
    """A broken answer would be billed twice and shown twice."""
    broken = ServerError("gone")
    one, transport = exchange(Answer([event("Hello "), broken]), Answer(WHOLE))

    with pytest.raises(ServerError) as raised:
        asyncio.run(one.whole())

    assert raised.value.completion.text == "Hello "
    assert len(transport.answers) == 1


def test_a_stream_without_an_end_is_truncated():
    """A cut stream is an error with the text so far, never a complete answer."""
    one, _ = exchange(Answer([event("Hello ")]))

    with pytest.raises(StreamInterruptedError, match="without a finish reason") as raised:
        asyncio.run(one.whole())

    assert raised.value.partial == "Hello "
    assert raised.value.completion.status is Status.TRUNCATED
    assert raised.value.possibly_billed


def test_a_server_that_does_not_stream_is_understood():
    """One JSON document instead of a stream is an ordinary answer."""
    document = (
        b'{"model":"m","choices":[{"message":{"role":"assistant","content":"whole"},'
        b'"finish_reason":"stop"}],"usage":{"prompt_tokens":3,"completion_tokens":1}}'
    )
    one, _ = exchange(Answer([document[:40], document[40:]], JSON))

    answer = asyncio.run(one.whole())

    assert (answer.text, answer.status, answer.usage.input_tokens) == ("whole", Status.COMPLETE, 3)


@pytest.mark.parametrize("body", [b"", b"<html>hello</html>", b"[1,2]", b"null", b'{"choices":'])
def test_a_page_is_not_an_answer(body):
    """A 200 with other content is an error with a part of it, not an empty success."""
    one, _ = exchange(Answer([body], {"content-type": "text/html"}))

    with pytest.raises(BadResponseError) as raised:
        asyncio.run(one.whole())

    assert len(str(raised.value)) < 500


def test_the_last_error_says_how_often_it_was_tried():
    """After the last attempt the provider's error is raised, with the number of attempts."""
    one, _ = exchange(*[Answer([REFUSED], JSON, 429) for _ in range(3)])

    with pytest.raises(RateLimitError) as raised:
        asyncio.run(one.whole())

    assert (raised.value.attempts, raised.value.completion.attempts) == (3, 3)
    assert (raised.value.provider, raised.value.model) == ("openai", "gpt-6-luna")


def test_a_server_may_say_that_trying_again_is_useless():
    """x-should-retry: false is obeyed."""
    headers = {**JSON, "x-should-retry": "false"}
    one, transport = exchange(Answer([REFUSED], headers, 429), Answer(WHOLE))

    with pytest.raises(RateLimitError):
        asyncio.run(one.whole())

    assert len(transport.answers) == 1


def thinking(text):
    return event(text).replace(b'"content"', b'"reasoning_content"')


@pytest.mark.parametrize(
    ("reads", "first", "reasoning", "text", "pieces"),
    [
        ([thinking("Let"), thinking("me"), event("Hi"), event(" there")], 1, 1, 3, 4),
        ([thinking("Let") + event("Hi"), event(" there")], 1, 1, 1, 2),
        ([event(""), event("Hi") + event(" there")], 2, None, 2, 1),
        ([event(""), event("Hi").rstrip(b"\n")], 2, None, 2, 1),
        ([thinking("Let"), event("")], 1, 1, None, 1),
    ],
)
def test_the_first_reasoning_and_the_first_text_have_their_own_times(
    reads, first, reasoning, text, pieces
):
    """The times are those of the network reads that brought them."""
    now = [0]

    class Ticking(Answer):
        async def read(self):
            now[0] += 1
            return await super().read()

    end = event("", "stop")
    one, _ = exchange(Ticking([*reads[:-1], reads[-1].rstrip(b"\n") + b"\n\n" + end]))
    one.timing.clock = lambda: float(now[0])

    answer = asyncio.run(one.whole())

    times = (
        answer.time_to_first_chunk_s, answer.time_to_first_reasoning_s, answer.time_to_first_text_s,
    )  # fmt: skip
    assert (*times, answer.pieces) == (first, reasoning, text, pieces)


def test_an_answer_in_one_piece_has_no_rate():
    """The time between its only piece and the end says nothing of the model's speed."""
    usage = b'data: {"choices":[],"usage":{"prompt_tokens":3,"completion_tokens":9}}\n\n'
    one, _ = exchange(Answer([event("Hello world"), event("", "stop"), usage]))
    one.timing.clock = iter(range(100)).__next__

    answer = asyncio.run(one.whole())

    assert answer.usage.output_tokens == 9
    assert answer.output_tokens_per_s is None


def test_an_answer_that_is_cancelled_before_it_began_is_not_billed():
    """No response came, so no stream had begun."""
    one, _ = exchange(Answer(WHOLE))

    assert not one.completion(Status.CANCELLED).possibly_billed


@pytest.mark.parametrize(("provider", "is_billed"), [(OpenAI, True), (Here, False)])
def test_a_cancelled_answer_keeps_its_text_and_may_have_been_billed(provider, is_billed):
    """The text before a cancellation is kept, and the connection is released."""

    async def cancelled():
        one, transport = exchange(Answer([event("Hello "), asyncio.Event()]))
        one.call = replace(one.call, provider=provider())
        came = asyncio.Event()

        async def read():
            async with aclosing(one.deltas()) as deltas:
                async for _ in deltas:
                    came.set()

        task = asyncio.create_task(read())
        await came.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        return one.completion(Status.CANCELLED), transport.open

    answer, still_open = asyncio.run(cancelled())

    assert (answer.text, answer.status, still_open) == ("Hello ", Status.CANCELLED, 0)
    assert answer.possibly_billed is is_billed


def test_a_reader_that_stops_closes_the_stream():
    """Leaving a stream early releases its connection."""

    async def leave():
        one, transport = exchange(Answer([event("Hello "), asyncio.Event()]))
        async with aclosing(one.deltas()) as deltas:
            async for _ in deltas:
                break
        return transport.open

    assert asyncio.run(leave()) == 0
