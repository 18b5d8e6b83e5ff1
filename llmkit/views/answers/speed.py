"""How fast an answer was written."""

from __future__ import annotations

from ...types import Completion

# All that came within so short a time came in one piece, and its rate would be that of the
# network: a hundred tokens in a millisecond.
SHORTEST_SPAN_S = 0.02


def tokens_per_second(answer: Completion) -> float | None:
    """Output tokens for each second in which they came; None where that cannot be told.

    With a stream, the seconds from the first chunk to the end; without one, the whole duration.
    Reasoning that the provider counts but does not show was over before the first chunk, so its
    tokens do not count against the seconds after it.
    """
    tokens, end, first = answer.usage.output_tokens, answer.duration_s, answer.time_to_first_chunk_s
    if tokens is None or end is None:
        return None
    if first is not None and not answer.reasoning:
        tokens -= answer.usage.reasoning_tokens or 0
    span = end - (first or 0.0)
    return tokens / span if tokens > 0 and span >= SHORTEST_SPAN_S else None
