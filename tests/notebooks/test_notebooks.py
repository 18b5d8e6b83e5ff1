"""Tests that every shipped notebook runs without an API key, and links to the others."""

from __future__ import annotations

import copy
import json
import os
import re
import shutil
from pathlib import Path

import pytest

from tests.ipc import ipc

HOME = Path(__file__).parents[2] / "notebooks"
NOTEBOOKS = sorted(HOME.glob("*.ipynb"))
COMPLAINTS = ("Traceback", "never retrieved", "was destroyed but it is pending")


def cells_of(path: Path) -> list[dict]:
    """Returns the cells of the file, each with its source as one string."""
    cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
    return [{**cell, "source": "".join(cell["source"])} for cell in cells]


def name_of(path: Path) -> str:
    return path.stem


@pytest.mark.parametrize("path", NOTEBOOKS, ids=name_of)
def test_a_notebook_says_what_will_be_learned_and_where_to_go(path):
    """The first cell says what is learned, the last one links on, and no output is stored."""
    cells = cells_of(path)
    first, last = cells[0], cells[-1]

    assert first["cell_type"] == last["cell_type"] == "markdown"
    assert first["source"].startswith("# ")
    assert "You will" in first["source"]
    assert "**From here:**" in last["source"]
    code = [cell for cell in cells if cell["cell_type"] == "code"]
    assert [cell["outputs"] for cell in code] == [[]] * len(code)
    assert {cell["execution_count"] for cell in code} == {None}


@pytest.mark.parametrize("path", NOTEBOOKS, ids=name_of)
def test_the_links_of_a_notebook_lead_somewhere(path):
    """Notebooks link to each other by file, and the files exist."""
    said = "\n".join(c["source"] for c in cells_of(path) if c["cell_type"] == "markdown")
    links = [link for link in re.findall(r"\]\(([^)]+)\)", said) if "://" not in link]

    assert [link for link in links if not (HOME / link).exists()] == []


def test_the_solutions_are_folded():
    """Readers see the tasks before the solutions."""
    cells = cells_of(HOME / "06_class_exercise.ipynb")
    told = [cell["metadata"] for cell in cells if cell["id"].endswith("-solution")]

    assert len(told) == 5
    assert {metadata["jupyter"]["source_hidden"] for metadata in told} == {True}
    assert {tuple(metadata["tags"]) for metadata in told} == {("solution",)}


def executed(path, folder, *, change=lambda cells: cells):
    """Runs all cells, after *change*, in *folder*, and returns the executed notebook."""
    import nbformat  # takes a second to import, so not in the fast tests
    from nbclient import NotebookClient
    from traitlets.config import Config

    notebook = nbformat.read(path, as_version=4)
    notebook.cells = change(notebook.cells)
    notebook.metadata["kernelspec"] = {"name": "python3", "display_name": "Python 3"}
    shutil.copy(path, folder)
    client = NotebookClient(
        notebook, timeout=300, resources={"metadata": {"path": str(folder)}},
        extra_arguments=["--log-level=ERROR"], config=Config(KernelManager=ipc()),
    )  # fmt: skip
    here = str(HOME.parent)
    client.execute(env={**os.environ, "PYTHONPATH": here, "IPYTHONDIR": str(folder / "ip")})
    return notebook


@pytest.mark.kernel
@pytest.mark.model
@pytest.mark.parametrize("path", NOTEBOOKS, ids=name_of)
def test_a_notebook_runs_without_a_key(path, tmp_path):
    """Run All in an empty folder: every cell succeeds, without unexpected warnings."""
    notebook = executed(path, tmp_path)

    said = {
        cell.id: "\n".join(out.text for out in cell.outputs if out.get("name") == "stderr")
        for cell in notebook.cells
        if cell.cell_type == "code"
    }
    loud = {cell for cell, text in said.items() if any(c in text for c in COMPLAINTS)}
    # Notebook 03 leaks a session on purpose, in one cell.
    assert {cell for cell, text in said.items() if "Unclosed" in text} <= {"forget"}
    assert loud == set()


@pytest.mark.kernel
def test_the_sessions_are_what_their_notebook_says(tmp_path):
    """Three stay open, a re-run closes three, `close mine` closes one, and none leaks."""

    def again(cells):
        (at,) = [n for n, cell in enumerate(cells) if cell["id"] == "open"]
        rerun = copy.deepcopy(cells[at])
        rerun["id"] = "open-again"
        return [*cells[: at + 1], rerun, *cells[at + 1 :]]

    notebook = executed(HOME / "03_sessions_and_reruns.ipynb", tmp_path, change=again)
    text = {
        cell.id: [out["data"]["text/plain"] for out in cell.outputs if "data" in out]
        for cell in notebook.cells
        if cell.cell_type == "code"
    }

    (table,), (frame,), (after,) = text["table"], text["frame"], text["after"]
    assert (table.count("● open"), table.count("○ closed")) == (3, 3)
    assert (frame.count("rerun"), frame.count(" open ")) == (3, 3)
    assert (after.count("● open"), after.count("○ closed")) == (2, 5)  # including the one of the block
    assert text["leaks"] == ["Leaks\nNo session leaked."]
