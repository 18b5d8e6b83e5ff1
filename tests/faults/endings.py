"""Rows in which an answer ends in an invalid way."""

from __future__ import annotations

from dataclasses import replace

from llmkit.errors import (
    APIConnectionError,
    BadResponseError,
    Outcome,
    ProviderError,
    RateLimitError,
    ServerError,
    StreamInterruptedError,
)
from llmkit.providers.builtin import PROVIDERS
from llmkit.types import Status
from tests.fakes.misbehaviour import (
    TERMINAL,
    breaking_off,
    ending_with,
    failing_after,
    going_on,
    talking_on,
    up_to_the_finish_reason,
    without_terminal_mark,
)
from tests.fakes.reply import Reply, document, stream

from .world import FIVE, World, row

SIX = (*FIVE, "openrouter")
# The error event with which each provider ends a stream.
TOO_MANY = {
    "openai": b'data: {"error":{"message":"slow","type":"requests","code":"rate_limit_exceeded"}}',
    "anthropic": b'event: error\ndata: {"type":"error","error":{"type":"rate_limit_error",'
    b'"message":"slow"}}',
    "google": b'data: {"error":{"code":429,"message":"slow","status":"RESOURCE_EXHAUSTED"}}',
    "ollama": b'{"error":"too many requests"}',
    "mistral": b'data: {"object":"error","message":"slow","type":"rate_limited","code":"1300"}',
    "openrouter": b'data: {"error":{"code":429,"message":"slow"},"choices":[]}',
}


def cut_inside_an_event(provider: str, ending: str) -> Reply:
    """Sends words, and then the first half of the event with more of them."""
    whole = breaking_off(provider, "Hello", " world")
    *before, last = whole.pieces
    return replace(whole, pieces=(*before, last[: last.index(b" wor") + 4]), ending=ending)


async def kept(world: World, text: str) -> None:
    told = await world.ask()

    assert isinstance(told.error, StreamInterruptedError | APIConnectionError)
    assert (told.text, told.status) == (text, Status.TRUNCATED)
    assert told.error.outcome is Outcome.STREAMED
    assert told.error.possibly_billed is PROVIDERS[world.provider].facts.paid
    assert len(world.posts) == 1


@row("P06", *FIVE)
async def the_connection_ends_in_the_middle(world: World) -> None:
    """The connection ends with FIN before the end of the body."""
    world.says(breaking_off(world.provider, "Hello", " w\u00f6r", ending="cut"))
    await kept(world, "Hello w\u00f6r")


@row("P06", *FIVE)
async def the_connection_is_reset_in_the_middle(world: World) -> None:
    """The connection ends with RST."""
    # A pause, because a reset may overtake the bytes written just before it.
    pieces = breaking_off(world.provider, "Hello", " w\u00f6r", "")
    world.says(replace(pieces, ending="reset", gap_s=0.2))
    await kept(world, "Hello w\u00f6r")


@row("P07", *FIVE)
async def the_body_ends_and_the_answer_does_not(world: World) -> None:
    """The body ends normally, but without a finish event."""
    world.says(breaking_off(world.provider, "Hello", " w\u00f6r"))
    await kept(world, "Hello w\u00f6r")


@row("P07", *FIVE)
async def the_body_ends_before_the_first_word(world: World) -> None:
    """The answer is incomplete even if no word arrived."""
    world.says(breaking_off(world.provider, ""))
    await kept(world, "")


@row("P08", *FIVE)
async def cut_inside_an_event_by_the_connection(world: World) -> None:
    """Half an event is not text."""
    world.says(cut_inside_an_event(world.provider, "cut"))
    await kept(world, "Hello")


@row("P08", *FIVE)
async def cut_inside_an_event_by_the_body(world: World) -> None:
    """Half an event is not text either if the body ends normally."""
    world.says(cut_inside_an_event(world.provider, "close"))
    await kept(world, "Hello")


@row("P11", *FIVE, alone=True)
async def kept_connections_die_as_they_are_used_again(world: World) -> None:
    """Each connection is closed just after the client returns it to the pool."""
    world.room.always(world.provider, stream(world.provider, ending="leave"))

    for _ in range(20):
        told = await world.ask()
        assert told.status is Status.COMPLETE

    assert len(world.posts) == 20


@row("P11", alone=True)
async def a_kept_connection_hangs_up_on_every_second_request(world: World) -> None:
    """A used connection that closes without a byte is replaced at once."""
    hung_up = Reply(answered=False, ending="cut", billed=False)
    await world.ask()
    for _ in range(10):
        world.says(hung_up)
        told = await world.ask()
        assert (told.status, told.came.attempts) == (Status.COMPLETE, 1)

    assert world.waits.slept == []


@row("P29", *SIX)
async def an_error_in_the_middle(world: World) -> None:
    """The text is kept, the code is reported, and no request is sent again."""
    world.says(failing_after(world.provider, "Hello", " w\u00f6r"))

    told = await world.ask()

    assert isinstance(told.error, ServerError)
    assert (told.text, told.status) == ("Hello w\u00f6r", Status.ERROR)
    assert told.error.outcome is Outcome.STREAMED
    assert told.error.code or told.error.status
    assert len(world.posts) == 1


@row("P29", *SIX)
async def a_limit_in_the_middle(world: World) -> None:
    """A 429 after the first word is not retried either."""
    begun = breaking_off(world.provider, "Hello")
    world.says(replace(begun, pieces=(*begun.pieces, TOO_MANY[world.provider] + b"\n\n")))

    told = await world.ask()

    assert isinstance(told.error, RateLimitError)
    assert (told.text, told.error.outcome, len(world.posts)) == ("Hello", Outcome.STREAMED, 1)


@row("P30", *SIX)
async def a_limit_before_any_text(world: World) -> None:
    """A 429 event in a response with status 200 is a refusal, and is retried."""
    headers = stream(world.provider).headers
    pieces = (TOO_MANY[world.provider] + b"\n\n",)
    world.says(Reply(pieces=pieces, headers=headers, billed=False))

    told = await world.ask()

    assert (told.status, told.came.attempts) == (Status.COMPLETE, 2)


@row("P30", *SIX)
async def a_limit_before_any_text_again_and_again(world: World) -> None:
    """After three attempts the rate limit is reported."""
    headers = stream(world.provider).headers
    pieces = (TOO_MANY[world.provider] + b"\n\n",)
    world.room.always(world.provider, Reply(pieces=pieces, headers=headers, billed=False))

    told = await world.ask()

    assert isinstance(told.error, RateLimitError)
    assert (told.error.outcome, told.error.attempts) == (Outcome.REFUSED, 3)
    assert len(told.error.attempt_log) == 3


@row("P35", *FIVE)
async def the_last_mark_is_missing(world: World) -> None:
    """A finish reason makes the answer complete; a note reports the missing mark."""
    world.says(without_terminal_mark(world.provider))

    told = await world.ask()

    assert told.status is Status.COMPLETE
    assert told.text.startswith("A river carries silt")
    marked = bool(TERMINAL[world.provider])
    assert any("mark" in warning for warning in told.came.warnings) is marked


async def whole(world: World, beginning: str = "A river carries silt") -> None:
    told = await world.ask()

    assert (told.error, told.status) == (None, Status.COMPLETE)
    assert told.text.startswith(beginning)
    assert any("broke off" in warning for warning in told.came.warnings)
    assert (told.came.possibly_billed, len(world.posts)) == (False, 1)


@row("P35", *SIX)
async def the_connection_ends_after_the_finish_reason(world: World) -> None:
    """FIN instead of the rest of the stream: the answer is complete, with a note."""
    world.says(up_to_the_finish_reason(world.provider, ending="cut"))
    await whole(world)


@row("P35", *SIX)
async def the_connection_is_reset_after_the_finish_reason(world: World) -> None:
    """RST instead of the rest of the stream: the answer is complete, with a note."""
    pieces = (*up_to_the_finish_reason(world.provider).pieces, b"")
    reply = up_to_the_finish_reason(world.provider, ending="reset", gap_s=0.2)
    world.says(replace(reply, pieces=pieces))
    await whole(world)


@row("P35", *SIX)
async def silence_after_the_finish_reason(world: World) -> None:
    """A limit that passes after the finish reason does not fail the answer."""
    world.limits(idle_timeout_s=0.3)
    world.says(up_to_the_finish_reason(world.provider, ending="silence"))
    await whole(world)


@row("P32", *SIX)
async def the_connection_ends_after_a_whole_document(world: World) -> None:
    """A body that is shorter than announced, but is a whole document, is an answer."""
    reply = document(world.provider, "chat")
    if world.provider == "ollama":  # its document is also a stream of one line
        reply = replace(reply, pieces=(reply.pieces[0].rstrip(b"\n"),))
    world.says(replace(reply, ending="cut"))
    await whole(world)


@row("P35", "openai", "openrouter", "mistral", "anthropic", "ollama")
async def the_reason_is_missing_before_the_last_mark(world: World) -> None:
    """The end mark makes the answer complete; a note reports the missing reason."""
    world.says(ending_with(world.provider, None))

    told = await world.ask()

    assert (told.error, told.status) == (None, Status.COMPLETE)
    assert told.text.startswith("A river carries silt")
    assert told.came.warnings == ("the provider sent no finish reason",)


@row("P36", *(provider for provider in FIVE if provider != "google"))
async def it_goes_on_after_its_end(world: World) -> None:
    """Data after the terminal event is not part of the answer."""
    world.says(talking_on(world.provider))

    told = await world.ask()

    assert told.status is Status.COMPLETE
    assert told.text.count("A river") == 1


@row("P36", "google", "openai", "openrouter", "mistral")
async def it_goes_on_after_a_finish_reason(world: World) -> None:
    """A finish reason with every chunk ends nothing: the pauses between them do not count."""
    world.says(replace(going_on(world.provider), gap_s=0.1))

    told = await world.ask()

    assert (told.error, told.status) == (None, Status.COMPLETE)
    assert told.text.startswith("A river carries silt")
    assert told.came.warnings == ()


@row("P37", *FIVE)
async def garbage_where_an_event_should_be(world: World) -> None:
    """An event contains half an object, another value, or a web page."""
    begun = breaking_off(world.provider, "Hello")
    mark = b"" if world.provider == "ollama" else b"data: "
    for garbage in (b'{"choices":[{"del', b"lorem ipsum", b"<html><b>502</b></html>", b"[1]"):
        spoiled = (*begun.pieces, mark + garbage + b"\n\n", *stream(world.provider).pieces)
        world.says(replace(begun, pieces=spoiled))

        told = await world.ask()

        assert isinstance(told.error, BadResponseError), garbage
        assert (told.text, told.status) == ("Hello", Status.ERROR)


@row("P31", *SIX)
async def an_error_in_the_place_of_an_answer(world: World) -> None:
    """Status 200 with an error object is an error, never an empty success."""
    says = {
        "anthropic": b'{"type":"error","error":{"type":"overloaded_error","message":"Busy"}}',
        "google": b'{"error":{"code":503,"message":"Busy","status":"UNAVAILABLE"}}',
        "ollama": b'{"error":"model runner has stopped"}',
        "mistral": b'{"object":"error","message":"Busy","type":"unavailable","code":"3000"}',
    }.get(world.provider, b'{"error":{"message":"Busy","code":502}}')
    world.billed = 0
    reply = Reply(pieces=(says,), headers={"content-type": "application/json"})
    world.room.always(world.provider, reply)

    told = await world.ask(retries=0)

    assert isinstance(told.error, ProviderError)
    assert (told.text, told.status) == ("", Status.ERROR)
    world.billed = int(told.error.possibly_billed)
