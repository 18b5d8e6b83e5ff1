"""Replaces the names of variables in a prompt by their values."""

from __future__ import annotations

import difflib
import re
from collections.abc import Mapping

from ..errors import ConfigError

# Names only: without attributes, indexes and calls a prompt can never run code or read anything
# but variables. Single braces, $ and % are ordinary text.
_NAME = re.compile(r"\{\{\s*([A-Za-z_]\w*)\s*\}\}")


def fill_template(text: str, variables: Mapping[str, object]) -> str:
    """Returns *text* with each `{{name}}` replaced by the value of that variable.

    Raises:
        ConfigError: A variable is not defined.
    """

    def value(match: re.Match[str]) -> str:
        name = match[1]
        if name in variables:
            return str(variables[name])
        near = difflib.get_close_matches(name, [v for v in variables if not v.startswith("_")], n=3)
        hint = f"; did you mean {' or '.join(near)}?" if near else ""
        raise ConfigError(f"variable {name!r} is not defined{hint} (--raw sends braces unchanged)")

    return _NAME.sub(value, text)
