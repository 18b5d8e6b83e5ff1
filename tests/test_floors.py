"""The house stands: imports point down, heavy packages have one keeper, nothing goes in circles."""

from __future__ import annotations

import ast
import functools
import os
import subprocess
import sys
from graphlib import TopologicalSorter
from pathlib import Path

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
VIEWS, USE = 4, 5  # USE: every other module at the top of the package
KEEPERS = {
    "nest_asyncio2": {"runtime/nested.py"},
    "aiohttp": {
        "runtime/transport.py",
        "runtime/failures.py",
        "runtime/aiohttp_internals.py",
    },
    "tenacity": {"runtime/retry.py"},
    "mistralai": {"runtime/mistral_sdk.py"},
    "httpx2": {"runtime/mistral_sdk.py"},
    "genai_prices": {"catalogue/prices.py"},
    "pandas": {"views/frames.py"},
    "matplotlib": {"views/figures.py"},
    "markdown_it": {"views/markdown.py"},
    "xllamacpp": {"runtime/local_server.py"},
    "keyring": {"runtime/key_stores.py"},
    "opentelemetry": {"runtime/otel.py"},
    "tqdm": {"progress.py"},
    "platformdirs": {"runtime/refresh.py"},
}
NOTEBOOK_ONLY = {"IPython", "ipywidgets", "anywidget", "traitlets", "ipykernel"}
HEAVY = [
    "asyncio", "pandas", "matplotlib", "aiohttp", "mistralai", "ipywidgets", "anywidget", "IPython",
    "nest_asyncio2", "genai_prices", "msgspec",
]  # fmt: skip
MODULES = sorted(HOUSE.rglob("*.py"))


def name_of(path: Path) -> str:
    return path.relative_to(HOUSE).as_posix()


def floor_of(module: str) -> int:
    return FLOORS.get(module.split("/")[0].removesuffix(".py"), USE)


@functools.cache
def tree_of(path: Path) -> ast.Module:
    return ast.parse(path.read_text("utf-8"))


def for_types_only(tree: ast.Module) -> set[ast.AST]:
    """Nodes under `if TYPE_CHECKING:`, which no running program imports."""
    return {
        inner
        for node in ast.walk(tree)
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test)
        for inner in ast.walk(node)
    }


@functools.cache
def imports_of(path: Path) -> list[ast.Import | ast.ImportFrom]:
    unreal = for_types_only(tree_of(path))
    found = (n for n in ast.walk(tree_of(path)) if isinstance(n, ast.Import | ast.ImportFrom))
    return [node for node in found if node not in unreal]


def foreign_imports(path: Path) -> set[str]:
    """The packages that *path* imports by their full names."""
    names = set()
    for node in imports_of(path):
        if isinstance(node, ast.Import):
            names |= {alias.name.split(".")[0] for alias in node.names}
        elif not node.level:
            names.add((node.module or "").split(".")[0])
    return names


@functools.cache
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


def test_imports_point_down():
    """A module imports from its own floor or below, and views know only pure ones."""
    upward = [
        f"{name_of(path)} imports {other}"
        for path in MODULES
        for other in sorted(own_imports(path))
        if floor_of(other) > floor_of(name_of(path))
        or (floor_of(name_of(path)) == VIEWS and floor_of(other) not in (0, 1, VIEWS))
    ]

    assert not upward, "\n".join(upward)


def test_there_is_no_import_cycle():
    """The modules can be put in an order in which each imports only earlier ones."""
    graph = {name_of(path): own_imports(path) - {name_of(path)} for path in MODULES}
    graph.pop("__init__.py")

    order = list(TopologicalSorter(graph).static_order())

    assert len(order) >= len(graph)


def test_imports_inside_the_package_are_relative():
    """No module imports the package by its name."""
    offenders = [name_of(path) for path in MODULES if "llmkit" in foreign_imports(path)]

    assert not offenders, "\n".join(offenders)


def test_heavy_packages_have_one_keeper():
    """Only the keeper's file imports a heavy package; only the notebook floor knows IPython."""
    strangers = [
        f"{name_of(path)} imports {package}"
        for path in MODULES
        for package in sorted(foreign_imports(path))
        if name_of(path) not in KEEPERS.get(package, {name_of(path)})
        or (package in NOTEBOOK_ONLY and not name_of(path).startswith("notebook/"))
    ]

    assert not strangers, "\n".join(strangers)


def test_every_file_and_function_has_one_subject():
    """A file opens with one sentence and ends by 400 lines; a function's body has at most 60."""
    offenders = []
    for path in MODULES:
        first = (ast.get_docstring(tree_of(path)) or "").split("\n\n")[0].rstrip()
        if not first.endswith((".", ":")):
            offenders.append(f"{name_of(path)} opens without a sentence")
        if len(path.read_text("utf-8").splitlines()) > 400:
            offenders.append(f"{name_of(path)} is over 400 lines")
        offenders += [f"{name_of(path)}: {name} is over 60 lines" for name in long_functions(path)]

    assert not offenders, "\n".join(offenders)


def long_functions(path: Path) -> list[str]:
    long = []
    for node in ast.walk(tree_of(path)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            body = node.body[1:] if ast.get_docstring(node) else node.body
            if body and (body[-1].end_lineno or 0) - body[0].lineno + 1 > 60:
                long.append(node.name)
    return long


def test_importing_llmkit_is_light():
    """`import llmkit` loads no heavy package, not even asyncio."""
    code = f"import llmkit, sys; print([m for m in {HEAVY!r} if m in sys.modules])"
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True,
        env={**os.environ, "COVERAGE_PROCESS_START": ""},
    )  # fmt: skip

    assert done.stdout.strip() == "[]"
