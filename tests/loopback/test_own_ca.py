"""Tests certificates of a CA of the user's own, which Python 3.13 verifies more strictly."""

from __future__ import annotations

import asyncio
import os
import ssl
import subprocess
import sys
from contextlib import ExitStack

import aiohttp
import pytest

from llmkit.chat.arguments import chat_arguments
from llmkit.errors import APIConnectionError, Outcome
from llmkit.kit import Kit
from llmkit.transport import certificates, mistral_sdk
from llmkit.transport.aiohttp_transport import AiohttpTransport
from llmkit.transport.timeouts import Timeouts
from llmkit.wire.messages import HttpRequest
from tests.fakes.raw import CERTIFICATES, SELF_SIGNED, RawServer, saying
from tests.fakes.reply import document

LATER = "which Python 3.13 and later"
FLAWS = {
    "key_usage": "its CA certificate lacks the key usage extension, "
    f"{LATER} require; create it again with keyUsage = critical, keyCertSign, cRLSign",
    "basic_constraints": "the basic constraints of its CA certificate are not marked critical, "
    f"{LATER} refuse; create it again with basicConstraints = critical, CA:TRUE",
    "subject_key_identifier": "its CA certificate lacks the subject key identifier extension, "
    f"{LATER} require; create it again with subjectKeyIdentifier = hash",
    "authority_key_identifier": "a certificate of its chain lacks the authority key identifier "
    f"extension, {LATER} require; create it again with authorityKeyIdentifier = keyid",
    "subject": "Subject empty and Subject Alt Name extension not critical, "
    f"{LATER} refuse; create its certificates again",
}
BODY = document("openai", "chat").pieces[0]
ANSWER = b"HTTP/1.1 200 OK\r\ncontent-length: %d\r\n\r\n%s" % (len(BODY), BODY)
# Asks each server in a process whose SSL_CERT_FILE names the CAs, as a user would set it.
ASK = """
import asyncio, os, sys
from llmkit.chat.arguments import chat_arguments
from llmkit.kit import Kit
async def main():
    for root in sys.argv[1:]:
        environ = {"LLMKIT_CONFIG": os.devnull, "LLMKIT_OPENAI_BASE_URL": root + "/v1"}
        kit = Kit(environ=environ, keys={"openai": "sk-0123456789abcdef"}, retries=0)
        try:
            answer = await kit.answer(*chat_arguments("hi", "openai:some-model", verbatim=True))
            print(answer.status)
        except Exception as error:
            print(error)
        await kit.manager.aclose("all")
asyncio.run(main())
"""


def server_of(flaw):
    return RawServer(saying(ANSWER), tls=True, certificate=CERTIFICATES / f"{flaw}.pem")


async def asked(root, flaw):
    """Sends a request with a context that verifies as that of Python 3.13 does."""
    context = ssl.create_default_context(cafile=CERTIFICATES / f"{flaw}.ca.pem")
    context.verify_flags |= ssl.VERIFY_X509_STRICT
    request = HttpRequest("POST", f"{root}/v1/chat", {}, b"{}")
    connector = aiohttp.TCPConnector(ssl=context)
    async with (
        aiohttp.ClientSession(connector=connector) as session,
        AiohttpTransport(session).send(request, Timeouts()) as response,
    ):
        return response.status


@pytest.mark.parametrize(("flaw", "sentence"), FLAWS.items(), ids=FLAWS)
def test_a_flaw_of_an_own_ca_is_named_with_its_cure(flaw, sentence):
    """Each flaw that only strict verification finds has its own sentence."""
    with server_of(flaw) as server, pytest.raises(APIConnectionError) as raised:
        asyncio.run(asked(server.root, flaw))

    error = raised.value
    begin = f"TLS certificate verification failed for {server.root}: "
    assert str(error) == f"{begin}{sentence}; the request was not sent"
    assert (error.code, error.outcome, error.possibly_billed) == ("tls", Outcome.FINAL, False)


def test_an_own_ca_without_a_flaw_passes_strict_verification():
    """Otherwise the test of the flaws would prove nothing."""
    with server_of("none") as server:
        assert asyncio.run(asked(server.root, "none")) == 200


def test_an_own_ca_is_trusted_by_its_file(tmp_path):
    """SSL_CERT_FILE gives llmkit the CA; verification is as strict as this Python's default."""
    bundle = tmp_path / "bundle.pem"
    files = [CERTIFICATES / f"{flaw}.ca.pem" for flaw in ("none", "key_usage")]
    bundle.write_text("".join(file.read_text("utf-8") for file in files), "utf-8")
    with ExitStack() as stack:
        servers = [
            *map(server_of, ("none", "key_usage")),
            RawServer(saying(ANSWER), tls=True, certificate=SELF_SIGNED),
        ]
        roots = [stack.enter_context(server).root for server in servers]
        done = subprocess.run(
            [sys.executable, "-c", ASK, *roots], capture_output=True, text=True, check=True,
            env={**os.environ, "SSL_CERT_FILE": str(bundle)},
        )  # fmt: skip
    sound, flawed, stranger = done.stdout.splitlines()

    assert (sound, done.stderr) == ("complete", "")
    if sys.version_info >= (3, 13):
        assert FLAWS["key_usage"] in flawed
    else:
        assert flawed == "complete"
    assert "the CAs in the file of SSL_CERT_FILE did not sign it; add the server's CA" in stranger


@pytest.fixture
def no_ca(monkeypatch):
    """Returns monkeypatch, without a variable that names CAs."""
    for name in (certificates.FILE, certificates.FOLDER, *certificates.OTHERS):
        monkeypatch.delenv(name, raising=False)
    return monkeypatch


def told(kit):
    request, options = chat_arguments("hi", "openai:some-model", verbatim=True)
    try:
        return str(kit.manager.run(kit.answer(request, options)).status)
    except APIConnectionError as error:
        return str(error)


@pytest.mark.parametrize("is_replaced", [False, True])
def test_a_ca_that_is_named_after_the_first_failure_is_trusted(no_ca, tmp_path, is_replaced):
    """The variable, or the content of its file, changes in the same process and session."""
    file = tmp_path / "ca.pem"
    if is_replaced:
        file.write_bytes((CERTIFICATES / "key_usage.ca.pem").read_bytes())
        no_ca.setenv("SSL_CERT_FILE", str(file))
    with server_of("none") as server:
        environ = {"LLMKIT_OPENAI_BASE_URL": f"{server.root}/v1"}
        kit = Kit(environ=environ, keys={"openai": "sk-0123456789abcdef"}, retries=0)
        try:
            first = told(kit)
            file.write_bytes((CERTIFICATES / "none.ca.pem").read_bytes())
            no_ca.setenv("SSL_CERT_FILE", str(file))
            second, sessions = told(kit), len(kit.manager.sessions())
            checked = kit.manager.run(kit.check("openai"))
        finally:
            kit.close()

    assert "TLS certificate verification failed" in first
    assert (second, sessions, checked.ready) == ("complete", 1, True)


def test_the_cure_of_an_unknown_ca_is_named(no_ca, tmp_path):
    """The variable to set, that of another tool, or what is wrong with the file."""
    file = tmp_path / "ca.cer"
    advices = [certificates.advice()]
    no_ca.setenv("REQUESTS_CA_BUNDLE", "/etc/company.pem")
    advices.append(certificates.advice())
    no_ca.setenv("SSL_CERT_FILE", str(file))
    advices.append(certificates.advice())
    file.write_bytes(b"\x30\x82\x01\x00 as DER")
    advices.append(certificates.advice())
    file.write_bytes((CERTIFICATES / "none.ca.pem").read_bytes())
    advices.append(certificates.advice())

    assert [advice.partition(";")[0].partition(", and ask")[0] for advice in advices] == [
        "if its CA is your own, set SSL_CERT_FILE to the CA's file",
        "if its CA is your own, set SSL_CERT_FILE to the file of REQUESTS_CA_BUNDLE, "
        "which llmkit does not read",
        "SSL_CERT_FILE names a file that does not exist",
        "SSL_CERT_FILE names a file that is not readable as PEM",
        "the CAs in the file of SSL_CERT_FILE did not sign it",
    ]


def test_mistrals_official_client_trusts_the_ca_that_is_named_now(no_ca):
    """Its synchronous half has a context of its own."""
    before = mistral_sdk._context()
    no_ca.setenv("SSL_CERT_FILE", str(CERTIFICATES / "none.ca.pem"))

    after = mistral_sdk._context()
    assert after is certificates.context()
    assert after is not before
    assert len(after.get_ca_certs()) == 1
