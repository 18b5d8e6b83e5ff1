"""Text from elsewhere, made safe to print."""

from __future__ import annotations

import unicodedata

# Format characters that hide or reorder what follows them; joiners of emoji are harmless.
HIDDEN = {"\u200b", "\u2060", "\ufeff", "\u00ad"}
BIDI = {*"\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"}


def escape_controls(text: object) -> str:
    """*text* with every character that would act on a terminal or a page shown as its code.

    Line ends and tabs stay; escapes, other controls, bidirectional overrides and lone surrogates
    become `\\xNN` or `\\uNNNN`.
    """
    value = str(text)
    if value.isprintable() and not BIDI.intersection(value):
        return value
    characters = []
    for c in value:
        is_active = c in BIDI or c in HIDDEN or unicodedata.category(c) in ("Cc", "Cs", "Co", "Cn")
        if is_active and c not in "\n\t":
            c = f"\\x{ord(c):02x}" if ord(c) < 256 else f"\\u{ord(c):04x}"
        characters.append(c)
    return "".join(characters)
