"""Sends the same requests with raw aiohttp, llmkit and other installed libraries.

As a program it runs one contestant in a separate process. It reads commands as lines of JSON, and
answers each with the CPU seconds, the wall seconds and the memory that it used.
"""

from __future__ import annotations

import asyncio
import json
import os
import resource
import statistics
import sys
import time
from typing import Any

MODEL = "gpt-6-luna"
KEY = "sk-bench-0123456789abcdef"


class RawAiohttp:
    """The minimal client: one session, split lines, the standard json."""

    async def open(self, url: str) -> None:
        import aiohttp

        self.url = url
        self.session = aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0))

    async def close(self) -> None:
        await self.session.close()

    async def stream(self, chunks: int, prompt: str = "hi") -> str:
        body = {
            "model": MODEL, "stream": True, "max_tokens": chunks,
            "messages": [{"role": "user", "content": prompt}],
        }  # fmt: skip
        text, tail = [], b""
        async with self.session.post(f"{self.url}/chat/completions", json=body) as response:
            async for data in response.content.iter_any():
                *lines, tail = (tail + data).split(b"\n")
                for line in lines:
                    if line.startswith(b"data: ") and line != b"data: [DONE]":
                        choices = json.loads(line[6:])["choices"]
                        text += [c["delta"].get("content") or "" for c in choices]
        return "".join(text)

    async def first(self, chunks: int) -> float:
        """Seconds from the question to the first piece of text."""
        body = {
            "model": MODEL, "stream": True, "max_tokens": chunks,
            "messages": [{"role": "user", "content": "hi"}],
        }  # fmt: skip
        began, came = time.perf_counter(), 0.0
        async with self.session.post(f"{self.url}/chat/completions", json=body) as response:
            async for data in response.content.iter_any():
                event = data.partition(b"data: ")[2].partition(b"\n")[0]
                if not came and json.loads(event)["choices"][0]["delta"]["content"]:
                    came = time.perf_counter()
        return came - began


class Llmkit:
    """The public functions, with session tracking, telemetry and all other features enabled."""

    key_var: str | None = None

    async def open(self, url: str) -> None:
        import llmkit

        self.llmkit = llmkit
        llmkit.configure(retries=0, limit_per_provider=2000)
        llmkit.add_provider("bench", url, self.key_var)

    async def close(self) -> None:
        await self.llmkit.aclose("all")

    async def stream(self, chunks: int, prompt: str = "hi") -> str:
        answer = await self.llmkit.aask(prompt, f"bench:{MODEL}", max_tokens=chunks)
        return str(answer.text)

    async def first(self, chunks: int) -> float:
        """Seconds from the question to the first piece of text."""
        began, came = time.perf_counter(), 0.0
        async for part in self.llmkit.stream("hi", f"bench:{MODEL}", max_tokens=chunks):
            if not came and getattr(part, "text", ""):
                came = time.perf_counter()
        return came - began


class LlmkitKeyed(Llmkit):
    """llmkit with an API key, which it sends and redacts in all responses."""

    key_var = "BENCH_API_KEY"

    async def open(self, url: str) -> None:
        os.environ[self.key_var] = KEY
        await super().open(url)


class OpenAI:
    """The official client."""

    async def open(self, url: str) -> None:
        import openai

        self.client: Any = openai.AsyncOpenAI(base_url=url, api_key=KEY, max_retries=0)

    async def close(self) -> None:
        await self.client.close()

    async def stream(self, chunks: int, prompt: str = "hi") -> str:
        answer = await self.client.chat.completions.create(
            model=MODEL, max_tokens=chunks, stream=True,
            messages=[{"role": "user", "content": prompt}],
        )  # fmt: skip
        pieces = [chunk.choices[0].delta.content async for chunk in answer if chunk.choices]
        return "".join(piece or "" for piece in pieces)


class Mistral:
    """The official client."""

    async def open(self, url: str) -> None:
        from mistralai.client import Mistral

        self.client: Any = Mistral(api_key=KEY, server_url=url.removesuffix("/v1"))

    async def close(self) -> None:
        await self.client.__aexit__(None, None, None)
        self.client.__exit__(None, None, None)

    async def stream(self, chunks: int, prompt: str = "hi") -> str:
        answer = await self.client.chat.stream_async(
            model=MODEL, max_tokens=chunks, messages=[{"role": "user", "content": prompt}]
        )
        pieces = [e.data.choices[0].delta.content async for e in answer if e.data.choices]
        return "".join(piece or "" for piece in pieces)


class LiteLLM:
    """One function for all providers."""

    async def open(self, url: str) -> None:
        os.environ["LITELLM_LOCAL_MODEL_COST_MAP"] = "True"  # otherwise its import sends a request
        import litellm

        self.litellm, self.url = litellm, url

    async def close(self) -> None:
        return

    async def stream(self, chunks: int, prompt: str = "hi") -> str:
        answer = await self.litellm.acompletion(
            model=f"openai/{MODEL}", api_base=self.url, api_key=KEY, max_tokens=chunks,
            stream=True, messages=[{"role": "user", "content": prompt}],
        )  # fmt: skip
        pieces = [chunk.choices[0].delta.content async for chunk in answer if chunk.choices]
        return "".join(piece or "" for piece in pieces)


class AnyLLM:
    """One function for all providers."""

    async def open(self, url: str) -> None:
        from any_llm import AnyLLM

        self.client: Any = AnyLLM.create("openai", api_key=KEY, api_base=url)

    async def close(self) -> None:
        return

    async def stream(self, chunks: int, prompt: str = "hi") -> str:
        answer = await self.client.acompletion(
            model=MODEL, max_tokens=chunks, stream=True,
            messages=[{"role": "user", "content": prompt}],
        )  # fmt: skip
        pieces = [chunk.choices[0].delta.content async for chunk in answer if chunk.choices]
        return "".join(piece or "" for piece in pieces)


class AISuite:
    """One blocking client for all providers."""

    async def open(self, url: str) -> None:
        import aisuite

        self.client: Any = aisuite.Client({"openai": {"api_key": KEY, "base_url": url}})

    async def close(self) -> None:
        return

    async def stream(self, chunks: int, prompt: str = "hi") -> str:
        answer = self.client.chat.completions.create(
            model=f"openai:{MODEL}", max_tokens=chunks, stream=True,
            messages=[{"role": "user", "content": prompt}],
        )  # fmt: skip
        pieces = [chunk.choices[0].delta.content for chunk in answer if chunk.choices]
        return "".join(piece or "" for piece in pieces)


class Chatlas:
    """A chat with a history, which is dropped after each question."""

    async def open(self, url: str) -> None:
        from chatlas import ChatOpenAICompletions

        self.chat: Any = ChatOpenAICompletions(base_url=url, api_key=KEY, model=MODEL)

    async def close(self) -> None:
        return

    async def stream(self, chunks: int, prompt: str = "hi") -> str:
        pieces = await self.chat.stream_async(prompt, echo="none", kwargs={"max_tokens": chunks})
        text = "".join([str(piece) async for piece in pieces])
        self.chat.set_turns([])
        return text


# By name: its class, the package that it imports, and its environment of `make bench-peers`.
CONTESTANTS: dict[str, tuple[type[Any], str]] = {
    "raw-aiohttp": (RawAiohttp, "aiohttp"),
    "llmkit": (Llmkit, "llmkit"),
    "llmkit-keyed": (LlmkitKeyed, "llmkit"),
    "openai": (OpenAI, "openai"),
    "mistralai": (Mistral, "mistralai"),
    "litellm": (LiteLLM, "litellm"),
    "any-llm": (AnyLLM, "any_llm"),
    "aisuite": (AISuite, "aisuite"),
    "chatlas": (Chatlas, "chatlas"),
}


async def serve(name: str, url: str) -> None:
    """Opens the contestant, then runs one command for each line of standard input."""
    contestant = CONTESTANTS[name][0]()
    await contestant.open(url)
    print("{}", flush=True)
    while line := await asyncio.to_thread(sys.stdin.readline):
        print(json.dumps(await obey(contestant, **json.loads(line))), flush=True)
    await contestant.close()


async def obey(contestant: Any, **command: int) -> dict[str, float]:
    """Runs *command* and returns its costs, see `ask` and `wait`."""
    if "waits" in command:
        return await wait(contestant, **command)
    return await ask(contestant, **command)


async def wait(contestant: Any, *, chunks: int, waits: int) -> dict[str, float]:
    """Returns the median of the seconds to the first text, over *waits* requests."""
    return {"first": statistics.median([await contestant.first(chunks) for _ in range(waits)])}


async def ask(
    contestant: Any, *, chunks: int, times: int, at_once: int = 1, prompt: int = 2
) -> dict[str, float]:
    """Returns the costs of *times* requests for *chunks* pieces, *at_once* concurrently."""
    text = "x" * prompt
    cpu, wall, failed = time.process_time(), time.perf_counter(), 0
    for _ in range(times // at_once):
        asked = (contestant.stream(chunks, text) for _ in range(at_once))
        answers = await asyncio.gather(*asked, return_exceptions=True)
        failed += sum(not isinstance(a, str) or not a for a in answers)
    return {
        "cpu": (time.process_time() - cpu) / times,
        "wall": time.perf_counter() - wall,
        "failed": failed,
        "mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
    }


if __name__ == "__main__":
    asyncio.run(serve(*sys.argv[1:3]))
