"""Words of other tools are refused with llmkit's word, and fields of requests are sent."""

from __future__ import annotations

import asyncio
import json

import pytest

from llmkit.chat.arguments import chat_arguments
from llmkit.chat.foreign_words import ADVICE
from llmkit.chat.options import options
from llmkit.errors import ConfigError
from llmkit.kit import Kit
from llmkit.types import Message, Prompt
from tests.security.canary import PUBLIC, traces

KEYS = {
    "OPENAI_API_KEY": "sk-1234567890abcdef", "ANTHROPIC_API_KEY": "sk-ant-1234567890abcdef",
    "GOOGLE_API_KEY": "AIza1234567890abcdef", "MISTRAL_API_KEY": "1234567890abcdefGH",
    "OPENROUTER_API_KEY": "sk-or-v1-1234567890abcdef",
}  # fmt: skip
MODELS = {
    "openai": "gpt-6-luna", "anthropic": "claude-haiku-5-5", "google": "gemini-3.5-flash-lite",
    "mistral": "mistral-small-latest", "openrouter": "openai/gpt-6-luna", "ollama": "llama3.2:1b",
    "lab": "m",
}  # fmt: skip
VALUE = f"{PUBLIC}Zq8vK2mX7pL4nR9wTb3c"
# Fields of request bodies: the types of openai 3.57.0, anthropic 2.14.0 (with those of its beta),
# google-genai 3.6.1, mistralai 3.7.0, openrouter 1.3.84 and ollama 0.6.3, and pages of OpenRouter
# (https://openrouter.ai/docs/api-reference/overview), vLLM
# (https://docs.vllm.ai/en/latest/serving/openai_compatible_server.html) and llama.cpp
# (https://github.com/ggml-org/llama.cpp/tree/master/tools/server); read 2026-11-30.
FIELDS = {
    "openai": "audio frequency_penalty function_call functions logit_bias max_completion_tokens "
    "metadata modalities moderation parallel_tool_calls prediction presence_penalty "
    "prompt_cache_key prompt_cache_options prompt_cache_retention reasoning_effort response_format "
    "safety_identifier service_tier store stream_options tool_choice tools user verbosity "
    "web_search_options",
    "anthropic": "cache_control container diagnostics inference_geo metadata output_config "
    "service_tier speed stop_sequences thinking tool_choice tools top_k user_profile_id "
    "workspace_id billing_policy compaction context_management fallback_credit_token fallbacks "
    "mcp_servers thread",
    "google": "generationConfig safetySettings systemInstruction cachedContent toolConfig tools "
    "labels serviceTier generation_config safety_settings system_instruction cached_content store",
    "mistral": "random_seed metadata response_format tools tool_choice presence_penalty "
    "frequency_penalty min_tokens repetition_penalty top_k prediction parallel_tool_calls "
    "reasoning_effort prompt_mode guardrails safe_prompt prompt_cache_key service_tier",
    "openrouter": "cache_control debug deferred_tools image_config max_completion_tokens min_p "
    "models plugins provider reasoning repetition_penalty session_id stop_server_tools_when top_a "
    "top_k trace transforms route usage user include_reasoning",
    "ollama": "tools think options format keep_alive",
    "lab": "guided_json guided_choice guided_regex min_tokens use_beam_search "
    "length_penalty ignore_eos stop_token_ids skip_special_tokens chat_template "
    "chat_template_kwargs structured_outputs priority request_id allowed_token_ids bad_words echo "
    "cache_salt vllm_xargs n_predict cache_prompt n_keep id_slot samplers typical_p mirostat "
    "repeat_penalty grammar json_schema reasoning_format timings_per_token enable_thinking "
    "search_parameters search_domain_filter return_images thinking top_k min_p parameters "
    "max_completion_tokens",
}  # fmt: skip
EACH_FIELD = [(provider, name) for provider, names in FIELDS.items() for name in names.split()]


def body_of(provider, prompt="hi", /, **given):
    """Returns the body of the request that *given* makes at *provider*."""
    kit = Kit(environ=KEYS)
    kit.add_provider("lab", "https://lab.example/v1")
    request, wish = chat_arguments(prompt, f"{provider}:{MODELS[provider]}", **given)
    row = asyncio.run(kit.plan_row(request, wish))
    if row.call is None:
        raise row.error
    made = row.call.provider.chat_request(row.call.prompt, model=row.call.model, key=row.call.key)
    return json.loads(made.body)


@pytest.mark.parametrize("word", sorted(ADVICE))
def test_a_word_of_another_tool_is_refused_with_that_of_llmkit(word):
    """The message says what to do instead, and does not repeat the value."""
    for value in ({"X-Token": VALUE}, VALUE):
        with pytest.raises(ConfigError) as raised:
            options({}, fallback="error", extra={word: value})
        assert ADVICE[word] in str(raised.value)
        assert traces(VALUE, str(raised.value)) == []
        assert len(str(raised.value)) < 480


def test_a_word_of_another_tool_without_a_value_is_harmless():
    """Programs pass None for what they do not set."""
    given = {"extra_headers": None, "extra_query": None, "extra_body": None, "http_client": None}

    assert body_of("lab", **given).keys() == {"model", "messages"}


@pytest.mark.parametrize(
    ("word", "words"),
    [
        ("baseURL", r"configure\(base_urls="),
        ("maxRetries", "pass retries="),
        ("default-headers", r"configure\(headers="),
        ("defaultHeaders", r"configure\(headers="),
        ("maxTokens", "pass max_tokens="),
        ("topP", "pass top_p="),
        ("maxOutputTokens", "pass max_tokens="),
        ("httpOptions", "pass its parts"),
        ("deadline_s", r"it is a setting: configure\(deadline_s=\.\.\.\)"),
        ("trust_env_proxies", r"it is a setting: configure\(trust_env_proxies=\.\.\.\)"),
        ("max_calls", r"pass it to compare\(\)"),
        ("row_parameters", r"pass it to compare\(\)"),
        ("repetitions", r"pass repeats= to compare\(\)"),
        ("bearer", "set the provider's environment variable"),
        ("openai_api_key", "set the provider's environment variable"),
        ("apiKey", "set the provider's environment variable"),
        ("auth_token", "set the provider's environment variable"),
        ("aws_secret_access_key", "set the provider's environment variable"),
        ("azure_ad_token_provider", "set the provider's environment variable"),
    ],
)
def test_another_spelling_and_a_setting_are_refused_too(word, words):
    """Other languages write words together, and a setting is not an option of a call."""
    with pytest.raises(ConfigError, match=words) as raised:
        chat_arguments("hi", **{word: VALUE})
    assert traces(VALUE, str(raised.value)) == []


def test_a_prompt_with_a_foreign_word_is_refused_as_well():
    """Prompt(options=...) goes another way into the request."""
    for word in ("extra_headers", "api_base", "hf_token", "extra_body"):
        prompt = Prompt((Message("user", "hi"),), options=((word, {"X": VALUE}),))
        with pytest.raises(ConfigError, match=word) as raised:
            body_of("lab", prompt)
        assert traces(VALUE, str(raised.value)) == []


@pytest.mark.parametrize(("provider", "name"), EACH_FIELD)
def test_a_field_of_a_request_is_sent_unchanged(provider, name):
    """Under its own name, with its value, at the provider whose field it is."""
    value = {"a": 1} if name.endswith(("Config", "_config", "options")) else ["x"]
    if provider == "openrouter" and name == "provider":
        value = {"order": ["x"]}

    assert body_of(provider, **{name: value})[name] == value


def test_no_field_of_a_request_is_taken_for_a_word_of_a_client():
    """The two tables have nothing in common."""
    assert {name for _, name in EACH_FIELD} & set(ADVICE) == set()


@pytest.mark.parametrize(
    ("provider", "name", "words"),
    [
        ("anthropic", "max_completion_tokens", "Anthropic does not know .*; pass max_tokens="),
        ("google", "max_completion_tokens", "Google does not know .*; pass max_tokens="),
        ("mistral", "max_completion_tokens", "Mistral does not know .*; pass max_tokens="),
        ("ollama", "max_completion_tokens", "Ollama does not know .*; pass max_tokens="),
        ("openai", "n_predict", "OpenAI does not know n_predict; pass max_tokens="),
        ("openai", "stop_sequences", "OpenAI does not know stop_sequences; pass stop="),
        ("google", "stopSequences", "Google does not know stopSequences; pass stop="),
        ("openai", "random_seed", "OpenAI does not know random_seed; pass seed="),
        ("openai", "fallbacks", "OpenAI does not know fallbacks; pass fallback="),
        ("openai", "systemInstruction", "OpenAI does not know systemInstruction; pass system="),
        ("google", "top_k", r'generationConfig=\{"topK": ...\}'),
        ("google", "thinkingConfig", r'generationConfig=\{"thinkingConfig": ...\}'),
        ("google", "response_mime_type", r'generationConfig=\{"responseMimeType": ...\}'),
        ("ollama", "top_k", r'options=\{"top_k": ...\}'),
        ("ollama", "num_ctx", r'options=\{"num_ctx": ...\}'),
        ("ollama", "response_format", "pass format="),
        ("ollama", "reasoning_effort", "pass think="),
        ("ollama", "speed", "Ollama does not read speed; other providers do, so leave it out"),
    ],
)
def test_a_word_of_another_provider_is_refused_where_it_is_none(provider, name, words):
    """The server would refuse it or ignore it without a word."""
    with pytest.raises(ConfigError, match=words):
        body_of(provider, **{name: 5})


def test_one_limit_is_not_passed_under_two_names():
    """One of them would replace the other."""
    with pytest.raises(ConfigError, match="max_completion_tokens and max_tokens are the same"):
        body_of("openai", max_completion_tokens=5, max_tokens=9)


def test_the_fields_of_extra_body_are_sent_as_they_are():
    """Merged into the body; words of other tools and misspelt ones are meant as fields there."""
    given = {"cache": {"no-cache": True}, "max_new_tokens": 5, "temprature": 1, "top_k": 3}
    body = body_of("lab", extra_body=given, top_k=1)

    assert body == {"model": "m", "messages": [{"role": "user", "content": "hi"}], **given}
    assert "extra_body" not in body_of("lab", extra_body=None)
    assert body_of("ollama", extra_body={"response_format": 1})["response_format"] == 1


@pytest.mark.parametrize(
    ("extra_body", "words"),
    [
        ({"model": "other"}, "model cannot be an option because llmkit sets it"),
        ({"n": 2}, "asks for several answers"),
        ({"api_key": VALUE}, "set the provider's environment variable"),
        ({"extra_headers": {"X": VALUE}}, r"configure\(headers="),
        ([VALUE], "extra_body must be a mapping of field names to values, got list"),
        ({1: VALUE}, "the name of a field must be text, got 1"),
    ],
)
def test_extra_body_holds_no_headers_keys_and_fixed_fields(extra_body, words):
    """What a row cannot hold and what llmkit sets is refused there, too."""
    with pytest.raises(ConfigError, match=words) as raised:
        body_of("lab", extra_body=extra_body)
    assert traces(VALUE, str(raised.value)) == []


@pytest.mark.parametrize("value", [(5, 60), object(), "10", 0, float("nan")])
def test_a_timeout_is_a_number_of_seconds(value):
    """Other clients take pairs and objects."""
    with pytest.raises(ConfigError, match="timeout must be a number > 0"):
        chat_arguments("hi", timeout=value)
    with pytest.raises(ConfigError, match="retries must be an integer >= 0"):
        chat_arguments("hi", retries=-1 if value == 0 else value)
