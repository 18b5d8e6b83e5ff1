"""Damages each field of the files that llmkit reads, and shows what is still accepted.

`python -m tests.mutations` damages all, and prints how many are shown or refused.
"""

from __future__ import annotations

import json
import logging
import re
import sys
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

from llmkit.catalogue.entry import Model
from llmkit.catalogue.listing import lines
from llmkit.catalogue.provider_lists import ProviderModelList
from llmkit.comparison.result import Comparison, load
from llmkit.configuration.model_list_cache import ModelListCache
from llmkit.errors import ConfigError
from llmkit.kit import Kit
from llmkit.reports import Models
from llmkit.types import Capability, Completion, Lifecycle, Status, ToolCall
from llmkit.views.answers.card import card_of
from llmkit.views.plots.aggregates import MEASURES, aggregate_text, ends, facets, grouped
from tests.unit.rows import answer, plain, row

Place = tuple[str | int, ...]
DEEP, HEX = "\x00deep", "\x00hex"  # become text that Python's own writers cannot write
LEVELS, DIGITS = 10_000, 6_000
DELETED = object()
HOME = "https://api.openai.com/v1"
VALUES: dict[str, Any] = {
    "deleted": DELETED, "null": None, "text": "x", "empty text": "", "zero": 0, "minus": -1,
    "true": True, "half": 1.5, "tiny": 5e-324, "huge": 1e308, "nan": float("nan"),
    "infinite": float("inf"), "wide": 10**25, "63 bits": 2**63 - 1, "4,200 digits": 10**4200,
    "list": [], "object": {}, "lists": [[1], {"a": [2]}], "deep": DEEP,
    "half an emoji": "\ud83d", "control characters": "a\0b\x1b[2J", "long text": "word " * 20_000,
    "no time": "2026-13-45T25:00:00Z", "no zone": "2026-11-24T12:00:00",
    "first day": "0001-01-01T00:00:00+00:00", "last day": "9999-12-31T23:59:59+00:00",
}  # fmt: skip
TOML_VALUES = {name: value for name, value in VALUES.items() if value is not None} | {
    "hexadecimal": HEX, "a day": date(1, 1, 1), "another day": date(9999, 12, 31),
    "a time": datetime(2027, 1, 1, tzinfo=UTC), "no URL": "https://[::1", "stranger": "~stranger/x",
}  # fmt: skip
SETTINGS: dict[str, Any] = {
    "connect_timeout_s": 5.0, "deadline_s": 20.0, "retries": 1, "check_at_load": False,
    "max_cost_usd": 1.0, "local_weights": "x.gguf", "cache_dir": "cache",
    "base_urls": {"openai": "http://127.0.0.1:9/v1"},
    "providers": {"lab": {"base_url": "https://lab.example/v1", "key_var": "LAB_KEY"}},
}  # fmt: skip
CATALOGUE: dict[str, Any] = {
    "names": [{
        "name": "cheap", "provider": "openai", "id": "gpt-6-luna", "class": "small",
        "max_input": 9000, "max_output": 900, "has": ["tools"], "lacks": ["vision"],
        "retires": date(2027, 1, 31), "successor": "gpt-6-luna",
    }],
    "equivalents": [{"name": "gpt-3.5-turbo", "class": "small", "openai": ["gpt-6-luna"]}],
    "fallbacks": [{"name": "openai:gpt-6-luna", "then": ["local:smollm2"]}],
    "prices": [{"provider": "openai", "id": "m", "input": 0.5, "output": 1.5, "cached": 0.1}],
    "providers": [{"name": "lab", "base_url": "https://lab.example/v1", "key_var": "LAB_KEY"}],
}  # fmt: skip
LIST = ProviderModelList("openai", HOME, datetime.now(UTC), (
    Model("openai", "m-1", "M", Lifecycle.DEPRECATED, date(2027, 1, 31), "m-2", 1, 2,
          frozenset({Capability.TOOLS}), frozenset({Capability.VISION}), ("m-latest",)),
))  # fmt: skip


@dataclass(frozen=True)
class File:
    """One kind of file: its document, how it is written and read, and how its content is shown.

    Attributes:
        read: Returns None if the file is ignored.
    """

    document: dict[str, Any]
    write: Callable[[Any], str]
    read: Callable[[Path], Any]
    show: Callable[[Any, Path], None]
    path: Path
    values: dict[str, Any] = field(default_factory=lambda: VALUES)


@dataclass
class Outcome:
    """The number of damaged files by what became of them."""

    shown: int = 0
    refused: int = 0
    failures: list[str] = field(default_factory=list)

    def __str__(self) -> str:
        good = self.shown + self.refused
        return f"{good} of {good + len(self.failures)} ({self.shown} shown, {self.refused} refused)"


def files(folder: Path) -> dict[str, File]:
    """Returns the kinds of files, which are written in *folder*."""
    own = folder / "own.toml"
    ModelListCache(lambda: folder).write(LIST)
    (listing,) = (folder / "models").iterdir()
    return {
        "comparison": File(comparison(folder), json_text, load, show_run, folder / "run.json"),
        "settings": File(
            SETTINGS, toml_text, lambda path: kit(folder, path), show_kit, own,
            TOML_VALUES,
        ),
        "catalogue": File(
            CATALOGUE, toml_text, lambda path: kit(folder, catalogue_file=str(path)), show_kit, own,
            TOML_VALUES,
        ),
        "list": File(
            json.loads(listing.read_bytes()), json_text, lambda path: kit(folder), show_kit, listing
        ),
    }  # fmt: skip


def kit(folder: Path, config: Path | None = None, **settings: str) -> Kit:
    """Returns a kit that reads the files of *folder*, or raises ConfigError."""
    environ = {"LLMKIT_CONFIG": str(config or folder / "none.toml")}
    changes: Any = settings if config else {"cache_dir": str(folder), **settings}
    made = Kit(environ=environ, notify=lambda text: None, **changes)
    try:
        made.registry.snapshot()
    except BaseException:
        made.close()
        raise
    return made


def damage(file: File, folder: Path, step: int = 1) -> Outcome:
    """Damages each field of *file* in each way, shows the result, and counts.

    Args:
        step: Only each *step*-th damage is tried.
    """
    outcome = Outcome()
    all_places = [
        (place, *value) for place in places(file.document) for value in file.values.items()
    ]
    for place, name, value in all_places[::step]:
        try:
            file.path.write_text(file.write(changed(file.document, place, value)), "utf-8")
            content = file.read(file.path)
        except ConfigError as error:
            outcome.refused += 1
            if not names_the_field(str(error), file.path, place):
                outcome.failures.append(f"{name_of(place)} {name}: not named in: {error}")
            continue
        except Exception as error:  # any is a failure, and the next file is tried
            outcome.failures.append(f"{name_of(place)} {name}: {error!r} when it is read")
            continue
        try:
            file.show(content, folder)
            outcome.shown += 1
        except Exception as error:
            outcome.failures.append(f"{name_of(place)} {name}: {error!r} when it is shown")
    return outcome


def comparison(folder: Path) -> dict[str, Any]:
    """Returns what `to_json` writes for rows of every kind, the fullest one first."""
    calls = (ToolCall("weather", '{"city": "Genève"}', "c1"), ToolCall("clock"))
    point = {"temperature": 0.5, "max_tokens": 9, "seed": -1, "stop": ("\n",), "system": "Brief."}
    rows = [
        row(0, parameters=point, extra={"topic": "physics", "score": [1, {"a": 2.5}]},
            completion=answer(tool_calls=calls)),
        plain(1),
        plain(2, "claude-5", provider="anthropic", status=Status.LENGTH),
        plain(3, status=Status.FILTERED, text=""),
        plain(4, status=Status.TRUNCATED),
        replace(plain(5), completion=Completion(), error="busy", error_type="ServerError"),
        replace(plain(6), shared_with=1, prompt_id=("physics", 1)),
    ]  # fmt: skip
    about = {"run_id": "r1", "models": ["gpt-6-luna"], "parameters": {"temperature": [0.5]}}
    path = Comparison(rows, about, ["a note"]).to_json(folder / "whole.json")
    document: dict[str, Any] = json.loads(path.read_bytes())
    return document


def show_run(run: Comparison, folder: Path, *, figures: bool = False) -> None:
    """Shows *run* in every view, and writes it in every format.

    Figures and workbooks take most of the time, so they are made only with *figures*.
    """
    frame = run.frame()
    assert len(frame) == len(run)
    _ = str(frame), repr(run), str(run), run._repr_html_()
    frame.groupby(["provider", "prompt_id"], dropna=False, sort=False).size()
    for item in run.rows:
        json.dumps(card_of(item).plain()).encode()
        _ = str(item.completion), item.completion.output_tokens_per_s
    if len(run) > 1:
        repr(run.differences(run.rows[0].row, run.rows[1].row))
    for _, rows in facets(run.rows):
        groups = grouped(rows, substituted=True)
        aggregate_text(groups)
        for measure in MEASURES:
            ends(groups, measure)
    for kind in ("models", "cost", "grid") if figures else ():
        run.plot(kind, substituted=True)._repr_png_()
    if figures:
        run.to_excel(folder / "again.xlsx")
    run.to_csv(folder / "again.csv")
    run.to_html(folder / "again.html")
    run.to_parquet(folder / "again.parquet")
    assert len(load(run.to_json(folder / "again.json"))) == len(run)


def show_kit(made: Kit, folder: Path) -> None:
    """Shows the settings and the models of *made*, and resolves names with it."""
    repr(made.settings)
    now, _, catalogue = made.registry.snapshot()
    names = made.registry.provider_names()
    for words in ("cheap", "m-1", "gpt-3.5-turbo"):
        report = Models(
            lines(words, on=now.date(), catalogue=catalogue, every=True, providers=names)
        )
        report.frame()
        _ = str(report), report._repr_html_()
    for word in ("cheap", "gpt-3.5-turbo", "m-latest", "lab:x", "x"):
        try:
            made.registry.resolve(word)
        except ConfigError:
            pass
    made.registry.model_names("g")
    made.close()


def places(value: Any, path: Place = ()) -> Iterator[Place]:
    """Yields the path of each value within *value*, but only those in the first row."""
    for name, item in value.items() if isinstance(value, dict) else enumerate(value):
        place = (*path, name)
        if place[:1] == ("rows",) and len(place) > 1 and place[1] != 0:
            continue
        yield place
        if isinstance(item, dict | list):
            yield from places(item, place)


def changed(value: Any, path: Place, new: Any) -> Any:
    """Returns a copy of *value* with *new* at *path*."""
    if not path:
        return new
    copy = value.copy()
    if new is DELETED and len(path) == 1:
        del copy[path[0]]
    else:
        copy[path[0]] = changed(value[path[0]], path[1:], new)
    return copy


def json_text(document: Any) -> str:
    """Returns *document* as JSON."""
    return json.dumps(document).replace(json.dumps(DEEP), "[" * LEVELS + "]" * LEVELS)


def toml_text(document: Any) -> str:
    """Returns *document* as TOML, with a header for each row as the user writes it."""
    parts, rows = [], []
    for name, value in document.items():
        if isinstance(value, list) and value and all(isinstance(item, dict) for item in value):
            for item in value:
                keys = (f"{json.dumps(key)} = {_toml(entry)}" for key, entry in item.items())
                rows += [f"[[{name}]]", *keys]
        else:
            parts.append(f"{name} = {_toml(value)}")
    return "\n".join([*parts, *rows])


def _toml(value: Any) -> str:
    if value == DEEP:
        return "[" * LEVELS + "]" * LEVELS
    if value == HEX:
        return f"0x{'f' * DIGITS}"
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, list):
        return f"[{', '.join(map(_toml, value))}]"
    if isinstance(value, dict):
        return f"{{{', '.join(f'{name} = {_toml(item)}' for name, item in value.items())}}}"
    return {"NaN": "nan", "Infinity": "inf"}.get(text := json.dumps(value), text)


def name_of(place: Place) -> str:
    """Returns *place* as messages write it: `rows[0].completion.text`."""
    return "".join(f"[{p}]" if isinstance(p, int) else f".{p}" for p in place).lstrip(".")


def names_the_field(message: str, file: Path, place: Place) -> bool:
    """Returns True if *message* is short, begins with *file*, and names *place* or its line."""
    if len(message) > 500 or "\n" in message or not message.startswith(str(file)):
        return False
    rest = message.removeprefix(str(file))
    if file.suffix == ".toml":
        names = [name for name in place if isinstance(name, str)]
        return any(name in rest for name in names) or "(at line " in rest
    named = re.split(r" (?:must|is|differs)\b", rest.removeprefix(": "))[0]
    # Two rows with one number: the second one is named.
    return named == "rows[1].row" or bool(
        named.startswith(name_of(place)) or name_of(place).startswith(named)
    )


if __name__ == "__main__":
    logging.disable()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for kind, one in files(folder).items():
            outcome = damage(one, folder, int(sys.argv[1]) if sys.argv[1:] else 1)
            print(f"{kind}: {outcome}", *outcome.failures, sep="\n  ")
