"""Prints the size of the package, its layout, and the path of one answer: `make figures`."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections import defaultdict
from pathlib import Path

from . import layout

LONG = 60  # lines of a function, its docstring included
SMALL = 10  # lines of a helper that could stand in its only caller
# Phrases that say less than a plain noun or verb.
PRIVATE_WORDS = re.compile(
    r"\b(nobody|somebody|anybody|everybody|whoever|anew|mend(ed|s)?|dear(er|est))\b"
    r"|\bis no (?!longer)|in the place of",
    re.IGNORECASE,
)
PROSE = ("llmkit/**/*.py", "docs/**/*.md", "notebooks/*.ipynb", "*.md", "Makefile")

# Prints each function of the package that a second, warm, streamed ask calls.
ASK = """
import sys
from pathlib import Path
import llmkit
from tests.fakes.server import FakeProviders

package = str(Path(llmkit.__file__).parent)
seen = set()

def note(frame, event, argument):
    if event == "call" and frame.f_code.co_filename.startswith(package):
        seen.add((frame.f_code.co_filename[len(package) + 1:], frame.f_code.co_qualname))

with FakeProviders() as server:
    llmkit.configure(base_urls={"openai": server.base_url("openai")}, list_prices="all")
    llmkit.current_kit().credentials.type_in("openai", server.key)
    for turn in range(2):
        sys.setprofile(note if turn else None)
        answer = llmkit.ask("hi", "openai:gpt-6-luna")
        sys.setprofile(None)
    assert answer.text and answer.cost_usd
    llmkit.close("all")
for place in sorted(seen):
    print(*place)
"""


def path_of_an_ask() -> dict[str, list[str]]:
    """Returns the functions that a warm, streamed ask runs through, by file."""
    run = subprocess.run(
        [sys.executable, "-c", ASK], cwd=layout.ROOT, capture_output=True, text=True, check=True
    )
    by_file = defaultdict(list)
    for line in run.stdout.splitlines():
        file, name = line.split(" ", 1)
        by_file[file].append(name)
    return by_file


def lines_with_private_words() -> list[str]:
    """Returns the places of private words, as file:line."""
    return [
        f"{path.relative_to(layout.ROOT)}:{number}"
        for pattern in PROSE
        for path in sorted(layout.ROOT.glob(pattern))
        for number, line in enumerate(prose_of(path).splitlines(), 1)
        if PRIVATE_WORDS.search(line)
    ]


def prose_of(path: Path) -> str:
    """Returns the text of a file; of a notebook its cells without outputs, one below the other."""
    text = path.read_text("utf-8")
    if path.suffix != ".ipynb":
        return text
    return "\n".join("".join(cell["source"]) for cell in json.loads(text)["cells"])


def main() -> None:
    sizes = layout.folder_sizes()
    lines = sum(len(path.read_text("utf-8").splitlines()) for path in layout.MODULES)
    long, helpers = layout.long_functions(LONG), layout.small_helpers(SMALL)
    chain, lazy = layout.longest_chain(), layout.longest_chain(lazy=True)
    twice, ask = layout.classes_of_one_name(), path_of_an_ask()
    functions = sum(map(len, ask.values()))
    private = lines_with_private_words()
    folder, most = sizes.most_common(1)[0]
    print(f"lines of the package: {lines:,}")
    print(f"files in its root: {sizes['llmkit']}; most in one folder: {most} in {folder}")
    print(f"longest chain of imports: {len(chain)} modules; {len(lazy)} with those in functions")
    print(f"class names used twice: {len(twice)}", *twice, sep="\n  ")
    print(f"functions over {LONG} lines: {len(long)}", *long, sep="\n  ")
    print(f"private functions under {SMALL} lines with one caller: {len(helpers)}")
    print(f"a warm, streamed ask: {functions} functions in {len(ask)} files")
    print(f"lines with private words: {len(private)}")
    if "--list" in sys.argv[1:]:
        print("chain:", *chain, sep="\n  ")
        print("helpers:", *helpers, sep="\n  ")
        print("ask:", *(f"{file}: {', '.join(names)}" for file, names in ask.items()), sep="\n  ")
        print("private words:", *private, sep="\n  ")


if __name__ == "__main__":
    main()
