"""A key is sent only to its provider (S1, S4, S5)."""

from __future__ import annotations

import os
import subprocess
import sys
from urllib.parse import unquote

import pytest

from llmkit.chat.arguments import chat_arguments
from llmkit.errors import CallError, ConfigError
from llmkit.kit import Kit
from llmkit.providers.base import path_segment
from tests.fakes.raw import RawServer, read_request
from tests.fakes.reply import Reply
from tests.fakes.server import PREFIXES

from .canary import traces
from .test_sinks import KEY_VARS, MODELS

ALL = sorted(MODELS)


class Listener:
    """Another party's server: records what it receives, and sends empty answers."""

    def __init__(self):
        self.heard = []

    def __call__(self, connection):
        self.heard.append(read_request(connection))


def kit_for(fakes, **changes):
    urls = {f"LLMKIT_{name.upper()}_BASE_URL": fakes.base_url(name) for name in PREFIXES}
    return Kit(
        environ={**urls, **dict.fromkeys(KEY_VARS.values(), fakes.key)},
        retries=0, sign_in_delay_s=0.0, **changes,
    )  # fmt: skip


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
@pytest.mark.parametrize("provider", ALL)
def test_no_redirect_is_followed(fakes, provider, status):
    """Neither a prompt nor a check follows the redirect; the error names it."""
    listener = Listener()
    with RawServer(listener) as elsewhere:
        kit = kit_for(fakes)
        fakes.always(provider, Reply(status, (), {"location": f"{elsewhere.root}/v1/models"}))
        request, options = chat_arguments("hi", MODELS[provider])
        try:
            with pytest.raises(CallError, match="redirect"):
                kit.manager.run(kit.answer(request, options))
            checked = kit.manager.run(kit.check(provider))
        finally:
            kit.close()

    assert elsewhere.came == 0
    assert not checked.ready


def test_no_proxy_of_the_environment_hears_a_key(fakes, monkeypatch):
    """Proxies are used only if set, and never for plain http."""
    listener = Listener()
    with RawServer(listener) as proxy:
        for name in ("HTTP_PROXY", "http_proxy", "HTTPS_PROXY", "https_proxy", "ALL_PROXY"):
            monkeypatch.setenv(name, proxy.root)
        monkeypatch.delenv("NO_PROXY", raising=False)
        monkeypatch.delenv("no_proxy", raising=False)
        for wished in (False, True):
            kit = kit_for(fakes, trust_env_proxies=wished)
            try:
                states = kit.manager.run(kit.check_all())
                request, options = chat_arguments("hi", MODELS["openai"])
                kit.manager.run(kit.answer(request, options))
            finally:
                kit.close()
            assert all(s.ready for s in states if s.provider in PREFIXES)

    assert listener.heard == []


def test_each_key_is_sent_to_its_own_provider_only(fakes):
    """With six keys and six providers no request contains another provider's key."""
    # Not a word: what looks like a piece of a key is masked for the rest of the process.
    keys = {name: f"sk-own-{n}Vx8Lq2Rt5Zn7Wk3B" for n, name in enumerate(KEY_VARS)}
    urls = {f"LLMKIT_{name.upper()}_BASE_URL": fakes.base_url(name) for name in PREFIXES}
    kit = Kit(environ={**urls, **{KEY_VARS[n]: k for n, k in keys.items()}}, retries=0)
    try:
        kit.manager.run(kit.check_all())
    finally:
        kit.close()

    for name in PREFIXES:
        (asked,) = fakes.asked[name]
        said = f"{asked.path} {asked.query} {dict(asked.headers)} {asked.body}"
        assert {owner for owner, key in keys.items() if key in said} == {name} & keys.keys()
        assert "key=" not in asked.query


@pytest.mark.parametrize("provider", ALL)
def test_no_cookie_is_kept(fakes, provider):
    """A cookie of a server is not sent back with the next request."""
    fakes.answer(provider, Reply(404, (b"{}",), {"set-cookie": "id=1; Path=/"}))
    kit = kit_for(fakes)
    try:
        for _ in range(2):
            kit.manager.run(kit.check(provider))
    finally:
        kit.close()

    assert all("cookie" not in asked.headers for asked in fakes.asked[provider])


def test_no_file_next_to_the_notebook_is_read(tmp_path):
    """A .env, a config.toml or a .netrc of a received folder has no effect."""
    (tmp_path / ".env").write_text("OPENAI_API_KEY=sk-x\nOPENAI_BASE_URL=http://evil.invalid\n")
    (tmp_path / "config.toml").write_text("retries = 9\n")
    (tmp_path / "llmkit").mkdir()
    (tmp_path / "llmkit" / "config.toml").write_text("retries = 9\n")
    (tmp_path / ".netrc").write_text("default login a password b\n")
    code = (
        "from llmkit.kit import Kit; k = Kit(); p = k.registry.provider('openai')\n"
        "print(k.credentials.find(p).source, p.base_url, k.settings.retries); k.close()"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=True,
        env={**os.environ, "PYTHONPATH": os.getcwd(), "HOME": str(tmp_path / "home")},
    )  # fmt: skip

    assert done.stdout.split() == ["none", "https://api.openai.com/v1", "2"]


@pytest.mark.parametrize(
    "name",
    [
        "../../v1/files",
        "a/b",
        "a?key=x",
        "a#b",
        "a b",
        "a%2fb",
        "..",
        "",
        "a\nb",
        "a\\b",
        "ä",
        "{x}",
    ],
)
def test_no_model_name_leads_to_another_address(name):
    """An invalid model id is refused before it becomes part of a URL."""
    with pytest.raises(ConfigError, match="is not valid in a URL"):
        path_segment(name)


@pytest.mark.parametrize("name", ["gemini-3.5-flash", "gemma:2b", "a.b_c~d@e+f", "models-1"])
def test_an_ordinary_name_stands_in_the_path(name):
    """The decoded name is the same."""
    assert unquote(path_segment(name)) == name
    assert "/" not in path_segment(name)


def test_the_search_would_find_a_key_that_a_listener_hears(fakes):
    """The key is sent, in the header of its provider."""
    kit = kit_for(fakes)
    try:
        kit.manager.run(kit.check("openai"))
    finally:
        kit.close()

    assert traces(fakes.key, fakes.asked["openai"][0].headers["authorization"]) != []
