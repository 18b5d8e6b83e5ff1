"""Reads the user's rows from the text of a TOML file.

    [[names]]                      # your name for one model, known or not
    name = "cheap"
    provider = "openai"
    id = "gpt-6-luna"

    [[equivalents]]                # comparable models: a new row, or a correction
    name = "gpt-3.5-turbo"
    mistral = "ministral-8b-latest"

    [[fallbacks]]                  # what to try first if a model cannot answer
    name = "openai:gpt-6-luna"
    then = ["mistral:mistral-small-latest", "local:smollm2"]

    [[prices]]                     # US dollars per million tokens
    provider = "lab"
    id = "my-model"
    input = 0.5
    output = 1.5

    [[providers]]                  # a server that speaks OpenAI's chat completions
    name = "lab"
    base_url = "https://lab.example.org/v1"
    key_var = "LAB_KEY"
    priced = false                 # its answers cost nothing

Optional keys: class, max_input, max_output, has, lacks, retires and successor in `names`, class in
`equivalents`, and cached (the price of cached input) in `prices`.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import date
from typing import Any, NamedTuple

from ..errors import ConfigError, shown
from ..fields import LARGEST
from ..settings import toml_tables
from ..types import Capability, Lifecycle
from ..wire.base_urls import full_url, refuse_plain_http
from .entry import ModelEntry, Price, normal
from .similarity import LEVELS, SPECIAL
from .user_rows import Place, UserRows

CLASSES = (*LEVELS, *SPECIAL)


class _Row(NamedTuple):
    """One row, and its place in the file, for error messages."""

    values: Mapping[str, Any]
    place: str


def user_rows(text: str, path: str, providers: Collection[str]) -> UserRows:
    """Returns the rows in *text*.

    Args:
        path: The file, for error messages.
        providers: The providers that exist without the file.

    Raises:
        ConfigError: A row is invalid; the message names the file, the row and the valid values.
    """
    try:
        tables = toml_tables(text)
    except ValueError as error:
        raise ConfigError(f"{path} is not TOML: {error}") from None
    extras = sorted(tables.keys() - SECTIONS)
    if extras:
        raise ConfigError(
            f"{path}: unknown table [[{extras[0]}]]; known tables: {', '.join(sorted(SECTIONS))}"
        )
    rows = {name: list(_rows(tables, name, text, path)) for name in SECTIONS}
    own_providers = dict(map(_provider, rows["providers"]))
    provider_names = [*providers, *own_providers]
    for row in (*rows["names"], *rows["prices"]):
        _known(row, "provider", _text(row, "provider"), provider_names)
    for row in rows["equivalents"]:
        for name in row.values.keys() - {"name", "class"}:
            _known(row, "each key but name and class", name, provider_names)
    for row in rows["fallbacks"]:
        _known(row, "the provider of name", _text(row, "name").partition(":")[0], provider_names)
    return UserRows(
        names=dict(map(_name, rows["names"])),
        models=tuple(map(_model, rows["names"])),
        equivalents=dict(map(_equivalent, rows["equivalents"])),
        kinds={
            _text(row, "name"): _one_of(row, "class", CLASSES)
            for row in rows["equivalents"]
            if "class" in row.values
        },
        fallbacks=dict(map(_fallback, rows["fallbacks"])),
        prices=dict(map(_price, rows["prices"])),
        providers=own_providers,
    )


def _rows(tables: Mapping[str, Any], section: str, text: str, path: str) -> Iterator[_Row]:
    entries = tables.get(section, [])
    if not isinstance(entries, list):
        raise ConfigError(f"{path}: {section} must be a list; begin each row with [[{section}]]")
    header = re.compile(rf"^\s*\[\[\s*{section}\s*\]\]")
    lines = [n for n, line in enumerate(text.splitlines(), 1) if header.match(line)]
    for number, values in enumerate(entries, 1):
        at = f", line {lines[number - 1]}" if len(lines) == len(entries) else ""
        row = _Row(values, f"{path}, row {number} of [[{section}]]{at}")
        if not isinstance(values, Mapping):
            raise ConfigError(f"{row.place}: must be a table, not {shown(values)}")
        keys = SECTIONS[section]
        stray = sorted(values.keys() - keys) if keys else []
        if stray:
            raise ConfigError(
                f"{row.place}: unknown key {shown(stray[0])}; known keys: {', '.join(sorted(keys))}"
            )
        yield row


def _name(row: _Row) -> tuple[str, tuple[str, str]]:
    return normal(_text(row, "name")), (_text(row, "provider"), _text(row, "id"))


def _model(row: _Row) -> ModelEntry:
    successor = _text(row, "successor") if "successor" in row.values else None
    return ModelEntry(
        _text(row, "provider"), _text(row, "id"), Lifecycle.ACTIVE,
        kind=_one_of(row, "class", CLASSES) if "class" in row.values else None,
        retires=_day(row, "retires"),
        successors=(successor,) if successor else (),
        max_input=_count(row, "max_input"),
        max_output=_count(row, "max_output"),
        capabilities=_capabilities(row, "has"),
        lacks=_capabilities(row, "lacks"),
        source=row.place,
    )  # fmt: skip


def _equivalent(row: _Row) -> tuple[str, Mapping[str, tuple[str, ...]]]:
    peers = {p: _texts(row, p) for p in row.values if p not in ("name", "class")}
    if not peers:
        raise ConfigError(f'{row.place}: names no provider; write e.g. mistral = "an id there"')
    return _text(row, "name"), peers


def _fallback(row: _Row) -> tuple[Place, tuple[str, ...]]:
    provider, colon, name = _text(row, "name").partition(":")
    if not colon or not name:
        raise ConfigError(f'{row.place}: name must be "provider:id", not {shown(provider)}')
    return (provider, normal(name)), _texts(row, "then")


def _price(row: _Row) -> tuple[Place, Price]:
    cached_price = _number(row, "cached") if "cached" in row.values else None
    place = _text(row, "provider"), normal(_text(row, "id"))
    return place, Price(_number(row, "input"), _number(row, "output"), cached_price, row.place)


def _provider(row: _Row) -> tuple[str, Mapping[str, Any]]:
    entry: dict[str, Any] = {k: _text(row, k) for k in ("base_url", "key_var") if k in row.values}
    name, url = _text(row, "name"), _text(row, "base_url")
    if not name.isidentifier():
        raise ConfigError(f"{row.place}: name may have letters, digits and _, not {shown(name)}")
    try:
        # The registry knows the hosts that may get a key.
        refuse_plain_http(full_url(url), has_key=False)
    except ConfigError as error:
        raise ConfigError(f"{row.place}: {error}") from None
    priced = row.values.get("priced", True)
    if not isinstance(priced, bool):
        raise _invalid(row, "priced", "true or false")
    return name, entry if priced else {**entry, "priced": False}


def _text(row: _Row, key: str) -> str:
    value = row.values.get(key)
    if not isinstance(value, str) or not value.strip():
        raise _invalid(row, key, "text")
    return value.strip()


def _texts(row: _Row, key: str) -> tuple[str, ...]:
    value = row.values.get(key)
    texts = [value] if isinstance(value, str) else value
    if not isinstance(texts, list) or not texts or not all(isinstance(v, str) for v in texts):
        raise _invalid(row, key, "a name or a list of names")
    return tuple(texts)


def _number(row: _Row, key: str) -> float:
    value = row.values.get(key)
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value < 1e9:
        raise _invalid(row, key, "a number >= 0")
    return float(value)


def _count(row: _Row, key: str) -> int | None:
    value = row.values.get(key)
    if value is not None and (type(value) is not int or not 1 <= value <= LARGEST):
        raise _invalid(row, key, "an integer >= 1 and < 2**63")
    return value


def _day(row: _Row, key: str) -> date | None:
    value = row.values.get(key)
    if value is not None and type(value) is not date:
        raise _invalid(row, key, "a date such as 2027-01-31")
    return value


def _capabilities(row: _Row, key: str) -> frozenset[Capability]:
    names = _texts(row, key) if key in row.values else ()
    return frozenset(Capability(_known(row, key, name, list(Capability))) for name in names)


def _one_of(row: _Row, key: str, choices: Sequence[str]) -> str:
    return _known(row, key, _text(row, key), choices)


def _known(row: _Row, key: str, value: str, choices: Sequence[str]) -> str:
    if value not in choices:
        raise ConfigError(
            f"{row.place}: {key} must be one of {', '.join(choices)}, not {shown(value)}"
        )
    return value


def _invalid(row: _Row, key: str, what: str) -> ConfigError:
    value = row.values.get(key)
    problem = "is missing" if value is None else f"must be {what}, not {shown(value)}"
    return ConfigError(f"{row.place}: {key} {problem}")


SECTIONS: Mapping[str, frozenset[str]] = {
    "names": frozenset({
        "name", "provider", "id", "class", "max_input", "max_output", "has", "lacks", "retires",
        "successor",
    }),
    "equivalents": frozenset(),  # any provider's name is a key
    "fallbacks": frozenset({"name", "then"}),
    "prices": frozenset({"provider", "id", "input", "output", "cached"}),
    "providers": frozenset({"name", "base_url", "key_var", "priced"}),
}  # fmt: skip
