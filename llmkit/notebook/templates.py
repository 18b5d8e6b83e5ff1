"""Puts variables into a prompt by name, and touches nothing else in it."""

from __future__ import annotations

import difflib
import re
from collections.abc import Mapping

from ..errors import ConfigError

# Names only: no attributes, indexes or calls, so that a prompt can never run code or read
# what is not a variable. Single braces, $ and % are ordinary text.
_NAME = re.compile(r"\{\{\s*([A-Za-z_]\w*)\s*\}\}")


def fill_template(text: str, variables: Mapping[str, object]) -> str:
    """*text* with each `{{name}}` replaced by that variable's text.

    Raises:
        ConfigError: There is no such variable.
    """

    def value(match: re.Match[str]) -> str:
        name = match[1]
        if name in variables:
            return str(variables[name])
        near = difflib.get_close_matches(name, [v for v in variables if not v.startswith("_")], n=3)
        hint = f"; did you mean {' or '.join(near)}?" if near else ""
        raise ConfigError(
            f"there is no variable {name!r}{hint} (--raw sends the braces as they are)"
        )

    return _NAME.sub(value, text)
