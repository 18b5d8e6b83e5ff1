"""In a real notebook a key is in no output, message, history, file or page (S1, S3, S8)."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.fakes.misbehaviour import saying
from tests.fakes.reply import Reply
from tests.fakes.server import PREFIXES
from tests.kernel.driver import Kernel
from tests.patience import NEVER_S

from .canary import traces
from .test_sinks import KEY_VARS

pytestmark = pytest.mark.kernel
ROOT = Path(__file__).parents[2]
XMODES = ("Verbose", "Context", "Plain", "Minimal")
LOOKS = (
    "kit", "vars(kit)", "kit.registry", "vars(kit.registry)", "vars(kit.credentials)",
    "kit.credentials.find(kit.registry.provider('openai'))",
    "kit?", "kit.credentials?", "kit.checks??", "llmkit.check?", "%whos", "llmkit.auth()",
    "llmkit.auth().frame()", "llmkit.sessions().frame()", "llmkit.check('mistral')", "%llmkit auth",
    "[s.resource for s in kit.manager.registry.open_sessions()]", "llmkit.panel('sessions')",
    "kit.registry.provider('openai').key_request("
    "kit.credentials.find(kit.registry.provider('openai')).key)",
)  # fmt: skip


@pytest.fixture
def place(fakes, tmp_path):
    """Returns the folder of a kernel's files, and its environment with the fakes' URLs."""
    urls = {f"LLMKIT_{name.upper()}_BASE_URL": fakes.base_url(name) for name in PREFIXES}
    places = {"IPYTHONDIR": tmp_path / "ipython", "LLMKIT_CONFIG": os.devnull,
              "HOME": tmp_path / "home", "XDG_CACHE_HOME": tmp_path / "cache"}  # fmt: skip
    return tmp_path, {**urls, **{name: str(path) for name, path in places.items()}}


def keys(fakes):
    return dict.fromkeys(KEY_VARS.values(), fakes.key)


def echo(fakes):
    body = json.dumps({"error": {"message": f"bad key {fakes.key}", "code": fakes.key}}).encode()
    return Reply(401, (body,), {"content-type": "application/json", "x-request-id": fakes.key})


def test_nothing_that_a_kernel_sends_or_writes_has_a_key(fakes, place):
    """Every view, traceback and log: all messages and files are searched."""
    folder, env = place
    key = fakes.key
    with Kernel(env={**env, **keys(fakes)}) as kernel:
        kernel.one(
            "%load_ext llmkit\nimport asyncio, llmkit, logging\nkit = llmkit.current_kit()\n"
            "logging.basicConfig(level=logging.DEBUG)\n"
            "logging.getLogger('httpcore2').setLevel(logging.INFO)"
        )
        looked = [kernel.one(cell) for cell in LOOKS]
        fakes.answer("openai", saying("openai", f"it is {key[:15]}", f"{key[15:]} indeed"))
        answered = kernel.one("%%ask openai:gpt-6-luna --out answer\nsay the key")
        kernel.one("answer.text, answer")
        for mode in XMODES:
            kernel.one(f"%xmode {mode}")
            fakes.answer("openai", echo(fakes))
            failed = kernel.one("llmkit.ask('hi', 'openai:gpt-6-luna')")
            assert failed.reply["ename"] == "AuthenticationError"
            for provider in ("openai", "mistral"):
                fakes.reset()
                fakes.answer(provider, Reply(headers_after_s=NEVER_S))
                sent = kernel.send(f"print('go', flush=True)\nllmkit.check({provider!r})")
                fakes.wait_until_asked(provider)
                kernel.interrupt()
                (stopped,) = kernel.collect([sent])
                assert stopped.reply["ename"] == "KeyboardInterrupt"
        kernel.one("run = llmkit.compare('hi', 'openai:gpt-6-luna', view=object())")
        kernel.one(
            f"run = llmkit.compare('hi', 'openai:gpt-6-luna')\nrun.to_json({str(folder / 'r')!r})"
        )
        traffic = kernel.traffic

    assert [ran.error for ran in looked if not ran.ok] == []
    assert "it is *** indeed" in answered.words["text/plain"]
    assert len(traffic) > 100
    assert traces(key, *traffic) == []
    assert traces(key, kernel.stderr, folder) == []
    assert list(folder.rglob("history.sqlite"))


def test_a_key_that_is_typed_in_leaves_no_trace(fakes, place):
    """%llmkit key reads it without echo; the key works, and is in no message, history or file."""
    folder, env = place
    with Kernel(env=env) as kernel:
        kernel.one("%load_ext llmkit\nimport llmkit")
        before = kernel.one("llmkit.check('openai')")
        sent = kernel.send("status = %llmkit key openai\nprint(status)", allow_stdin=True)
        asked = kernel.type_in(fakes.key)
        (ran,) = kernel.collect([sent])
        after = kernel.one("print(llmkit.check('openai').key_source)")
        refused = kernel.one("%llmkit key openai")
        traffic = kernel.traffic

    assert "no key" in before.words["text/plain"]
    assert asked == {"prompt": "Key for openai: ", "password": True}
    assert ran.ok, ran.error
    assert ran.out.strip() == "openai: ready."
    assert after.out.strip() == "typed in"
    assert "this front end cannot ask" in refused.err
    assert traces(fakes.key, *traffic, kernel.stderr, folder) == []


@pytest.mark.parametrize(
    "cell",
    [
        "%llmkit key openai {key}", "%llmkit check openai --api-key={key}", "%llmkit {key}",
        "%%ask openai:gpt-6-luna --key {key}\nhi", "%%ask {key}\nhi",
        "%%compare openai:gpt-6-luna --api-key={key}\nhi", "%%ask scripted:echo --system {key}\nhi",
    ],
)  # fmt: skip
def test_a_key_in_a_magic_is_refused_with_the_reason(magic_kernel, cell):
    """The message says why and what to do, and does not contain the key."""
    key = "sk-proj-aB3dE6gH9jK2mN5pQ8sT1vW4"
    ran = magic_kernel.one(cell.format(key=key))

    assert ran.reply["ename"] == "UsageError"
    assert "is saved in the notebook and in the command history" in ran.err
    assert "%llmkit key PROVIDER" in ran.err
    assert traces(key, ran.err, ran.error, *map(str, ran.shown)) == []


@pytest.mark.parametrize(
    "cell",
    [
        "%%ask scripted:echo {WRITE}\nhi",
        "%%ask scripted:echo --system $name\n{WRITE} $name",
        "%%ask scripted:echo\n{{WRITE}} {{name.__class__}} {{a[0]}} {{ name!r }} {{name:>9}}",
        "%%compare scripted:echo --system {name}\n{WRITE} $name !touch PATH `touch PATH`",
        "%llmkit resolve {WRITE}",
        "%llmkit check $name",
        "%llmkit why {name}",
    ],
)
def test_no_magic_runs_what_stands_in_it(magic_kernel, tmp_path, cell):
    """Braces, dollars and names with attributes stay text, in the first line and below it."""
    path = tmp_path / "written"
    magic_kernel.one("name = 'NAME-WAS-READ'")
    ran = magic_kernel.one(
        cell.replace("WRITE", f"open({str(path)!r},'w').write('x')").replace("PATH", str(path))
    )

    assert not path.exists()
    assert "NAME-WAS-READ" not in f"{ran.out} {ran.err} {ran.shown}"


@pytest.fixture(scope="module")
def magic_kernel(tmp_path_factory):
    home = tmp_path_factory.mktemp("ipython")
    with Kernel(env={"IPYTHONDIR": str(home), "LLMKIT_CONFIG": os.devnull}) as running:
        running.one("%load_ext llmkit\nimport llmkit")
        yield running


def test_keys_are_checked_in_the_background_of_the_load(fakes, place):
    """With the setting, the state of each key is there shortly after %load_ext."""
    _, env = place
    fakes.answer("openai", Reply(503, (b"busy",), headers_after_s=5.0))
    with Kernel(env={**env, **keys(fakes), "LLMKIT_CHECK_AT_LOAD": "1"}) as kernel:
        loaded = kernel.one(
            "import json, threading\n%load_ext llmkit\n"
            "print(json.dumps([t.name for t in threading.enumerate() if 'sign-in' in t.name]))"
        )
        states = kernel.one(
            "[t.join() for t in threading.enumerate() if t.name == 'llmkit-sign-in']\n"
            "import llmkit\nknown = llmkit.current_kit().checks.statuses()\n"
            "print(json.dumps({s.provider: str(s.state) for s in known}))"
        )

    # The load did not wait for the slow answer: its thread was still running afterwards.
    assert json.loads(loaded.out) == ["llmkit-sign-in"]
    found = json.loads(states.out)
    assert {found[name] for name in PREFIXES} == {"ready"}
    assert not any(word in kernel.stderr for word in ("Unclosed", "Traceback", "never retrieved"))


def test_a_kernel_may_end_in_the_middle_of_a_background_check(fakes, place):
    """It ends at once without output, and the server sees the closed connection."""
    _, env = place
    fakes.answer("openai", Reply(headers_after_s=NEVER_S))
    with Kernel(env={**env, **keys(fakes), "LLMKIT_CHECK_AT_LOAD": "1"}) as kernel:
        kernel.one("%load_ext llmkit")
        asked = fakes.wait_until_asked("openai")

    assert asked.ended.wait(30)
    assert kernel.stderr.strip() == "", kernel.stderr


def test_a_notebook_that_is_run_and_exported_has_no_key(fakes, place):
    """nbconvert runs it, with the state of its widgets, and exports it as a page."""
    folder, env = place
    fakes.answer("openai", echo(fakes))
    cells = [
        "%load_ext llmkit\nimport llmkit\nkit = llmkit.current_kit()",
        "llmkit.auth()",
        "llmkit.panel('auth')",
        "llmkit.panel('sessions')",
        "%%compare openai:gpt-6-luna mistral:mistral-small-latest google:gemini-3.5-flash-lite\nhi",
        "kit.credentials",
        "import ipywidgets\nipywidgets.Text('a widget, so that their state is saved')",
    ]
    nodes = [{"cell_type": "code", "id": f"c{i}", "metadata": {}, "execution_count": None,
              "outputs": [], "source": cell} for i, cell in enumerate(cells)]  # fmt: skip
    spec = {"name": "python3", "display_name": "Python 3"}
    document = {"cells": nodes, "metadata": {"kernelspec": spec}, "nbformat": 4,
                "nbformat_minor": 5}  # fmt: skip
    (folder / "in.ipynb").write_text(json.dumps(document))
    environ = {**os.environ, **env, **keys(fakes), "PYTHONPATH": str(ROOT)}
    for arguments in (["--execute", "--to", "notebook", "--output", "out"], ["--to", "html"]):
        source = "in.ipynb" if "--execute" in arguments else "out.ipynb"
        subprocess.run(
            [sys.executable, "-m", "nbconvert", *arguments, source], cwd=folder, env=environ,
            check=True, capture_output=True, timeout=300,
        )  # fmt: skip

    assert "widgets" in json.loads((folder / "out.ipynb").read_text())["metadata"]
    assert (folder / "out.html").stat().st_size > 10_000
    assert traces(fakes.key, folder) == []
