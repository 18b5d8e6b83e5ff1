"""Checks the options of a call: everything except its prompt and its models."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields

from ..catalogue.fallback_policy import Fallback, policy_of
from ..errors import ConfigError
from ..providers.extra_body import refuse_several
from ..types import PARAMETERS, Capability

# Fields of providers that resemble our options: Anthropic has "speed" (its SDK 2.14.0).
FIELDS_LIKE_OURS = ("speed",)
KEY_NAMES = ("api_key", "apikey", "x_api_key", "key", "keys", "token", "secret", "authorization")


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
        ConfigError: A value is invalid, a name in *extra* looks like a misspelt option, or it asks
            for what a row cannot hold.
    """
    if timeout is not None and not timeout > 0:
        raise ConfigError(f"timeout must be a number > 0, got {timeout!r}")
    if retries is not None and (retries < 0 or retries != int(retries)):
        raise ConfigError(f"retries must be an integer >= 0, got {retries!r}; 0 means one attempt")
    if not isinstance(stream, bool):
        raise ConfigError(f"stream must be True or False, got {stream!r}")
    extra = dict(extra or {})
    for name in extra:
        _refuse_typo(name)
    refuse_several(extra)
    policy = policy_of(fallback)
    names = (needs,) if isinstance(needs, str) else tuple(needs)  # type: ignore[arg-type]
    try:
        capabilities = tuple(Capability(name) for name in names)
    except ValueError as error:
        raise ConfigError(f"needs: {error}; known: {', '.join(Capability)}") from None
    return Options(
        parameters, policy, capabilities, strict, verbatim, timeout, retries, stream, extra
    )


def _refuse_typo(name: str) -> None:
    if name.lower().replace("-", "_") in KEY_NAMES:
        raise ConfigError(
            f"{name!r} is not an option, and its value would be sent in the request; set the "
            "provider's environment variable, or use Kit(keys=...)"
        )
    # Unknown names are sent to the provider unchanged, so misspelt options must be refused. The
    # cutoff lets real ones pass, such as top_k and min_tokens, which resemble options.
    others = ("system", "provider", "messages", "repeats")
    ours = [*PARAMETERS, *(f.name for f in fields(Options)), *others]
    import difflib

    near = difflib.get_close_matches(name, ours, n=1, cutoff=0.85)
    if near and name not in FIELDS_LIKE_OURS:
        raise ConfigError(f"unknown option {name!r}; did you mean {near[0]!r}?")
