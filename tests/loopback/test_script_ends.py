"""Programs that use llmkit end in silence, with every Python and in its strictest modes."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

from tests.patience import PATIENCE_S

README = (Path(__file__).parents[2] / "README.md").read_text(encoding="utf-8")
START = """
import asyncio, gc, logging, os, sys, threading
import llmkit
from llmkit.chat.arguments import chat_arguments

# On a loaded machine every step may take long; -X dev has asyncio say so.
logging.getLogger("asyncio").addFilter(lambda record: " took " not in record.getMessage())
MODEL = "near:gpt-6-luna"

def new_kit():
    kit = llmkit.Kit()
    kit.add_provider("near", os.environ["NEAR_URL"], "NEAR_API_KEY")
    return kit

def answer_of(kit, model=MODEL):
    arguments = chat_arguments("hi", model)
    return kit.manager.run(kit.answer(arguments.request, arguments.options))

def in_thread(function, *arguments, **options):
    thread = threading.Thread(target=function, args=arguments, **options)
    thread.start()
    thread.join()

async def half():
    stream = llmkit.stream("hi", MODEL)
    await stream.__anext__()
    return stream

llmkit.add_provider("near", os.environ["NEAR_URL"], "NEAR_API_KEY")
"""
# Every way to ask, and every way to forget something, in one program each for what excludes others.
FORMS = {
    "everything_left_open": """
        llmkit.ask("hi", MODEL)
        asyncio.run(llmkit.aask("hi", MODEL))
        assert llmkit.compare("hi", [MODEL, "scripted:openai"]).rows[0].completion.text
        in_thread(llmkit.ask, "hi", MODEL)
        left = llmkit.get_event_loop_manager().run(half())
        open_kits = [new_kit(), new_kit(), new_kit()]
        answer_of(open_kits[0])
        in_thread(answer_of, open_kits[1])
        answer_of(open_kits[2], "scripted:openai")  # opens no session
        answer_of(new_kit(), "scripted:openai")
        gc.collect()
        closed_kit = new_kit()
        answer_of(closed_kit)
        closed_kit.close()
        client = llmkit.get_event_loop_manager().run(llmkit.current_kit().mistral_client())
        session = llmkit.session("openai", persistent=False)
        session.__enter__()
    """,
    "a_daemon_thread_streams": """
        has_begun = threading.Event()
        async def read():
            async for delta in llmkit.stream("hi", MODEL):
                has_begun.set()
                await asyncio.sleep(600)
        run = llmkit.get_event_loop_manager().run
        threading.Thread(target=lambda: run(read()), daemon=True).start()
        threading.Thread(target=lambda: asyncio.run(read()), daemon=True).start()
        has_begun.wait()
    """,
    "a_thread_outlives_the_main_thread": """
        def ask():
            threading.main_thread().join()
            assert llmkit.ask("hi", MODEL).text
            assert asyncio.run(llmkit.aask("hi", MODEL)).text
            print("outlived")
        threading.Thread(target=ask).start()
    """,
    "the_first_question_is_asked_at_the_end": """
        import atexit
        atexit.register(lambda: print(llmkit.ask("hi", MODEL).text))
    """,
    "a_forked_child_asks_and_ends": """
        llmkit.ask("hi", MODEL)
        in_thread(llmkit.ask, "hi", MODEL)
        child = os.fork()
        if child == 0:
            llmkit.ask("hi", MODEL)
            in_thread(llmkit.ask, "hi", MODEL)
            sys.exit()
        assert os.waitpid(child, 0)[1] == 0
    """,
    "an_exit_within_a_loop": """
        async def leave():
            await llmkit.aask("hi", MODEL)
            llmkit.ask("hi", MODEL)
            sys.exit()
        asyncio.run(leave())
    """,
}  # fmt: skip
MODES = {"dev": ["-X", "dev", "-W", "error::ResourceWarning"], "without docstrings": ["-OO"]}


def ended(code, fakes, *flags):
    """Runs *code* as a program, and returns it."""
    return subprocess.run(
        [sys.executable, *flags, "-W", "ignore:This process:DeprecationWarning", "-c", code],
        capture_output=True, text=True, timeout=PATIENCE_S, check=False,
        env={
            **os.environ, "NEAR_URL": fakes.base_url("openai"), "NEAR_API_KEY": fakes.key,
            "MISTRAL_API_KEY": fakes.key, "LLMKIT_MISTRAL_BASE_URL": fakes.base_url("mistral"),
            "LLMKIT_PROGRESS_AFTER_S": "3600",  # on a slow machine its bar would be on stderr
        },
    )  # fmt: skip


@pytest.mark.parametrize("name", FORMS)
def test_a_program_ends_without_a_word(name, fakes):
    """Whatever a program leaves open, it ends with code 0 and an empty stderr."""
    if "fork" in name and not hasattr(os, "fork"):
        pytest.skip("this system does not fork")

    done = ended(START + textwrap.dedent(FORMS[name]), fakes, *MODES["dev"])

    assert (done.returncode, done.stderr) == (0, "")


def test_the_third_line_of_the_readme_ends_without_a_word(fakes):
    """It compares two models; here a script also replaces the embedded one."""
    (tour,) = [b for b in re.findall(r"```python\n(.*?)```", README, re.DOTALL) if "import" in b]
    first, _, third = tour.splitlines()[:3]
    code = f"{first}\n{third}".replace("local:smollm2", "scripted:anthropic")

    done = ended(code, fakes)

    assert "llmkit.compare(" in third
    assert (done.returncode, done.stderr) == (0, "")


def test_python_without_docstrings_runs_the_same(fakes):
    """`python -OO` removes docstrings and asserts; none of them does any work."""
    code = f"""{START}
rows = llmkit.compare("hi", [MODEL, "scripted:anthropic"], temperature=[0, 1]).rows
print(llmkit.ask("hi", MODEL).status, len(rows), llmkit.ask.__doc__)
"""

    done = ended(code, fakes, *MODES["without docstrings"])

    assert (done.stdout, done.stderr) == ("complete 4 None\n", "")
