"""Renders one answer of `ask` as a card, and imports the renderer only when it is displayed."""

from __future__ import annotations

from ...cell import InterruptGuard
from ...types import Completion


@InterruptGuard()  # an import must not be interrupted
def html_of_completion(completion: Completion) -> str:
    """Returns the card of an answer as HTML."""
    from .layout import completion_html

    return completion_html(completion)
