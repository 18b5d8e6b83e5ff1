"""The quick way to read plain deltas says exactly what the full parse says."""

from __future__ import annotations

import json
from dataclasses import dataclass

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from llmkit.providers.plain_deltas import PlainDeltas, joined
from llmkit.providers.table import PROVIDERS

COMPACT, SPACED = (",", ":"), (", ", ": ")
RAW = "\u2042raw\u2042"  # stands where something goes that json.dumps would not write


class Never(PlainDeltas):
    """Has every event parsed."""

    def run(self, text, at):
        return None


class Counting(PlainDeltas):
    """Counts the events that are parsed."""

    parsed = 0

    def curious(self):
        self.parsed += 1
        return super().curious()


def merged(value, more):
    """*value* with the fields of *more*, in the innermost objects where it has objects too."""
    both = value.keys() & more.keys()
    inner = {
        name: merged(value[name], more[name])
        for name in both
        if isinstance(value[name], dict) and isinstance(more[name], dict) and more[name]
    }
    return {**value, **more, **inner}


def chat(text, choice=(), **more):
    first = {"index": 0, "delta": {"content": text}, "logprobs": None, "finish_reason": None}
    return {"id": "c1", "model": "m", "choices": [first | dict(choice)], "usage": None, **more}


def claude(text, **more):
    delta = {"type": "text_delta", "text": text}
    return merged({"type": "content_block_delta", "index": 0, "delta": delta}, more)


def gemini(text, candidate=(), **more):
    said = {"role": "model", "parts": [{"text": text}]}
    return {
        "candidates": [{"content": said, "index": 0} | dict(candidate)],
        "modelVersion": "g", "usageMetadata": {"promptTokenCount": 2}, **more,
    }  # fmt: skip


def ollama(text, **more):
    said = {"role": "assistant", "content": text}
    return merged({"model": "l", "created_at": "now", "message": said, "done": False}, more)


def chat_thought(text, **more):
    return chat("", {"delta": {"content": "", "reasoning_content": text}}, **more)


def chat_thought_twice(text, **more):
    return chat("", {"delta": {"reasoning_content": text, "reasoning": text}}, **more)


def routed_thought(text, **more):
    details = [{"type": "reasoning.text", "text": text, "index": 0}]
    delta = {"content": None, "reasoning": text, "reasoning_details": details}
    return chat("", {"delta": delta}, **more)


def claude_thought(text, **more):
    return claude("", delta={"type": "thinking_delta", "thinking": text, "text": ""}, **more)


def gemini_thought(text, **more):
    said = {"role": "model", "parts": [{"text": text, "thought": True}]}
    return gemini("", {"content": said}, **more)


def ollama_thought(text, **more):
    return merged(ollama("", **more), {"message": {"thinking": text}})


def asked(arguments):
    return {"index": 0, "id": "t1", "function": {"name": "f", "arguments": arguments}}


TOO = [
    {"error": {"message": "no", "code": 500, "type": "overloaded_error"}},
    {"type": "error", "error": {"type": "rate_limit_error", "message": "slow"}, "retry_after": 3},
    {"x": 1},
    17,
    [],
]
ODD = {
    chat: [
        chat("", {"delta": {"role": "assistant", "content": ""}}),
        chat("", {"delta": {"role": "assistant", "content": "r"}}),
        chat("", {"delta": {"reasoning_content": "hm", "content": "x"}}),
        chat("", {"delta": {}, "finish_reason": "stop"}),
        chat("x", {"finish_reason": "length"}),
        chat("z", {"index": 1}),
        chat("x", model="another"),
        chat("x", id="c2"),
        chat("x", usage={"prompt_tokens": 1, "completion_tokens": 2}),
        chat("x", provider="Somebody"),
        chat("x", {"delta": {"refusal": "no", "content": None}}),
        chat("x", {"delta": {"content": "x", "tool_calls": [asked("{")]}}),
        chat("x", {"delta": {"content": "x", "tool_calls": [asked("}")]}}),
        chat("x", {"delta": {"tool_calls": [asked("1")]}}),
        chat([{"type": "text", "text": "part"}]),
        chat("x", content="outside"),
        chat("x", choices=[]),
        chat("x", choices=[*chat("x", {"index": 1})["choices"], *chat("y")["choices"]]),
        chat("x", choices=[*chat("x", {"index": 1})["choices"], *chat("x")["choices"]]),
    ],
    claude: [
        claude("x", type="ping"),
        claude("x", index=1),
        claude("", delta={"type": "thinking_delta", "thinking": "hm"}),
        claude("x", delta={"type": "text_delta", "text": "x", "thinking": "hm"}),
        claude("", delta={"partial_json": "{"}),
        claude("x", delta={"type": "text_delta", "text": "x", "partial_json": "1"}),
        {"type": "content_block_start", "index": 1,
         "content_block": {"type": "tool_use", "id": "t", "name": "f", "input": {}}},
        {"type": "content_block_start", "index": 1, "content_block": {"text": "x"}},
        {"type": "message_start", "message": {"model": "c", "usage": {"input_tokens": 3}}},
        {"type": "message_delta", "delta": {"stop_reason": "end_turn"}, "usage": {}},
        {"type": "message_delta", "delta": {"text": "x"}, "usage": {"output_tokens": 3}},
        {"type": "message_stop"},
    ],
    gemini: [
        gemini("x", usageMetadata={"promptTokenCount": 2, "candidatesTokenCount": 4}),
        gemini("x", {"finishReason": "STOP"}),
        gemini("x", {"finishReason": "FINISH_REASON_UNSPECIFIED"}),
        gemini("x", {"index": 1}),
        gemini("x", {"content": {"parts": [{"text": "x", "thought": True}]}}),
        gemini("x", {"content": {"parts": [{"text": "x"}, {"text": "x"}]}}),
        gemini("x", {"content": {"parts": [{"text": "x", "functionCall": {"name": "f"}}]}}),
        gemini("x", candidates=[]),
        gemini("x", candidates=[{"index": 1, **gemini("x")["candidates"][0]}] * 2),
        gemini("x", responseId="r2"),
        gemini("x", modelVersion="g2"),
        gemini("x", candidates=[], promptFeedback={"blockReason": "SAFETY"}),
    ],
    ollama: [
        ollama("x", created_at="later"),
        ollama("x", model="other"),
        ollama("x", message={"thinking": "hm"}),
        ollama("x", message={"tool_calls": [{"function": {"name": "f", "arguments": {"a": 1}}}]}),
        ollama("x", message={"role": "tool"}),
        ollama("x", done=True, eval_count=4),
        ollama("x", done="no"),
        {"error": "too many requests"},
    ],
}  # fmt: skip


@dataclass(frozen=True)
class Dialect:
    """How a provider's events are made and framed."""

    provider: str
    event: object
    thought: object
    form: str = "data: {}\n\n"
    padding: str = ""

    def written(self, events, separators, ascii_only):
        """The events as the provider would write them; what is text already stays as it is."""
        for event in events:
            if isinstance(event, str):
                yield event
                continue
            event, raw = event if isinstance(event, tuple) else (event, "")
            text = json.dumps(event, separators=separators, ensure_ascii=ascii_only)
            kind = event.get("type", "x") if isinstance(event, dict) else "x"
            yield (
                self.form.format(text, kind=kind)
                .replace(json.dumps(RAW)[1:-1], raw)
                .replace(RAW, raw)
            )


DIALECTS = {
    "openai": Dialect("openai", chat, chat_thought, padding="obfuscation"),
    "openai, crlf": Dialect(
        "openai", chat, chat_thought_twice, "data: {}\r\n\r\n", padding="obfuscation"
    ),
    "mistral": Dialect("mistral", chat, chat_thought, padding="p"),
    "openrouter": Dialect("openrouter", chat, routed_thought),
    "anthropic": Dialect("anthropic", claude, claude_thought, "event: {kind}\ndata: {}\n\n"),
    "google": Dialect("google", gemini, gemini_thought),
    "google, array": Dialect("google", gemini, gemini_thought, "{},\n"),
    "ollama": Dialect("ollama", ollama, ollama_thought, "{}\n", padding="created_at"),
}

WORDS = st.text(max_size=12) | st.sampled_from(
    [
        'a"b', "\\", "\n", '","x":"', "\u2028", "🏞", "👩‍💻", "", "]}", '"content":"', "plain ",
        "\x7f", "\xa0", '"}\n\ndata: {"id":"c1"', json.dumps(chat("in")), json.dumps(ollama("in")),
        "\ud83d", "\udc69", "\\u0041", "\x00",
    ]
)  # fmt: skip
BITS = ["a", "\\", '"', ",", '","', "\\n", '\\"', "\t", "\0", "\\ud83d", "\\udc69", '"}', "]",
        "\\u00e9", "\\x"]  # fmt: skip
BETWEEN = st.sampled_from(
    [": still here\n\n", "event: ping\ndata: {}\n\n", "data: [DONE]\n\n", "id: 7\n\n", "\n", "\n\n",
     "data: \n\n", "{}\n", "[DONE]\n", " ", "data: {\"a\n\n", "\ufffe\n"]
)  # fmt: skip


def bits_of(event):
    """What may stand raw in a string: parts of escapes, and what stands right before a text."""
    leads = [
        json.dumps(event(RAW), separators=separators).partition(json.dumps(RAW)[:-1])[0][-size:]
        for separators in (COMPACT, SPACED)
        for size in (23, 200)
    ]
    bits = st.sampled_from(BITS) | st.sampled_from([f'{lead}"' for lead in leads])
    return st.lists(bits, max_size=5).map("".join)


def events_of(dialect):
    event, padding, bits = dialect.event, dialect.padding, bits_of(dialect.event)
    plain = st.builds(event, WORDS) | st.builds(dialect.thought, WORDS)
    padded = st.builds(lambda text, pad: event(text, **{padding: pad}), WORDS, WORDS)
    raw = bits.map(lambda found: (event(RAW), found))
    raw_padded = bits.map(lambda found: (event("x", **{padding: RAW}), found))
    usual = [plain] * 2 + ([padded] * 2 if padding else [])
    odd = [st.sampled_from([*ODD[event], *TOO]), raw, BETWEEN] + ([raw_padded] if padding else [])
    first = [[dialect.thought(word) for word in "abcde"]] + [
        [event(word, **more) for word in "abcde"]
        for more in ({}, {padding: "p"})[: len(usual) // 2]
    ]
    mixed = st.lists(st.one_of(usual + odd), max_size=10)
    return st.tuples(mixed | st.just([]), st.sampled_from([*first, []]), mixed, mixed).map(
        lambda parts: [one for part in parts for one in part]
    )


def streams_of(name):
    return st.tuples(
        events_of(DIALECTS[name]),
        st.sampled_from([COMPACT, SPACED]),
        st.booleans(),
        st.lists(st.integers(1, 400), min_size=1, max_size=8) | st.just([100_000]),
    )


def read(provider, data, sizes, kind=PlainDeltas):
    """Every delta with the state after it, and the answer at the end."""
    stream = PROVIDERS[provider]().stream_parser()
    stream.plain = kind(stream.paths)
    seen, place, turn = [], 0, 0
    while place < len(data):
        size = sizes[turn % len(sizes)]
        delta = stream.feed(data[place : place + size])
        seen.append((delta, stream.begun, stream.finished, stream.done))
        place, turn = place + size, turn + 1
    answer = stream.end()
    error = stream.error
    told = (type(error), str(error), getattr(error, "retry_after", None))
    return (seen, answer, told), stream


def stream_of(name, events, separators=COMPACT, ascii_only=True):
    text = "".join(DIALECTS[name].written(events, separators, ascii_only))
    return ("[" + text if name == "google, array" else text).encode("utf-8", "surrogatepass")


@pytest.mark.parametrize("name", DIALECTS)
@settings(max_examples=80)
@given(st.data())
def test_the_quick_way_says_what_the_full_parse_says(name, data):
    """Deltas, states, warnings, errors and the answer are the same, wherever a stream is cut."""
    *written, sizes = data.draw(streams_of(name))
    stream = stream_of(name, *written)

    quick, _ = read(DIALECTS[name].provider, stream, sizes)

    assert quick == read(DIALECTS[name].provider, stream, sizes, Never)[0]


@pytest.mark.parametrize("name", DIALECTS)
def test_a_plain_stream_reads_the_same_under_every_cut(name):
    """Two pieces cut at any byte give what one piece gives, with escapes and emoji inside."""
    words = [
        "one ",
        "two ",
        "three",
        " four",
        'fi"ve',
        "s\nix",
        "🏞",
        "👩‍💻",
        "\ud83d",
        "\udc69",
        ".",
    ]
    data = stream_of(name, [DIALECTS[name].event(word) for word in words * 2])
    provider = DIALECTS[name].provider

    quick = [read(provider, data, [at, len(data)])[0][1:] for at in range(1, len(data))]
    full = read(provider, data, [len(data)], Never)[0][1:]

    assert [at for at, found in enumerate(quick, 1) if found != full] == []


@pytest.mark.parametrize("name", DIALECTS)
@pytest.mark.parametrize("separators", [COMPACT, SPACED])
def test_most_events_of_a_plain_stream_are_not_parsed(name, separators):
    """From the fifth on a plain event is read by its pattern: padded, escaped or neither."""
    dialect = DIALECTS[name]
    words = [f"word{n} " for n in range(48)] + ['a "b"\n', "🏞"]
    pads = [{dialect.padding: "aZ3"[: n % 4]} if dialect.padding else {} for n in range(50)]
    events = [dialect.event(word, **pad) for word, pad in zip(words, pads, strict=True)]
    for size in (100_000, 70):
        data = stream_of(name, events, separators)
        (_, answer, _), stream = read(dialect.provider, data, [size], Counting)

        assert answer.text == "".join(words)
        assert stream.plain.parsed == 4


@pytest.mark.parametrize("name", [name for name in DIALECTS if name != "openai, crlf"])
def test_reasoning_is_read_by_a_pattern_of_its_own(name):
    """First what a model thinks and then what it says: a few events of each are parsed."""
    dialect = DIALECTS[name]
    thoughts = [dialect.thought(f"hm{n} ") for n in range(40)]
    events = [*thoughts, *(dialect.event(f"w{n} ") for n in range(40))]

    (_, answer, _), stream = read(dialect.provider, stream_of(name, events), [100_000], Counting)

    assert answer.reasoning == "".join(f"hm{n} " for n in range(40))
    assert answer.text == "".join(f"w{n} " for n in range(40))
    assert stream.plain.parsed == 5


def test_reasoning_that_is_said_twice_is_told_once():
    """Where two fields tell the same, the one that counts is read, whatever the other says next."""

    def both(first, second):
        return chat("", {"delta": {"reasoning_content": first, "reasoning": second}})

    events = [*[both("a", "a")] * 6, both("a", "b"), both("b", "a"), both("b", "b"), both("", "c")]

    (_, answer, _), _ = read("openai", stream_of("openai", events), [100_000])

    assert answer.reasoning == "aaaaaaabbc"


def test_an_event_of_another_form_costs_no_more_than_itself():
    """Pings between plain events leave the others to the quick way."""
    events = [chat(f"w{n}") for n in range(60)]
    for place in (50, 30, 10):
        events.insert(place, {"x": 1})

    (_, answer, _), stream = read("openai", stream_of("openai", events), [100_000], Counting)

    assert answer.text == "".join(f"w{n}" for n in range(60))
    assert stream.plain.parsed == 7


def test_a_long_event_of_another_form_is_no_trap():
    """One that is longer than all before it ends the run; what is tried gets ever shorter."""
    events = [*(chat(f"w{n}") for n in range(8)), (chat(RAW), "\t" * 9000), chat("x")]

    (_, _, told), _ = read("openai", stream_of("openai", events), [100_000])

    assert "\\t" in told[1] or told[0] is not type(None)


def test_a_pattern_is_forgotten_when_the_stream_says_something_else():
    """An event of the old form after a new model is parsed, so that the old model is told again."""
    events = [chat(f"w{n}") for n in range(8)] + [chat("x", model="new"), chat("y")]

    (_, answer, _), _ = read("openai", stream_of("openai", events), [100_000])

    assert (answer.response_model, answer.text) == ("m", "w0w1w2w3w4w5w6w7xy")


def test_a_text_that_stands_twice_is_read_where_it_counts():
    """An answer asked for twice has two choices in each event; only choice 0 is told."""

    def twins(other):
        return chat("", choices=[*chat(other, {"index": 1})["choices"], *chat("x")["choices"]])

    events = [*[twins("x")] * 6, *map(twins, "abc")]

    (_, answer, _), _ = read("openai", stream_of("openai", events), [100_000])

    assert answer.text == "x" * 9


def test_arguments_of_a_tool_that_come_with_text_are_kept():
    """An event that adds to a call of a tool is not plain, even where the last one did as well."""
    events = [chat("", {"delta": {"content": "x", "tool_calls": [asked("1")]}})] * 9

    (_, answer, _), _ = read("openai", stream_of("openai", events), [100_000])

    assert (answer.text, answer.tool_calls[0].arguments) == ("x" * 9, "1" * 9)


def test_a_new_form_is_learned():
    """A server that writes the time into its events is read by pattern again each second."""
    events = [chat(f"w{n} ", created=1795370000 + n // 20) for n in range(100)]

    (_, answer, _), stream = read("openai", stream_of("openai", events), [300], Counting)

    assert answer.text == "".join(f"w{n} " for n in range(100))
    assert stream.plain.parsed == 8


@pytest.mark.parametrize(
    ("pieces", "said"),
    [
        (["a", "b"], "ab"),
        (["a\\n", "\\u00e9", "\xa0"], "a\né\xa0"),
        (['\\"', "\\\\"], '"\\'),
        (["a\\", '","b'], None),
        (["a\\", ",", ",", "\\"], None),
        (["a", '"', "b"], None),
        (["a\\", ',"b\\', ',"c'], None),
        (["\\x"], None),
        (["a\tb"], None),
    ],
)
def test_only_contents_of_json_strings_are_joined(pieces, said):
    """What would end a string early, or not at all, is for the full parse."""
    assert joined(pieces) == said
