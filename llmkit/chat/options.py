"""Checks the options of a call: everything except its prompt and its models."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from numbers import Real

from ..catalogue.fallback_policy import Fallback, policy_of
from ..errors import ConfigError, shown
from ..providers.extra_body import refuse_several
from ..types import PARAMETERS, Capability
from .foreign_words import refuse_foreign, refuse_keys

# Fields of providers that resemble our options: Anthropic has "speed" and "fallbacks" (its SDK
# 2.14.0), OpenRouter has "provider".
FIELDS_LIKE_OURS = ("speed", "fallbacks", "provider")


@dataclass(frozen=True, slots=True)
class Options:
    """The options of one `ask` or one `compare`.

    Attributes:
        parameters: Sampling parameters as given, including lists.
        fallback: The models that may replace an unavailable one.
        needs: Capabilities that the model must have.
        strict: True makes it an error if the model does not support a parameter.
        verbatim: True sends the model name unchanged, without the catalogue.
        timeout: Seconds for a whole call; None for the setting.
        retries: Further attempts after the first; None for the setting.
        stream: False asks for the whole answer in one document.
        extra: Fields of the request body in the provider's format.
        as_they_are: Names of those that were passed in `extra_body`.
    """

    parameters: Mapping[str, object] = field(default_factory=dict)
    fallback: Fallback = field(default_factory=Fallback)
    needs: tuple[Capability, ...] = ()
    strict: bool = False
    verbatim: bool = False
    timeout: float | None = None
    retries: int | None = None
    stream: bool = True
    extra: Mapping[str, object] = field(default_factory=dict)
    as_they_are: frozenset[str] = frozenset()


def options(
    parameters: Mapping[str, object],
    *,
    fallback: object,
    needs: object = (),
    strict: bool = False,
    verbatim: bool = False,
    timeout: float | None = None,
    retries: int | None = None,
    stream: bool = True,
    extra: Mapping[str, object] | None = None,
) -> Options:
    """Returns checked options.

    Raises:
        ConfigError: A value is invalid, a name in *extra* is a misspelt option or another tool's
            word for one, or it asks for what a row cannot hold.
    """
    if timeout is not None and not (_is_number(timeout) and timeout > 0):
        raise ConfigError(f"timeout must be a number > 0, got {timeout!r}")
    if retries is not None and not (_is_number(retries) and retries >= 0 == retries % 1):
        raise ConfigError(f"retries must be an integer >= 0, got {retries!r}; 0 means one attempt")
    if not isinstance(stream, bool):
        raise ConfigError(f"stream must be True or False, got {stream!r}")
    fields_of_body, as_they_are = _merged(extra)
    refuse_several(fields_of_body)
    policy = policy_of(fallback)
    names = (needs,) if isinstance(needs, str) else tuple(needs)  # type: ignore[arg-type]
    try:
        capabilities = tuple(Capability(name) for name in names)
    except ValueError as error:
        raise ConfigError(f"needs: {error}; known: {', '.join(Capability)}") from None
    return Options(
        parameters, policy, capabilities, strict, verbatim, timeout, retries, stream,
        fields_of_body, as_they_are,
    )  # fmt: skip


def _is_number(value: object) -> bool:
    return isinstance(value, Real)


def _merged(extra: Mapping[str, object] | None) -> tuple[dict[str, object], frozenset[str]]:
    """Returns the fields of the request body in *extra*, and the names that `extra_body` had.

    `extra_body` of OpenAI's client has fields as the server names them, which only the server
    checks. They replace others of the same name.
    """
    further = dict(extra or {})
    body = further.pop("extra_body", None)
    if body is not None and not isinstance(body, Mapping):
        raise ConfigError(
            f"extra_body must be a mapping of field names to values, got {type(body).__name__}"
        )
    fields_in_body = dict(body or {})
    names = (*further, *fields_in_body)
    wrong = [name for name in names if not isinstance(name, str)]
    if wrong:
        raise ConfigError(f"the name of a field must be text, got {shown(wrong[0])}")
    refuse_keys(names)
    refuse_foreign(name for name, value in further.items() if value is not None)
    # None of these can be meant as a field.
    refuse_foreign(name for name in fields_in_body if "headers" in name)
    for name in further:
        _refuse_typo(name)
    return {**further, **fields_in_body}, frozenset(fields_in_body)


def _refuse_typo(name: str) -> None:
    # Unknown names are sent to the provider unchanged, so misspelt options must be refused. The
    # cutoff lets real ones pass, such as top_k and min_tokens, which resemble options.
    ours = (
        "system", "provider", "messages", "fallback", "needs", "strict", "verbatim", "timeout",
        "retries", "stream", *PARAMETERS,
    )  # fmt: skip
    import difflib

    near = difflib.get_close_matches(name, ours, n=1, cutoff=0.85)
    if near and name not in FIELDS_LIKE_OURS:
        raise ConfigError(f"unknown option {name!r}; did you mean {near[0]!r}?")
