"""Tests what the files of the notebooks keep of their outputs, and that they fit the code."""

from __future__ import annotations

import base64
import json
import os
import re
import struct
from pathlib import Path

import pytest

from tests.ipc import ipc
from tools.notebooks import KEPT, WIDGET, environment, kept_outputs, marker, portable, store

from .claims import CLAIMS
from .output import Output

HOME = Path(__file__).parents[2] / "notebooks"
NOTEBOOKS = {
    path.stem: json.loads(path.read_text("utf-8")) for path in sorted(HOME.glob("*.ipynb"))
}
MARKED = [name for name, notebook in NOTEBOOKS.items() if "llmkit" in notebook["metadata"]]
MOST_BYTES = 3_000_000  # of all notebooks together
MOST_PICTURE_BYTES, MOST_PICTURE_WIDTH = 200_000, 2_000
PATHS = re.compile(r"/(?:tmp|home|root|Users|usr|opt|var|work)/\w|site-packages|\b[A-Z]:\\\w")
STATIC = {"text/html": '<div class="lk-static lk-static-1f">words</div>', "text/plain": "words"}
VIEW = {WIDGET: {"model_id": "12ab"}, "text/plain": "Panel()"}


def code_cells(notebook):
    """Returns the code cells with each text of their outputs as one string."""
    cells = [cell for cell in notebook["cells"] if cell["cell_type"] == "code"]
    return [{**cell, "outputs": [joined(output) for output in cell["outputs"]]} for cell in cells]


def joined(output):
    if "text" in output:
        return {**output, "text": "".join(output["text"])}
    return {**output, "data": {kind: "".join(text) for kind, text in output["data"].items()}}


def displayed(*bundles):
    return [{"output_type": "display_data", "data": data, "metadata": {}} for data in bundles]


def test_the_outputs_belong_to_the_code():
    """The metadata has the hash of the code cells and the version; make notebooks writes them."""
    stale = [name for name, notebook in NOTEBOOKS.items()
             if notebook["metadata"].get("llmkit") != marker(notebook["cells"])]  # fmt: skip

    assert stale == [], "run `make notebooks`"


@pytest.mark.parametrize("name", NOTEBOOKS)
def test_a_notebook_stores_text_html_and_pictures_only(name):
    """The file has no widget state, no execution count, no time of a cell and no error."""
    notebook = NOTEBOOKS[name]
    cells = code_cells(notebook)
    outputs = [output for cell in cells for output in cell["outputs"]]
    kinds = {kind for output in outputs for kind in output.get("data", ())}

    assert set(notebook["metadata"]) - {"llmkit"} == {"kernelspec", "language_info"}
    assert notebook["metadata"]["language_info"] == {"name": "python"}
    assert {cell["execution_count"] for cell in cells} == {None}
    assert {output.get("execution_count") for output in outputs} <= {None}
    assert [cell["id"] for cell in cells if set(cell["metadata"]) - {"tags", "jupyter"}] == []
    assert {output["output_type"] for output in outputs} <= {
        "display_data", "execute_result", "stream"}  # fmt: skip
    assert [output["metadata"] for output in outputs if output.get("metadata")] == []
    assert kinds <= set(KEPT)


@pytest.mark.parametrize("name", NOTEBOOKS)
def test_no_stored_output_names_a_folder_of_the_machine(name):
    """Texts and HTML have neither a path nor an object's address."""
    texts = [text for cell in code_cells(NOTEBOOKS[name]) for output in cell["outputs"]
             for kind, text in output.get("data", {"text": output.get("text")}).items()
             if kind != "image/png"]  # fmt: skip

    assert [found for text in texts for found in PATHS.findall(text)] == []
    assert [text for text in texts if portable(text, {}) != text] == []


def test_pictures_and_files_have_a_sane_size():
    """The pictures are PNGs that fit a page, and all notebooks together fit a clone."""
    pictures = [base64.b64decode(output["data"]["image/png"])
                for notebook in NOTEBOOKS.values() for cell in code_cells(notebook)
                for output in cell["outputs"] if "image/png" in output.get("data", ())]  # fmt: skip
    widths = [struct.unpack(">I", picture[16:20])[0] for picture in pictures]

    assert {picture[:8] for picture in pictures} <= {b"\x89PNG\r\n\x1a\n"}
    assert [width for width in widths if width > MOST_PICTURE_WIDTH] == []
    assert [len(picture) for picture in pictures if len(picture) > MOST_PICTURE_BYTES] == []
    assert sum(path.stat().st_size for path in HOME.glob("*.ipynb")) <= MOST_BYTES


@pytest.mark.parametrize("name", MARKED)
def test_the_stored_outputs_show_what_the_prose_says(name):
    """A visitor who only reads the file sees what the sentences promise."""
    cells = {cell["id"]: Output(cell) for cell in code_cells(NOTEBOOKS[name])}

    claims = [claim for claim in CLAIMS[name] if not claim.of_the_day]
    facts = [(claim.quote, claim.fact(cells[claim.cell])) for claim in claims]

    assert facts == [(claim.quote, claim.value) for claim in claims]


def test_the_static_words_stay_and_the_widget_goes():
    """Of static HTML and its widget, the file keeps the HTML."""
    kept = kept_outputs(displayed(STATIC, {**VIEW, "text/html": "<p>words</p>"}), {})

    assert kept == displayed(STATIC)


def test_a_widget_without_words_leaves_nothing():
    """The text of a bare widget is its class name, which tells a reader nothing."""
    assert kept_outputs(displayed(VIEW), {}) == []


def test_a_widget_with_words_of_its_own_leaves_them():
    """A widget that stands alone keeps its HTML and text."""
    kept = kept_outputs(displayed({**VIEW, "text/html": "<p>words</p>"}), {})

    assert kept == displayed({"text/html": "<p>words</p>", "text/plain": "Panel()"})


def test_numbers_and_metadata_of_a_result_go():
    """Execution counts, sizes of pictures and other formats are not stored."""
    data = {"image/png": "iVBORw0=", "image/svg+xml": "<svg/>", "text/plain": "<Figure>"}
    result = {"output_type": "execute_result", "execution_count": 7, "data": data,
              "metadata": {"image/png": {"width": 300}}}  # fmt: skip

    assert kept_outputs([result], {}) == [{
        "output_type": "execute_result", "execution_count": None, "metadata": {},
        "data": {"image/png": "iVBORw0=", "text/plain": "<Figure>"},
    }]  # fmt: skip


def test_text_is_the_same_on_each_machine():
    """Folders get their given names, the longest first; addresses and cells' files one name."""
    said = "/home/me/work/a.py at 0x7f12ab34cd56; /tmp/ipykernel_12/345.py:3: note; /home/me"

    assert portable(said, {"/home/me": "~", "/home/me/work": "."}) == (
        "./a.py at 0x7f0000000000; cell.py:3: note; ~"
    )


def test_the_kernel_gets_no_key(tmp_path, monkeypatch):
    """Keys and addresses of the user's environment do not reach an executed notebook."""
    monkeypatch.setenv("OPENAI_API_KEY", "sk-fake-0123456789")
    monkeypatch.setenv("LLMKIT_BASE_URL", "https://example.com")

    given = environment(tmp_path)

    assert "OPENAI_API_KEY" not in given
    assert "LLMKIT_BASE_URL" not in given


@pytest.mark.kernel
def test_a_notebook_keeps_its_static_words_only(tmp_path):
    """The file of an executed notebook has the panel's words, one marker and no widget."""
    path = tmp_path / "one.ipynb"
    cells = ["%load_ext llmkit\nimport llmkit, os", "llmkit.panel('compare')",
             "%%compare scripted:echo\nWhy?", "print(os.getcwd())\nobject()"]  # fmt: skip
    nodes = [{"cell_type": "code", "id": f"c{i}", "metadata": {}, "execution_count": None,
              "outputs": [], "source": cell} for i, cell in enumerate(cells)]  # fmt: skip
    spec = {"kernelspec": {"name": "python3", "display_name": "Python 3"}}
    path.write_text(json.dumps({"cells": nodes, "metadata": spec, "nbformat": 4,
                                "nbformat_minor": 5}))  # fmt: skip

    store(path, ipc())

    stored = json.loads(path.read_text("utf-8"))
    outputs = [cell["outputs"] for cell in code_cells(stored)]
    assert stored["metadata"] == {**spec, "llmkit": marker(stored["cells"])}
    assert [len(found) for found in outputs] == [0, 1, 1, 2]
    assert "vnd.jupyter.widget" not in path.read_text("utf-8")
    assert "Why?" in outputs[2][0]["data"]["text/plain"]
    assert outputs[3][0]["text"] == f".{os.linesep}"
    assert outputs[3][1]["data"]["text/plain"] == "<object at 0x7f0000000000>"
