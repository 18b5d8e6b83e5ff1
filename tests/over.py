"""Sends a call over what a test holds in its hand."""

from __future__ import annotations

from llmkit.transport.base import Opened


def over(transport):
    """What an exchange calls when its turn has come: it is sent over *transport*."""

    async def opening(call):
        return Opened(call.provider, call.key, transport)

    return opening
