"""Concurrent calls, in which no failure loses the other answers."""

from __future__ import annotations

import asyncio
from dataclasses import fields

import pytest

from llmkit.comparison.arguments import comparison_arguments
from llmkit.comparison.watchers import Audience
from llmkit.errors import ConfigError, SpendLimitError
from llmkit.kit import Kit
from llmkit.transport.scripted import Script, ScriptedTransport, builtin_scripts
from llmkit.types import Completion, Status

KEYS = {"OPENAI_API_KEY": "sk-1234567890abcdef", "ANTHROPIC_API_KEY": "sk-ant-1234567890abcdef"}


async def no_wait(seconds):
    """A sleep that takes no time."""


class Stuck(Exception):
    """An unexpected exception."""


class Watching:
    """A watcher that records its calls, and can fail when text arrives."""

    def __init__(self, fail=None, stops=False):
        self.told = []
        self.fail = fail
        self.stops = stops

    def begun(self, plan, stop):
        self.told.append(("begun", len(plan)))
        self.stop = stop

    def grew(self, row, delta):
        self.told.append(("grew", row))
        if self.stops:
            self.stop()
        if self.fail is not None:
            raise self.fail

    def finished(self, row):
        self.told.append(("finished", row.row))

    def ended(self):
        self.told.append(("ended",))


def broken(body):
    raise Stuck("a script that fails")


def kit(environ=None, **replies):
    transport = ScriptedTransport({**builtin_scripts(), **replies}, sleep=no_wait)
    every = dict.fromkeys(("scripted", "openai", "anthropic"), transport)
    return Kit(environ=environ or {}, transports=every, notify=lambda text: None)


def run(which, *asked, view=None, max_calls=None, max_cost_usd=None, **more):
    compared = comparison_arguments(*asked, **more)
    limits = {"max_calls": max_calls, "max_cost_usd": max_cost_usd}
    return asyncio.run(which.compare(compared.requests, compared.options, view=view, **limits))


def statuses(comparison):
    return [str(row.completion.status) for row in comparison.rows]


def test_a_failed_call_is_a_row_and_loses_no_other():
    """Refusals, cut streams, unknown names, missing keys and bugs are rows beside the answers."""
    replies = {
        "refuses": Script("no", status=500),
        "cut": Script("one two three four", failure="cut"),
        "broken": broken,
    }
    which = kit(**replies)
    names = [f"scripted:{name}" for name in ("echo", "refuses", "cut", "broken")]

    found = run(which, "hi there", names, verbatim=True, retries=0)

    assert statuses(found) == ["complete", "error", "truncated", "error"]
    assert [row.error_type for row in found] == [None, "ServerError", "StreamInterruptedError",
                                                 "Stuck"]  # fmt: skip
    assert found.rows[2].completion.text == "one two"


def test_what_cannot_be_sent_is_a_row_too():
    """An unknown name, a missing key and a retired model are reported in their rows."""
    found = run(kit(), "hi", ["ghost-9", "gpt-6-luna", "gpt-3.5-turbo", "scripted:echo"])

    assert [row.error_type for row in found] == [
        "UnknownModelError",
        "MissingApiKeyError",
        "RetiredModelError",
        None,
    ]
    assert 'ask for "openai:gpt-5.6-terra"' in found.rows[2].error
    assert [row.completion.attempts for row in found] == [0, 0, 0, 1]


def test_a_retired_model_is_followed_only_on_request():
    """With fallback="equivalent" its successor answers, and the row says so."""
    which = kit(KEYS, **{"gpt-5.6-terra": Script("new")})

    found = run(which, "hi", "gpt-3.5-turbo", fallback="equivalent")

    (row,) = found.rows
    assert (row.completion.text, row.substituted, row.request_model) == (
        "new",
        True,
        "gpt-5.6-terra",
    )
    assert row.completion.fallback[0].rule == "official-successor"


def test_an_interrupt_keeps_what_came():
    """Any exception leaves the rows at kit.last with the text received so far."""
    which = kit()

    with pytest.raises(KeyboardInterrupt):
        run(which, "hi", ["scripted:echo", "scripted:mistral"], view=Watching(KeyboardInterrupt()))

    assert statuses(which.last) == ["cancelled", "cancelled"]
    assert which.last.rows[0].completion.text == "hi"


def test_a_watcher_that_fails_costs_no_row(caplog):
    """A view that raises gets no further events, the error is logged, and the run goes on."""
    watching = Watching(Stuck("a view that fails"))
    found = run(kit(), "hi", ["scripted:echo", "scripted:echo"], view=watching)

    assert statuses(found) == ["complete", "complete"]
    assert watching.told == [("begun", 2), ("grew", 0)]
    assert "a view that fails" in caplog.text


def test_a_stop_ends_the_run_and_keeps_what_came():
    """A view's Stop gives cancelled rows, and the comparison is returned as usual."""
    stuck = {"slow": Script("one two", piece_delay_s=3600.0), "echo": builtin_scripts()["echo"]}
    transport = ScriptedTransport(stuck)
    which = Kit(environ={}, transports={"scripted": transport})

    found = run(which, "hi", ["scripted:echo", "scripted:slow"], verbatim=True,
                view=Watching(stops=True))  # fmt: skip

    assert statuses(found)[1] == "cancelled"
    assert found is which.last


class Stopping(Watching):
    """A view whose user stops one answer when its text has come, or before."""

    def __init__(self, row, after):
        super().__init__()
        self.row, self.after = row, after

    def begun(self, plan, stop):
        super().begun(plan, stop)
        if self.after == "begun":
            stop(self.row)

    def grew(self, row, delta):
        super().grew(row, delta)
        if (self.after, row) == ("grew", self.row):
            self.stop(row)


@pytest.mark.parametrize(
    ("after", "text", "is_billed", "cost_source"),
    [("begun", "", False, None), ("grew", "one", True, "the answer has no token counts")],
)
def test_a_stop_of_one_answer_keeps_the_others(after, text, is_billed, cost_source):
    """Its row is cancelled with its text, and may have been billed once text has come.

    Then it also says why its cost is not known.
    """
    stuck = {"slow": Script("one two", piece_delay_s=3600.0), "echo": builtin_scripts()["echo"]}
    transport = ScriptedTransport(stuck)
    which = Kit(environ=KEYS, transports={"openai": transport})

    found = run(which, "hi", ["openai:slow", "openai:echo"], verbatim=True,
                view=Stopping(0, after))  # fmt: skip

    assert statuses(found) == ["cancelled", "complete"]
    stopped, whole = (row.completion for row in found.rows)
    assert (stopped.text, stopped.possibly_billed) == (text, is_billed)
    assert (stopped.cost_usd, stopped.cost_source) == (None, cost_source)
    assert (whole.text, whole.possibly_billed) == ("hi", False)


def test_a_stop_of_an_answer_that_waits_for_an_identical_one_ends_it_too():
    """The request that both share goes on for the other."""
    which = kit(KEYS, **{"claude-haiku-5-5": Script("same")})
    found = run(which, "hi", "claude-haiku-5-5", temperature=[0, 1], view=Stopping(1, "begun"))

    assert (statuses(found)[0] != "cancelled", statuses(found)[1]) == (True, "cancelled")
    assert (found.rows[1].completion.attempts, found.rows[1].shared_with) == (0, None)


def test_cancelling_a_stopped_run_still_cancels_it():
    """Cancelling the task that waits for a run cancels it, even if its view has stopped it."""
    stuck = {"slow": Script("one two", piece_delay_s=3600.0)}
    which = Kit(environ={}, transports={"scripted": ScriptedTransport(stuck)})

    async def both():
        compared = comparison_arguments("hi", "scripted:slow", verbatim=True)
        watching = Watching()
        task = asyncio.create_task(
            which.compare(compared.requests, compared.options, view=watching)
        )
        while not watching.told[1:]:
            await asyncio.sleep(0)
        watching.stop()
        task.cancel()
        await task

    with pytest.raises(asyncio.CancelledError):
        asyncio.run(both())
    assert statuses(which.last) == ["cancelled"]


def test_a_watcher_need_not_hear_of_pauses():
    """A watcher without that method keeps its place."""
    watching = Watching()
    audience = Audience([watching])

    audience.paused("openai asks for 90 s, until 14:07")
    audience.ended()

    assert watching.told == [("ended",)]


def test_a_watcher_hears_of_everything_in_order():
    """The plan, the text, each row, the end."""
    watching = Watching()

    run(kit(), "hi", "scripted:echo", view=watching)

    assert watching.told == [("begun", 1), ("grew", 0), ("finished", 0), ("ended",)]


def test_requests_that_become_the_same_are_sent_once():
    """A model that ignores the temperature is called and billed once for both values."""
    which = kit(KEYS, **{"claude-haiku-5-5": Script("same")})

    found = run(which, "hi", "claude-haiku-5-5", temperature=[0, 1], repeats=2)

    assert [row.shared_with for row in found] == [None, None, 0, 1]
    assert all(row.completion.ignored_parameters == ("temperature",) for row in found)
    assert "sent and billed once for both" in found.rows[2].completion.warnings[-1]


def test_a_shared_row_has_the_values_of_the_request_that_was_sent():
    """It costs nothing, even at an unknown price, and names the parameters that it asked for."""
    transport = ScriptedTransport({"claude-haiku-5-5": Script("same")}, sleep=no_wait)
    which = Kit(environ=KEYS, transports={"anthropic": transport})

    found = run(which, "hi", "claude-haiku-5-5", temperature=0.5, top_p=[0.1, None], retries=0)
    sent, shared = found.rows
    first, second = sent.completion, shared.completion

    assert shared.shared_with == 0
    assert (first.ignored_parameters, second.ignored_parameters) == (
        ("temperature", "top_p"), ("temperature",),
    )  # fmt: skip
    assert not [text for text in second.warnings if text.startswith("top_p")]
    assert (second.cost_usd, second.cost_source) == (0.0, "shared with row 0")
    unlike = {"cost_usd", "cost_source", "ignored_parameters", "warnings"}
    for name in {f.name for f in fields(Completion)} - unlike:
        assert getattr(first, name) == getattr(second, name)


def test_strict_makes_an_ignored_parameter_an_error():
    """Under strict=True no parameter is left out."""
    found = run(kit(KEYS), "hi", "claude-haiku-5-5", temperature=1, strict=True)

    assert "claude-haiku-5-5 cannot take temperature" in found.rows[0].error


def test_too_many_paid_calls_are_refused_before_any_is_sent():
    """max_calls counts paid requests; local models are free."""
    which = kit(KEYS)

    with pytest.raises(SpendLimitError, match="max_calls=2 is exceeded by paid requests: 3"):
        run(which, "hi", "gpt-6-luna", repeats=3, max_calls=2)

    assert len(run(which, "hi", "scripted:echo", repeats=3, max_calls=0)) == 3


def test_too_high_an_estimate_is_refused_before_any_is_sent():
    """max_cost_usd uses the estimate, and refuses models without one."""
    with pytest.raises(SpendLimitError, match="the estimated cost of"):
        run(kit(KEYS), "hi", "gpt-6-luna", max_tokens=1000, max_cost_usd=1e-9)
    with pytest.raises(SpendLimitError, match="the price of openai:gpt-99 is unknown"):
        run(kit(KEYS), "hi", "openai:gpt-99", max_cost_usd=1.0)


def test_local_lanes_say_that_they_wait_for_each_other():
    """The footer says that scripted answers are scripted."""
    found = run(kit(), "hi", "scripted:echo")

    assert found.notes == ("Answers marked [scripted] come from a script, not from a model.",)


def test_a_comparison_needs_a_model_and_a_prompt():
    """An empty list of models and an empty prompt are refused at once."""
    with pytest.raises(ConfigError, match="list of models is empty"):
        comparison_arguments("hi", [])
    with pytest.raises(ConfigError, match="prompt is empty"):
        comparison_arguments("", "scripted:echo")


def test_the_same_comparison_again_sends_the_same_again():
    """Calls are stateless: two runs of one comparison make equal requests."""
    transport = ScriptedTransport(builtin_scripts(), sleep=no_wait)
    which = Kit(environ={}, transports={"scripted": transport})

    for _ in range(2):
        run(which, "hi", "scripted:echo", seed=1)

    assert transport.requests[0] == transport.requests[1]
    assert statuses(which.last) == [Status.COMPLETE]


def test_what_is_needed_must_be_known_to_be_there():
    """A model of unknown capabilities gets no image request; the row says what to do."""
    which = kit(KEYS, **{"gpt-6-luna": Script("I see")})

    able = run(which, "hi", "gpt-6-luna", needs="vision")
    unable = run(which, "hi", "scripted:echo", needs=["vision"])

    assert able.rows[0].completion.text == "I see"
    assert 'models(capability="vision")' in unable.rows[0].error
