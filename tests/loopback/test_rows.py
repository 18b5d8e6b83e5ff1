"""Rows of a comparison against fake providers: who answered, and what was asked."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from types import SimpleNamespace

import pandas as pd
import pytest

from llmkit.chat.arguments import chat_arguments
from llmkit.comparison.arguments import comparison_arguments
from llmkit.comparison.asked import address_of, masked
from llmkit.kit import Kit
from llmkit.types import Message, Prompt
from tests.fakes.reply import Reply, refusal
from tests.fakes.server import PREFIXES

EVENTS = {"content-type": "text/event-stream"}


@pytest.fixture
def kit(fakes):
    """A kit whose six providers are the fakes, with a valid key for each."""
    urls = {f"LLMKIT_{name.upper()}_BASE_URL": fakes.base_url(name) for name in PREFIXES}
    keys = {f"{name.upper()}_API_KEY": fakes.key for name in PREFIXES}
    made = Kit(environ={**urls, **keys}, notify=lambda text: None)
    yield made
    made.close()


def run(kit, *asked, **more):
    compared = comparison_arguments(*asked, **more)
    return kit.manager.run(kit.compare(compared.requests, compared.options))


def gemini(model: str | None) -> Reply:
    chunk = {"candidates": [{"content": {"parts": [{"text": "hi"}]}, "finishReason": "STOP"}]}
    chunk |= {"modelVersion": model} if model else {}
    return Reply(pieces=(f"data: {json.dumps(chunk)}\n\n".encode(),), headers=EVENTS)


@pytest.mark.parametrize(
    ("asked", "response_model", "found"),
    [
        ("gemini-3.8-flash", "gemini-3.8-flash", False),
        ("gemini-3.7-flash", "gemini-3.7-flash", True),
        ("gemini-3.8-flash", "gemini-3.5-flash-lite", True),
        ("gemini-3.8-flash", None, None),
    ],
)
def test_an_answer_says_if_it_was_rerouted(fakes, kit, asked, response_model, found):
    """A model that Google reroutes counts so from that day on, even if it returns the old name."""
    fakes.answer("google", gemini(response_model))
    arguments = chat_arguments("hi", f"google:{asked}")

    answer = kit.manager.run(kit.answer(arguments.request, arguments.options))

    assert answer.rerouted is found


def test_a_row_says_from_which_day_another_model_answers(fakes):
    """The day before, the answer is the model's own, and the row says what will change."""
    notes = {}
    for day in (datetime(2026, 11, 30, tzinfo=UTC), datetime(2026, 12, 1, tzinfo=UTC)):
        fakes.answer("google", gemini("gemini-2.5-pro"))
        kit = Kit(
            environ={"LLMKIT_GOOGLE_BASE_URL": fakes.base_url("google")},
            keys={"google": fakes.key}, clock=lambda day=day: day,
        )  # fmt: skip
        arguments = chat_arguments("hi", "gemini-2.5-pro")
        answer = kit.manager.run(kit.answer(arguments.request, arguments.options))
        kit.close()
        notes[day.day] = (answer.rerouted, answer.warnings)

    assert notes == {
        30: (False, ("from 2026-12-01 gemini-3.8-flash answers for gemini-2.5-pro",)),
        1: (True, ("since 2026-12-01 gemini-3.8-flash answers for gemini-2.5-pro",)),
    }


TURNS = (Message("user", "First question?"), Message("assistant", "An answer."))
PROMPTS = [
    Prompt((*TURNS, Message("user", "And now?")), "Be brief.", temperature=0.25, stop="END",
           options=(("metadata", {"user_id": "u1", "access_token": "t-0123456789"}),)),
    "Hi — 🏞",
]  # fmt: skip
MODELS = ["anthropic:claude-haiku-4-5", "openai:gpt-4o", "openai:gpt-77-none"]


def texts_of(run, tmp_path):
    """Returns each export of *run* as one text."""
    made = {
        "frame": run.frame().to_csv(),
        "csv": run.to_csv(tmp_path / "a.csv").read_text("utf-8"),
        "json": run.to_json(tmp_path / "a.json").read_text("utf-8"),
        "parquet": pd.read_parquet(run.to_parquet(tmp_path / "a.parquet")).to_csv(),
        "html": run.to_html(tmp_path / "a.html").read_text("utf-8"),
    }
    return {name: text.replace('""', '"').replace("&quot;", '"') for name, text in made.items()}


def test_every_export_holds_what_was_asked_and_no_secret(fakes, kit, tmp_path):
    """The conversation, the prompt's own parameters, options, defaults and the address."""
    found = run(kit, PROMPTS, MODELS, verbatim=True, user="u-7", safety_identifier="v2")
    texts = texts_of(found, tmp_path)

    limit = str(fakes.asked["anthropic"][0].body["max_tokens"])  # which llmkit fills in
    wanted = ["First question?", "An answer.", "And now?", "0.25", "END", "user_id", "u-7",
              limit, kit.registry.provider("anthropic").base_url, "Be brief."]  # fmt: skip
    lacking = [(name, w) for name, text in texts.items() for w in wanted if w not in text]
    assert lacking == []
    assert [name for name, text in texts.items() if "t-0123456789" in text] == []


def test_the_values_of_a_row_are_those_of_its_request(fakes, kit):
    """A parameter of a Prompt is in its column; what was sent is what the server received."""
    found = run(kit, PROMPTS, MODELS[:2], verbatim=True, top_k=3)
    frame = found.frame()

    assert frame["temperature"].tolist() == [0.25, 0.25, pd.NA, pd.NA]
    assert frame["stop"].tolist() == [("END",), ("END",), None, None]
    assert json.loads(frame["messages"][0])[0] == {"role": "system", "content": "Be brief."}
    assert json.loads(frame["options"][2]) == {"top_k": 3}
    limits = [asked.body["max_tokens"] for asked in fakes.asked["anthropic"]]
    assert [json.loads(text)["max_tokens"] for text in frame["sent"][[0, 2]]] == limits
    assert json.loads(frame["sent"][3]) == {"top_k": 3}


def test_a_row_of_a_fallback_model_tells_what_that_model_was_sent(fakes, kit):
    """Its defaults and its address belong to another provider than the one that was asked."""
    fakes.answer("openai", refusal("openai", "404"))
    found = run(kit, "hi", "openai:gpt-4o", fallback=["anthropic:claude-haiku-5-5"], seed=3)

    (row,) = found.rows
    limit = fakes.asked["anthropic"][0].body["max_tokens"]
    assert (row.provider, row.sent) == ("anthropic", {"max_tokens": limit})
    assert row.base_url == fakes.base_url("anthropic")
    assert found.frame()["seed"].tolist() == [3]


def test_a_row_that_was_not_sent_says_so():
    """An unknown name has no address, and nothing was sent."""
    lone = Kit(environ={}, notify=lambda text: None)
    row, scripted = run(lone, "hi", ["ghost-9", "scripted:echo"]).rows
    lone.close()

    assert (row.sent, row.base_url) == (None, None)
    assert (scripted.sent, scripted.base_url) == ({}, "http://scripted.invalid/v1")


def test_what_made_a_run_is_in_about(kit):
    """Versions of llmkit, price tables and catalogue; retries, timeouts and parameters, no key."""
    typed = "say sk-abcdefgh12345678ab"
    found = run(kit, "hi", "openai:gpt-4o", retries=1, timeout=40, temperature=0.5, system=typed)
    about = found.about

    assert about["prices"].startswith("genai-prices ")
    assert {"llmkit", "python", "catalogue", "started_at", "models"} <= about.keys()
    assert (about["retries"], about["timeouts"]["deadline_s"]) == (1, 40)
    assert about["parameters"] == {"system": ["say ***"], "temperature": [0.5]}


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        ({"api_key": "abc", "max_tokens": 5, "end_token": 7},
         {"api_key": "***", "max_tokens": 5, "end_token": 7}),
        ({"h": {"Authorization": "Bearer abcdefgh12"}}, {"h": {"Authorization": "***"}}),
        ({"headers": {"X-Api": "Bearer abcdefgh12"}}, {"headers": {"X-Api": "Bearer ***"}}),
        ({"accessToken": ["a", "b"], "prompt_cache_key": "c"},
         {"accessToken": ["***", "***"], "prompt_cache_key": "c"}),
        ({"servers": [{"url": "https://u:p@h/?api_key=k1&x=2"}]},
         {"servers": [{"url": "https://***@h/?api_key=***&x=2"}]}),
        ({"raw": "Authorization: Bearer abcdefgh12", "cb": "https://h/#access_token=k1"},
         {"raw": "Authorization: Bearer ***", "cb": "https://h/#access_token=***"}),
        ({"note": "use gsk_abcdefgh12345678ab", "passwd": "a"},
         {"note": "use ***", "passwd": "***"}),
        ({"schema": {"properties": {"password": {"type": "string"}}}},
         {"schema": {"properties": {"password": {"type": "string"}}}}),
        ({"note": "the bearer of this key = answer"}, {"note": "the bearer of this key = answer"}),
    ],
)  # fmt: skip
def test_a_secret_in_an_option_is_masked(value, shown):
    """Its name tells, or its place in a header or in a URL; a schema keeps its types."""
    assert masked(value) == shown


@pytest.mark.parametrize(
    ("base_url", "shown"),
    [
        ("https://user:pass@host.example:8443/v1?key=abc#x", "https://host.example:8443/v1"),
        ("http://[::1]:8080/v1", "http://[::1]:8080/v1"),
        ("https://host.example/sk-abcdefgh12345678ab/v1", "https://host.example/***/v1"),
    ],
)
def test_an_address_has_no_credentials(base_url, shown):
    """User name, password and query may hold keys."""
    assert address_of(SimpleNamespace(provider=SimpleNamespace(base_url=base_url))) == shown
