"""Tests the fakes: as strict as a provider, and exactly as faulty as declared."""

from __future__ import annotations

import json
from contextlib import closing
from http.client import HTTPConnection, IncompleteRead, RemoteDisconnected
from urllib.parse import urlsplit

import pytest

from tests.fakes import misbehaviour
from tests.fakes.reply import Reply, document, stream
from tests.fakes.routes import KEY_PLACES
from tests.fakes.server import PREFIXES, FakeProviders
from tests.patience import NEVER_S, SOON_S

SIX = sorted(PREFIXES)
KEYED = sorted(KEY_PLACES)
CHAT = {
    "openai": "/chat/completions", "anthropic": "/v1/messages", "mistral": "/v1/chat/completions",
    "google": "/v1/models/m:generateContent", "openrouter": "/chat/completions",
    "ollama": "/api/chat",
}  # fmt: skip


def headers_for(provider, key):
    """Returns the headers that a valid client of that provider sends."""
    place = KEY_PLACES.get(provider, ("authorization",))[0]
    value = f"Bearer {key}" if place == "authorization" else key
    return {place: value, "anthropic-version": "2023-06-01", "content-type": "application/json"}


def connect(root):
    parts = urlsplit(root)
    return closing(HTTPConnection(parts.hostname, parts.port, timeout=SOON_S))


def send(fakes, provider, connection, *, path=None, headers=None, **body):
    """Returns the answer to one chat request over *connection*, with its body not yet read."""
    connection.request(
        "POST",
        PREFIXES[provider] + (path or CHAT[provider]),
        json.dumps({"model": "m", "messages": [], "stream": False, **body}),
        headers_for(provider, fakes.key) if headers is None else headers,
    )
    return connection.getresponse()


def status(fakes, provider, **request):
    with connect(fakes.root) as connection:
        answer = send(fakes, provider, connection, **request)
        answer.read()
        return answer.status


# -- as strict as a provider


@pytest.mark.parametrize("provider", SIX)
def test_a_good_request_is_answered_and_written_down(fakes, provider):
    """Every received request can be read afterwards."""
    with connect(fakes.root) as connection:
        answer = send(fakes, provider, connection, seed=7)
        received = answer.read()

    (asked,) = fakes.asked[provider]
    assert (answer.status, received) == (200, b"".join(document(provider, "chat").pieces))
    assert asked.body == {"model": "m", "messages": [], "stream": False, "seed": 7}
    assert (asked.method, asked.path) == ("POST", PREFIXES[provider] + CHAT[provider])
    assert asked.headers["content-type"] == "application/json"
    assert asked.ended.wait(SOON_S)
    assert not asked.left


@pytest.mark.parametrize("provider", SIX)
def test_a_path_that_a_provider_has_not_is_not_found(fakes, provider):
    """A client that builds a wrong URL does not get an answer by accident."""
    assert status(fakes, provider, path=CHAT[provider] + "s") == 404


@pytest.mark.parametrize("provider", KEYED)
@pytest.mark.parametrize("wrong", ["elsewhere", "longer", "shorter", "none"])
def test_only_the_whole_key_in_its_own_place_is_accepted(fakes, provider, wrong):
    """A key in another provider's header, or a part of a key, is refused."""
    key = {"longer": fakes.key + "x", "shorter": fakes.key[:-1]}.get(wrong, fakes.key)
    headers = headers_for(provider, key)
    if wrong in ("elsewhere", "none"):
        del headers[KEY_PLACES[provider][0]]
    if wrong == "elsewhere":
        headers["x-some-key"] = fakes.key
        headers["authorization" if provider == "google" else "x-goog-api-key"] = fakes.key

    assert status(fakes, provider, headers=headers) == (400 if provider == "google" else 401)


@pytest.mark.parametrize(
    ("version", "body", "expected"),
    [
        (None, {}, 400),
        ("2023-06-01", {"temperature": 0.5}, 200),
        ("2026-10-21", {"temperature": 0.5}, 400),
        ("2026-10-21", {}, 200),
    ],
)
def test_anthropic_holds_its_versions_apart(fakes, version, body, expected):
    """A missing version is refused, and so is a temperature with the version that lacks it."""
    headers = headers_for("anthropic", fakes.key) | {"anthropic-version": version}
    headers = {name: value for name, value in headers.items() if value is not None}

    assert status(fakes, "anthropic", headers=headers, **body) == expected


def test_google_streams_an_array_unless_events_are_asked_for(fakes):
    """Without alt=sse a Google stream is one JSON array in pieces."""
    path = "/v1/models/m:streamGenerateContent"
    with connect(fakes.root) as connection:
        plain = send(fakes, "google", connection, path=path).read()
        events = send(fakes, "google", connection, path=path + "?alt=sse").read()

    assert len(json.loads(plain)) > 1
    assert events.startswith(b"data: ")


def test_ollama_streams_unless_it_is_told_not_to(fakes):
    """A body that does not mention streaming gets lines."""
    headers = {"content-type": "application/json"}
    with connect(fakes.root) as connection:
        connection.request("POST", "/ollama/api/chat", '{"model": "m"}', headers)
        lines = connection.getresponse().read().splitlines()

    assert [json.loads(line)["done"] for line in lines] == [False, False, False, True]


# -- exactly as faulty as declared


def test_a_body_is_cut_after_as_many_bytes_as_were_asked_for(fakes):
    """The bytes before the cut arrive, and the reader can tell that the body is incomplete."""
    fakes.answer("openai", misbehaviour.cut_at(stream("openai"), 100))

    with connect(fakes.root) as connection:
        answer = send(fakes, "openai", connection)
        with pytest.raises(IncompleteRead) as cut:
            answer.read()

    assert cut.value.partial == misbehaviour.body_of(stream("openai"))[:100]


def test_a_clean_end_looks_complete_to_http(fakes):
    """If only the provider's own format shows the fault, HTTP is correct."""
    fakes.answer("openai", misbehaviour.cut_at(stream("openai"), 100, "close"))

    with connect(fakes.root) as connection:
        received = send(fakes, "openai", connection).read()

    assert len(received) == 100


def test_a_reset_is_a_reset(fakes):
    """The connection ends with RST, which a reader can distinguish from a normal end."""
    fakes.answer("openai", Reply(pieces=(b"some",), ending="reset", gap_s=0.0))

    with connect(fakes.root) as connection:
        answer = send(fakes, "openai", connection)
        first = answer.read1(4)
        with pytest.raises(ConnectionResetError):
            answer.read()

    assert first == b"some"


@pytest.mark.parametrize("ending", ["cut", "reset"])
def test_no_answer_at_all_is_no_byte(fakes, ending):
    """A request can be read and the connection closed without a byte."""
    fakes.answer("openai", Reply(answered=False, ending=ending))
    expected = RemoteDisconnected if ending == "cut" else ConnectionResetError

    with connect(fakes.root) as connection, pytest.raises(expected):
        send(fakes, "openai", connection)

    assert len(fakes.asked["openai"]) == 1


def test_leaving_breaks_a_connection_that_looks_reusable(fakes):
    """The answer is complete and does not announce the close; the next read finds it."""
    fakes.answer("openai", Reply(pieces=(b"{}",), ending="leave"))

    with connect(fakes.root) as connection:
        answer = send(fakes, "openai", connection)
        held = connection.sock
        received = (answer.read(), answer.getheader("connection"), answer.will_close)
        after = held.recv(1)

    assert received == (b"{}", None, False)
    assert after == b""


def test_silence_comes_after_the_headers(fakes):
    """The headers arrive at once, and the body never."""
    fakes.answer("openai", Reply(ending="silence"))

    with connect(fakes.root) as connection:
        answer = send(fakes, "openai", connection)
        connection.sock.settimeout(0.1)
        with pytest.raises(TimeoutError):
            answer.read(1)

    assert answer.status == 200
    assert fakes.asked["openai"][0].ended.wait(SOON_S)
    assert fakes.asked["openai"][0].left


def test_a_first_piece_can_wait_longer_than_its_headers(fakes):
    """The headers arrive at once, the first byte later."""
    fakes.answer("openai", Reply(pieces=(b"{}",), first_after_s=NEVER_S))

    with connect(fakes.root) as connection:
        answer = send(fakes, "openai", connection)
        connection.sock.settimeout(0.1)
        with pytest.raises(TimeoutError):
            answer.read(1)

    assert answer.status == 200


@pytest.mark.parametrize("provider", SIX)
@pytest.mark.parametrize("what", ["signs of life", "empty deltas"])
def test_what_never_ends_has_no_text_in_it(fakes, provider, what):
    """Only the first words are text, however long the client reads."""
    endless = misbehaviour.never_ending(provider, what)
    fakes.answer(provider, endless)
    whole = len(misbehaviour.body_of(endless))

    with connect(fakes.root) as connection:
        received = send(fakes, provider, connection).read(whole + 3 * len(endless.drip))

    assert received == misbehaviour.body_of(endless) + 3 * endless.drip
    assert misbehaviour.SPOKEN not in endless.drip


@pytest.mark.parametrize(("provider", "refused"), [("google", 429), ("ollama", 503)])
def test_a_limit_lets_so_many_through_in_a_second(fakes, provider, refused):
    """The others get the provider's own refusal and a wait of one second."""
    fakes.limit(provider, 3)

    answers = [status(fakes, provider) for _ in range(5)]

    all_asked = fakes.asked[provider]
    passed = [[a.let_through and a.at > now.at - 1.0 for a in all_asked] for now in all_asked]
    room = [sum(passed[number][:number]) < 3 for number in range(5)]
    assert [asked.let_through for asked in all_asked] == room
    assert answers == [200 if there_was else refused for there_was in room]


def test_what_always_comes_waits_for_what_is_queued(fakes):
    """First the queue, then the constant reply, until reset()."""
    fakes.always("openai", Reply(503))
    fakes.answer("openai", Reply(500))

    before = [status(fakes, "openai") for _ in range(3)]
    fakes.reset()

    assert (before, status(fakes, "openai")) == ([500, 503, 503], 200)


@pytest.mark.parametrize("wrong", sorted(misbehaviour.ODD_BODIES))
def test_an_odd_body_arrives_as_it_is(fakes, wrong):
    """An invalid body arrives unchanged."""
    odd = misbehaviour.ODD_BODIES[wrong]
    fakes.answer("openai", odd)

    with connect(fakes.root) as connection:
        answer = send(fakes, "openai", connection)
        received = answer.read()

    assert (answer.status, received) == (odd.status, misbehaviour.body_of(odd))


def test_requests_over_one_connection_can_be_told():
    """The fake counts open and past connections, and knows the connection of each request."""
    with FakeProviders() as fakes:
        with connect(fakes.root) as one, connect(fakes.root) as other:
            for connection in (one, one, other):
                send(fakes, "openai", connection).read()
            open_now = fakes.open_connections

        assert open_now == 2
        assert [asked.connection for asked in fakes.asked["openai"]] == [0, 0, 1]
        assert fakes.asked["openai"][0].at < fakes.asked["openai"][2].at
