"""How long an answer may take, and what the message says after it took longer."""

from __future__ import annotations

import asyncio

import pytest

from llmkit.chat.arguments import chat_arguments
from llmkit.errors import APITimeoutError, Outcome
from llmkit.kit import Kit
from llmkit.retries.rate_limit import RateLimiters
from llmkit.settings import Settings
from llmkit.transport.scripted import Script, ScriptedTransport
from llmkit.transport.timeouts import Timeouts, timeouts_for
from llmkit.types import Status

KEYS = {"OPENAI_API_KEY": "sk-1234567890abcdef"}
BILLED = "it may have been billed"
NO_LIMITS = Settings(
    connect_timeout_s=None, first_byte_timeout_s=None, idle_timeout_s=None,
    idle_content_timeout_s=None, deadline_s=None,
)  # fmt: skip


def limits(timeouts):
    return (
        timeouts.connect_s, timeouts.first_byte_s, timeouts.idle_s, timeouts.idle_content_s,
        timeouts.deadline_s,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("settings", "timeout", "expected"),
    [
        (Settings(), None, (10.0, 600.0, 300.0, 600.0, 1800.0)),
        (Settings(), 5.0, (5.0, 5.0, 5.0, 5.0, 5.0)),
        (Settings(), 400.0, (10.0, 400.0, 400.0, 400.0, 400.0)),
        (Settings(), 7200.0, (10.0, 7200.0, 7200.0, 7200.0, 7200.0)),
        (Settings(idle_timeout_s=30.0, deadline_s=60.0), 90.0, (10.0, 90.0, 90.0, 90.0, 90.0)),
        (NO_LIMITS, None, (None, None, None, None, None)),
        (NO_LIMITS, 90.0, (90.0, 90.0, 90.0, 90.0, 90.0)),
    ],
)
def test_a_timeout_replaces_every_limit_but_a_shorter_one_for_connecting(
    settings, timeout, expected
):
    """A model may be silent as long as the caller says, and no longer."""
    assert limits(timeouts_for(settings, timeout)) == expected


def test_the_settings_and_the_limits_of_a_request_have_the_same_defaults():
    """A request that nobody limits is limited as the settings say."""
    assert limits(timeouts_for(Settings())) == limits(Timeouts())


@pytest.mark.parametrize(
    ("outcome", "is_billed", "end"),
    [
        (Outcome.STREAMED, True, f"too late; {BILLED}"),
        (Outcome.UNSENT, False, "too late; nothing was sent, so nothing is billed"),
        (Outcome.UNSENT, True, f"too late; {BILLED}"),  # an earlier attempt
        (Outcome.AMBIGUOUS, False, "too late; nothing is billed"),
    ],
)
def test_a_time_out_says_whether_it_may_have_been_billed(outcome, is_billed, end):
    """The message follows what the caller finds out later."""
    error = APITimeoutError("too late", provider="openai", outcome=outcome)
    error.possibly_billed = is_billed

    assert str(error) == end


def asked(script, **settings):
    """Returns the error of one call that a script answers, and what the script waited."""
    timeout, waits = settings.pop("timeout", None), []

    async def sleep(seconds):
        waits.append(round(seconds, 3))

    transport = ScriptedTransport({"m": script}, sleep=sleep)
    kit = Kit(environ=KEYS, transports={"openai": transport}, rate_limiters=RateLimiters())
    kit.configure(**settings)
    call = chat_arguments("hi", "openai:m", verbatim=True, timeout=timeout)
    with pytest.raises(APITimeoutError) as raised:
        asyncio.run(kit.answer(*call))
    kit.close()
    return raised.value, waits


def test_a_script_keeps_to_the_limits_of_a_server():
    """Silence ends at the limit on silence; a trickle and a shorter timeout end the call."""
    silent = Script("one two", failure="silence")
    trickle = Script("one two three four", piece_delay_s=20.0)

    by_silence, first = asked(silent)
    by_timeout, second = asked(silent, timeout=40.0)
    by_deadline, third = asked(trickle, deadline_s=50.0)

    assert (first, second, third) == ([300.0], [40.0], [20.0, 20.0, 10.0])
    assert "no data for 300 s; increase idle_timeout_s" in str(by_silence)
    assert "did not finish within the call's 40 s; increase timeout= or deadline_s" in str(
        by_timeout
    )
    assert "did not finish within the call's 50 s; increase timeout= or deadline_s" in str(
        by_deadline
    )
    assert by_deadline.completion.text == "one two three"
    assert by_deadline.completion.status is Status.TRUNCATED
    assert all(str(error).endswith(BILLED) for error in (by_silence, by_timeout, by_deadline))
