"""Converts the values of a frame to the texts of a file: exact, or without effect in a spreadsheet.

Keys are redacted in each of them.
"""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

from ...secret import escape_controls, is_unseen, redact
from ...wire.messages import fix_surrogates
from ..frames import free_name
from ..records import plain

if TYPE_CHECKING:
    import pandas as pd

# A spreadsheet may run a cell as a formula if it begins with one of these signs, also after blanks
# and in a full-width, small or raised form (OWASP's page on CSV injection, read 2026-11-30).
SIGNS = frozenset("=+-@\u2212")
SKIPPED = ("\t", "\r", "\n")  # at the beginning, an import may leave them out
# A number is not a formula, and an apostrophe before it makes it a text (pretix#1394,
# grafana#17363, mui-x#13790, adaltas/node-csv#503; read 2026-11-30).
NUMBER = re.compile(
    r"[+-]?(?:[0-9]+(?:,[0-9]{3})*(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]+)?%?[ \r\n]*"
)


def stored(value: object) -> str:
    """Returns *value* as text; a value that is not a text becomes JSON if JSON has it."""
    if isinstance(value, str):
        return fix_surrogates(redact(value))
    value = plain(value)
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return fix_surrogates(text)


def guarded(value: object) -> str:
    """Returns *value* as text that a spreadsheet shows, and does not run as a formula."""
    text = stored(value)
    is_formula = not NUMBER.fullmatch(text) and (text.startswith(SKIPPED) or begins_with_sign(text))
    return f"'{escape_controls(text)}" if is_formula else escape_controls(text)


def begins_with_sign(text: str) -> bool:
    """Returns True if the first visible character of *text* may begin a formula."""
    first = next((c for c in text if not (c.isspace() or c < " " or is_unseen(c))), " ")
    is_dash = unicodedata.category(first) == "Pd"
    return is_dash or unicodedata.normalize("NFKC", first) in SIGNS


def text_columns(frame: pd.DataFrame, kept: str = "iufbM") -> list[str]:
    """Returns the columns of *frame* that a file holds as texts.

    Args:
        kept: The kinds of the dtypes that the file has: integers, floats, booleans, dates.
    """
    return [str(name) for name in frame.columns if frame[name].dtype.kind not in kept]


def distinct(names: Iterable[str], written: Callable[[object], str]) -> list[str]:
    """Returns *names* as written; names that redaction has made alike get a prefix."""
    taken: set[str] = set()
    return [free_name(written(name), taken) for name in names]
