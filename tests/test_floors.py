"""The layout holds: imports point down, heavy packages have one keeper, nothing goes in circles."""

from __future__ import annotations

import ast
import functools
import os
import subprocess
import sys
from collections import Counter, defaultdict
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "llmkit"
MODULES = sorted(PACKAGE.rglob("*.py"))
# A folder may import what stands before it; root modules are named one by one.
ORDER = (
    "_version errors types secret settings text cell", "wire", "catalogue", "providers views",
    "telemetry", "runtime", "transport", "retries", "configuration", "authentication", "chat",
    "comparison", "reports", "kit", "api", "notebook", "__init__",
)  # fmt: skip
RANKS = {name: rank for rank, names in enumerate(ORDER) for name in names.split()}
PLAIN = {"wire", "catalogue", "views", *ORDER[0].split()}  # what views may import
KEEPERS = {
    "nest_asyncio2": {"runtime/nested.py"},
    "aiohttp": {
        "transport/aiohttp_transport.py", "transport/failures.py", "runtime/aiohttp_internals.py",
    },
    "tenacity": {"retries/policy.py"},
    "mistralai": {"transport/mistral_sdk.py"},
    "httpx2": {"transport/mistral_sdk.py"},
    "genai_prices": {"catalogue/prices.py"},
    "pandas": {"views/frames.py"},
    "matplotlib": {"views/plots/figure.py"},
    "markdown_it": {"views/answers/markdown.py"},
    "xllamacpp": {"transport/local_server.py"},
    "keyring": {"configuration/key_stores.py"},
    "opentelemetry": {"telemetry/opentelemetry.py"},
    "tqdm": {"comparison/watchers.py"},
    "platformdirs": {"configuration/model_list_cache.py"},
}  # fmt: skip
NOTEBOOK_ONLY = {"IPython", "ipywidgets", "anywidget", "traitlets", "ipykernel"}
HEAVY = [
    "asyncio", "pandas", "matplotlib", "aiohttp", "mistralai", "ipywidgets", "anywidget", "IPython",
    "nest_asyncio2", "genai_prices", "msgspec",
]  # fmt: skip
LINES_OF_A_FILE, LINES_OF_A_FUNCTION, FILES_IN_ROOT, FILES_IN_A_FOLDER = 400, 60, 12, 24
TWICE = {"Asked", "Call", "Cell", "Models", "Sessions"}  # until they are renamed


def name_of(path: Path) -> str:
    return path.relative_to(PACKAGE).as_posix()


def folder_of(name: str) -> str:
    return name.split("/")[0].removesuffix(".py")


@functools.cache
def tree_of(path: Path) -> ast.Module:
    return ast.parse(path.read_text("utf-8"))


@functools.cache
def imports_of(path: Path) -> tuple[ast.Import | ast.ImportFrom, ...]:
    """Every import of *path*, those for typing and those inside functions too."""
    nodes = ast.walk(tree_of(path))
    return tuple(node for node in nodes if isinstance(node, ast.Import | ast.ImportFrom))


def foreign_imports(path: Path) -> set[str]:
    """The packages that *path* imports by their full names when it runs."""
    typing_only = {
        inner
        for node in ast.walk(tree_of(path))
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test)
        for inner in ast.walk(node)
    }
    names = set()
    for node in imports_of(path):
        if node in typing_only:
            continue
        if isinstance(node, ast.Import):
            names |= {alias.name.split(".")[0] for alias in node.names}
        elif not node.level:
            names.add((node.module or "").split(".")[0])
    return names


@functools.cache
def own_imports(path: Path) -> set[str]:
    """The modules of llmkit that *path* imports, as paths below the package."""
    names = set()
    for node in imports_of(path):
        if not isinstance(node, ast.ImportFrom) or not node.level:
            continue
        base = path.parents[node.level - 1].joinpath(*(node.module or "").split("."))
        targets = [base / alias.name for alias in node.names] if base.is_dir() else [base]
        files = (target.with_suffix(".py") for target in targets)
        names |= {name_of(file) for file in files if file.exists()}
    return names


def test_imports_point_down():
    """A module imports from its own folder or an earlier one; views know only plain values."""
    upward = [
        f"{name_of(path)} imports {other}"
        for path in MODULES
        for other in own_imports(path)
        for here, there in [(folder_of(name_of(path)), folder_of(other))]
        if here != there
        and (RANKS[there] > RANKS[here] or (here == "views" and there not in PLAIN))
    ]

    assert not upward, "\n".join(upward)


def test_there_is_no_import_cycle():
    """The modules can be put in an order in which each imports only earlier ones."""
    graph = {name_of(path): own_imports(path) - {name_of(path)} for path in MODULES}
    graph.pop("__init__.py")
    try:
        TopologicalSorter(graph).prepare()
        cycle: list[str] = []
    except CycleError as error:
        cycle = error.args[1]

    assert not cycle, " imports ".join(cycle)


def test_heavy_packages_have_one_keeper():
    """Only its keeper imports a heavy package, only notebook/ IPython, and nothing itself."""
    strangers = [
        f"{name_of(path)} imports {package}"
        for path in MODULES
        for package in sorted(foreign_imports(path))
        if name_of(path) not in KEEPERS.get(package, {name_of(path)})
        or (package in NOTEBOOK_ONLY and not name_of(path).startswith("notebook/"))
        or package == "llmkit"
    ]

    assert not strangers, "\n".join(strangers)


def test_no_file_folder_or_function_is_too_large():
    """A file opens with one sentence; files, functions, folders and the root have their limits."""
    offenders = []
    for path in MODULES:
        first = (ast.get_docstring(tree_of(path)) or "").split("\n\n")[0].rstrip()
        if not first.endswith((".", ":")):
            offenders.append(f"{name_of(path)} opens without a sentence")
        if len(path.read_text("utf-8").splitlines()) > LINES_OF_A_FILE:
            offenders.append(f"{name_of(path)} is over {LINES_OF_A_FILE} lines")
        offenders += [
            f"{name_of(path)}: {node.name} is over {LINES_OF_A_FUNCTION} lines"
            for node in ast.walk(tree_of(path))
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
            and (node.end_lineno or 0) - node.lineno + 1 > LINES_OF_A_FUNCTION
        ]
    for folder, files in Counter(path.parent for path in MODULES).items():
        if files > (FILES_IN_ROOT if folder == PACKAGE else FILES_IN_A_FOLDER):
            offenders.append(f"{folder.relative_to(ROOT)} has {files} files")

    assert not offenders, "\n".join(offenders)


def test_a_class_has_its_name_for_itself():
    """No two classes of the package are called the same."""
    homes = defaultdict(list)
    for path in MODULES:
        for node in ast.walk(tree_of(path)):
            if isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
                homes[node.name].append(name_of(path))
    twice = [
        f"{name}: {', '.join(files)}"
        for name, files in homes.items()
        if len(files) > 1 and name not in TWICE
    ]

    assert not twice, "\n".join(twice)


def test_importing_llmkit_is_light():
    """`import llmkit` loads no heavy package, not even asyncio."""
    code = f"import llmkit, sys; print([m for m in {HEAVY!r} if m in sys.modules])"
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True,
        env={**os.environ, "COVERAGE_PROCESS_START": ""},
    )  # fmt: skip

    assert done.stdout.strip() == "[]"
