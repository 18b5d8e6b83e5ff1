"""The sources of settings."""

from __future__ import annotations

import json
import os
import re

import numpy as np
import pytest

from llmkit.authentication.status import unchecked
from llmkit.configuration.registry import ProviderRegistry
from llmkit.errors import ConfigError
from llmkit.kit import Kit
from llmkit.settings import Settings, config_path, load_settings, proxies_for
from llmkit.wire.base_urls import is_loopback, may_send_key, private_host, refuse_plain_http


def test_nothing_set_is_the_defaults(tmp_path):
    """Without variables, file and configure() the defaults hold."""
    assert load_settings({"XDG_CONFIG_HOME": str(tmp_path)}, {}) == Settings()


def test_a_scalar_of_numpy_is_a_value():
    """It becomes a number of Python."""
    found = load_settings({}, {"max_calls": np.int64(5), "idle_s": np.float64(30)})

    assert (found.max_calls, found.idle_s) == (5, 30.0)
    assert (type(found.max_calls), type(found.idle_s)) == (int, float)


def test_later_wins(tmp_path):
    """A variable overrides the file, and configure() overrides a variable."""
    file = tmp_path / "config.toml"
    file.write_text("retries = 4\nidle_s = 20\nmax_calls = 5\n")
    environ = {"LLMKIT_CONFIG": str(file), "LLMKIT_RETRIES": "3", "LLMKIT_IDLE_S": "40"}

    settings = load_settings(environ, {"idle_s": 30})

    assert (settings.retries, settings.idle_s, settings.max_calls) == (3, 30.0, 5)


def test_the_file_is_where_the_desktop_keeps_such_files(tmp_path):
    """Without LLMKIT_CONFIG it is below XDG_CONFIG_HOME."""
    assert config_path({"XDG_CONFIG_HOME": str(tmp_path)}) == tmp_path / "llmkit" / "config.toml"


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"retires": 1}, "unknown setting 'retires'; did you mean retries?"),
        ({"zzz": 1}, "unknown setting 'zzz'; known settings: connect_timeout_s, "),
        (
            {"openai_api_key": "x"},
            "'openai_api_key' looks like an API key, and keys are not set",
        ),
        ({"retries": 1.5}, "retries must be an integer >= 0, got 1.5"),
        ({"retries": -1}, "retries must be an integer >= 0, got -1"),
        ({"retries": None}, "retries must be an integer >= 0, got None"),
        ({"idle_s": "long"}, "idle_s must be a finite number >= 0, got 'long'"),
        ({"deadline_s": True}, "deadline_s must be a finite number >= 0 or None, got True"),
        ({"trust_env_proxies": "maybe"}, "trust_env_proxies must be true or false, got 'maybe'"),
        ({"cache_dir": 3}, "cache_dir must be text or None, got 3"),
        ({"list_prices": "none"}, "list_prices must be official or all, got 'none'"),
        ({"base_urls": "http://x"}, "base_urls must be a table of base URLs by provider, got 'htt"),
        ({"providers": 3}, "providers must be a table with a table for each provider, got 3"),
        (
            {"providers": {"lab": {}}},
            "providers: provider lab must have base_url, may have key_var and priced, got nothing",
        ),
        (
            {"providers": {"lab": {"base_url": "http://127.0.0.1", "priced": "no"}}},
            "providers: priced of lab must be true or false, got 'no'",
        ),
        (
            {"providers": {"la b": {"base_url": "http://x"}}},
            "providers: provider name must be letters, digits and _, got 'la b'",
        ),
    ],
)
def test_a_wrong_setting_is_refused_in_a_sentence(changes, words):
    """The message names the source, the setting, the valid values and the given value."""
    with pytest.raises(ConfigError) as caught:
        load_settings({}, changes)

    assert str(caught.value).startswith(f"configure(): {words}")


def test_a_wrong_variable_is_named():
    """A user with many variables learns which one to correct."""
    with pytest.raises(ConfigError) as caught:
        load_settings({"LLMKIT_RETRIES": "some"}, {})

    assert str(caught.value) == "LLMKIT_RETRIES: retries must be an integer >= 0, got 'some'"


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"retires = 4\n", "unknown setting 'retires'; did you mean retries?"),
        (b"retries = 'x'\n", "retries must be an integer >= 0, got 'x'"),
        (
            b"retries = \n",
            "settings must be TOML in UTF-8; correct the file: Invalid value",
        ),
        (
            b"# caf\xe9\n",
            "settings must be TOML in UTF-8; correct the file: 'utf-8' codec",
        ),
    ],
)
def test_a_mistake_in_the_file_names_the_file_first(tmp_path, content, words):
    """An unknown key, a wrong type, broken TOML and another encoding."""
    file = tmp_path / "config.toml"
    file.write_bytes(content)

    with pytest.raises(ConfigError) as caught:
        load_settings({"LLMKIT_CONFIG": str(file)}, {})

    assert str(caught.value).startswith(f"{file}: {words}")


@pytest.mark.parametrize("value", ["[" * 10_000 + "]" * 10_000, f"0x{'f' * 6_000}", '"a\\u0000b"'])
def test_an_extreme_value_in_the_file_is_refused_in_a_short_sentence(tmp_path, value):
    """The message names the file and the setting, whatever Python can print of the value."""
    path = tmp_path / "config.toml"
    path.write_text(f"local_weights = {value}\n")

    with pytest.raises(ConfigError) as caught:
        load_settings({"LLMKIT_CONFIG": str(path)}, {})
    assert str(caught.value).startswith(f"{path}: ")
    assert "local_weights" in str(caught.value)
    assert len(str(caught.value)) < 400


def test_a_file_with_a_byte_order_mark_is_read(tmp_path):
    """Editors on Windows write one."""
    file = tmp_path / "config.toml"
    file.write_bytes(b"\xef\xbb\xbfretries = 4\n")

    assert load_settings({"LLMKIT_CONFIG": str(file)}, {}).retries == 4


def test_the_file_may_be_missing(tmp_path):
    """LLMKIT_CONFIG with the path of a missing file is a usual way to run without one."""
    assert load_settings({"XDG_CONFIG_HOME": os.devnull}, {}) == Settings()
    assert load_settings({"LLMKIT_CONFIG": os.devnull}, {}) == Settings()
    assert load_settings({"LLMKIT_CONFIG": str(tmp_path / "none.toml")}, {}) == Settings()


def test_a_directory_is_not_a_settings_file(tmp_path):
    """It exists and cannot be read, so it does not count as missing."""
    folder = tmp_path / "llmkit" / "config.toml"
    folder.mkdir(parents=True)

    with pytest.raises(ConfigError) as caught:
        load_settings({"XDG_CONFIG_HOME": str(tmp_path)}, {})

    assert str(caught.value).startswith(f"{folder}: settings must be a readable file, got ")


def test_a_file_that_cannot_be_read_is_refused(tmp_path):
    """Its settings would silently be ignored; a link to itself is unreadable for every user."""
    file = tmp_path / "config.toml"
    file.symlink_to(file)

    with pytest.raises(ConfigError, match="settings must be a readable file, got 'too many"):
        load_settings({"LLMKIT_CONFIG": str(file)}, {})


def test_a_setting_of_the_file_that_changed_holds_once_a_provider_is_added(tmp_path):
    """The file is read again then, and the telemetry follows the settings."""
    file = tmp_path / "config.toml"
    file.write_text("telemetry_text = true\n")
    kit = Kit(environ={"LLMKIT_CONFIG": str(file)})
    file.write_text("telemetry_text = false\n")
    kit.add_provider("lab", "http://127.0.0.1:1/v1")

    assert kit.settings.telemetry_text is False
    assert kit.manager.telemetry.with_text is False


@pytest.mark.parametrize(
    ("url", "host"),
    [
        ("http://127.0.0.1:8080/v1", "127.0.0.1"),
        ("http://[::1]:8080", "::1"),
        ("http://localhost/v1", "localhost"),
        ("https://10.1.2.3/v1", "10.1.2.3"),
        ("https://192.168.0.7/v1", "192.168.0.7"),
        ("https://100.64.0.9/v1", "100.64.0.9"),  # of a virtual private network
        ("https://[fd00::7]/v1", "fd00::7"),
        ("http://vllm:8000/v1", "vllm"),
        ("http://studio.local:1234/v1", "studio.local"),
        ("http://localhost.:1234/v1", "localhost"),
        ("http://127.1:8080/v1", "127.1"),
        ("https://gpu.tail1234.ts.net/v1", "gpu.tail1234.ts.net"),
        ("http://host.docker.internal:4000", "host.docker.internal"),
        ("https://api.openai.com/v1", None),
        ("https://1.1.1.1/v1", None),
        ("https://local.example.com/v1", None),
        ("", None),
    ],
)
def test_a_private_host_is_told_from_a_public_one(url, host):
    """Loopback, private networks, names without a domain, and names that no public server has."""
    assert private_host(url) == host


def test_base_urls_come_in_order(tmp_path):
    """configure(), our variable, the file, the provider's usual variable."""
    file = tmp_path / "config.toml"
    file.write_text('base_urls.openai = "http://table"\n')
    no_file = {"LLMKIT_CONFIG": str(tmp_path / "none.toml")}
    in_file = {"LLMKIT_CONFIG": str(file)}
    ours = {"LLMKIT_OPENAI_BASE_URL": "http://ours"}
    usual = {"OPENAI_BASE_URL": "http://usual"}

    def base_url(environ, **changes):
        return ProviderRegistry(environ, changes).provider("openai").base_url

    assert [
        base_url(in_file | ours | usual, base_urls={"openai": "http://given"}),
        base_url(in_file | ours | usual),
        base_url(in_file | {"LLMKIT_OPENAI_BASE_URL": " "} | usual),
        base_url(no_file | usual, base_urls={}),
        base_url(no_file),
    ] == [
        "http://given",
        "http://ours",
        "http://table",
        "http://usual",
        "https://api.openai.com/v1",
    ]


def test_a_variable_points_a_provider_elsewhere_than_the_file(tmp_path):
    """The same order holds for the providers themselves."""
    file = tmp_path / "config.toml"
    file.write_text('base_urls.openai = "http://127.0.0.1:1"\n')
    environ = {"LLMKIT_CONFIG": str(file), "OPENAI_BASE_URL": "http://127.0.0.1:2"}
    registry = ProviderRegistry(environ, {})
    from_file = registry.provider("openai").base_url
    environ["LLMKIT_OPENAI_BASE_URL"] = "http://127.0.0.1:3"
    from_variable = registry.provider("openai").base_url
    registry.configure(base_urls={"openai": "http://127.0.0.1:4"})

    assert (from_file, from_variable) == ("http://127.0.0.1:1", "http://127.0.0.1:3")
    assert registry.provider("openai").base_url == "http://127.0.0.1:4"


@pytest.mark.parametrize(
    "url", ["http://api.example.com/v1", "ftp://x", "api.example.com", "https://u:p@host/v1"]
)
def test_a_key_is_not_sent_in_clear_text(url):
    """Plain http to other machines, other schemes and URLs with passwords are refused."""
    with pytest.raises(ConfigError):
        refuse_plain_http(url, has_key=True)


@pytest.mark.parametrize("url", ["http://127.0.0.1:1/v1", "http://localhost", "http://[::1]:2"])
def test_this_machine_may_be_spoken_to_in_clear_text(url):
    """Loopback needs no TLS."""
    refuse_plain_http(url, has_key=True)


def test_plain_http_without_a_key_is_allowed():
    """A server in the local network may be used without a key."""
    refuse_plain_http("http://192.0.2.7:8080/v1", has_key=False)


LAB = {"base_url": "http://192.168.1.5:1234/v1", "key_var": "LAB_API_KEY"}
LAB_KEY = {"LAB_API_KEY": "sk-lab-Wq3nP8vT1xZk6LrY"}


def lab_key(registry):
    return registry.key_for(registry.provider("lab"))


def test_a_key_over_plain_http_is_refused_with_the_setting_that_allows_it():
    """The message is the call to make, and the call makes the next attempt work."""
    registry = ProviderRegistry(LAB_KEY, {})
    with pytest.raises(ConfigError) as caught:
        registry.configure(providers={"lab": LAB})
    call = re.search(r"llmkit\.configure\((\w+)=(\[.*\])\)", str(caught.value))
    registry.configure(**{call[1]: json.loads(call[2])})
    registry.configure(providers={"lab": LAB})

    assert call[1] == "plain_http_hosts"
    assert lab_key(registry).reveal() == LAB_KEY["LAB_API_KEY"]
    with pytest.raises(ConfigError, match="in clear text"):
        registry.configure(plain_http_hosts=[])


@pytest.mark.parametrize("hosts", [
    ["192.168.1.5"], ("192.168.1.5",), {"192.168.1.5:1234"}, "a, 192.168.1.5", "192.168.1.5 b",
])  # fmt: skip
def test_hosts_for_plain_http_are_a_list_or_a_text(hosts, tmp_path):
    """From code, a variable, or a file that also adds the server, in any order."""
    file = tmp_path / "config.toml"
    file.write_text(
        'plain_http_hosts = ["x", "y:1", "192.168.1.5"]\n[providers.lab]\n'
        'base_url = "http://192.168.1.5:1234"\nkey_var = "LAB_API_KEY"\n'
    )
    registries = [
        ProviderRegistry(LAB_KEY, {"providers": {"lab": LAB}, "plain_http_hosts": hosts}),
        ProviderRegistry({**LAB_KEY, "LLMKIT_CONFIG": str(file)}, {}),
    ]
    if isinstance(hosts, str):
        environ = {**LAB_KEY, "LLMKIT_PLAIN_HTTP_HOSTS": hosts}
        registries.append(ProviderRegistry(environ, {"providers": {"lab": LAB}}))

    assert {lab_key(registry).reveal() for registry in registries} == {LAB_KEY["LAB_API_KEY"]}


def test_a_host_is_allowed_and_no_other():
    """Neither another port, a longer name, nor a name that only ends so."""
    may = [may_send_key(f"http://{host}/v1", ("gpu-box", "10.0.0.7:8000", "fe80::1"))
           for host in ("gpu-box", "GPU-box:1", "10.0.0.7:8000", "[fe80::1]:80")]  # fmt: skip
    no = [may_send_key(f"http://{host}/v1", ("gpu-box", "10.0.0.7:8000"))
          for host in ("10.0.0.7", "10.0.0.7:80", "my-gpu-box", "gpu-box.example")]  # fmt: skip

    assert (set(may), set(no)) == ({True}, {False})


@pytest.mark.parametrize("wrong", ["http://gpu-box", "*", "10.0.0.0/8", "gpu-box/v1", 3, [3], None])
def test_a_host_that_is_none_is_refused(wrong):
    """Patterns and URLs would allow more, or nothing."""
    with pytest.raises(ConfigError, match="plain_http_hosts"):
        load_settings({}, {"plain_http_hosts": wrong})


def test_a_server_of_the_users_rows_may_be_allowed_too(tmp_path):
    """Its row is read after the settings."""
    (tmp_path / "catalogue.toml").write_text(
        '[[providers]]\nname = "lab"\nbase_url = "http://gpu-box:8000/v1"\n'
        'key_var = "LAB_API_KEY"\n'
    )
    environ = {**LAB_KEY, "LLMKIT_CONFIG": str(tmp_path / "config.toml")}
    with pytest.raises(ConfigError, match=r"catalogue.toml: providers: lab: base URL must begin"):
        ProviderRegistry(environ, {}).provider("lab")

    allowed = ProviderRegistry(environ, {"plain_http_hosts": ["gpu-box"]})
    assert lab_key(allowed).reveal() == LAB_KEY["LAB_API_KEY"]


@pytest.mark.parametrize("key", ["sk-ollama-Wq3nP8vT1xZk6LrY", "two words", "your-key", "Bearer x"])
def test_the_key_of_ollama_com_does_not_hide_ones_own_ollama(key):
    """It is not sent over plain http, so a server there works as without a key."""
    for host in ("gpu-box:11434", "127.0.0.1:11434", "localhost:11434"):
        environ = {"OLLAMA_API_KEY": key, "OLLAMA_HOST": f"http://{host}"}
        registry = ProviderRegistry(environ, {})
        provider = registry.provider("ollama")
        status = unchecked(provider, registry.credentials.find(provider))

        assert registry.key_for(provider) is None
        assert f"variable OLLAMA_API_KEY) is not sent to {host} over plain http" in status.advice
        assert key not in str(status)


def test_a_key_for_ones_own_ollama_is_sent_if_that_is_wished():
    """Over https, to a host that is allowed, or if it was passed for this kit."""
    key = "sk-ollama-Wq3nP8vT1xZk6LrY"
    places = [
        ({"OLLAMA_HOST": "https://ollama.com"}, {}, None),
        ({"OLLAMA_HOST": "http://gpu-box:11434"}, {"plain_http_hosts": ["gpu-box"]}, None),
        ({"OLLAMA_HOST": "http://127.0.0.1:8080"}, {"plain_http_hosts": "127.0.0.1:8080"}, None),
        ({"OLLAMA_HOST": "http://127.0.0.1:8080"}, {}, {"ollama": key}),
    ]
    for environ, changes, keys in places:
        registry = ProviderRegistry({"OLLAMA_API_KEY": key, **environ}, changes, keys)

        assert registry.key_for(registry.provider("ollama")).reveal() == key


def test_only_this_machine_is_loopback():
    """A name or an address that only begins like this machine's is another one."""
    here = ["localhost", "127.0.0.1", "127.3.2.1", "::1"]
    elsewhere = ["localhost.example.com", "127.0.0.1.example.com", "0.0.0.0", "10.0.0.1", "127.1"]

    assert [host for host in [*here, *elsewhere] if is_loopback(host)] == here


def test_proxies_carry_only_what_they_cannot_read():
    """With the setting a proxy is used for https and never for plain http."""
    settings = Settings(trust_env_proxies=True)

    assert proxies_for(settings, "https://api.example.com")
    assert not proxies_for(settings, "http://127.0.0.1:8080")
    assert not proxies_for(Settings(), "https://api.example.com")
