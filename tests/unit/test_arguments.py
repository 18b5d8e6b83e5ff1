"""The parameters of asking and comparing."""

from __future__ import annotations

import inspect

import pytest

import llmkit
from llmkit.catalogue.fallback_policy import Fallback
from llmkit.chat.arguments import chat_arguments
from llmkit.comparison.arguments import comparison_arguments
from llmkit.errors import ConfigError
from llmkit.types import PARAMETERS


def test_one_prompt_is_one_request():
    """ask() sends one prompt to one model, the embedded one by default."""
    request, options = chat_arguments("hi", temperature=1)

    assert (request.asked, request.prompt.temperature, options.fallback) == (
        "local:smollm2",
        1.0,
        Fallback("equivalent"),
    )


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"prompt": ["a", "b"]}, r"use compare\(\) for lists"),
        ({"prompt": "a", "temperature": [0, 1]}, r"use compare\(\) for lists"),
        ({"prompt": "a", "model": ["m", "n"]}, "one model at one provider"),
        ({"prompt": "a", "temprature": 1}, "did you mean 'temperature'"),
    ],
)
def test_several_of_anything_are_a_comparison(given, words):
    """ask() names the function for lists."""
    with pytest.raises(ConfigError, match=words):
        chat_arguments(**given)


@pytest.mark.parametrize("name", ["speed", "top_k", "min_tokens"])
def test_a_field_of_a_provider_that_resembles_an_option_is_sent(name):
    """Anthropic's speed is not a misspelt seed."""
    assert chat_arguments("hi", **{name: 1}).request.prompt.options == ((name, 1),)


def test_a_comparison_refuses_a_changed_subject_unless_it_is_asked_for():
    """compare() has fallback="error", ask() has "equivalent"."""
    assert comparison_arguments("hi", "m").options.fallback == Fallback("error")


@pytest.mark.parametrize(
    ("name", "twin", "gives"),
    [
        ("ask", chat_arguments, "Completion"),
        ("aask", chat_arguments, "Completion"),
        ("stream", chat_arguments, "AsyncGenerator[TextDelta | StreamEnd, None]"),
        ("compare", comparison_arguments, "Comparison"),
        ("acompare", comparison_arguments, "Comparison"),
    ],
)
def test_every_verb_shows_its_parameters_and_what_it_gives(name, twin, gives):
    """help() and Shift-Tab show the real parameters with their explanations."""
    function = getattr(llmkit, name)
    shown = inspect.signature(function)

    *written, further = inspect.signature(twin).parameters
    assert list(shown.parameters) == [*written, *PARAMETERS, further]
    assert all(f"\n    {name}: " in function.__doc__ for name in [*written, *PARAMETERS])
    assert shown.return_annotation == gives
    assert "Args:" in function.__doc__


@pytest.mark.parametrize("function", [llmkit.ask, llmkit.compare, llmkit.stream])
def test_a_wrong_call_names_the_function_that_was_called(function):
    """Another function checks the parameters, which the caller does not see in the traceback."""
    with pytest.raises(TypeError, match=rf"^{function.__name__}\(\) takes from 0 to 2 positional"):
        function("hi", "scripted:echo", "more")
