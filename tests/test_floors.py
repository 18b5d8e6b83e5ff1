"""The house stands: imports point down, heavy packages have one keeper, nothing goes in circles."""

from __future__ import annotations

import ast
import os
import subprocess
import sys
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
HOUSE = ROOT / "llmkit"
FLOORS = {
    "errors": 0, "types": 0, "secret": 0, "settings": 0, "plain": 0, "_version": 0,
    "wire": 1, "catalogue": 1,
    "providers": 2,
    "runtime": 3,
    "views": 4,
    "notebook": 6,
    "__init__": 7,
}  # fmt: skip
USE = 5  # every other module at the top of the package
KEEPERS = {
    "nest_asyncio2": {"runtime/nested.py"},
    "aiohttp": {"runtime/transport.py", "runtime/road.py", "runtime/failures.py"},
    "tenacity": {"runtime/retry.py"},
    "mistralai": {"runtime/mistral_sdk.py"},
    "httpx2": {"runtime/mistral_sdk.py", "runtime/sdk_transport.py"},
    "genai_prices": {"catalogue/prices.py"},
    "pandas": {"views/frames.py"},
    "matplotlib": {"views/figures.py"},
    "markdown_it": {"views/markdown.py"},
    "xllamacpp": {"runtime/local_server.py"},
    "keyring": {"runtime/key_stores.py"},
    "opentelemetry": {"runtime/otel.py"},
    "tqdm": {"progress.py"},
    "filelock": {"runtime/refresh.py"},
    "platformdirs": {"runtime/refresh.py"},
}
NOTEBOOK_ONLY = {"IPython", "ipywidgets", "anywidget", "traitlets", "ipykernel"}
HEAVY = [
    "asyncio", "pandas", "matplotlib", "aiohttp", "mistralai", "ipywidgets", "anywidget", "IPython",
    "nest_asyncio2", "genai_prices",
]  # fmt: skip
MODULES = sorted(HOUSE.rglob("*.py"))


def name_of(path: Path) -> str:
    return path.relative_to(HOUSE).as_posix()


def floor_of(module: str) -> int:
    return FLOORS.get(module.split("/")[0].removesuffix(".py"), USE)


def for_types_only(tree: ast.Module) -> set[ast.AST]:
    """Nodes under `if TYPE_CHECKING:`, which no running program imports."""
    return {
        inner
        for node in ast.walk(tree)
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test)
        for inner in ast.walk(node)
    }


def imports_of(path: Path) -> list[ast.Import | ast.ImportFrom]:
    tree = ast.parse(path.read_text())
    unreal = for_types_only(tree)
    found = (n for n in ast.walk(tree) if isinstance(n, ast.Import | ast.ImportFrom))
    return [node for node in found if node not in unreal]


def own_imports(path: Path) -> set[str]:
    """The modules of ours that *path* imports, as paths below the package."""
    found = set()
    for node in imports_of(path):
        if not isinstance(node, ast.ImportFrom) or not node.level:
            continue
        base = path.parent
        for _ in range(node.level - 1):
            base = base.parent
        target = base.joinpath(*(node.module or "").split("."))
        names = [target / alias.name for alias in node.names] if target.is_dir() else [target]
        for name in [*names, target]:
            file = name.with_suffix(".py")
            if file.exists():
                found.add(name_of(file))
    return found


@pytest.mark.parametrize("path", MODULES, ids=name_of)
def test_imports_point_down(path):
    """A module imports from its own floor or below."""
    here = floor_of(name_of(path))

    upward = {other for other in own_imports(path) if floor_of(other) > here}

    assert upward == set()


@pytest.mark.parametrize("path", MODULES, ids=name_of)
def test_views_know_only_the_ground_and_knowledge(path):
    """Views take plain values: neither a provider nor the runtime."""
    if floor_of(name_of(path)) != 4:
        return

    known = {floor_of(other) for other in own_imports(path)}

    assert known <= {0, 1, 4}


def test_there_is_no_import_cycle():
    """The modules can be put in an order in which each imports only earlier ones."""
    graph = {name_of(path): own_imports(path) - {name_of(path)} for path in MODULES}
    graph.pop("__init__.py")

    order = list(TopologicalSorter(graph).static_order())

    assert len(order) >= len(graph)


@pytest.mark.parametrize("path", MODULES, ids=name_of)
def test_imports_inside_the_package_name_a_module(path):
    """Nobody imports the package root, by its name or by dots."""
    root = []
    for node in imports_of(path):
        names = [a.name for a in node.names] if isinstance(node, ast.Import) else [node.module]
        root += [n for n in names if n and n.split(".")[0] == "llmkit"]

    assert root == []


@pytest.mark.parametrize("path", MODULES, ids=name_of)
def test_heavy_packages_have_one_keeper(path):
    """Only the keeper's file imports a heavy package; only the notebook floor knows IPython."""
    here = name_of(path)
    strangers = set()
    for node in imports_of(path):
        names = [a.name for a in node.names] if isinstance(node, ast.Import) else [node.module]
        if isinstance(node, ast.ImportFrom) and node.level:
            continue
        for name in filter(None, names):
            package = name.split(".")[0]
            if package in KEEPERS and here not in KEEPERS[package]:
                strangers.add(package)
            if package in NOTEBOOK_ONLY and not here.startswith("notebook/"):
                strangers.add(package)

    assert strangers == set()


@pytest.mark.parametrize("path", MODULES, ids=name_of)
def test_each_file_says_in_one_sentence_what_it_is(path):
    """Every module's docstring begins with one sentence; no file outgrows its subject."""
    text = path.read_text()
    first = (ast.get_docstring(ast.parse(text)) or "").split("\n\n")[0]

    assert first.rstrip().endswith((".", ":"))
    assert len(text.splitlines()) <= 400


@pytest.mark.parametrize("path", MODULES, ids=name_of)
def test_no_function_is_over_sixty_lines(path):
    """A function fits on a screen; its docstring and its parameters do not count."""
    long = []
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            body = node.body[1:] if ast.get_docstring(node) else node.body
            if body and (body[-1].end_lineno or 0) - body[0].lineno + 1 > 60:
                long.append(node.name)

    assert long == []


def test_importing_llmkit_is_light():
    """`import llmkit` loads no heavy package, not even asyncio."""
    code = f"import llmkit, sys; print([m for m in {HEAVY!r} if m in sys.modules])"
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True,
        env={**os.environ, "COVERAGE_PROCESS_START": ""},
    )  # fmt: skip

    assert done.stdout.strip() == "[]"
