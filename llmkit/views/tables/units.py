"""Spans of time and amounts in few characters, for tables that people read at a glance."""

from __future__ import annotations

STEPS = ((86_400.0, "d"), (3_600.0, "h"), (60.0, "min"))
UNITS = ("B", "kB", "MB", "GB")


def seconds(span: object) -> str:
    """A measured span: 0.31 s, 12.4 s; a dash where there is none."""
    if not isinstance(span, int | float) or span != span:
        return "–"
    return f"{span:.2f} s" if span < 10 else f"{span:.1f} s"


def age(span: object) -> str:
    """A span that goes on: 7 s, 3 min, 2 h."""
    if not isinstance(span, int | float) or span != span:
        return "–"
    for length, unit in STEPS:
        if span >= length:
            return f"{int(span // length)} {unit}"
    return f"{int(span)} s"


def size(count: object) -> str:
    """An amount of bytes: 12 B, 3.4 kB."""
    if not isinstance(count, int | float) or count != count:
        return "–"
    amount, step = float(count), 0
    while amount >= 1000 and step < len(UNITS) - 1:
        amount, step = amount / 1000, step + 1
    return (
        f"{amount:.0f} {UNITS[step]}"
        if step == 0 or amount >= 100
        else f"{amount:.1f} {UNITS[step]}"
    )


def tokens(count: object) -> str:
    """A limit in tokens: 8k, 128k, 1M."""
    if not isinstance(count, int | float) or count != count:
        return "–"
    if count < 1000:
        return f"{count:.0f}"
    return f"{count / 1000:.0f}k" if count < 999_500 else f"{count / 1_000_000:.3g}M"
