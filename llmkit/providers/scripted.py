"""Answers from a script, in the chat-completions dialect, for tests and classes without a key."""

from __future__ import annotations

from ..catalogue.provider_table import ProviderFacts
from .chat_completions import OpenAIChat


class Scripted(OpenAIChat):
    """A script's answers; no request for it ever reaches a socket."""

    name = "scripted"
    label = "the script"
    default_base_url = "http://scripted.invalid/v1"  # a domain that can never exist (RFC 2606)
    facts = ProviderFacts("script", closed=True, color=6, marker="*")
    needs_key = False
    proves_key = False
