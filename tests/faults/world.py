"""Provides the kit and servers for a row of docs/faults.md, and checks the demands on every row."""

from __future__ import annotations

import asyncio
import base64
import logging
import os
import re
import time
import urllib.parse
from collections.abc import Awaitable, Callable
from contextvars import ContextVar
from dataclasses import asdict, dataclass, field

from llmkit.chat.arguments import chat_arguments
from llmkit.errors import CallError, LlmkitError
from llmkit.kit import Kit
from llmkit.providers.builtin import PROVIDERS
from llmkit.retries.rate_limit import RateLimiters
from llmkit.types import Completion, Status
from tests.fakes.reply import Reply
from tests.fakes.server import Asked, FakeProviders
from tests.patience import NEVER_S, SOON_S

# All limits are long, except the one that a row tests: the machine may be loaded.
PATIENT = {
    "connect_timeout_s": NEVER_S, "first_byte_timeout_s": NEVER_S, "idle_timeout_s": NEVER_S,
    "idle_content_timeout_s": NEVER_S, "sign_in_delay_s": 0.02,
}  # fmt: skip
SLACK_S = 90.0  # beyond a row's own limit, for a loaded machine; a hang never ends
MARKUP = re.compile(r"<[a-z!/]", re.IGNORECASE)
CURRENT: ContextVar[str] = ContextVar("row", default="")
TALK: list[str] = []  # all log records of the run


@dataclass
class Told:
    """The outcome of one call."""

    answer: Completion | None
    error: LlmkitError | None = None

    @property
    def came(self) -> Completion:
        """The completion, also if the call failed later."""
        if self.answer is not None:
            return self.answer
        assert isinstance(self.error, CallError)
        assert self.error.completion is not None
        return self.error.completion

    @property
    def text(self) -> str:
        """The text that arrived."""
        return self.came.text

    @property
    def status(self) -> Status:
        """The status of the answer."""
        return self.came.status


class Skips:
    """A clock whose sleep() advances it without waiting, and records the wait."""

    def __init__(self) -> None:
        self.slept: list[float] = []
        self._ahead = 0.0

    def clock(self) -> float:
        return time.monotonic() + self._ahead

    async def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self._ahead += seconds
        await asyncio.sleep(0)


@dataclass
class World:
    """One kit, six fake providers that play the row, and their requests.

    Attributes:
        billed: Number of requests that the provider would charge; None to derive it.
    """

    row: str
    provider: str
    server: FakeProviders
    billed: int | None = None
    told: list[Told] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.room = self.server.room()
        self.waits = Skips()
        environ = {"LLMKIT_CONFIG": os.devnull}
        for name in ("openai", "anthropic", "google", "mistral", "openrouter", "ollama"):
            environ[PROVIDERS[name].key_vars[0]] = self.room.key
            environ[f"LLMKIT_{name.upper()}_BASE_URL"] = self.room.base_url(name)
        rate_limiters = RateLimiters(clock=self.waits.clock, sleep=self.waits.sleep)
        self.kit = Kit(environ=environ, rate_limiters=rate_limiters, notify=TALK.append, **PATIENT)

    @property
    def posts(self) -> list[Asked]:
        """Returns the completion requests."""
        return [asked for asked in self.room.asked[self.provider] if asked.method == "POST"]

    def says(self, *replies: Reply) -> None:
        """Queues the replies to the next requests."""
        self.room.answer(self.provider, *replies)

    def limits(self, **seconds: object) -> None:
        """Sets the limit that the row tests."""
        self.kit.configure(**{**PATIENT, **seconds})

    def elsewhere(self, root: str) -> None:
        """Sends the next calls to another server."""
        self.kit.configure(base_urls={self.provider: root})

    async def ask(self, prompt: str = "hi", within_s: float = SOON_S, **options: object) -> Told:
        """Makes one call and returns its outcome; a hang fails the row."""
        asked = chat_arguments(prompt, f"{self.provider}:some-model", verbatim=True, **options)
        async with asyncio.timeout(within_s + SLACK_S):
            try:
                told = Told(await self.kit.answer(*asked))
            except LlmkitError as error:
                told = Told(None, error)
        self.told.append(told)
        return told

    async def close(self) -> None:
        """Closes every session of the kit."""
        await self.kit.manager.aclose("all")

    # -- on every row ------------------------------------------------------------------------

    async def check(self) -> None:
        """Checks the demands on every row; the row itself has checked the text.

        Bills are compared first, because the rest sends another request.
        """
        for told in self.told:
            self._errors_are_fit_to_read(told)
        self._bills_are_the_same()
        await self._the_server_saw_us_go()
        await self._the_next_call_works()
        self._the_key_is_nowhere()
        await self.close()

    def _errors_are_fit_to_read(self, told: Told) -> None:
        if told.error is None:
            return
        said = str(told.error)
        assert said.isprintable(), said
        assert 0 < len(said) < 500
        assert not MARKUP.search(said), said
        assert "RetryError" not in f"{told.error!r}{told.error.__cause__!r}"

    def _bills_are_the_same(self) -> None:
        if not PROVIDERS[self.provider].facts.paid:  # the fake is not billed
            return
        theirs = sum(map(_would_be_billed, self.posts)) if self.billed is None else self.billed
        assert sum(map(_counted, self.told)) == theirs

    async def _the_server_saw_us_go(self) -> None:
        async with asyncio.timeout(SOON_S):
            for asked in self.room.asked[self.provider]:
                while not asked.ended.is_set():
                    await asyncio.sleep(0.01)

    async def _the_next_call_works(self) -> None:
        self.room.reset()
        self.limits(base_urls={})
        told = await self.ask()
        assert told.status is Status.COMPLETE, told
        assert told.text.startswith("A river carries silt")
        del self.told[-1]

    def _the_key_is_nowhere(self) -> None:
        shown = "\n".join([*TALK, *map(_all_of, self.told), repr(self.kit), repr(self.told)])
        for piece in _pieces(self.room.key):
            assert piece not in shown


@dataclass(frozen=True)
class Case:
    """One row for one provider."""

    row: str
    provider: str
    play: Callable[[World], Awaitable[None]]
    alone: bool = False

    @property
    def name(self) -> str:
        """The id of its test."""
        return f"{self.row}-{self.provider}-{self.play.__name__}"


CASES: list[Case] = []
FIVE = ("openai", "anthropic", "google", "ollama", "mistral")


def row(
    name: str, *providers: str, alone: bool = False
) -> Callable[[Callable[[World], Awaitable[None]]], Callable[[World], Awaitable[None]]]:
    """Marks a function as the case of a row for each of *providers*.

    A row that counts what others would disturb is *alone* on the loop.
    """

    def note(play: Callable[[World], Awaitable[None]]) -> Callable[[World], Awaitable[None]]:
        CASES.extend(Case(name, provider, play, alone) for provider in providers or ("openai",))
        return play

    return note


class Listener(logging.Handler):
    """Keeps every log record, of any level."""

    def emit(self, record: logging.LogRecord) -> None:
        TALK.append(f"{record.name} {record.levelname} {record.getMessage()} {record.exc_text}")


def _pieces(key: str) -> set[str]:
    """Returns every form in which a key must not occur."""
    body = key.removeprefix("sk-fake-")
    windows = {body[start : start + 8] for start in range(len(body) - 7)}
    packed = {base64.b64encode(text.encode()).decode().rstrip("=") for text in (key, body)}
    return windows | packed | {key, urllib.parse.quote(key, safe="")}


def _all_of(told: Told) -> str:
    """Returns everything of it that a user, a log or a traceback could show."""
    fields = None if told.answer is None else asdict(told.answer)
    shown, error = [repr(told.answer), repr(fields)], told.error
    seen: BaseException | None = error
    while seen is not None:
        notes = getattr(seen, "__notes__", ())
        shown += [repr(seen), str(seen), repr(vars(seen)), repr(seen.args), *notes]
        seen = seen.__cause__ or seen.__context__
    return "\n".join(shown)


def _sent(told: Told) -> bool:
    return told.answer is not None or isinstance(told.error, CallError)


def _would_be_billed(asked: Asked) -> bool:
    """Returns True if a provider charges: it began to answer, or broke while it worked."""
    reply = asked.reply
    assert reply is not None
    if reply.billed is not None:
        return reply.billed
    return reply.status in (200, 500, 502, 504) or not reply.answered


def _counted(told: Told) -> int:
    """Returns the number of requests that llmkit reports as possibly billed."""
    if not _sent(told):
        return 0
    whole = told.status.is_ok or told.status in (Status.FILTERED, Status.INCOMPLETE)
    error = told.error
    if isinstance(error, CallError) and error.attempt_log:
        return sum("(possibly billed)" in line for line in error.attempt_log)
    return whole + bool(told.came.possibly_billed)
