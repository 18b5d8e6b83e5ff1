"""The estimated cost of a comparison, before anything is sent."""

from __future__ import annotations

import pytest

import llmkit
from llmkit.catalogue.token_estimate import estimate_tokens
from llmkit.comparison.arguments import comparison_arguments
from llmkit.comparison.estimate import estimated
from llmkit.errors import ConfigError
from llmkit.kit import Kit


def estimate(*asked, **more):
    return estimated(Kit(environ={}).registry, comparison_arguments(*asked, **more))


def test_tokens_and_cost_are_told_without_a_key():
    """Prompt and answer are counted for every request, and priced by a named row."""
    found = estimate("x" * 396, ["openai:gpt-6-luna", "anthropic:claude-haiku-5-5"], repeats=2,
                     max_tokens=500)  # fmt: skip

    line = found.rows[0]
    assert (line["provider"], line["model"], line["requests"]) == ("openai", "gpt-6-luna", 2)
    assert (line["input_tokens"], line["output_tokens"]) == (206, 1000)
    assert line["cost_usd"] > 0
    assert line["cost_source"].startswith("genai-prices openai:")
    assert found.total_usd == pytest.approx(sum(row["cost_usd"] for row in found))


def test_it_says_that_it_is_approximate():
    """Both displays have the total and its precision."""
    found = estimate("hi", "openai:gpt-6-luna")

    for view in (repr(found), found._repr_html_()):
        assert "Total: about $0.000" in view
        assert "Approximate: input tokens are estimated" in view


def test_an_unknown_price_makes_the_sum_unknown():
    """An unknown cost is not counted as 0."""
    found = estimate("hi", ["openai:gpt-6-luna", "openai:a-model-of-tomorrow"])

    assert found.total_usd is None
    assert "Total: unknown" in str(found)
    assert found.frame()["cost_usd"].isna().tolist() == [False, True]


def test_the_requested_tier_is_priced_and_an_unknown_price_has_its_reason():
    """A gateway of one's own is not billed by the maker, unless the setting says so."""
    kit = Kit(environ={"LLMKIT_OPENAI_BASE_URL": "http://127.0.0.1:9/v1"})
    plain, flex = (
        estimate("hi", "openai:gpt-6-luna", max_tokens=500, **options).total_usd
        for options in ({}, {"service_tier": "flex"})
    )

    (private,) = estimated(kit.registry, comparison_arguments("hi", "openai:gpt-6-luna")).rows
    kit.configure(list_prices="all")
    (listed,) = estimated(kit.registry, comparison_arguments("hi", "openai:gpt-6-luna")).rows

    assert flex == pytest.approx(plain / 2)
    assert (private["cost_usd"], listed["cost_usd"] > 0) == (None, True)
    assert private["cost_source"].startswith("127.0.0.1 served it")


def test_ones_own_machine_is_free():
    """Local and Ollama models cost nothing, by rule."""
    found = estimate("hi", ["local:smollm2", "ollama:llama2"])

    assert found.total_usd == 0.0
    assert {row["cost_source"] for row in found} == {"rule: made on your own machine"}


def test_what_would_not_be_sent_says_why():
    """A retired model and an unknown one are lines with the reason, without cost."""
    found = estimate("hi", ["gpt-3.5-turbo", "no-such-model", "openai:gpt-6-luna"])

    gone, unknown, good = found.rows
    assert (gone["requests"], gone["cost_usd"]) == (0, None)
    assert gone["remark"].startswith("would not be sent: openai retired gpt-3.5-turbo")
    assert unknown["remark"].startswith("would not be sent: unknown model")
    assert found.total_usd == good["cost_usd"]


def test_a_retired_model_is_priced_as_what_answers_for_it():
    """If fallbacks are allowed the estimate is that of the successor, which is named."""
    (line,) = estimate("hi", "gpt-3.5-turbo", fallback="equivalent").rows

    assert (line["model"], line["remark"]) == ("gpt-5.6-terra", "in place of gpt-3.5-turbo")


def test_the_pick_of_a_class_is_no_successor(tmp_path):
    """A retired model without a successor is replaced by that pick only under wider policies."""
    own = tmp_path / "mine.toml"
    own.write_text(
        '[[names]]\nname = "mine"\nprovider = "openai"\nid = "our-old-tune"\n'
        "retires = 2026-01-01\n"
        '[[equivalents]]\nname = "gpt-mine"\nopenai = "our-old-tune"\nclass = "small"\n'
    )
    kit = Kit(environ={}, catalogue_file=str(own))

    remarks = [
        estimated(kit.registry, comparison_arguments("hi", "mine", fallback=policy)).rows[0][
            "remark"
        ]
        for policy in ("error", "successor", "equivalent")
    ]

    assert remarks[0].endswith('or allow it with fallback="equivalent"')
    assert remarks[1].startswith("would not be sent: openai retired our-old-tune")
    assert remarks[2] == "in place of our-old-tune"


def test_identical_requests_are_counted_once():
    """A grid over a parameter that the model ignores is billed, and priced, once."""
    (line,) = estimate("hi", "openai:gpt-6-luna", temperature=[0.1, 0.9]).rows

    assert line["requests"] == 1


def test_the_answer_is_no_longer_than_the_model_can_write():
    """max_tokens beyond the model's own limit is not priced."""
    (line,) = estimate("hi", "openai:gpt-6-luna", max_tokens=10_000_000).rows

    assert line["output_tokens"] < 10_000_000


def test_the_frame_has_its_columns_even_without_a_price():
    """Fixed columns and dtypes."""
    frame = estimate("hi", "no-such-model").frame()

    assert frame.dtypes.astype(str).to_dict() == {
        "asked": "string", "provider": "string", "model": "string", "requests": "Int64",
        "input_tokens": "Int64", "output_tokens": "Int64", "cost_usd": "float64",
        "cost_source": "string", "remark": "string",
    }  # fmt: skip


def test_it_is_on_the_face():
    """llmkit.estimate accepts the arguments of compare, and refuses the same."""
    assert llmkit.estimate("hi", "local:smollm2").total_usd == 0.0
    with pytest.raises(ConfigError):
        llmkit.estimate("", "local:smollm2")


@pytest.mark.parametrize(
    ("text", "tokens"), [("", 0), ("a", 1), ("x" * 400, 100), ("熵" * 40, 30), ("\ud800" * 8, 2)]
)
def test_tokens_are_guessed_from_the_bytes(text, tokens):
    """Four bytes of UTF-8 are one token, so that scripts without an alphabet count for more."""
    assert estimate_tokens(text) == tokens


def test_an_estimate_says_why_a_model_gets_fewer_requests():
    """A grid of a parameter that the model ignores is sent once; one value of it is named too."""
    found = estimate("hi", ["openai:gpt-6-luna", "openai:gpt-4o-mini"], temperature=[0, 1],
                     repeats=10)  # fmt: skip
    (single,) = estimate("hi", "openai:gpt-6-luna", temperature=0)

    assert [(line["requests"], line["remark"]) for line in found] == [
        (10, "temperature is ignored: sent once for all its values"), (20, None)
    ]  # fmt: skip
    assert single["remark"] == "temperature is ignored"
