"""Tests the whole of llmkit against six fake providers."""

from __future__ import annotations

import asyncio
import json
import logging
from dataclasses import replace

import pytest

from llmkit.chat.arguments import chat_arguments
from llmkit.comparison.arguments import comparison_arguments
from llmkit.errors import ConfigError
from llmkit.kit import Kit
from llmkit.types import Status
from tests.fakes.reply import Reply, document, refusal, stream
from tests.fakes.server import PREFIXES
from tests.patience import NEVER_S, SOON_S

KEY_VARS = {
    "openai": "OPENAI_API_KEY", "anthropic": "ANTHROPIC_API_KEY", "google": "GEMINI_API_KEY",
    "mistral": "MISTRAL_API_KEY", "openrouter": "OPENROUTER_API_KEY",
}  # fmt: skip


class Closeable:
    """A session without connections."""

    def close(self):
        return


@pytest.fixture
def kit(fakes):
    """A kit whose six providers are the fakes, with a valid key for each."""
    urls = {f"LLMKIT_{name.upper()}_BASE_URL": fakes.base_url(name) for name in PREFIXES}
    keys = dict.fromkeys(KEY_VARS.values(), fakes.key)
    made = Kit(
        environ={**urls, **keys}, notify=lambda text: None, sign_in_delay_s=0.0, list_prices="all"
    )
    yield made
    made.close()


def run(kit, *asked, **more):
    compared = comparison_arguments(*asked, **more)
    return kit.manager.run(kit.compare(compared.requests, compared.options))


def test_one_name_goes_through_all_six(fakes, kit):
    """gpt-3.5-turbo is translated for each provider, and that id is sent."""
    found = run(kit, "hi", "gpt-3.5-turbo", providers=sorted(PREFIXES), fallback="equivalent")

    sent = {name: asked[0].model for name, asked in fakes.asked.items()}
    assert sent == {
        "openai": "gpt-5.6-terra",
        "anthropic": "claude-haiku-4-5-20251001",
        "google": "gemini-3.5-flash-lite",
        "mistral": "mistral-small",
        "openrouter": "openai/gpt-3.5-turbo",
        "ollama": "llama2",
    }
    assert {row.completion.status for row in found} == {Status.COMPLETE}
    substituted = {row.provider for row in found if row.substituted}
    assert substituted == {"openai", "anthropic", "google"}


def test_costs_are_told_where_prices_are_known(fakes, kit):
    """OpenRouter reports its cost, tables price others, a local server is free, others unknown."""
    found = run(
        kit, "hi", ["gpt-6-luna", "openrouter:openai/gpt-6-luna", "ollama:llama2", "openai:gpt-99x"]
    )

    known, said, free, unknown = (row.completion for row in found)
    assert known.cost_usd > 0
    assert known.cost_source.startswith("genai-prices")
    assert (said.cost_source, free.cost_usd) == ("provider", 0.0)
    assert unknown.cost_usd is None or unknown.cost_source.startswith("genai-prices")


def test_a_server_on_this_machine_is_not_priced_like_the_maker(fakes, kit):
    """Every answered row says why it has no cost; OpenRouter's own figure stays."""
    kit.configure(list_prices="official")

    unknown, said = run(kit, "hi", ["gpt-6-luna", "openrouter:openai/gpt-6-luna"])

    assert unknown.completion.cost_usd is None
    assert unknown.completion.cost_source.startswith("127.0.0.1 served it")
    assert said.completion.cost_source == "provider"


def test_the_tier_of_gemini_is_in_a_header(fakes, kit):
    """The answer's body does not name it; a price follows it."""
    kind = {"content-type": "text/event-stream", "x-gemini-service-tier": "flex"}
    chunk = {
        "candidates": [{"content": {"parts": [{"text": "Hi"}]}, "finishReason": "STOP"}],
        "modelVersion": "gemini-3.8-flash",
        "usageMetadata": {"promptTokenCount": 2000, "candidatesTokenCount": 400},
    }
    fakes.answer("google", Reply(200, (f"data: {json.dumps(chunk)}\n\n".encode(),), kind))
    request, options = chat_arguments("hi", "google:gemini-3.8-flash", serviceTier="flex")

    answer = kit.manager.run(kit.answer(request, options))

    assert answer.service_tier == "flex"
    assert answer.cost_source == "genai-prices google:gemini-3.8-flash, flex"


def test_all_keys_are_checked_at_once_and_none_costs_anything(fakes, kit):
    """Signing in sends a request to every provider, and no chat request."""
    states = {s.provider: str(s.state) for s in kit.manager.run(kit.check_all())}

    assert {states[name] for name in PREFIXES} == {"ready"}
    assert {asked.method for requests in fakes.asked.values() for asked in requests} == {"GET"}


def test_mistral_signs_in_at_the_third_attempt(fakes, kit, caplog):
    """503, 503, 200: three clients, three connections, two retries in the log."""
    fakes.answer("mistral", Reply(503, (b"busy",)), Reply(503, (b"busy",)))

    with caplog.at_level(logging.INFO, logger="llmkit.authentication.sign_in"):
        status = kit.manager.run(kit.check("mistral"))

    assert (str(status.state), status.attempts) == ("ready", 3)
    assert len({asked.connection for asked in fakes.asked["mistral"]}) == 3
    assert [record.getMessage() for record in caplog.records] == [
        "Retrying Mistral authentication (attempt 2/3)",
        "Retrying Mistral authentication (attempt 3/3)",
    ]


@pytest.mark.parametrize("provider", sorted(KEY_VARS))
@pytest.mark.parametrize(
    ("reply", "state", "requests"),
    [("401", "rejected", 1), ("403", "no_permission", 1), ("503", "server_error", 3)],
)
def test_a_refused_key_and_a_busy_server_are_told_apart(
    fakes, kit, provider, reply, state, requests
):
    """A refusal ends at once; a failing server is tried three times, and the key is not blamed."""
    answer = refusal(provider, reply)
    if (provider, reply) == ("openrouter", "403"):  # the recorded one is about a prompt
        answer = Reply(403, (b'{"error":{"message":"this key may not do that","code":403}}',))
    fakes.answer(provider, *[answer] * 3)

    status = kit.manager.run(kit.check(provider))

    assert (str(status.state), len(fakes.asked[provider])) == (state, requests)
    assert fakes.key not in f"{status!r} {status}"
    assert status.advice


def test_a_page_in_the_place_of_a_list_is_no_good_key(fakes, kit):
    """A 200 with a web page does not prove the key."""
    fakes.answer("openai", Reply(200, (b"<html>welcome</html>",)))

    assert str(kit.manager.run(kit.check("openai")).state) == "wrong_address"


@pytest.mark.parametrize(
    ("key", "state"), [("", "no_key"), ("two words", "malformed"), (" 'sk-{}' \n", "ready")]
)
def test_a_key_is_cleaned_or_told_to_be_none(fakes, key, state):
    """Quotes and line ends of a careless paste are removed; a sentence is not a key."""
    environ = {
        "OPENAI_API_KEY": key.format(fakes.key.removeprefix("sk-")),
        "OPENAI_BASE_URL": fakes.base_url("openai"),
    }
    kit = Kit(environ=environ)
    try:
        status = kit.manager.run(kit.check("openai"))
    finally:
        kit.close()

    assert str(status.state) == state


def test_limits_of_sessions_hold_from_the_next_look(kit):
    """They are read at each check of the sessions, not only when the kit is made."""
    handle = kit.manager.register_session(Closeable(), "mine")
    kit.configure(idle_s=0)
    kit.manager.close_stale()

    assert handle.status == "closed"
    assert [row.closed_by for row in kit.manager.sessions()] == ["idle"]


def test_nobody_at_ollamas_port_is_not_running(kit):
    """On a machine without Ollama the message says so, and what to do."""
    kit.configure(base_urls={"ollama": "http://127.0.0.1:1"})

    status = kit.manager.run(kit.check("ollama"))

    assert (str(status.state), "start it" in status.advice) == ("not_running", True)


def test_a_providers_own_list_is_read_to_its_end(fakes, kit):
    """All pages are read, up to the last."""
    fakes.answer("anthropic", document("anthropic", "models"))

    models = kit.manager.run(kit.refresh("openai")).models

    assert {model.provider for model in models} == {"openai"}
    assert models


def test_a_server_of_ones_own_is_a_provider(fakes, kit):
    """add_provider registers any OpenAI-compatible server under a name."""
    kit.add_provider("lab", fakes.base_url("openai"), "LAB_KEY")
    lacking = run(kit, "hi", "lab:some-model")
    kit.credentials.type_in("lab", fakes.key)

    found = run(kit, "hi", "lab:some-model")

    assert lacking.rows[0].error == (
        'lab needs an API key: set LAB_KEY or use llmkit.Kit(keys={"lab": ...})'
    )
    assert (found.rows[0].completion.status, found.rows[0].provider) == (Status.COMPLETE, "lab")


def test_rows_that_wait_for_their_turn_lose_none_of_their_time(fakes, kit):
    """A timeout applies to one call, however long the rows before it take."""
    fakes.always("openai", replace(stream("openai"), headers_after_s=0.1))
    kit.configure(limit_per_provider=1)

    found = run(kit, [f"question {n}" for n in range(40)], "openai:gpt-6-luna", timeout=3.0)

    assert {row.completion.status for row in found} == {Status.COMPLETE}
    assert max(row.completion.duration_s for row in found) < 3.0
    assert sum(row.completion.duration_s for row in found) > 3.0


def test_a_question_beside_a_comparison_does_not_wait_for_all_of_its_rows(fakes, kit):
    """It gets a slot among them, within its own timeout."""
    fakes.always("openai", replace(stream("openai"), headers_after_s=0.2))
    kit.configure(limit_per_provider=1)

    async def both():
        rows = comparison_arguments([f"{n}" for n in range(40)], "openai:gpt-6-luna")
        task = asyncio.create_task(kit.compare(rows.requests, rows.options))
        while not fakes.asked["openai"]:
            await asyncio.sleep(0.01)
        answer = await kit.answer(*chat_arguments("hi", "openai:gpt-6-luna", timeout=5.0))
        before = len(fakes.asked["openai"])
        await task
        return answer, before

    answer, before = kit.manager.run(both())

    assert answer.status is Status.COMPLETE
    assert before < 20


def test_rows_survive_that_their_session_is_closed(fakes, kit):
    """Closing all sessions during a comparison fails no row that was not sent yet."""
    fakes.always("openai", replace(stream("openai"), headers_after_s=0.05))
    kit.configure(limit_per_provider=2)

    async def closing():
        rows = comparison_arguments([f"{n}" for n in range(30)], "openai:gpt-6-luna")
        task = asyncio.create_task(kit.compare(rows.requests, rows.options))
        for count in (3, 9, 15):
            while len(fakes.asked["openai"]) < count:
                await asyncio.sleep(0.005)
            await kit.manager.aclose("all")
        return await task

    found = kit.manager.run(closing())

    failed = [row for row in found if row.completion.status is not Status.COMPLETE]
    assert {row.error_type for row in failed} <= {"APIConnectionError"}
    assert len(failed) <= 6  # those in flight when it was closed


def test_one_number_limits_all_that_is_sent_to_a_provider(fakes, kit):
    """Two comparisons and a question at the same time share the slots of one provider."""
    fakes.always("openai", replace(stream("openai"), headers_after_s=0.05))
    kit.configure(limit_per_provider=2)

    async def all_of_them():
        compared = [
            comparison_arguments([f"{n}" for n in range(6)], "openai:gpt-6-luna") for _ in "ab"
        ]
        await asyncio.gather(
            *(kit.compare(c.requests, c.options) for c in compared),
            kit.answer(*chat_arguments("hi", "openai:gpt-6-luna")),
        )

    kit.manager.run(all_of_them())

    # A third concurrent request would have needed a third connection.
    assert len(fakes.asked["openai"]) == 13
    assert len({asked.connection for asked in fakes.asked["openai"]}) == 2


def test_rows_pass_a_rate_limit_of_a_real_server(fakes, kit):
    """Twenty requests a second are allowed, sixteen are sent at once, and no row is lost."""
    fakes.limit("openai", 20)
    kit.configure(limit_per_provider=16)

    found = run(kit, [f"question {n}" for n in range(45)], "openai:gpt-6-luna", retries=0)

    assert {row.completion.status for row in found} == {Status.COMPLETE}
    assert len(fakes.asked["openai"]) == sum(row.completion.attempts for row in found) > 45
    assert max(row.completion.waited_s for row in found) > 0.5


def test_sessions_stay_warm_and_are_counted(fakes, kit):
    """Three questions in a row: one session, one connection, three requests."""
    for _ in range(3):
        run(kit, "hi", "gpt-6-luna")

    (row,) = kit.manager.sessions()
    assert (row.provider, row.kind, row.status, row.requests) == ("openai", "pool", "open", 3)
    assert row.open_connections == 1
    assert row.bytes_in > 3 * 1000
    assert len({asked.connection for asked in fakes.asked["openai"]}) == 1


def test_a_stream_ends_with_the_whole_answer(fakes, kit):
    """The pieces, and then the completion with its cost."""
    request, options = chat_arguments("hi", "gpt-6-luna")

    async def collect():
        return [part async for part in kit.stream(request, options)]

    *deltas, end = kit.manager.run(collect())

    assert "".join(delta.text for delta in deltas) == end.completion.text
    assert end.completion.cost_usd is not None


def test_an_interrupted_sign_in_leaves_no_client(fakes, kit):
    """A cancelled check closes what it opened; warnings would fail this test."""
    fakes.answer("mistral", Reply(headers_after_s=NEVER_S))

    async def cancelled():
        task = asyncio.create_task(kit.check("mistral"))
        while not fakes.asked["mistral"]:
            await asyncio.sleep(0.01)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    kit.manager.run(cancelled())

    assert fakes.asked["mistral"][0].ended.wait(SOON_S)


def test_no_key_crosses_a_network_in_clear_text(fakes):
    """Neither a check, nor a list of models, nor a question sends a key over plain http."""
    kit = Kit(environ={"OPENAI_API_KEY": fakes.key, "OPENAI_BASE_URL": "http://192.0.2.7/v1"})
    try:
        checked = kit.manager.run(kit.check("openai"))
        with pytest.raises(ConfigError, match="in clear text"):
            kit.manager.run(kit.refresh("openai"))
        found = run(kit, "hi", "gpt-6-luna")
    finally:
        kit.close()

    assert (str(checked.state), "in clear text" in checked.advice) == ("tls_error", True)
    assert "in clear text" in found.rows[0].error


def test_the_embedded_model_is_not_started_to_be_checked(kit):
    """Signing in checks that it could be started, and starts nothing."""
    status = kit.manager.run(kit.check("local"))

    assert str(status.state) in ("ready", "not_running")
    assert kit.local_models()._children == {}
