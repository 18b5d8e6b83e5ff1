"""Runs the first notebook without API keys, saves it and its HTML page, prints its table."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import nbformat
from nbclient import NotebookClient
from nbconvert import HTMLExporter

TOP = Path(__file__).resolve().parents[1]
NOTEBOOK = TOP / "notebooks" / "01_first_comparison.ipynb"


def main(target: Path) -> None:
    target.mkdir(parents=True, exist_ok=True)
    notebook = nbformat.read(NOTEBOOK, as_version=4)
    print(f"running {NOTEBOOK.relative_to(TOP)} on the embedded language model ...", flush=True)
    # A kernelspec of this environment, independent of the machine's kernelspecs.
    notebook.metadata["kernelspec"] = {"name": "python3", "display_name": "Python 3"}
    NotebookClient(
        notebook,
        timeout=600,
        resources={"metadata": {"path": str(target)}},
        extra_arguments=["--log-level=ERROR"],
    ).execute(env=without_keys())
    ran = target / NOTEBOOK.name
    nbformat.write(notebook, ran)
    page = ran.with_suffix(".html")
    html, _ = HTMLExporter(sanitize_html=False).from_notebook_node(notebook)
    page.write_text(html, encoding="utf-8")
    print(tagged(notebook, "table"))
    print(f"\nthe executed notebook: {ran}\nas an HTML page:       {page}")


def without_keys() -> dict[str, str]:
    """Returns the environment without API keys, so that the demo sends no paid request."""
    kept = {name: value for name, value in os.environ.items() if not name.endswith("_API_KEY")}
    return {**kept, "LLMKIT_KEYRING": "0"}


def tagged(notebook: nbformat.NotebookNode, tag: str) -> str:
    """Returns the plain text that the cell with *tag* printed."""
    cell = next(c for c in notebook.cells if tag in c.metadata.get("tags", ()))
    texts = [o.get("text") or o.get("data", {}).get("text/plain", "") for o in cell.outputs]
    return "\n".join(texts).rstrip()


if __name__ == "__main__":
    main(Path(sys.argv[1]).resolve())
