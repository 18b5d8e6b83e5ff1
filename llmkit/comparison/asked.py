"""Describes what was asked as plain values for exports: conversation, parameters and address."""

from __future__ import annotations

import re
import reprlib
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit, urlunsplit

from ..chat.call import Call
from ..chat.foreign_words import KEY_NAMES
from ..secret import MASK, redact, redact_all
from ..types import Prompt
from ..wire.typed_values import DEEPEST

_KEY_WORDS = frozenset({
    *KEY_NAMES, "auth", "cookie", "credential", "credentials", "jwt", "passphrase", "passwd",
    "password", "pwd",
})  # fmt: skip
_NO_KEYS = ("prompt_cache_key",)
_NEW_WORD = re.compile(r"(?<=[a-z])(?=[A-Z])|[^A-Za-z0-9]+")  # accessToken, access-token
# Credentials inside a text: the value of a header, and in a URL before its host or in its query.
_INSIDE = re.compile(
    r"^((?:bearer|basic)\s+)\S{8,}$|(authorization\W{1,3}(?:(?:bearer|basic)\s+)?)\S{8,}"
    r"|([?&#][\w.-]*(?:key|token|secret|password|sig|signature)=)[^&#\s]+"
    r"|(?<=://)()[^/?#@\s]+(?=@)",
    re.IGNORECASE,
)


def conversation_of(prompt: Prompt) -> tuple[dict[str, object], ...]:
    """Returns the messages of *prompt*, the oldest first, after its system prompt."""
    turns = [("system", prompt.system)] if prompt.system else []
    turns += [(message.role, message.text) for message in prompt.messages]
    return tuple({"role": role, "content": text} for role, text in turns)


def sent_with(call: Call) -> dict[str, Any]:
    """Returns the parameters and options in the request of *call*, with llmkit's own."""
    prompt = call.prompt
    filled_in = call.provider.filled_in(prompt, call.model)
    asked = {**prompt.parameters, **dict(prompt.options), **filled_in}
    values: dict[str, Any] = masked({n: value for n, value in asked.items() if value is not None})
    return values


def address_of(call: Call) -> str:
    """Returns the base URL of *call* without user name, password, query and keys."""
    parts = urlsplit(call.provider.base_url)
    host = parts.netloc.rpartition("@")[2]
    return redact_all(urlunsplit((parts.scheme, host, parts.path, "", "")))


def masked(value: object, name: str = "", depth: int = 1) -> Any:
    """Returns *value* as JSON values, in which secrets are `***`.

    A text is a secret if its *name* is that of a key. Inside other texts, credentials are masked,
    and what only looks like a key: llmkit may not have held it.
    """
    if hasattr(value, "tolist"):  # a NumPy scalar or array
        value = value.tolist()
    if isinstance(value, Mapping | list | tuple | set | frozenset):
        if depth >= DEEPEST:  # it may contain itself
            return redact(reprlib.repr(value))
        if not isinstance(value, Mapping):
            return [masked(item, name, depth + 1) for item in value]
        return {redact(str(k)): masked(item, str(k), depth + 1) for k, item in value.items()}
    if value is None or isinstance(value, bool | int | float):
        return value
    last_word = _NEW_WORD.split(name)[-1].lower()
    if last_word in _KEY_WORDS and name not in _NO_KEYS:
        return MASK
    return redact_all(_INSIDE.sub(rf"\1\2\3\4{MASK}", str(value)))
