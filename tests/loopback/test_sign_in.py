"""Tests sign-in: what it reports, what it retries, and what it closes."""

from __future__ import annotations

import asyncio
import gc
import logging
from itertools import pairwise

import pytest

from llmkit.kit import Kit
from llmkit.reports import AuthReport
from llmkit.secret import Secret
from tests.fakes.raw import RawServer, closed_port, silence
from tests.fakes.reply import Reply, refusal
from tests.fakes.server import PREFIXES
from tests.patience import NEVER_S

KEY_VARS = {
    "openai": "OPENAI_API_KEY", "anthropic": "ANTHROPIC_API_KEY", "google": "GEMINI_API_KEY",
    "mistral": "MISTRAL_API_KEY", "openrouter": "OPENROUTER_API_KEY",
}  # fmt: skip
BUSY = Reply(503, (b"busy",))
CHEAPEST = {
    "openai": "/openai/v1/models", "anthropic": "/anthropic/v1/models?limit=1",
    "google": "/google/v1/models?pageSize=1", "mistral": "/mistral/v1/models",
    "openrouter": "/openrouter/api/v1/key", "ollama": "/ollama/api/version",
}  # fmt: skip


@pytest.fixture
def environ(fakes):
    urls = {f"LLMKIT_{name.upper()}_BASE_URL": fakes.base_url(name) for name in PREFIXES}
    return {**urls, **dict.fromkeys(KEY_VARS.values(), fakes.key)}


@pytest.fixture
def kit(environ):
    made = Kit(environ=environ, sign_in_delay_s=0.0)
    yield made
    made.close()


def open_rows(kit):
    return [row for row in kit.manager.sessions() if str(row.status) not in ("closed", "leaked")]


@pytest.mark.parametrize("provider", sorted(CHEAPEST))
def test_the_cheapest_request_proves_the_key(fakes, kit, provider):
    """One GET, with the key where that provider reads it, and never a completion."""
    status = kit.manager.run(kit.check(provider))

    (asked,) = fakes.asked[provider]
    query = f"?{asked.query}" if asked.query else ""
    assert (asked.method, asked.path + query) == ("GET", CHEAPEST[provider])
    assert status.ready
    assert (status.attempts, status.error, status.advice) == (1, None, "")
    assert status.latency_s > 0
    assert status.checked_at is not None


@pytest.mark.parametrize("provider", sorted(KEY_VARS))
def test_trouble_that_passes_takes_three_clients_and_the_delays(fakes, environ, provider, caplog):
    """503, 503, 200: three connections of three sessions, the failed ones closed, two log lines."""
    kit = Kit(environ=environ, sign_in_delay_s=0.05)
    fakes.answer(provider, BUSY, BUSY)
    with caplog.at_level(logging.INFO, logger="llmkit.authentication.sign_in"):
        status = kit.manager.run(kit.check(provider))
    rows = [row for row in kit.manager.sessions() if row.provider == provider]
    asked = fakes.asked[provider]
    waited = [after.at - before.at for before, after in pairwise(asked)]
    kit.close()

    assert (str(status.state), status.attempts) == ("ready", 3)
    assert len({request.connection for request in asked}) == 3
    assert all(wait >= 0.05 for wait in waited)
    label = kit.registry.provider(provider).label
    assert [record.getMessage() for record in caplog.records] == [
        f"Retrying {label} authentication (attempt {n}/3)" for n in (2, 3)
    ]
    assert [str(row.status) for row in rows[:2]] == ["closed", "closed"]
    assert {row.kind for row in rows[:2]} == {"temporary"}
    # The Mistral SDK's client stays open; a probe's session is closed.
    assert [row.kind for row in rows[2:] if str(row.status) == "open"] == (
        ["pool"] if provider == "mistral" else []
    )


@pytest.mark.parametrize("provider", sorted(KEY_VARS))
def test_trouble_that_stays_is_not_a_bad_key(fakes, kit, provider):
    """After exactly three attempts the key could not be checked, and the advice says so."""
    fakes.always(provider, BUSY)
    status = kit.manager.run(kit.check(provider))

    assert (str(status.state), status.attempts) == ("server_error", 3)
    assert len(fakes.asked[provider]) == 3
    assert "the key was not refused" in status.advice
    assert open_rows(kit) == []


@pytest.mark.parametrize("provider", sorted(KEY_VARS))
@pytest.mark.parametrize(("name", "state"), [("401", "rejected"), ("402", "no_credit")])
def test_a_refusal_ends_at_once(fakes, kit, provider, name, state):
    """A bad key and an empty account are distinguished, with one request each."""
    answer = refusal(provider, "401") if name == "401" else Reply(402, (b'{"error":"pay"}',))
    fakes.always(provider, answer)
    status = kit.manager.run(kit.check(provider))

    assert (str(status.state), len(fakes.asked[provider])) == (state, 1)
    assert status.error


@pytest.mark.parametrize("provider", ["openai", "mistral"])
def test_the_number_of_attempts_is_a_setting(fakes, environ, provider):
    """sign_in_attempts is the total number of attempts."""
    fakes.always(provider, BUSY)
    kit = Kit(environ=environ, sign_in_attempts=1)
    try:
        status = kit.manager.run(kit.check(provider))
    finally:
        kit.close()

    assert (status.attempts, len(fakes.asked[provider])) == (1, 1)


@pytest.mark.parametrize("provider", ["openai", "mistral"])
def test_a_servers_own_wish_wins_over_the_delay(fakes, environ, provider):
    """llmkit's longer delay is not waited for if the server names a shorter one."""
    fakes.answer(provider, Reply(503, (b"busy",), {"retry-after": "0.05"}))
    kit = Kit(environ=environ, sign_in_delay_s=60.0)
    try:
        status = kit.manager.run(asyncio.wait_for(kit.check(provider), 30))
    finally:
        kit.close()

    assert (status.ready, status.attempts) == (True, 2)


@pytest.mark.parametrize("provider", ["openai", "mistral"])
def test_a_server_that_says_nothing_is_timed_out_and_left(environ, provider):
    """Each attempt has its own limit, and nothing stays open."""
    with RawServer(silence) as server:
        urls = {f"LLMKIT_{provider.upper()}_BASE_URL": server.root}
        kit = Kit(
            environ={**environ, **urls}, sign_in_timeout_s=0.1, sign_in_delay_s=0.0,
            sign_in_attempts=2,
        )  # fmt: skip
        status = kit.manager.run(kit.check(provider))
        left = open_rows(kit)
        kit.close()

    assert (str(status.state), status.attempts, server.came) == ("timed_out", 2, 2)
    assert left == []


@pytest.mark.parametrize("provider", ["openai", "mistral"])
def test_nobody_at_the_port_is_unreachable(environ, provider):
    """A refused connection says nothing about the key."""
    with closed_port() as root:
        urls = {f"LLMKIT_{provider.upper()}_BASE_URL": root}
        kit = Kit(environ={**environ, **urls}, sign_in_delay_s=0.0)
        status = kit.manager.run(kit.check(provider))
        kit.close()

    assert (str(status.state), status.attempts) == ("unreachable", 3)
    assert "the key was not refused" in status.advice


@pytest.mark.parametrize("provider", ["openai", "mistral"])
def test_a_bad_certificate_is_no_bad_key(environ, provider):
    """It has its own state, is tried once, and verification stays on."""
    with RawServer(silence, tls=True) as server:
        urls = {f"LLMKIT_{provider.upper()}_BASE_URL": server.root}
        kit = Kit(environ={**environ, **urls}, sign_in_delay_s=0.0)
        status = kit.manager.run(kit.check(provider))
        kit.close()

    assert (str(status.state), status.attempts) == ("tls_error", 1)


@pytest.mark.parametrize("provider", sorted(KEY_VARS))
def test_a_cancelled_check_closes_its_client_and_changes_nothing(fakes, kit, provider):
    """Neither a socket nor the state "checking" outlives it."""
    fakes.answer(provider, Reply(headers_after_s=NEVER_S))

    async def cancelled():
        task = asyncio.create_task(kit.check(provider))
        while not fakes.asked[provider]:
            await asyncio.sleep(0.01)
        task.cancel()
        await asyncio.wait({task})
        assert task.cancelled()

    kit.manager.run(cancelled())

    assert open_rows(kit) == []
    assert fakes.asked[provider][0].ended.wait(30)
    assert str(kit.checks.status(provider).state) == "not_checked"


def test_all_providers_are_asked_at_once(fakes, kit):
    """The checks run concurrently: all requests arrive before the first answer."""
    for provider in PREFIXES:
        fakes.answer(provider, Reply(401, (b"{}",), headers_after_s=0.3))
    kit.manager.run(kit.check_all())

    asked = [requests[0] for requests in fakes.asked.values()]
    assert len(asked) == 6
    assert max(a.at for a in asked) - min(a.at for a in asked) < 5.0


def test_one_wrong_base_url_costs_no_other_its_check(fakes, kit):
    """A report has a row for every provider, even if one is misconfigured."""
    kit.configure(base_urls={"openai": "http://192.0.2.7/v1", "anthropic": "ftp://x"})
    states = {s.provider: s for s in kit.manager.run(kit.check_all())}

    assert (str(states["openai"].state), str(states["anthropic"].state)) == (
        "tls_error", "unreachable",
    )  # fmt: skip
    assert "must begin with https://" in states["openai"].advice
    assert states["mistral"].ready


def test_a_changed_key_is_noticed_and_the_old_client_closed(fakes, environ):
    """The old key's state does not apply to the new key; the next use closes its client."""
    kit = Kit(environ=environ, sign_in_delay_s=0.0)
    kit.manager.run(kit.check("mistral"))
    (old,) = open_rows(kit)
    client = kit.manager.registry.open_sessions()[0].resource
    environ["MISTRAL_API_KEY"] = "another-key-of-32-characters-ABC"
    noticed = str(kit.checks.status("mistral").state)
    checked = kit.manager.run(kit.check("mistral"))
    left = [row.id for row in open_rows(kit)]
    closed = client.closed
    del client
    gc.collect()
    held = {str(o.reveal()) for o in gc.get_objects() if isinstance(o, Secret)}
    kit.close()

    assert (noticed, str(checked.state)) == ("not_checked", "rejected")
    assert closed
    assert old.id not in left
    assert fakes.key not in held


def test_a_question_with_another_key_closes_the_old_client_too(fakes, environ):
    """The client that signed in with the old key is closed before the new key is used."""
    from llmkit.chat.arguments import chat_arguments

    kit = Kit(environ=environ, sign_in_delay_s=0.0)
    kit.manager.run(kit.check("mistral"))
    client = kit.manager.registry.open_sessions()[0].resource
    kit.credentials.type_in("mistral", fakes.key + "x")
    request, options = chat_arguments("hi", "mistral:mistral-small-latest")
    with pytest.raises(Exception, match="refused the key"):
        kit.manager.run(kit.answer(request, options))
    kit.close()

    assert client.closed


def test_a_server_that_checks_no_key_says_nothing_about_it(fakes, environ):
    """It can be used, and the report does not claim that the key is right."""
    kit = Kit(
        environ={**environ, "OLLAMA_API_KEY": "a-wrong-key-0123456789"},
        plain_http_hosts=["127.0.0.1"],
    )
    keyed = kit.manager.run(kit.check("ollama"))
    kit.close()
    kit = Kit(environ=environ)
    keyless = kit.manager.run(kit.check("ollama"))
    kit.close()

    assert (keyed.ready, keyless.ready) == (True, True)
    assert "without checking the key" in keyed.advice
    assert keyless.advice == ""


def test_whoever_watches_sees_checking_and_then_the_state(fakes, kit):
    """A panel is notified of each change, and a failing one affects nothing."""
    seen = []

    def failing(status):
        raise RuntimeError("a panel's bug")

    stops = [kit.checks.watch(failing), kit.checks.watch(lambda s: seen.append(str(s.state)))]
    before = {status.provider: str(status.state) for status in kit.checks.statuses()}
    kit.manager.run(kit.check("openai"))
    for stop in stops:
        stop()
    kit.manager.run(kit.check("openai"))

    assert seen == ["checking", "ready"]
    assert before["openai"] == "not_checked"
    assert {s.provider: str(s.state) for s in kit.checks.statuses()}["openai"] == "ready"
    assert "scripted" not in before


def test_what_is_known_without_asking_is_said_without_asking(fakes):
    """A missing, an incomplete and an unchecked key are states; nothing is sent."""
    kit = Kit(environ={"OPENAI_API_KEY": "two words", "MISTRAL_API_KEY": fakes.key})
    try:
        known = {status.provider: status for status in kit.checks.statuses()}
    finally:
        kit.close()

    states = {name: str(status.state) for name, status in known.items()}
    assert (states["openai"], states["mistral"], states["anthropic"]) == (
        "malformed", "not_checked", "no_key",
    )  # fmt: skip
    assert known["mistral"].key_tail == fakes.key[-4:]
    assert known["mistral"].key_source == "variable MISTRAL_API_KEY"
    assert known["anthropic"].advice == (
        'Set ANTHROPIC_API_KEY or use llmkit.Kit(keys={"anthropic": ...}).'
    )
    assert all(status.advice.count(". ") <= 1 for status in known.values())
    assert not fakes.asked


def test_the_report_of_all_keys_shows_none_of_them(fakes, kit):
    """The table, its page and its frame show at most the last four characters."""
    report = AuthReport.of(kit.manager.run(kit.check_all()))

    shown = f"{report} {report._repr_html_()} {report.frame().to_csv()} {vars(report)}"
    assert fakes.key.removeprefix("sk-fake-")[:8] not in shown
    assert fakes.key[-4:] in shown
