"""Damages a saved document in every field, and shows a comparison in every view."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

from llmkit.comparison.result import Comparison, load
from llmkit.types import Completion, Status, ToolCall
from llmkit.views.answers.card import card_of
from llmkit.views.plots.aggregates import MEASURES, aggregate_text, ends, facets, grouped
from tests.unit.rows import answer, plain, row

DEEP = "\x00deep"  # becomes a list in a list, 10,000 times
LEVELS = 10_000
DELETED = object()
VALUES: dict[str, Any] = {
    "deleted": DELETED, "null": None, "text": "x", "empty text": "", "zero": 0, "minus": -1,
    "one": 1, "true": True, "half": 1.5, "tiny": 5e-324, "huge": 1e308, "nan": float("nan"),
    "infinite": float("inf"), "wide": 10**25, "very long number": 10**4200, "63 bits": 2**63 - 1,
    "list": [], "object": {}, "list of text": ["x"], "object of null": {"x": None},
    "list of lists": [[1], {"a": [2]}], "deep": DEEP, "half an emoji": "\ud83d",
    "NUL": "a\0b\x1b[2J", "formula": "=1+1", "long text": "word " * 20_000, "number": "12",
    "no date": "2026-13-45T25:00:00Z", "no zone": "2026-11-24T12:00:00",
    "first day": "0001-01-01T00:00:00+00:00", "last day": "9999-12-31T23:59:59+00:00",
}  # fmt: skip


def document(folder: Path) -> dict[str, Any]:
    """Returns what `to_json` writes for rows of every kind, the fullest one first."""
    calls = (ToolCall("weather", '{"city": "Genève"}', "c1"), ToolCall("clock"))
    point = {
        "temperature": 0.5,
        "max_tokens": 9,
        "seed": -1,
        "stop": ("\n",),
        "system": "Be brief.",
    }
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
    made = Comparison(rows, about, ["a note"])
    found: dict[str, Any] = json.loads(made.to_json(folder / "whole.json").read_bytes())
    return found


def places(value: Any, path: tuple[str | int, ...] = ()) -> Iterator[tuple[str | int, ...]]:
    """Yields the path of each value within *value*, but only those in the first row."""
    items = value.items() if isinstance(value, dict) else enumerate(value)
    for name, item in items:
        place = (*path, name)
        if place[:1] == ("rows",) and len(place) > 1 and place[1] != 0:
            continue
        yield place
        if isinstance(item, dict | list):
            yield from places(item, place)


def changed(value: Any, path: tuple[str | int, ...], new: Any) -> Any:
    """Returns a copy of *value* with *new* at *path*."""
    if not path:
        return new
    copy = value.copy()
    if new is DELETED and len(path) == 1:
        del copy[path[0]]
    else:
        copy[path[0]] = changed(value[path[0]], path[1:], new)
    return copy


def text_of(value: Any) -> str:
    """Returns *value* as JSON, with the deep list in it."""
    deep = "[" * LEVELS + "]" * LEVELS
    return json.dumps(value).replace(json.dumps(DEEP), deep)


def name_of(path: tuple[str | int, ...]) -> str:
    """Returns *path* as messages write it: `rows[0].completion.text`."""
    return "".join(f"[{p}]" if isinstance(p, int) else f".{p}" for p in path).lstrip(".")


def names_the_field(message: str, path: tuple[str | int, ...]) -> bool:
    """Returns True if *message* begins with *path*, with a part of it, or with what is below."""
    named = re.split(r" (?:must|is) ", message)[0]
    return named.startswith(name_of(path)) or name_of(path).startswith(named)


def show(run: Comparison, folder: Path, *, figures: bool = False) -> None:
    """Shows *run* in every view, and saves and loads it again; figures take the most time."""
    frame = run.frame()
    assert len(frame) == len(run)
    str(frame), repr(run), str(run), run._repr_html_(), list(run)
    frame.groupby(["provider", "prompt_id"], dropna=False, sort=False).size()
    for item in run.rows:
        json.dumps(card_of(item).plain()).encode()
        str(item.completion), item.completion.output_tokens_per_s
    if len(run) > 1:
        repr(run.differences(run.rows[0].row, run.rows[1].row))
    for _, rows in facets(run.rows):
        groups = grouped(rows, substituted=True)
        aggregate_text(groups)
        [ends(groups, measure) for measure in MEASURES]
    if figures:
        for kind in ("models", "cost", "grid"):
            run.plot(kind, substituted=True)._repr_png_()
    run.to_csv(folder / "again.csv"), run.to_html(folder / "again.html")
    run.to_parquet(folder / "again.parquet")
    assert len(load(run.to_json(folder / "again.json"))) == len(run)
