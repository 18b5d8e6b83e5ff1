"""Converts texts and times to those that an Excel cell can hold."""

from __future__ import annotations

import re
from datetime import UTC, datetime

from ...secret import escape_controls
from ...wire.messages import fix_surrogates

LINE_END = re.compile(r"\r\n?")  # XML makes each of them "\n", as does Excel
# Excel reads "_x000D_" as the character of that code, and "_x005F_" as "_" (ECMA-376, part 1,
# 22.9.2.19, ST_Xstring).
CODE = re.compile("_(?=x[0-9A-Fa-f]{4}_)")
# The largest number that Excel accepts (Microsoft's page "Excel specifications and limits", read
# 2026-11-30). Larger ones become texts: a reader may round them to infinity.
LARGEST = 9.99999999999999e307
NOT_IN_XML = re.compile("[\0-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]")


def excel_text(text: str) -> str:
    """Returns *text* as Excel shows it unchanged; characters that XML lacks are shown as codes."""
    text = CODE.sub("_x005F_", LINE_END.sub("\n", fix_surrogates(text)))
    return NOT_IN_XML.sub(lambda match: escape_controls(match[0]), text)


def without_zone(time: datetime) -> datetime:
    """Returns *time* in UTC without its zone; a time without a zone stays."""
    return time if time.tzinfo is None else time.astimezone(UTC).replace(tzinfo=None)
