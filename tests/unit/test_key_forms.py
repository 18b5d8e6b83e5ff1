"""Texts that were pasted as a key and are none; the reason and the next step are told."""

from __future__ import annotations

import random
import string

import pytest

from llmkit.configuration.credentials import Credentials
from llmkit.configuration.key_forms import fault_of, placeholder_fault
from llmkit.errors import ConfigError
from llmkit.kit import Kit
from llmkit.providers.builtin import PROVIDERS, compatible
from llmkit.secret import Secret

OPENAI = PROVIDERS["openai"]()
BODY = "forms-Zk3vQ8mW1xTr6YpL"
KEY = f"sk-{BODY}"
LINE, HEADER, NAME = "paste only the value", "paste only what follows it", "was not replaced"
# From public issues of users whose key was refused (read 2026-11-30).
PASTED = {
    f"OPENAI_API_KEY={KEY}": LINE, f"export OPENAI_API_KEY={KEY}": LINE,
    f'OPENAI_API_KEY = "{KEY}"': LINE, f"export OPENAI_API_KEY='{KEY}'": LINE,
    f"set OPENAI_API_KEY={KEY}": LINE, f"setx OPENAI_API_KEY {KEY}": LINE,
    f'$env:OPENAI_API_KEY="{KEY}"': LINE, f"%env OPENAI_API_KEY={KEY}": LINE,
    f"openai_api_key: {KEY}": LINE, f'api_key="{KEY}"': LINE, f"HF_TOKEN={KEY}": LINE,
    f"x-api-key: {KEY}": LINE, f"# OPENAI_API_KEY={KEY}": LINE,
    f"#export OPENAI_API_KEY={KEY}": LINE,
    f"Bearer {KEY}": HEADER, f"bearer {KEY}": HEADER, f"Authorization: Bearer {KEY}": HEADER,
    "${OPENAI_API_KEY}": NAME, "$OPENAI_API_KEY": NAME, "%OPENAI_API_KEY%": NAME,
    "${{ secrets.OPENAI_API_KEY }}": NAME, "{{ openai_api_key }}": NAME, "$(cat key)": NAME,
    'os.environ["OPENAI_API_KEY"]': "pass its result", "process.env.KEY": "pass its result",
    "op://Private/OpenAI/credential": "key store", "vault://secret/openai": "key store",
    "arn:aws:secretsmanager:eu-west-1:1:secret:x": "key store",
    "https://platform.openai.com/api-keys": "address of a page",
    "/run/secrets/openai_key": "path of a file", "~/keys/openai.txt": "path of a file",
    "C:\\keys\\openai.txt": "path of a file", "service-account.json": "path of a file",
    '{"type": "service_account", "private_key": "-----BEGIN"}': "service account",
    '{"key": "abc"}': "JSON document",
}  # fmt: skip
EXAMPLES = [
    "your-api-key-here", "your_api_key", "YOUR_API_KEY", "YOUR-OPENAI-KEY", "<your key>",
    "<OPENAI_API_KEY>", "[YOUR_KEY]", "sk-...", "sk-…", "sk-xxxxxxxx", "sk-XXXXXXXXXXXXXXXX",
    "xxxx", "sk-proj-xxxxxxxxxxxx", "sk-ant-xxxxx", "changeme", "change-me-use-secure-password",
    "sk-your-key-here", "sk-your-openai-api-key", "insert-your-api-key-here", "paste_your_key_here",
    "key-goes-here", "FILL-IN-YOUR-GROQ_API_KEY", "placeholder", "OPENAI_API_KEY", "api_key",
    "API_KEY", "openai-api-key", "None", "none", "null", "undefined", "N/A", "TODO", "**********",
    "sk-proj-****abcd", "Secret(***)", "0000000000000000", "sk-000000", "__YOUR_KEY__",
    "replace_with_real_key", "enter-api-key", "REDACTED", "[REDACTED]", "hidden", "dummy",
    "sk-dummy", "fake-key", "example", "sk-example", "replace_me", "REPLACE-ME",
]  # fmt: skip
LETTERS = string.ascii_letters + string.digits


def refused(credentials, provider=OPENAI):
    with pytest.raises(ConfigError) as caught:
        credentials.require(provider)
    return str(caught.value)


@pytest.mark.parametrize(("text", "words"), PASTED.items(), ids=PASTED)
def test_a_pasted_text_is_called_what_it_is(text, words):
    """From a variable, as an argument and typed in; the value itself is not repeated."""
    typed = Credentials({})
    typed.type_in("openai", text)
    for credentials in (Credentials({"OPENAI_API_KEY": text}), Credentials({}, {"openai": text}),
                        typed):  # fmt: skip
        message = refused(credentials)

        assert words in message
        assert message.startswith("the key for openai (")
        assert BODY[:8] not in message
        assert credentials.find(OPENAI).key is None


@pytest.mark.parametrize("text", EXAMPLES)
def test_a_placeholder_is_refused_before_it_is_sent(text):
    """A hosted provider cannot have such a key; one's own server may ask for one."""
    message = refused(Credentials({"OPENAI_API_KEY": text}))

    assert message.startswith("the key for openai (variable OPENAI_API_KEY) is ")


@pytest.mark.parametrize("text", ["none", "EMPTY", "ollama", "your-key", "sk-xxxxxxxx", "YOUR_KEY"])
def test_a_placeholder_may_be_sent_to_ones_own_server(text):
    """Its manual asks for one, on this machine or in a private network."""
    for url in ("http://127.0.0.1:8000/v1", "https://gpu-box/v1", "https://192.168.1.5/v1"):
        lab = compatible("lab", url, ("LAB_API_KEY",))

        assert Credentials({"LAB_API_KEY": text}).require(lab).reveal() == text


@pytest.mark.parametrize("text", ["secret", "sk-1234", "correct-horse-battery-staple", "my-key",
                                  "here-be-dragons-1", "enter-sandman"])  # fmt: skip
def test_a_word_may_be_the_key_of_a_gateway(text):
    """A company chooses its own; only the server knows."""
    lab = compatible("lab", "https://llm.example.com/v1", ("LAB_API_KEY",))

    assert Credentials({"LAB_API_KEY": text}).require(lab).reveal() == text


def test_no_random_key_is_taken_for_anything_else():
    """Keys of all known prefixes, also in base64 with its signs."""
    source = random.SystemRandom()
    for prefix in ("sk-", "sk-proj-", "sk-ant-api03-", "AIzaSy", "gsk_", "hf_", "xai-", "nvapi-",
                   "pplx-", "r8_", "fw_", "", "key-", "token-"):  # fmt: skip
        for alphabet in (LETTERS, LETTERS + "-_", LETTERS + "+/", "0123456789abcdef"):
            for ending in ("", "=", "=="):
                key = prefix + "".join(source.choices(alphabet, k=40)) + ending

                assert (fault_of(key), placeholder_fault(key)) == ("", "")


@pytest.mark.parametrize("name", ["key", "Token", "SECRET"])
def test_the_signs_at_the_end_of_base64_are_no_value(name):
    """A random key may contain such a word, and two signs follow its last letter."""
    assert fault_of(f"sk-p7{name}Zq81LmW4==") == ""


@pytest.mark.parametrize(("value", "words"), [
    (None, "must be text, got None; os.environ.get returns None for a variable that is not set"),
    (b"sk-abc", "must be text, got a value of type bytes"),
    (1234, "must be text, got a value of type int"),
])  # fmt: skip
def test_a_key_that_is_not_text_is_refused_at_once(value, words):
    """It would be sent as its repr."""
    with pytest.raises(ConfigError, match="the key for openai " + words):
        Kit(environ={}, keys={"openai": value})
    with pytest.raises(ConfigError, match=words):
        Credentials({}).type_in("openai", value)


def test_a_secret_is_a_key_too():
    """Its value is used, not its mask."""
    assert Credentials({}, {"openai": Secret(KEY)}).require(OPENAI).reveal() == KEY


def test_the_report_names_the_reason_too():
    """`auth()` and the panel show what the key is instead, and send nothing."""
    kit = Kit(environ={"OPENAI_API_KEY": f"Bearer {KEY}", "MISTRAL_API_KEY": "your-api-key"})
    try:
        before = {status.provider: status for status in kit.checks.statuses()}
        checked = kit.manager.run(kit.check("openai"))
    finally:
        kit.close()

    assert (
        checked.advice
        == before["openai"].advice
        == (
            "The key (variable OPENAI_API_KEY) begins as a header does (Bearer); paste only what "
            "follows it."
        )
    )
    assert (str(checked.state), checked.attempts) == ("malformed", 0)
    assert "placeholder of an example" in before["mistral"].advice
