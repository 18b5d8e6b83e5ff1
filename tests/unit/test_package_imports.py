"""Packages are imported on a thread: no interrupt breaks that, and no wait for it is endless."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import textwrap

import pytest

from llmkit import cell
from llmkit.cell import PackageImport, ready
from tests.patience import PATIENCE_S
from tests.test_floors import KEEPERS
from tools.layout import MODULES

# opentelemetry: only if the program has imported it. xllamacpp: in the process of the model.
# genai_prices: by a constant. httpx2: with mistralai.
OTHERWISE = {"opentelemetry", "xllamacpp", "genai_prices", "httpx2"}
# The imports of the slow modules take until the test lets them go on.
SLOW = """
import importlib._bootstrap as bootstrap, os, signal, sys, threading, time, types
is_importing, may_go_on, slow = threading.Event(), threading.Event(), {"pandas"}
class Slow:
    @staticmethod
    def find_spec(name, path=None, target=None):
        if name in slow:
            is_importing.set()
            assert may_go_on.wait(60)
sys.meta_path.insert(0, Slow)
import llmkit

def lock_of(name):
    kept.append(bootstrap._get_module_lock(name))  # Python itself keeps only a weak reference
    kept[-1].acquire()
kept = []
"""
SCRIPTS = {
    # The press comes from another thread while the main thread waits in frame().
    "an_interrupt_ends_the_wait_and_not_the_import": """
        run = llmkit.compare("hi", "scripted:openai")
        def press():
            is_importing.wait()
            os.kill(os.getpid(), signal.SIGINT)
        threading.Thread(target=press).start()
        try:
            run.frame()
        except KeyboardInterrupt:
            assert not may_go_on.is_set()
            print("stopped")
        may_go_on.set()
        print(len(run.frame()))
    """,
    "a_lock_of_another_thread_is_waited_for_within_the_timeout": """
        threading.Thread(target=lambda: (lock_of("aiohttp"), time.sleep(600)), daemon=True).start()
        while not kept:
            time.sleep(0)
        llmkit.add_provider("near", "http://127.0.0.1:9/v1")
        start = time.monotonic()
        try:
            llmkit.ask("hi", "near:model", timeout=0.3)
        except TimeoutError as error:
            print(type(error).__name__, "restart the kernel" in str(error))
        (row,) = llmkit.compare("hi", "near:model", timeout=0.3).rows
        print(row.error_type, time.monotonic() - start < 30)
    """,
    "an_answer_whose_price_cannot_be_looked_up_is_kept": """
        import asyncio
        from llmkit.catalogue import prices
        from llmkit.providers.builtin import shipped
        from llmkit.types import Completion
        threading.Thread(
            target=lambda: (lock_of("genai_prices"), time.sleep(600)), daemon=True
        ).start()
        while not kept:
            time.sleep(0)
        answer = Completion(text="hi", provider="openai", duration_s=1.0)
        answer = asyncio.run(prices.priced(answer, shipped(), timeout=1.0))
        print(answer.text, answer.cost_usd, "restart the kernel" in answer.warnings[0])
    """,
    "a_lock_that_an_interrupt_has_left_is_released": """
        lock_of("aiohttp")
        llmkit.add_provider("near", "http://127.0.0.1:9/v1")
        try:
            llmkit.ask("hi", "near:model", retries=0)
        except llmkit.errors.APIConnectionError as error:
            print(type(error).__name__, kept[0].owner)
    """,
    "a_fork_waits_for_the_imports_of_a_call_on_another_thread": """
        slow.add("llmkit.comparison.result")
        questions = "hi", "scripted:openai"
        asker = threading.Thread(target=lambda: print(len(llmkit.compare(*questions))))
        asker.start()
        is_importing.wait()
        os.register_at_fork(before=may_go_on.set)  # runs before llmkit's function
        pid = os.fork()
        if pid == 0:
            signal.alarm(30)
            os._exit(len(llmkit.compare(*questions)))
        asker.join()
        print(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
    """,
    "a_fork_waits_for_an_import": """
        from llmkit.cell import start_import
        job = start_import("pandas")
        is_importing.wait()
        os.register_at_fork(before=may_go_on.set)  # runs before the functions of earlier ones
        pid = os.fork()
        if pid == 0:
            signal.alarm(60)
            os._exit(len(llmkit.compare("hi", "scripted:openai").frame()))
        print(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
    """,
}  # fmt: skip
OUTPUT = {
    "an_interrupt_ends_the_wait_and_not_the_import": "stopped\n1\n",
    "a_lock_of_another_thread_is_waited_for_within_the_timeout": (
        "APITimeoutError True\nAPITimeoutError True\n"
    ),
    "an_answer_whose_price_cannot_be_looked_up_is_kept": "hi None True\n",
    "a_lock_that_an_interrupt_has_left_is_released": "APIConnectionError None\n",
    "a_fork_waits_for_the_imports_of_a_call_on_another_thread": "1\n1\n",
    "a_fork_waits_for_an_import": "1\n",
}


@pytest.mark.parametrize("name", SCRIPTS)
def test_no_import_hangs_or_breaks(name):
    """Each program, which has to do with a slow or blocked import, prints what is expected."""
    done = subprocess.run(
        [sys.executable, "-c", SLOW + textwrap.dedent(SCRIPTS[name])],
        capture_output=True, text=True, timeout=PATIENCE_S, check=False,
        env={**os.environ, "PYTHONWARNINGS": "ignore:This process:DeprecationWarning"},
    )  # fmt: skip

    assert (done.stdout, done.stderr) == (OUTPUT[name], "")


def test_every_heavy_package_is_imported_on_a_thread():
    """The package announces each of them to the thread before a function imports it."""
    text = "".join(path.read_text("utf-8") for path in MODULES)

    announced = set(re.findall(r'(?:\bready|\bready_soon)\(\s*"(\w+)', text))

    assert KEEPERS.keys() - OTHERWISE - announced == set()


def test_a_missing_package_is_an_import_error_each_time():
    """The error of the thread is raised by the caller, and a later call tries again."""
    for _ in range(2):
        with pytest.raises(ModuleNotFoundError):
            ready("no_package_has_this_name")

    assert "no_package_has_this_name" not in cell._running


def test_an_import_during_an_import_stays_on_its_thread():
    """A package that itself calls the package does not wait for another thread."""
    threads = []

    ready("outer", lambda: ready("inner", lambda: threads.append(1)) or threads.append(2))

    assert threads == [2]
    cell._imported.discard("outer")


def test_no_import_starts_a_thread_once_python_starts_none(monkeypatch):
    """From Python 3.12 on, the end of the main thread is such a moment; the import runs inline."""

    def refuse(*arguments, **options):
        raise RuntimeError("can't create new thread at interpreter shutdown")

    monkeypatch.setattr("threading._start_new_thread", refuse, raising=False)
    monkeypatch.setattr("threading._start_joinable_thread", refuse, raising=False)
    modules = []

    ready("late", lambda: modules.append("late"))

    assert modules == ["late"]
    assert not isinstance(cell._running.get("late"), PackageImport)
    cell._imported.discard("late")
