"""Finds layout and accessibility problems: clipped text, and serious findings of axe-core."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

AXE = Path(__file__).parents[2] / ".venv/node/node_modules/axe-core/axe.min.js"
OURS = ".jp-OutputArea .lk"
# Elements that overflow and cannot be scrolled.
CLIPPED = """
ours => [...document.querySelectorAll(`${ours} *`)].filter(e => {
  if (!e.checkVisibility() || !e.textContent.trim()) return false;
  if (e.closest("select, datalist, svg")) return false;
  const look = getComputedStyle(e);
  if (look.display === "inline" || look.overflowX === "auto") return false;
  return e.scrollWidth > e.clientWidth + 1 && e.clientWidth > 0;
}).map(e => `${e.tagName}.${e.className}: ${e.textContent.slice(0, 60)}`)
"""
RULES = """
async ours => (await axe.run(ours, { resultTypes: ["violations"] })).violations
  .filter(v => ["serious", "critical"].includes(v.impact))
  .flatMap(v => v.nodes.map(n => `${v.id}: ${n.html.slice(0, 160)} ${n.failureSummary}`))
"""


def clipped(page: Any) -> list[str]:
    """Returns the elements of llmkit whose text is clipped."""
    found: list[str] = page.evaluate(CLIPPED, OURS)
    return found


def serious(page: Any) -> list[str]:
    """Returns the serious and critical findings of axe-core, such as contrast below 4.5."""
    if not AXE.exists() and os.environ.get("CI") != "true":
        pytest.skip("no axe-core here: .ci/browser brings it where npm is")
    page.add_script_tag(content=AXE.read_text())
    found: list[str] = page.evaluate(RULES, OURS)
    return found


def font_size(page: Any, size: str) -> None:
    """Sets the size of the text in outputs, such as "24px"; "" is that of the theme."""
    page.evaluate(
        "size => document.documentElement.style.setProperty('--jp-content-font-size1', size)", size
    )
