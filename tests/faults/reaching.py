"""Rows in which a server cannot be reached, or the request itself is invalid."""

from __future__ import annotations

import asyncio

from llmkit.authentication.status import SignInState
from llmkit.errors import (
    APIConnectionError,
    APITimeoutError,
    BadResponseError,
    ConfigError,
    Outcome,
)
from llmkit.kit import Kit
from llmkit.types import Status
from tests.fakes.misbehaviour import breaking_off
from tests.fakes.raw import RawServer, closed_port, saying, silence

from .world import FIVE, PATIENT, TALK, World, row


async def never_sent(world: World, root: str, code: str, attempts: int) -> str:
    """Returns the message of a call that cannot have been billed."""
    world.elsewhere(root)

    told = await world.ask()

    error = told.error
    assert isinstance(error, APIConnectionError)
    assert (error.code, error.attempts, error.possibly_billed) == (code, attempts, False)
    return str(error)


@row("P01", *FIVE)
async def nobody_listens(world: World) -> None:
    """A refused connection cannot have been billed, so it is retried."""
    with closed_port() as root:
        said = await never_sent(world, root, "refused", 3)

    assert "check that the server runs" in said


@row("P01", *FIVE)
async def nobody_listens_at_sign_in(world: World) -> None:
    """After three attempts, the key is not called bad."""
    with closed_port() as root:
        world.elsewhere(root)
        found = await world.kit.check(world.provider)

    expected = SignInState.NOT_RUNNING if world.provider == "ollama" else SignInState.UNREACHABLE
    assert (found.state, found.attempts) == (expected, 3)


@row("P12", *FIVE)
async def a_certificate_that_proves_nothing(world: World) -> None:
    """One attempt, nothing sent, and verification stays on."""
    with RawServer(saying(b"secret"), tls=True) as server:
        said = await never_sent(world, server.root, "tls", 1)

    assert "TLS certificate verification failed" in said


@row("P13", *FIVE)
async def tls_to_a_server_that_speaks_none(world: World) -> None:
    """The hint is http://."""
    said = await never_sent(world, world.server.root.replace("http:", "https:"), "tls", 1)

    assert "http://" in said


@row("P13", *FIVE)
async def tls_to_a_server_that_waits_for_more(world: World) -> None:
    """A plain server that waits for the end of a line never answers a handshake."""
    world.limits(connect_timeout_s=0.3)
    with RawServer(silence) as server:
        world.elsewhere(server.root.replace("http:", "https:"))
        told = await world.ask(within_s=3.0)

    assert isinstance(told.error, APITimeoutError)
    assert "http://" in str(told.error)
    assert (told.error.outcome, told.error.possibly_billed) == (Outcome.UNSENT, False)


@row("P58", *FIVE)
async def no_such_host(world: World) -> None:
    """The message names the host and the failed DNS lookup."""
    said = await never_sent(world, "https://nowhere.invalid", "dns", 3)

    assert "nowhere.invalid" in said
    assert "DNS lookup failed" in said


@row("P33")
async def no_http_at_all(world: World) -> None:
    """Another protocol is not an answer, and the request may have been billed."""
    world.billed = 1
    with RawServer(saying(b"SSH-2.0-OpenSSH_9.2\r\n")) as server:
        world.elsewhere(server.root)
        told = await world.ask()

    assert isinstance(told.error, BadResponseError)
    assert "not HTTP" in str(told.error)


@row("P50", *FIVE)
async def closed_in_the_middle_of_a_stream(world: World) -> None:
    """Closing with a stream open, twice, and again in a loop that has ended."""
    world.says(breaking_off(world.provider, "Hello", ending="silence"))
    call = asyncio.create_task(world.ask())
    while not world.posts:
        await asyncio.sleep(0.01)
    await asyncio.sleep(0.05)

    await world.close()
    await world.close()
    told = await call

    assert told.text in ("", "Hello")
    assert told.error is not None
    await asyncio.to_thread(closed_after_its_loop, world)


def closed_after_its_loop(world: World) -> None:
    """A script makes its loops by hand and closes at its very end."""
    kit = Kit(environ=dict(world.kit.registry._environ), notify=TALK.append, **PATIENT)
    loop = asyncio.new_event_loop()
    try:
        session, _ = loop.run_until_complete(_opened(kit, world.provider))
    finally:
        loop.close()
    kit.close()
    kit.close()
    assert session.closed


async def _opened(kit: Kit, provider: str):
    return await kit.http_session(provider, persistent=True)


@row("P52", *(name for name in FIVE if name != "ollama"))
async def a_key_as_it_is_pasted(world: World) -> None:
    """Blanks, quotes, line ends and invisible characters are removed."""
    key = world.room.key
    for pasted in (f"  {key}\n", f'"{key}"', f"'{key}'", f"\u200b{key}\ufeff", f"{key}\r\n"):
        kit = with_key(world, pasted)

        told = await kit.check(world.provider)
        await kit.manager.aclose("all")

        assert told.state is SignInState.READY, ascii(pasted.replace(key, "KEY"))
    assert all("\u200b" not in str(asked.headers) for asked in world.room.asked[world.provider])


@row("P52", *(name for name in FIVE if name != "ollama"))
async def a_key_that_cannot_be_one(world: World) -> None:
    """Smart quotes or a line end inside, or an empty key: refused before anything is sent."""
    half = world.room.key[:20]
    for pasted in (f"{half}\n{half}", f"{half}\u201d{half}", "", "   ", "\u200b"):
        kit = with_key(world, pasted)
        failure = await failing(kit, world)
        await kit.manager.aclose("all")

        assert isinstance(failure, ConfigError), ascii(pasted.replace(half, "HALF"))
        assert half not in str(failure)
    assert world.posts == []


def with_key(world: World, key: str) -> Kit:
    """Returns a kit with *key* in its environment."""
    old = world.room.key
    environ = {k: key if v == old else v for k, v in world.kit.registry._environ.items()}
    return Kit(environ=environ, notify=TALK.append, **PATIENT)


async def failing(kit: Kit, world: World) -> Exception | None:
    world_kit, world.kit = world.kit, kit
    try:
        told = await world.ask()
        world.told.remove(told)
        return told.error
    finally:
        world.kit = world_kit


@row("P55", *FIVE)
async def a_prompt_that_looks_like_a_template(world: World) -> None:
    """Braces, percent signs, variables and JSON arrive unchanged."""
    prompt = 'a {b} {{c}} %d %(e)s $HOME ${f} `g` \\n {"h": [1, "\u00fc"]}\r\n\tend'

    told = await world.ask(prompt)

    assert told.status is Status.COMPLETE
    sent = world.posts[0].body
    place = sent["contents"][0]["parts"][0]["text"] if "contents" in sent else (
        sent["messages"][0]["content"]
    )  # fmt: skip
    assert place == prompt
