"""Headers of the user's own go to their provider alone, and their values are shown nowhere."""

from __future__ import annotations

import copy
import logging
import pickle
import secrets

import pytest

from llmkit.chat.arguments import chat_arguments
from llmkit.comparison.arguments import comparison_arguments
from llmkit.errors import CallError, ConfigError, UnknownProviderError
from llmkit.kit import Kit
from llmkit.secret import Secret
from llmkit.wire.messages import HttpRequest
from tests.fakes.misbehaviour import saying
from tests.fakes.raw import RawServer
from tests.fakes.reply import Reply, stream
from tests.fakes.server import PREFIXES

from .canary import PUBLIC, traces
from .test_origins import ALL, Listener, kit_for
from .test_sinks import MODELS, told

OPENAI = {"OpenAI-Organization": "org-Zq8vK2mX7pL4nR9w", "OpenAI-Project": "proj_aB3dE6gH9jK2m"}


@pytest.fixture
def value():
    return PUBLIC + secrets.token_urlsafe(24)


def run(kit, *asked, **more):
    compared = comparison_arguments(*asked, **more)
    return kit.manager.run(kit.compare(compared.requests, compared.options))


@pytest.mark.parametrize("provider", ALL)
def test_a_chat_a_check_and_a_list_carry_the_headers(fakes, value, provider):
    """Each request to that provider has them, and no request to another one."""
    kit = kit_for(fakes, headers={provider: {"X-Bill-To": value}})
    others = [name for name in ALL if name != provider]
    try:
        run(kit, "hi", list(MODELS.values()))
        kit.manager.run(kit.check_all())
        for name in ALL:
            kit.manager.run(kit.refresh(name))
    finally:
        kit.close()

    sent = [asked.headers.get("x-bill-to") for asked in fakes.asked[provider]]
    assert len(sent) >= 3
    assert set(sent) == {value}
    assert not [a for name in others for a in fakes.asked[name] if "x-bill-to" in a.headers]
    bodies = [asked.body for asked in fakes.asked[provider]]
    assert traces(value, *bodies) == []


def test_the_organization_and_the_project_are_headers(fakes):
    """They are set by configure(), and a later one replaces them."""
    kit = kit_for(fakes)
    try:
        kit.configure(headers={"openai": OPENAI})
        run(kit, "hi", MODELS["openai"])
        kit.configure(headers={})
        run(kit, "hi", MODELS["openai"])
    finally:
        kit.close()

    first, second = (asked.headers for asked in fakes.asked["openai"])
    assert {name: first.get(name.lower()) for name in OPENAI} == OPENAI
    assert not set(map(str.lower, OPENAI)) & set(second)


@pytest.mark.parametrize(
    ("provider", "name"),
    [
        ("openrouter", "x-openrouter-title"),
        ("anthropic", "Anthropic-Version"),
        ("openai", "User-Agent"),
        ("mistral", "AUTHORIZATION"),
        ("openai", "authorization"),
    ],
)
def test_a_header_replaces_that_of_llmkit(fakes, provider, name):
    """However it is spelt, the request has it once; also one that carries the key."""
    kit = kit_for(fakes, headers={provider: {name: f"Bearer {fakes.key}"}})
    try:
        fakes.always(provider, stream(provider))
        run(kit, "hi", MODELS[provider])
    finally:
        kit.close()

    (asked,) = fakes.asked[provider]
    assert asked.headers[name.lower()] == f"Bearer {fakes.key}"
    request = HttpRequest("GET", "https://x", {"Authorization": "a", "X": "b"})
    replaced = request.with_headers({"authorization": Secret("c")})
    assert replaced.headers == {"X": "b", "authorization": "c"}


def test_a_new_header_reaches_the_client_of_mistral(fakes, value):
    """Its client is opened again, and its synchronous methods send the header, too."""
    kit = kit_for(fakes)
    kit.manager.run(kit.check("mistral"))
    kit.configure(headers={"mistral": {"X-Bill-To": value}})
    kit.manager.run(kit.refresh("mistral"))
    client = kit.manager.run(kit.mistral_client())
    client.models.list()
    kept = repr(vars(client)), repr(vars(client.sdk_configuration.client))
    kit.close()

    sent = [asked.headers.get("x-bill-to") for asked in fakes.asked["mistral"]]
    assert (sent[0], set(sent[1:])) == (None, {value})
    assert traces(value, *kept) == []


def test_an_added_server_gets_the_headers_of_its_own(fakes, value):
    """add_provider() names it; each call reads the current setting."""
    kit = Kit(environ={})
    kit.add_provider("lab", fakes.base_url("openai"))
    kit.configure(headers={"lab": {"X-Token": value, "Authorization": f"Bearer {fakes.key}"}})
    try:
        (row,) = run(kit, "hi", "lab:gpt-6-luna")
    finally:
        kit.close()

    assert row.error is None
    assert fakes.asked["openai"][0].headers["x-token"] == value


def test_no_value_of_a_header_is_shown(fakes, value, tmp_path, caplog):
    """Not in settings, runs, files, logs and errors, although the server repeats it."""
    echo = Reply(400, (f'{{"error": {{"message": "bad {value}", "code": "{value}"}}}}'.encode(),))
    kit = kit_for(fakes, headers={"openai": {"X-Token": value}})
    with caplog.at_level(logging.DEBUG):
        fakes.always("openai", echo)
        with pytest.raises(CallError) as caught:
            kit.manager.run(kit.answer(*chat_arguments("hi", MODELS["openai"])))
        failed = run(kit, "hi", MODELS["openai"])
        fakes.always("openai", saying("openai", f"A river {value}"))
        answered = run(kit, "hi", MODELS["openai"])
        checked = kit.manager.run(kit.check("openai"))
    for number, one in enumerate((failed, answered)):
        one.to_json(tmp_path / f"{number}.json")
        one.to_csv(tmp_path / f"{number}.csv")
        one.to_html(tmp_path / f"{number}.html")
    settings = kit.configure(retries=1)
    kit.close()

    assert "'openai': {'X-Token': Secret(***)}" in repr(settings)
    assert "***" in str(caught.value)
    assert traces(value, settings, kit.registry, vars(kit.registry), checked, answered) == []
    assert traces(value, *told(caught.value), tmp_path, caplog.text) == []
    for attempt in (pickle.dumps, copy.deepcopy):
        with pytest.raises(TypeError, match="cannot be pickled"):
            attempt(settings)


@pytest.mark.parametrize("status", [301, 307, 308])
def test_a_redirect_gets_no_header(fakes, value, status):
    """It is not followed."""
    listener = Listener()
    with RawServer(listener) as elsewhere:
        kit = kit_for(fakes, headers={"openai": {"X-Token": value}})
        fakes.always("openai", Reply(status, (), {"location": f"{elsewhere.root}/v1"}))
        try:
            (row,) = run(kit, "hi", MODELS["openai"])
        finally:
            kit.close()

    assert row.error is not None
    assert elsewhere.came == 0


@pytest.mark.parametrize("provider", ["ollama", "openrouter"])
def test_no_header_crosses_the_network_in_clear_text(value, provider):
    """A chat, a check and a list refuse plain http, also without a key."""
    kit = Kit(
        environ={}, base_urls={provider: "http://gpu.lan:1"},
        headers={provider: {"X-Token": value}},
    )  # fmt: skip
    (row,) = run(kit, "hi", "ollama:llama3.2:1b") if provider == "ollama" else [None]
    checked = kit.manager.run(kit.check(provider))
    with pytest.raises(ConfigError, match=r"header of your own, would cross .* clear text"):
        kit.manager.run(kit.refresh(provider))
    kit.close()

    assert row is None or "clear text" in row.error
    assert provider == "openrouter" or "clear text" in checked.error


@pytest.mark.parametrize(
    ("headers", "words"),
    [
        ({"openai": {"X Token": "{}"}}, "a name must be a word of letters, digits and hyphens"),
        ({"openai": {"X-Token:": "{}"}}, "a name must be a word of letters, digits and hyphens"),
        ({"openai": {"": "{}"}}, "a name must be a word of letters, digits and hyphens"),
        ({"openai": {"Content-Length": "{}"}}, "llmkit sets Content-Length itself"),
        ({"openai": {"host": "{}"}}, "llmkit sets host itself"),
        ({"openai": {"transfer-encoding": "{}"}}, "llmkit sets transfer-encoding itself"),
        ({"openai": {"X-Token": "{}\r\nX-Other: 1"}}, "the value of X-Token must be printable"),
        ({"openai": {"X-Token": "{}\0"}}, "the value of X-Token must be printable"),
        ({"openai": {"X-Token": " {}"}}, "the value of X-Token must be printable"),
        ({"openai": {"X-Token": "{}ü"}}, "the value of X-Token must be printable"),
        ({"openai": {"X-Token": ""}}, "the value of X-Token must be printable"),
        ({"openai": {"X-Token": ["{}"]}}, "the value of 'X-Token' must be text"),
        ({"openai": {"X-Token": None}}, "the value of 'X-Token' must be text"),
        ({"openai": {"X-Token": "{}", "x-token": "{}"}}, "X-Token and x-token are the same"),
        ({"openai": {"X-T": "{}"}, "OpenAI": {"X-U": "{}"}}, "headers names openai twice"),
        ({"openai": "X-Token: {}"}, "must be a table for each provider"),
        ("X-Token: {}", "must be a table for each provider"),
        (["{}"], "must be a table for each provider"),
    ],
)
def test_a_header_that_cannot_be_sent_is_refused_without_its_value(value, headers, words):
    """One invalid header rejects the change, and the message names it."""
    kit = Kit(environ={})
    with pytest.raises(ConfigError, match=words) as caught:
        kit.configure(headers=filled(headers, value))

    assert traces(value, *told(caught.value)) == []
    assert len(str(caught.value)) < 480
    assert kit.settings.headers == {}


def filled(given, value):
    if isinstance(given, dict):
        return {name: filled(one, value) for name, one in given.items()}
    if isinstance(given, list):
        return [filled(one, value) for one in given]
    return given and given.replace("{}", value)


def test_headers_of_an_unknown_provider_are_refused():
    """A misspelt provider would go without its header."""
    kit = Kit(environ={})
    with pytest.raises(UnknownProviderError, match="did you mean openai"):
        kit.configure(headers={"opnai": OPENAI})

    kit.configure(headers={"claude": {"anthropic-beta": "context-1m"}})
    assert list(kit.settings.headers) == ["anthropic"]


def test_headers_may_come_with_the_file_that_adds_their_provider(tmp_path, value):
    """The new file counts for the new headers; a refused change leaves the old file."""
    file = tmp_path / "own.toml"
    file.write_text('[[providers]]\nname = "shed"\nbase_url = "https://shed.example/v1"\n')
    registry = Kit(environ={}).registry
    with pytest.raises(UnknownProviderError):
        registry.configure(catalogue_file=str(file), headers={"lab": {"X-T": value}})
    assert registry.settings.catalogue_file is None
    assert "shed" not in registry.provider_names()

    registry.configure(catalogue_file=str(file), headers={"shed": {"X-T": value}})

    assert registry.provider("shed").headers == {"X-T": Secret(value)}


def test_a_file_has_a_table_of_headers_for_each_provider(tmp_path, value):
    """[headers.NAME]; configure() replaces the table, and other changes keep it."""
    file = tmp_path / "config.toml"
    file.write_text(
        f'[headers.openai]\nOpenAI-Organization = "{value}"\n'
        '[headers.shed]\nX-T = "1"\n[headers.lab]\nX-T = "2"\n'
        '[providers.lab]\nbase_url = "https://lab.example/v1"\n'
    )
    (tmp_path / "catalogue.toml").write_text(
        '[[providers]]\nname = "shed"\nbase_url = "https://shed.example/v1"\n'
    )
    registry = Kit(environ={"LLMKIT_CONFIG": str(file)}).registry
    registry.configure(retries=0)

    assert registry.provider("openai").headers == {"OpenAI-Organization": Secret(value)}
    assert {name: registry.provider(name).headers["X-T"] for name in ("shed", "lab")} == {
        "shed": Secret("1"), "lab": Secret("2"),
    }  # fmt: skip
    assert registry.configure(headers={}).headers == {}
    assert registry.provider("openai").headers == {}


def test_a_free_server_with_a_header_counts_as_paid():
    """A gateway on this machine may pass the header's account on."""
    from llmkit.comparison.limits import is_paid

    paid = []
    for headers in ({}, {"lab": {"X-Token": "1"}}):
        kit = Kit(environ={}, providers={"lab": {"base_url": "http://127.0.0.1:1/v1"}},
                  headers=headers)  # fmt: skip
        request, options = chat_arguments("hi", "lab:m")
        paid.append(is_paid(kit.manager.run(kit.plan_row(request, options)).call))
        kit.close()

    assert paid == [False, True]
    assert set(PREFIXES) == set(ALL)
