"""A redirect is not followed; the error says where it leads and what to do."""

from __future__ import annotations

import pytest

from llmkit.providers.builtin import PROVIDERS, compatible
from llmkit.secret import Secret
from llmkit.transport.redirects import redirected
from llmkit.wire.messages import HttpResponse

LAB = compatible("lab", "http://lab.test/v1")
CHAT = "http://lab.test/v1/chat/completions"


def told(location, status=308, provider=LAB, url=CHAT):
    headers = {} if location is None else {"location": location}
    return str(redirected(provider, HttpResponse(status, headers, b"moved"), url))


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
@pytest.mark.parametrize(
    ("location", "base"),
    [
        ("https://lab.test/v1/chat/completions", "https://lab.test/v1"),
        ("https://llm.example:8443/v1/chat/completions", "https://llm.example:8443/v1"),
        ("//llm.example/v1/chat/completions", "http://llm.example/v1"),
        ("/api/v1/chat/completions", "http://lab.test/api/v1"),
        ("https://lab.test/v1/chat/completions/", "https://lab.test/v1"),
        ("https://lab.test/login/v1/chat/completions", "https://lab.test/login/v1"),
        ("https://lab.test/v1/chat/completions?token=abc", "https://lab.test/v1"),
    ],
)
def test_the_new_base_url_is_computed(location, base, status):
    """The end of the path is that of the request, so the rest is the base URL to set."""
    message = told(location, status)

    assert f"does not follow ({status}): it leads to " in message
    assert message.endswith(f"; set the base URL of lab to {base}")
    assert "token" not in message


@pytest.mark.parametrize(
    "location",
    [
        "https://login.microsoftonline.com/common/oauth2/authorize?client_id=1&redirect_uri=x",
        "https://company.okta.com/app/x", "/login?next=/v1/chat/completions", "/sso/saml",
        "https://accounts.google.com/o/oauth2/v2/auth", "https://x.cloudflareaccess.com/cdn-cgi/a",
    ],
)  # fmt: skip
def test_a_sign_in_page_is_called_so(location):
    """A server behind single sign-on redirects to a page for browsers."""
    message = told(location, 302)

    assert "it looks like a sign-in page" in message
    assert "redirect_uri" not in message
    assert "next=" not in message


def test_an_address_without_the_path_of_the_request_is_only_named():
    """No base URL follows from it."""
    message = told("https://docs.example/moved")

    assert "it leads to https://docs.example/moved; correct the base URL" in message


def test_a_slash_at_the_end_cannot_be_set():
    """The same base URL would be redirected again."""
    assert "the server wants another form of the path" in told(f"{CHAT}/")


def test_a_redirect_without_an_address_is_still_a_redirect():
    """Location is missing, or is no URL."""
    for location in (None, " ", "https://", "https://[::1"):
        assert "redirect, which llmkit does not follow (308): moved" in told(location)


def test_no_user_name_and_no_query_are_repeated():
    """They may be secrets."""
    message = told("https://me:pass@llm.example/v1/chat/completions?key=secret#part")

    assert "https://llm.example/v1/chat/completions;" in message
    for part in ("me:", "pass", "secret", "part"):
        assert part not in message


def test_a_key_in_the_path_is_masked_in_the_next_step_too():
    """A gateway may have keys in its paths, and a server may echo one."""
    key = Secret("sk-proj-9fQ2zbX7Lk3Pq8RtYv5Wn1").reveal()
    message = told(f"https://llm.example/{key}/v1/chat/completions")

    assert message.count("https://llm.example/***/v1") == 2
    assert key[:8] not in message


@pytest.mark.parametrize("name", ["openai", "anthropic", "google", "mistral", "ollama"])
def test_the_base_url_is_that_of_each_provider(name):
    """The paths below it differ, also between chats, lists and checks."""
    provider = PROVIDERS[name]("http://gateway.test/llm")
    for request in (provider.models_request(None), provider.key_request(None)):
        moved = request.url.replace("http://gateway.test", "https://gateway.test")

        message = told(moved, provider=provider, url=request.url)
        assert message.endswith(f"set the base URL of {name} to https://gateway.test/llm")


@pytest.mark.parametrize("path", ["/v1/chat/completions", "/v1/chat/completions/", "/login"])
def test_plain_http_is_never_the_advice_for_an_https_address(path):
    """A server behind a proxy that ends TLS may name its own scheme."""
    lab = compatible("lab", "https://lab.test/v1")
    message = told(f"http://lab.test{path}", 307, lab, "https://lab.test/v1/chat/completions")

    assert "it would send the key in clear text" in message
    assert "set the base URL" not in message


def test_a_redirect_to_the_same_address_is_called_so():
    """A gateway sets a cookie in this way; another base URL would not help."""
    message = told(f"{CHAT}?session=abc", 302)

    assert "it is the same address" in message
    assert "set the base URL" not in message
    assert "abc" not in message
