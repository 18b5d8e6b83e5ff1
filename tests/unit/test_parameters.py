"""The requests of a comparison, in order."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from llmkit.chat.requests import grid, named_models, prompt_inputs
from llmkit.chat.run_requests import plan_requests
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


@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [
        ("seed", np.int64(3), [3]),
        ("seed", [np.int64(3), np.int32(4)], [3, 4]),
        ("seed", range(2), [0, 1]),
        ("seed", (n for n in (1, 2)), [1, 2]),
        ("seed", pd.array([1, 2], dtype="Int64"), [1, 2]),
        ("max_tokens", np.array(7), [7]),
        ("max_tokens", pd.Series([5.0, 6.0]), [5, 6]),
        ("max_tokens", Decimal(5), [5]),
        ("temperature", {"a": 0, "b": 1}.values(), [0.0, 1.0]),
        ("temperature", [Fraction(1, 2), np.float32(1), None], [0.5, 1.0, None]),
        ("system", pd.Index(["a", "b"]), ["a", "b"]),
        ("system", np.str_("a"), ["a"]),
        ("stop", np.array(["a", "b"]), [("a", "b")]),
        ("stop", [np.array(["a"]), None], [("a",), None]),
    ],
)
def test_a_value_of_any_library_is_a_value(name, value, expected):
    """Scalars are one value, columns and generators span a grid; the values are Python's."""
    found = [point[name] for point in grid({name: value})]

    assert (found, list(map(type, found))) == (expected, list(map(type, expected)))


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
        ({"temperature": iter([])}, "temperature is an empty list"),
        ({"temperature": {0, 1}}, "temperature is a set, which has no order"),
        ({"temperature": {"a": 1}}, "temperature must be a number .* got {'a': 1}"),
        ({"temperature": np.eye(2)}, r"temperature must be one list .* of shape \(2, 2\)"),
        ({"temperature": [0, np.nan]}, "got nan; leave it out, or pass None for the provider's"),
        ({"seed": pd.array([1, None])}, "got <NA>; leave it out, or pass None for the provider's"),
        ({"temperature": 10**400}, "temperature must be a number"),
        ({"max_tokens": Decimal("inf")}, "max_tokens must be an integer"),
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


@pytest.mark.parametrize(
    "models",
    [np.array(["m", "n"]), pd.Index(["m", "n"]), pd.Series(["m", "n"]), {"m": 1, "n": 2},
     {"m": 1, "n": 2}.keys(), (name for name in "mn"), pa.array(["m", "n"]), [np.str_("m"), "n"]],
)  # fmt: skip
def test_models_come_in_any_list(models):
    """The names are texts of Python, in the order of the list."""
    found = named_models(models)

    assert found == (("m", None), ("n", None))
    assert {type(name) for name, _ in found} == {str}


@pytest.mark.parametrize(
    ("models", "words"),
    [
        ({"m", "n"}, "models is a set, which has no order"),
        (["m", float("nan")], "model at position 1 must be a name .* got nan"),
        (["m", " "], "model at position 1 must be a name .* got ' '"),
        (pd.DataFrame({"model": ["m"]}), "models must be one list .* pass one column"),
    ],
)
def test_an_item_that_is_not_a_name_is_named(models, words):
    """Its position says which of many it is."""
    with pytest.raises(ConfigError, match=words):
        named_models(models)


@pytest.mark.parametrize("repeats", [0, None, True, 1.5, "2"])
def test_repeats_that_are_no_count_are_refused(repeats):
    """The number of repeats is an integer of at least 1."""
    with pytest.raises(ConfigError, match="repeats must be an integer >= 1"):
        plan_requests(prompt_inputs("a"), [("m", None)], ({},), repeats, {})


@pytest.mark.parametrize("repeats", [2, 2.0, np.int64(2), np.float64(2)])
def test_repeats_are_a_count_of_any_type(repeats):
    """As for max_tokens."""
    assert len(plan_requests(prompt_inputs("a"), [("m", None)], ({},), repeats, {})) == 2


def test_the_requests_of_a_run_are_made_when_they_are_read():
    """Each place has the same request, however it is reached."""
    inputs = prompt_inputs(["one", "two", "three"])
    requests = plan_requests(
        inputs, [("a", None), ("b", None)], grid({"temperature": [0, 1]}), 2, {}
    )

    assert len(requests) == 24
    assert [row.row for row in requests] == list(range(24))
    assert [requests[n] for n in range(24)] == list(requests)
    assert requests[-1] == requests[23]
    assert requests[22:] == (requests[22], requests[23])
