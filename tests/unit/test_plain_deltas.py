"""The quick way to read plain deltas says exactly what the full parse says."""

from __future__ import annotations

import json

from hypothesis import example, given
from hypothesis import strategies as st

from llmkit.providers.openai import OpenAI
from llmkit.providers.openrouter import OpenRouter
from llmkit.providers.plain_deltas import PlainDeltas

WORDS = st.text(max_size=12) | st.sampled_from(
    ['a"b', "\\", "\n", '","x":"', "\u2028", "🏞", "", "]}", '"content":"', "plain ", "\x7f"]
)


class Never(PlainDeltas):
    """Has every event parsed."""

    def text_of(self, payload):
        return None


def event(text, **more):
    choice = {"index": 0, "delta": {"content": text}, "logprobs": None, "finish_reason": None}
    choice |= more.pop("choice", {})
    return {"id": "c1", "model": "m", "choices": [choice], "usage": None, **more}


ODD = st.sampled_from(
    [
        event("", choice={"delta": {"role": "assistant", "content": ""}}),
        event("", choice={"delta": {"reasoning_content": "hm", "content": "x"}}),
        event("", choice={"delta": {}, "finish_reason": "stop"}),
        event("z", choice={"index": 1}),
        event("x", model="another"),
        event("x", usage={"prompt_tokens": 1, "completion_tokens": 2}),
        event("x", provider="Somebody"),
        event("x", choice={"delta": {"refusal": "no", "content": None}}),
        event([{"type": "text", "text": "part"}]),
        {"error": {"message": "no", "code": 500}},
        {"choices": []},
        event("x", content="outside"),
        event("x", choices=[]),
        17,
    ]
)
PLAIN = st.builds(event, WORDS) | st.builds(
    lambda text, padding: event(text, obfuscation=padding), WORDS, WORDS
)
STREAMS = st.tuples(
    st.lists(PLAIN | PLAIN | PLAIN | ODD, max_size=25),
    st.sampled_from([(",", ":"), (", ", ": ")]),
    st.booleans(),
    st.booleans(),
    st.lists(st.integers(1, 400), min_size=1, max_size=8),
)


def written(events, separators, ascii_only, done):
    texts = [json.dumps(e, separators=separators, ensure_ascii=ascii_only) for e in events]
    texts += ["[DONE]"] if done else []
    return "".join(f"data: {text}\n\n" for text in texts).encode("utf-8", "replace")


def read(provider, data, sizes, plain):
    """Every delta, and the answer at the end."""
    from llmkit.providers._openai_answer import ChatStream

    stream = ChatStream(provider, provider.draft())
    stream.plain = plain
    deltas, place, turn = [], 0, 0
    while place < len(data):
        size = sizes[turn % len(sizes)]
        deltas.append((stream.feed(data[place : place + size]), stream.finished, stream.done))
        place, turn = place + size, turn + 1
    answer = stream.end()
    return deltas, answer, type(stream.error), str(stream.error)


@given(STREAMS)
@example(([event(w) for w in ("a", "b", "c", "d", "e", "f")], (",", ":"), True, True, [50]))
def test_the_quick_way_says_what_the_full_parse_says(drawn):
    """Deltas, states, warnings and the answer are the same, wherever a stream is cut."""
    *stream, sizes = drawn
    for provider in (OpenAI(), OpenRouter()):
        data = written(*stream)

        quick = read(provider, data, sizes, PlainDeltas())

        assert quick == read(provider, data, sizes, Never())


def test_most_events_of_a_plain_stream_are_not_parsed():
    """From the fifth on a plain event is read by its pattern, also one that is padded."""

    class Counting(PlainDeltas):
        hits = 0

        def text_of(self, payload):
            text = super().text_of(payload)
            self.hits += text is not None
            return text

    for more in ({}, {"obfuscation": "aZ3"}):
        plain = Counting()
        events = [event(f"word{n} ", **more) for n in range(50)]
        read(OpenAI(), written(events, (",", ":"), True, True), [10_000], plain)

        assert plain.hits == 46


def test_a_pattern_is_forgotten_when_the_stream_says_something_else():
    """An event of the old form after a new model is parsed, so that the old model is told again."""
    events = [event(f"w{n}") for n in range(8)] + [event("x", model="new"), event("y")]

    _, answer, *_ = read(OpenAI(), written(events, (",", ":"), True, False), [10_000],
                         PlainDeltas())  # fmt: skip

    assert (answer.response_model, answer.text) == ("m", "w0w1w2w3w4w5w6w7xy")
