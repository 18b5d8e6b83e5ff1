"""Plays answers from a script as a provider, for tests and courses without a key."""

from __future__ import annotations

from ..catalogue.provider_table import ProviderFacts
from .chat_completions import OpenAIChat


class Scripted(OpenAIChat):
    """The chat-completions dialect of a script; its requests never reach a socket."""

    name = "scripted"
    label = "the script"
    default_base_url = "http://scripted.invalid/v1"  # a domain that never resolves (RFC 2606)
    facts = ProviderFacts("script", closed=True, at_once=8, color=6, marker="*")
    needs_key = False
    proves_key = False
