"""Adding a provider is one file and one line; adding a request parameter is one row.

The tests add them to a copy of the package, and use them like any other.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from tests.fakes.reply import stream

ROOT = Path(__file__).parents[1]
PROVIDER = '''"""The lab's own gateway."""

from ..catalogue.provider_table import ProviderFacts
from .chat_completions import OpenAIChat


class Lab(OpenAIChat):
    """A provider as docs/howto/provider.md has it."""

    name = "lab"
    label = "The Lab"
    default_base_url = "https://lab.invalid/v1"
    key_vars = ("LAB_API_KEY",)
    parameter_fields = {"max_tokens": "max_completion_tokens"}
    facts = ProviderFacts(
        "maker", price_table="deepseek", aliases=("laboratory",), prefixes=("labs/",), color=0,
        marker="v",
    )
'''
PARAMETER = """    frequency_penalty: float | None = parameter(
        "Float64", "penalty on tokens that came often", default=None, low=-2, high=2,
        otel="gen_ai.request.frequency_penalty",
    )
"""
TEXT_PARAMETER = """    reasoning_effort: str | None = parameter(
        "string", "how long a model thinks", default=None
    )
"""
REFUSED = """
import json
import llmkit
from llmkit.notebook.magics import LlmkitMagics
from llmkit.notebook.panels.compare_form import CompareForm

answer = llmkit.ask("hi", "lab:deepseek-chat", reasoning_effort="low")
other = llmkit.ask("hi", "openai:gpt-4o", reasoning_effort="low")
form = CompareForm("hi", models=("lab:x",), numbers=(("reasoning_effort", "low, high"),))
parse = LlmkitMagics.ask.parser.parse_args(["--reasoning-effort", '"low"'])
print(json.dumps({
    "ignored": [answer.ignored_parameters, other.ignored_parameters],
    "form": [request.parameters["reasoning_effort"] for request in form.arguments().requests],
    "magic": parse.reasoning_effort,
}))
llmkit.close("all")
"""
USE = """
import inspect, json
import llmkit
from llmkit.notebook.magics import LlmkitMagics
from llmkit.notebook.panels.compare import FIELDS
from llmkit.telemetry.opentelemetry import _details

one = llmkit.ask("hi", "laboratory:deepseek-chat", max_tokens=7, frequency_penalty=0.5)
event = llmkit.current_kit().manager.telemetry.events()[-1]
run = llmkit.compare("hi", ["lab:deepseek-chat", "labs/deepseek-reasoner"],
                     frequency_penalty=[0, 1])
frame, plot = run.frame(), run.plot("cost", substituted=True)  # one model answers both names
options = [o for action in LlmkitMagics.ask.parser._actions for o in action.option_strings]
try:
    llmkit.ask("hi", "lab:deepseek-chat", frequency_penalty=3)
except llmkit.errors.ConfigError as error:
    refusal = str(error)
print(json.dumps({
    "one": [one.provider, one.cost_usd is not None and one.cost_usd > 0, one.cost_source],
    "paid": list(frame["cost_usd"] > 0),
    "providers": list(frame["provider"]),
    "column": [str(frame["frequency_penalty"].dtype), list(frame["frequency_penalty"])],
    "event": [event.parameters, _details(event)["gen_ai.request.frequency_penalty"]],
    "plot": [line.get_marker() for line in plot.legends[0].get_lines()],
    "signature": "frequency_penalty" in inspect.signature(llmkit.ask).parameters,
    "help": "Penalty on tokens that came often (-2 to 2)" in llmkit.compare.__doc__,
    "magic": "--frequency-penalty" in options,
    "form": "frequency_penalty" in FIELDS,
    "states": [row["state"] for row in llmkit.auth().rows if row["provider"] == "lab"],
    "completion": "lab:" in llmkit.current_kit().registry.model_names("la"),
    "refusal": refusal,
}))
llmkit.close("all")
"""


@pytest.fixture
def package(tmp_path):
    """A copy of the package and its tests, without compiled files."""
    for name in ("llmkit", "tests"):
        ignored = shutil.ignore_patterns("__pycache__")
        shutil.copytree(ROOT / name, tmp_path / name, ignore=ignored)
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    return tmp_path


def insert(path: Path, before: str, lines: str) -> None:
    """Inserts *lines* before the only occurrence of *before*."""
    text = path.read_text(encoding="utf-8")
    assert text.count(before) == 1
    path.write_text(text.replace(before, lines + before), encoding="utf-8")


def run(package, *arguments, **environ):
    plain = {n: v for n, v in os.environ.items() if not n.startswith(("COV", "LLMKIT", "PYTEST"))}
    return subprocess.run(
        [sys.executable, *arguments], cwd=package, capture_output=True, text=True,
        env={**plain, "PYTHONPATH": str(package), "PYTHONDONTWRITEBYTECODE": "1", **environ},
    )  # fmt: skip


def test_a_provider_of_one_file_and_a_parameter_of_one_row_are_used_like_any_other(package, fakes):
    """They are called, priced, plotted, completed, checked and shown like the others."""
    (package / "llmkit/providers/lab.py").write_text(PROVIDER, encoding="utf-8")
    insert(package / "llmkit/providers/builtin.py", '"openrouter", "ollama"', '"lab", ')
    insert(package / "llmkit/types.py", "    options: tuple[tuple[str, object], ...]", PARAMETER)
    usual = stream("openai")
    pieces = tuple(p.replace(b"gpt-5.4-mini-2026-03-17", b"deepseek-chat") for p in usual.pieces)
    fakes.answer("openai", *[replace(usual, pieces=pieces)] * 5)

    done = run(package, "-c", USE, LAB_API_KEY=fakes.key, HOME=str(package),
               LLMKIT_LIST_PRICES="all", LLMKIT_LAB_BASE_URL=fakes.base_url("openai"))  # fmt: skip

    assert (done.returncode, done.stderr) == (0, ""), done.stderr
    shown = json.loads(done.stdout)
    assert shown["one"] == ["lab", True, "genai-prices deepseek:deepseek-chat"]
    assert fakes.asked["openai"][0].body["max_completion_tokens"] == 7
    assert fakes.asked["openai"][0].body["frequency_penalty"] == 0.5
    assert (shown["paid"], shown["providers"]) == ([True] * 4, ["lab"] * 4)
    assert shown["column"] == ["Float64", [0.0, 1.0, 0.0, 1.0]]
    assert shown["event"] == [{"max_tokens": 7, "frequency_penalty": 0.5}, 0.5]
    assert shown["plot"][0] == "v"
    assert all(shown[name] for name in ("signature", "help", "magic", "form", "completion"))
    assert shown["states"] == ["ready"]
    assert shown["refusal"] == "frequency_penalty must be a number >= -2 and <= 2, got 3"


def test_a_parameter_of_texts_is_taken_everywhere_and_refused_by_one_line(package, fakes):
    """A provider maps it to None to refuse it; others get it under llmkit's name."""
    text = PROVIDER.replace('completion_tokens"}', 'completion_tokens", "reasoning_effort": None}')
    (package / "llmkit/providers/lab.py").write_text(text, encoding="utf-8")
    insert(package / "llmkit/providers/builtin.py", '"openrouter", "ollama"', '"lab", ')
    insert(
        package / "llmkit/types.py", "    options: tuple[tuple[str, object], ...]", TEXT_PARAMETER
    )

    done = run(package, "-c", REFUSED, LAB_API_KEY=fakes.key, OPENAI_API_KEY=fakes.key,
               HOME=str(package), LLMKIT_LAB_BASE_URL=fakes.base_url("openai"),
               LLMKIT_OPENAI_BASE_URL=fakes.base_url("openai"))  # fmt: skip

    assert (done.returncode, done.stderr) == (0, ""), done.stderr
    shown = json.loads(done.stdout)
    assert shown["ignored"] == [["reasoning_effort"], []]
    assert [asked.body.get("reasoning_effort") for asked in fakes.asked["openai"]] == [None, "low"]
    assert (shown["form"], shown["magic"]) == (["low", "high"], "low")


def test_a_new_providers_recorded_replies_are_all_that_its_contract_needs(package):
    """The contract tests run for it as soon as its replies exist."""
    (package / "llmkit/providers/lab.py").write_text(PROVIDER, encoding="utf-8")
    insert(package / "llmkit/providers/builtin.py", '"openrouter", "ollama"', '"lab", ')
    shutil.copytree(package / "tests/data/openai", package / "tests/data/lab")

    done = run(package, "-m", "pytest", "-q", "-n0", "-p", "no:cacheprovider", "-k", "lab",
               "tests/unit/test_providers_contract.py")  # fmt: skip

    assert done.returncode == 0, done.stdout
    assert " passed" in done.stdout


def test_a_provider_file_without_its_line_says_which_line_is_missing(package):
    """The error names the file and the table."""
    (package / "llmkit/providers/lab.py").write_text(PROVIDER, encoding="utf-8")

    done = run(package, "-c", "import llmkit; llmkit.resolve('lab:lab-1')", HOME=str(package))

    assert "provider 'lab' has a file but is not listed; add it to MODULES" in done.stderr


def test_a_line_without_its_provider_says_what_is_missing(package):
    """A class whose name differs from its file's is not found by guessing."""
    text = PROVIDER.replace('name = "lab"', 'name = "laboratory"')
    (package / "llmkit/providers/lab.py").write_text(text, encoding="utf-8")
    insert(package / "llmkit/providers/builtin.py", '"openrouter", "ollama"', '"lab", ')

    done = run(package, "-c", "import llmkit; llmkit.resolve('lab:lab-1')", HOME=str(package))

    assert "providers/lab.py has no provider class with name = 'lab'" in done.stderr


def test_a_line_without_a_file_says_which_file_is_missing(package):
    """A listed provider needs its file."""
    insert(package / "llmkit/providers/builtin.py", '"openrouter", "ollama"', '"lab", ')

    done = run(package, "-c", "import llmkit; llmkit.resolve('gpt-4o')", HOME=str(package))

    assert "MODULES lists 'lab', but providers/lab.py is missing" in done.stderr


def test_two_providers_of_one_name_are_refused(package):
    """An alias of one provider must not be a name of another."""
    text = PROVIDER.replace('aliases=("laboratory",)', 'aliases=("claude",)')
    (package / "llmkit/providers/lab.py").write_text(text, encoding="utf-8")
    insert(package / "llmkit/providers/builtin.py", '"openrouter", "ollama"', '"lab", ')

    done = run(package, "-c", "import llmkit; llmkit.resolve('lab:lab-1')", HOME=str(package))

    assert "'claude' stands for two providers, anthropic and lab; remove it" in done.stderr
