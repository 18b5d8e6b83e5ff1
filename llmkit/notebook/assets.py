"""The scripts and style sheets of the panels, each made one text that asks nobody for more."""

from __future__ import annotations

import re
from importlib import resources
from pathlib import Path

from ..views.markup import style_sheet

# A script arrives in the browser without an address of its own, so it cannot import a neighbour:
# what it imports is put before it, once, and the word `export` is taken away there.
_IMPORT = re.compile(r'^import [^;]* from "\./(?P<name>[\w.]+)";\n', re.MULTILINE)
_EXPORT = re.compile(r"^export (?!default)", re.MULTILINE)


def script(name: str | Path) -> str:
    """A script of `static/`, or the file at a path, with all that it imports from there."""
    own = name.read_text("utf-8") if isinstance(name, Path) else _static(name)
    return "\n".join([*_imported(own, set()), _IMPORT.sub("", own)])


def styles() -> str:
    """The style sheet of every panel: that of the frozen views, and what only panels need."""
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
