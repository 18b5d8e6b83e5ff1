"""Who plays in the script: an echo, and six tempers that are labelled so that none seems real."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from .scripted import Reply, Script


def cast() -> dict[str, Reply]:
    """A fresh cast by model name; who refuses first has not refused yet."""
    return {
        "echo": _echo,
        "openai": _temper(
            "openai", Script(first_delay_s=0.1, piece_delay_s=0.02),
            "Certainly! Here is a tidy answer in three points, of which the first is:",
            "Great question. In short:",
        ),
        "anthropic": _temper(
            "anthropic",
            Script(first_delay_s=0.25, piece_delay_s=0.03, reasoning="Let me weigh this."),
            "I want to be careful here, because there is more than one way to read this:",
            "It depends, and it is worth saying on what. You wrote:",
        ),
        "google": _temper(
            "google", Script(first_delay_s=0.6, piece_delay_s=0.01),
            "Here are several perspectives, quickly, once I got going:",
            "A structured overview follows. Subject:",
        ),
        "mistral": _temper(
            "mistral", Script(first_delay_s=0.05, piece_delay_s=0.01), "Bref:", "In one line:"
        ),
        "openrouter": _moody("openrouter", Script(first_delay_s=0.2, piece_delay_s=0.02)),
        "ollama": _temper(
            "ollama", Script(first_delay_s=0.9, piece_delay_s=0.06),
            "Warming up ... there we are. Slowly but from your own desk:",
        ),
    }  # fmt: skip


def _temper(name: str, pace: Script, *openings: str) -> Callable[[Mapping[str, Any]], Script]:
    """A player that answers the same to the same request, and otherwise differently."""

    def play(body: Mapping[str, Any]) -> Script:
        asked = str(body["messages"][-1].get("content", ""))
        heat = body.get("temperature") or 0
        turn = _number(f"{name}|{asked}|{heat}|{body.get('seed')}") if heat else _number(asked)
        opening = openings[turn % len(openings)]
        topic = " ".join(asked.split()[:12])
        return replace(pace, text=f"[scripted {name}] {opening} {topic}")

    return play


def _moody(name: str, pace: Script) -> Callable[[Mapping[str, Any]], Script]:
    """A player that refuses the first request of each prompt, and answers the second."""
    refused: set[str] = set()
    answer = _temper(name, pace, "Now I have time. You asked:", "Back again. About:")

    def play(body: Mapping[str, Any]) -> Script:
        asked = json.dumps(body["messages"])
        if asked not in refused:
            refused.add(asked)
            return Script("too many requests (scripted)", status=429, retry_after=0.1)
        refused.discard(asked)
        return answer(body)

    return play


def _number(text: str) -> int:
    return int.from_bytes(hashlib.sha256(text.encode("utf-8", "replace")).digest()[:4])


def _echo(body: Mapping[str, Any]) -> Script:
    return Script(text=str(body["messages"][-1].get("content", "")))
