"""Compares llmkit with other libraries against a fake provider; prints the README's table.

    python -m tools.peers            each peer gets its own virtual environment below .venv

This script measures every column itself, so the table can be verified.
"""

from __future__ import annotations

import json
import os
import subprocess
import tempfile
from collections.abc import Iterator
from datetime import UTC, datetime
from importlib import metadata
from pathlib import Path

from tests.fakes.reply import cut_stream
from tests.fakes.server import FakeProviders

TOP = Path(__file__).resolve().parents[1]
HI = '[{"role": "user", "content": "hi"}]'

# By distribution: the requirements, the import, and the code that streams one answer.
PEERS = {
    "litellm": (
        ["litellm"], "import litellm",
        f"for c in litellm.completion('openai/gpt-4o', {HI}, api_base=URL, api_key=KEY, "
        "stream=True): print(c.choices[0].delta.content or '', end='')",
    ),
    "any-llm-sdk": (
        ["any-llm-sdk[openai]"], "import any_llm",
        f"for c in any_llm.completion('gpt-4o', {HI}, provider='openai', api_base=URL, "
        "api_key=KEY, stream=True): print(c.choices[0].delta.content or '', end='')",
    ),
    "chatlas": (
        ["chatlas", "openai"], "import chatlas",
        "for c in chatlas.ChatOpenAICompletions(model='gpt-4o', base_url=URL, api_key=KEY)"
        ".stream('hi'): print(c, end='')",
    ),
    "llm": (
        ["llm"], "from llm.default_plugins.openai_models import Chat",
        "for c in Chat('fake', model_name='gpt-4o', api_base=URL).prompt('hi', key=KEY): "
        "print(c, end='')",
    ),
    "jupyter-ai-magics": (
        ["jupyter-ai-magics", "langchain-openai"], "import jupyter_ai_magics.magics",
        "from IPython.core.interactiveshell import InteractiveShell as S\n"
        "S.instance().run_line_magic('load_ext', 'jupyter_ai_magics')\n"
        "S.instance().run_cell('%%ai openai-chat:gpt-4o -f text\\nhi').raise_error()",
    ),
}  # fmt: skip
OURS = (
    "import llmkit",
    "print(llmkit.ask('hi', 'openai:gpt-4o', verbatim=True, retries=0).text)",
)


def main() -> None:
    print(f"Seen on {datetime.now(UTC):%Y-%m-%d} with `python -m tools.peers`:\n")
    print("| | version | stream cut by the server | streams | `import`, CPU | packages |")
    print("|---|---|---|---|---|---|")
    with FakeProviders() as fakes:
        own = environment("llmkit", ["."])
        line(
            "llmkit", metadata.version("llmkit"), own, *OURS, fakes, packages=str(len(freeze(own)))
        )
        for name, (wanted, importing, asking) in PEERS.items():
            python = environment(name, wanted)
            listed = freeze(python)
            version = next(v for n, v in listed if n.replace("_", "-") == name)
            line(name, version, python, importing, asking, fakes, packages=str(len(listed)))


def line(
    name: str, version: str, python: Path, importing: str, asking: str, fakes: FakeProviders,
    *, packages: str,
) -> None:  # fmt: skip
    fakes.reset()
    fakes.answer("openai", cut_stream("openai"))
    variables = {
        **os.environ, "OPENAI_API_KEY": fakes.key, "OPENAI_BASE_URL": fakes.base_url("openai"),
        "OPENAI_API_BASE": fakes.base_url("openai"), "LITELLM_LOCAL_MODEL_COST_MAP": "True",
    }  # fmt: skip
    told = f"URL, KEY = {fakes.base_url('openai')!r}, {fakes.key!r}\n{importing}\n{asking}"
    with tempfile.TemporaryDirectory() as home:
        done = subprocess.run(
            [python, "-c", told], capture_output=True, text=True, check=False, cwd=TOP,
            env={**variables, "HOME": home, "IPYTHONDIR": home, "LLM_USER_PATH": home},
        )  # fmt: skip
    streamed = any(asked.body.get("stream") for asked in fakes.asked["openai"])
    seen = ("error" if done.returncode else "reported as complete") if streamed else "–"
    cpu = f"{cpu_of(python, importing, variables):.2f} s"
    print(f"| {name} | {version} | {seen} | {'yes' if streamed else 'no'} | {cpu} | {packages} |")


def environment(name: str, wanted: list[str]) -> Path:
    """Returns the Python of an environment that has only this peer."""
    subprocess.run([TOP / ".ci/venv", f"peer-{name}", "python3", *wanted], check=True, cwd=TOP)
    return TOP / ".venv" / f"peer-{name}" / "bin" / "python"


def freeze(python: Path) -> list[tuple[str, str]]:
    """Returns names and versions of the installed packages, except pip and setuptools."""
    command = [python, "-m", "pip", "list", "--format=json"]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    found = ((row["name"].lower(), row["version"]) for row in json.loads(done.stdout))
    return [pair for pair in found if pair[0] not in ("pip", "setuptools")]


def cpu_of(python: Path, importing: str, variables: dict[str, str]) -> float:
    """Returns the CPU seconds of an import minus those of an empty program, medians of three."""
    used = [sorted(times(python, code, variables))[1] for code in (importing, "pass")]
    return used[0] - used[1]


def times(python: Path, code: str, variables: dict[str, str]) -> Iterator[float]:
    program = f"{code}\nimport os; print(sum(os.times()[:2]))"
    for _ in range(3):
        done = subprocess.run(
            [python, "-c", program], capture_output=True, text=True, check=True, cwd=TOP,
            env=variables,
        )  # fmt: skip
        yield float(done.stdout.split()[-1])


if __name__ == "__main__":
    main()
