"""Tests which modules the first answer of a process loads, and which it leaves for later."""

from __future__ import annotations

import json
import os
import subprocess
import sys

# A first answer is a third slower with them, and does not need them.
LATER = [
    "pandas", "matplotlib", "genai_prices", "tenacity", "nest_asyncio2", "mistralai", "difflib",
    "tomllib", "html", "importlib.resources", "llmkit.views.markup", "llmkit.reports",
    "llmkit.authentication.checks", "llmkit.comparison.result", "llmkit.catalogue.fallback",
    "llmkit.catalogue.listing", "llmkit.transport.local_model", "llmkit.transport.scripted",
]  # fmt: skip
ASK = """
import json, sys, llmkit
llmkit.add_provider("near", "{url}", "NEAR_API_KEY")
answer = llmkit.ask("hi", "near:gpt-6-luna")
loaded = [name for name in {later} if name in sys.modules]
llmkit.close("all")
print(json.dumps([answer.text != "", loaded]))
"""
WARM = """
import json, threading
from llmkit.catalogue import prices
from llmkit.providers.builtin import shipped
seen = []
for name in ("ollama", "openai", "mistral"):
    prices.preload(name, shipped())
    seen.append(sum(t.name == "llmkit-import-genai_prices" for t in threading.enumerate()))
for thread in threading.enumerate():
    if thread.name == "llmkit-import-genai_prices":
        thread.join()
print(json.dumps([seen, bool(prices.load.cache_info().currsize)]))
"""


def child(code, **environ):
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True,
        # A child that is measured for coverage loads the modules of coverage.
        env={**{n: v for n, v in os.environ.items() if not n.startswith("COV")}, **environ},
    )  # fmt: skip
    return json.loads(done.stdout)


def test_a_first_answer_loads_nothing_that_it_does_not_need(fakes):
    """Tables, views, prices, sign-in, the embedded model and retries are loaded when needed."""
    code = ASK.format(url=fakes.base_url("openai"), later=LATER)

    assert child(code, NEAR_API_KEY=fakes.key) == [True, []]


def test_prices_are_read_while_the_first_answer_is_made():
    """One thread reads the prices, for the first provider whose answers they price."""
    assert child(WARM) == [[0, 1, 1], True]
