"""Assigns classes and families: to standard names by hand, to other ids by their words."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from llmkit.catalogue.names import base_of
from llmkit.providers.builtin import provider_table

# The first match decides; "mini" must not match in "gemini".
CLASS_WORDS = {
    "embedding": r"embed|minilm|text-similarity|text-search|code-search",
    "vision": r"vision|\bvl\b|llava|pixtral",
    "code": r"code|coder|codex|devstral|codestral",
    "reasoning": r"\bo[134]\b|\br1\b|magistral|reason|thinking|deep-research|qwq",
    "nano": r"\bnano\b|flash-lite|tiny|\bminimal\b",
    "small": r"(?<!ge)\bmini\b|haiku|\bflash\b|\bluna\b|\bsmall\b|instant",
    "medium": r"sonnet|\bterra\b|\bmedium\b",
    "flagship": r"opus|\bsol\b|\bastra\b|\blarge\b|\bpro\b|\bultra\b|\bmax\b|fable|argon",
}
CLASS_SIZES = ((4, "nano"), (13, "small"), (40, "medium"))  # maximum weights, in billions (1e9)
STAGE = r"-(latest|preview|exp|experimental|instruct|chat|it|stable)$"


def class_by_words(model: str) -> str | None:
    """Returns the class that the words of an id imply, None if there is none."""
    name = re.sub(r"[._:/]", "-", model.lower())
    told = next((c for c, words in CLASS_WORDS.items() if re.search(words, name)), None)
    size = re.search(r"(?<![a-z\d])(\d+(?:\.\d+)?)b\b", model.lower())
    if told in ("embedding", "vision", "code", "reasoning") or size is None:
        return told
    return next((c for most, c in CLASS_SIZES if float(size[1]) <= most), "flagship")


def family_by_words(model: str) -> str:
    """Returns the family of an id: the id without its maker, date, tag and stage."""
    name = model.rsplit("/", 1)[-1].split(":")[0].lstrip("~")
    while (shorter := re.sub(STAGE, "", base_of(name) or name)) != name:
        name = shorter
    return name


def _line_of(plain: str) -> str:
    claude = re.fullmatch(r"claude-(?:[\d.-]+-)?([a-z]+)(?:-[\d.-]+)?", plain)
    return f"claude-{claude[1]}" if claude else plain


def date_of(model: str) -> str:
    """Returns the date at the end of an id, in a sortable form; empty if it has none."""
    base = base_of(model)
    return re.sub(r"\D", "", model[len(base) :]) if base else ""


def classed(rows: Mapping[tuple[str, str], dict[str, Any]], names: list[dict[str, Any]]) -> None:
    """Sets the class and family of every row, by hand for the models of standard names."""
    by_hand, makers = _by_hand(names), provider_table().makers
    for (provider, model), row in rows.items():
        plain = family_by_words(model)
        told = by_hand.get((provider, model)) or by_hand.get((provider, plain))
        maker, slash, rest = model.partition("/")
        if told is None and slash and maker in makers:
            told = by_hand.get((makers[maker], rest.replace(".", "-")))
        kind = "embedding" if "embedding" in row.get("has", ()) else class_by_words(model)
        family, kind = told or (_line_of(plain), kind)
        row |= {"family": family, **({"class": kind} if kind else {})}
    for name in names:
        for provider, ids in name["peers"].items():
            if _alike(name["name"], ids[0]) == "same" and (provider, ids[0]) in rows:
                rows[provider, ids[0]]["released"] = name["released"]


def _by_hand(names: list[dict[str, Any]]) -> dict[tuple[str, str], tuple[str, str]]:
    """Returns family and class of each id that is a standard name's first peer at its maker."""
    found: dict[tuple[str, str], tuple[str, str]] = {}
    for name in names:
        for provider, ids in name["peers"].items():
            if _alike(name["name"], ids[0]):
                for model in ids:
                    for known in (model, base_of(model) or model):
                        found.setdefault((provider, known), (name["family"], name["class"]))
    return found


def _alike(name: str, model: str) -> str:
    """Returns how an id equals the standard name; empty for a peer of another maker."""
    a, b = (re.sub(r"[^a-z0-9]", "", n.rsplit("/", 1)[-1].lower()) for n in (name, model))
    if a == b:
        return "same"
    return "like" if b.startswith(a) or a.startswith(b) else ""
