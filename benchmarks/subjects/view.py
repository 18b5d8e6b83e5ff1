"""Measures the costs of the live view for the kernel, its channel and the browser."""

from __future__ import annotations

import json
import queue
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from jupyter_client.manager import start_new_kernel

from ..measure import Figure, median_ratio

ROUNDS, TOKENS, PACE_S = 3, 600, 0.0125
MANY, LONG, QUICK_S = 12, 2_000, 0.005
PATIENCE_S = 300.0

SETUP = """
%load_ext llmkit
import time, llmkit
from llmkit import Script
kit = llmkit.current_kit()
live = list(kit.watchers)

class Blind:
    def begun(self, plan, stop): pass
    def grew(self, row, delta): pass
    def finished(self, row): pass
    def ended(self): pass

def run(answers, tokens, pace, seen=True):
    kit.script("bench", Script(" ".join(["token"] * tokens), piece_delay_s=pace))
    began, cpu = time.monotonic(), time.process_time()
    view = None if seen else Blind()
    llmkit.compare("hi", "scripted:bench", repeats=answers, view=view, limit_per_provider=answers)
    print(time.process_time() - cpu, time.monotonic() - began)

run(1, 20, 0.02)
"""


@dataclass
class Ran:
    """The costs of one cell, and its messages on the channel.

    Attributes:
        cpu_s: CPU seconds of the kernel.
        took_s: Wall seconds.
        messages: The number of messages on iopub.
        size: The size of the messages in bytes.
    """

    cpu_s: float
    took_s: float
    messages: int
    size: int


def figures() -> list[Figure]:
    """Returns messages, bytes and CPU of a real kernel, and the lag of a real browser."""
    with kernel() as client:
        four = ran(client, f"run(4, {TOKENS}, {PACE_S})")
        many = ran(client, f"run({MANY}, {LONG}, {QUICK_S})")
        one, six = ratio(client, 1, TOKENS), ratio(client, 6, TOKENS // 3)
    stream = f"4 x {TOKENS} tokens seen"
    return [
        Figure(f"{stream}, messages on iopub each second", 15, four.messages / four.took_s, ""),
        Figure(f"{stream}, kB on iopub each second", 60, four.size / four.took_s / 1000, ""),
        Figure("one answer seen / unseen, kernel CPU", 1.35, one),
        Figure("six answers seen / unseen, kernel CPU", 1.65, six),
        Figure(
            f"{MANY} x {LONG:,} tokens seen, messages on iopub each second",
            20, many.messages / many.took_s, "",
        ),
        Figure(f"{MANY} x {LONG:,} tokens seen, browser behind the kernel", 1, lag(), " s"),
    ]  # fmt: skip


def ratio(client: Any, answers: int, tokens: int) -> float:
    """Returns the ratio of the CPU time of a run with a view to that of a run without one."""
    found = []
    for _ in range(ROUNDS):
        seen, unseen = (
            ran(client, f"run({answers}, {tokens}, {PACE_S}, seen={seen})").cpu_s
            for seen in (True, False)
        )
        found.append((seen, unseen))
    return median_ratio(found)


@contextmanager
def kernel() -> Iterator[Any]:
    """Starts a kernel with the modules that a first run imports."""
    with tempfile.TemporaryDirectory() as home:
        manager, client = start_new_kernel(extra_arguments=[f"--IPKernelApp.ipython_dir={home}"])
        try:
            ran(client, SETUP)
            yield client
        finally:
            client.stop_channels()
            manager.shutdown_kernel(now=True)


def ran(client: Any, code: str) -> Ran:
    """Runs *code*, greets as a browser does, and counts the messages."""
    sent = client.execute(code)
    printed, messages, size = "", 0, 0
    deadline = time.monotonic() + PATIENCE_S
    while time.monotonic() < deadline:
        try:
            got = client.get_iopub_msg(timeout=1)
        except queue.Empty:
            continue
        messages += 1
        size += len(json.dumps([got["content"], got["metadata"]], default=str))
        kind, content = got["msg_type"], got["content"]
        if kind == "comm_open" and "_esm" in content["data"].get("state", {}):
            greet(client, content["comm_id"])
        elif kind == "stream" and content["name"] == "stdout":
            printed += content["text"]
        elif kind == "error":
            raise RuntimeError(content["evalue"])
        elif content.get("execution_state") == "idle" and parent_of(got) == sent:
            break
    cpu, took = map(float, printed.split()[-2:])
    return Ran(cpu, took, messages, size)


def parent_of(message: Any) -> object:
    """Returns the id of the request that *message* belongs to."""
    return message["parent_header"].get("msg_id")


def greet(client: Any, comm: str) -> None:
    """Sends the greeting of a view's script."""
    hello = {"kind": "hello", "view": comm, "n": f"{comm}-1", "empty": False}
    content = {"comm_id": comm, "data": {"method": "custom", "content": hello}}
    client.shell_channel.send(client.session.msg("comm_msg", content))


def lag() -> float:
    """Returns the seconds from the end of the cell to the last answer in a browser's page."""
    from playwright.sync_api import sync_playwright

    from tests.browser.lab import FLAGS, Notebook, browser_path, lab, written

    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        home = Path(folder)
        file = written(home / "bench.ipynb", SETUP, f"run({MANY}, {LONG}, {QUICK_S})")
        browser = playwright.chromium.launch(executable_path=browser_path(), args=FLAGS)
        with lab(home) as url:
            notebook = Notebook(browser, url.format(file.name), file)
            notebook.run(0)
            notebook.start(1)
            notebook.wait_until_running(1)
            seconds: float = notebook.page.evaluate(LAG)
            notebook.close()
        browser.close()
    return seconds


# The cell ends with the kernel's "idle"; then the page must show twelve final answers.
LAG = """
() => new Promise(done => {
  const kernel = window.jupyterapp.shell.currentWidget.sessionContext.session.kernel;
  let ended = null;
  kernel.anyMessage.connect((_, { msg }) => {
    if (msg.header.msg_type === "execute_reply") ended ??= performance.now();
  });
  const look = () => {
    const heads = [...document.querySelectorAll(".lk-live .lk-head")];
    if (ended !== null && heads.some(head => /^12 answers .* ok/.test(head.textContent))) {
      done((performance.now() - ended) / 1000);
    } else setTimeout(look, 10);
  };
  look();
})
"""
