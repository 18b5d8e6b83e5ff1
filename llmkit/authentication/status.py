"""Defines the sign-in states of a provider's key, with advice for the user."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum

from ..configuration.credentials import Credential, ways_to_give_key
from ..errors import (
    APIConnectionError,
    APITimeoutError,
    AuthenticationError,
    InsufficientFundsError,
    LlmkitError,
    LocalModelError,
    Outcome,
    PermissionDeniedError,
    ProviderError,
    RateLimitError,
    WrongAddressError,
)
from ..fields import COLUMN, WHEN, Column, column
from ..providers.base import Provider
from ..wire.base_urls import url_parts


class SignInState(StrEnum):
    """The result of checking a key; a failure to check is never reported as a bad key."""

    NOT_CHECKED = "not_checked"
    CHECKING = "checking"
    READY = "ready"
    NO_KEY = "no_key"
    MALFORMED = "malformed"
    REJECTED = "rejected"
    NO_PERMISSION = "no_permission"
    NO_CREDIT = "no_credit"
    RATE_LIMITED = "rate_limited"
    UNREACHABLE = "unreachable"
    TIMED_OUT = "timed_out"
    TLS_ERROR = "tls_error"
    WRONG_ADDRESS = "wrong_address"
    SERVER_ERROR = "server_error"
    NOT_RUNNING = "not_running"


@dataclass(frozen=True, slots=True)
class AuthStatus:
    """The sign-in state of one provider, and what to do if it is not ready."""

    provider: str = field(metadata={COLUMN: Column("string", "the provider of the key")})
    state: SignInState = field(metadata={COLUMN: Column("string", ", ".join(SignInState))})
    advice: str = column("string", "one sentence; empty if there is nothing to do", default="")
    latency_s: float | None = column("float64", "seconds of the last attempt", default=None)
    attempts: int = column("Int64", "requests that were sent for this check", default=0)
    checked_at: datetime | None = column(WHEN, "when the check ended", default=None)
    key_source: str = column(
        "string", "argument, typed in, variable NAME, keyring, Colab, or none", default="none"
    )
    key_tail: str = column("string", "at most the last four characters of the key", default="")
    base_url: str = column("string", "the address that requests go to", default="")
    error: str | None = column("string", "what the server or the network said", default=None)

    def __str__(self) -> str:
        words = self.state.replace("_", " ")
        text = f"{self.provider}: {words}. {self.advice}".rstrip(" .")
        return text if text.endswith("?") else f"{text}."

    def _repr_pretty_(self, printer: object, cycle: bool) -> None:
        printer.text(str(self))  # type: ignore[attr-defined]  # IPython's printer is untyped

    @property
    def ready(self) -> bool:
        """True if requests can be sent."""
        return self.state is SignInState.READY


def unchecked(provider: Provider, credential: Credential) -> AuthStatus:
    """Returns the status that is known without a request."""
    if credential.problem:
        state = SignInState.NO_KEY if credential.unreadable else SignInState.MALFORMED
    elif credential.key is None and provider.needs_key:
        state = SignInState.NO_KEY
    else:
        state = SignInState.NOT_CHECKED
    return described(provider, credential, state, error=credential.problem or None)


def described(
    provider: Provider, credential: Credential, state: SignInState, *, error: str | None = None
) -> AuthStatus:
    """Returns the status for *state*, with its advice and the facts about the key."""
    key, advice = credential.key, ADVICE[state]
    if credential.unreadable:
        advice = ADVICE[SignInState.MALFORMED]
    elif credential.withheld and state in (SignInState.READY, SignInState.NOT_CHECKED):
        advice = WITHHELD
    elif state is SignInState.READY and key and not provider.proves_key:
        advice = UNPROVED
    elif state in (SignInState.REJECTED, SignInState.NO_PERMISSION) and key and key.rival:
        advice = RIVAL
    ways = ways_to_give_key(provider)
    advice = advice.format(
        label=provider.label, name=provider.name, url=provider.base_url,
        place=key.place if key else " or ".join(provider.key_vars) or "its key",
        rival=key.rival if key else "", problem=credential.problem.rstrip("."),
        source=credential.source, host=url_parts(provider.base_url).netloc,
        ways=f"{ways[:1].upper()}{ways[1:]}",
    )  # fmt: skip
    if state is SignInState.READY and provider.note:
        advice = f"{advice} The {provider.note}: write it so.".lstrip()
    return AuthStatus(
        provider=provider.name, state=state, advice=advice,
        key_source=credential.source, key_tail=key.tail if key else "",
        base_url=provider.base_url, error=error,
    )  # fmt: skip


def unsafe(provider: Provider, credential: Credential, why: str) -> AuthStatus:
    """Returns the status of a provider with an unsafe base URL; *why* becomes the advice."""
    is_clear_text = provider.base_url.startswith("http://")
    state = SignInState.TLS_ERROR if is_clear_text else SignInState.UNREACHABLE
    sentence = f"{why[:1].upper()}{why[1:].rstrip('.')}."
    return replace(described(provider, credential, state, error=why), advice=sentence)


def failed(provider: Provider, credential: Credential, error: LlmkitError) -> AuthStatus:
    """Returns the status after *error*, whose words are the advice if there was no connection."""
    state, words = state_of(error, provider), str(error)
    status = described(provider, credential, state, error=words)
    if state in (SignInState.UNREACHABLE, SignInState.TLS_ERROR):
        sentence = f"{words[:1].upper()}{words[1:].rstrip('.')}; the key was not refused."
        status = replace(status, advice=sentence)
    return status


def state_of(error: LlmkitError, provider: Provider) -> SignInState:
    """Returns the state of the key that *error* means."""
    for kind, state in STATES:
        if isinstance(error, kind):
            return state
    if isinstance(error, ProviderError) and 300 <= (error.status or 0) < 400:
        return SignInState.UNREACHABLE
    if not isinstance(error, APIConnectionError):
        return SignInState.SERVER_ERROR
    if error.code == "tls":
        return SignInState.TLS_ERROR
    if not provider.needs_key and error.outcome is Outcome.UNSENT:
        return SignInState.NOT_RUNNING
    return SignInState.UNREACHABLE


STATES = (
    (LocalModelError, SignInState.NOT_RUNNING),
    (APITimeoutError, SignInState.TIMED_OUT),
    (AuthenticationError, SignInState.REJECTED),
    (PermissionDeniedError, SignInState.NO_PERMISSION),
    (InsufficientFundsError, SignInState.NO_CREDIT),
    (RateLimitError, SignInState.RATE_LIMITED),
    (WrongAddressError, SignInState.WRONG_ADDRESS),
)

RIVAL = "{label} does not accept this key: check {place}; {rival}."
WITHHELD = (
    "The key ({source}) is not sent to {host} over plain http, and {label} needs none there. To "
    'send it: llmkit.configure(plain_http_hosts=["{host}"]).'
)
UNPROVED = "{label} answers without checking the key: the first call shows whether it is accepted."
ADVICE = {
    SignInState.NOT_CHECKED: "The key is not checked yet: run %llmkit check {name}.",
    SignInState.CHECKING: "Wait for the result.",
    SignInState.READY: "",
    SignInState.NO_KEY: "{ways}.",
    SignInState.MALFORMED: "The key ({source}) {problem}.",
    SignInState.REJECTED: "{label} refuses this key: create a new one, and check {place}.",
    SignInState.NO_PERMISSION: "The key is valid but lacks a permission: check its permissions.",
    SignInState.NO_CREDIT: "The account has no credit left: add credit at {label}.",
    SignInState.RATE_LIMITED: "The request rate is limited; the key was not refused. Wait.",
    SignInState.UNREACHABLE: "No connection to {url}.",
    SignInState.TIMED_OUT: "{label} did not answer in time; the key was not refused. Try again.",
    SignInState.TLS_ERROR: "The TLS connection to {url} failed.",
    SignInState.WRONG_ADDRESS: "Could not check: base URL {url} is wrong, or has no model list.",
    SignInState.SERVER_ERROR: "{label} failed; the key was not refused. Try again later.",
    SignInState.NOT_RUNNING: "No server is running at {url}: start it.",
}
