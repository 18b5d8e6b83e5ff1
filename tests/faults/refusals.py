"""Rows in which a provider refuses a request."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import pairwise

from llmkit.authentication.status import SignInState
from llmkit.errors import (
    AuthenticationError,
    BadResponseError,
    CallError,
    InsufficientFundsError,
    InvalidRequestError,
    ModelNotFoundError,
    Outcome,
    PermissionDeniedError,
    ProviderError,
    QuotaExhaustedError,
    ServerError,
    WrongAddressError,
)
from llmkit.types import Status
from tests.fakes.misbehaviour import ODD_BODIES
from tests.fakes.reply import Reply, refusal

from .world import FIVE, World, row

JSON = {"content-type": "application/json"}
PAGE = (
    b"<!doctype html><html><head><title>502 Bad Gateway</title></head><body><h1>nginx</h1></body>"
)
QUOTA_OF_THE_DAY = (
    b'{"error":{"code":429,"message":"You exceeded your current quota.","status":'
    b'"RESOURCE_EXHAUSTED","details":[{"violations":[{"quotaId":"GenerateRequestsPerDay"}]}]}}'
)


async def refused(world: World, reply: Reply, kind: type[CallError]) -> CallError:
    """Returns the error after exactly one request."""
    world.says(*[reply] * 3)

    told = await world.ask()

    assert type(told.error) is kind
    assert (len(world.posts), told.status) == (1, Status.ERROR)
    world.room.reset()
    return told.error


@row("P14", *FIVE)
async def a_refused_key(world: World) -> None:
    """A chat with a bad key sends one request."""
    await refused(world, refusal(world.provider, "401"), AuthenticationError)


@row("P14", *(name for name in FIVE if name != "ollama"))
async def a_refused_key_at_sign_in(world: World) -> None:
    """A sign-in with a bad key does too. A local Ollama has no key to refuse."""
    world.says(refusal(world.provider, "401"))

    found = await world.kit.check(world.provider)

    assert (found.state, found.attempts) == (SignInState.REJECTED, 1)
    assert len(world.room.asked[world.provider]) == 1


@row("P15", *FIVE)
async def sign_in_succeeds_at_the_third_attempt(world: World) -> None:
    """Three attempts by three clients, each over its own connection."""
    world.says(*[Reply(503, (b"busy",))] * 2)

    found = await world.kit.check(world.provider)

    asked = world.room.asked[world.provider]
    assert (found.state, found.attempts) == (SignInState.READY, 3)
    assert len({one.connection for one in asked}) == 3
    assert all(later.at - earlier.at >= 0.02 for earlier, later in pairwise(asked))


@row("P16", *FIVE)
async def sign_in_never_succeeds(world: World) -> None:
    """After exactly three attempts the server is reported as failing, not the key."""
    world.room.always(world.provider, Reply(503, (b"busy",)))

    found = await world.kit.check(world.provider)

    assert found.state is SignInState.SERVER_ERROR
    assert "key was not refused" in str(found)
    assert len(world.room.asked[world.provider]) == 3


@row("P17", *FIVE)
async def no_permission(world: World) -> None:
    """403 with the provider's message."""
    reply = Reply(403, (b'{"error":{"message":"not for this project"}}',), JSON)
    error = await refused(world, reply, PermissionDeniedError)

    assert "not for this project" in str(error)


@row("P17", *FIVE)
async def no_money(world: World) -> None:
    """402 is final, even if a header asks for a retry."""
    reply = Reply(402, (b'{"error":{"message":"add credit"}}',), {**JSON, "x-should-retry": "true"})
    error = await refused(world, reply, InsufficientFundsError)

    assert "add credit" in str(error)


@row("P18")
async def a_used_up_quota(world: World) -> None:
    """A 429 for a used-up quota is final, even if a header asks for a retry."""
    said = refusal("openai", "429quota")
    headers = {**said.headers, "retry-after": "1", "x-should-retry": "true"}
    await refused(world, Reply(429, said.pieces, headers), QuotaExhaustedError)


@row("P18", "google")
async def a_used_up_day(world: World) -> None:
    """Gemini's quota per day is final."""
    await refused(world, Reply(429, (QUOTA_OF_THE_DAY,), JSON), QuotaExhaustedError)


@row("P19", *FIVE, "openrouter")
async def an_unknown_model(world: World) -> None:
    """The message names the model and the next step."""
    error = await refused(world, refusal(world.provider, "404"), ModelNotFoundError)

    assert error.model == "some-model"


@row("P20", *FIVE)
async def a_bad_request(world: World) -> None:
    """400 and 422 with the server's reason, including FastAPI's list."""
    fastapi = b'{"detail":[{"loc":["body","stop"],"msg":"Input should be a list","type":"x"}]}'
    for status, body in (
        (400, b'{"error":{"message":"stop: too many"}}'),
        (422, fastapi),
    ):
        error = await refused(world, Reply(status, (body,), JSON), InvalidRequestError)

        assert "stop: " in str(error)


@row("P26", *FIVE)
async def a_server_in_trouble(world: World) -> None:
    """At most three requests, and no web page in the message."""
    for status in (500, 502, 503, 504, 529):
        before = len(world.posts)
        world.room.always(world.provider, Reply(status, (PAGE,), {"content-type": "text/html"}))

        told = await world.ask()

        assert isinstance(told.error, ServerError)
        assert (told.error.status, told.error.attempts) == (status, 3)
        assert len(world.posts) - before == 3
        assert "502 Bad Gateway" in str(told.error)
        await world.waits.sleep(61.0)  # else the first few would use up the retry budget


@row("P27", *FIVE)
async def a_server_that_says_whether_to_try_again(world: World) -> None:
    """x-should-retry, both values, on a status that implies the opposite."""
    told = []
    for status, wish in ((503, "false"), (409, "true"), (400, "true")):
        world.says(Reply(status, (b"{}",), {**JSON, "x-should-retry": wish}))
        told.append(await world.ask())

    assert [one.came.attempts for one in told] == [1, 2, 2]
    assert [one.status for one in told] == [Status.ERROR, Status.COMPLETE, Status.COMPLETE]


@row("P33", *(name for name in FIVE if name != "ollama"))
async def no_answer_in_a_success(world: World) -> None:
    """Empty, a web page, null, an array, a string, half a document, other encodings, a 204."""
    bodies: Mapping[str, Reply] = ODD_BODIES
    for name, body in bodies.items():
        world.says(body)

        told = await world.ask()

        kind = WrongAddressError if name == "html" else BadResponseError
        assert isinstance(told.error, kind), name
        assert (told.text, told.error.attempts) == ("", 1)
        assert len(str(told.error)) < 500
        assert "alert(1)" not in str(told.error)
    answered = sum(body.status == 200 for body in bodies.values())
    world.billed = (
        0 if world.provider == "ollama" else max(answered, sum(map(_flagged, world.told)))
    )


def _flagged(told) -> bool:
    return told.came.possibly_billed


@row("P47", *FIVE)
async def the_server_repeats_the_key(world: World) -> None:
    """The key is masked in the body, its code, its page and an event of a stream."""
    key = world.room.key
    for status, body in (
        (401, f'{{"error":{{"message":"bad key {key}","code":"{key}"}}}}'),
        (500, f"<html><title>{key}</title>"),
        (200, f"<html><body>{key}</body>"),
        (400, f'{{"detail":[{{"loc":["header","{key}"],"msg":"{key}"}}]}}'),
    ):
        # A page comes from a server that is no API.
        is_page = status == 200
        world.says(Reply(status, (body.encode(),), billed=False if is_page else None))

        told = await world.ask(retries=0)

        assert isinstance(told.error, ProviderError)
        assert key not in str(told.error)


@row("P60", *FIVE)
async def three_attempts_fail(world: World) -> None:
    """The last error is raised, with the result of each attempt."""
    world.says(
        Reply(503, (b"first",)), Reply(503, (b"second",), {"retry-after-ms": "10"}),
        Reply(529, (b"third",)),
    )  # fmt: skip

    told = await world.ask()

    error = told.error
    assert isinstance(error, ServerError)
    assert (error.status, error.attempts, error.outcome) == (529, 3, Outcome.REFUSED)
    assert len(error.attempt_log) == 3
    for word, line in zip(("first", "second", "third"), error.attempt_log, strict=True):
        assert word in line
    assert "gave up after 3 attempts" in error.__notes__[0]


@row("P60")
async def three_different_failures(world: World) -> None:
    """The list contains every retried attempt, not only refusals."""
    world.says(
        Reply(503, (b"busy",)),
        Reply(
            429, (b'{"error":{"message":"slow"}}',), {"retry-after-ms": "10", "connection": "close"}
        ),
        Reply(answered=False, ending="cut"),
    )

    told = await world.ask()

    assert isinstance(told.error, CallError)
    kinds = [line.split(":")[0] for line in told.error.attempt_log]
    assert kinds == ["ServerError", "RateLimitError", "APIConnectionError"]


@row("P14")
async def a_refusal_that_never_ends(world: World) -> None:
    """The status decides, and the received part of the reason is reported."""
    body = b'{"error":{"message":"bad key'
    world.says(Reply(401, (body,), JSON, ending="silence"))
    world.limits(idle_timeout_s=1.5)

    told = await world.ask(within_s=1.5)

    assert isinstance(told.error, AuthenticationError)
    assert "bad key" in str(told.error)
