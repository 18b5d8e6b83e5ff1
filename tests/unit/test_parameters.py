"""The requests of a comparison, in order."""

from __future__ import annotations

import numpy as np
import pytest

from llmkit.chat.requests import grid, named_models, plan_requests, prompt_inputs
from llmkit.errors import ConfigError
from llmkit.types import Message, Prompt


def test_rows_come_by_prompt_model_grid_point_and_repeat():
    """The order of the rows is prompt, model, grid point, repeat."""
    planned = plan_requests(
        prompt_inputs(["p", "q"]), [("m", None), ("n", None)], grid({"temperature": [0, 1]}), 2, {}
    )

    assert [request.row for request in planned] == list(range(16))
    assert [
        (s.prompt_input.text, s.asked, s.parameters["temperature"], s.repeat) for s in planned[:5]
    ] == [("p", "m", 0.0, 0), ("p", "m", 0.0, 1), ("p", "m", 1.0, 0), ("p", "m", 1.0, 1),
          ("p", "n", 0.0, 0)]  # fmt: skip
    assert planned[8].prompt_input.text == "q"


def test_lists_of_scalars_span_a_grid():
    """Two values each of two parameters are four points; None is not an axis."""
    points = grid({"temperature": [0, 1], "seed": [1, 2], "top_p": None})

    assert points == (
        {"temperature": 0.0, "seed": 1},
        {"temperature": 0.0, "seed": 2},
        {"temperature": 1.0, "seed": 1},
        {"temperature": 1.0, "seed": 2},
    )


def test_an_array_spans_a_grid_too():
    """A numpy array is a list of values."""
    assert grid({"temperature": np.linspace(0, 1, 3)}) == (
        {"temperature": 0.0},
        {"temperature": 0.5},
        {"temperature": 1.0},
    )


def test_stop_spans_a_grid_only_as_a_list_of_lists():
    """A list of stop sequences is one value; a list of lists is several."""
    assert grid({"stop": ["a", "b"]}) == ({"stop": ("a", "b")},)
    assert grid({"stop": [["a"], ["b", "c"]]}) == ({"stop": ("a",)}, {"stop": ("b", "c")})
    assert grid({"stop": "a"}) == ({"stop": ("a",)},)


def test_no_parameter_is_one_point():
    """Without parameters there is one request each."""
    assert grid({"seed": None}) == ({},)


def test_explicit_parameters_win_over_a_prompts_own():
    """Arguments beside a Prompt replace its parameters; the rest stays."""
    prompt = Prompt((Message("user", "a"),), temperature=0.5, max_tokens=9)

    (request,) = plan_requests(
        prompt_inputs(prompt), [("m", None)], grid({"temperature": 1}), 1, {"top_k": 3}
    )

    assert request.prompt == Prompt(
        (Message("user", "a"),), temperature=1.0, max_tokens=9, options=(("top_k", 3),)
    )


def test_each_model_is_asked_at_each_provider():
    """With providers, the models are crossed with them."""
    assert named_models("m", ["a", "b"]) == (("m", "a"), ("m", "b"))
    assert named_models(["m", "n"]) == (("m", None), ("n", None))


@pytest.mark.parametrize(
    ("parameters", "words"),
    [
        ({"temperature": "hot"}, "temperature must be a number"),
        ({"temperature": True}, "temperature must be a number"),
        ({"temperature": 3}, "temperature must be a number >= 0 and <= 2, got 3"),
        ({"temperature": []}, "temperature is an empty list"),
        ({"max_tokens": 0}, "max_tokens must be an integer >= 1, got 0"),
        ({"max_tokens": 1.5}, "max_tokens must be an integer >= 1, got 1.5"),
        ({"seed": 2**63}, r"seed must be an integer < 2\*\*63, got 9223372036854775808"),
        ({"seed": float("nan")}, "seed must be an integer, got nan"),
        ({"temperature": float("nan")}, "temperature must be a number >= 0"),
        ({"system": 7}, "system must be text"),
        ({"stop": [""]}, "stop contains an empty text"),
        ({"stop": 7}, "stop must be"),
    ],
)
def test_a_parameter_of_the_wrong_kind_is_refused(parameters, words):
    """An invalid value is refused before anything is sent."""
    with pytest.raises(ConfigError, match=words):
        grid(parameters)


@pytest.mark.parametrize(
    ("models", "words"),
    [([], "list of models is empty"), ([7], "must be a name .* got 7"), ("", "must be a name")],
)
def test_what_names_no_model_is_refused(models, words):
    """An empty list and a number are not models."""
    with pytest.raises(ConfigError, match=words):
        named_models(models)


def test_repeats_below_one_are_refused():
    """The number of repeats is at least 1."""
    with pytest.raises(ConfigError, match="repeats must be an integer >= 1"):
        plan_requests(prompt_inputs("a"), [("m", None)], ({},), 0, {})
