"""Recognizes texts that were pasted as a key and cannot be one.

Called by `credentials`, which adds the provider and the source. Sees neither: a placeholder is
refused or not by the address that it would be sent to.
"""

from __future__ import annotations

import re

from ..text.words import KEY_WORDS, REPEATED, is_words

_ENDING = f"(?:{'|'.join(KEY_WORDS)})"
# What a text is, and the next step. The first one that fits counts.
_FORMS = (
    (r"service_account|\"private_key|-----BEGIN", "is the file of a service account or a private "
     "key; create an API key at the provider instead"),
    (r"^[\[{]\s*\"", "is a JSON document; paste only the key in it"),
    (r"(?i)^(?:authorization\s*:|(?:bearer|basic|token)\s)", "begins as a header does (Bearer); "
     "paste only what follows it"),
    (r"(?i)^(?:#\s*)?(?:(?:export|setx?|%?env|%set_env|let|const)\s+|\$env:)?[\"']?"
     rf"[a-z][\w.-]*{_ENDING}\w*[\"']?(?:\s*[:=]\s*|\s+)[^\s=]", "is a line of a .env file or a "
     "program, NAME=value; paste only the value"),
    (r"os\.environ|getenv|process\.env|userdata\.get", "is code that reads a key; pass its result"),
    (r"^(?:\$[A-Z_][A-Z0-9_]+|\$\(.*|\$?\{.*\}|%\w+%|<%.*%>)$", "is the name of a variable that "
     "was not replaced; set the variable to the key itself"),
    (r"(?i)^https?://", "is the address of a page; paste the key itself"),
    (r"(?i)^[a-z][a-z0-9+.-]*://|^arn:aws|^projects/[^/]+/secrets/|^@Microsoft\.KeyVault", "is a "
     "reference to a key store, which llmkit does not read; set the key itself, as the store's own "
     "tool does"),
    (r"(?i)^(?:~|\.{1,2}|[a-z]:)[\\/]|^/(?:run|etc|var|home|users|secrets|mnt|root|opt|tmp)/|"
     r"^[\w./-]+\.(?:json|txt|pem|env|key)$", "is the path of a file; read the file and pass the "
     "key in it"),
)  # fmt: skip
PLACEHOLDER = "is the placeholder of an example; replace it by the key itself"
_NOTHING = re.compile(r"(?i)(?:none|null|nil|undefined|nan|n/?a|false|missing|unset|todo|tbd)")
_CUT = re.compile(r"\.\.\.|\*{3}|[…•]")
_BRACKETS = re.compile(r"<.*>|\[.*\]|\{.*\}|\(.*\)|__.*__")
_FILLED = re.compile(rf"(?i){REPEATED.pattern}|x{{6,}}|^(?:[a-z]{{1,5}}[-_])*(?:x+|0{{3,}})$")
# "YOUR_API_KEY", "key-goes-here", "OPENAI_API_KEY", "change-me", but not "my-key".
_MARKS = re.compile(
    r"(?i)(?<![a-z])(?:your|insert|enter|paste|replace|fill|put|goes|here|actual|real)(?![a-z])"
)
_NAMED = re.compile(rf"(?i){_ENDING}|api")
_WORDS = re.compile(
    r"(?i)placeholder|(?<![a-z])change[-_ ]?me(?![a-z])|^(?:[a-z0-9]+[-_])*api[-_]?key$"
    r"|^(?:sk-)?(?:dummy|example|fake|sample|redacted|hidden|masked|removed|replace[-_ ]?me)"
    r"(?:[-_](?:api[-_]?)?(?:key|token))?$"
    r"|(?-i:^(?:[A-Z][A-Z0-9]*_)+(?:KEY|TOKEN|SECRET|PASSWORD)$)"
)


def fault_of(text: str) -> str:
    """Returns what *text* is instead of a key, with the next step; "" if it may be a key.

    *text* is a `HeaderValue`, because a traceback may show it.
    """
    return next((fault for form, fault in _FORMS if re.search(form, text)), "")


def placeholder_fault(text: str) -> str:
    """Returns why *text* is not the key of a hosted provider, "" if it may be one.

    One's own server accepts such a text, and its manual may ask for it; see `fault_of`.
    """
    if _NOTHING.fullmatch(text):
        return 'is a word for "nothing", such as None: the variable behind it was not set; set it'
    if _CUT.search(text):
        return "is shortened with ... or ***, as pages show keys; copy the whole key"
    if _BRACKETS.fullmatch(text) or _WORDS.search(text):
        return PLACEHOLDER
    if _FILLED.search(text) and is_words(_FILLED.sub("", text)):
        return PLACEHOLDER
    is_example = _MARKS.search(text) and _NAMED.search(text) and is_words(text)
    return PLACEHOLDER if is_example else ""
