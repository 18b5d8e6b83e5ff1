"""Tests the messages and the saved state of panels in a real kernel."""

from __future__ import annotations

import json
import os
import queue
import time

import pytest

from tests.fakes.server import FakeProviders
from tests.patience import PATIENCE_S

from .driver import Kernel, value

pytestmark = pytest.mark.kernel

KEY = "sk-canary-0987654321abcdef"
COMPLAINTS = ("Unclosed", "never retrieved", "was destroyed but it is pending", "Traceback")
CLOSEABLE = "class Closeable:\n    def close(self): pass\n"


class Wire:
    """The messages between a kernel and its front end, in both directions.

    Attributes:
        heard: The messages that the kernel has published since the last `listen`.
    """

    def __init__(self, kernel):
        self.kernel = kernel
        self.heard = []

    def listen(self, wanted, number=1):
        """Waits for this number of messages that match *wanted*, and returns them."""
        deadline = time.monotonic() + PATIENCE_S
        found = []
        while len(found) < number:
            assert time.monotonic() < deadline, f"only {len(found)} of {number} messages came"
            try:
                message = self.kernel._client.iopub_channel.get_msg(timeout=0.2)
            except queue.Empty:
                continue
            self.heard.append(message)
            found += [message] if wanted(message) else []
        return found

    def do(self, panel, verb, **words):
        """Sends a custom message of the widget's script, as a click does."""
        self._say(panel, kind="do", verb=verb, words=words)

    def greet(self, panel):
        """Sends the greeting of a script that starts."""
        self._say(panel, kind="hello", empty=True)

    def type_in(self, box, text):
        """Fills a plain text field, as a user does."""
        self._send(box, {"method": "update", "state": {"value": text}, "buffer_paths": []})

    def _say(self, panel, **content):
        about = {"view": "v", "n": f"v-{time.monotonic()}"}
        self._send(panel, {"method": "custom", "content": {**about, **content}})

    def _send(self, comm, data):
        client = self.kernel._client
        client.shell_channel.send(client.session.msg("comm_msg", {"comm_id": comm, "data": data}))


@pytest.fixture(scope="module")
def fakes():
    with FakeProviders() as running:
        yield running


@pytest.fixture
def kernel(tmp_path, fakes):
    """Starts a kernel whose OpenAI is a fake without a key; it must end without warnings."""
    fakes.reset()
    environ = {
        "IPYTHONDIR": str(tmp_path), "LLMKIT_CONFIG": os.devnull,
        "OPENAI_API_KEY": "", "OPENAI_BASE_URL": fakes.base_url("openai"),
        "OLLAMA_HOST": fakes.base_url("ollama"),
    }  # fmt: skip
    with Kernel(env=environ) as running:
        loaded = running.one("%load_ext llmkit\nimport json, asyncio, gc, llmkit")
        assert loaded.ok, loaded.error
        yield running
    assert [c for c in COMPLAINTS if c in running.stderr] == [], running.stderr


def is_state(message, words=""):
    """Returns True if the message is a panel's state that contains *words*."""
    data = message["content"].get("data", {})
    custom = message["msg_type"] == "comm_msg" and data.get("method") == "custom"
    return (
        custom
        and data["content"].get("kind") == "state"
        and words in json.dumps(data["content"], ensure_ascii=False)
    )


def opened(kernel, name, extra=""):
    """Opens a panel in a cell and returns the id of its comm."""
    return value(kernel.one(f"p = llmkit.panel({name!r})\n{extra}print(json.dumps(p.model_id))"))


def widget_state(kernel):
    """Returns the state of all widgets that a front end would save."""
    return kernel.one(
        "import ipywidgets\n"
        "print(json.dumps(ipywidgets.Widget.get_manager_state(), default=str))"
    ).out  # fmt: skip


def test_a_key_that_was_typed_in_is_in_no_message_and_no_state(kernel, fakes):
    """It is sent once; replies have at most its last four characters."""
    panel = opened(kernel, "auth")
    wire = Wire(kernel)
    wire.greet(panel)
    wire.do(panel, "key", provider="openai", key=KEY)
    # One repaint may contain both.
    wire.listen(lambda m: is_state(m, "typed in …cdef") and is_state(m, "✗ rejected"))
    saved = widget_state(kernel)

    assert KEY not in json.dumps(wire.heard, default=str)
    assert KEY not in saved
    assert "Auth" in saved or "anywidget" in saved
    assert [r.headers["authorization"] for r in fakes.asked["openai"]][-1].endswith(KEY)


def test_a_key_in_the_plain_panel_is_taken_out_of_its_box_at_once(kernel):
    """The plain field is cleared before it can be saved, and its text is not echoed."""
    box = value(
        kernel.one(
            "from llmkit.notebook.panels.auth import KeyBox\n"
            "p = llmkit.panel('auth')\n"
            "plain = p.plain()\n"
            "box = next(w for w in plain.children[1].children if isinstance(w, KeyBox))\n"
            "print(json.dumps(box.model_id))"
        )
    )
    wire = Wire(kernel)
    wire.type_in(box, KEY)
    wire.listen(lambda m: "typed in …cdef" in json.dumps(m["content"], ensure_ascii=False))
    saved = widget_state(kernel)
    ran = kernel.one("print(repr(box.value), repr(p.kit.credentials))")

    assert KEY not in json.dumps(wire.heard, default=str)
    assert KEY not in saved
    assert KEY not in ran.out
    assert ran.out.startswith("''")


def test_an_unknown_action_or_provider_is_a_sentence_in_the_panel(kernel):
    """The panel shows an error for an invalid click, and keeps working."""
    panel = opened(kernel, "auth")
    wire = Wire(kernel)
    wire.greet(panel)
    wire.do(panel, "key", provider="nobody", key=KEY)
    wire.listen(lambda m: "unknown provider" in json.dumps(m["content"]))
    wire.do(panel, "explode")
    wire.listen(lambda m: "has no action" in json.dumps(m["content"]))

    assert KEY not in json.dumps(wire.heard, default=str)


def test_the_session_panel_moves_while_a_cell_awaits_and_while_one_is_nested(kernel, tmp_path):
    """The state is updated during every kind of work, and lists the open sessions."""
    panel = opened(
        kernel, "sessions", f"{CLOSEABLE}h = llmkit.register_session(Closeable(), 'mine')\n"
    )
    wire = Wire(kernel)
    wire.greet(panel)
    wire.listen(is_state, 2)
    go = tmp_path / "go"
    kernel.one(
        "import asyncio, os\nasync def until_told():\n"
        f"    while not os.path.exists({str(go)!r}): await asyncio.sleep(0.01)"
    )
    for work in ("await until_told()", "llmkit.get_event_loop_manager().run(until_told())"):
        go.unlink(missing_ok=True)
        sent = kernel.send(work)
        states = wire.listen(is_state, 3)
        go.touch()
        wire.listen(lambda m, s=sent: m["parent_header"].get("msg_id") == s
                    and m["content"].get("execution_state") == "idle")  # fmt: skip
        assert "mine" in json.dumps(states, default=str)


def test_a_quiet_session_panel_sends_nothing(kernel):
    """Without an open session nothing changes, so nothing is sent."""
    panel = opened(kernel, "sessions")
    wire = Wire(kernel)
    wire.greet(panel)
    wire.listen(is_state)
    kernel.run(*["await asyncio.sleep(1.2)"] * 3)
    extra = kernel.one("print(json.dumps(p._period))")

    assert value(extra) == 1.0
    assert [m for m in wire.heard if is_state(m)][1:] == []


def test_sessions_are_closed_by_a_click(kernel):
    """One by its id, then all; the state shows both."""
    panel = opened(
        kernel,
        "sessions",
        f"{CLOSEABLE}hs = [llmkit.register_session(Closeable(), 'mine') for _ in range(3)]\n",
    )
    wire = Wire(kernel)
    wire.greet(panel)
    wire.listen(lambda m: is_state(m, "s3"))
    wire.do(panel, "close", what="s2")
    wire.listen(lambda m: is_state(m, '"closable": ["s1", "s3"]'))
    wire.do(panel, "close", what="all")
    wire.listen(lambda m: is_state(m, '"closable": []'))

    ran = kernel.one("print(json.dumps([h.status for h in hs]))")
    assert value(ran) == ["closed"] * 3


def test_a_session_names_the_prompt_of_its_cell(kernel):
    """The table's In [2] is the notebook's In [2]."""
    ran = kernel.one(f"{CLOSEABLE}h = llmkit.register_session(Closeable(), 'mine')")
    told = value(kernel.one("print(json.dumps([r['execution_count'] for r in llmkit.sessions()]))"))

    assert told == [ran.reply["execution_count"]]


def test_a_leak_names_the_cell_and_the_line_that_made_it(kernel):
    """A session whose loop was closed is a leak, listed with its cell and line."""
    panel = opened(kernel, "sessions")
    wire = Wire(kernel)
    wire.greet(panel)
    kernel.send(
        "import aiohttp, contextvars, threading\n"
        "async def made(): return aiohttp.ClientSession()\n"
        "def lose():\n"
        "    loop = asyncio.new_event_loop()\n"
        "    llmkit.register_session(loop.run_until_complete(made()), 'lost')\n"
        "    loop.close()\n"
        "t = threading.Thread(target=contextvars.copy_context().run, args=(lose,))\n"
        "t.start(); t.join()\n"
        "llmkit.close('all');"
    )
    (state,) = wire.listen(lambda m: is_state(m, "✗ leaked"))
    count = value(kernel.one("print(json.dumps(llmkit.leaks().rows[0]['execution_count']))"))
    leaks = state["content"]["data"]["content"]["state"]["leaks"]
    cells = [cell[0] for cell in leaks["lines"][0]["cells"]]

    assert cells[2:4] == ["lost", f"In [{count}]"]
    assert cells[5] == "line 5 of its cell"


def test_no_timer_and_no_watcher_outlives_its_panel(kernel):
    """A closed panel leaves no timer on the loop and no watcher of sessions."""
    count = (
        "import asyncio\nfrom tests.ours import ours, tasks\n"
        "kit, panels = llmkit.current_kit(), 'llmkit.notebook'\n"
        "timers = [h for h in asyncio.get_running_loop()._scheduled if not h.cancelled()]\n"
        "left = [*tasks(panels), *[repr(h) for h in timers if ours(h, panels)]]\n"
        "print(json.dumps([left, len(kit.manager.registry._listeners.functions),"
        " len(kit.checks._listeners.functions)]))"
    )
    before = value(kernel.one(count))
    for name in ("auth", "models", "sessions", None):
        panel = opened(kernel, name)
        if name is not None:
            Wire(kernel).greet(panel)
        kernel.one("await asyncio.sleep(0.5)\np.close()\ndel p\ngc.collect()")
    kernel.one("await asyncio.sleep(1.5)")

    assert value(kernel.one(count)) == before


def test_the_live_table_is_a_dataframe_that_follows_the_sessions(kernel):
    """sessions(live=True) displays at once, and updates when a session opens or closes."""
    ran = kernel.one("live = llmkit.sessions(live=True)\nlive", cell_id="live")
    wire = Wire(kernel)
    kernel.send(f"{CLOSEABLE}h = llmkit.register_session(Closeable(), 'mine')")
    (opened_then,) = wire.listen(
        lambda m: (
            m["msg_type"] == "update_display_data" and "mine" in m["content"]["data"]["text/html"]
        )
    )
    kernel.send("h.close()")
    wire.listen(
        lambda m: (
            m["msg_type"] == "update_display_data"
            and "closed" in m["content"]["data"]["text/plain"]
        )
    )

    assert 'class="dataframe"' in ran.shown[0]["text/html"]
    assert "open" in opened_then["content"]["data"]["text/plain"]
    assert value(kernel.one("print(json.dumps(len(live.frame())))")) == 0


def test_a_live_table_ends_when_its_cell_runs_again(kernel):
    """Twenty runs leave one live display; close() ends it."""
    watchers = "print(json.dumps(len(llmkit.current_kit().manager.registry._listeners.functions)))"
    before = value(kernel.one(watchers))
    for _ in range(20):
        kernel.one("live = llmkit.sessions(live=True)\nlive", cell_id="live")
    during = value(kernel.one(watchers))
    kernel.one("live.close(); live.close()")

    assert during == before + 1
    assert value(kernel.one(watchers)) == before


def test_every_panel_has_html_and_text_beside_the_widget(kernel):
    """A closed notebook is readable, and a run without a page works."""
    ran = kernel.run("%llmkit auth", "%llmkit models gemini", "%llmkit sessions", "%llmkit")

    assert [r.ok for r in ran] == [True] * 4, [r.error for r in ran]
    bundles = [r.shown[0] for r in ran]
    widgets = [r.shown[1] for r in ran]
    assert all("application/vnd.jupyter.widget-view+json" in w for w in widgets)
    assert not any("application/vnd.jupyter.widget-view+json" in b for b in bundles)
    assert "– no key" in bundles[0]["text/html"]
    assert "gemini-pro" in bundles[1]["text/plain"]
    assert "gpt-4 " not in bundles[1]["text/plain"]
    assert "<caption>Sessions</caption>" in bundles[2]["text/html"]
    for word in ("Sign-in", "Models", "Sessions"):
        assert word in bundles[3]["text/plain"]
        assert f"<caption>{word}</caption>" in bundles[3]["text/html"]
