"""Base URLs in the forms that people write, and what servers answer to a wrong one."""

from __future__ import annotations

import asyncio
import json

import pytest

from llmkit.authentication.sign_in import status_of
from llmkit.authentication.status import SignInState
from llmkit.chat.call import call_for
from llmkit.chat.fallback import may_fall_back
from llmkit.chat.options import Options
from llmkit.configuration.credentials import Credential
from llmkit.configuration.registry import ProviderRegistry
from llmkit.errors import (
    AuthenticationError,
    BadResponseError,
    ConfigError,
    InvalidRequestError,
    ModelNotFoundError,
    Outcome,
    ProviderError,
    WrongAddressError,
)
from llmkit.kit import Kit
from llmkit.providers.addresses import with_query
from llmkit.providers.builtin import PROVIDERS, compatible
from llmkit.retries.policy import RetryPolicy
from llmkit.secret import Secret
from llmkit.settings import Settings
from llmkit.types import Message, Prompt
from llmkit.wire.base_urls import full_url, refuse_plain_http
from llmkit.wire.messages import HttpResponse

KEY = Secret("sk-own-Zq8vK2mX7pL4nR9w")
HELLO = Prompt((Message("user", "hi"),))
GW = "https://gateway.example"
RESOURCE = "https://lab.openai.azure.com"
DEPLOYMENT = f"{RESOURCE}/openai/deployments/gpt-4o"
MODEL = {"google": "gemini-3.5-flash"}


def made(name: str, url: str):
    """Returns the built-in provider *name* at *url*, or a server that the user added."""
    return PROVIDERS[name](url) if name in PROVIDERS else compatible(name, url)


def called(provider) -> str:
    model = MODEL.get(provider.name, "m")
    return provider.chat_request(HELLO, model=model, key=None, stream=False).url


def refused(provider, status: int, body: object, model: str = "") -> ProviderError:
    data = body.encode() if isinstance(body, str) else json.dumps(body).encode()
    return provider.error_from(HttpResponse(status, {}, data, model))


# -- the form that is meant -------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "given", "url"),
    [
        # A version that llmkit adds itself.
        ("ollama", "http://127.0.0.1:11434/v1", "http://127.0.0.1:11434/api/chat"),
        ("ollama", "http://127.0.0.1:11434/api/", "http://127.0.0.1:11434/api/chat"),
        ("ollama", "gpu:1/v1", "http://gpu:1/api/chat"),
        ("ollama", f"{GW}/ollama/v1", f"{GW}/ollama/api/chat"),
        ("ollama", "https://ollama.com/api/generate", "https://ollama.com/api/chat"),
        ("anthropic", f"{GW}/v1", f"{GW}/v1/messages"),
        ("anthropic", f"{GW}/v1/", f"{GW}/v1/messages"),
        ("anthropic", f"{GW}/v1/v1", f"{GW}/v1/messages"),
        ("anthropic", f"{GW}/v1/messages", f"{GW}/v1/messages"),
        ("anthropic", f"{GW}/anthropic/v1/complete", f"{GW}/anthropic/v1/messages"),
        ("mistral", "https://api.mistral.ai/v1", "https://api.mistral.ai/v1/chat/completions"),
        ("mistral", f"{GW}/v1/chat", f"{GW}/v1/chat/completions"),
        ("mistral", "https://codestral.mistral.ai/v1/fim/completions",
         "https://codestral.mistral.ai/v1/chat/completions"),
        ("google", f"{GW}/v1beta/models",
         f"{GW}/v1beta/models/gemini-3.5-flash:generateContent"),
        ("google", f"{GW}/v1beta/models/gemini-3.5-flash:generateContent",
         f"{GW}/v1beta/models/gemini-3.5-flash:generateContent"),
        ("google", "https://generativelanguage.googleapis.com/v1beta/openai/",
         "https://generativelanguage.googleapis.com/v1beta/models/gemini-3.5-flash:generateContent"),
        # The URL of a request.
        ("openai", "https://api.openai.com/v1/chat/completions",
         "https://api.openai.com/v1/chat/completions"),
        ("lab", f"{GW}/v1/completions", f"{GW}/v1/chat/completions"),
        ("lab", f"{GW}/v1/responses", f"{GW}/v1/chat/completions"),
        ("lab", f"{GW}/v1/models/", f"{GW}/v1/chat/completions"),
        ("lab", f"{GW}/v1/chat", f"{GW}/v1/chat/completions"),
        ("lab", f"{GW}/v1/v1", f"{GW}/v1/chat/completions"),
        ("lab", "https://api.perplexity.ai/chat/completions",
         "https://api.perplexity.ai/chat/completions"),
        # A host that has one path only.
        ("openai", "https://api.openai.com", "https://api.openai.com/v1/chat/completions"),
        ("lab", "https://api.openai.com/", "https://api.openai.com/v1/chat/completions"),
        ("openrouter", "https://openrouter.ai", "https://openrouter.ai/api/v1/chat/completions"),
        ("openrouter", "https://openrouter.ai/v1", "https://openrouter.ai/api/v1/chat/completions"),
        ("lab", "https://api.groq.com/openai", "https://api.groq.com/openai/v1/chat/completions"),
        ("lab", "https://generativelanguage.googleapis.com/v1beta",
         "https://generativelanguage.googleapis.com/v1beta/openai/chat/completions"),
        ("lab", "https://generativelanguage.googleapis.com/v1beta/models",
         "https://generativelanguage.googleapis.com/v1beta/openai/chat/completions"),
        # Azure.
        ("lab", RESOURCE, f"{RESOURCE}/openai/v1/chat/completions"),
        ("openai", f"{RESOURCE}/openai", f"{RESOURCE}/openai/v1/chat/completions"),
        ("lab", f"{RESOURCE}/openai/responses?api-version=2025-04-01-preview",
         f"{RESOURCE}/openai/v1/chat/completions"),
        ("lab", "https://lab.services.ai.azure.com/",
         "https://lab.services.ai.azure.com/openai/v1/chat/completions"),
        ("lab", f"{DEPLOYMENT}/chat/completions?api-version=2024-10-21",
         f"{DEPLOYMENT}/chat/completions?api-version=2024-10-21"),
        # The scheme, and the address on which a server listens.
        ("lab", "localhost:1234/v1", "http://localhost:1234/v1/chat/completions"),
        ("lab", "192.168.0.7:8000/v1", "http://192.168.0.7:8000/v1/chat/completions"),
        ("lab", "gateway.example/v1", f"{GW}/v1/chat/completions"),
        ("lab", "http://0.0.0.0:8000/v1", "http://127.0.0.1:8000/v1/chat/completions"),
        ("lab", "http://[::]:8000/v1", "http://[::1]:8000/v1/chat/completions"),
    ],
)  # fmt: skip
def test_the_form_that_is_meant_is_used_and_said(name, given, url):
    """The base URL, or one of its parts, was certainly meant otherwise."""
    provider = made(name, given)

    assert called(provider) == url
    if name != "ollama" or "://" in given:
        assert provider.note.startswith(f"base URL {given.rstrip('/')} of {name} was read as http")
    assert provider.base_url in provider.note
    assert made(name, provider.base_url + provider.query).note is None  # it is its own form
    refuse_plain_http(provider.base_url, has_key=False)


@pytest.mark.parametrize(
    ("name", "given", "url"),
    [
        ("lab", f"{GW}/v1/", f"{GW}/v1/chat/completions"),
        ("lab", f' "{GW}/v1"\n', f"{GW}/v1/chat/completions"),
        ("lab", f"{GW}/openai", f"{GW}/openai/chat/completions"),  # Open WebUI
        ("lab", "http://127.0.0.1:3000/api", "http://127.0.0.1:3000/api/chat/completions"),
        ("lab", f"{GW}/v1/acc/gw/compat", f"{GW}/v1/acc/gw/compat/chat/completions"),
        ("lab", "https://api.z.ai/api/paas/v4", "https://api.z.ai/api/paas/v4/chat/completions"),
        ("lab", "https://api.deepseek.com", "https://api.deepseek.com/chat/completions"),
        ("lab", f"{GW}/serving-endpoints", f"{GW}/serving-endpoints/chat/completions"),
        ("lab", "https://router.huggingface.co/hf-inference/v1",
         "https://router.huggingface.co/hf-inference/v1/chat/completions"),
        ("lab", f"{RESOURCE}/openai/v1", f"{RESOURCE}/openai/v1/chat/completions"),
        ("lab", "https://lab.services.ai.azure.com/models?api-version=2024-05-01-preview",
         "https://lab.services.ai.azure.com/models/chat/completions?api-version=2024-05-01-preview"),
        ("lab", f"{DEPLOYMENT}/?api-version=2024-10-21",
         f"{DEPLOYMENT}/chat/completions?api-version=2024-10-21"),
        ("anthropic", "https://api.deepseek.com/anthropic",
         "https://api.deepseek.com/anthropic/v1/messages"),
        ("anthropic", f"{GW}/?team=a%20b", f"{GW}/v1/messages?team=a%20b"),
        ("google", f"{GW}/v1beta", f"{GW}/v1beta/models/gemini-3.5-flash:generateContent"),
        ("google", f"{GW}/v1", f"{GW}/v1/models/gemini-3.5-flash:generateContent"),
        ("ollama", "gpu", "http://gpu:11434/api/chat"),
        ("ollama", "0.0.0.0", "http://127.0.0.1:11434/api/chat"),
        ("ollama", "http://gpu:1/?team=a", "http://gpu:1/api/chat?team=a"),
    ],
)  # fmt: skip
def test_a_base_url_that_may_be_right_is_used_as_it_is(name, given, url):
    """Nothing is added and nothing is left out, and nothing is said."""
    provider = made(name, given)

    assert called(provider) == url
    assert provider.note is None


def test_the_query_of_a_base_url_follows_the_path_of_each_request():
    """Also the path that has a query of its own."""
    query = "api-version=2024-10-21"

    assert made("lab", f"{GW}/v1?{query}").models_request(None).url == f"{GW}/v1/models?{query}"
    assert made("anthropic", f"{GW}?{query}").key_request(KEY).url == (
        f"{GW}/v1/models?limit=1&{query}"
    )
    stream = made("google", f"{GW}?{query}").chat_request(HELLO, model="m", key=KEY, stream=True)
    assert stream.url.endswith(f":streamGenerateContent?alt=sse&{query}")
    assert with_query("/a?b=1", "") == "/a?b=1"


def test_the_version_in_a_base_url_of_google_holds_for_every_model():
    """A gateway often has only one of the versions."""
    provider = made("google", f"{GW}/v1beta")

    assert provider.models_request(None).url.startswith(f"{GW}/v1beta/models?")
    assert provider.base_url == GW
    own = made("google", "https://generativelanguage.googleapis.com/v1")
    latest = own.chat_request(HELLO, model="gemini-flash-latest", key=None)
    assert "/v1beta/models/gemini-flash-latest:" in latest.url  # Google itself has both


@pytest.mark.parametrize(
    ("url", "words"),
    [
        (f"{GW}/v1?api_key=hush-hush", "a key, got ?api_key=; "),
        (f"{GW}/v1?team=a&subscription-key=hush-hush", "a key, got ?subscription-key=; "),
        (f"{GW}/v1?code=hush-hush", "a key, got ?code=; "),
        (f"{GW}/v1?team=sk-Zq8vK2mX7pL4nR9wZq8v", "a key, got ?team=; "),
        (f"{GW}/v1#hush-hush", "#; leave it out"),
        (f"{GW}/v1/chat/completions#", "#; leave it out"),
        ("https://me:hush-hush@gateway.example/v1", "a user name or password; "),
    ],
)
def test_a_base_url_with_a_secret_is_refused(url, words):
    """Neither while it is set nor by the provider that is made of it."""
    with pytest.raises(ConfigError, match="base URL must not contain") as setting:
        ProviderRegistry({}, {"providers": {"lab": {"base_url": url}}})
    refusals = [setting]
    for name in ("lab", "anthropic", "google"):
        provider = made(name, url)
        with pytest.raises(ConfigError, match="base URL must not contain") as calling:
            refuse_plain_http(provider.base_url, has_key=False)
        refusals.append(calling)

    assert [words in str(refusal.value) for refusal in refusals] == [True] * 4


@pytest.mark.parametrize("secret", ["api_key=hush-hush", "team=sk-Zq8vK2mX7pL4nR9wZq8v"])
def test_a_key_in_the_query_of_a_base_url_is_in_no_repr(secret):
    """The provider is made before its base URL is refused."""
    provider = made("lab", f"{GW}/v1?{secret}")

    assert repr(provider) == f"<Compatible {GW}/v1?{secret.partition('=')[0]}=***>"
    assert provider.note is None


@pytest.mark.parametrize("text", ["lab", "", "/v1", "none", "ftp://x", "http//x", "a b.c"])
def test_what_is_no_url_gets_no_scheme(text):
    """It is refused as it is."""
    assert full_url(text) == text
    with pytest.raises(ConfigError):
        refuse_plain_http(full_url(text), has_key=False)


def test_a_host_without_a_scheme_may_be_a_server_of_ones_own():
    """The setting is checked in the form in which it is used."""
    registry = ProviderRegistry(
        {}, {"providers": {"lab": {"base_url": "localhost:1234/v1", "key_var": "LAB_KEY"}}}
    )

    assert registry.settings.providers["lab"]["base_url"] == "localhost:1234/v1"
    with pytest.raises(ConfigError, match="clear text"):
        ProviderRegistry(
            {}, {"providers": {"lab": {"base_url": "gpu:80/v1", "key_var": "LAB_KEY"}}}
        )


def test_an_answer_warns_that_its_base_url_was_read_in_another_way():
    """The row says so as long as the base URL is written like this."""
    registry = ProviderRegistry({}, {"base_urls": {"ollama": "http://127.0.0.1:1/v1"}})
    provider = registry.provider("ollama")
    call = call_for(
        registry.resolve("ollama:m"), HELLO, Options(), catalogue=registry.catalogue,
        provider=provider, settings=Settings(), key=lambda provider: None,
    )  # fmt: skip

    note = "base URL http://127.0.0.1:1/v1 of ollama was read as http://127.0.0.1:1"
    assert call.warnings == (note,)


@pytest.mark.parametrize(
    "url", [RESOURCE, f"{DEPLOYMENT}?api-version=2024-10-21", "https://lab.services.ai.azure.com",
            "https://lab.cognitiveservices.azure.com/openai/v1", "https://lab.openai.azure.us"]
)  # fmt: skip
def test_azure_gets_a_key_in_its_own_header(url):
    """A token of Microsoft Entra ID is a bearer token there, too."""
    provider = compatible("lab", url, ("LAB_KEY",))
    with_key = provider.models_request(KEY).headers
    with_token = provider.models_request(Secret("eyJ0eXAiOiJKV1QiLCJhbGciOiJS")).headers

    assert dict(with_key) == {"api-key": KEY.reveal()}
    assert dict(with_token) == {"Authorization": "Bearer eyJ0eXAiOiJKV1QiLCJhbGciOiJS"}


def test_a_host_that_only_contains_the_name_of_azure_gets_a_bearer_token():
    """A key is sent in one header only."""
    headers = compatible("lab", "https://openai.azure.com.example/v1").models_request(KEY).headers

    assert dict(headers) == {"Authorization": f"Bearer {KEY.reveal()}"}


# -- what servers answer to a wrong address ---------------------------------------------------

PATH = "/v1/v1/chat/completions"
NGINX = "<html>\r\n<head><title>404 Not Found</title></head>\r\n<body>nginx</body>\r\n</html>"
GOOGLE = (
    "<!DOCTYPE html><html lang=en><title>Error 404 (Not Found)!!1</title><p>The requested URL "
    "<code>/v1beta/v1/models/m:generateContent</code> was not found on this server."
)
FLASK = (
    "<!doctype html><title>404 Not Found</title><p>The requested URL was not found on the server."
)
# Each body with its status; the sources were read on 2026-11-30.
WRONG = [
    # feiskyer/chatgpt-copilot#659, sigoden/aichat#1100
    (404, "404 page not found"),
    # litellm#2016, ppipada/flexigpt-vscode-extension#8
    (404, {"type": "error", "error": {"type": "not_found_error", "message": "Not Found"}}),
    # harry0703/MoneyPrinterTurbo#57, ChatGPTNextWeb/NextChat#4599
    (404, {"error": {"message": f"Invalid URL (POST {PATH})", "type": "invalid_request_error"}}),
    (404, {"error": {"message": f"Unknown request URL: POST {PATH}. Please check the URL for typos",
                     "type": "invalid_request_error", "code": "unknown_url"}}),
    (404, {"message": "Invalid URL (POST /chat/completions)"}),
    # ThinkInAIXYZ/deepchat#262, MicrosoftDocs/azure-docs#114602
    (404, {"error": {"code": "404", "message": "Resource not found"}}),
    (400, {"error": {"code": "BadRequest", "message": "API version not supported"}}),
    (400, {"error": {"code": "BadRequest",
                     "message": "Missing required query parameter: api-version"}}),
    (400, {"error": {"message": "api-version query parameter is required"}}),
    (400, {"error": {"code": "MissingApiVersionParameter",
                     "message": "The api-version query parameter (?api-version=) is required"}}),
    # langchain4j#2636
    (400, {"error": {"message": "Model o1 is enabled only for api versions 2024-12-01-preview and "
                                "later"}}),
    (404, GOOGLE),
    (404, {"detail": "Not Found"}),  # FastAPI
    (405, {"detail": "Method Not Allowed"}),  # open-webui#8317
    (405, ""),
    (405, "<html><head><title>405 Not Allowed</title></head></html>"),
    # nextcloud/integration_openai#44
    (404, {"error": {"code": 404, "message": "File Not Found", "type": "not_found_error"}}),
    (404, "File Not Found"),
    # lmstudio-ai/lms#169
    (500, {"error": "Unexpected endpoint or method. (POST /chat/completions)"}),
    (404, {"error": f"Unexpected endpoint or method. (POST {PATH})"}),
    # nextcloud/assistant#593
    (404, {"message": "no Route matched with those values", "request_id": "4e66"}),
    # musistudio/claude-code-router#1630, anomalyco/opencode#23773
    (400, {"success": False, "errors": [{"code": 7000, "message": "No route for that URI"}]}),
    (404, {"success": False, "errors": [
        {"code": 7003, "message": "Could not route to /client/v4/accounts/x/ai/v1/models"}]}),
    # langchain-ai/langchain#25160
    (404, {"message": f"Route POST:{PATH} not found", "error": "Not Found", "statusCode": 404}),
    (404, {"message": f"Cannot POST {PATH}", "error": "Not Found", "statusCode": 404}),
    (404, f"<!DOCTYPE html><html><body><pre>Cannot POST {PATH}</pre></body></html>"),
    (404, {"error_code": "ENDPOINT_NOT_FOUND",  # Databricks
           "message": "No API found for 'POST /serving-endpoints/v1/chat/completions'"}),
    (404, f"POST {PATH} is not here"),
    (404, {"timestamp": "2026-11-30", "status": 404, "error": "Not Found", "path": PATH}),
    (404, {"type": "about:blank", "title": "Not Found", "status": 404}),
    (404, {"message": "The route v1/v1/chat/completions could not be found."}),
    (403, {"message": "Missing Authentication Token"}),  # aws/chalice#12
    (404, NGINX), (404, FLASK), (404, ""), (404, "{}"), (404, "default backend - 404"),
    (404, "The page could not be found\n\nNOT_FOUND\n"),
    (404, {"status": "error", "code": 404, "message": "Application not found"}),
    # huggingface/hub-docs#1818
    (410, "https://api-inference.example is no longer supported. Please use https://r.example"),
    (501, "Unsupported method ('POST')"),
]  # fmt: skip


@pytest.mark.parametrize("name", ["lab", "openai", "anthropic", "google", "mistral", "ollama"])
@pytest.mark.parametrize(("status", "body"), WRONG)
def test_a_wrong_address_is_told_as_such(name, status, body):
    """It is final, costs nothing, and no other model is asked instead."""
    provider = made(name, f"{GW}/team")

    error = refused(provider, status, body, "m")

    assert type(error) is WrongAddressError, str(error)
    assert f"base URL {GW}/team of {name} is probably wrong" in str(error)
    assert (error.status, error.outcome, error.possibly_billed) == (status, Outcome.FINAL, False)
    assert not may_fall_back(error)
    assert len(str(error)) <= 480
    assert "<" not in str(error)


# What is about a model, or about something else.
OTHERS = [
    (404, {"error": {"message": "The model `m` does not exist or you do not have access to it.",
                     "code": "model_not_found"}}, ModelNotFoundError),
    (404, {"object": "error", "message": "The model `/data/m` does not exist.",
           "type": "NotFoundError", "code": 404}, ModelNotFoundError),
    (404, {"type": "error", "error": {"type": "not_found_error", "message": "model: claude-x"}},
     ModelNotFoundError),
    (404, {"error": "model 'm' not found"}, ModelNotFoundError),
    (404, {"error": {"code": 404, "message": "models/m is not found for API version v1beta, or is "
                     "not supported for generateContent. Call ListModels", "status": "NOT_FOUND"}},
     ModelNotFoundError),
    (404, {"error": {"code": "DeploymentNotFound", "message": "The API deployment for this "
                     "resource does not exist."}}, ModelNotFoundError),
    # Alishahryar1/free-claude-code#956
    (404, {"status": 404, "title": "Not Found",
           "detail": "Function '12345678-b123': Not found for account 'Ab1'"}, ModelNotFoundError),
    # tashfeenahmed/freellmapi#634
    (410, {"type": "about:blank", "title": "Gone", "status": 410,
           "detail": "The model 'm' has reached its end of life"}, ModelNotFoundError),
    (404, {"message": "Model not found, inaccessible, and/or not deployed", "param": "model",
           "code": "NOT_FOUND"}, ModelNotFoundError),
    (404, {"error_code": "RESOURCE_DOES_NOT_EXIST",
           "message": "Endpoint with name 'm' does not exist."}, ModelNotFoundError),
    (404, {"error": {"message": "No endpoints found for maker/m.", "code": 404}},
     ModelNotFoundError),
    (404, {"error": "404 Client Error. Repository Not Found for url: "
                    "https://huggingface.co/api/models/m/revision/main."}, ModelNotFoundError),
    (404, {"code": "InvalidEndpointOrModel.NotFound", "message": "The model or endpoint m does not "
           "exist"}, ModelNotFoundError),
    (404, {"error": "'llama3.2-nano' is not here"}, ModelNotFoundError),  # the id that was asked
    (401, {"error": {"code": "401", "message": "Access denied due to invalid subscription key or "
                     "wrong API endpoint."}}, AuthenticationError),
    (400, {"error": {"message": "Invalid image URL: could not fetch it"}}, InvalidRequestError),
    (400, {"error": {"message": "unknown field `path`; see https://docs.example"}},
     InvalidRequestError),
]  # fmt: skip


@pytest.mark.parametrize("name", ["lab", "anthropic", "google", "ollama"])
@pytest.mark.parametrize(("status", "body", "kind"), OTHERS)
def test_what_speaks_of_a_model_or_of_something_else_is_no_wrong_address(name, status, body, kind):
    """At a base URL that the user has set."""
    error = refused(made(name, f"{GW}/team"), status, body, "llama3.2-nano")

    assert type(error) is kind, str(error)
    assert "base URL" not in str(error)


@pytest.mark.parametrize("name", ["openai", "anthropic", "google", "mistral", "openrouter"])
@pytest.mark.parametrize("body", [NGINX, "", {"detail": "Not Found"}])
def test_at_the_providers_own_base_url_only_the_model_can_be_missing(name, body):
    """Unless the answer speaks of the address."""
    error = refused(PROVIDERS[name](), 404, body)

    assert type(error) is ModelNotFoundError
    assert str(error).endswith("check the model id and the base URL")
    sure = refused(PROVIDERS[name](), 404, {"error": {"message": f"Invalid URL (POST {PATH})"}})
    assert type(sure) is WrongAddressError


@pytest.mark.parametrize(
    ("name", "url", "next_step"),
    [
        ("lab", "http://127.0.0.1:1234", "try add_provider('lab', 'http://127.0.0.1:1234/v1')"),
        (
            "lab",
            "http://127.0.0.1:11434/api",
            "try add_provider('lab', 'http://127.0.0.1:11434/v1')",
        ),
        (
            "openai",
            f"{GW}/team",
            "try configure(base_urls={'openai': 'https://gateway.example/team/v1'})",
        ),
        ("lab", f"{GW}/v1", "correct it; llmkit adds /chat/completions to it"),
        ("anthropic", f"{GW}/team", "correct it; llmkit adds /v1/messages to it"),
        ("ollama", "http://127.0.0.1:1", "correct it; llmkit adds /api/chat to it"),
        ("lab", DEPLOYMENT, f"try add_provider('lab', '{DEPLOYMENT}?api-version=2024-10-21')"),
        ("lab", f"{RESOURCE}/openai/v2", f"try add_provider('lab', '{RESOURCE}/openai/v1')"),
    ],
)
def test_the_next_step_fits_the_dialect(name, url, next_step):
    """A guess if there is a likely one, else what llmkit adds to the base URL."""
    error = refused(made(name, url), 404, "404 page not found")

    assert str(error).endswith(f": {next_step}")


def test_a_missing_api_version_is_named():
    """The base URL has one already, or gets one."""
    body = {"error": {"message": "Missing required query parameter: api-version"}}
    without = refused(made("lab", f"{GW}/openai"), 400, body)
    wrong = refused(made("lab", f"{GW}/openai?api-version=1"), 400, body)

    assert "lab refused the API version (400): Missing required" in str(without)
    assert str(without).endswith("is probably wrong: add ?api-version=... at its end")
    assert str(wrong).endswith("is probably wrong: correct ?api-version=... at its end")


def test_a_web_page_with_a_success_is_a_wrong_address_of_ones_own_only():
    """At a provider's own URL it is the page of a proxy or of a network's login."""
    page = HttpResponse(200, {}, b"<!DOCTYPE html><html><title>OpenRouter</title></html>")
    kinds = []
    for provider in (made("lab", f"{GW}/api"), PROVIDERS["openrouter"]()):
        with pytest.raises(ProviderError) as caught:
            provider.parse_chat(page)
        kinds.append((type(caught.value), caught.value.possibly_billed))

    assert kinds == [(WrongAddressError, False), (BadResponseError, True)]


def test_the_url_that_was_called_comes_first():
    """In one line, whatever its length."""
    error = refused(made("lab", f"{GW}/team"), 404, "")
    error.called = "POST https://gateway.example/team/chat/completions"

    assert str(error).startswith(
        f"{error.called}: lab has no such path (404): an empty body; base "
    )
    error.called = "POST " + "x" * 600
    assert len(str(error)) <= 480


class Closing:
    """A client whose key check fails with *error*."""

    def __init__(self, error):
        self.error = error

    async def ping(self):
        raise self.error

    async def aclose(self):
        pass


def test_a_check_at_a_wrong_address_blames_no_key():
    """It has a state of its own."""
    provider = made("lab", f"{GW}/team")
    error = refused(provider, 404, "")

    status, client = asyncio.run(
        status_of(
            provider, Credential(KEY, "argument"), lambda: Closing(error),
            policy=RetryPolicy(attempts=3),
        )
    )  # fmt: skip

    assert (status.state, status.attempts, client) == (SignInState.WRONG_ADDRESS, 1, None)
    assert status.advice == f"Could not check: base URL {GW}/team is wrong, or has no model list."


@pytest.mark.parametrize("url", ["http://[::1", "[1]:80", "https://gateway.example:port/v1"])
def test_what_only_looks_like_a_url_is_a_wrong_setting(url):
    """One bad variable does not hide the states of the other providers."""
    kit = Kit(environ={"LLMKIT_OPENAI_BASE_URL": url, "OPENAI_API_KEY": KEY.reveal()})
    try:
        with pytest.raises(ConfigError, match="must begin with https:// or http://, got"):
            kit.registry.key_for(kit.registry.provider("openai"))
        with pytest.raises(ConfigError, match="must begin with https:// or http://, got"):
            kit.add_provider("lab", url)
        states = {one.provider: one.state for one in kit.checks.statuses()}
        checked = kit.manager.run(kit.check("openai"))
    finally:
        kit.close()

    assert states["anthropic"] is SignInState.NO_KEY
    assert "must begin with https:// or http://, got" in checked.advice


@pytest.mark.parametrize("url", [
    "https://me:hush-hush@gateway.example/v1", "https://me:hush#hush@gateway.example/v1",
    "https://me:hush[hush@gateway.example/v1", "me:hush-hush@gateway.example/v1",
    "https://me:hush-hush@gateway.example/v1?api_key=hush-hush", f"{GW}/v1#hush-hush",
])  # fmt: skip
def test_a_secret_in_a_base_url_is_shown_nowhere(url):
    """The provider is made before its base URL is refused, and tables show it."""
    provider = made("lab", url)
    with pytest.raises(ConfigError) as refusal:
        refuse_plain_http(provider.base_url, has_key=False)
    with pytest.raises(ConfigError) as setting:
        ProviderRegistry({}, {"providers": {"lab": {"base_url": url}}})

    for text in (repr(provider), provider.base_url, str(refusal.value), str(setting.value)):
        assert "hush" not in text


def test_a_setting_without_a_host_is_refused():
    """The message shows what stands there."""
    with pytest.raises(ConfigError, match="must begin with https:// or http://, got 'lab'"):
        ProviderRegistry({}, {"providers": {"lab": {"base_url": "lab"}}})
