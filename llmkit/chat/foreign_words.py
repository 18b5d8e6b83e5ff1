"""Refuses options that are words of other tools, and says which word of llmkit does it.

Called by `chat.options` with what the user passed, and by `chat.call` for each provider. Any other
word is a field of the request body and is sent as it is.

Sources: the parameters of clients and requests in openai 3.57.0, anthropic 2.14.0, google-genai
3.6.1, mistralai 3.7.0, ollama 0.6.3, openrouter 1.3.84, litellm 1.110.2 and langchain-openai 1.7.4
(read 2026-11-30). No word in `ADVICE` is a field of a chat request in them, in vLLM's or in
llama.cpp's API.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping
from dataclasses import fields
from typing import Any

from ..errors import ConfigError, shown
from ..providers.base import Provider
from ..settings import Settings
from ..types import PARAMETERS, Prompt

KEY_NAMES = (
    "api_key", "apikey", "x_api_key", "key", "keys", "token", "secret", "authorization", "bearer",
)  # fmt: skip
_KEY = re.compile(
    r"_(?:api_?key|auth_token|access_token|bearer_token|ad_token(?:_provider)?|hf_token|id_token"
    r"|session_token|secret_access_key|access_key(?:_id)?|client_secret|password|credentials)$"
)
_CAPITAL = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")

# What to do instead of passing one of the words.
_ADVICE = {
    'headers are a setting: configure(headers={"PROVIDER": {"NAME": "VALUE"}})': (
        "extra_headers default_headers headers header http_headers custom_headers request_headers "
        "additional_headers idempotency_key"
    ),
    'set it with configure(headers={"anthropic": {"anthropic-beta": "NAME"}})': "betas beta",
    'set it with configure(headers={"openai": {"OpenAI-Organization": "ID"}})': (
        "organization organisation organization_id org org_id openai_organization openai_org"
    ),
    'set it with configure(headers={"openai": {"OpenAI-Project": "ID"}})': (
        "project project_id openai_project"
    ),
    'set it with configure(base_urls={"PROVIDER": "https://..."}), or add_provider() for a server '
    "of your own": (
        "base_url base_uri baseurl api_base api_base_url api_url api_host api_endpoint "
        "openai_api_base server server_url endpoint endpoint_url azure_endpoint host url "
        "websocket_base_url"
    ),
    "the v1 address of Azure takes no version: "
    'add_provider("azure", "https://RESOURCE.openai.azure.com/openai/v1", "KEY_VARIABLE")': (
        "api_version openai_api_version azure_api_version api_type"
    ),
    'a base URL may have a query: configure(base_urls={"PROVIDER": "https://...?NAME=VALUE"})': (
        "extra_query default_query query_params url_params"
    ),
    "pass model=": (
        "model_name model_id engine deployment deployment_id deployment_name azure_deployment"
    ),
    "pass provider=": "custom_llm_provider llm_provider model_provider provider_name",
    "pass system=": "system_prompt system_message instructions preamble",
    "pass max_tokens=": (
        "max_output_tokens max_new_tokens max_tokens_to_sample max_length max_gen_len num_predict"
    ),
    "pass stop=": "stop_words stop_strings stop_sequence",
    "pass seed=": "random_state",
    "pass timeout=, in seconds for the whole call; configure() sets those of its parts": (
        "request_timeout default_request_timeout timeout_s timeout_ms timeout_seconds "
        "stream_timeout stream_chunk_timeout read_timeout connect_timeout"
    ),
    "pass retries=": (
        "max_retries num_retries n_retries retry retry_config retry_options retry_policy "
        "retry_strategy retry_count max_attempts max_retry_attempts tries attempts backoff"
    ),
    "pass stream=": "streaming disable_streaming",
    "llmkit asks for token counts by itself; see .usage": "stream_usage include_usage",
    "pass fallback=": (
        "fallback_model fallback_models backup_model backup_models context_window_fallbacks "
        "content_policy_fallbacks default_fallbacks"
    ),
    "pass it to compare()": (
        "row_parameters repeats max_calls max_cost_usd limit_per_provider view"
    ),
    "pass repeats= to compare()": (
        "repeat repetition repetitions num_repeats n_repeats num_samples n_samples"
    ),
    "pass row_parameters= to compare()": "row_params row_parameter row_param",
    "pass prompts= to compare()": "df dataframe",
    "pass max_cost_usd= to compare()": "max_budget budget max_cost cost_limit spend_limit",
    "pass limit_per_provider= to compare()": (
        "max_concurrency max_concurrent max_concurrent_requests max_parallel_requests concurrency "
        "max_workers num_workers n_jobs parallelism"
    ),
    "llmkit keeps to the rate limits of the provider by itself; see limit_per_provider= of "
    "compare()": (
        "rate_limiter rate_limit rpm tpm max_rpm max_tpm rpm_limit tpm_limit requests_per_second "
        "requests_per_minute"
    ),
    "certificates are always verified; name the file of your own CA in SSL_CERT_FILE": (
        "verify verify_ssl ssl_verify verify_certs ssl_context ssl_certificate ca_bundle ca_certs "
        "cert client_cert"
    ),
    "set HTTPS_PROXY and configure(trust_env_proxies=True)": (
        "proxy proxies http_proxy https_proxy proxy_url openai_proxy trust_env"
    ),
    "llmkit sends over its own sessions; Kit(transports=...) replaces them": (
        "http_client http_async_client async_client client httpx_client httpx_async_client "
        "aiohttp_client aiohttp_session session shared_session root_client root_async_client "
        "transport http_socket_options client_args async_client_args"
    ),
    "pass its parts as options of their own; timeout=, retries= and configure() set the others": (
        "http_options request_options client_options config model_kwargs litellm_params "
        "optional_params"
    ),
    "llmkit stores no answers, so leave it out": "cache caching no_cache disable_cache",
    "read the pieces of stream(), or pass view= to compare()": (
        "callbacks callback callback_manager success_callback failure_callback"
    ),
    "llmkit writes to the loggers named llmkit": (
        "verbose set_verbose debug_logger logger logger_fn debug_config"
    ),
    "llmkit leaves out what a model refuses and reports it; NAME=None leaves a field out": (
        "drop_params additional_drop_params modify_params allowed_openai_params disabled_params"
    ),
    'a model "scripted:NAME" plays answers; see Kit.script': (
        "mock_response mock_delay mock_timeout mock_tool_calls"
    ),
    "write it into [[prices]] of catalogue.toml": "input_cost_per_token output_cost_per_token",
    'the Gemini API takes a key, and no place; pass "google:MODEL"': "vertexai enterprise location",
    "llmkit has no such option; leave it out": (
        "use_responses_api include_response_headers output_version tiktoken_model_name "
        "region_name aws_region_name vertex_location vertex_project data_residency"
    ),
}
ADVICE: Mapping[str, str] = {
    word: advice for advice, words in _ADVICE.items() for word in words.split()
}
# Fields of some providers' requests that have another word in llmkit; see `Provider.own_words`.
SPELLINGS = {
    "max_completion_tokens": "max_tokens", "n_predict": "max_tokens", "stop_sequences": "stop",
    "random_seed": "seed", "system_instruction": "system", "fallbacks": "fallback",
}  # fmt: skip
_SETTINGS = frozenset(f.name for f in fields(Settings))


def refuse_keys(names: Iterable[str]) -> None:
    """Raises ConfigError if one of *names* is that of a key."""
    for name in names:
        word = _snake(name)
        if word in KEY_NAMES or _KEY.search(f"_{word}"):
            raise ConfigError(
                f"{shown(name)} is not an option, and its value would be sent in the request; in a "
                "notebook run %llmkit key PROVIDER, elsewhere set the provider's environment "
                "variable; if the key itself stands in a cell, remove it there, and from the file"
            )


def refuse_foreign(names: Iterable[str]) -> None:
    """Raises ConfigError if one of *names* is a word of another tool, or a setting."""
    for name in names:
        word = _snake(name)
        advice = ADVICE.get(word)
        if advice is None and word in PARAMETERS and word != name:
            advice = f"pass {word}="
        if advice is None and word in _SETTINGS:
            advice = f"it is a setting: configure({word}=...)"
        if advice is not None:
            raise ConfigError(f"unknown option {shown(name)}; {advice}")


def refuse_at(provider: Provider, prompt: Prompt, as_they_are: Collection[str]) -> None:
    """Raises ConfigError if an option of *prompt* has another word or another place at *provider*.

    *as_they_are* are the names of fields that the user passed as such, in `extra_body`.
    """
    options: dict[str, Any] = dict(prompt.options)
    passed = [n for n, value in options.items() if value is not None and n not in as_they_are]
    if "extra_body" in passed:
        raise ConfigError("extra_body cannot be in Prompt(options=...); put its fields there")
    refuse_keys(passed)
    refuse_foreign(passed)
    for name in passed:
        ours = SPELLINGS.get(_snake(name))
        if name in provider.misplaced_fields:
            raise ConfigError(
                f"{provider.label} does not read {name}; {provider.misplaced_fields[name]}"
            )
        if ours is not None and name not in provider.own_words:
            raise ConfigError(
                f"{provider.label} does not know {name}; pass {ours}=, or send the field as it is "
                "in extra_body={...}"
            )
        if ours is not None and getattr(prompt, ours, None):
            raise ConfigError(f"{name} and {ours} are the same at {provider.label}; pass one")


def _snake(name: str) -> str:
    return _CAPITAL.sub("_", name).replace("-", "_").lower()
