"""Answers from a script, in the chat-completions dialect, for tests and classes without a key."""

from __future__ import annotations

from .chat_completions import OpenAIChat


class Scripted(OpenAIChat):
    """A script's answers; no request for it ever reaches a socket."""

    name = "scripted"
    label = "the script"
    default_base_url = "http://scripted.invalid/v1"  # a domain that can never exist (RFC 2606)
    needs_key = False
    priced = False
    proves_key = False
