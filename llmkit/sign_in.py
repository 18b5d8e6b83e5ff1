"""Finds out which keys work, without a paid request."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from typing import Protocol, TypeVar

from .client import read_whole, refusal
from .errors import (
    APIConnectionError,
    APITimeoutError,
    AuthenticationError,
    CallError,
    InsufficientFundsError,
    LlmkitError,
    LocalModelError,
    Outcome,
    PermissionDeniedError,
    RateLimitError,
)
from .providers.base import Provider, located
from .runtime.carrier import Carrier, Limits
from .runtime.credentials import Credential
from .runtime.retry import RetryPolicy
from .secret import Secret

log = logging.getLogger(__name__)


class SignInState(StrEnum):
    """What is known of a provider's key; "could not check" is never "bad key"."""

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
    SERVER_ERROR = "server_error"
    NOT_RUNNING = "not_running"


@dataclass(frozen=True, slots=True)
class AuthStatus:
    """Whether one provider can be asked, and what to do if not.

    Attributes:
        advice: One sentence; "" where there is nothing to do.
        latency_s: Seconds that the last attempt took, None where nothing was sent.
        key_source: Where the key came from.
        key_tail: At most its last four characters.
    """

    provider: str
    state: SignInState
    advice: str = ""
    latency_s: float | None = None
    attempts: int = 0
    checked_at: datetime | None = None
    key_source: str = "none"
    key_tail: str = ""
    base_url: str = ""
    error: str | None = None

    def __str__(self) -> str:
        words = self.state.replace("_", " ")
        return f"{self.provider}: {words}. {self.advice}".rstrip(" .") + "."

    def _repr_pretty_(self, printer: object, cycle: bool) -> None:
        printer.text(str(self))  # type: ignore[attr-defined]  # IPython's printer is untyped

    @property
    def ready(self) -> bool:
        """True where a question would be answered."""
        return self.state is SignInState.READY


class Client(Protocol):
    """What `sign_in` opens: proves its key with `ping`, and is closed by whoever holds it."""

    async def ping(self) -> None: ...

    async def aclose(self) -> None: ...


C = TypeVar("C", bound=Client)


async def sign_in(
    open_client: Callable[[], C],
    label: str,
    *,
    policy: RetryPolicy,
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
) -> C:
    """An open client whose key was accepted; it belongs to the caller.

    Each attempt opens its own client and closes it if it fails, so at most one is ever left
    open: the one returned.

    Raises:
        AuthenticationError: The key was refused; never tried again.
        CallError: Still failing after the last attempt; that attempt's own error.
    """

    async def attempt(number: int) -> C:
        client = open_client()
        try:
            await client.ping()
        except BaseException:  # a cancelled cell must not leave a client behind either
            await client.aclose()
            raise
        return client

    def retrying(error: CallError, number: int, wait: float) -> None:
        log.info("Retrying %s authentication (attempt %d/%d)", label, number, policy.attempts)
        log.debug("after %.1f s, because of: %s", wait, error)

    return await policy.call(attempt, sleep=sleep, on_retry=retrying, idempotent=True)


class Probe:
    """Proves a key with the provider's cheapest request, over a session of its own."""

    def __init__(
        self,
        provider: Provider,
        key: Secret | None,
        open_carrier: Callable[[], AbstractAsyncContextManager[Carrier]],
        limits: Limits,
    ) -> None:
        self._provider = provider
        self._key = key
        self._open_carrier = open_carrier
        self._limits = limits

    async def ping(self) -> None:
        """Passes when the key is accepted.

        Raises:
            CallError: It was refused, or nobody answered.
        """
        request = self._provider.key_request(self._key)
        try:
            async with (
                self._open_carrier() as carrier,
                carrier.send(request, self._limits) as arriving,
            ):
                if arriving.status != 200:
                    raise await refusal(self._provider, arriving)
                (await read_whole(arriving)).json_object()
        except CallError as error:
            located(error, provider=self._provider.name, model="")
            raise

    async def aclose(self) -> None:
        """Nothing is left: each ping opens and closes its own session."""


async def status_of(
    provider: Provider,
    credential: Credential,
    open_client: Callable[[], Client],
    *,
    policy: RetryPolicy,
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
) -> tuple[AuthStatus, Client | None]:
    """What a check of *provider* finds, and the client that it leaves open, if any."""
    known = _known_without_asking(provider, credential)
    if known is not None:
        return known, None
    clock = asyncio.get_running_loop().time
    started = clock()
    attempts = 0

    def counted() -> Client:
        nonlocal started, attempts
        started, attempts = clock(), attempts + 1
        return open_client()

    failure: LlmkitError | None = None
    client: Client | None = None
    try:
        client = await sign_in(counted, provider.label, policy=policy, sleep=sleep)
    except (CallError, LocalModelError) as error:
        failure = error
    state = SignInState.READY if failure is None else state_of(failure, provider)
    found = AuthStatus(
        provider=provider.name,
        state=state,
        advice=advice(state, provider),
        latency_s=clock() - started,
        attempts=attempts,
        checked_at=datetime.now(UTC),
        key_source=credential.source,
        key_tail=credential.key.tail if credential.key else "",
        base_url=provider.base_url,
        error=None if failure is None else str(failure),
    )
    return found, client


def always_ready(provider: Provider) -> AuthStatus:
    """The status of a provider that needs neither a key nor a server."""
    return AuthStatus(provider.name, SignInState.READY, checked_at=datetime.now(UTC))


class Installed(Protocol):
    """What knows whether the embedded model is there."""

    def require(self, model: str) -> object: ...


def local_status(provider: Provider, models: Installed, model: str = "smollm2") -> AuthStatus:
    """Whether the embedded model could be started; it is not, just to be asked."""
    try:
        models.require(model)
    except LocalModelError as error:
        return AuthStatus(
            provider.name, SignInState.NOT_RUNNING, str(error), checked_at=datetime.now(UTC),
            error=str(error),
        )  # fmt: skip
    return AuthStatus(provider.name, SignInState.READY, checked_at=datetime.now(UTC))


def state_of(error: LlmkitError, provider: Provider) -> SignInState:
    """What *error* says of the key."""
    if isinstance(error, LocalModelError):
        return SignInState.NOT_RUNNING
    if isinstance(error, APITimeoutError):
        return SignInState.TIMED_OUT
    if isinstance(error, APIConnectionError):
        return _connection_state(error, provider)
    for kind, state in STATES:
        if isinstance(error, kind):
            return state
    return SignInState.SERVER_ERROR


STATES = (
    (AuthenticationError, SignInState.REJECTED),
    (PermissionDeniedError, SignInState.NO_PERMISSION),
    (InsufficientFundsError, SignInState.NO_CREDIT),
    (RateLimitError, SignInState.RATE_LIMITED),
)


def _connection_state(error: APIConnectionError, provider: Provider) -> SignInState:
    if error.code == "tls":
        return SignInState.TLS_ERROR
    if not provider.needs_key and error.outcome is Outcome.UNSENT:
        return SignInState.NOT_RUNNING
    return SignInState.UNREACHABLE


def advice(state: SignInState, provider: Provider) -> str:
    """What to do about *state*, in one sentence."""
    names = " or ".join(provider.key_vars)
    return ADVICE[state].format(label=provider.label, names=names, url=provider.base_url)


ADVICE = {
    SignInState.NOT_CHECKED: "Run check() to find out.",
    SignInState.CHECKING: "Wait for the answer.",
    SignInState.READY: "",
    SignInState.NO_KEY: "Set {names}.",
    SignInState.MALFORMED: "Paste the key again; what is there cannot be one.",
    SignInState.REJECTED: "{label} refuses this key: make a new one and set {names}.",
    SignInState.NO_PERMISSION: "The key is valid but may not do this: look at its permissions.",
    SignInState.NO_CREDIT: "The account has no credit left: add some at {label}.",
    SignInState.RATE_LIMITED: "Too many requests just now; the key was not refused. Wait a little.",
    SignInState.UNREACHABLE: "Nobody answers at {url}; the key was not refused. Are you online?",
    SignInState.TIMED_OUT: "{label} did not answer in time; the key was not refused. Try again.",
    SignInState.TLS_ERROR: "No trusted connection to {url}: look at its certificate or a proxy.",
    SignInState.SERVER_ERROR: "{label} has trouble; the key was not refused. Try again later.",
    SignInState.NOT_RUNNING: "Nothing runs at {url}: start it.",
}


def _known_without_asking(provider: Provider, credential: Credential) -> AuthStatus | None:
    if credential.problem:
        state = SignInState.MALFORMED
    elif credential.key is None and provider.needs_key:
        state = SignInState.NO_KEY
    else:
        return None
    return AuthStatus(
        provider.name, state, advice(state, provider),
        key_source=credential.source, base_url=provider.base_url, error=credential.problem or None,
    )  # fmt: skip
