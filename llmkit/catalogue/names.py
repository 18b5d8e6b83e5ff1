"""Compares spellings of model names, and builds the errors for unknown names."""

from __future__ import annotations

import re
from collections.abc import Iterable
from heapq import nlargest

from ..errors import UnknownModelError, UnknownProviderError
from .entry import normal
from .provider_table import ProviderTable
from .vocabulary import service_of

_DATE = re.compile(r"(.+?)-(20\d\d-\d\d-\d\d|20\d{6}|2\d{5}|\d{4}|0\d\d|\d\d-\d\d|\d\d-20\d\d)")
_DATED = re.compile(r"-(20\d\d-\d\d-\d\d|\d{4})(?![\d.])")
MOST_COMPARED = 50  # names


def base_of(model: str) -> str | None:
    """Returns an id without the date at its end, None if it has none."""
    match = _DATE.fullmatch(model)
    return match[1] if match else None


def is_dated(model: str) -> bool:
    """Returns True if an id contains the date of its snapshot."""
    return _DATED.search(model) is not None


def close_to(name: str, names: Iterable[str], cutoff: float = 0.75) -> list[str]:
    """Returns at most three of *names* that are similar to *name*, the closest first."""
    form, forms = normal(name), {normal(k): k for k in names}
    from difflib import SequenceMatcher

    # A server's list may have 20,000 names of the same letters. Their exact comparison would take
    # minutes, so it is made only for those with the most letters in common.
    matcher = SequenceMatcher(b=form)
    bounds: list[tuple[float, str]] = []
    for other in forms:
        matcher.set_seq1(other)
        if matcher.real_quick_ratio() >= cutoff and (bound := matcher.quick_ratio()) >= cutoff:
            bounds.append((bound, other))
    ratios: list[tuple[float, str]] = []
    for _, other in nlargest(MOST_COMPARED, bounds):
        matcher.set_seq1(other)
        ratios.append((matcher.ratio(), other))
    return [forms[other] for ratio, other in nlargest(3, ratios) if ratio >= cutoff]


def slips(model: str, ids: Iterable[str]) -> list[str]:
    """Returns the ids of which *model* is probably a misspelling.

    At most one letter of one long word differs, or a separator: another version, size or code name
    is another model, and so is a name with a further word.
    """
    if ":" in model:
        return []
    return [name for name in close_to(model, ids, 0.85) if _is_slip(normal(model), normal(name))]


def _is_slip(model: str, name: str) -> bool:
    if model.replace("-", "") == name.replace("-", ""):
        return True
    pairs = list(zip(model.split("-"), name.split("-"), strict=False))
    wrong = [(one, other) for one, other in pairs if one != other]
    if len(wrong) != 1 or model.count("-") != name.count("-"):
        return False
    one, other = wrong[0]
    if min(len(one), len(other)) < 4 or not (one + other).isalpha():
        return False
    start = next((i for i, pair in enumerate(zip(one, other, strict=False)) if len(set(pair)) > 1),
                 min(len(one), len(other)))  # fmt: skip
    one, other = one[start:], other[start:]
    is_swapped = one[:2] == other[1::-1] and one[2:] == other[2:]
    return is_swapped or one[1:] == other or one == other[1:] or one[1:] == other[1:]


def unknown(
    name: str, names: Iterable[str] = (), hint: str = "", suggestions: Iterable[str] = ()
) -> UnknownModelError:
    """Returns the error for an unknown model, with similar names as suggestions."""
    near = tuple(suggestions) or tuple(close_to(name, names))
    if hint:
        words = hint
    elif near:
        words = f"did you mean {' or '.join(near)}?"
    else:
        words = 'see models(), or write "provider:id" to send a name as it is'
    return UnknownModelError(f"unknown model {name!r}; {words}", suggestions=near)


def unknown_provider(table: ProviderTable, name: str, names: Iterable[str]) -> UnknownProviderError:
    """Returns the error for a provider that is not among *names*, with similar names."""
    if table.is_unlisted(name.lower()):
        return UnknownProviderError(
            f"provider {name!r} has a file but is not listed; add it to MODULES in "
            "llmkit/providers/builtin.py"
        )
    known_names = list(dict.fromkeys(names))
    near = close_to(name, known_names)
    hint = f"did you mean {' or '.join(near)}? " if near else ""
    service = service_of(name)
    if service is not None:
        hint = f"it means {service.label}, which you can add with {service.adding(name)}; "
    return UnknownProviderError(
        f"unknown provider {name!r}; {hint}known providers: {', '.join(known_names)}"
    )


def qualified_name(place: tuple[str, str]) -> str:
    """Returns "provider:id"."""
    return f"{place[0]}:{place[1]}"
