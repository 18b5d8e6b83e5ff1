"""Keys that are words, which are masked nowhere, and keys that are not."""

from __future__ import annotations

import random
import string

import pytest

from llmkit.configuration.key_forms import placeholder_fault
from llmkit.secret import Secret, redact
from llmkit.text.words import is_word_like, is_words

# From the manuals of Ollama, LM Studio, llama.cpp, vLLM, LiteLLM, LocalAI, GPT4All, Jan and Open
# WebUI, and from public issues of their users (read 2026-11-30).
DUMMIES = [
    "ollama", "lm-studio", "LM-Studio", "lm_studio", "none", "None", "null", "EMPTY", "secret",
    "dummy", "dummy-key", "test", "test-key", "test123", "x", "sk-", "anything", "whatever",
    "not-needed", "not_needed", "no-key", "no-key-required", "sk-no-key-required",
    "not-needed-for-local", "this-key-is-not-used", "token", "token-abc123", "password",
    "Password1", "admin", "local", "localai", "gpt4all",
    "jan", "sk-1234", "sk-test", "1234",
    "your-key", "your-api-key-here", "fake-api-key", "sk-fake-key-for-testing", "vllm", "hunter2",
    "llama3.2", "Llama-3", "OpenAI", "sk-xxxxxxxxxxxxxxxxxxxxxxxx", f"sk-{'1' * 48}",
]  # fmt: skip
LETTERS, ALNUM = string.ascii_lowercase, string.ascii_letters + string.digits
URL_SAFE = ALNUM + "-_"
# Prefix, alphabet and length of the body (the providers' pages, read 2026-11-30).
FORMS = {
    "OpenAI": ("sk-proj-", URL_SAFE, 156), "OpenAI, old": ("sk-", ALNUM, 48),
    "Anthropic": ("sk-ant-api03-", URL_SAFE, 95), "Google": ("AIzaSy", URL_SAFE, 33),
    "Mistral": ("", ALNUM, 32), "Groq": ("gsk_", ALNUM, 52), "Together": ("", string.hexdigits, 64),
    "Azure": ("", "0123456789abcdef", 32), "Hugging Face": ("hf_", string.ascii_letters, 34),
    "Cohere": ("", ALNUM, 40), "DeepSeek": ("sk-", "0123456789abcdef", 32),
    "xAI": ("xai-", ALNUM, 80), "Perplexity": ("pplx-", ALNUM, 48), "Fireworks": ("fw_", ALNUM, 24),
    "Replicate": ("r8_", ALNUM, 37), "OpenRouter": ("sk-or-v1-", "0123456789abcdef", 64),
    "NVIDIA": ("nvapi-", URL_SAFE, 64), "LiteLLM": ("sk-", URL_SAFE, 22),
    "a password": ("", ALNUM, 12),
}  # fmt: skip


@pytest.mark.parametrize("key", DUMMIES)
def test_a_key_that_is_a_word_masks_nothing(key):
    """A text that contains the dummy key of a local server stays as it is."""
    text = f"Use {key}, as in api_key={key!r}; {key}{key}."
    Secret(key)

    assert is_word_like(key)
    assert redact(text) == text


def test_a_key_with_a_run_of_one_letter_is_a_key():
    """Zero bytes in base64 are such a run; what stands around it is random."""
    key = "tok_9fQ2zAAAAAAAAAbX7Lk3Pq8RtYv5Wn1"
    Secret(key)

    assert not is_word_like(key)
    assert placeholder_fault(key) == ""
    assert redact(f"the key {key} is wrong") == "the key *** is wrong"
    assert redact(f"the key {key[5:-4]}") == "the key ***"
    assert redact("a picture: zAAAAAAAAAAAAAAAAAb") == "a picture: zAAAAAAAAAAAAAAAAAb"


@pytest.mark.parametrize(("prefix", "alphabet", "length"), FORMS.values(), ids=FORMS)
def test_no_key_of_a_provider_is_a_word(prefix, alphabet, length):
    """A random key of each known form is masked as a whole."""
    for _ in range(200):
        key = prefix + "".join(random.SystemRandom().choices(alphabet, k=length))
        # A password of twelve characters may by chance be a name with a number.
        assert not is_word_like(key) or (length < 16 and is_words(key))
    Secret(key)
    if not is_word_like(key):
        assert redact(f"the key {key} is wrong") == "the key *** is wrong"


@pytest.mark.parametrize(
    "key",
    [
        "3f2b8c1e-94d7-4a06-b5e1-7c9d0f8a6b24",
        "9f3a6c71e0b8d425",
        "a8Kx92Qp",
        "4f9a2c1b",
        "sk-a1b2c3d4",
        "x9f3q7",
    ],
)
def test_a_short_key_of_mixed_letters_and_digits_is_masked(key):
    """Letters and digits alternate in it as in no word."""
    Secret(key)

    assert redact(f"<{key}>") == "<***>"


@pytest.mark.parametrize(
    "key", ["correct-horse-battery-staple", "my-local-development-key", "prompt-caching-2024-07-31"]
)
def test_a_long_key_of_words_is_masked_only_as_a_whole(key):
    """A passphrase is a key, and its words are not."""
    Secret(key)
    words = key.replace("-", " ")

    assert redact(f"{key}; {words} {key[:-1]}") == f"***; {words} {key[:-1]}"


def test_a_key_is_text():
    """None and bytes would be sent as their repr."""
    for value in (None, b"sk-abc", 1234):
        with pytest.raises(TypeError, match="a key must be text, got"):
            Secret(value)


def test_the_scheme_of_a_header_is_no_part_of_its_key():
    """A text with the public beginning of a key stays, and the key alone is masked."""
    key = "sk-proj-Zq8vK2mX7pL4nR9wZq8v"
    Secret(f"Bearer {key}")

    assert redact("sk-proj- begins the keys of a project") == (
        "sk-proj- begins the keys of a project"
    )
    assert redact(f"the key {key} is wrong") == "the key *** is wrong"
