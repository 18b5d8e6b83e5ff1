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
import asyncio, json
from llmkit.catalogue import prices
from llmkit.providers.builtin import shipped
async def main():
    seen = []
    for name in ("ollama", "openai", "mistral"):
        await prices.preload(name, shipped())
        seen.append(prices.load.cache_info().currsize)
    return seen
print(json.dumps(asyncio.run(main())))
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


def test_prices_are_read_before_the_first_request_whose_answer_they_price():
    """Read beside the answer, they would delay its pieces, and so lengthen its times."""
    assert child(WARM) == [0, 1, 1]
