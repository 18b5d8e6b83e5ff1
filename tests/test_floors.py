"""Tests the layout: imports point down, without circles, and heavy packages have one keeper."""

from __future__ import annotations

import ast
import os
import re
import subprocess
import sys
from graphlib import CycleError, TopologicalSorter

from tools import layout
from tools.layout import MODULES, PACKAGE, ROOT, folder_of, name_of, own_imports

# A folder may import the earlier ones; root modules are listed one by one.
ORDER = (
    "_version text errors types secret settings fields cell install", "wire", "catalogue",
    "providers", "views", "telemetry", "runtime", "transport", "retries", "configuration",
    "authentication", "chat", "comparison", "reports", "kit", "api", "notebook", "__init__",
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
    "pandas": {"views/frames.py", "views/exports/excel_frame.py"},
    "pyarrow": {"views/exports/parquet_file.py"},
    "openpyxl": {"views/exports/excel_file.py"},
    "matplotlib": {"views/plots/figure.py"},
    "markdown_it": {"views/answers/markdown_blocks.py"},
    "latex2mathml": {"views/answers/formulas.py"},
    "pygments": {"views/answers/highlighting.py"},
    "xllamacpp": {"transport/local_server.py"},
    "keyring": {"configuration/key_stores.py"},
    "opentelemetry": {"telemetry/opentelemetry.py"},
    "tqdm": {"comparison/watchers.py"},
    "platformdirs": {"configuration/model_list_cache.py"},
}  # fmt: skip
NOTEBOOK_ONLY = {"IPython", "ipywidgets", "anywidget", "traitlets", "ipykernel"}
HEAVY = [
    "asyncio", "pandas", "matplotlib", "aiohttp", "mistralai", "ipywidgets", "anywidget", "IPython",
    "nest_asyncio2", "genai_prices", "msgspec", "markdown_it", "pygments", "latex2mathml",
]  # fmt: skip
LINES_OF_A_FILE, LINES_OF_A_FUNCTION, FILES_IN_ROOT, FILES_IN_A_FOLDER = 400, 60, 12, 24
CHAIN = 14  # modules of which each imports the next one


def test_imports_point_down():
    """A module imports from its own folder or an earlier one; views know only plain values."""
    upward = [
        f"{name_of(path)} imports {other}"
        for path in MODULES
        for other in sorted(own_imports(path))
        for here, there in [(folder_of(name_of(path)), folder_of(other))]
        if here != there
        and (RANKS[there] > RANKS[here] or (here == "views" and there not in PLAIN))
    ]

    assert not upward, "\n".join(upward)


def test_imports_make_no_circle_and_no_long_chain():
    """The modules can be sorted so that each imports only earlier ones; chains are short."""
    graph = {name_of(path): own_imports(path) for path in MODULES}
    graph.pop("__init__.py")
    try:
        TopologicalSorter(graph).prepare()
        circle: list[str] = []
    except CycleError as error:
        circle = error.args[1]

    assert not circle, " imports ".join(circle)
    assert len(layout.longest_chain()) <= CHAIN, "\n".join(layout.longest_chain())


def test_heavy_packages_have_one_keeper():
    """Only its keeper imports a heavy package, only notebook/ IPython, and nothing itself."""
    strangers = [
        f"{name_of(path)} imports {package}"
        for path in MODULES
        for package in sorted(layout.foreign_imports(path))
        if name_of(path) not in KEEPERS.get(package, {name_of(path)})
        or (package in NOTEBOOK_ONLY and not name_of(path).startswith("notebook/"))
        or package == "llmkit"
    ]

    assert not strangers, "\n".join(strangers)


def test_no_file_folder_or_function_is_too_large():
    """A file opens with one sentence; files, functions, folders and the root have their limits."""
    offenders = layout.long_functions(LINES_OF_A_FUNCTION)
    for path in MODULES:
        first = (ast.get_docstring(layout.tree_of(path)) or "").split("\n\n")[0].rstrip()
        if not first.endswith((".", ":")):
            offenders.append(f"{name_of(path)} opens without a sentence")
        if len(path.read_text("utf-8").splitlines()) > LINES_OF_A_FILE:
            offenders.append(f"{name_of(path)} is over {LINES_OF_A_FILE} lines")
    for folder, files in layout.folder_sizes().items():
        if files > (FILES_IN_ROOT if folder == PACKAGE.name else FILES_IN_A_FOLDER):
            offenders.append(f"{folder} has {files} files")
    offenders += [f"two classes are called {line}" for line in layout.classes_of_one_name()]

    assert not offenders, "\n".join(offenders)


def test_the_map_names_what_is_there():
    """docs/house.md names each folder and root module, and no missing file."""
    page = (ROOT / "docs/house.md").read_text("utf-8")
    named = set(re.findall(r"`([a-z_/]+\.py)`", page)) - {"tests/test_floors.py"}
    lines = re.findall(r"^[├└]── ([\w/ ]+?)(?:  |$)", page.split("```")[1], re.MULTILINE)
    tree = {name.rstrip("/") for line in lines for name in line.split()}
    folders = {folder_of(name_of(path)) for path in MODULES}

    assert named - {name_of(path) for path in MODULES} == set()
    assert folders - tree == {"_version"}


def test_importing_llmkit_is_light():
    """`import llmkit` loads no heavy package, not even asyncio."""
    code = f"import llmkit, sys; print([m for m in {HEAVY!r} if m in sys.modules])"
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True,
        env={**os.environ, "COVERAGE_PROCESS_START": ""},
    )  # fmt: skip

    assert done.stdout.strip() == "[]"
