"""Measures the import of llmkit and of its extension."""

from __future__ import annotations

import statistics

from ..measure import Figure, child, median_ratio

ROUNDS = 9
IMPORT = "import time; a=time.process_time(); import {what}; print(time.process_time()-a)"
# Loads the extension in a bare IPython after one cell: its CPU seconds and modules.
LOAD = """
import sys, time
from IPython.core.interactiveshell import InteractiveShell
shell = InteractiveShell.instance()
shell.run_cell("import asyncio, json")
before, a = set(sys.modules), time.process_time()
shell.extension_manager.load_extension("llmkit")
print(time.process_time() - a, len(set(sys.modules) - before))
"""


def figures() -> list[Figure]:
    """Returns ratios and counts of imports."""
    imports = [
        (child(IMPORT.format(what="llmkit"))[0], child(IMPORT.format(what="aiohttp"))[0])
        for _ in range(ROUNDS)
    ]
    seconds, modules = zip(*(child(LOAD) for _ in range(5)), strict=True)
    return [
        Figure("`import llmkit` / `import aiohttp`, CPU", 0.2, median_ratio(imports)),
        Figure("`%load_ext llmkit` in a bare IPython, CPU", 0.15, statistics.median(seconds), " s"),
        Figure("`%load_ext llmkit` in a bare IPython, modules", 60, statistics.median(modules), ""),
    ]
