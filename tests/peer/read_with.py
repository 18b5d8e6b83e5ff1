"""Reads the fakes with one official SDK, and prints its results as JSON.

A program of its own, because some SDKs warn when they are imported, and one of them patches
what others use. Called as: read_with.py NAME URL KEY REFUSALS STREAMS
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from typing import Any

Reader = dict[str, Callable[[str], Any]]  # by operation: a function of the key


def openai(url: str) -> Reader:
    from openai import OpenAI

    def client(key: str) -> Any:
        return OpenAI(api_key=key, base_url=url, max_retries=0)

    asked: dict[str, Any] = {"model": "m", "messages": [{"role": "user", "content": "hi"}]}

    def streamed(key: str) -> str:
        parts = client(key).chat.completions.create(stream=True, **asked)
        return "".join(p.choices[0].delta.content or "" for p in parts if p.choices)

    return {
        "chat": lambda key: client(key).chat.completions.create(**asked).choices[0].message.content,
        "stream": streamed,
        "models": lambda key: [model.id for model in client(key).models.list()],
    }


def anthropic(url: str) -> Reader:
    from anthropic import Anthropic

    def client(key: str) -> Any:
        return Anthropic(api_key=key, base_url=url, max_retries=0)

    asked: dict[str, Any] = {
        "model": "m", "max_tokens": 9, "messages": [{"role": "user", "content": "hi"}],
    }  # fmt: skip

    def whole(key: str) -> str:
        blocks = client(key).messages.create(**asked).content
        return "".join(block.text for block in blocks if block.type == "text")

    def streamed(key: str) -> str:
        with client(key).messages.stream(**asked) as events:
            return "".join(events.text_stream)

    return {
        "chat": whole,
        "stream": streamed,
        "models": lambda key: [model.id for model in client(key).models.list().data],
    }


def google(url: str) -> Reader:
    from google import genai

    def client(key: str) -> Any:
        return genai.Client(api_key=key, http_options={"base_url": url})

    def whole(key: str) -> str:
        held = client(key)
        return held.models.generate_content(model="m", contents="hi").text

    def streamed(key: str) -> str:
        held = client(key)
        parts = held.models.generate_content_stream(model="m", contents="hi")
        return "".join(part.text or "" for part in parts)

    def models(key: str) -> list[str]:
        held = client(key)
        return [model.name for model in held.models.list().page]

    return {"chat": whole, "stream": streamed, "models": models}


def mistral(url: str) -> Reader:
    from mistralai.client import Mistral

    def client(key: str) -> Any:
        return Mistral(api_key=key, server_url=url)

    asked: dict[str, Any] = {"model": "m", "messages": [{"role": "user", "content": "hi"}]}

    def streamed(key: str) -> str:
        parts = client(key).chat.stream(**asked)
        return "".join(part.data.choices[0].delta.content or "" for part in parts)

    return {
        "chat": lambda key: client(key).chat.complete(**asked).choices[0].message.content,
        "stream": streamed,
        "models": lambda key: [model.id for model in client(key).models.list().data],
    }


def ollama(url: str) -> Reader:
    from ollama import Client

    messages = [{"role": "user", "content": "hi"}]

    def streamed(key: str) -> str:
        parts = Client(url).chat("m", messages, stream=True)
        return "".join(part.message.content or "" for part in parts)

    return {
        "chat": lambda key: Client(url).chat("m", messages).message.content,
        "stream": streamed,
        "models": lambda key: [model.model for model in Client(url).list().models],
    }


READERS = {
    "openai": openai, "openrouter": openai, "anthropic": anthropic, "google": google,
    "mistral": mistral, "ollama": ollama,
}  # fmt: skip


def attempt(action: Callable[[], Any]) -> Any:
    try:
        return action()
    except Exception as error:
        status = getattr(error, "status_code", None) or getattr(error, "code", None)
        return {"error": type(error).__name__, "status": status}


def main(name: str, url: str, key: str) -> None:
    reader = READERS[name](url)
    found = {what: attempt(lambda do=do: do(key)) for what, do in reader.items()}
    found["wrong key"] = attempt(lambda: reader["chat"]("sk-wrong-0123456789"))
    # The parent queues these refusals and streams, one for each further request.
    found["refusals"] = [attempt(lambda: reader["chat"](key)) for _ in range(int(sys.argv[4]))]
    found["streams"] = [attempt(lambda: reader["stream"](key)) for _ in range(int(sys.argv[5]))]
    print(json.dumps(found))


if __name__ == "__main__":
    main(*sys.argv[1:4])
