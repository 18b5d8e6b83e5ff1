"""Shows what made a comparison: its date, models, parameters and versions."""

from __future__ import annotations

import re
from collections.abc import Mapping

from ..markup import escape, framed

LABELS = {
    "started_at": "date", "models": "models", "parameters": "parameters", "llmkit": "llmkit",
    "python": "Python", "catalogue": "catalogue", "prices": "prices", "run_id": "run",
}  # fmt: skip
TIME = re.compile(r"(\d{4}-\d\d-\d\d)T(\d\d:\d\d:\d\d)\+00:00")


def about_html(about: Mapping[str, object]) -> str:
    """Returns *about* as terms and values; a term that it lacks is left out."""
    parts = [
        f"<dt>{label}</dt><dd>{escape(_words(about[name]) or 'none set')}</dd>"
        for name, label in LABELS.items()
        if about.get(name) is not None
    ]
    return framed(f'<dl class="lk-about">{"".join(parts)}</dl>')


def _words(value: object) -> str:
    if isinstance(value, Mapping):
        return "; ".join(f"{name} {_words(item)}" for name, item in value.items())
    if isinstance(value, list | tuple):
        return ", ".join(map(_words, value))
    if isinstance(value, float):
        return f"{value:g}"
    return TIME.sub(r"\1 \2 UTC", str(value))
