"""The sources of keys."""

from __future__ import annotations

import sys
from types import ModuleType, SimpleNamespace

import pytest

from llmkit.authentication.status import unchecked
from llmkit.configuration.credentials import Credentials
from llmkit.configuration.key_stores import stores
from llmkit.errors import (
    AuthenticationError,
    ConfigError,
    MissingApiKeyError,
    PermissionDeniedError,
    UnknownProviderError,
)
from llmkit.kit import Kit
from llmkit.providers.base import with_origin
from llmkit.providers.builtin import PROVIDERS
from llmkit.providers.error_bodies import refused

OPENAI = PROVIDERS["openai"]()
GOOGLE = PROVIDERS["google"]()
KEY = "sk-credentials-Zk3vQ8mW1xTr6YpL"


class Shelf:
    """A store that counts its reads."""

    name = "shelf"

    def __init__(self, **keys):
        self.keys, self.asked = keys, 0

    def read(self, provider, key_vars):
        self.asked += 1
        return (self.keys[provider], "the shelf") if provider in self.keys else None


class Locked:
    """A store that cannot be opened."""

    name = "keyring"

    def read(self, provider, key_vars):
        raise ConfigError("does not open; unlock it")


def source(credentials, provider=OPENAI):
    return credentials.find(provider).source


def test_what_was_typed_wins_over_the_environment_and_that_over_a_store():
    """Each place is searched in its order, and `source` names the one with the key."""
    environ = {"OPENAI_API_KEY": KEY}
    shelf = Shelf(openai=KEY, google=KEY)
    credentials = Credentials(environ, {"anthropic": KEY}, stores=lambda: (shelf,))

    assert source(credentials) == "variable OPENAI_API_KEY"
    assert source(credentials, GOOGLE) == "shelf"
    assert source(credentials, PROVIDERS["anthropic"]()) == "argument"
    assert source(credentials, PROVIDERS["mistral"]()) == "none"
    credentials.type_in("openai", KEY)
    assert source(credentials) == "typed in"
    credentials.forget("openai")
    assert source(credentials) == "variable OPENAI_API_KEY"


def test_a_store_is_asked_once_until_it_is_wished_again():
    """A keyring may prompt the user: a grid of a hundred calls must not."""
    shelf = Shelf(openai=KEY)
    credentials = Credentials({}, stores=lambda: (shelf,))

    for _ in range(5):
        assert credentials.require(OPENAI).reveal() == KEY
    assert shelf.asked == 1
    shelf.keys["openai"] = KEY + "2"
    assert credentials.find(OPENAI, again=True).key.reveal() == KEY + "2"
    assert credentials.require(OPENAI).reveal() == KEY + "2"


def test_a_key_in_a_store_is_held_against_the_address_of_now():
    """The store is read once; whether its key may be sent is decided for each address."""
    hosts = []
    credentials = Credentials(
        {}, stores=lambda: (Shelf(ollama=KEY),), plain_http_hosts=lambda: tuple(hosts)
    )
    lan, cloud = (
        PROVIDERS["ollama"](url) for url in ("http://10.1.2.3:11434", "https://ollama.com")
    )

    assert (credentials.require(lan), credentials.find(lan).withheld) == (None, True)
    assert credentials.require(cloud).reveal() == KEY
    assert credentials.require(lan) is None
    hosts.append("10.1.2.3")
    assert credentials.require(lan).reveal() == KEY


def test_a_store_that_does_not_open_is_not_a_bad_key():
    """The error names the store and what to do; a variable is still used."""
    locked = Credentials({}, stores=lambda: (Locked(),))

    with pytest.raises(ConfigError, match=r"key for openai \(keyring\) does not open; unlock it"):
        locked.require(OPENAI)
    assert Credentials({"OPENAI_API_KEY": KEY}, stores=lambda: (Locked(),)).require(OPENAI)


@pytest.mark.parametrize(
    ("raw", "problem"),
    [
        (f"\n {KEY}\r\n", ""),
        (f"“{KEY}”", ""),
        (f"'{KEY}'", ""),
        (KEY[:5] + "\u200b\ufeff" + KEY[5:] + "\u00ad", ""),
        (f"\u061c{KEY}\U000e0041\u3164\ufe0f", ""),
        ("two words", "contains a space or a line break"),
        ("sk-one\nsk-two", "contains a space or a line break"),
        ("sk-schlüssel", "contains control or non-ASCII characters"),
        ("sk-\x07bell", "contains control or non-ASCII characters"),
        ("''", "is empty"),
        ("\u200b", "is empty"),
    ],
)
def test_a_pasted_key_is_cleaned_or_refused_before_any_request(raw, problem):
    """Quotes, line ends and invisible characters are removed; an invalid key is a ConfigError."""
    credentials = Credentials({"OPENAI_API_KEY": raw})
    found = credentials.find(OPENAI)

    if not problem:
        assert (found.key.reveal(), found.problem) == (KEY, "")
        return
    assert found.problem.startswith(problem)
    with pytest.raises(ConfigError) as caught:
        credentials.require(OPENAI)
    assert raw not in str(caught.value)


def test_an_empty_variable_is_not_a_key():
    """An empty variable is skipped."""
    credentials = Credentials({"GOOGLE_API_KEY": "  ", "GEMINI_API_KEY": KEY})

    assert source(credentials, GOOGLE) == "variable GEMINI_API_KEY"
    with pytest.raises(MissingApiKeyError, match="set OPENAI_API_KEY"):
        credentials.require(OPENAI)


def test_a_key_for_an_unknown_provider_is_refused():
    """A misspelled provider is an error: its key would never be used."""
    with pytest.raises(UnknownProviderError, match="unknown provider 'opnai'"):
        Kit(environ={}, keys={"opnai": KEY})
    kit = Kit(environ={})
    try:
        with pytest.raises(UnknownProviderError, match="known providers: openai"):
            kit.credentials.type_in("opnai", KEY)
    finally:
        kit.close()


def test_no_form_of_the_credentials_shows_a_key():
    """Neither their attributes nor their results have the key in their repr."""
    credentials = Credentials({}, {"openai": KEY})
    credentials.type_in("google", KEY)

    assert "Zk3vQ8mW" not in f"{vars(credentials)} {credentials.find(OPENAI)}"


def test_a_key_in_the_keyring_is_found_if_that_is_wished(monkeypatch):
    """The keyring is read only with the setting `keyring`."""
    kept = ModuleType("keyring")
    kept.get_password = lambda service, name: (
        KEY if (service, name) == ("llmkit", "openai") else None
    )
    kept.errors = ModuleType("keyring.errors")
    kept.errors.KeyringError = type("KeyringError", (Exception,), {})
    monkeypatch.setitem(sys.modules, "keyring", kept)
    monkeypatch.setitem(sys.modules, "keyring.errors", kept.errors)
    kit = Kit(environ={}, keyring=True)
    try:
        assert kit.credentials.find(OPENAI).source == "keyring"
        kit.configure(keyring=False)
        assert kit.credentials.find(OPENAI).source == "none"
    finally:
        kit.close()


def test_a_keyring_that_fails_says_so(monkeypatch):
    """On a machine without a backend the message names the alternatives."""
    kept, errors = ModuleType("keyring"), ModuleType("keyring.errors")
    errors.KeyringError = type("KeyringError", (Exception,), {})

    def failing(service, name):
        raise errors.KeyringError(f"no backend for {KEY}")

    kept.get_password, kept.errors = failing, errors
    monkeypatch.setitem(sys.modules, "keyring", kept)
    monkeypatch.setitem(sys.modules, "keyring.errors", errors)
    credentials = Credentials({}, stores=lambda: stores(keyring=True))

    assert credentials.find(OPENAI).problem == (
        "does not open (KeyringError); unlock it, or use an environment variable"
    )


def colab(monkeypatch, granted, locked=(), slow=()):
    """Makes this process a notebook of Colab with secrets; returns credentials that read them."""
    kinds = {
        name: type(name, (Exception,), {})
        for name in ("NotebookAccessError", "SecretNotFoundError", "TimeoutException")
    }

    def get(name):
        if name in granted:
            return granted[name]
        if name in locked:
            raise kinds["NotebookAccessError"](name)
        raise kinds["TimeoutException" if name in slow else "SecretNotFoundError"](name)

    monkeypatch.setitem(sys.modules, "google.colab", ModuleType("google.colab"))
    monkeypatch.setitem(sys.modules, "google.colab.userdata", SimpleNamespace(get=get, **kinds))
    return Credentials({}, stores=lambda: stores(keyring=False))


def test_colabs_secrets_are_found_under_the_variables_names(monkeypatch):
    """On Colab a secret of the side bar is a key, unless the notebook has no access."""
    credentials = colab(
        monkeypatch, {"GEMINI_API_KEY": KEY}, ["GOOGLE_API_KEY"], ["MISTRAL_API_KEY"]
    )

    assert source(credentials, GOOGLE) == "Colab"
    assert credentials.require(GOOGLE).place == "Colab's secret GEMINI_API_KEY"
    assert source(credentials) == "none"
    assert "Colab's own page" in credentials.find(PROVIDERS["mistral"]()).problem


def test_a_secret_that_colab_does_not_grant_is_named_with_its_switch(monkeypatch):
    """The key exists: the user has to grant access, not to set a variable."""
    granted = {}
    credentials = colab(monkeypatch, granted, ["OPENAI_API_KEY", "GOOGLE_API_KEY"])
    with pytest.raises(ConfigError) as caught:
        credentials.require(OPENAI)
    status = unchecked(GOOGLE, credentials.find(GOOGLE))

    assert str(caught.value) == (
        "the key for openai (Colab) is the secret OPENAI_API_KEY, which this notebook may not "
        'read: open Secrets (the key in the side bar), switch on "Notebook access" beside it, '
        'then run llmkit.check("openai")'
    )
    assert (str(status.state), "Notebook access" in status.advice) == ("no_key", True)
    granted["OPENAI_API_KEY"] = KEY
    assert credentials.find(OPENAI, again=True).key.reveal() == KEY
    assert credentials.require(OPENAI).reveal() == KEY


GOOD, OTHER = "AIzaGoodKeyYy0yYy1yYy2yYy3yYy4yYy", "AIzaOtherKeyXx0xXx1xXx2xXx3xXx4xX"
RIVAL = "GEMINI_API_KEY holds another key, which is not used"


@pytest.mark.parametrize(
    ("environ", "given", "place", "rival"),
    [
        ({"GOOGLE_API_KEY": OTHER, "GEMINI_API_KEY": GOOD}, None, "GOOGLE_API_KEY", RIVAL),
        ({"GOOGLE_API_KEY": GOOD, "GEMINI_API_KEY": f" '{GOOD}'"}, None, "GOOGLE_API_KEY", ""),
        ({"GEMINI_API_KEY": GOOD}, None, "GEMINI_API_KEY", ""),
        ({"GOOGLE_API_KEY": "", "GEMINI_API_KEY": GOOD}, None, "GEMINI_API_KEY", ""),
        ({"GEMINI_API_KEY": GOOD}, OTHER, "the key that was passed in keys=", RIVAL),
        ({"GEMINI_API_KEY": GOOD}, GOOD, "the key that was passed in keys=", ""),
    ],
)
def test_a_refused_key_is_named_by_its_place_and_no_other(environ, given, place, rival):
    """Another key of the provider is mentioned as what it is: not used."""
    key = Credentials(environ, given and {"google": given}).require(GOOGLE)
    for kind in (AuthenticationError, PermissionDeniedError):
        error = refused(GOOGLE, 403, "API key not valid", kind=kind)
        with_origin(error, provider="google", model="", key=key)

        named = rival or kind is AuthenticationError
        ending = f"check {place}" + (f"; {rival}" if rival else "")
        assert str(error).endswith(ending if named else "or use another model or key")
        assert "GOOGLE_API_KEY or GEMINI_API_KEY" not in str(error)


def test_a_key_goes_to_one_place_only():
    """The variable of a built-in provider cannot be the key of another server."""
    kit = Kit(environ={"OPENAI_API_KEY": KEY})
    try:
        with pytest.raises(ConfigError, match="OPENAI_API_KEY holds the key of openai"):
            kit.add_provider("lab", "https://lab.example/v1", "OPENAI_API_KEY")
        assert "lab" not in kit.registry.provider_names()
    finally:
        kit.close()
