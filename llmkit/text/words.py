"""Tells keys from words, which occur in ordinary text.

Called by `secret`, which masks keys, and by `configuration`, which refuses placeholders. Keeps no
text and no key.
"""

from __future__ import annotations

import re

SHORTEST = 6  # characters of a key that is masked; anything shorter occurs in ordinary text
LONG = 16  # characters; shorter words and names occur in ordinary text
KEY_WORDS = ("key", "token", "secret", "password")  # in the names of things that hold a key
# The words of the keys that manuals of local servers give, such as llama.cpp's "sk-no-key-required"
# and vLLM's "EMPTY" (read 2026-11-30).
_DUMMIES = """
    0 1 123 1234 12345 123456 4 a all an and any anything api apikey bearer by change changeme
    cpp default demo dev dummy empty enter example fake for free goes gpt here ignored in
    insert is it key keys koboldcpp litellm llama llm lm lmstudio local localai localhost
    master me my need needed needs no nokey none not null of ollama on openai or paste pk
    placeholder proxy random real replace required secret server sk some something string
    studio test testing text the this to token unused use used user value vllm whatever with
    your
"""
DUMMY = frozenset(_DUMMIES.split())
_PARTS = re.compile(r"[a-z]+|\d+")
REPEATED = re.compile(r"(\w)\1{7,}")  # "sk-1111..."
# A run of letters and digits that cannot be a word, a name or a date: "4f9a2c1b", but not "Llama3".
_RANDOM_RUN = re.compile(
    r"(?<![A-Za-z\d])(?!(?:[A-Z]{0,15}[a-z]{0,20}){2}\d{0,10}(?![A-Za-z\d]))[A-Za-z\d]"
)


def is_words(text: str) -> bool:
    """Returns True if *text* may be words, names and numbers, as "lm-studio" and "sk-1234" are."""
    return not _RANDOM_RUN.search(text)


def is_word_like(key: str) -> bool:
    """Returns True if *key* may occur in ordinary text, so that masking it would damage the text.

    A dummy of a manual is word-like, and so is anything below six characters. So is a key below 16
    characters, unless letters and digits are mixed in it as in no word.
    """
    if len(key) < SHORTEST or (REPEATED.search(key) and is_words(REPEATED.sub("", key))):
        return True
    return DUMMY.issuperset(_PARTS.findall(key.lower())) or (len(key) < LONG and is_words(key))
