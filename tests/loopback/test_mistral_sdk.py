"""Mistral through its official SDK: every promise of the usual road, kept there too."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
from contextlib import aclosing
from dataclasses import replace

import pytest

from llmkit.asking import asking, comparing
from llmkit.client import Exchange
from llmkit.errors import APIConnectionError, CallError, ConfigError, SessionClosedError
from llmkit.kit import Kit
from llmkit.providers.mistral import Mistral
from llmkit.runtime.mistral_sdk import MistralClient
from llmkit.secret import Secret
from llmkit.types import Status, StreamEnd
from tests.fakes import misbehaviour as bad
from tests.fakes.reply import Reply, document, refusal, stream
from tests.loopback.test_providers import PATIENT, ThroughSdk, call, carrying

SDK = ThroughSdk("mistral")
WELL = stream("mistral")
EVENTS = {"content-type": "text/event-stream"}


def event(text, **more):
    body = {"id": "x", "model": "m", "choices": [{"index": 0, "delta": {"content": text}}], **more}
    return b"data: " + json.dumps(body).encode() + b"\n\n"


LAST = (
    b'data: {"id":"x","model":"m","choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}\n\n',
    b"data: [DONE]\n\n",
)
# What a server can really send; whichever road it comes by, the answer is the same.
REPLIES = {
    "well": WELL,
    "one piece": bad.in_one_piece(WELL),
    "CRLF": bad.with_line_ends(WELL, b"\r\n"),
    "CR": bad.with_line_ends(WELL, b"\r"),
    "mixed ends": bad.with_line_ends(WELL, b"\n", b"\r\n", b"\r"),
    "byte order mark": bad.with_bom(WELL),
    "no UTF-8": bad.with_bytes(WELL, b"carries", b"c\xff\xferries"),
    "gzip": bad.compressed(WELL),
    "no mark": bad.without_terminal_mark("mistral"),
    "filtered": bad.with_bytes(WELL, b'"stop"', b'"content_filter"'),
    "talks on": bad.talking_on("mistral"),
    "fails after text": bad.failing_after("mistral", "A ", "b"),
    "half an emoji": bad.saying("mistral", "\ud83c", "\udfde"),
    "ping events": Reply(pieces=(b"event: ping\ndata: {}\n\n", *WELL.pieces), headers=EVENTS),
    "comments": Reply(pieces=(b": hi\n\n", *WELL.pieces, b": bye\n\n"), headers=EVENTS),
    "no ids": Reply(
        pieces=(b'data: {"choices":[{"delta":{"content":"hi"}}]}\n\n', *LAST), headers=EVENTS
    ),
    "no choices": Reply(pieces=(b'data: {"choices":[]}\n\n', event("a"), *LAST), headers=EVENTS),
    "second choice": Reply(
        pieces=(event("a"), event("", choices=[{"index": 1, "delta": {"content": "z"}}]), *LAST),
        headers=EVENTS,
    ),
    "null content": Reply(pieces=(event(None), event("a"), *LAST), headers=EVENTS),
    "unknown fields": Reply(pieces=(event("a", odd={"x": [1]}), *LAST), headers=EVENTS),
    "reasoning": Reply(
        pieces=(
            event("", choices=[{"index": 0, "delta": {"reasoning_content": "hm"}}]),
            event("a"),
            *LAST,
        ),
        headers=EVENTS,
    ),
    "content of a wrong kind": Reply(pieces=(event(17), event("a"), *LAST), headers=EVENTS),
    "thinking": Reply(
        pieces=(
            event([{"type": "thinking", "thinking": [{"type": "text", "text": "hm"}]}]),
            event("a"),
            *LAST,
        ),
        headers=EVENTS,
    ),
    "no last line": Reply(pieces=(event("a"), LAST[0].rstrip(b"\n")), headers=EVENTS),
    "half an event": Reply(pieces=(event("a"), event("b")[:40]), headers=EVENTS),
    "html inside": Reply(pieces=(event("a"), b"data: <html>\n\n"), headers=EVENTS),
    "document": document("mistral", "chat"),
    "document that says it is a stream": replace(document("mistral", "chat"), headers=EVENTS),
    "stream that says it is a document": replace(
        WELL, headers={"content-type": "application/json"}
    ),
    "error in a document": Reply(pieces=(b'{"object":"error","message":"no"}',)),
    "422": refusal("mistral", "422"),
    "500": Reply(500, (b"<html>oh</html>",)),
    **{f"odd: {name}": reply for name, reply in bad.ODD_BODIES.items()},
}


def outcome(fakes, road, reply):
    """All that a person sees of an answer, but for what differs from call to call."""
    fakes.answer("mistral", reply)

    async def asked():
        async with carrying(fakes, road) as carrier:
            return await Exchange(call(fakes, "mistral", attempts=1), carrier).whole()

    failure = None
    try:
        answer = asyncio.run(asked())
    except CallError as error:
        failure, answer = error, error.completion
    told = (answer.text, answer.reasoning, answer.status, answer.finish_reason, answer.warnings)
    usage = (answer.usage, answer.response_model, answer.native_finish_reason)
    if failure is None:
        return told, usage
    return told, usage, type(failure), str(failure), failure.outcome, failure.possibly_billed


@pytest.mark.parametrize("name", REPLIES)
def test_both_roads_tell_the_same_of_an_answer(fakes, name):
    """Text, status, tokens, warnings and errors do not depend on the road."""
    usual = outcome(fakes, "mistral", REPLIES[name])

    assert outcome(fakes, SDK, REPLIES[name]) == usual


@pytest.fixture
def kit(fakes):
    """A kit whose Mistral is the fake one."""
    made = Kit(
        environ={
            "LLMKIT_MISTRAL_BASE_URL": fakes.base_url("mistral"),
            "LLMKIT_OPENAI_BASE_URL": fakes.base_url("openai"),
            "MISTRAL_API_KEY": fakes.key, "OPENAI_API_KEY": fakes.key,
        },
        notify=lambda text: None,
    )  # fmt: skip
    yield made
    made.close()


def ask(kit, **more):
    asked = asking("hi", "mistral:mistral-small-latest", via="sdk", **more)
    return kit.manager.run(kit.answer(*asked))


def open_rows(kit):
    return [row for row in kit.manager.sessions() if row.closed_by is None]


def test_ask_goes_through_the_sdk(fakes, kit):
    """The SDK's own request arrives, and what it says of itself is in the headers."""
    answer = ask(kit, temperature=0.5, seed=3, max_tokens=9, system="Be brief.")

    (asked,) = fakes.asked["mistral"]
    assert (answer.text, answer.status) == ("A river carries silt.", Status.COMPLETE)
    assert asked.headers["accept"] == "text/event-stream"
    assert {name: asked.body[name] for name in ("temperature", "random_seed", "max_tokens")} == {
        "temperature": 0.5, "random_seed": 3, "max_tokens": 9,
    }  # fmt: skip
    assert [turn["role"] for turn in asked.body["messages"]] == ["system", "user"]


def test_stream_and_compare_go_through_the_sdk(fakes, kit):
    """Each of the ways to ask takes `via`."""

    async def streamed():
        parts = kit.stream(*asking("hi", "mistral:mistral-small-latest", via="sdk"))
        async with aclosing(parts):
            return [part async for part in parts]

    *deltas, end = kit.manager.run(streamed())
    compared = comparing("hi", "mistral:mistral-small-latest", via="sdk", repeats=2)
    found = kit.manager.run(kit.compare(compared.spots, compared.options))

    assert isinstance(end, StreamEnd)
    assert "".join(delta.text for delta in deltas) == end.completion.text
    assert {row.completion.status for row in found} == {Status.COMPLETE}
    assert all(a.headers["accept"] == "text/event-stream" for a in fakes.asked["mistral"])


def test_the_client_that_a_sign_in_leaves_open_serves_the_chat(fakes, kit):
    """One row, one connection: the check, the list and the chats use the same client."""
    kit.manager.run(kit.check("mistral"))
    kit.manager.run(kit.refresh("mistral"))
    ask(kit)
    ask(kit)

    (row,) = open_rows(kit)
    assert (row.kind, row.requests, row.open_connections) == ("pool", 4, 1)
    assert len({asked.connection for asked in fakes.asked["mistral"]}) == 1


def test_another_key_gets_another_client(fakes, kit):
    """The client of the old key is closed, and its key is used no more."""
    ask(kit)
    kit.credentials.type_in("mistral", "sk-another-0123456789abcdef")
    with pytest.raises(CallError):
        ask(kit)

    assert len(open_rows(kit)) == 1
    assert "another" in fakes.asked["mistral"][-1].headers["authorization"]


def test_another_base_url_gets_another_client(fakes, kit):
    """A client asks the place that it was made for, and no other one in its stead."""
    ask(kit)
    kit.configure(base_urls={"mistral": "http://127.0.0.1:1"}, retries=0)
    with pytest.raises(APIConnectionError, match="nobody answers"):
        ask(kit)

    assert len(fakes.asked["mistral"]) == 1


def test_only_mistral_has_such_a_road(kit):
    """Elsewhere `via` is a mistake, and nothing is sent."""
    with pytest.raises(ConfigError, match="for Mistral"):
        kit.manager.run(kit.answer(*asking("hi", "openai:gpt-6-luna", via="sdk")))
    with pytest.raises(ConfigError, match="or left out"):
        asking("hi", "mistral:mistral-small-latest", via="http")


def test_what_the_sdk_cannot_send_is_not_sent(fakes, kit):
    """A parameter that it does not have is named, with the way around it."""
    with pytest.raises(ConfigError, match="no parameter sparkle"):
        ask(kit, sparkle=1)
    with pytest.raises(ConfigError, match="does not take this"):
        ask(kit, metadata=17)

    assert fakes.asked["mistral"] == []


def test_a_whole_answer_comes_through_the_sdk(fakes):
    """Without a stream the SDK reads one document, which every road reads alike."""
    request = Mistral(fakes.base_url("mistral")).chat_request(
        call(fakes, "mistral").prompt, model="m", key=None
    )

    async def asked():
        async with carrying(fakes, SDK) as carrier, carrier.send(request, PATIENT) as arriving:
            parts = []
            while data := await arriving.read():
                parts.append(data)
            return arriving.status, json.loads(b"".join(parts))

    status, body = asyncio.run(asked())

    assert (status, fakes.asked["mistral"][0].headers["accept"]) == (200, "application/json")
    assert body["choices"][0]["message"]["content"] == "A river carries silt to the sea."


def client(fakes):
    return MistralClient(Secret(fakes.key), base_url=fakes.base_url("mistral"), limits=PATIENT)


def test_a_closed_client_says_so(fakes):
    """Use after the end is our own error; closing twice is harmless."""

    async def closed():
        one = client(fakes)
        await one.ping()
        await one.aclose()
        await one.aclose()
        with pytest.raises(SessionClosedError, match="is closed"):
            await one.ping()
        return one

    one = asyncio.run(closed())

    assert (one.closed, one._sync.is_closed, one._async.is_closed) == (True, True, True)
    assert one._session.closed


def test_a_client_can_be_closed_without_waiting(fakes):
    """close() frees everything at once, on a running loop and after its end."""

    async def inside():
        one, late = client(fakes), client(fakes)
        await asyncio.gather(one.ping(), late.ping())
        one.close()
        one.close()
        return one, late

    one, late = asyncio.run(inside())
    late.close()

    assert (one.closed, late.closed) == (True, True)


def test_the_key_is_in_no_object_of_the_sdk(fakes):
    """Neither the SDK nor its HTTP clients ever hold it."""

    async def shown():
        async with aclosing(client(fakes)) as one:
            await one.ping()
            sdk, http = one.sdk(), one._async
            return f"{vars(sdk)} {vars(sdk.sdk_configuration)} {vars(http)} {http.headers} {one!r}"

    assert fakes.key not in asyncio.run(shown())


def test_two_chats_over_one_client_do_not_mix(fakes):
    """Each chat has a stream of its own, whatever the others do."""
    fakes.answer("mistral", bad.saying("mistral", "one ", "two"), bad.saying("mistral", "a ", "b"))

    async def both():
        async with carrying(fakes, SDK) as carrier:
            asked = [Exchange(call(fakes, "mistral"), carrier).whole() for _ in range(2)]
            return await asyncio.gather(*asked)

    assert sorted(answer.text for answer in asyncio.run(both())) == ["a b", "one two"]


FIRST = """
import asyncio, sys
from llmkit.kit import Kit
async def main():
    kit = Kit(environ={}, keys={"mistral": "sk-none"})
    opening = await kit.checks._sdk(kit.provider("mistral"), None)
    before = set(sys.modules)
    client = opening()
    client.sdk().chat, client.sdk().models
    await client.aclose()
    print(sorted(set(sys.modules) - before))
asyncio.run(main())
"""


def test_a_first_client_imports_nothing_on_the_loop():
    """All that the SDK needs is loaded in a thread before a client of it is made."""
    done = subprocess.run([sys.executable, "-c", FIRST], capture_output=True, text=True, check=True)

    assert done.stdout.strip() == "[]"
