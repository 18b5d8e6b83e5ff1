"""Reads what an executed cell shows: its texts, its tables, its cards and its plots."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from typing import Any


class Output:
    """The outputs of one executed cell.

    Attributes:
        printed: What it wrote to standard output.
        warned: What it wrote to standard error.
        plain: The text form of what it displayed.
        html: The HTML form of what it displayed.
    """

    def __init__(self, cell: Any) -> None:
        outputs = cell["outputs"]
        bundles = [output["data"] for output in outputs if "data" in output]
        self.count = len(outputs)
        self.printed = _joined(output for output in outputs if output.get("name") == "stdout")
        self.warned = _joined(output for output in outputs if output.get("name") == "stderr")
        self.plain = "\n".join(bundle.get("text/plain", "") for bundle in bundles)
        self.html = "\n".join(bundle.get("text/html", "") for bundle in bundles)
        self.has_picture = any("image/png" in bundle for bundle in bundles)

    @property
    def cards(self) -> list[str]:
        """The heading of each answer's card."""
        return re.findall(r'<section class="lk-card">\s*<h4>(.*?)</h4>', self.html)

    @property
    def failed_cards(self) -> int:
        """How many lines of the cards are in the colour of a failure."""
        return self.html.count('class="lk-bad"')

    @property
    def table(self) -> list[dict[str, str]]:
        """The last table, one dictionary for each row; the index is under its name, or ""."""
        reader = _TableReader()
        reader.feed(self.html)
        head, body = reader.head, reader.body
        names = [head[-1][0] or head[0][0], *head[0][1:]]
        return [dict(zip(names, row, strict=False)) for row in body]

    def column(self, name: str) -> list[str]:
        """One column of the table."""
        return [row[name] for row in self.table]

    @property
    def series(self) -> dict[str, str]:
        """A Series in its text form, by index."""
        return dict(re.findall(r"^([\d.]+) +(\d+)$", self.plain, re.MULTILINE))

    @property
    def plotted(self) -> dict[str, int]:
        """The number of answers for each model of a plot, from its text form."""
        assert self.has_picture
        rows = re.findall(r"^(\w+: ?\S+) +(\d+) ", self.plain, re.MULTILINE)
        return {model.replace(" ", ""): int(count) for model, count in rows}


class _TableReader(HTMLParser):
    """Collects the texts of the last table's head and body, row by row."""

    def __init__(self) -> None:
        super().__init__()
        self.head: list[list[str]] = []
        self.body: list[list[str]] = []
        self._rows = self.body
        self._is_in_cell = False

    def handle_starttag(self, tag: str, attrs: Any) -> None:
        if tag == "table":
            self.head, self.body = [], []
        elif tag in ("thead", "tbody"):
            self._rows = self.head if tag == "thead" else self.body
        elif tag == "tr":
            self._rows.append([])
        elif tag in ("th", "td"):
            self._rows[-1].append("")
            self._is_in_cell = True

    def handle_endtag(self, tag: str) -> None:
        if tag in ("th", "td"):
            self._is_in_cell = False

    def handle_data(self, data: str) -> None:
        if self._is_in_cell:
            self._rows[-1][-1] += data


def _joined(streams: Any) -> str:
    return "".join(stream["text"] for stream in streams)
