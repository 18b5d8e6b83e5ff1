"""The lines of the magics: what they accept, their help, and messages for wrong ones."""

from __future__ import annotations

import subprocess
import sys
from itertools import chain
from types import SimpleNamespace

import pytest
from IPython.core.error import UsageError
from IPython.core.inputtransformer2 import TransformerManager

from llmkit import install
from llmkit.errors import ConfigError
from llmkit.notebook.commands import COMMANDS, HELP, run_command
from llmkit.notebook.magics import LlmkitMagics, line_magic_without_body, parsed


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("resolve", "%llmkit resolve NAME"),
        ("why", "%llmkit why NAME"),
        ("resolve gpt-4o mistral", "%llmkit resolve NAME"),
        ("resolve gpt-4o -p", "%llmkit resolve NAME"),
        ("resolve gpt-4o --provider=", "%llmkit resolve NAME"),
        ("why gpt-4o --provder mistral", "unknown option --provder; did you mean --provider"),
        ("resolv gpt-4o", "did you mean resolve"),
    ],
)
def test_a_wrong_use_shows_the_right_one(line, words):
    """A missing or extra name, an option without its value, a misspelling."""
    with pytest.raises(UsageError, match=words):
        run_command(line)


@pytest.mark.parametrize(
    "line",
    [
        "resolve openai:gpt-4o -p mistral",
        "resolve -p mistral openai:gpt-4o",
        "why openai:gpt-4o --provider mistral",
        "why openai:gpt-4o --provider=mistral",
        "why -p=mistral openai:gpt-4o",
    ],
)
def test_the_provider_may_stand_before_or_after_the_name(line):
    """Both spellings mean the same, which is a contradiction here."""
    with pytest.raises(ConfigError, match="names openai, but provider='mistral'"):
        run_command(line)


@pytest.mark.parametrize(
    ("line", "models", "options"),
    [
        ("a b", ["a", "b"], {}),
        ("a,b c, d ,e", ["a", "b", "c", "d", "e"], {}),
        ('"a, b" c', ["a", "b", "c"], {}),
        ("--temperature 0, 1 a", ["a"], {"temperature": [0, 1]}),
        ("--temperature 0,1 a", ["a"], {"temperature": [0, 1]}),
        ("a --temperature=0, 0.5, 1 b", ["a", "b"], {"temperature": [0, 0.5, 1]}),
        ("--seed 1, 2 --max-tokens 5, 6 --top-p 1, 0.9 a", ["a"],
         {"seed": [1, 2], "max_tokens": [5, 6], "top_p": [1, 0.9]}),
        ("a -p x,y", ["a"], {"providers": ["x", "y"]}),
        ("-p x, y a --provider z", ["a"], {"providers": ["x", "y", "z"]}),
        ("--fallback a:b, c:d e", ["e"], {"fallback": ["a:b", "c:d"]}),
        ("--fallback any a", ["a"], {"fallback": "any"}),
        ("-n 3 a", ["a"], {"repeats": 3}),
        ('-s Short, a', ["a"], {"system": ["Short,"]}),
        ("--temperature 1, --seed 1 ,2 a", ["a"], {"temperature": 1.0, "seed": [1, 2]}),
        ('-s "-- be short" a', ["a"], {"system": ["-- be short"]}),
        ("--strict a", ["a"], {"strict": True}),
    ],
)  # fmt: skip
def test_lists_may_have_blanks_after_their_commas(line, models, options):
    """Only a value that ends in a comma continues with the next word."""
    arguments = parsed(LlmkitMagics.compare, line, "hi")

    values = {name: value for name, value in vars(arguments).items() if value}
    assert [*chain.from_iterable(values.pop("models"))] == models
    if "providers" in values:
        values["providers"] = [*chain.from_iterable(values["providers"])]
    assert values == options


@pytest.mark.parametrize(
    ("magic", "line", "words"),
    [
        ("compare", "--temprature 1 a", "unknown option --temprature; did you mean --temperature"),
        ("compare", "--seed 0.5 a", "--seed: must be an integer, or several with commas, got 0.5"),
        ("compare", ",", "name at least one model"),
        ("ask", "-n 3 a", "unknown option -n; see %%ask -h"),
        ("ask", "a,b", "takes one model, got a, b; use %%compare"),
        ("ask", "a, b", "takes one model, got a, b; use %%compare"),
        ("ask", "a b", "takes one model, got a, b; use %%compare"),
        ("ask", "--stop -a b", "unknown option -a; .* is --stop=-a"),
        ("ask", "--timeout 5, a", "--timeout: must be a number, got 5,"),
        ("compare", "-n 2, a", "-n/--repeats: must be an integer, got 2,"),
        ("compare", "a --out 1x", "--out must be the name of a variable, got 1x"),
    ],
)
def test_a_wrong_line_names_the_argument(magic, line, words):
    """The message has the argument, its value and what to do, and nothing is sent."""
    with pytest.raises(UsageError, match=words):
        getattr(LlmkitMagics(None), magic)(line, "hi")


@pytest.mark.parametrize(("option", "is_streamed"), [("", True), ("--no-stream", False)])
def test_a_cell_can_ask_for_the_whole_answer_at_once(option, is_streamed):
    """The option is passed on."""
    magics = LlmkitMagics(None)
    magics.shell = SimpleNamespace(user_ns={})

    magics.ask(f"scripted:echo {option} --out answer", "hi")

    answer = magics.shell.user_ns["answer"]
    assert answer.text == "hi"
    assert (answer.time_to_first_chunk_s is not None) == is_streamed


@pytest.mark.parametrize("line", ["-h", "a b --help", "-h --temperature 0"])
@pytest.mark.parametrize("cell", [None, "", "hi"])
@pytest.mark.parametrize("magic", ["ask", "compare"])
def test_help_is_printed_and_nothing_is_sent(capsys, magic, line, cell):
    """Also without a body; every option is in it, and an example."""
    line = line.replace("a b", "a") if magic == "ask" else line
    # Without a shell, and with models that no provider has, sending would raise.
    assert getattr(LlmkitMagics(None), magic)(line, cell) is None

    text = capsys.readouterr().out
    assert text.startswith(f"%%{magic} ")
    assert f"example:\n%%{magic} gpt-6-luna" in text
    assert ("-n N, --repeats N" in text) == (magic == "compare")


def test_a_cell_magic_without_a_body_becomes_a_line_magic():
    """So that its help comes, and else our message; a body and other magics stay as they are."""
    assert line_magic_without_body(["%%compare -h\n"]) == ["%compare -h\n"]
    for cell in (["%%ask a\n", "hi\n"], ["%%askew\n"], ["%%time\n"], []):
        assert line_magic_without_body(cell) == cell
    with pytest.raises(UsageError, match="%%compare needs a prompt"):
        LlmkitMagics(None).compare("a")


def test_a_terminal_waits_for_the_prompt():
    """A cell magic's first line alone is not complete there, although it becomes a line magic."""
    manager = TransformerManager()
    manager.cleanup_transforms.append(line_magic_without_body)

    assert manager.check_complete("%%compare a\n")[0] == "incomplete"
    assert "run_line_magic('compare', 'a')" in manager.transform_cell("%%compare a\n")


@pytest.mark.parametrize("word", sorted(COMMANDS))
def test_every_command_has_its_help(capsys, word):
    """`%llmkit WORD -h` and `%llmkit help WORD` print the same lines and do nothing else."""
    for line in (f"{word} -h", f"{word} x --help", f"help {word}"):
        run_command(line)

    first, *others = capsys.readouterr().out.split("%llmkit " + word)[1:]
    assert first
    assert set(others) == {first}


@pytest.mark.parametrize("line", ["help", "-h", "--help"])
def test_help_lists_the_commands(capsys, line):
    """Every command, and an example."""
    run_command(line)

    assert capsys.readouterr().out.strip() == HELP


def test_the_embedded_model_is_installed_after_asking(monkeypatch, capsys):
    """`%llmkit local install` is `python -m llmkit.install`, asked in the cell."""
    ran = []

    def run(command, **options):
        ran.append(command)
        return subprocess.CompletedProcess(command, 0, "Hi there.", "")

    monkeypatch.setattr(subprocess, "run", run)
    monkeypatch.setattr("builtins.input", lambda question: "yes")

    run_command("local install")

    assert ran[-1] == [sys.executable, "-c", install.QUESTION]
    assert capsys.readouterr().out.startswith(f"environment: {sys.prefix}")
    with pytest.raises(UsageError, match="did you mean %llmkit local install"):
        run_command("local remove")
