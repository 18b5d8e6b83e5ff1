"""Answers requests from scripts instead of a network, for courses, documentation and tests."""

from __future__ import annotations

import asyncio
import hashlib
import json
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from typing import Any, Literal

from ..errors import APIConnectionError, APITimeoutError, Outcome
from ..wire.messages import HttpRequest
from .timeouts import MORE_TIME, Timeouts

Failure = Literal["cut", "reset", "silence"]
Sleep = Callable[[float], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Script:
    """The content and timing of one answer.

    Attributes:
        text: The whole answer.
        reasoning: Reasoning text before it.
        first_delay_s: Seconds before the first piece.
        piece_delay_s: Seconds between two pieces.
        status: HTTP status; any other than 200 is an error with *text* as its message.
        failure: After half of the text: "cut" ends the stream, "reset" breaks the connection,
            "silence" sends nothing more.
        retry_after: Seconds that an error asks the caller to wait.
        finish_reason: As the provider spells it.
    """

    text: str = ""
    reasoning: str = ""
    first_delay_s: float = 0.0
    piece_delay_s: float = 0.0
    status: int = 200
    failure: Failure | None = None
    retry_after: float | None = None
    finish_reason: str = "stop"


Reply = Script | Callable[[Mapping[str, Any]], Script]


class ScriptedTransport:
    """Answers requests from scripts, in the chat-completions format; opens no socket.

    *replies* has a Script for each model, or a function from the request's body to one. A test that
    must not wait passes its own *sleep*. `requests` holds the bodies of all requests so far.
    """

    def __init__(self, replies: Mapping[str, Reply], *, sleep: Sleep = asyncio.sleep) -> None:
        self._replies = dict(replies)
        self._sleep = sleep
        self.requests: list[Mapping[str, Any]] = []

    def play(self, model: str, reply: Reply) -> None:
        """Sets the reply of *model* from now on."""
        self._replies[model] = reply

    @asynccontextmanager
    async def send(
        self, request: HttpRequest, timeouts: Timeouts
    ) -> AsyncIterator[ScriptedResponse]:
        """Yields the answer to *request*; see `Transport.send`."""
        if request.method == "GET":
            models = [{"id": name, "object": "model"} for name in self._replies]
            yield _document(200, {"object": "list", "data": models}, timeouts, self._sleep)
            return
        body: dict[str, Any] = json.loads(request.body)
        self.requests.append(body)
        model = str(body.get("model"))
        reply = self._replies.get(model)
        if reply is None:
            words = f"unknown script {model!r}; known scripts: {', '.join(self._replies)}"
            yield _document(404, _error(words, "model_not_found"), timeouts, self._sleep)
            return
        script = reply(body) if callable(reply) else reply
        if script.status != 200:
            answer = _document(script.status, _error(script.text, None), timeouts, self._sleep)
            if script.retry_after is not None:
                answer.headers = {**answer.headers, "retry-after": str(script.retry_after)}
            yield answer
            return
        yield _answer(model, body, _shortened(script, body), timeouts, self._sleep)


@dataclass(slots=True)
class ScriptedResponse:
    """One scripted answer; see `StreamingResponse`."""

    status: int
    headers: Mapping[str, str]
    pieces: Sequence[bytes]
    script: Script
    timeouts: Timeouts
    sleep: Sleep
    _is_ended: bool = field(default=False, init=False)
    _index: int = field(default=0, init=False)
    _waited_s: float = field(default=0.0, init=False)

    async def read(self) -> bytes:
        """Returns the next piece after the script's delay; see `StreamingResponse.read`."""
        if self._is_ended:
            return b""
        if self._index < len(self.pieces):
            script = self.script
            await self._within_limits(script.piece_delay_s if self._index else script.first_delay_s)
            self._index += 1
            return self.pieces[self._index - 1]
        if self.script.failure == "reset":
            raise APIConnectionError(
                "the connection broke in the middle of the answer (scripted)",
                outcome=Outcome.STREAMED,
                possibly_billed=True,
            )
        if self.script.failure == "silence":
            await self._within_limits(float("inf"))
        return b""

    def content_received(self) -> None:
        """Does nothing, because a script has no watchdog."""

    def finish_within(self, within_s: float | None) -> None:
        """Ends the answer if *within_s* is under 1 s."""
        self._is_ended = within_s is not None and within_s < 1.0

    async def _within_limits(self, wait: float) -> None:
        timeouts, limit = self.timeouts, self.timeouts.idle_s
        what = f"sent no data for {limit or 0:g} s; increase idle_timeout_s or try again"
        if timeouts.deadline_s is not None:
            left_s = timeouts.deadline_s - self._waited_s
            if limit is None or left_s <= limit:
                limit = left_s
                what = f"did not finish within {timeouts.of_the_call}; increase {MORE_TIME}"
        is_late = limit is not None and wait > limit
        wait = max(0.0, limit) if limit is not None and is_late else wait
        self._waited_s += wait
        if wait:
            await self.sleep(wait)
        if is_late:
            raise APITimeoutError(
                f"the server {what}", outcome=Outcome.STREAMED, possibly_billed=True
            )


def _document(status: int, value: object, timeouts: Timeouts, sleep: Sleep) -> ScriptedResponse:
    headers, body = {"content-type": "application/json"}, [json.dumps(value).encode()]
    return ScriptedResponse(status, headers, body, Script(), timeouts, sleep)


def _error(words: str, code: str | None) -> dict[str, Any]:
    message = words or "refused by the script"
    return {"error": {"message": message, "type": "scripted", "code": code}}


def _answer(
    model: str, body: Mapping[str, Any], script: Script, timeouts: Timeouts, sleep: Sleep
) -> ScriptedResponse:
    words = script.text.split(" ")
    pieces = [word if i == 0 else f" {word}" for i, word in enumerate(words)]
    usage = {
        "prompt_tokens": sum(len(str(m.get("content")).split()) for m in body["messages"]),
        "completion_tokens": len(words) if script.text else 0,
    }
    if script.failure is not None:
        pieces = pieces[: max(1, len(pieces) // 2)]
    deltas: list[dict[str, Any]] = [{"content": piece} for piece in pieces]
    if script.reasoning:
        deltas.insert(0, {"reasoning_content": script.reasoning})
    events = [_event(model, delta) for delta in deltas]
    if script.failure is None:
        last = _event(model, {}, finish_reason=script.finish_reason, usage=usage)
        events.append(last + b"data: [DONE]\n\n")
    headers = {"content-type": "text/event-stream"}
    return ScriptedResponse(200, headers, events, script, timeouts, sleep)


def _event(
    model: str, delta: Mapping[str, Any], *, finish_reason: str | None = None, usage: Any = None
) -> bytes:
    choice = {"index": 0, "delta": delta, "finish_reason": finish_reason}
    event = {"id": "scripted", "model": model, "choices": [choice], "usage": usage}
    return f"data: {json.dumps(event)}\n\n".encode()


def _shortened(script: Script, body: Mapping[str, Any]) -> Script:
    """Cuts *script* at the request's stop sequences and token limit."""
    stops = body.get("stop") or ()
    text = script.text
    for stop in [stops] if isinstance(stops, str) else stops:
        text = text.split(stop, 1)[0]
    limit = body.get("max_tokens")
    words = text.split(" ")
    if limit is None or len(words) <= limit:
        return replace(script, text=text)
    return replace(script, text=" ".join(words[:limit]), finish_reason="length")


def builtin_scripts() -> dict[str, Reply]:
    """Returns new built-in scripts by model name, with their initial state."""
    return {
        "echo": _echo,
        "openai": _temper(
            "openai", Script(first_delay_s=0.1, piece_delay_s=0.02),
            "Certainly! Here is a tidy answer in three points, of which the first is:",
            "Great question. In short:",
        ),
        "anthropic": _temper(
            "anthropic",
            Script(first_delay_s=0.25, piece_delay_s=0.03, reasoning="Let me weigh this."),
            "I want to be careful here, because there is more than one way to read this:",
            "It depends, and it is worth saying on what. You wrote:",
        ),
        "google": _temper(
            "google", Script(first_delay_s=0.6, piece_delay_s=0.01),
            "Here are several perspectives, quickly, once I got going:",
            "A structured overview follows. Subject:",
        ),
        "mistral": _temper(
            "mistral", Script(first_delay_s=0.05, piece_delay_s=0.01), "Bref:", "In one line:"
        ),
        "openrouter": _moody("openrouter", Script(first_delay_s=0.2, piece_delay_s=0.02)),
        "ollama": _temper(
            "ollama", Script(first_delay_s=0.9, piece_delay_s=0.06),
            "Warming up ... there we are. Slowly but from your own desk:",
        ),
    }  # fmt: skip


def _temper(name: str, pace: Script, *openings: str) -> Callable[[Mapping[str, Any]], Script]:
    """Returns a function whose answer depends only on the request."""

    def play(body: Mapping[str, Any]) -> Script:
        prompt = str(body["messages"][-1].get("content", ""))
        heat = body.get("temperature") or 0
        turn = _number(f"{name}|{prompt}|{heat}|{body.get('seed')}") if heat else _number(prompt)
        opening = openings[turn % len(openings)]
        topic = " ".join(prompt.split()[:12])
        return replace(pace, text=f"[scripted {name}] {opening} {topic}")

    return play


def _moody(name: str, pace: Script) -> Callable[[Mapping[str, Any]], Script]:
    """Returns a function that refuses the first request of each prompt and answers the second."""
    refused_prompts: set[str] = set()
    answer = _temper(name, pace, "Now I have time. You asked:", "Back again. About:")

    def play(body: Mapping[str, Any]) -> Script:
        conversation = json.dumps(body["messages"])
        if conversation not in refused_prompts:
            refused_prompts.add(conversation)
            return Script("too many requests (scripted)", status=429, retry_after=0.1)
        refused_prompts.discard(conversation)
        return answer(body)

    return play


def _number(text: str) -> int:
    return int.from_bytes(hashlib.sha256(text.encode("utf-8", "replace")).digest()[:4])


def _echo(body: Mapping[str, Any]) -> Script:
    return Script(text=str(body["messages"][-1].get("content", "")))
