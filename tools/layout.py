"""Reads the package's own source: its imports, classes and sizes, for tests and `make figures`."""

from __future__ import annotations

import ast
import functools
from collections import Counter, defaultdict
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "llmkit"
MODULES = tuple(sorted(PACKAGE.rglob("*.py")))

Import = ast.Import | ast.ImportFrom
Function = ast.FunctionDef | ast.AsyncFunctionDef


def name_of(path: Path) -> str:
    """Returns the path below the package, such as "chat/call.py"."""
    return path.relative_to(PACKAGE).as_posix()


def folder_of(name: str) -> str:
    """Returns the first folder of a name, or the name of a module in the root."""
    return name.split("/")[0].removesuffix(".py")


@functools.cache
def tree_of(path: Path) -> ast.Module:
    """Returns the parsed file."""
    return ast.parse(path.read_text("utf-8"))


def functions(path: Path) -> Iterator[Function]:
    """Yields every function of a file, methods included."""
    for node in ast.walk(tree_of(path)):
        if isinstance(node, Function):
            yield node


def size(node: Function) -> int:
    """Returns the lines of a function, its docstring included and its decorators not."""
    return (node.end_lineno or 0) - node.lineno + 1


def long_functions(limit: int) -> list[str]:
    """Returns the functions with more lines than *limit*."""
    return [
        f"{name_of(path)}: {node.name} ({size(node)} lines)"
        for path in MODULES
        for node in functions(path)
        if size(node) > limit
    ]


@functools.cache
def imports(path: Path, *, typing: bool = True, lazy: bool = True) -> tuple[Import, ...]:
    """Returns the imports of a file, those for typing and those inside functions if asked."""
    tree = tree_of(path)
    left_out: set[ast.AST] = set()
    for node in ast.walk(tree):
        for_typing = isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test)
        if (for_typing and not typing) or (isinstance(node, Function) and not lazy):
            left_out |= set(ast.walk(node))
    nodes = (node for node in ast.walk(tree) if isinstance(node, Import))
    return tuple(node for node in nodes if node not in left_out)


@functools.cache
def own_imports(path: Path, *, typing: bool = True, lazy: bool = True) -> frozenset[str]:
    """Returns the modules of llmkit that a file imports, by their names."""
    names = set()
    for node in imports(path, typing=typing, lazy=lazy):
        if not isinstance(node, ast.ImportFrom) or not node.level:
            continue
        base = path.parents[node.level - 1].joinpath(*(node.module or "").split("."))
        targets = [base / alias.name for alias in node.names] if base.is_dir() else [base]
        names |= {name_of(t.with_suffix(".py")) for t in targets if t.with_suffix(".py").exists()}
    return frozenset(names - {name_of(path)})


def foreign_imports(path: Path) -> set[str]:
    """Returns the packages that a file imports by their full names when it runs."""
    names = set()
    for node in imports(path, typing=False):
        if isinstance(node, ast.Import):
            names |= {alias.name.split(".")[0] for alias in node.names}
        elif not node.level:
            names.add((node.module or "").split(".")[0])
    return names


def longest_chain(*, lazy: bool = False) -> tuple[str, ...]:
    """Returns the longest chain of modules of which each imports the next one at run time.

    An import by a string (`import_module`) is not seen: it runs when something is first used.
    """

    @functools.cache
    def chain(name: str) -> tuple[str, ...]:
        below = own_imports(PACKAGE / name, typing=False, lazy=lazy)
        return (name, *max(map(chain, below), key=len, default=()))

    return max((chain(name_of(path)) for path in MODULES), key=len)


def folder_sizes() -> Counter[str]:
    """Returns the number of Python files in each folder; the root is called "llmkit"."""
    return Counter(path.parent.relative_to(ROOT).as_posix() for path in MODULES)


def classes_of_one_name() -> list[str]:
    """Returns the public class names that are used in more than one file, with those files."""
    homes = defaultdict(list)
    for path in MODULES:
        for node in ast.walk(tree_of(path)):
            if isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
                homes[node.name].append(name_of(path))
    return [f"{name}: {', '.join(files)}" for name, files in homes.items() if len(files) > 1]


def small_helpers(limit: int) -> list[str]:
    """Returns private functions under *limit* lines that the package names once, to call them.

    A function that is passed on as a value, such as a callback, is not counted.
    """
    named: Counter[str] = Counter()
    called: set[str] = set()
    for path in MODULES:
        for node in ast.walk(tree_of(path)):
            if isinstance(node, ast.Name):
                named[node.id] += 1
            elif isinstance(node, ast.Attribute):
                named[node.attr] += 1
            elif isinstance(node, ast.alias):
                named[node.name] += 1
            elif isinstance(node, ast.Call):
                called.add(getattr(node.func, "id", None) or getattr(node.func, "attr", ""))
    return [
        f"{name_of(path)}: {node.name} ({size(node)} lines)"
        for path in MODULES
        for node in functions(path)
        if node.name.startswith("_")
        and not node.name.startswith("__")
        and not node.decorator_list
        and size(node) < limit
        and named[node.name] == 1
        and node.name in called
    ]
