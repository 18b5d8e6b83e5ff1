"""The state that a foreign session reports."""

from __future__ import annotations

import httpx
import pytest

from llmkit.runtime import introspection


class ByMethod:
    """Like OpenAI's client, which has a method for it."""

    def __init__(self, state):
        self.state = state

    def is_closed(self):
        if self.state is None:
            raise RuntimeError("not now")
        return self.state


@pytest.mark.parametrize("state", [True, False, None])
def test_a_client_that_tells_by_a_method_is_asked(state):
    """A method that fails gives no answer."""
    assert introspection.closed(ByMethod(state)) is state


def test_a_client_that_does_not_tell_is_neither_open_nor_closed():
    """Its owner may have closed it, so it never counts as a leak."""
    assert introspection.closed(object()) is None


def test_a_client_of_httpx_tells():
    """The state is a property."""
    client = httpx.Client()
    before = introspection.closed(client)
    client.close()

    assert (before, introspection.closed(client)) == (False, True)
