"""How a person wants to be answered: everything that stands beside prompt and model."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields

from ..catalogue.fallback_policy import Fallback, policy_of
from ..errors import ConfigError
from ..types import PARAMETERS, Capability

KEY_NAMES = ("api_key", "apikey", "x_api_key", "key", "keys", "token", "secret", "authorization")


@dataclass(frozen=True, slots=True)
class Options:
    """The options of one `ask` or one `compare`.

    Attributes:
        parameters: Sampling parameters as they were given, lists included.
        fallback: What may answer in the place of a model that cannot.
        needs: Capabilities without which an answer is of no use.
        strict: True makes a parameter that the model cannot take an error.
        verbatim: True sends the name as it is, whatever the catalogue says.
        timeout: Seconds for a whole call, None for the setting.
        retries: Further attempts after the first, None for the setting.
        extra: Fields for the request body in the provider's own words.
    """

    parameters: Mapping[str, object] = field(default_factory=dict)
    fallback: Fallback = field(default_factory=Fallback)
    needs: tuple[Capability, ...] = ()
    strict: bool = False
    verbatim: bool = False
    timeout: float | None = None
    retries: int | None = None
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
    extra: Mapping[str, object] | None = None,
) -> Options:
    """Checked options.

    Raises:
        ConfigError: A value of the wrong kind, or a name that is nearly one of ours.
    """
    if timeout is not None and not timeout > 0:
        raise ConfigError(f"timeout must be more than 0 seconds, not {timeout!r}")
    if retries is not None and (retries < 0 or retries != int(retries)):
        raise ConfigError(f"retries must be 0 or more, not {retries!r}; 0 means one attempt")
    extra = dict(extra or {})
    for name in extra:
        _refuse_typo(name)
    policy = policy_of(fallback)
    names = (needs,) if isinstance(needs, str) else tuple(needs)  # type: ignore[arg-type]
    try:
        capabilities = tuple(Capability(name) for name in names)
    except ValueError as error:
        raise ConfigError(f"{error}; needs= knows: {', '.join(Capability)}") from None
    return Options(parameters, policy, capabilities, strict, verbatim, timeout, retries, extra)


def _refuse_typo(name: str) -> None:
    if name.lower().replace("-", "_") in KEY_NAMES:
        raise ConfigError(
            f"{name!r} is no option, and what stands there would be sent as a part of the request; "
            "set the provider's environment variable, or use Kit(keys=...)"
        )
    # Anything unknown goes to the provider as it is, so a slip must not slip through. The bar is
    # high enough for real ones such as top_k and min_tokens, which look like ours.
    others = ("system", "provider", "messages", "repeats")
    ours = [*PARAMETERS, *(f.name for f in fields(Options)), *others]
    import difflib

    near = difflib.get_close_matches(name, ours, n=1, cutoff=0.85)
    if near:
        raise ConfigError(f"there is no option {name!r}; did you mean {near[0]!r}?")
