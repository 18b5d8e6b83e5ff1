"""Sends a call over a test's own transport."""

from __future__ import annotations

from llmkit.transport.base import Opened


def over(transport):
    """Returns the callback with which an exchange opens *transport*."""

    async def opening(call):
        return Opened(call.provider, call.key, transport)

    return opening
