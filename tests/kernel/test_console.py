"""Tests llmkit in `jupyter console`, a front end without widgets and without updates of outputs."""

from __future__ import annotations

import importlib.util
import os
import sys

import pytest

from tests.patience import PATIENCE_S

from .conftest import environ

pytestmark = [
    pytest.mark.kernel,
    pytest.mark.skipif(
        importlib.util.find_spec("jupyter_console") is None or sys.platform == "win32",
        reason="jupyter_console is not installed here",
    ),
]

STEADY = (
    "llmkit.current_kit().script('steady', llmkit.Script(' '.join(map(str, range(40))),"
    " piece_delay_s=0.02))"
)


@pytest.fixture
def typed(tmp_path):
    """Yields a function that types a line, and returns what the console prints."""
    import pexpect

    places = {"JUPYTER_RUNTIME_DIR": str(tmp_path), "TERM": "dumb"}
    console = pexpect.spawn(
        sys.executable, ["-m", "jupyter_console", "--simple-prompt"], encoding="utf-8",
        env={**os.environ, **environ(tmp_path), **places}, timeout=PATIENCE_S,
        dimensions=(100, 200),
    )  # fmt: skip
    console.expect(r"In \[1\]:")
    prompts = iter(range(2, 100))

    def line(text):
        console.sendline(text)
        console.expect(rf"In \[{next(prompts)}\]:")
        return console.before

    yield line
    console.sendline("exit")
    console.expect(pexpect.EOF)
    console.close()


def test_the_console_prints_only_final_answers_and_each_once(typed):
    """It never greets, so the answers are printed when the run has ended."""
    typed("%load_ext llmkit")
    typed("import llmkit")
    typed(STEADY)
    compared = typed("run = llmkit.compare('Why?', ['scripted:steady', 'scripted:echo'])")
    asked = typed("status = llmkit.ask('Why?', 'scripted:steady').status")
    loop = typed("for i in range(3): llmkit.ask(f'prompt{i}', 'scripted:echo')\n")

    for text in (compared, asked):
        assert text.count("38 39") == 1
        assert "writing" not in text
    assert "2 answers · 2 ok" in compared
    assert "3 answers · 3 ok" in loop
