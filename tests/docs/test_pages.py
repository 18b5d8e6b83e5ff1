"""Tests that every example of the documentation runs, and that every link has a target."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.kernel.driver import Kernel

TOP = Path(__file__).parents[2]
DOCS = TOP / "docs"
PAGES = sorted(DOCS.rglob("*.md"))
DOCUMENTS = [*PAGES, *sorted(TOP.glob("*.md"))]
FENCE = re.compile(r"^```(\w+)\n(.*?)^```$", re.DOTALL | re.MULTILINE)
COMPLAINTS = ("Unclosed", "never retrieved", "was destroyed but it is pending", "ResourceWarning")


def name_of(path: Path) -> str:
    return path.relative_to(TOP).as_posix()


def blocks(path: Path, language: str) -> list[str]:
    return [code for kind, code in FENCE.findall(path.read_text("utf-8")) if kind == language]


def having(language: str) -> list[Path]:
    return [path for path in PAGES if blocks(path, language)]


def anchors(path: Path) -> set[str]:
    """Returns the fragments of a page's headings."""
    headings = re.findall(r"^#+ (.+)$", path.read_text("utf-8"), re.MULTILINE)
    plain = (re.sub(r"[^\w\- ]", "", heading.lower()) for heading in headings)
    return {heading.strip().replace(" ", "-") for heading in plain}


@pytest.mark.model
@pytest.mark.parametrize("path", having("python"), ids=name_of)
def test_the_python_of_a_page_runs(path, tmp_path):
    """The blocks of a page are one program, in their order."""
    program = "\n".join(blocks(path, "python"))

    done = subprocess.run(
        [sys.executable, "-W", "error::ResourceWarning", "-c", program],
        capture_output=True, text=True, cwd=tmp_path, timeout=300, check=False,
    )  # fmt: skip

    assert done.returncode == 0, done.stderr
    assert [said for said in COMPLAINTS if said in done.stderr] == [], done.stderr


@pytest.mark.kernel
def test_the_cells_of_the_pages_run(tmp_path):
    """The cells of the pages run in a notebook, page by page."""
    with Kernel(env={"IPYTHONDIR": str(tmp_path)}) as kernel:
        assert kernel.one("%load_ext llmkit").ok
        cells = [(name_of(p), cell) for p in having("ipython") for cell in blocks(p, "ipython")]
        ran = kernel.run(*[cell for _, cell in cells])

    failed = [(where, r.error) for (where, _), r in zip(cells, ran, strict=True) if not r.ok]
    assert failed == []


@pytest.mark.parametrize("path", DOCUMENTS, ids=name_of)
def test_every_link_leads_somewhere(path):
    """Linked files and headings exist; links to other hosts are not checked."""
    broken = []
    for link in re.findall(r"\]\(([^)\s]+)\)", path.read_text("utf-8")):
        if "://" in link or link.startswith("mailto:"):
            continue
        file, _, fragment = link.partition("#")
        target = (path.parent / file).resolve() if file else path
        if not target.exists() or (fragment and fragment not in anchors(target)):
            broken.append(link)

    assert broken == []
