"""Tests that the code of the compare form does what the form does, by running it in a kernel."""

from __future__ import annotations

import json

import pytest

from .driver import Kernel, value

pytestmark = pytest.mark.kernel

KEY = "sk-canary-0987654321abcdef"
PROMPTS = [
    "Why is the sky blue?",
    'It\'s "quoted" twice, and \'\'\'thrice\'\'\' and """thrice""".',
    "back\\slash \\n \\ and a \\",
    "two\nlines\n\nand four",
    "ends with a line break\n",
    "\n  begins with a blank line, and is indented\n    more",
    "{{name}} and {name} and {{ name }} and {}",
    "%%compare x\n%llmkit\n!ls\n?help",
    ">>> print(1)\n1",
    "In [1]: print(1)",
    "100 % of $HOME, `code` # no comment; a, b",
    "tab\tand 😀 and عربي and 漢字",
    'ends with a quote"',
    'two\nlines, ends with a quote"',
    "zero\u200bwidth",
]
SYSTEMS = [
    "",
    "Be brief.",
    'Say "no".',
    "It's so.",
    "Both \"a\" and 'b'.",
    "two\nlines",
    "--raw",
    "a, b",
]


def form_of(prompt, system=""):
    return {
        "prompt": prompt, "system": system, "models": ["scripted:echo", "scripted:openai"],
        "numbers": {"temperature": "0, 1", "max_tokens": "", "seed": "-1"}, "repeats": "2",
        "variable": "mine",
    }  # fmt: skip


@pytest.fixture(scope="module")
def kernel(tmp_path_factory):
    """Starts a kernel that compares what a cell asked with what a form asks."""
    with Kernel(env={"IPYTHONDIR": str(tmp_path_factory.mktemp("ipython"))}) as running:
        loaded = running.one(
            "%load_ext llmkit\nimport json, llmkit\n"
            "from llmkit.errors import ConfigError\n"
            "from llmkit.notebook.panels.compare_form import CompareForm\n"
            "def code(kind, **typed):\n"
            "    try: said = getattr(CompareForm.of(typed), kind)()\n"
            "    except ConfigError as error: said = None\n"
            "    print(json.dumps(said))\n"
            "def asked(**typed):\n"
            "    wanted = CompareForm.of(typed).arguments().requests\n"
            "    came = [(r.prompt, r.system, r.asked, r.repeat, r.parameters)\n"
            "            for r in mine.rows]\n"
            "    wish = [(r.prompt_input.text, r.prompt.system, r.asked, r.repeat,\n"
            "             {**r.parameters, **r.prompt.parameters}) for r in wanted]\n"
            "    print(json.dumps([came == wish, len(wish)]))"
        )
        assert loaded.ok, loaded.error
        yield running


@pytest.mark.parametrize("kind", ["python", "magic"])
def test_the_copied_code_asks_what_the_form_asks(kernel, kind):
    """Any prompt and system prompt; what `%%compare` cannot say is not offered as such."""
    refused = []
    cases = [(prompt, "") for prompt in PROMPTS] + [("Why?", system) for system in SYSTEMS]
    for prompt, system in cases:
        typed = form_of(prompt, system)
        text = value(kernel.one(f"code({kind!r}, **{typed!r})"))
        if text is None:
            refused.append(prompt if prompt != "Why?" else system)
            continue
        ran = kernel.one(text)
        assert ran.ok, (text, ran.error)
        assert value(kernel.one(f"asked(**{typed!r})")) == [True, 8], text

    wanted = [
        ">>> print(1)\n1",
        "In [1]: print(1)",
        "zero\u200bwidth",
        "Both \"a\" and 'b'.",
        "two\nlines",
    ]
    assert refused == ([] if kind == "python" else wanted)


def test_a_key_in_the_form_is_in_no_code(kernel):
    """Code that could not do the same without the key is not offered."""
    kernel.one(
        f"kit = llmkit.current_kit(); kit.credentials.type_in('openai', {KEY!r})\n"
        "kit.credentials.find(kit.registry.provider('openai'))"
    )
    typed = form_of(f"Use {KEY} please")
    shown = value(kernel.one(f"print(json.dumps(CompareForm.of({typed!r}).plain()))"))

    assert value(kernel.one(f"code('python', **{typed!r})")) is None
    assert value(kernel.one(f"code('magic', **{typed!r})")) is None
    assert KEY not in json.dumps(shown)
