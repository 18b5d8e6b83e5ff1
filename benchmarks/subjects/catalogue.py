"""Measures loading the catalogue of models, and resolving a name."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from datetime import date
from functools import partial

from llmkit.catalogue.resolve import resolve
from llmkit.kit import Kit
from llmkit.providers.builtin import shipped

from ..measure import Figure, child

# CPU seconds, and resident MB if the system reports them, of the first access to the catalogue.
LOAD = """
import gc, time
from llmkit.providers import builtin
def resident():
    try:
        with open("/proc/self/statm") as file:
            return int(file.read().split()[1]) * 4096 / 1e6
    except OSError:
        return 0.0
gc.collect()
before, began = resident(), time.process_time()
builtin.shipped()
print(time.process_time() - began, resident() - before)
"""
NAMES = (
    ("gpt-3.5-turbo", None),
    ("gpt-3.5-turbo", "anthropic"),
    ("openai:gpt-6-luna", None),
    ("mistral-small", None),
    ("claude-opus-5", "openrouter"),
    ("llama3.1:8b", None),
)
ROUNDS, CALLS = 15, 200


def figures() -> list[Figure]:
    """Returns the costs of loading in fresh processes, and of resolving in this one."""
    seconds, megabytes = zip(*(child(LOAD) for _ in range(7)), strict=True)
    kit = Kit(environ={})
    warm = _microseconds(lambda name, provider: kit.registry.resolve(name, provider))
    rules = _microseconds(partial(resolve, on=date(2026, 11, 25), catalogue=shipped()))
    kit.close()
    return [
        Figure("loading the catalogue, CPU", 30, statistics.median(seconds) * 1000, " ms"),
        Figure("the catalogue in memory", 8, statistics.median(megabytes), " MB"),
        Figure("resolving a name again, CPU", 50, warm, " µs"),
        Figure("resolving a name by all rules, CPU", 50, rules, " µs"),
    ]


def _microseconds(resolving: Callable[[str, str | None], object]) -> float:
    """Returns the median over the rounds of the mean time per name."""
    rounds = []
    for _ in range(ROUNDS):
        began = time.process_time()
        for _ in range(CALLS):
            for name, provider in NAMES:
                resolving(name, provider)
        rounds.append((time.process_time() - began) / CALLS / len(NAMES) * 1e6)
    return statistics.median(rounds)
