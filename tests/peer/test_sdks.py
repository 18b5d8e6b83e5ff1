"""The official SDKs read the fakes, so that the fakes cannot drift towards llmkit's own parsers."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from llmkit.providers.builtin import PROVIDERS
from llmkit.wire.messages import HttpResponse
from tests.fakes.misbehaviour import ending_with, going_on, without_terminal_mark
from tests.fakes.reply import DATA, document, refusal, stream
from tests.fakes.server import PREFIXES, FakeProviders

pytestmark = pytest.mark.peer

READ = Path(__file__).with_name("read_with.py")
# The SDKs read keys, organisations and proxies from the environment; here they find none.
BARE = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
# By status, the class that each SDK raises; None is its class for all other statuses.
OPENAI = {
    400: "BadRequestError", 401: "AuthenticationError", 403: "PermissionDeniedError",
    404: "NotFoundError", 429: "RateLimitError", 500: "InternalServerError",
    502: "InternalServerError", 503: "InternalServerError", None: "APIStatusError",
}  # fmt: skip
CLASSES = {
    "openai": OPENAI,
    "openrouter": OPENAI,
    "anthropic": {
        400: "BadRequestError", 401: "AuthenticationError", 402: "PaymentRequiredError",
        403: "PermissionDeniedError", 404: "NotFoundError", 413: "ContentTooLargeError",
        429: "RateLimitError", 500: "InternalServerError", 503: "ServiceUnavailableError",
        504: "GatewayTimeoutError", 529: "OverloadedError",
    },
    "google": {500: "ServerError", 503: "ServerError", 504: "ServerError", None: "ClientError"},
    "mistral": {422: "HTTPValidationError", None: "SDKError"},
    "ollama": {None: "ResponseError"},
}  # fmt: skip
# Refusals whose body says more than the status.
BY_BODY = {("anthropic", "429tier"): {"error": "EnforcedSpendLimitReachedError", "status": 429}}
BAD_KEY = {"google": 400}  # and 401 for the others
# Streams that end as servers in the field end them.
ENDINGS = {
    "a reason with every chunk": going_on,
    "no reason": lambda name: ending_with(name, None),
    "no mark": without_terminal_mark,
    "a limit": lambda name: ending_with(name, "MAX_TOKENS" if name == "google" else "max_tokens"),
}


@pytest.fixture(scope="module", params=sorted(PREFIXES))
def read(request):
    """Returns the results of one SDK for everything, from one child process."""
    name = request.param
    recorded = json.loads((DATA / name / "errors.json").read_text())
    refusals = sorted(recorded)
    with FakeProviders() as fakes:
        command = [sys.executable, str(READ), name, fakes.base_url(name), fakes.key]
        # Chat, stream, models and the wrong key get normal answers; the queued replies come after.
        ends = [ending(name) for ending in ENDINGS.values()]
        fakes.hold(name, 4, *(refusal(name, r) for r in refusals), *ends)
        done = subprocess.run(
            [*command, str(len(refusals)), str(len(ends))], env=BARE, capture_output=True,
            text=True, timeout=120, check=False,
        )  # fmt: skip
    assert done.returncode == 0, done.stderr
    statuses = [recorded[r]["status"] for r in refusals]
    return (
        name,
        dict(zip(refusals, statuses, strict=True)),
        json.loads(done.stdout.splitlines()[-1]),
    )


def raised(name, status):
    """Returns the class that the SDK raises for a status, as its reader prints it."""
    classes = CLASSES[name]
    return {"error": classes.get(status) or classes[None], "status": status}


def test_an_sdk_reads_an_answer(read):
    """A whole answer and a stream have the text that llmkit's own parser finds."""
    name, _, found = read
    ours = PROVIDERS[name]()
    parser = ours.stream_parser()
    for piece in stream(name).pieces:
        parser.feed(piece)
    whole = ours.parse_chat(HttpResponse(200, {}, b"".join(document(name, "chat").pieces)))

    assert (found["chat"], found["stream"]) == (whole.text, parser.end().text)


def test_an_sdk_reads_a_stream_to_its_end(read):
    """It has the text that llmkit's own parser finds, however the stream ends."""
    name, _, found = read
    texts = []
    for ending in ENDINGS.values():
        parser = PROVIDERS[name]().stream_parser()
        parser.feed(b"".join(ending(name).pieces))
        texts.append(parser.end().text)

    assert found["streams"] == texts


def test_an_sdk_reads_the_list_of_models(read):
    """The ids in the SDK's list equal llmkit's, which omit Google's prefix."""
    name, _, found = read
    body = b"".join(document(name, "models").pieces)
    ours = PROVIDERS[name]().parse_models(HttpResponse(200, {}, body)).models

    assert [listed.removeprefix("models/") for listed in found["models"]] == [m.id for m in ours]


def test_an_sdk_is_refused_a_wrong_key(read):
    """A bad key raises the SDK's own class and status."""
    name, _, found = read
    if name == "ollama":  # a local server has no keys
        assert found["wrong key"].startswith("A river")
        return

    assert found["wrong key"] == raised(name, BAD_KEY.get(name, 401))


def test_an_sdk_reads_every_refusal(read):
    """Each recorded refusal raises the SDK's own class for its status."""
    name, refusals, found = read

    read_as = dict(zip(refusals, found["refusals"], strict=True))
    assert read_as == {
        refusal: BY_BODY.get((name, refusal)) or raised(name, status)
        for refusal, status in refusals.items()
    }
