"""Declares every setting with its default, and reads the values of the user.

The later source wins: default, TOML file, `LLMKIT_*` variable, `configure()`, argument of a call.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any, Literal

from .errors import ConfigError, shorten, shown
from .secret import Secret
from .text.words import KEY_WORDS

PREFIX = "LLMKIT_"
URL_SUFFIX = "_BASE_URL"
CONFIGURE = "configure()"
DEEPEST = 50  # brackets in a line of TOML
LIST_PRICES = ("official", "all")
_HOST = re.compile(r"[\w.-]+(?::\d+)?|\[[0-9a-f:.]+\](?::\d+)?|[0-9a-f]*:[0-9a-f:.]+")
# What Python and llama.cpp need in a child process; prefixes end in "_". API keys are not listed.
CHILD_VARIABLES = (
    "PATH", "HOME", "USER", "LOGNAME", "LANG", "LANGUAGE", "LC_", "TZ", "TMPDIR", "TEMP", "TMP",
    "XDG_", "LD_", "DYLD_", "VIRTUAL_ENV", "CONDA_PREFIX", "COVERAGE_PROCESS_CONFIG",
    "PYTHONPATH", "PYTHONHOME", "PYTHONUSERBASE", "PYTHONNOUSERSITE", "PYTHONUTF8",
    "PYTHONIOENCODING", "PYTHONDONTWRITEBYTECODE", "PYTHONPYCACHEPREFIX",
    "GGML_", "OMP_", "CUDA_", "HIP_", "ROCR_",
    # Windows
    "SYSTEMROOT", "SYSTEMDRIVE", "WINDIR", "COMSPEC", "PATHEXT", "USERPROFILE", "USERNAME",
    "APPDATA", "LOCALAPPDATA", "PROGRAMDATA", "PROGRAMFILES", "NUMBER_OF_PROCESSORS",
    "PROCESSOR_ARCHITECTURE",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Settings:
    """All settings; seconds end in `_s`, US dollars in `_usd`.

    Attributes:
        connect_timeout_s: Limit until a connection is made.
        first_byte_timeout_s: Limit until an answer begins; reasoning models take minutes.
        idle_timeout_s: Limit between two network reads of an answer.
        idle_content_timeout_s: Limit between two reads that contain text; pings do not count.
        deadline_s: Limit of a whole call, including retries. The argument `timeout` of a call
            replaces it, and the three limits before it.
        retries: Further attempts after the first, if no answer has begun.
        sign_in_attempts: Total attempts when a key is checked.
        sign_in_delay_s: Wait between those attempts, unless the server asks for another.
        sign_in_timeout_s: Limit of each of those attempts.
        check_at_load: Check all keys in the background when the notebook extension is loaded.
        keyring: Look for keys in the operating system's keyring, after the environment.
        limit_per_provider: Most concurrent requests to one provider. None starts with 8, and goes
            up to 64 while the provider accepts them; on your own machine it stays at 8, and at 1
            for the local model.
        max_pause_s: Longest pause that a provider may ask for and the rows of a comparison wait
            for. A longer one makes them error rows; 0 waits as `ask` does, for a minute at most.
        max_calls: Most paid requests of one comparison.
        max_cost_usd: Highest cost of one comparison, estimated before it starts and counted while
            it runs; None for no limit.
        list_prices: The servers whose answers have the makers' list prices: "official" for those on
            the internet, "all" for those on this machine and in private networks, too.
        idle_s: Time without use after which a session is stale.
        max_age_s: Age at which a session that is not in use is stale.
        telemetry_text: Include prompt and answer in events.
        opentelemetry: Export events if the program uses OpenTelemetry.
        progress_after_s: Time until a progress bar appears.
        trust_env_proxies: Use the proxies that the environment names.
        plain_http_hosts: Hosts of your own network to which keys are sent over plain http, such as
            `["192.168.1.5"]`; `host:port` means that port only.
        local_weights: A GGUF file that replaces the embedded model's weights.
        catalogue_file: Your own names, equivalents, fallbacks, prices and providers, as TOML; if
            not set, `catalogue.toml` beside the file of settings.
        cache_dir: Folder of the providers' own lists of models; if not set, the usual one.
        base_urls: Base URL by provider; `LLMKIT_<PROVIDER>_BASE_URL` overrides the file.
        providers: OpenAI-compatible servers of your own by name: base_url, key_var, and priced,
            which is False if its answers cost nothing.
        headers: Further headers of all requests to a provider, by its name, such as
            OpenAI-Organization. Their values are secrets: no output shows them.
    """

    connect_timeout_s: float | None = 10.0
    first_byte_timeout_s: float | None = 600.0
    idle_timeout_s: float | None = 300.0
    idle_content_timeout_s: float | None = 600.0
    deadline_s: float | None = 1800.0
    retries: int = 2
    sign_in_attempts: int = 3
    sign_in_delay_s: float = 2.0
    sign_in_timeout_s: float | None = 15.0
    check_at_load: bool = False
    keyring: bool = False
    limit_per_provider: int | None = None
    max_pause_s: float = 900.0
    max_calls: int = 100
    max_cost_usd: float | None = None
    list_prices: Literal["official", "all"] = "official"
    idle_s: float = 300.0
    max_age_s: float = 1800.0
    telemetry_text: bool = False
    opentelemetry: bool = True
    progress_after_s: float = 3.0
    trust_env_proxies: bool = False
    plain_http_hosts: tuple[str, ...] = ()
    local_weights: str | None = None
    catalogue_file: str | None = None
    cache_dir: str | None = None
    base_urls: Mapping[str, str] = field(default_factory=dict)
    providers: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    headers: Mapping[str, Mapping[str, Secret]] = field(default_factory=dict)


def load_settings(environ: Mapping[str, str], changes: Mapping[str, object]) -> Settings:
    """Returns the defaults, overridden by the TOML file, LLMKIT_* variables and *changes*.

    The file is LLMKIT_CONFIG, or `llmkit/config.toml` in XDG_CONFIG_HOME or ~/.config.

    Raises:
        ConfigError: The file cannot be read, or a name or a value is wrong; names the source.
    """
    path = config_path(environ)
    file = _from_file(path)
    names = {PREFIX + f.name.upper(): f.name for f in fields(Settings)}
    variables = [(v, {name: environ[v]}) for v, name in names.items() if v in environ]
    values: dict[str, Any] = {}
    for source, entries in ((str(path), file), *variables, (CONFIGURE, changes)):
        for name, value in entries.items():
            values[name] = _checked(name, value, source)
    return Settings(**values)


def config_path(environ: Mapping[str, str]) -> Path:
    """Returns the path of the settings file, which need not exist."""
    if environ.get("LLMKIT_CONFIG"):
        return Path(os.path.expanduser(environ["LLMKIT_CONFIG"]))
    home = environ.get("XDG_CONFIG_HOME") or "~/.config"
    return Path(os.path.expanduser(home)) / "llmkit" / "config.toml"


def proxies_for(settings: Settings, base_url: str) -> bool:
    """Returns True if requests to *base_url* use the environment's proxies.

    Plain http never does, because a proxy could read it.
    """
    return settings.trust_env_proxies and base_url.startswith("https://")


def child_environment(environ: Mapping[str, str], *more: str) -> dict[str, str]:
    """Returns the variables of *environ* that a child process needs; API keys are left out.

    *more* are the names of further variables, or prefixes that end in "_".
    """
    names = (*CHILD_VARIABLES, *more)
    prefixes = tuple(name for name in names if name.endswith("_"))
    return {
        name: value
        for name, value in environ.items()
        if name.upper() in names or name.upper().startswith(prefixes)
    }


def toml_tables(text: str) -> dict[str, Any]:
    """Returns the tables and keys of a TOML file.

    Raises:
        ValueError: *text* is not TOML; the message says where.
    """
    import tomllib  # imported only if there is a file

    try:
        return tomllib.loads(text)
    except RecursionError:
        lines = text.splitlines()
        deep = [n for n, line in enumerate(lines) if line.count("[") + line.count("{") > DEEPEST]
        place = f" of {shorten(lines[deep[0]], 30)} (at line {deep[0] + 1})" if deep else ""
        raise ValueError(f"the value{place} is nested too deeply") from None


def _from_file(path: Path) -> Mapping[str, object]:
    try:
        text = path.read_bytes().decode("utf-8-sig")
        if not text:  # LLMKIT_CONFIG=/dev/null means no file
            return {}
        return toml_tables(text)
    except (FileNotFoundError, NotADirectoryError):
        return {}
    except OSError as error:
        fault = (
            f"settings must be a readable file, got {str(error.strerror).lower()!r}; "
            "correct the file, or set LLMKIT_CONFIG to another one"
        )
    except ValueError as error:  # from the parser or the decoder
        fault = f"settings must be TOML in UTF-8; correct the file: {error}"
    raise ConfigError(f"{path}: {fault}")


def _checked(name: str, value: object, source: str) -> object:
    kinds = {f.name: str(f.type) for f in fields(Settings)}
    if name not in kinds:
        raise ConfigError(f"{source}: {_unknown(name, tuple(kinds))}")
    kind, _, none = kinds[name].partition(" | ")
    if value is None and none:
        return None
    parser, description = PARSERS[kind]
    try:
        return parser(value.tolist() if hasattr(value, "tolist") else value)  # of numpy
    except ConfigError as error:
        raise ConfigError(f"{source}: {name}: {error}") from None
    except (TypeError, ValueError, OverflowError):
        can_be_none = none and source == CONFIGURE  # a file or a variable cannot express None
        expected = f"{description} or None" if can_be_none else description
        raise ConfigError(f"{source}: {name} must be {expected}, got {shown(value)}") from None


def _unknown(name: str, names: tuple[str, ...]) -> str:
    if any(word in name.lower().split("_") for word in KEY_WORDS):
        return (
            f"{name!r} looks like an API key, and keys are not settings; set the provider's "
            "environment variable"
        )
    import difflib

    near = difflib.get_close_matches(name, names, n=3)
    hint = f"did you mean {' or '.join(near)}?" if near else f"known settings: {', '.join(names)}"
    return f"unknown setting {shown(name)}; {hint}"


def _float(value: object) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        raise TypeError
    number = float(value)
    if not 0 <= number < float("inf"):
        raise ValueError
    return number


def _int(value: object) -> int:
    number = _float(value)
    if number != int(number):
        raise ValueError
    return int(number)


def _bool(value: object) -> bool:
    if isinstance(value, bool):
        return value
    words = {"1": True, "true": True, "yes": True, "0": False, "false": False, "no": False}
    flag = words.get(str(value).strip().lower())
    if flag is None:
        raise ValueError
    return flag


def _str(value: object) -> str:
    if not isinstance(value, str) or "\0" in value:  # no path and no URL has this character
        raise TypeError
    return value


def _hosts(value: object) -> tuple[str, ...]:
    names = value.replace(",", " ").split() if isinstance(value, str) else value
    if not isinstance(names, list | tuple | set | frozenset):
        raise TypeError
    hosts = tuple(_str(name).strip().lower() for name in names)
    if wrong := next((host for host in hosts if not _HOST.fullmatch(host)), None):
        raise ConfigError(
            f"a host must be a name or an address without http://, got {shown(wrong)}"
        )
    return tuple(host[1:-1] if host.endswith("]") else host for host in hosts)


def _list_prices(value: object) -> str:
    if value not in LIST_PRICES:
        raise ValueError
    return str(value)


def _urls(value: object) -> Mapping[str, str]:
    if not isinstance(value, Mapping):
        raise TypeError
    return {_str(name): _str(url) for name, url in value.items()}


def _providers(value: object) -> Mapping[str, Mapping[str, Any]]:
    if not isinstance(value, Mapping):
        raise TypeError
    providers = {}
    for name, entry in value.items():
        if not _str(name).isidentifier():
            raise ConfigError(f"provider name must be letters, digits and _, got {shown(name)}")
        if not isinstance(entry, Mapping):
            raise TypeError
        if "base_url" not in entry or not entry.keys() <= {"base_url", "key_var", "priced"}:
            given = ", ".join(map(str, entry)) or "nothing"
            raise ConfigError(
                f"provider {name} must have base_url, may have key_var and priced, got {given}"
            )
        priced = entry.get("priced", True)
        if not isinstance(priced, bool):
            raise ConfigError(f"priced of {name} must be true or false, got {shown(priced)}")
        texts = {key: _str(text) for key, text in entry.items() if key != "priced"}
        providers[name] = texts if priced else {**texts, "priced": False}
    return providers


def _headers(value: object) -> Mapping[str, Mapping[str, Secret]]:
    # Messages contain no value: it may be a secret.
    if not isinstance(value, Mapping) or not all(isinstance(v, Mapping) for v in value.values()):
        raise ConfigError('must be a table for each provider: {"openai": {"NAME": "VALUE"}}')
    wrapped: dict[str, Mapping[str, Secret]] = {}
    for provider, headers in value.items():
        wrong = [name for name, one in headers.items() if not isinstance(one, str | Secret)]
        if wrong:
            raise ConfigError(f"the value of {shown(wrong[0])} must be text in quotes")
        wrapped[_str(provider)] = {
            _str(name): one if isinstance(one, Secret) else Secret(one)
            for name, one in headers.items()
        }
    return wrapped


# The parser of each type, and the description of its values for messages.
PARSERS: dict[str, tuple[Callable[[object], object], str]] = {
    "float": (_float, "a finite number >= 0"),
    "int": (_int, "an integer >= 0"),
    "bool": (_bool, "true or false"),
    "str": (_str, "text"),
    "tuple[str, ...]": (_hosts, "a list of hosts"),
    "Literal['official', 'all']": (_list_prices, "official or all"),
    "Mapping[str, str]": (_urls, "a table of base URLs by provider"),
    "Mapping[str, Mapping[str, Any]]": (_providers, "a table with a table for each provider"),
    "Mapping[str, Mapping[str, Secret]]": (_headers, "a table of headers for each provider"),
}
