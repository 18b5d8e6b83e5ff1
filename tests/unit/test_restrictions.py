"""Errors about a model that exists, but not for this account, key or request."""

from __future__ import annotations

import json

import pytest

from llmkit.chat.fallback import may_fall_back
from llmkit.errors import (
    InvalidRequestError,
    ModelNotFoundError,
    Outcome,
    PermissionDeniedError,
    RoutingRestrictedError,
    ServerError,
)
from llmkit.providers.builtin import PROVIDERS, compatible
from llmkit.wire.messages import HttpResponse

OPENROUTER, OPENAI, GOOGLE = (PROVIDERS[name]() for name in ("openrouter", "openai", "google"))
GATEWAY = compatible("gateway", "https://gateway.example/v1", ("GATEWAY_KEY",))
PRIVACY = "https://openrouter.ai/settings/privacy"
ACCOUNT = "change the account's data policy or guardrails"
PROVIDER = "allow one of its providers"
SETTING = "change that setting of the account"
REQUEST = "leave out what it names, or use a model that supports it"


def error_for(provider, status, words, **more):
    body = json.dumps({"error": {"message": words, **more}}).encode()
    return provider.error_from(HttpResponse(status, {"content-type": "application/json"}, body))


@pytest.mark.parametrize("status", [400, 403, 404])
@pytest.mark.parametrize(
    ("words", "then"),
    [
        ("No endpoints found matching your data policy (Free model publication).", ACCOUNT),
        ("No endpoints found matching your data policy (Paid model training)", ACCOUNT),
        ("No endpoints found matching your data policy (Zero data retention)", ACCOUNT),
        ("No endpoints available matching your guardrail restrictions and data policy.", ACCOUNT),
        ("0 endpoints out of 1 requested are available matching your guardrail restrictions and "
         "data policy. Paid model training violation (account settings): 1 endpoint excluded",
         ACCOUNT),
        ("No ZDR providers available for this model", ACCOUNT),
        ("No providers found that comply with your privacy settings", ACCOUNT),
        ("Model anthropic/claude-x is not allowed by your guardrail", ACCOUNT),
        ("anthropic/claude-x is blocked by your organization's guardrail", ACCOUNT),
        ("Model openai/gpt-x is not allowed by this API key's guardrail", ACCOUNT),
        ("No models are available that match your guardrail", ACCOUNT),
        ("No eligible endpoints for this model under your organization's privacy rules", ACCOUNT),
        ("All endpoints for this model are disabled by your account settings. Configure: "
         "https://openrouter.ai/settings/preferences", SETTING),
        ("This model requires you to complete the following before use: 18+ age confirmation. "
         "Confirm at https://openrouter.ai/settings/preferences.", SETTING),
        ("OpenAI is requiring a key to access this model, which you can add in "
         "https://openrouter.ai/settings/integrations", SETTING),
        ("No endpoints found for openai/gpt-4.1 with the requested region: eu", REQUEST),
        ("No endpoints found within the max price", REQUEST),
        ("No allowed providers are available for the selected model.", PROVIDER),
        ("No allowed providers are available for the selected model. Providers serving "
         "xiaomi/mimo-v2.5-20260422: gmicloud, deepinfra, xiaomi, parasail, streamlake, novita, "
         "but your request's provider.only preference permits only: tencent.", PROVIDER),
        ("All providers have been ignored. To change your default ignored providers, visit: "
         "https://openrouter.ai/settings/preferences", PROVIDER),
        ("The requested model 'moonshotai/Kimi-K2-Instruct' is not supported by any provider you "
         "have enabled.", PROVIDER),
        ("No endpoints found that support tool use. To learn more about provider routing, visit: "
         "https://openrouter.ai/docs/guides/routing/provider-selection", REQUEST),
        ("No endpoints found that support image input", REQUEST),
        ("No endpoints found that can handle the requested parameters.", REQUEST),
        ("No endpoints found matching your parameters", REQUEST),
    ],
)  # fmt: skip
def test_a_restriction_says_where_to_change_it(status, words, then):
    """A gateway's restriction is not a missing model, is not retried, and has no fallback."""
    error = error_for(OPENROUTER, status, words, code=status)

    message = str(error)
    assert (type(error), error.outcome) == (RoutingRestrictedError, Outcome.FINAL)
    assert message.startswith("openrouter has that model, but no endpoint that the account and the")
    assert then in message.rpartition("; ")[2]
    assert message.count("openrouter.ai/settings/") == (then != REQUEST)
    assert len(message) < 480
    assert not error.retryable
    assert not may_fall_back(error)


def test_a_page_that_the_gateway_names_is_not_named_twice():
    """OpenRouter often adds the address of its settings."""
    words = f"No endpoints found matching your data policy. Configure: {PRIVACY}"

    assert str(error_for(OPENROUTER, 404, words)).count(PRIVACY) == 1
    assert str(error_for(GATEWAY, 404, words)).count(PRIVACY) == 1


def test_a_restriction_names_the_providers_of_both_sides():
    """The providers of the model, and those that the account allows, are beside the message."""
    lists = {"available_providers": ["z-ai", "novita"], "requested_providers": ["anthropic"]}
    words = "No allowed providers are available for the selected model."
    error = error_for(OPENROUTER, 404, words, code=404, metadata=lists)

    assert "(available providers: z-ai, novita) (requested providers: anthropic)" in str(error)


def test_another_gateway_that_relays_a_restriction_is_understood():
    """The words decide, not the provider's name; the page is named only where it is known."""
    error = error_for(
        GATEWAY, 404, "openrouter error: No endpoints found matching your data policy"
    )

    assert type(error) is RoutingRestrictedError
    assert str(error).endswith(f"; {ACCOUNT}")


def test_a_restriction_inside_a_stream_is_one():
    """OpenRouter may report it in an event of a response with status 200."""
    words = "No endpoints found matching your data policy (Free model publication)"
    parser = OPENROUTER.stream_parser()
    parser.feed(
        b"data: " + json.dumps({"error": {"code": 404, "message": words}}).encode() + b"\n\n"
    )

    assert type(parser.error) is RoutingRestrictedError


@pytest.mark.parametrize(
    ("status", "words", "kind"),
    [
        (404, "No endpoints found for meta-llama/llama-3.3-70b-instruct:free.", ModelNotFoundError),
        (404, "No endpoints found matching model 'dead/model'.", ModelNotFoundError),
        (400, "dead/model is not a valid model ID", ModelNotFoundError),
        (400, "{'error': '/chat/completions: Invalid model name passed in model=dead. Call "
         "`/v1/models` to view available models for your key.'}", ModelNotFoundError),
        (503, "No allowed providers are available for the selected model.", ServerError),
        (503, "There is no available model provider that meets your routing requirements",
         ServerError),
        (400, "messages must not be empty", InvalidRequestError),
    ],
)  # fmt: skip
def test_other_errors_are_no_restrictions(status, words, kind):
    """A model without any endpoint is gone, and a status 503 may be temporary."""
    assert type(error_for(OPENROUTER, status, words, code=status)) is kind


@pytest.mark.parametrize(
    ("provider", "status", "words", "code"),
    [
        (OPENAI, 404, "Your organization must be verified to use the model `gpt-5`. Please go to: "
         "https://platform.openai.com/settings/organization/general", "model_not_found"),
        (OPENAI, 403, "Project `p` does not have access to model `gpt-4.1`", "model_not_found"),
        (GATEWAY, 404, "Project `p` does not have access to model `gpt-4.1`", "model_not_found"),
        (GATEWAY, 404, "You do not have access to the model gpt-4-32k", "model_not_found"),
        (GATEWAY, 403, "The model `x` is blocked at the project level. Please have a project admin "
         "enable this model", "model_permission_blocked_project"),
        (GATEWAY, 400, "The model `x` requires terms acceptance. Please have the org admin accept "
         "the terms", "model_terms_required"),
        (GATEWAY, 401, "key not allowed to access model. This key can only access models=['a']. "
         "Tried to access b", "401"),
        (GATEWAY, 404, "Your account 2100 has not activated the model x. Please activate the model "
         "service in the Ark Console.", "ModelNotOpen"),
        (GATEWAY, 404, "Model use case details have not been submitted for this account.", None),
        (GATEWAY, 400, "You have not filled out the required use-case form for this model.", None),
        (GATEWAY, 404, "The model x is not available in your region", "model_not_found"),
        (GATEWAY, 404, "Model x is not enabled for this workspace", "model_not_found"),
        (GATEWAY, 404, "Model x is not available on the free tier", "model_not_found"),
        (GOOGLE, 400, "User location is not supported for the API use.", None),
    ],
)  # fmt: skip
def test_a_model_that_is_not_for_this_account_is_not_called_missing(provider, status, words, code):
    """The provider says that the model exists, so no other model is asked."""
    error = error_for(provider, status, words, code=code)

    assert type(error) is PermissionDeniedError
    assert str(error).endswith("; request access, or use another model or key")
    assert not may_fall_back(error)


@pytest.mark.parametrize(
    ("provider", "words"),
    [
        (OPENAI, "The model `gpt-4o` does not exist or you do not have access to it."),
        (GATEWAY, "The model grok-9 does not exist or your team t does not have access to it."),
        (GATEWAY, "Not found the model kimi-k2.6 or Permission denied"),
        (GATEWAY, "You lack permission, or the model does not exist"),
        (GATEWAY, "Model not found, inaccessible, and/or not deployed"),
        (GATEWAY, "Unable to access non-serverless model x. Please create a dedicated endpoint."),
        (GATEWAY, "Model function `abc`: Not found for account `def`"),
        (GOOGLE, "Publisher Model `a/b.c` was not found or your project does not have access to "
         "it."),
        (GOOGLE, "This model models/gemini-2.0-flash is no longer available to new users."),
    ],
)  # fmt: skip
def test_a_server_that_does_not_say_which_of_the_two_is_not_contradicted(provider, words):
    """The model may be missing or closed to the key: the message says both."""
    error = error_for(provider, 404, words)

    assert type(error) is ModelNotFoundError
    assert f"{provider.name} has no such model, or not for this key (404): " in str(error)
    assert str(error).endswith("or request access")
    assert may_fall_back(error)
