"""Tests Mistral's official SDK: signing in, listing the models, and use by the caller."""

from __future__ import annotations

import asyncio
import json
import logging
import os
import subprocess
import sys
import warnings
from contextlib import aclosing

import httpx2
import pytest
from mistralai.client.errors import SDKError

from llmkit.cell import CURRENT, Cell
from llmkit.errors import (
    APIConnectionError,
    APITimeoutError,
    AuthenticationError,
    MissingApiKeyError,
    Outcome,
    ServerError,
    SessionClosedError,
    WrongLoopError,
)
from llmkit.kit import Kit
from llmkit.secret import Secret
from llmkit.transport.mistral_sdk import MistralClient
from tests.fakes.reply import Reply, refusal
from tests.loopback.test_providers import PATIENT
from tests.patience import NEVER_S

BUSY = Reply(503, (b"busy",))
CHAT = {"model": "m", "messages": [{"role": "user", "content": "hi"}]}


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


def open_rows(kit):
    return [row for row in kit.manager.sessions() if row.closed_by is None]


def test_the_client_that_a_sign_in_leaves_open_reads_the_list(fakes, kit):
    """One row, one connection: the check and the list use the same client."""
    kit.manager.run(kit.check("mistral"))
    kit.manager.run(kit.refresh("mistral"))

    (row,) = open_rows(kit)
    assert (row.kind, row.requests, row.open_connections) == ("pool", 2, 1)
    assert len({asked.connection for asked in fakes.asked["mistral"]}) == 1


def test_another_base_url_gets_another_client(fakes, kit):
    """A client uses only the base URL that it was made for."""
    kit.manager.run(kit.refresh("mistral"))
    kit.configure(base_urls={"mistral": "http://127.0.0.1:1"}, retries=0)
    with pytest.raises(APIConnectionError, match="no connection to"):
        kit.manager.run(kit.refresh("mistral"))

    assert len(fakes.asked["mistral"]) == 1


def test_a_list_that_the_sdk_cannot_read_is_read_all_the_same(fakes, kit):
    """A kind of model that is newer than the SDK's types does not hide the others."""
    rows = [{"id": "mistral-nova", "object": "model", "type": "brand-new", "capabilities": None}]
    fakes.answer("mistral", Reply(pieces=(json.dumps({"data": rows}).encode(),)))

    found = kit.manager.run(kit.refresh("mistral"))

    assert [model.id for model in found.models] == ["mistral-nova"]


def test_the_official_client_is_signed_in_and_its_cells(fakes, kit):
    """It has proved its key, is listed as the cell's, and the cell's next run closes it."""
    cell = Cell("a-cell", 1)
    CURRENT.set(cell)
    try:
        client = kit.manager.run(kit.mistral_client())
        (row,) = open_rows(kit)
        answer = client.chat.complete(**CHAT)
        kit.manager.cell_started(Cell("a-cell", 2))
    finally:
        CURRENT.set(None)

    assert type(client).__module__.startswith("mistralai.")
    assert (row.provider, row.cell, row.requests) == ("mistral", "a-cell", 1)
    assert answer.choices[0].message.content == "A river carries silt to the sea."
    assert [asked.path for asked in fakes.asked["mistral"]] == [
        "/mistral/v1/models", "/mistral/v1/chat/completions",
    ]  # fmt: skip
    assert [str(row.closed_by) for row in kit.manager.sessions()] == ["rerun"]
    with pytest.raises(RuntimeError, match="closed"):
        kit.manager.run(client.chat.complete_async(**CHAT))
    with pytest.raises(RuntimeError, match="closed"):
        client.chat.complete(**CHAT)


def test_both_sides_of_the_official_client_can_chat(fakes, kit):
    """With and without await, whole and streamed; each request has the key once."""

    async def streamed(client):
        stream = await client.chat.stream_async(**CHAT)
        async with stream as events:
            return "".join([event.data.choices[0].delta.content or "" async for event in events])

    client = kit.manager.run(kit.mistral_client())
    with client.chat.stream(**CHAT) as events:
        waited = "".join(event.data.choices[0].delta.content or "" for event in events)
    awaited = kit.manager.run(streamed(client))
    whole = kit.manager.run(client.chat.complete_async(**CHAT))

    assert awaited == waited == "A river carries silt."
    assert whole.choices[0].message.content == "A river carries silt to the sea."
    assert {asked.headers["authorization"] for asked in fakes.asked["mistral"]} == {
        f"Bearer {fakes.key}"
    }
    assert kit.manager.run(kit.manager.aclose("mistral")) == 1


def test_synchronous_use_is_seen_in_the_session_table(fakes, kit):
    """Requests are counted, a stream being read is in use, and neither is idle."""
    client = kit.manager.run(kit.mistral_client())
    client.chat.complete(**CHAT)
    (after_one,) = open_rows(kit)
    with client.chat.stream(**CHAT) as events:
        next(events)
        (reading,) = open_rows(kit)
        kit.manager.registry.expired(idle_s=0.0, max_age_s=0.0)
        kit.manager.close_stale()
        assert list(events)

    assert (after_one.requests, after_one.open_connections) == (2, 2)
    assert (reading.requests, reading.in_flight, str(reading.status)) == (3, 1, "in_use")


def test_the_official_client_stays_on_its_loop(fakes, kit):
    """On another loop it raises before anything is sent; its synchronous half needs no loop."""
    client = kit.manager.run(kit.mistral_client())

    with pytest.raises(WrongLoopError, match="another event loop"):
        asyncio.run(client.chat.complete_async(**CHAT))

    assert len(fakes.asked["mistral"]) == 1
    assert client.chat.complete(**CHAT).choices[0].message.content


def test_timeouts_and_headers_are_those_of_the_official_client(fakes, kit):
    """Its own timeout applies to both halves, and its errors have the server's headers."""
    limited = Reply(429, (b"{}",), {"retry-after": "7", "x-request-id": "r1"})
    client = kit.manager.run(kit.mistral_client())
    fakes.answer("mistral", limited, limited, *[Reply(headers_after_s=NEVER_S)] * 2)

    with pytest.raises(SDKError) as awaited:
        kit.manager.run(client.chat.complete_async(**CHAT))
    with pytest.raises(SDKError) as waited:
        client.chat.complete(**CHAT)
    with pytest.raises(APITimeoutError):
        kit.manager.run(client.chat.complete_async(**CHAT, timeout_ms=50))
    with pytest.raises(httpx2.ReadTimeout):
        client.chat.complete(**CHAT, timeout_ms=50)

    for caught in (awaited, waited):
        assert caught.value.raw_response.headers["retry-after"] == "7"
        request = caught.value.raw_response.request
        assert fakes.key not in f"{dict(request.headers)} {caught.value}"


def test_a_forked_child_leaves_the_official_client_to_its_parent(fakes, kit):
    """The child's copy is closed, and does not mix with the parent's requests."""
    client = kit.manager.run(kit.mistral_client())
    client.chat.complete(**CHAT)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # that this process has threads, and it has
        child = os.fork()
    if child == 0:
        try:
            client.chat.complete(**CHAT)
        except RuntimeError:
            os._exit(0)
        os._exit(1)
    _, status = os.waitpid(child, 0)

    assert os.waitstatus_to_exitcode(status) == 0
    assert client.chat.complete(**CHAT).choices[0].message.content
    assert len(fakes.asked["mistral"]) == 3


def test_the_official_client_takes_three_attempts(fakes, kit, caplog):
    """A new client for each attempt, the failed ones closed, and the last error raised."""
    kit.configure(sign_in_delay_s=0.0)
    fakes.answer("mistral", BUSY, BUSY)
    with caplog.at_level(logging.INFO, logger="llmkit.authentication.sign_in"):
        kit.manager.run(kit.mistral_client())
    fakes.always("mistral", BUSY)
    with pytest.raises(ServerError) as caught:
        kit.manager.run(kit.mistral_client())

    assert [record.getMessage() for record in caplog.records[:2]] == [
        f"Retrying Mistral authentication (attempt {n}/3)" for n in (2, 3)
    ]
    assert caught.value.status == 503
    assert len({asked.connection for asked in fakes.asked["mistral"]}) == 6
    assert len(open_rows(kit)) == 1


def test_a_refused_key_gives_no_client(fakes, kit):
    """One request, one clear error, and nothing stays open."""
    fakes.always("mistral", refusal("mistral", "401"))
    with pytest.raises(AuthenticationError):
        kit.manager.run(kit.mistral_client())
    keyless = Kit(environ={})
    with pytest.raises(MissingApiKeyError):
        keyless.manager.run(keyless.mistral_client())
    keyless.close()

    assert len(fakes.asked["mistral"]) == 1
    assert open_rows(kit) == []


def client(fakes):
    return MistralClient(Secret(fakes.key), base_url=fakes.base_url("mistral"), timeouts=PATIENT)


def test_a_closed_client_says_so(fakes):
    """Use after closing raises llmkit's error; a second close does nothing."""

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


def test_an_error_inside_the_sdk_is_told_as_ours(fakes):
    """Its HTTP client, closed by other code, raises RuntimeError before anything is sent."""

    async def failure():
        async with aclosing(client(fakes)) as one:
            await one._async.aclose()
            with pytest.raises(APIConnectionError, match="sent no request") as raised:
                await one.ping()
            return raised.value

    error = asyncio.run(failure())

    assert (error.outcome, error.possibly_billed) == (Outcome.UNSENT, False)
    assert fakes.asked["mistral"] == []


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


FIRST = """
import asyncio, sys
from llmkit.kit import Kit
async def main():
    kit = Kit(environ={}, keys={"mistral": "sk-none"})
    opening = await kit._transports.for_sdk(kit.registry.provider("mistral"), None)
    before = set(sys.modules)
    client = opening()
    client.sdk().chat, client.sdk().models
    await client.aclose()
    print(sorted(set(sys.modules) - before))
asyncio.run(main())
"""


def test_a_first_client_imports_nothing_on_the_loop():
    """A thread imports all that the SDK needs before a client is made."""
    done = subprocess.run([sys.executable, "-c", FIRST], capture_output=True, text=True, check=True)

    assert done.stdout.strip() == "[]"
