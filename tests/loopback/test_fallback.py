"""Tests over real sockets that another model answers if the requested one cannot."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from llmkit.catalogue.fallback_policy import Fallback
from llmkit.chat.arguments import chat_arguments
from llmkit.comparison.arguments import comparison_arguments
from llmkit.errors import (
    AuthenticationError,
    CallError,
    InvalidRequestError,
    MissingApiKeyError,
    ModelNotFoundError,
    RateLimitError,
    RoutingRestrictedError,
    ServerError,
    StreamInterruptedError,
)
from llmkit.kit import Kit
from llmkit.types import Status
from tests.fakes.reply import Reply, cut_stream, refusal
from tests.fakes.server import PREFIXES

VARS = {
    "openai": "OPENAI_API_KEY", "anthropic": "ANTHROPIC_API_KEY", "google": "GEMINI_API_KEY",
    "mistral": "MISTRAL_API_KEY", "openrouter": "OPENROUTER_API_KEY",
}  # fmt: skip
DAY = datetime(2026, 11, 25, tzinfo=UTC)  # models retire, and these tests need live ones
JSON = {"content-type": "application/json"}
LATER = Reply(429, (b'{"error":{"message":"slow down"}}',), {**JSON, "retry-after": "3600"})


def kit_with(fakes, *providers):
    """Returns a kit with all six addresses, and with keys for *providers* only."""
    urls = {f"LLMKIT_{name.upper()}_BASE_URL": fakes.base_url(name) for name in PREFIXES}
    keys = {VARS[name]: fakes.key for name in providers}
    return Kit(
        environ={**urls, **keys}, notify=lambda text: None, clock=lambda: DAY, list_prices="all"
    )


@pytest.fixture
def kit(fakes):
    """A kit whose six providers are the fakes, with a valid key for each."""
    made = kit_with(fakes, *VARS)
    yield made
    made.close()


def ask(kit, *asked, **more):
    return kit.manager.run(kit.answer(*chat_arguments(*asked, **more)))


def sent(fakes):
    """Returns every chat request as provider:model, in order of arrival."""
    asked = [(a.at, f"{name}:{a.model}") for name, all_ in fakes.asked.items() for a in all_]
    return [name for _, name in sorted(asked)]


def test_a_model_that_is_not_there_is_answered_by_the_same_one_elsewhere(fakes, kit):
    """The maker sends 404, and OpenRouter has it: the answer, the step, both requests reported."""
    fakes.only("anthropic")

    answer = ask(kit, "hi", "claude-haiku-5-5", fallback="equivalent")

    assert sent(fakes) == [
        "anthropic:claude-haiku-5-5", "openrouter:anthropic/claude-haiku-5.5",
    ]  # fmt: skip
    (step,) = answer.fallback
    assert (step.asked, step.chosen, step.rule) == (
        "anthropic:claude-haiku-5-5", "openrouter:anthropic/claude-haiku-5.5", "same-model",
    )  # fmt: skip
    assert step.reason == "anthropic:claude-haiku-5-5 was not found (404)"
    assert (answer.provider, answer.attempts, answer.status) == ("openrouter", 2, Status.COMPLETE)


def test_an_answer_shows_who_has_given_it(fakes, kit):
    """A cell that ends in an answer by another model shows that."""
    fakes.only("anthropic")

    said = repr(ask(kit, "hi", "claude-haiku-5-5", fallback="same-model"))

    assert "\n! anthropic:claude-haiku-5-5 → openrouter:anthropic/claude-haiku-5.5" in said


def test_a_server_with_half_of_the_models_is_walked_to_one_that_it_has(fakes, kit):
    """Each step is reported, no model is tried twice, and the last one answers."""
    fakes.only("openai", "gpt-6-luna")
    fakes.only("openrouter")
    fakes.only("anthropic")

    answer = ask(kit, "hi", "gpt-6.1-sol", fallback=["claude-opus-5-5", "openai:gpt-6-luna"])

    assert sent(fakes) == ["openai:gpt-6.1-sol", "anthropic:claude-opus-5-5", "openai:gpt-6-luna"]
    assert [step.chosen for step in answer.fallback] == [
        "anthropic:claude-opus-5-5", "openai:gpt-6-luna",
    ]  # fmt: skip
    assert {step.asked for step in answer.fallback} == {"openai:gpt-6.1-sol"}
    assert answer.fallback[1].price_ratio < 1
    assert answer.attempts == 3


def test_long_input_goes_only_to_a_model_that_takes_it(fakes, kit):
    """Candidates whose context window is too small for this prompt are skipped."""
    fakes.only("openai")
    prompt = "word " * 200_000  # about 250,000 tokens

    answer = ask(kit, prompt, "gpt-6-luna", fallback=["mistral-small-latest", "gemini-3.8-flash"])

    assert sent(fakes) == ["openai:gpt-6-luna", "google:gemini-3.8-flash"]
    assert answer.fallback[0].rule == "named"


def test_a_need_for_vision_holds_for_the_substitute(fakes, kit):
    """A model without known vision support never answers a request that needs it."""
    fakes.only("openai")
    blind, seeing = "codestral-latest", "gemini-3.8-flash"

    answer = ask(kit, "hi", "gpt-6-luna", needs=["vision"], fallback=[blind, seeing])

    assert sent(fakes) == ["openai:gpt-6-luna", f"google:{seeing}"]
    assert answer.text


def test_nobody_qualifies_and_the_error_says_why(fakes, kit):
    """The first model's own error is raised, with a note on each skipped model."""
    fakes.only("openai")

    with pytest.raises(ModelNotFoundError) as caught:
        ask(kit, "hi", "gpt-6-luna", needs=["vision"], fallback=["codestral-latest"])

    assert sent(fakes) == ["openai:gpt-6-luna"]
    assert "not asked instead: mistral:codestral-latest" in "".join(caught.value.__notes__)


def test_a_prompt_that_is_too_long_goes_to_a_larger_window(fakes, kit):
    """After "too long" only a larger window is tried, even if the estimate fits a smaller one."""
    fakes.answer("openai", refusal("openai", "400ctx"))
    names = ["mistral:mistral-small-latest", "anthropic:claude-opus-5-5"]

    answer = ask(kit, "hi", "openai:gpt-5.4-nano", fallback=names)

    assert sent(fakes) == ["openai:gpt-5.4-nano", "anthropic:claude-opus-5-5"]
    assert answer.fallback[0].reason == "the prompt is too long for openai:gpt-5.4-nano"


def test_a_wait_longer_than_allowed_lets_another_answer(fakes, kit):
    """A rate limit that ends in an hour is not waited for."""
    fakes.answer("anthropic", LATER)

    answer = ask(kit, "hi", "claude-haiku-5-5", fallback="same-model")

    assert answer.provider == "openrouter"
    assert "limits the request rate (429, retry after 3600 s)" in answer.fallback[0].reason


def test_an_overloaded_model_is_tried_again_before_another_is(fakes, kit):
    """Its own retries come first, and all requests are counted."""
    fakes.answer("anthropic", *[refusal("anthropic", "529")] * 2)

    answer = ask(kit, "hi", "claude-haiku-5-5", retries=1, fallback="equivalent")

    assert answer.provider == "openrouter"
    assert answer.attempts == 3
    assert "is overloaded (529)" in answer.fallback[0].reason
    assert not answer.possibly_billed


def test_the_time_of_the_first_try_is_part_of_the_answers(fakes, kit):
    """Start and duration include the time of the first model."""
    fakes.answer("anthropic", replace(refusal("anthropic", "404"), headers_after_s=0.3))

    answer = ask(kit, "hi", "claude-haiku-5-5", fallback="equivalent")

    assert 0.3 <= answer.time_to_first_chunk_s <= answer.duration_s
    assert answer.time_to_first_text_s >= answer.time_to_first_chunk_s


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("400", InvalidRequestError), ("401", AuthenticationError), ("402", CallError),
        ("403", CallError), ("400credit", CallError), ("500", ServerError),
    ],
)  # fmt: skip
def test_a_wrong_key_no_money_and_a_wrong_request_are_not_gone_round(fakes, kit, name, kind):
    """Errors that the user must fix are raised, and so are those that may have been billed."""
    fakes.always("anthropic", refusal("anthropic", name))

    with pytest.raises(kind):
        ask(kit, "hi", "claude-haiku-5-5", fallback="any", retries=0)

    assert sent(fakes) == ["anthropic:claude-haiku-5-5"]


@pytest.mark.parametrize(
    "fallback", ["successor", "same-model", "equivalent", "any", ["anthropic:claude-haiku-5-5"]]
)
@pytest.mark.parametrize(
    "words",
    [
        "No endpoints found matching your data policy (Free model publication)",
        "No allowed providers are available for the selected model.",
        "No endpoints found that support tool use",
    ],
)
def test_a_restriction_of_the_account_or_the_request_is_kept(fakes, kit, words, fallback):
    """A model that its gateway has, but not under these settings, is never replaced or retried."""
    body = f'{{"error":{{"message":"{words}","code":404}}}}'.encode()
    fakes.always("openrouter", Reply(404, (body,), JSON))

    with pytest.raises(RoutingRestrictedError):
        ask(kit, "hi", "openrouter:anthropic/claude-haiku-5.5", fallback=fallback)

    assert sent(fakes) == ["openrouter:anthropic/claude-haiku-5.5"]


def test_a_used_up_quota_is_not_gone_round(fakes, kit):
    """A 429 for missing credit is not a rate limit."""
    fakes.always("openai", refusal("openai", "429quota"))

    with pytest.raises(CallError):
        ask(kit, "hi", "gpt-6-luna", fallback="any")

    assert sent(fakes) == ["openai:gpt-6-luna"]


def test_after_the_first_text_nobody_else_is_asked(fakes, kit):
    """A stream that breaks keeps its text, and no second model is paid."""
    fakes.answer("anthropic", cut_stream("anthropic"))

    with pytest.raises(StreamInterruptedError) as caught:
        ask(kit, "hi", "claude-haiku-5-5", fallback="any")

    assert sent(fakes) == ["anthropic:claude-haiku-5-5"]
    assert caught.value.completion.text


def test_what_was_sent_and_never_answered_is_not_sent_to_another(fakes, kit):
    """A connection that breaks after the request may already have cost money."""
    fakes.answer("anthropic", Reply(answered=False, ending="reset"))

    with pytest.raises(CallError):
        ask(kit, "hi", "claude-haiku-5-5", fallback="any")

    assert sent(fakes) == ["anthropic:claude-haiku-5-5"]


def test_three_are_tried_and_no_more(fakes, kit):
    """If all are missing, the last error is raised, with the earlier ones noted and counted."""
    for name in PREFIXES:
        fakes.only(name)

    with pytest.raises(ModelNotFoundError) as caught:
        ask(kit, "hi", "gpt-6-luna", fallback="any")

    asked = sent(fakes)
    assert len(asked) == len(set(asked)) == 4
    assert caught.value.completion.attempts == 4
    assert len(caught.value.completion.fallback) == 3
    assert "before it: ModelNotFoundError: openai" in "".join(caught.value.__notes__)


def test_without_leave_nobody_else_is_asked(fakes, kit):
    """fallback="error" sends one request and raises."""
    fakes.only("anthropic")

    with pytest.raises(ModelNotFoundError):
        ask(kit, "hi", "claude-haiku-5-5", fallback="error")

    assert sent(fakes) == ["anthropic:claude-haiku-5-5"]


def test_by_default_no_provider_is_asked_but_the_one_of_the_name(fakes, kit):
    """A model without a successor is not replaced by another maker's, nor by a reseller's copy."""
    fakes.only("anthropic")

    with pytest.raises(ModelNotFoundError):
        ask(kit, "hi", "claude-haiku-5-5")

    assert sent(fakes) == ["anthropic:claude-haiku-5-5"]


@pytest.mark.parametrize(
    ("keys", "name", "then"),
    [
        (["anthropic"], "gpt-6-luna", 'pass provider="anthropic" for its peer claude-haiku-5-5'),
        (["openrouter"], "gpt-6-luna", 'ask for "openrouter:openai/gpt-6-luna"'),
        (["openrouter"], "openai:gpt-6-luna", 'ask for "openrouter:openai/gpt-6-luna"'),
        (["openai"], "openai/gpt-6-luna", 'ask for "openai:gpt-6-luna"'),
        (["anthropic"], "gpt-3.5-turbo",
         'pass provider="anthropic" for its peer claude-haiku-4-5-20251001'),
        (["openrouter"], "gpt-3.5-turbo",
         'ask for its successor "openrouter:openai/gpt-5.6-terra"'),
        (["anthropic", "google", "mistral", "openrouter"], "gpt-6-luna",
         'ask for "openrouter:openai/gpt-6-luna", or '
         'pass provider="anthropic" for its peer claude-haiku-5-5'),
    ],
)  # fmt: skip
def test_a_missing_key_comes_with_a_way_to_ask_elsewhere(fakes, keys, name, then):
    """The message names the variable, and models at providers with a key; nothing is sent."""
    kit = kit_with(fakes, *keys)
    with pytest.raises(MissingApiKeyError) as caught:
        ask(kit, "hi", name)
    kit.close()

    message = str(caught.value)
    assert f"set {caught.value.key_vars[0]} or " in message
    assert message.endswith(f"; with a key that you have, {then}")
    assert len(message) < 480
    assert sent(fakes) == []


@pytest.mark.parametrize("keys", [[], ["mistral"]])
def test_a_missing_key_without_another_way_names_only_the_variable(fakes, keys):
    """A local model and a provider without a counterpart are not named."""
    kit = kit_with(fakes, *keys)
    with pytest.raises(MissingApiKeyError) as caught:
        ask(kit, "hi", "openai:o3-mini")
    kit.close()

    assert str(caught.value) == (
        'openai needs an API key: set OPENAI_API_KEY or use llmkit.Kit(keys={"openai": ...})'
    )


@pytest.mark.parametrize(
    "fallback",
    ["error", "successor", "same-model", "equivalent", "any", ["anthropic:claude-haiku-5-5"]],
)
def test_a_missing_key_is_an_error_under_every_policy(fakes, fallback):
    """No policy lets another provider answer for a model that was never asked."""
    kit = kit_with(fakes, "anthropic")
    compared = comparison_arguments("hi", "gpt-6-luna", fallback=fallback)

    (row,) = kit.manager.run(kit.compare(compared.requests, compared.options)).rows
    kit.close()

    assert row.error.startswith("openai needs an API key: set OPENAI_API_KEY")
    assert row.error.endswith('pass provider="anthropic" for its peer claude-haiku-5-5')
    assert sent(fakes) == []


def test_a_retired_model_without_its_makers_key_needs_that_key(fakes):
    """The note keeps why the model itself cannot be asked; "equivalent" asks another maker."""
    kit = kit_with(fakes, "anthropic")
    with pytest.raises(MissingApiKeyError) as caught:
        ask(kit, "hi", "gpt-3.5-turbo")
    other = ask(kit, "hi", "gpt-3.5-turbo", fallback="equivalent")
    listed = ask(kit, "hi", "gpt-3.5-turbo", fallback=Fallback(providers=["anthropic"]))
    kit.close()

    assert caught.value.__notes__ == [
        'openai retired gpt-3.5-turbo on 2026-10-23; ask for "openai:gpt-5.6-terra"'
    ]
    assert (other.provider, listed.provider) == ("anthropic", "anthropic")


@pytest.mark.parametrize(
    ("fallback", "reached"),
    [
        ("equivalent", ["anthropic"]),
        ("same-model", ["anthropic", "openrouter"]),
        (Fallback(providers=["openrouter"]), ["anthropic", "openrouter"]),
    ],
)
def test_a_provider_that_was_named_is_kept(fakes, kit, fallback, reached):
    """A prompt for a named provider is not sent to another one, unless that was allowed."""
    fakes.answer("anthropic", *[LATER] * 5)

    try:
        ask(kit, "hi", "anthropic:claude-haiku-5-5", fallback=fallback)
    except RateLimitError:
        pass

    assert sorted(fakes.asked) == reached


def test_a_provider_without_a_key_is_passed_over(fakes):
    """The next provider with a key answers."""
    kit = kit_with(fakes, "anthropic", "mistral")
    fakes.only("anthropic")
    try:
        answer = ask(kit, "hi", "claude-haiku-5-5", fallback="equivalent")
    finally:
        kit.close()

    assert sorted(fakes.asked) == ["anthropic", "mistral"]
    assert answer.fallback[0].rule == "curated-peer"


def test_a_price_ceiling_is_kept(fakes, kit):
    """A more expensive model is skipped for a cheaper one later in the list."""
    fakes.only("openai")
    names = ["claude-opus-5-5", "mistral-small-latest"]

    answer = ask(kit, "hi", "gpt-6-luna", fallback=Fallback(names, max_cost_usd=0.001))

    assert answer.provider == "mistral"


def test_a_limit_on_a_comparisons_cost_holds_for_its_substitutes(fakes, kit):
    """With max_cost_usd no fallback model costs more than the planned model."""
    fakes.only("openai")
    names = ["claude-opus-5-5", "mistral-small-latest"]
    compared = comparison_arguments("hi", "gpt-6.1-terra", fallback=names)

    found = kit.manager.run(kit.compare(compared.requests, compared.options, max_cost_usd=1.0))

    assert found.rows[0].provider == "mistral"


def test_a_row_that_another_has_answered_is_marked_everywhere(fakes, kit):
    """Provider and model are those that answered; frame, card and text name the requested one."""
    fakes.only("openai")
    compared = comparison_arguments("hi", ["gpt-6-luna", "claude-haiku-5-5"], fallback="any")

    found = kit.manager.run(kit.compare(compared.requests, compared.options))

    row, other = found.rows
    assert (row.substituted, other.substituted) == (True, False)
    assert (row.asked, row.provider, row.request_model) == (
        "gpt-6-luna", "openrouter", "openai/gpt-6-luna",
    )  # fmt: skip
    frame = found.frame()
    assert frame["substituted"].tolist() == [True, False]
    assert "openai:gpt-6-luna → openrouter:openai/gpt-6-luna (same-model)" in frame["fallback"][0]
    for view in (str(found), found._repr_html_()):
        assert "openai:gpt-6-luna → openrouter:openai/gpt-6-luna" in view


def test_an_unequal_substitute_is_warned_of_once(fakes, kit, caplog):
    """Ten rows and a later question: one warning, which says how to forbid it."""
    fakes.only("openai", "gpt-6-luna")
    fakes.only("openrouter")
    compared = comparison_arguments("hi", "gpt-6.1-sol", repeats=10, fallback=["openai:gpt-6-luna"])

    kit.manager.run(kit.compare(compared.requests, compared.options))
    ask(kit, "hi", "gpt-6.1-sol", fallback=["openai:gpt-6-luna"])

    (warned,) = [r.getMessage() for r in caplog.records if r.levelname == "WARNING"]
    assert warned.startswith("openai:gpt-6.1-sol → openai:gpt-6-luna (named)")
    assert "smaller" in warned
    assert 'fallback="error"' in warned


def test_the_same_model_elsewhere_is_no_cause_for_a_warning(fakes, kit, caplog):
    """The answer shows the replacement, without a warning."""
    fakes.only("anthropic")

    assert ask(kit, "hi", "claude-haiku-5-5", fallback="same-model").fallback
    assert not [r for r in caplog.records if r.levelname == "WARNING"]


def test_a_stream_goes_to_another_too(fakes, kit):
    """The pieces come from the model that answers, and the completion names it."""
    fakes.only("anthropic")

    asked = chat_arguments("hi", "claude-haiku-5-5", fallback="same-model")

    async def collected():
        return [part async for part in kit.stream(*asked)]

    *deltas, end = kit.manager.run(collected())

    assert "".join(delta.text for delta in deltas) == end.completion.text
    assert end.completion.provider == "openrouter"


def test_a_retired_model_is_replaced_before_anything_is_sent(fakes, kit):
    """A model known to be retired costs no request."""
    answer = ask(kit, "hi", "gpt-3.5-turbo")

    assert sent(fakes) == ["openai:gpt-5.6-terra"]
    assert answer.attempts == 1
    assert answer.fallback[0].reason == "openai retired gpt-3.5-turbo on 2026-10-23"


def test_a_row_says_why_nobody_answers_in_place_of_a_retired_model(fakes):
    """If its successor is allowed but has no key, the message names the missing key."""
    kit = kit_with(fakes)
    compared = comparison_arguments("hi", "gpt-3.5-turbo", fallback="equivalent")

    found = kit.manager.run(kit.compare(compared.requests, compared.options))
    kit.close()

    assert found.rows[0].error == (
        'openai retired gpt-3.5-turbo on 2026-10-23; ask for "openai:gpt-5.6-terra"; '
        "not asked instead: openrouter:openai/gpt-3.5-turbo is not known to be alive, "
        "openai:gpt-5.6-terra needs a key for openai, "
        "anthropic:claude-haiku-4-5-20251001 needs a key for anthropic, "
        "mistral:mistral-small needs a key for mistral, "
        "ollama:llama2 is not known to be on this machine"
    )
    assert sent(fakes) == []


def test_identical_substitutes_share_a_limit_on_one_provider(fakes, kit):
    """Rows that fall back to one provider wait for a slot there, and none waits forever."""
    fakes.only("openai")
    fakes.only("google")
    models = ["gpt-6-luna", "gemini-3.8-flash"]
    compared = comparison_arguments("hi", models, repeats=3, fallback=["claude-haiku-5-5"])

    found = kit.manager.run(kit.compare(compared.requests, compared.options, limit=1))

    assert {row.provider for row in found} == {"anthropic"}
    assert {row.completion.status for row in found} == {Status.COMPLETE}
