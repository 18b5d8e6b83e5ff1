"""A key is masked in every display."""

from __future__ import annotations

import copy
import pickle
import traceback
from base64 import b64encode
from urllib.parse import quote

import pytest

from llmkit.errors import LlmkitError
from llmkit.secret import Secret, bearer, looks_like_key, redact

CANARY = "q7Zp-4vXw_9LkT2m"


def test_a_key_is_in_no_form_of_its_secret():
    """repr, str, format and containers show the mask."""
    secret = Secret("sk-" + CANARY)

    shown = f"{secret} {secret!r} {[secret]} {secret:>20} {bearer(secret)!r} {secret.reveal()!r}"

    assert CANARY not in shown


def test_a_secret_cannot_be_copied_or_pickled():
    """Any operation that would write the key elsewhere is refused."""
    for attempt in (pickle.dumps, copy.copy, copy.deepcopy):
        with pytest.raises(TypeError, match="cannot be pickled or copied"):
            attempt(Secret(CANARY))


def test_a_key_is_taken_out_of_text():
    """A key that a message echoes is masked."""
    Secret(CANARY)

    assert redact(f"bad key {CANARY}!") == "bad key ***!"


def test_only_a_long_keys_tail_may_be_shown():
    """Four of sixteen characters identify a key; four of eight would reveal half of it."""
    assert Secret(CANARY).tail == "kT2m"
    assert Secret("12345678").tail == ""


def test_a_traceback_with_values_has_no_key():
    """Even a traceback that shows local variables shows the mask."""
    secret = Secret(CANARY)
    headers = {"Authorization": bearer(secret)}
    try:
        raise ValueError(repr(headers))
    except ValueError as error:
        lines = traceback.TracebackException.from_exception(error, capture_locals=True).format()

    assert CANARY not in "".join(lines).replace("CANARY", "")


def test_two_secrets_with_one_key_are_equal():
    """Comparison detects a changed key."""
    assert Secret(CANARY) == Secret(CANARY)
    assert Secret(CANARY) != Secret(CANARY + "x")


@pytest.mark.parametrize(
    "said",
    [
        "Bearer {key}", "{body}", "half of it: {half}", "{b64}", "{quoted}", "x{key}y{key}",
        '{{"key":"{key}"}}', "{shifted}",
    ],
)  # fmt: skip
def test_no_piece_of_a_key_is_left_in_any_form(said):
    """Whole, without its public beginning, cut, in base64 and percent-encoded."""
    body = "Qf7+Lw2/Zr9=Xk4Tb6Vn8"
    key = f"sk-proj-{body}"
    Secret(key)
    text = said.format(
        key=key, body=body, half=body[3:14], quoted=quote(key, safe=""),
        b64=b64encode(f"user:{key}".encode()).decode(), shifted=b64encode(b"a" + key.encode()),
    )  # fmt: skip
    forms = [body, quote(body, safe="")]
    forms += [b64encode(b"\0" * n + body.encode()).decode()[4:-4] for n in range(3)]

    left = redact(text)
    assert [f[i : i + 8] for f in forms for i in range(len(f) - 7) if f[i : i + 8] in left] == []


def test_ordinary_words_stay():
    """Prose, and keys that are words, are unchanged by the search for pieces."""
    Secret("my-local-development-key")
    prose = "Thermodynamics of local development, sk-proj- and sk-ant-api03- are beginnings."

    assert redact(prose) == prose


def test_a_message_of_ours_has_no_key_even_of_a_stranger():
    """Text that looks like a key is masked in errors: it may be a key unknown to llmkit."""
    error = LlmkitError("server said: sk-abcdefghijklmnop1234 is wrong")

    assert str(error) == "server said: *** is wrong"
    assert looks_like_key("AIzaSyA1b2C3d4E5f6G7h8I9j0")
    assert looks_like_key("aB3dE6gH9jK2mN5pQ8sT1vW4yZ7bC0eF")
    assert not looks_like_key("openai:gpt-6-luna")
    assert not looks_like_key("ft:gpt-4o-mini-2024-07-18:my-org::AbCd1234")


def test_a_header_value_is_not_copied_or_pickled():
    """The key inside a request cannot be written elsewhere with it."""
    header = bearer(Secret(CANARY))
    for attempt in (pickle.dumps, copy.copy, copy.deepcopy):
        with pytest.raises(TypeError, match="cannot be pickled or copied"):
            attempt(header)
