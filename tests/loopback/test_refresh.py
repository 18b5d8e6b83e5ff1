"""Tests providers' own lists: read over sockets, stored on disk, and trusted for a day."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from llmkit.catalogue.provider_lists import list_from
from llmkit.chat.arguments import chat_arguments
from llmkit.errors import AuthenticationError, MissingApiKeyError, UnknownModelError
from llmkit.kit import Kit
from tests.fakes.reply import Reply, document, refusal
from tests.fakes.server import PREFIXES

ROOT = Path(__file__).parents[2]
JSON = {"content-type": "application/json"}
KEY_VARS = {
    "openai": "OPENAI_API_KEY", "anthropic": "ANTHROPIC_API_KEY", "google": "GEMINI_API_KEY",
    "mistral": "MISTRAL_API_KEY", "openrouter": "OPENROUTER_API_KEY",
}  # fmt: skip


def environ_of(fakes, tmp_path, *providers):
    urls = {f"LLMKIT_{name.upper()}_BASE_URL": fakes.base_url(name) for name in PREFIXES}
    keys = {KEY_VARS[name]: fakes.key for name in providers}
    return {**urls, **keys, "LLMKIT_CACHE_DIR": str(tmp_path / "cache")}


@pytest.fixture
def make(fakes, tmp_path):
    """Makes kits that share one folder of lists, each like a separate process."""
    made = []

    def kit(*providers):
        providers = providers or tuple(KEY_VARS)
        made.append(Kit(environ=environ_of(fakes, tmp_path, *providers), notify=lambda text: None))
        return made[-1]

    yield kit
    for one in made:
        one.close()


def refresh(kit, name):
    return kit.manager.run(kit.refresh(name))


def models(*ids, **more):
    rows = [{"id": name, "object": "model", **more} for name in ids]
    return Reply(pieces=(json.dumps({"object": "list", "data": rows}).encode(),), headers=JSON)


@pytest.mark.parametrize("provider", sorted(PREFIXES))
def test_every_provider_can_be_asked_for_its_list(fakes, make, provider):
    """One unbilled request, over a session that ends with it; Mistral's SDK client stays open."""
    kit = make()

    found = refresh(kit, provider)

    assert found.models
    assert {asked.method for asked in fakes.asked[provider]} == {"GET"}
    (row,) = kit.manager.sessions()
    lasting = provider == "mistral"
    assert (row.kind, str(row.status)) == (("pool", "open") if lasting else ("temporary", "closed"))


def test_a_model_that_only_the_list_has_works_at_once_and_in_a_later_process(fakes, make):
    """Unknown before, resolved and used after, also in a kit that never fetched the list."""
    fakes.answer("openai", models("gpt-7-nova"))
    kit = make()
    with pytest.raises(UnknownModelError):
        kit.registry.resolve("gpt-7-nova")

    refresh(kit, "openai")

    answer = kit.manager.run(kit.answer(*chat_arguments("hi", "gpt-7-nova")))
    assert (answer.provider, answer.request_model) == ("openai", "gpt-7-nova")
    assert make().registry.resolve("gpt-7-nova").verified


def test_resolving_asks_no_network(fakes, make):
    """Resolving a name sends no request, neither before nor after a refresh."""
    kit = make()
    refresh(kit, "openai")
    fakes.asked.clear()

    kit.registry.resolve("gpt-6-luna")
    make().registry.resolve("gpt-6-luna")

    assert not any(fakes.asked.values())


def test_what_its_own_list_lacks_is_answered_by_another(fakes, make):
    """A model missing from a fresh list is not requested, and the step says why."""
    fakes.answer("anthropic", document("anthropic", "models"))
    kit = make()
    refresh(kit, "anthropic")
    fakes.asked.clear()

    answer = kit.manager.run(kit.answer(*chat_arguments("hi", "claude-sonnet-5", fallback="any")))

    assert not fakes.asked["anthropic"]
    assert answer.attempts == 1
    assert answer.fallback[0].reason == "anthropic:claude-sonnet-5 is missing from its own list"


def test_what_its_own_list_lacks_is_sent_where_nobody_else_may_answer(fakes, make):
    """If no fallback is allowed, the provider itself decides."""
    kit = make()
    refresh(kit, "anthropic")
    fakes.asked.clear()

    kit.manager.run(kit.answer(*chat_arguments("hi", "claude-sonnet-5", fallback="error")))

    assert len(fakes.asked["anthropic"]) == 1


def test_a_list_is_believed_for_a_day(fakes, make, tmp_path):
    """An older list removes nothing, and its new ids still resolve."""
    fakes.answer("openai", models("gpt-7-nova"))
    refresh(make(), "openai")
    (file,) = (tmp_path / "cache" / "models").glob("openai-*.json")
    found = json.loads(file.read_text())
    old = datetime.now(UTC) - timedelta(hours=25)
    file.write_text(json.dumps({**found, "read_at": old.isoformat()}))
    kit = make()

    answer = kit.manager.run(kit.answer(*chat_arguments("hi", "gpt-6-luna")))

    assert answer.provider == "openai"
    assert kit.registry.resolve("gpt-7-nova").verified


def test_another_address_has_another_list(fakes, make, tmp_path):
    """A server's list does not apply to another server under the same name."""
    fakes.answer("openai", models("gpt-7-nova"))
    refresh(make(), "openai")
    kit = make()

    kit.configure(base_urls={"openai": "http://127.0.0.1:1/v1"})

    with pytest.raises(UnknownModelError):
        kit.registry.resolve("gpt-7-nova")


def test_openrouters_list_needs_no_key(fakes, make):
    """Its models are shown without a key; for the others the missing key is named."""
    kit = make("openai")

    assert refresh(kit, "openrouter").models
    assert "authorization" not in fakes.asked["openrouter"][0].headers
    with pytest.raises(MissingApiKeyError, match="MISTRAL_API_KEY"):
        refresh(kit, "mistral")


def test_a_refused_list_changes_nothing(fakes, make, tmp_path):
    """The provider's error is raised, and the earlier list stays."""
    fakes.answer("openai", models("gpt-7-nova"), refusal("openai", "401"))
    kit = make()
    refresh(kit, "openai")

    with pytest.raises(AuthenticationError):
        refresh(kit, "openai")

    assert kit.registry.resolve("gpt-7-nova").verified
    assert kit.manager.sessions()[-1].status == "closed"


def test_a_folder_that_cannot_be_written_costs_only_the_keeping(fakes, make, tmp_path, caplog):
    """The list is used in this process, and a warning says that it was not stored."""
    (tmp_path / "cache").write_text("a file in its place")
    fakes.answer("openai", models("gpt-7-nova"))
    kit = make()

    refresh(kit, "openai")

    assert kit.registry.resolve("gpt-7-nova").verified
    assert "the list of openai is kept for this process only" in caplog.text


def test_the_usual_place_is_that_of_the_person(fakes, tmp_path, monkeypatch):
    """A kit of this process stores lists in the system's usual folder, and a kit with its own
    environment stores none."""
    monkeypatch.delenv("LLMKIT_CACHE_DIR")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.setenv("LLMKIT_OPENROUTER_BASE_URL", fakes.base_url("openrouter"))
    given, usual = Kit(environ=dict(os.environ)), Kit()
    try:
        refresh(given, "openrouter")
        before = list((tmp_path / "home").rglob("*.json"))
        refresh(usual, "openrouter")
    finally:
        given.close()
        usual.close()

    assert before == []
    assert [file.name[:11] for file in (tmp_path / "home").rglob("*.json")] == ["openrouter-"]


def test_no_key_is_in_the_kept_list(fakes, make, tmp_path):
    """A server that repeats the key in a name cannot get it into the file."""
    fakes.answer("openai", models(f"model-{fakes.key}"))

    refresh(make(), "openai")

    (file,) = (tmp_path / "cache" / "models").glob("openai-*.json")
    assert fakes.key not in file.read_text()


CHILD = """
import json, sys
from llmkit.kit import Kit
kit = Kit(environ=json.loads(sys.stdin.read()))
found = kit.manager.run(kit.refresh("openai"))
print(len(found.models), kit.registry.resolve("gpt-7-nova").verified)
kit.close()
"""


def test_two_processes_that_refresh_at_once_do_not_disturb_each_other(fakes, tmp_path):
    """Both end with the whole list, and the file is complete."""
    many = models("gpt-7-nova", *(f"model-{n}" for n in range(500)))
    fakes.always("openai", replace(many, first_after_s=0.5))
    environ = json.dumps(environ_of(fakes, tmp_path, "openai"))
    children = [
        subprocess.Popen(
            [sys.executable, "-W", "error", "-c", CHILD], cwd=ROOT, text=True,
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        )
        for _ in range(2)
    ]  # fmt: skip
    for child in children:
        child.stdin.write(environ)
        child.stdin.close()
        child.stdin = None
    said = [child.communicate(timeout=120) for child in children]

    assert said == [("501 True\n", "")] * 2
    (file,) = (tmp_path / "cache" / "models").glob("*.json")
    assert len(list_from(json.loads(file.read_bytes())).models) == 501


def test_a_row_of_ones_own_is_tried_first(fakes, make, tmp_path):
    """The fallback in the user's file comes before the catalogue's."""
    file = tmp_path / "mine.toml"
    file.write_text('[[fallbacks]]\nname = "openai:gpt-6-luna"\nthen = "google:gemini-3.8-flash"\n')
    fakes.only("openai")
    kit = make()
    kit.configure(catalogue_file=str(file))

    answer = kit.manager.run(kit.answer(*chat_arguments("hi", "gpt-6-luna")))

    assert (answer.provider, answer.fallback[0].rule) == ("google", "own-fallback")


def test_names_that_hide_text_or_are_too_long_are_left_out_and_logged(fakes, make, caplog):
    """A list cannot put invisible characters into completions, pickers and commands."""
    fakes.answer("openai", models("gpt-7-nova", "gpt-7\u200b-nova", "gpt-7\x1b[2J", "g" * 10_000))
    kit = make()

    found = refresh(kit, "openai")

    assert [model.id for model in found.models] == ["gpt-7-nova"]
    assert "3 of 4 models in the list of openai were left out" in caplog.text


def test_a_link_to_the_next_page_that_is_no_address_ends_the_list(fakes, make):
    """OpenRouter's link is read only for its offset."""
    body = {"data": [{"id": "a/b"}], "links": {"next": "http://[?offset=\u00b2"}}
    fakes.answer("openrouter", Reply(pieces=(json.dumps(body).encode(),), headers=JSON))

    assert [model.id for model in refresh(make(), "openrouter").models] == ["a/b"]
