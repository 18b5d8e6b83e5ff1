"""Executes the notebooks in `notebooks/` and stores their outputs: `make notebooks`.

Each notebook runs in a new kernel, without API keys and without settings of this machine. The file
keeps text, HTML and PNG pictures. Its metadata has the hash of the code cells, so that a test can
tell that the outputs belong to the code without executing it.
"""

from __future__ import annotations

import copy
import hashlib
import os
import re
import shutil
import sys
import sysconfig
import tempfile
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from llmkit import __version__

from .layout import ROOT

HOME = ROOT / "notebooks"
KEPT = ("text/plain", "text/html", "image/png")
WIDGET = "application/vnd.jupyter.widget-view+json"
# A cell with this tag runs twice, because the prose tells the reader to run it again.
TWICE = "run-twice"
OWNERS = ("OPENAI", "ANTHROPIC", "GOOGLE", "GEMINI", "MISTRAL", "OPENROUTER", "OLLAMA", "LLMKIT")
ADDRESS = re.compile(r"\b0x[0-9a-f]{8,}\b")
CELL_FILE = re.compile(r"[^\s\"'<>]*ipykernel_\d+[/\\]\d+\.py")


def marker(cells: Sequence[Mapping[str, Any]]) -> dict[str, str]:
    """Returns the metadata of an executed notebook: the hash of its code cells, and the version."""
    sources = ["".join(cell["source"]) for cell in cells if cell["cell_type"] == "code"]
    digest = hashlib.sha256("\0".join(sources).encode()).hexdigest()
    return {"code_sha256": digest, "version": __version__}


def environment(folder: Path) -> dict[str, str]:
    """Returns the environment of a user without keys, settings or a running Ollama."""
    kept = {name: value for name, value in os.environ.items()
            if not name.startswith(tuple(f"{owner}_" for owner in OWNERS))}  # fmt: skip
    return {
        **kept, "PYTHONPATH": str(ROOT), "IPYTHONDIR": str(folder / "ip"), "COLUMNS": "100",
        "LLMKIT_CONFIG": os.devnull, "LLMKIT_CACHE_DIR": str(folder / "cache"),
        "LLMKIT_KEYRING": "0", "OLLAMA_HOST": "http://127.0.0.1:9",
    }  # fmt: skip


def executed(path: Path, folder: Path, manager: Mapping[str, str] | None = None) -> Any:
    """Runs all cells of the notebook in *folder*, and returns it with its outputs.

    Args:
        path: The file of the notebook, which is not changed.
        folder: The working folder of the kernel; files that the notebook writes stay there.
        manager: Options of the kernel manager.

    Raises:
        CellExecutionError: A cell raised an exception.
    """
    import nbformat  # takes a second to import, so not for those who only read the marker
    from nbclient import NotebookClient
    from traitlets.config import Config

    notebook = nbformat.read(path, as_version=4)
    metadata = copy.deepcopy(notebook.metadata)
    shutil.copy(path, folder)
    extra = []
    for cell in list(notebook.cells):
        if TWICE in cell.metadata.get("tags", ()):
            extra.append(copy.deepcopy(cell))  # with the same id, as a re-run has
            notebook.cells.insert(notebook.cells.index(cell), extra[-1])
    # A kernelspec of this environment, independent of the machine's kernelspecs.
    notebook.metadata["kernelspec"] = {"name": "python3", "display_name": "Python 3"}
    client = NotebookClient(
        notebook, timeout=300, resources={"metadata": {"path": str(folder)}},
        record_timing=False, store_widget_state=False, coalesce_streams=True,
        extra_arguments=["--log-level=ERROR"],
        config=Config(KernelManager=dict(manager or {})),
    )  # fmt: skip
    client.execute(env=environment(folder))
    notebook.cells = [cell for cell in notebook.cells if not any(cell is one for one in extra)]
    notebook.metadata = metadata
    return notebook


def kept_outputs(outputs: Sequence[Mapping[str, Any]], places: Mapping[str, str]) -> list[Any]:
    """Returns what the file keeps of a cell's outputs: text, HTML and PNG pictures.

    A widget cannot be read without its kernel. An output that consists of a widget is left out if
    its HTML is missing, or if the cell has the same words as static HTML.

    Args:
        outputs: The outputs of one cell, as nbformat has them.
        places: Folders of this machine, and the text that replaces each of them.
    """
    kept: list[Any] = []
    has_static_html = False
    for output in outputs:
        if output["output_type"] == "stream":
            kept.append({**output, "text": portable(output["text"], places)})
            continue
        data = {
            kind: content if kind == "image/png" else portable(content, places)
            for kind, content in output["data"].items()
            if kind in KEPT
        }
        html = data.get("text/html", "")
        if WIDGET in output["data"] and (not html or has_static_html):
            continue
        has_static_html = has_static_html or 'class="lk-static ' in html
        if not any(data.values()):
            continue
        slim = {"output_type": output["output_type"], "data": data, "metadata": {}}
        if output["output_type"] == "execute_result":
            slim["execution_count"] = None
        kept.append(slim)
    return kept


def portable(text: str, places: Mapping[str, str]) -> str:
    """Returns *text* without folders of this machine, and with one address for all objects."""
    for place in sorted(places, key=len, reverse=True):
        text = text.replace(place, places[place])
    return ADDRESS.sub("0x7f0000000000", CELL_FILE.sub("cell.py", text))


def store(path: Path, manager: Mapping[str, str] | None = None) -> int:
    """Executes the notebook, writes its outputs into its file, and returns the file's size."""
    import nbformat

    with tempfile.TemporaryDirectory() as name:
        folder = Path(name).resolve()
        notebook = executed(path, folder, manager)
        places = {
            name: ".", str(folder): ".", str(ROOT): "llmkit", sys.prefix: "python",
            sys.base_prefix: "python", str(Path.home()): "~",
            sysconfig.get_path("purelib"): "python",
        }  # fmt: skip
        places.pop("/", None)
    for cell in notebook.cells:
        if cell.cell_type == "code":
            cell.execution_count = None
            cell.outputs = [nbformat.from_dict(one) for one in kept_outputs(cell.outputs, places)]
    notebook.metadata["llmkit"] = marker(notebook.cells)
    nbformat.validate(notebook)
    text = nbformat.writes(notebook) + "\n"
    path.write_text(text, encoding="utf-8")
    return len(text.encode())


def strip(path: Path) -> None:
    """Removes the outputs and their marker from the file."""
    import nbformat

    notebook = nbformat.read(path, as_version=4)
    for cell in notebook.cells:
        if cell.cell_type == "code":
            cell.outputs, cell.execution_count = [], None
    notebook.metadata.pop("llmkit", None)
    path.write_text(nbformat.writes(notebook) + "\n", encoding="utf-8")


def main(words: Sequence[str]) -> None:
    """Executes the notebooks whose names contain one of *words*, or all; `--strip` empties them."""
    names = [word for word in words if not word.startswith("-")]
    paths = [path for path in sorted(HOME.glob("*.ipynb"))
             if not names or any(name in path.stem for name in names)]  # fmt: skip
    for path in paths:
        if "--strip" in words:
            strip(path)
            continue
        began = time.monotonic()
        size = store(path)
        print(f"{path.name}: {size / 1000:,.0f} kB, {time.monotonic() - began:.0f} s", flush=True)


if __name__ == "__main__":
    main(sys.argv[1:])
