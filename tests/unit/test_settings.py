"""Where a setting comes from."""

from __future__ import annotations

import pytest

from llmkit.errors import ConfigError
from llmkit.settings import (
    Settings,
    base_url_for,
    config_path,
    is_loopback,
    load_settings,
    proxies_for,
    refuse_plain_http,
)


def test_nothing_set_is_the_defaults(tmp_path):
    """Without variables, file and changes the defaults hold."""
    assert load_settings({"XDG_CONFIG_HOME": str(tmp_path)}, {}) == Settings()


def test_later_wins(tmp_path):
    """The environment is beaten by the file, and the file by configure()."""
    file = tmp_path / "config.toml"
    file.write_text("retries = 4\nidle_s = 20\n")
    environ = {"LLMKIT_CONFIG": str(file), "LLMKIT_RETRIES": "3", "LLMKIT_MAX_CALLS": "7"}

    found = load_settings(environ, {"idle_s": 30})

    assert (found.retries, found.idle_s, found.max_calls) == (4, 30.0, 7)


def test_the_file_is_where_the_desktop_keeps_such_files(tmp_path):
    """Without LLMKIT_CONFIG it is below XDG_CONFIG_HOME."""
    assert config_path({"XDG_CONFIG_HOME": str(tmp_path)}) == tmp_path / "llmkit" / "config.toml"


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"retires": 1}, "did you mean retries"),
        ({"openai_api_key": "x"}, "keys are no settings"),
        ({"retries": 1.5}, "retries must be int"),
        ({"retries": -1}, "retries must be int"),
        ({"idle_s": "long"}, "idle_s must be float"),
        ({"trust_env_proxies": "maybe"}, "must be bool"),
        ({"base_urls": "http://x"}, "base_urls must be"),
        ({"providers": {"lab": {}}}, "needs base_url"),
        ({"providers": {"la b": {"base_url": "http://x"}}}, "no provider's name"),
    ],
)
def test_a_wrong_setting_is_refused_in_a_sentence(changes, words):
    """The sentence names the source, the setting and what would be right."""
    with pytest.raises(ConfigError, match=words):
        load_settings({}, changes)


def test_a_mistake_in_the_file_names_the_file(tmp_path):
    """Bad TOML and unknown names say in which file they are."""
    file = tmp_path / "config.toml"
    file.write_text("retires = 4\n")

    with pytest.raises(ConfigError, match=r"config\.toml: there is no setting 'retires'"):
        load_settings({"LLMKIT_CONFIG": str(file)}, {})
    file.write_text("retries = \n")
    with pytest.raises(ConfigError, match=r"config\.toml is not TOML"):
        load_settings({"LLMKIT_CONFIG": str(file)}, {})


def test_base_urls_come_in_order():
    """configure() wins over our variable, and that over the provider's own."""
    environ = {"LLMKIT_OPENAI_BASE_URL": "http://b", "OPENAI_BASE_URL": "http://c"}
    names = ("OPENAI_BASE_URL",)
    set_here = Settings(base_urls={"openai": "http://a"})

    assert base_url_for("openai", names, set_here, environ)[0] == "http://a"
    assert base_url_for("openai", names, Settings(), environ)[0] == "http://b"
    assert base_url_for("openai", names, Settings(), {"OPENAI_BASE_URL": "http://c"}) == (
        "http://c",
        "variable OPENAI_BASE_URL",
    )
    assert base_url_for("openai", names, Settings(), {}) == (None, "default")


@pytest.mark.parametrize(
    "url", ["http://api.example.com/v1", "ftp://x", "api.example.com", "https://u:p@host/v1"]
)
def test_a_key_is_not_sent_in_clear_text(url):
    """Plain http off this machine, other schemes and URLs with passwords are refused."""
    with pytest.raises(ConfigError):
        refuse_plain_http(url, has_key=True)


@pytest.mark.parametrize("url", ["http://127.0.0.1:1/v1", "http://localhost", "http://[::1]:2"])
def test_this_machine_may_be_spoken_to_in_clear_text(url):
    """Loopback needs no TLS."""
    refuse_plain_http(url, has_key=True)


def test_plain_http_without_a_key_is_allowed():
    """A server in the next room without a key may be asked."""
    refuse_plain_http("http://192.0.2.7:8080/v1", has_key=False)


def test_only_this_machine_is_loopback():
    """A name or an address that merely begins like this machine's is another one."""
    here = ["localhost", "127.0.0.1", "127.3.2.1", "::1"]
    elsewhere = ["localhost.example.com", "127.0.0.1.example.com", "0.0.0.0", "10.0.0.1", "127.1"]

    assert [host for host in [*here, *elsewhere] if is_loopback(host)] == here


def test_proxies_carry_only_what_they_cannot_read():
    """With the setting on, a proxy is used for https and never for plain http."""
    settings = Settings(trust_env_proxies=True)

    assert proxies_for(settings, "https://api.example.com")
    assert not proxies_for(settings, "http://127.0.0.1:8080")
    assert not proxies_for(Settings(), "https://api.example.com")
