"""Tests the whole path to a real language model and back."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import subprocess
import sys
import threading
import time
import urllib.request
from contextlib import aclosing

import pytest

from llmkit.chat.call import Call
from llmkit.chat.exchange import Exchange
from llmkit.errors import AuthenticationError, ContextLengthExceededError, LocalModelError
from llmkit.providers.anthropic import Anthropic
from llmkit.providers.local import Local
from llmkit.providers.mistral import Mistral
from llmkit.retries.policy import RetryPolicy
from llmkit.secret import Secret
from llmkit.settings import child_environment
from llmkit.transport.aiohttp_transport import AiohttpTransport, open_session
from llmkit.transport.local_model import LocalModels, weights_file
from llmkit.transport.mistral_sdk import MistralClient
from llmkit.transport.timeouts import Timeouts
from llmkit.types import Message, Prompt, Status
from tests.ipc import ipc
from tests.over import over
from tests.patience import SOON_S

pytestmark = pytest.mark.model

SAY = Prompt((Message("user", "Name three colours."),), max_tokens=24, temperature=0.0, seed=1)


def call(endpoint, prompt=SAY, *, provider=None, key=None):
    provider = provider or Local(endpoint.base_url)
    return Call(
        provider, "smollm2", prompt, key or endpoint.key, Timeouts(), RetryPolicy(attempts=1)
    )


def ask(*calls):
    async def asked():
        async with open_session() as session:
            transport = AiohttpTransport(session)
            return await asyncio.gather(*(Exchange(c, over(transport)).whole() for c in calls))

    return asyncio.run(asked())


def busy(endpoint):
    """Returns the number of answers that the server reports as in progress."""
    request = urllib.request.Request(
        endpoint.base_url.removesuffix("/v1") + "/metrics",
        headers={"Authorization": f"Bearer {endpoint.key.reveal()}"},
    )
    with urllib.request.urlopen(request, timeout=SOON_S) as response:
        lines = response.read().decode().splitlines()
    (line,) = [row for row in lines if row.startswith("llamacpp:requests_processing ")]
    return float(line.split()[1])


def until(condition):
    deadline = time.monotonic() + SOON_S
    pause = threading.Event()
    while not condition():
        assert time.monotonic() < deadline
        pause.wait(0.02)


def test_real_words_come_one_after_another(endpoint):
    """The OpenAI dialect streams real tokens, and counts them."""

    async def pieces():
        async with open_session() as session:
            exchange = Exchange(call(endpoint), over(AiohttpTransport(session)))
            async with aclosing(exchange.deltas()) as deltas:
                found = [delta.text async for delta in deltas]
            return found, exchange.completion()

    found, answer = asyncio.run(pieces())

    assert len(found) > 5
    assert "".join(found) == answer.text
    assert len(answer.text.split()) > 3
    assert answer.usage.output_tokens > 5
    assert answer.time_to_first_chunk_s < answer.duration_s


def test_a_seed_gives_the_same_text_again(endpoint):
    """Two requests with the same seed and temperature get the same answer."""
    warm = Prompt(SAY.messages, max_tokens=24, temperature=0.9, seed=7)

    first, second = (ask(call(endpoint, warm))[0].text for _ in range(2))

    assert first == second


def test_anthropics_dialect_is_spoken_too(endpoint):
    """The same server answers /v1/messages, as llmkit's Anthropic translator requests it."""
    anthropic = Anthropic(endpoint.base_url.removesuffix("/v1"))
    (answer,) = ask(call(endpoint, provider=anthropic))

    assert len(answer.text.split()) > 3
    assert answer.status in (Status.COMPLETE, Status.LENGTH)


def test_mistrals_sdk_reads_the_same_server(endpoint):
    """The official Mistral SDK gets real words, in a separate program."""
    code = (
        "import json, sys\nfrom mistralai.client import Mistral\n"
        "url, key = json.loads(sys.stdin.read())\n"
        "client = Mistral(api_key=key, server_url=url)\n"
        "parts = client.chat.stream(model='m', max_tokens=16,"
        " messages=[{'role': 'user', 'content': 'Name a colour.'}])\n"
        "print(json.dumps(''.join(p.data.choices[0].delta.content or '' for p in parts)))"
    )
    url = endpoint.base_url.removesuffix("/v1")
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=120, check=True,
        input=json.dumps([url, str.__str__(endpoint.key.reveal())]),
    )  # fmt: skip

    assert len(json.loads(done.stdout)) > 3


def test_a_wrong_key_is_refused(endpoint):
    """Other users of this machine cannot use the server."""
    with pytest.raises(AuthenticationError):
        ask(call(endpoint, key=Secret("wrong-0123456789abcdef")))


def test_the_key_is_in_no_command_line(endpoint):
    """The command line, which every user of the machine can read, contains no key."""
    with open(f"/proc/{endpoint.pid}/cmdline", "rb") as file:
        line = file.read()

    assert endpoint.key.reveal().encode() not in line


def test_the_server_sees_no_api_key(models, monkeypatch):
    """The environment that the system shows for its process has only what it needs."""
    monkeypatch.setenv("OPENAI_API_KEY", "canary-6f1d0c")
    monkeypatch.setenv("SOMETHING_ELSE", "canary-6f1d0c")
    fresh = LocalModels(notify=lambda text: None)
    try:
        pid = asyncio.run(fresh.endpoint("smollm2")).pid
        with open(f"/proc/{pid}/environ", "rb") as file:
            variables = dict(line.split(b"=", 1) for line in file.read().split(b"\0") if line)
    finally:
        fresh.close()

    assert variables == {
        os.fsencode(n): os.fsencode(v) for n, v in child_environment(os.environ).items()
    }
    assert b"canary-6f1d0c" not in b"".join(variables.values())


def test_too_long_a_prompt_is_told_as_such(endpoint):
    """The model's context window is small, and the message says what to do."""
    long = Prompt((Message("user", "word " * 6000),), max_tokens=8)

    with pytest.raises(ContextLengthExceededError):
        ask(call(endpoint, long))


def test_leaving_a_stream_stops_the_server(endpoint):
    """A cancelled answer is not generated to its end."""
    endless = Prompt((Message("user", "Count to a thousand."),), max_tokens=1500, temperature=1.0)

    async def leave():
        async with open_session() as session:
            exchange = Exchange(call(endpoint, endless), over(AiohttpTransport(session)))
            async with aclosing(exchange.deltas()) as deltas:
                async for _ in deltas:
                    return

    asyncio.run(leave())

    until(lambda: busy(endpoint) == 0)


def test_four_at_once_all_succeed(endpoint):
    """Questions beyond the number of slots wait, and none is lost."""
    answers = ask(*[call(endpoint) for _ in range(4)])

    assert [a.status in (Status.COMPLETE, Status.LENGTH) for a in answers] == [True] * 4


def test_first_questions_at_once_start_one_child(models, endpoint):
    """Concurrent first questions start one server."""

    async def both():
        return await asyncio.gather(models.endpoint("smollm2"), models.endpoint("smollm2"))

    assert {found.pid for found in asyncio.run(both())} == {endpoint.pid}


def test_a_child_that_died_is_started_again():
    """A killed server costs one loading time, not the session."""
    models = LocalModels(notify=lambda text: None)
    try:
        first = asyncio.run(models.endpoint("smollm2"))
        os.kill(first.pid, signal.SIGKILL)
        until(lambda: not models._children["smollm2"].alive)
        second = asyncio.run(models.endpoint("smollm2"))
        (answer,) = ask(call(second))
    finally:
        models.close()
        models.close()

    assert second.pid != first.pid
    assert answer.text


def test_the_child_ends_with_its_parent():
    """A parent that is killed leaves no server running."""
    code = (
        "import asyncio, sys\nfrom llmkit.transport.local_model import LocalModels\n"
        "models = LocalModels(notify=lambda text: None)\n"
        "print(asyncio.run(models.endpoint('smollm2')).pid, flush=True)\nsys.stdin.read()"
    )
    with subprocess.Popen(
        [sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as parent:
        assert parent.stdout is not None
        child = int(parent.stdout.readline())
        parent.kill()

    until(lambda: not os.path.exists(f"/proc/{child}") or _is_zombie(child))


def _is_zombie(pid):
    # The process that adopted a terminated orphan may take a while to reap it.
    with open(f"/proc/{pid}/stat") as file:
        return file.read().rsplit(")", 1)[1].split()[0] == "Z"


def test_what_is_no_model_file_says_so(tmp_path):
    """A missing file and a file of another format each raise one clear sentence."""
    other = tmp_path / "notes.gguf"
    other.write_text("not a model")

    with pytest.raises(LocalModelError, match="cannot read the model file"):
        weights_file(str(tmp_path / "nothing.gguf"))
    with pytest.raises(LocalModelError, match="is not a GGUF file"):
        weights_file(str(other))


def test_the_official_mistral_sdk_reaches_it_too(endpoint):
    """A chat by the official client, over llmkit's connections, equals llmkit's own."""
    provider = Mistral(endpoint.base_url.removesuffix("/v1"))
    asked = call(endpoint, provider=provider)
    (usual,) = ask(asked)

    async def by_the_sdk():
        async with aclosing(
            MistralClient(endpoint.key, base_url=provider.base_url, timeouts=Timeouts())
        ) as client:
            (message,) = asked.prompt.messages
            answer = await client.sdk().chat.complete_async(
                model=asked.model,
                messages=[{"role": "user", "content": message.text}],
                max_tokens=asked.prompt.max_tokens,
                temperature=asked.prompt.temperature,
                random_seed=asked.prompt.seed,
            )
            return answer.choices[0].message.content

    assert asyncio.run(by_the_sdk()) == usual.text != ""


@pytest.mark.parametrize("appear_s", [0.0, 600.0])
def test_loading_leaves_standard_output_to_the_program(models, appear_s):
    """`python script.py | jq` reads the answer alone; the line goes to stderr, if it is shown."""
    code = (
        "from llmkit.transport import loading_line\n"
        f"loading_line.LoadingLine.appear_s = {appear_s}\n"
        "import json, llmkit\n"
        "answer = llmkit.ask('Say hi.', max_tokens=4)\n"
        "print(json.dumps({'text': answer.text}))\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True,
        env={**os.environ, "LLMKIT_CONFIG": os.devnull},
    )  # fmt: skip

    assert json.loads(done.stdout).keys() == {"text"}
    assert done.stderr == ("" if appear_s else "loading smollm2 ...\n")


@pytest.mark.parametrize("appear_s", [0.0, 600.0])
def test_loading_leaves_no_line_in_a_notebook(models, tmp_path, appear_s):
    """nbclient stores what the cell printed, and at most an output without text."""
    import nbformat  # a second to import: not where only the fast tests run
    from nbclient import NotebookClient
    from traitlets.config import Config

    cell = nbformat.v4.new_code_cell(
        "from llmkit.transport import loading_line\n"
        f"loading_line.LoadingLine.appear_s = {appear_s}\n"
        "import llmkit\n"
        "print('before')\n"
        "answer = llmkit.ask('Say hi.', max_tokens=4)\n"
        "print('after')"
    )
    NotebookClient(
        nbformat.v4.new_notebook(cells=[cell]), timeout=None, config=Config(KernelManager=ipc()),
        resources={"metadata": {"path": str(tmp_path)}},
    ).execute(env={**os.environ, "IPYTHONDIR": str(tmp_path)})  # fmt: skip

    assert "".join(output.get("text", "") for output in cell.outputs) == "before\nafter\n"
    displays = [output.data for output in cell.outputs if output.output_type != "stream"]
    assert displays == ([] if appear_s else [{"text/plain": ""}])
