"""A key shows itself to nobody."""

from __future__ import annotations

import copy
import pickle
import traceback

import pytest

from llmkit.secret import Secret, bearer, redact

CANARY = "q7Zp-4vXw_9LkT2m"


def test_a_key_is_in_no_form_of_its_secret():
    """repr, str, format and containers show the mask."""
    secret = Secret("sk-" + CANARY)

    shown = f"{secret} {secret!r} {[secret]} {secret:>20} {bearer(secret)!r} {secret.reveal()!r}"

    assert CANARY not in shown


def test_a_secret_cannot_be_copied_or_pickled():
    """What would write the key elsewhere is refused."""
    for attempt in (pickle.dumps, copy.copy, copy.deepcopy):
        with pytest.raises(TypeError, match="not pickled or copied"):
            attempt(Secret(CANARY))


def test_a_key_is_taken_out_of_text():
    """A message that echoes a key loses it."""
    Secret(CANARY)

    assert redact(f"bad key {CANARY}!") == "bad key ***!"


def test_only_a_long_keys_tail_may_be_shown():
    """Four of sixteen characters tell keys apart; four of eight would give half of it away."""
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
    """A changed key can be noticed by comparison."""
    assert Secret(CANARY) == Secret(CANARY)
    assert Secret(CANARY) != Secret(CANARY + "x")
