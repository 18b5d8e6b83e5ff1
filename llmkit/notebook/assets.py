"""Bundles the scripts and style sheets of the panels; a bundle loads nothing further."""

from __future__ import annotations

import re
from importlib import resources
from pathlib import Path

from ..views.markup import style_sheet

# The browser receives a script without a URL, so the script cannot import another one. Its imports
# are placed before it, each once and without the keyword `export`.
_IMPORT = re.compile(r'^import [^;]* from "\./(?P<name>[\w.]+)";\n', re.MULTILINE)
_EXPORT = re.compile(r"^export (?!default)", re.MULTILINE)


def script(name: str | Path) -> str:
    """Returns a script of `static/`, or the file at a path, with its imports from `static/`."""
    own = name.read_text("utf-8") if isinstance(name, Path) else _static(name)
    return "\n".join([*_imported(own, set()), _IMPORT.sub("", own)])


def styles() -> str:
    """Returns the style sheet of every panel, which extends that of the static views."""
    return style_sheet() + _static("panels.css")


def _imported(source: str, names: set[str]) -> list[str]:
    parts = []
    for match in _IMPORT.finditer(source):
        name = match["name"]
        if name not in names:
            names.add(name)
            text = _static(name)
            parts += [*_imported(text, names), _EXPORT.sub("", _IMPORT.sub("", text))]
    return parts


def _static(name: str) -> str:
    return resources.files(__package__).joinpath("static", name).read_text("utf-8")
