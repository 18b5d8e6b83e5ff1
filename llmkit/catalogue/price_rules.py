"""Says what a price depends on beyond the tokens, where the price tables do not.

Must not import the tables: `prices` looks a row up, and asks here what else is known of it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any
from urllib.parse import urlsplit

from ..errors import shorten
from ..types import Usage

# Words of requests and answers for what costs the standard price, or leaves the choice open.
STANDARD = frozenset({
    "default", "standard", "standard_only", "on_demand", "unspecified", "global", "not_available",
})  # fmt: skip
OPEN = "auto"
# OpenAI's answers say "priority" for both (types of openai 3.57.0).
SAME_TIERS = {"fast": "priority"}
BATCH = "batch"
IN_CLOUD = "a model in Ollama's cloud answered, and no price of it is known"

# Factors of all token prices. The notes of genai-prices 0.2.3, which quote the makers' pages, and
# the data of litellm 1.110.2 agree on them (https://ai.google.dev/gemini-api/docs/pricing and
# https://platform.claude.com/docs/en/about-claude/pricing, read 2026-11-30).
_HALF_AND_MORE = {"flex": 0.5, "priority": 1.8}
TIERS: Mapping[tuple[str, str], Mapping[str, float]] = {
    ("google", "gemini-3.6-flash"): {"flex": 0.5},
    ("google", "gemini-3.7-flash"): {**_HALF_AND_MORE, BATCH: 0.5},
    ("google", "gemini-3.8-flash"): _HALF_AND_MORE,
    ("google", "gemini-4-argon"): _HALF_AND_MORE,
}
# Claude Opus 4.6, Sonnet 4.6 and later models; earlier ones know no regions.
REGIONS = {"us": 1.1}
_WITH_REGIONS = re.compile(r"claude-[a-z]+-(?:4-[6-9]|[5-9])")

# Rows of genai-prices 0.2.3 that litellm 1.110.2 lacks or contradicts (read 2026-11-30): the model,
# from how many input tokens on, and why.
DOUBTFUL: Mapping[tuple[str, str], tuple[int, str]] = {
    ("anthropic", "claude-mythos-5-2"): (0, "few have access to it, and no price is published"),
    ("anthropic", "claude-sonnet-4-5"): (200_001, "price lists differ above 200,000 input tokens"),
    ("openai", "gpt-5.6-cyber"): (272_001, "price lists differ above 272,000 input tokens"),
}
# OpenAI's search models bill each search, which chat completions do not count.
_SEARCHES = re.compile(r"-search-|-search$|deep-research")
# The tables find some models by the beginning of their names. These words name another model.
_OTHER_MODEL = frozenset({"lite", "mini", "nano", "pro", "ultra", "image", "tts", "live"})
_DATE = re.compile(r"[-@](?:20\d\d-?[01]\d-?[0-3]\d|\d{3,4})$")
# Counts in a `Usage` and the prices of them in a row, which may lack one.
PARTS = (
    ("input_audio_tokens", "input_audio_mtok", "audio tokens"),
    ("output_audio_tokens", "output_audio_mtok", "audio tokens"),
    ("output_image_tokens", "output_image_mtok", "images in the answer"),
    ("cache_write_1h_tokens", "cache_write_1h_mtok", "cache writes for an hour"),
    ("web_searches", "web_searches_kcount", "web searches"),
)
# Google bills these models for a prompt with searches, later ones for each search.
PER_PROMPT = re.compile(r"gemini-[12]\.")
_CLOUD = re.compile(r"[:-]cloud$")  # https://github.com/simonw/llm/issues/1283 (read 2026-11-30)


@dataclass(frozen=True, slots=True)
class Terms:
    """What decides a price besides the model and its tokens.

    Attributes:
        options: The options of the request, such as its service tier.
        base_url: The URL of the server, "" if it is not known.
        all_hosts: True if list prices apply to every server; see the setting `list_prices`.
        tier: The service tier that the answer names.
        is_estimate: True before an answer: what is asked for counts.
        is_batch: True for a request of a batch.
        is_free: True if the user declared that the provider's answers cost nothing.
    """

    options: tuple[tuple[str, object], ...] = ()
    base_url: str = ""
    all_hosts: bool = False
    tier: str | None = None
    is_estimate: bool = False
    is_batch: bool = False
    is_free: bool = False


STANDARD_TERMS = Terms()


def conditions(usage: Usage, terms: Terms) -> tuple[dict[str, str], str | None]:
    """Returns the conditions of a price that is not the standard one, and why they are unknown.

    A price follows what the answer says. If that differs from what was asked for, one of the two
    is wrong (https://github.com/earendil-works/pi/issues/3307, read 2026-11-30).
    """
    options = {"service_tier" if n == "serviceTier" else n: v for n, v in terms.options}
    answered = {
        "service_tier": terms.tier, "speed": usage.speed, "inference_geo": usage.inference_geo,
    }  # fmt: skip
    found = {"processing": BATCH} if terms.is_batch else {}
    for name, told in answered.items():
        asked = options.get(name)
        asked_word, told_word = _word(name, asked), _word(name, told)
        if terms.is_estimate:
            told_word = told_word or asked_word
        elif told_word is None and asked_word not in (None, "", OPEN):
            asked = shorten(str(asked), 40)
            return found, f"{name}={asked} was asked for, and the answer does not say what was used"
        elif None not in (asked_word, told_word) and asked_word not in (OPEN, told_word):
            asked, told = shorten(str(asked), 40), shorten(str(told), 40)
            return found, f"{name}={asked} was asked for, and the answer says {told}"
        if told_word == BATCH:
            found["processing"] = BATCH
        elif told_word and told_word != OPEN:
            found[name] = told_word
    return found, None


def _word(name: str, value: object) -> str | None:
    """Returns a tier in lower case, "" for the standard one, None if there is none."""
    if value is None:
        return None
    word = str(value).lower()
    if name == "service_tier":
        word = SAME_TIERS.get(word, word)
    return "" if word in STANDARD else word


def factor(table: str, row: str, condition: tuple[str, str]) -> float | None:
    """Returns the factor of all token prices of *row* under *condition*, None if it is unknown."""
    name, word = condition
    if name == "inference_geo" and table == "anthropic" and _WITH_REGIONS.match(row):
        return REGIONS.get(word)
    is_tier = name in ("service_tier", "processing")
    return TIERS.get((table, row), {}).get(word) if is_tier else None


@lru_cache(maxsize=256)  # a warm process prices the same few models
def doubt(table: str, model: str, row: str) -> tuple[int, str] | None:
    """Returns from how many input tokens on *row* is not the price of *model*, and why.

    None if it is the price.
    """
    reason = f"no price is known for {model}"
    if (table, row) in DOUBTFUL:
        least, cause = DOUBTFUL[table, row]
        return least, f"{reason}: {cause}"
    words = set(re.findall(r"[a-z]+", model.lower())) - set(re.findall(r"[a-z]+", row))
    if table != "openrouter" and words & _OTHER_MODEL:
        return 0, reason
    # The Google table also lists Claude on Vertex, at other prices.
    if table == "google" and "claude" in row:
        return 0, f"{reason} at Google's API for Gemini"
    if table == "openai" and _SEARCHES.search(model):
        return 0, f"{model} bills each search, and the answer does not count them"
    return None


def unpriced_part(table: str, prices: Any, usage: Usage) -> str | None:
    """Returns the name of a part of *usage* that *prices*, those of a row, leave out."""
    for count, price, name in PARTS:
        # A row of Google without a price of audio has one price for text and audio.
        is_audio = name == "audio tokens"
        has_price = getattr(prices, price) is not None or (is_audio and table == "google")
        if getattr(usage, count) and not has_price:
            return name
    return None


def is_cloud(model: str, base_url: str) -> bool:
    """Returns True if Ollama's cloud serves *model*, at that URL or through the user's server."""
    host = urlsplit(base_url).hostname or ""
    return bool(_CLOUD.search(model.lower())) or f".{host}".endswith(".ollama.com")


@lru_cache(maxsize=256)  # a warm process prices the same few models
def price_names(model: str, asked: str, *, is_reseller: bool) -> tuple[str, ...]:
    """Returns the names under which the price of *model* may be listed, the most exact first.

    A maker's model may have the path of another server. A dated id costs as much as its base, if
    it has no price of its own. A variant at a reseller, such as ":free", is the one *asked* for.
    """
    name = model if is_reseller else model.rsplit("/", 1)[-1]
    base, _, variant = asked.partition(":")
    if is_reseller and variant and ":" not in name and base in (name, _DATE.sub("", name)):
        name = asked
    return tuple(dict.fromkeys((name, _DATE.sub("", name))))
