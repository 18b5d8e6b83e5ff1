"""Lists what reads text from servers, and the texts that cost each reader most.

`python -m benchmarks.hostile` prints the seconds of each reader at 1,000 to 1,000,000 characters
of its slowest text. `benchmarks/subjects/hostile.py` measures the largest size, and
`tests/unit/test_hostile_sizes.py` limits the time of those that were once slow.
"""

from __future__ import annotations

import gzip
import json
import signal
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from types import MappingProxyType
from typing import Any

from llmkit.catalogue import listing, names, provider_lists
from llmkit.catalogue.entry import Model
from llmkit.catalogue.lifecycle import chain
from llmkit.comparison.result import Comparison
from llmkit.configuration.model_lists import MOST_MODELS
from llmkit.errors import CallError, ConfigError
from llmkit.providers.anthropic import takes_sampling as claude_takes_sampling
from llmkit.providers.builtin import PROVIDERS, shipped
from llmkit.providers.google import takes_sampling as gemini_takes_sampling
from llmkit.providers.openai import OpenAI
from llmkit.providers.redaction import StreamRedactor, redact_whole, without_keys
from llmkit.secret import Secret, escape_controls, redact, redact_all
from llmkit.transport.responses import StreamOrDocument
from llmkit.types import Completion, Lifecycle, Prompt, TextDelta
from llmkit.views.answers.diff import Differences
from llmkit.views.answers.layout import comparison_html
from llmkit.views.answers.markdown import LONGEST as RENDERED, markdown_html
from llmkit.views.answers.place import place_of
from llmkit.views.answers.streaming import LiveAnswers
from llmkit.views.answers.terminal import comparison_text
from llmkit.views.rows import Row
from llmkit.views.tables.table import Line, Table, TableCell, TableColumn, tables_html, tables_text
from llmkit.wire.decompression import Unpacker
from llmkit.wire.messages import HttpResponse, parse_json, snippet
from llmkit.wire.retry_hints import retry_after

from .texts import KEY, TEXTS

SIZES = (1_000, 10_000, 100_000, 1_000_000)
GOAL_S = 0.5
PATIENCE_S = 10.0
NOW = datetime(2026, 11, 30, tzinfo=UTC)
DIALECTS = ("openai", "openrouter", "mistral", "anthropic", "google", "ollama")

Reader = Callable[[str], object]


def _pieces(text: str, size: int) -> Iterator[str]:
    return (text[i : i + size] for i in range(0, len(text), size))


def _json(value: object) -> bytes:
    return json.dumps(value, ensure_ascii=False).encode("utf-8", "replace")


def _hints(text: str) -> object:
    body = {"retry_after": text, "error": {
        "retry_after": text, "details": [{"retryDelay": text}],
        "metadata": {"headers": {"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": text}},
    }}  # fmt: skip
    headers = {
        "date": text, "retry-after": text, "retry-after-ms": text,
        "x-ratelimit-remaining-requests": "0", "x-ratelimit-reset-requests": text,
        "anthropic-ratelimit-tokens-remaining": "0", "anthropic-ratelimit-tokens-reset": text,
    }  # fmt: skip
    return retry_after(headers, _json(body), now=NOW)


def _error_body(dialect: str, text: str) -> object:
    provider = PROVIDERS[dialect]()
    for status, body in ((400, text.encode("utf-8", "replace")), (429, _error(text))):
        provider.error_from(HttpResponse(status, {}, body))
    return None


def _error(text: str) -> bytes:
    part = text[: len(text) // 8]
    return _json({"error": {
        "message": part, "code": part, "type": part, "status": part, "loc": ["body", part],
        "metadata": {"raw": part, "provider_name": part, "error_type": part},
        "details": [{"reason": part, "violations": [{"quotaId": part}]}],
    }})  # fmt: skip


CHUNKS: Mapping[str, Callable[[str, str], object]] = {
    "anthropic": lambda text, part: {
        "type": "content_block_delta", "delta": {"text": text}, "content": [{"text": text}],
        "stop_reason": part, "model": part, "usage": {"input_tokens": 1},
    },
    "google": lambda text, part: {"candidates": [
        {"content": {"parts": [{"text": text}, {"text": part, "thought": True}]},
         "finishReason": part}
    ]},
    "ollama": lambda text, part: {
        "message": {"content": text, "thinking": part}, "done": True, "done_reason": part,
    },
}  # fmt: skip


def _chunk(dialect: str, text: str) -> object:
    part = text[: len(text) // 4]
    if dialect in CHUNKS:
        return CHUNKS[dialect](text[: len(text) // 2], part)
    piece = {"content": part, "reasoning": part, "tool_calls": [
        {"function": {"name": "f", "arguments": part}}
    ]}  # fmt: skip
    return {"choices": [{"delta": piece, "message": piece, "finish_reason": part}]}


def _document(dialect: str, text: str) -> object:
    body = _json(_chunk(dialect, text))
    return without_keys(PROVIDERS[dialect]().parse_chat(HttpResponse(200, {}, body)))


def _stream(dialect: str, text: str) -> object:
    """Reads *text* as an event, and cut into small events that arrive in small reads."""
    mark = (b"", b"\n") if dialect == "ollama" else (b"data: ", b"\n\n")
    for size in (len(text), max(len(text) // 5_000, 4)):
        parser, redactor = PROVIDERS[dialect]().stream_parser(), StreamRedactor()
        events = b"".join(
            mark[0] + _json(_chunk(dialect, piece)).replace(b"finish", b"x") + mark[1]
            for piece in _pieces(text, size)
        )
        for start in range(0, len(events), 1000):
            delta = parser.feed(events[start : start + 1000])
            if delta is not None:
                redactor.feed(delta)
        parser.end()
    return None


def _after_large(dialect: str, text: str) -> object:
    """Reads small events after a large one, which has half of *text* as arguments and counts."""
    half = text[: len(text) // 2]
    items = [{"modality": part} for part in _pieces(half, 20)]
    counts = {f"{n}": n for n in range(len(half) // 20)}

    def event(arguments: str, details: object, more: Mapping[str, object]) -> object:
        tool = {"index": 0, "function": {"name": "f", "arguments": arguments}}
        message = {"tool_calls": [tool]}
        usage = {"cost": 1, "is_byok": True, "cost_details": more, **more}
        return {
            "anthropic": {"type": "message_delta", "usage": usage},
            "google": {
                "candidates": [{"groundingMetadata": {"webSearchQueries": details, **more}}],
                "usageMetadata": {"promptTokensDetails": details, **more},
            },
        }.get(dialect) or {
            "choices": [{"delta": message}, {"message": message}], "usage": usage,
        }  # fmt: skip

    events = [event('{"a": "' + half + "}", items, counts)]
    events += [event("{}", [], {"a": 1})] * (len(text) // 200)
    parser = PROVIDERS[dialect]().stream_parser()
    for each in events:
        parser.feed(b"data: " + _json(each) + b"\n\n")
    return parser.end()


def _raw_stream(dialect: str, text: str) -> object:
    parser = PROVIDERS[dialect]().stream_parser()
    data = text.encode("utf-8", "replace")
    for start in range(0, len(data), 50):
        parser.feed(data[start : start + 50])
    return parser.end()


def _models(dialect: str, text: str) -> object:
    """Reads a list of one long name, and one of many short names and long aliases."""
    provider, models = PROVIDERS[dialect](), []
    part = text[: len(text) // 4]
    for size in (len(part) or 1, 30):
        rows = [
            {"id": f"{n}{piece}", "name": f"{n}{piece}", "deprecation_replacement_model": piece}
            for n, piece in enumerate(_pieces(part, size))
        ]
        links = {"next": f"https://x/?{part}"}
        body = _json({"data": rows, "models": rows, "links": links})
        models += provider.parse_models(HttpResponse(200, {}, body)).models
    return tuple(map(without_keys, models))


def _catalogue(text: str) -> object:
    """Overlays the catalogue with a list of models whose names form one chain, and reads it."""
    pieces = list(_pieces(text, 100))[:MOST_MODELS]
    ids = [f"{piece} {n}" for n, piece in enumerate(pieces)]
    models = tuple(
        Model("mistral", name, successor=after, lifecycle=Lifecycle.RETIRED, aliases=(after,))
        for name, after in zip(ids, [*ids[1:], ids[0]], strict=True)
    )
    own = provider_lists.ProviderModelList("mistral", "https://x", NOW, models)
    catalogue = provider_lists.with_lists(shipped(), [own], NOW)
    found = listing.lines(" 9", "mistral", on=NOW.date(), catalogue=catalogue)
    return chain(catalogue, "mistral", ids[0], NOW.date()), found


def _similar(text: str) -> object:
    asked = text[:39] + "#"
    return names.close_to(asked, [f"{n % 7}{piece}" for n, piece in enumerate(_pieces(text, 39))])


def _name(text: str) -> object:
    claude_takes_sampling(text)
    gemini_takes_sampling(text)
    names.is_dated(text)
    return names.base_of(text), OpenAI().refused_parameters(Prompt(()), text)


def _row(text: str) -> Row:
    answer = Completion(text=text, reasoning=text[:1000], warnings=(text[:1000],))
    return Row(
        run_id="r",
        row=0,
        prompt_id="p",
        prompt="hi",
        system=None,
        repeat=0,
        parameters={},
        asked=text[:300],
        provider="openai",
        request_model="m",
        how=None,
        lifecycle=None,
        substituted=False,
        completion=answer,
    )


def _live(text: str) -> object:
    """Adds small pieces that no page asks for, and then shows them."""
    answers = LiveAnswers([place_of(_row(""))])
    for piece in _pieces(text, 10):
        answers.grew(0, TextDelta(piece), 1.0)
    answers.changes()
    answers.finished(replace(_row(text)))
    return answers.changes()


def _table(text: str) -> Table:
    part = text[: len(text) // 4]
    line = Line(part, (TableCell(part, title=part), TableCell(part)))
    return Table(text[:100], (TableColumn("a"), TableColumn("b", text=False)), (line,), note=part)


def _members(text: str) -> object:
    unpacker = Unpacker()
    last = gzip.compress(text.encode("utf-8", "replace"), 1)
    unpacker.feed(gzip.compress(b"") * (len(text) // 20) + last)
    return sum(map(len, iter(unpacker.take, b"")))


def _kept(text: str) -> object:
    document = StreamOrDocument("text/event-stream")
    return all(document.keep(piece.encode("utf-8", "replace")) for piece in _pieces(text, 20))


def _deltas(text: str) -> object:
    redactor = StreamRedactor()
    return [redactor.feed(TextDelta(piece)) for piece in _pieces(text, 10)]


def _csv(text: str) -> object:
    from llmkit.views.exports.csv_file import csv_files

    return csv_files([_row(text)], {}, safe=True)


def _figure(text: str) -> object:
    name = text[:500]  # longer names are left out of lists
    run = Comparison([replace(_row(text), asked=name, request_model=name, error=text)], {})
    return run.plot("cost"), str(run.plot("grid"))


READERS: Mapping[str, Reader] = MappingProxyType({
    "hints how long to wait": _hints,
    "JSON": parse_json,
    "the snippet of a body": snippet,
    "an error": CallError,
    "redaction": redact,
    "redaction with shapes": redact_all,
    "redaction of an answer": redact_whole,
    "redaction of deltas": _deltas,
    "escaping": escape_controls,
    **{f"an error body, {name}": partial(_error_body, name) for name in DIALECTS},
    **{f"an answer, {name}": partial(_document, name) for name in DIALECTS},
    **{f"a stream, {name}": partial(_stream, name) for name in ("openai", "anthropic", "ollama")},
    **{f"events after a large one, {name}": partial(_after_large, name) for name in DIALECTS[:-1]},
    **{f"a stream as it is, {name}": partial(_raw_stream, name) for name in ("openai", "ollama")},
    **{f"a list of models, {name}": partial(_models, name) for name in DIALECTS},
    "a body that may be a document": _kept,
    "members of gzip": _members,
    "the catalogue with a list": _catalogue,
    "similar names": _similar,
    "a model's name": _name,
    "differences": lambda text: str(Differences(("a", "b"), text, text[::-1])),
    "Markdown, rendered": lambda text: markdown_html(text[:RENDERED]),
    "Markdown, too long to be rendered": markdown_html,
    "cards as HTML": lambda text: comparison_html([_row(text)]),
    "folded cards as HTML": lambda text: comparison_html([_row(text), *[_row("x")] * 8]),
    "cards as text": lambda text: comparison_text([_row(text)], width=100),
    "a table as HTML": lambda text: tables_html(_table(text)),
    "a table as text": lambda text: tables_text(_table(text), width=100),
    "a live answer": _live,
    "CSV": _csv,
    "a figure": _figure,
})  # fmt: skip


class TooSlowError(Exception):
    """The time of one reading is over."""


@contextmanager
def _limited(seconds: float) -> Iterator[None]:
    def over(*_: object) -> None:
        raise TooSlowError

    earlier = signal.signal(signal.SIGALRM, over)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, earlier)


def seconds(reader: Reader, text: str) -> float:
    """Returns the CPU seconds that *reader* takes; an error of llmkit is an answer, too."""
    began = time.process_time()
    try:
        reader(text)
    except (CallError, ConfigError):
        pass
    return time.process_time() - began


def worst(reader: Reader, size: int, texts: Mapping[str, Any] = TEXTS) -> tuple[float, str]:
    """Returns the seconds of the slowest text of *size* characters, and its kind."""
    found = (0.0, "")
    for kind, text in texts.items():
        made = text(size)
        try:
            with _limited(PATIENCE_S):
                took = seconds(reader, made)
        except TooSlowError:
            took = float("inf")
        found = max(found, (took, kind))
    return found


def main() -> None:
    Secret(KEY)
    print(f"| reader | slowest text | {' | '.join(f'{size:,}' for size in SIZES)} |")
    print(f"|---|---|{'---|' * len(SIZES)}")
    for name, reader in READERS.items():
        if sys.argv[1:] and not any(word in name for word in sys.argv[1:]):
            continue
        seconds(reader, "x" * 100)  # imports
        slowest, kind = worst(reader, SIZES[-1])
        times = [worst(reader, size, {kind: TEXTS[kind]})[0] for size in SIZES[:-1]]
        cells = " | ".join(f"{s:.3f} s" for s in (*times, slowest))
        print(f"| {name} | {kind} | {cells} |", flush=True)


if __name__ == "__main__":
    main()
