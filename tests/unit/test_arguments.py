"""The parameters of asking and comparing."""

from __future__ import annotations

import inspect
from collections.abc import Sequence

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
        Fallback("successor"),
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


def pairs_of(request_or_requests):
    """Returns the prompts, models and providers of planned requests."""
    requests = request_or_requests if isinstance(request_or_requests, Sequence) else ()
    return [(r.prompt_input.text, r.asked, r.provider) for r in requests]


@pytest.mark.parametrize(
    "given",
    [
        {"prompts": "hi", "models": ["a", "b"], "providers": "openai"},
        {"prompt": "hi", "model": ["a", "b"], "provider": "openai"},
        {"prompt": ["hi"], "model": "a, b", "provider": ["openai"]},
        {"prompt": "hi", "models": " a ,b", "providers": None, "provider": "openai"},
    ],
)
def test_a_comparison_takes_the_words_of_ask(given):
    """prompt, model and provider, with one value or several."""
    requests = comparison_arguments(**given).requests

    assert pairs_of(requests) == [("hi", "a", "openai"), ("hi", "b", "openai")]
    assert requests[0].prompt.options == ()


@pytest.mark.parametrize(
    "given",
    [
        {"prompt": "hi", "model": "a", "provider": "openai"},
        {"prompts": "hi", "models": "a", "providers": "openai"},
        {"prompts": ["hi"], "models": ["a"], "providers": ["openai"]},
    ],
)
def test_ask_takes_the_words_of_a_comparison_with_one_value(given):
    """prompts, models and providers; several are the subject of compare()."""
    assert pairs_of((chat_arguments(**given).request,)) == [("hi", "a", "openai")]


@pytest.mark.parametrize(
    ("function", "given", "words"),
    [
        (comparison_arguments, {"prompts": "a", "prompt": "b"}, "prompts and prompt are the same"),
        (comparison_arguments, {"models": "a", "model": "b"}, "models and model are the same"),
        (comparison_arguments, {"models": "a", "providers": "b", "provider": "c"},
         "providers and provider are the same"),
        (chat_arguments, {"prompt": "a", "prompts": "b"}, "prompt and prompts are the same"),
        (chat_arguments, {"model": "a", "models": "b"}, "model and models are the same"),
        (chat_arguments, {"provider": "a", "providers": "b"}, "provider and providers are the"),
        (chat_arguments, {"prompts": ["a", "b"]}, r"use compare\(\) for lists"),
        (chat_arguments, {"models": ["a", "b"]}, "one model at one provider"),
        (chat_arguments, {"models": "a, b"}, "one model at one provider"),
        (chat_arguments, {"model": "a, b"}, "one model at one provider"),
        (chat_arguments, {"model": "a", "providers": "b,c"}, "one model at one provider"),
        (comparison_arguments, {"models": "a,,b"}, "model has an empty name between commas"),
        (comparison_arguments, {"models": "a, "}, "model has an empty name between commas"),
        (comparison_arguments, {"models": "a", "provider": ",b"}, "provider has an empty name"),
    ],
)  # fmt: skip
def test_an_argument_has_one_value(function, given, words):
    """Both names at once and a name that is missing between commas are errors."""
    with pytest.raises(ConfigError, match=words):
        function(**{"prompts" if function is comparison_arguments else "prompt": "hi", **given}
                 if not {"prompt", "prompts"} & given.keys() else given)  # fmt: skip


def test_a_name_in_a_list_is_not_split():
    """The path of a file may contain a comma."""
    names = ["local:/a,b.gguf", "c"]

    assert [r.asked for r in comparison_arguments("hi", names).requests] == names


@pytest.mark.parametrize("function", [chat_arguments, comparison_arguments])
def test_fields_of_openrouter_are_not_taken_for_arguments(function):
    """A mapping is its routing; in ask() a list of models beside the model is its fallbacks."""
    given = {"provider": {"order": ["x"]}}
    if function is chat_arguments:
        given["models"] = ["b", "c"]
    planned = function("hi", "openrouter:a", **given)
    request = planned.request if function is chat_arguments else planned.requests[0]

    assert dict(request.prompt.options) == given
    assert (request.asked, request.provider) == ("openrouter:a", None)


def test_a_comparison_refuses_a_changed_subject_unless_it_is_asked_for():
    """compare() has fallback="error", ask() has "successor"."""
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
