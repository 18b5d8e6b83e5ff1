"""Prints how large the house is and how long the way of one answer through it: `make figures`."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections import Counter, defaultdict
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[1]
HOUSE = ROOT / "llmkit"
LONG = 60  # lines of a function, its docstring included
SMALL = 10  # lines of a helper that could stand in its only caller

# A second, warm, streamed ask; what it ran through is told by module and name.
WAY = """
import sys
from pathlib import Path
import llmkit
from tests.fakes.server import FakeProviders

house = str(Path(llmkit.__file__).parent)
seen = set()

def note(frame, event, argument):
    if event == "call" and frame.f_code.co_filename.startswith(house):
        seen.add((frame.f_code.co_filename[len(house) + 1:], frame.f_code.co_qualname))

with FakeProviders() as server:
    llmkit.configure(base_urls={"openai": server.base_url("openai")})
    llmkit.current_kit().credentials.type_in("openai", server.key)
    for turn in range(2):
        sys.setprofile(note if turn else None)
        answer = llmkit.ask("hi", "openai:gpt-6-luna")
        sys.setprofile(None)
    assert answer.text
    llmkit.close("all")
for place in sorted(seen):
    print(*place)
"""


def trees() -> dict[Path, ast.Module]:
    """The parsed files of the package."""
    return {path: ast.parse(path.read_text("utf-8")) for path in sorted(HOUSE.rglob("*.py"))}


def functions(tree: ast.AST) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    """Every function in *tree*, methods included."""
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node


def size(node: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    """Its lines, without decorators."""
    return (node.end_lineno or 0) - node.lineno + 1


def small_helpers(parsed: dict[Path, ast.Module]) -> list[str]:
    """Private functions under ten lines that the package names only once, where it calls them.

    One that is handed over as a value, such as a callback, is none.
    """
    named: Counter[str] = Counter()
    called: set[str] = set()
    for tree in parsed.values():
        for node in ast.walk(tree):
            if isinstance(node, ast.Name):
                named[node.id] += 1
            elif isinstance(node, ast.Attribute):
                named[node.attr] += 1
            elif isinstance(node, ast.alias):
                named[node.name] += 1
            elif isinstance(node, ast.Call):
                called.add(getattr(node.func, "id", None) or getattr(node.func, "attr", ""))
    return [
        f"{path.relative_to(HOUSE)}: {node.name} ({size(node)} lines)"
        for path, tree in parsed.items()
        for node in functions(tree)
        if node.name.startswith("_")
        and not node.name.startswith("__")
        and not node.decorator_list
        and size(node) < SMALL
        and named[node.name] == 1
        and node.name in called
    ]


def way() -> list[tuple[str, str]]:
    """File and name of each function that a warm, streamed ask runs through."""
    done = subprocess.run(
        [sys.executable, "-c", WAY], cwd=ROOT, capture_output=True, text=True, check=True
    )
    return [tuple(line.split(" ", 1)) for line in done.stdout.splitlines()]  # type: ignore[misc]


def main() -> None:
    parsed = trees()
    folders = Counter(path.parent for path in parsed)
    most = max((count, str(folder.relative_to(ROOT))) for folder, count in folders.items())
    lines = sum(len(path.read_text("utf-8").splitlines()) for path in parsed)
    long = [
        f"{path.relative_to(HOUSE)}: {node.name} ({size(node)} lines)"
        for path, tree in parsed.items()
        for node in functions(tree)
        if size(node) > LONG
    ]
    helpers = small_helpers(parsed)
    ran = way()
    print(f"lines of the package: {lines:,}")
    print(f"files in its root: {folders[HOUSE]}; most in one folder: {most[0]} in {most[1]}")
    print(f"functions over {LONG} lines: {len(long)}", *long, sep="\n  ")
    print(f"private functions under {SMALL} lines with one caller: {len(helpers)}")
    print(f"a warm, streamed ask: {len(ran)} functions in {len({file for file, _ in ran})} files")
    if "--list" in sys.argv[1:]:
        print("helpers:", *helpers, sep="\n  ")
        by_file = defaultdict(list)
        for file, name in ran:
            by_file[file].append(name)
        for file, names in by_file.items():
            print(f"  {file}: {', '.join(names)}")


if __name__ == "__main__":
    main()
