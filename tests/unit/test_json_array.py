"""A JSON array that arrives in pieces."""

from __future__ import annotations

import json

import pytest

from llmkit.errors import BadResponseError
from llmkit.wire.json_array import JSONArrayDecoder

ELEMENTS = [
    {"text": 'quo"ted \\ [brackets] {braces} "]'},
    {"deep": [[{"a": 1}], {"b": {"c": []}}]},
    {},
    {"text": "süß 🏞\n", "n": -1.5e3, "t": None},
]
RAW = json.dumps(ELEMENTS, ensure_ascii=False, indent=1).encode()


def decoded(pieces: list[bytes]) -> list[object]:
    decoder = JSONArrayDecoder()
    found = [element for piece in pieces for element in decoder.feed(piece)]
    assert decoder.end() == []
    return [json.loads(element) for element in found]


def test_every_cut_gives_the_same_elements():
    """An element comes out whole wherever its bytes were cut."""
    cuts = [[RAW[:at], RAW[at:]] for at in range(len(RAW))]
    cuts += [[RAW[at : at + size] for at in range(0, len(RAW), size)] for size in range(1, 20)]

    assert [pieces for pieces in cuts if decoded(pieces) != ELEMENTS] == []


def test_an_element_comes_as_soon_as_it_is_closed():
    """Nothing waits for the end of the array."""
    decoder = JSONArrayDecoder()

    assert decoder.feed(b'[{"a": 1}') == ['{"a": 1}']


def test_an_element_that_is_not_closed_does_not_come():
    """The end of the bytes closes nothing."""
    assert decoded([b'[{"a": 1}, {"b": "}]']) == [{"a": 1}]


def test_bytes_that_are_not_utf_8_are_replaced_and_flagged():
    """One bad byte costs one character."""
    decoder = JSONArrayDecoder()

    assert decoder.feed(b'[{"a": "x\xffy"}]') == ['{"a": "x\ufffdy"}']
    assert decoder.replaced is True


def test_an_element_beyond_the_limit_is_refused():
    """A server cannot fill the memory with one element that never ends."""
    decoder = JSONArrayDecoder(limit=100)

    with pytest.raises(BadResponseError, match="over 100 bytes"):
        decoder.feed(b'[{"a": "' + b"x" * 200)
