"""Formats durations, byte counts and token counts in few characters, for tables."""

from __future__ import annotations

STEPS = ((86_400.0, "d"), (3_600.0, "h"), (60.0, "min"))
UNITS = ("B", "kB", "MB", "GB")


def seconds(span: object) -> str:
    """Formats a measured duration: 0.31 s, 12.4 s; a dash if it is unknown."""
    if not isinstance(span, int | float) or span != span:
        return "–"
    return f"{span:.2f} s" if span < 10 else f"{span:.1f} s"


def age(span: object) -> str:
    """Formats an age: 7 s, 3 min, 2 h."""
    if not isinstance(span, int | float) or span != span:
        return "–"
    for length, unit in STEPS:
        if span >= length:
            return f"{int(span // length)} {unit}"
    return f"{int(span)} s"


def size(count: object) -> str:
    """Formats a number of bytes: 12 B, 3.4 kB."""
    if not isinstance(count, int | float) or count != count:
        return "–"
    amount, step = float(count), 0
    while amount >= 1000 and step < len(UNITS) - 1:
        amount, step = amount / 1000, step + 1
    return f"{amount:.{0 if step == 0 or amount >= 100 else 1}f} {UNITS[step]}"


def tokens(count: object) -> str:
    """Formats a limit in tokens: 8k, 128k, 1M."""
    if not isinstance(count, int | float) or count != count:
        return "–"
    if count < 1000:
        return f"{count:.0f}"
    return f"{count / 1000:.0f}k" if count < 999_500 else f"{count / 1_000_000:.3g}M"
