"""Turns a resolved name, a prompt and the options into a call, or says why it cannot."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache

from ..catalogue import lifecycle
from ..catalogue.entry import Catalogue
from ..catalogue.resolution import Resolution
from ..errors import ConfigError, ModelNotFoundError, RetiredModelError
from ..providers.base import Provider
from ..retries.policy import RetryPolicy
from ..secret import Secret
from ..settings import Settings
from ..transport.base import Timeouts, timeouts_for
from ..types import FallbackStep, How, Lifecycle, Prompt
from .options import Options


@dataclass(frozen=True, slots=True)
class Call:
    """All that one request needs to know.

    Attributes:
        prompt: Already fitted to the model.
        ignored: The parameters that fitting left out.
    """

    provider: Provider
    model: str
    prompt: Prompt
    key: Secret | None
    timeouts: Timeouts
    policy: RetryPolicy
    ignored: tuple[str, ...] = ()
    fallback: tuple[FallbackStep, ...] = ()
    warnings: tuple[str, ...] = ()


def call_for(
    resolution: Resolution,
    prompt: Prompt,
    options: Options,
    *,
    catalogue: Catalogue,
    provider: Provider,
    settings: Settings,
    key: Callable[[Provider], Secret | None],
) -> Call:
    """The call that puts *prompt* to what *resolution* found.

    *key* is asked last: first comes what no key can mend, such as a model that is gone.

    Raises:
        ModelNotFoundError: The model is gone; or its provider's own list lacks it, and the
            options allow another.
        ConfigError: The model is not known to have what is needed; or `strict` is on and it
            cannot take a parameter.
    """
    model = resolution.model
    if not options.verbatim:
        _refuse(resolution, options, catalogue)
    fitting = provider.fit(prompt, model)
    if fitting.ignored and options.strict:
        names = " and ".join(fitting.ignored)
        raise ConfigError(f"{model} cannot take {names}; leave it out, or drop strict=True")
    warnings = []
    if resolution.lifecycle is Lifecycle.DEPRECATED and model == resolution.id:
        when = f" on {resolution.retires_on}" if resolution.retires_on else ""
        warnings.append(f"{model} will be retired{when}")
    if resolution.ambiguous and resolution.how is not How.VERBATIM:
        others = ", ".join(resolution.alternatives)
        warnings.append(f"{resolution.asked} could also mean {others}")
    retries = settings.retries if options.retries is None else options.retries
    return Call(
        provider=provider,
        model=model,
        prompt=fitting.prompt,
        key=key(provider),
        timeouts=timeouts_for(settings, options.timeout),
        policy=_policy(1 + retries),
        ignored=fitting.ignored,
        fallback=(_translated(resolution, catalogue),) if resolution.substituted else (),
        warnings=tuple(warnings),
    )


# The same few values for every call of a run.
_policy = lru_cache(maxsize=64)(RetryPolicy)


def _refuse(resolution: Resolution, options: Options, catalogue: Catalogue) -> None:
    provider, model = resolution.provider, resolution.model
    if resolution.lifecycle is Lifecycle.RETIRED and not resolution.substituted:
        when = f" on {resolution.retires_on}" if resolution.retires_on else ""
        message = f"{provider} retired {resolution.id}{when}"
        if resolution.live is None:
            message += ", and the catalogue knows no model to call instead; see models()"
        else:
            message += f'; ask for "{provider}:{resolution.live}"'
        if resolution.live is not None and not options.fallback.rules:
            message += ', or allow it with fallback="equivalent"'
        raise RetiredModelError(message, provider=provider, model=model)
    # A list can be of an hour ago, so that where nobody else may answer the provider has the say.
    is_listed: bool | None = True
    if options.fallback.rules:
        is_original = model == resolution.id
        is_listed = (
            resolution.listed if is_original else lifecycle.is_listed(catalogue, provider, model)
        )
    if is_listed is False:
        raise ModelNotFoundError(
            f"{provider}'s own list has no {model}; read it again with "
            f'llmkit.refresh("{provider}"), or pass verbatim=True',
            provider=provider,
            model=model,
        )
    missing_needs: list[str] = []
    if options.needs:
        capabilities = lifecycle.known_capabilities(catalogue, provider, model)
        missing_needs = [need for need in options.needs if need not in capabilities]
    if missing_needs:
        raise ConfigError(
            f"{provider}:{model} is not known to have {' and '.join(missing_needs)}; "
            f'models(capability="{missing_needs[0]}") lists models that are'
        )


def _translated(resolution: Resolution, catalogue: Catalogue) -> FallbackStep:
    from ..catalogue import fallback  # few names are led elsewhere

    query = fallback.FallbackQuery(resolution.provider, resolution.id)
    choice = fallback.Candidate(resolution.provider, resolution.model, resolution.live_rule or "")
    reason = f"{resolution.id}, its peer of that time, is {resolution.lifecycle}"
    return fallback.step(catalogue, query, choice, reason)
