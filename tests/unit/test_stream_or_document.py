"""A body is kept until it is known to be a stream."""

from __future__ import annotations

import pytest

from llmkit.transport.responses import StreamOrDocument

EVENTS = "text/event-stream"


@pytest.mark.parametrize("size", [1, 3, 100])
@pytest.mark.parametrize(
    ("content_type", "body", "kept"),
    [
        (EVENTS, b' \n {"a": 1}', b'{"a": 1}'),
        (EVENTS, b" \n data: {}", None),
        (EVENTS, b": ping", None),
        ("application/json", b"data: {}", b"data: {}"),
        ("application/x-ndjson", b"{}", None),
    ],
)
def test_blanks_at_the_beginning_decide_nothing(content_type, body, kept, size):
    """The first characters that are not blank tell events from a document, in any pieces."""
    document = StreamOrDocument(content_type)
    for start in range(0, len(body), size):
        if not document.keep(body[start : start + size]):
            break

    assert document.body == kept
