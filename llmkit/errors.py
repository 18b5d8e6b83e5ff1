"""Every error that llmkit raises, as one tree.

LlmkitError
├── ConfigError (also ValueError)    fix your setup; nothing was sent
│   ├── MissingApiKeyError           .provider .key_vars
│   ├── UnknownProviderError         the message lists the known names
│   ├── UnknownModelError            .suggestions
│   └── SpendLimitError              more calls or a higher estimate than allowed
├── CallError                        a request failed: .provider .model .status .request_id ...
│   ├── ProviderError                it answered, and the answer was no
│   │   ├── AuthenticationError          401
│   │   ├── PermissionDeniedError        403
│   │   ├── InsufficientFundsError       402
│   │   │   └── QuotaExhaustedError      a used-up quota, whatever the status
│   │   ├── ModelNotFoundError           404
│   │   │   └── RetiredModelError        known to be gone; raised before sending
│   │   ├── RateLimitError               429        retryable
│   │   ├── InvalidRequestError          400, 413, 422 and other 4xx
│   │   │   ├── ContextLengthExceededError
│   │   │   └── ContentFilterError
│   │   ├── ServerError                  5xx        retryable
│   │   └── BadResponseError             200, but not what the API promises
│   └── TransportError               no (whole) answer came      retryable
│       ├── APIConnectionError           refused, reset, DNS, TLS
│       ├── APITimeoutError              (also TimeoutError)
│       └── StreamInterruptedError       .completion holds the text so far
├── LocalModelError                  the embedded model's server is missing or did not start
└── SessionError (also RuntimeError) an object of ours was misused
    ├── SessionClosedError
    └── WrongLoopError

The class follows from the status code; words in a message decide only inside the 4xx that a
provider uses for several things. Whether a failed request may be sent again is not a matter of
the class alone, so each call error also carries an `outcome`.
"""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, ClassVar

from .secret import redact_all

if TYPE_CHECKING:
    from .types import Completion

MESSAGE_LIMIT = 300  # characters of a provider's own words that a message may carry
LINE_LIMIT = 480  # characters of a whole message


class Outcome(StrEnum):
    """How far a failed request got, which decides whether sending it again could bill twice."""

    UNSENT = "unsent"  # provably never reached the provider
    REFUSED = "refused"  # the provider said "not now" before any answer
    AMBIGUOUS = "ambiguous"  # sent, and nothing came back: it may have been answered and billed
    STREAMED = "streamed"  # part of an answer arrived
    FINAL = "final"  # the same request would fail the same way


class LlmkitError(Exception):
    """Base of every error that llmkit raises on purpose; any other exception is a bug.

    No key is in its message, whoever wrote that.
    """

    retryable: ClassVar[bool] = False

    def __init__(self, message: str = "") -> None:
        super().__init__(redact_all(message))

    def _render_traceback_(self) -> list[str]:
        # IPython asks an exception for this and prints the sentence instead of forty frames of
        # our insides. It must not leak into plain Python, where tracebacks are wanted.
        return [f"{type(self).__name__}: {self}", *getattr(self, "__notes__", ())]


class ConfigError(LlmkitError, ValueError):
    """The set-up or an argument is wrong; nothing was sent."""


class MissingApiKeyError(ConfigError):
    """A provider that needs a key has none.

    Attributes:
        provider: The provider's name.
        key_vars: The environment variables that were looked at, in order.
    """

    def __init__(self, message: str, *, provider: str = "", key_vars: tuple[str, ...] = ()) -> None:
        super().__init__(message)
        self.provider = provider
        self.key_vars = key_vars


class UnknownProviderError(ConfigError):
    """No provider has that name."""


class UnknownModelError(ConfigError):
    """No model has that name.

    Attributes:
        suggestions: At most three names that look like it; never used on their own.
    """

    def __init__(self, message: str, *, suggestions: tuple[str, ...] = ()) -> None:
        super().__init__(message)
        self.suggestions = suggestions


class SpendLimitError(ConfigError):
    """A run would make more paid calls, or cost more, than was allowed."""


class CallError(LlmkitError):
    """One request to a provider failed.

    Attributes:
        provider: The provider's name, "" where it is not known yet.
        model: The model id that was asked for.
        status: HTTP status, None where no answer came.
        code: The provider's own error code or type.
        request_id: The provider's id of the request, for its support.
        retry_after: Seconds that the provider asked us to wait, None if it did not say.
        outcome: How far the request got.
        possibly_billed: True where the provider may charge for what failed.
        attempts: Requests sent in all, this one included.
        attempt_log: One line for each attempt, oldest first: its error, and the wait after it.
        completion: What had arrived before it failed, None if nothing did.
    """

    default_outcome: ClassVar[Outcome] = Outcome.FINAL

    def __init__(
        self,
        message: str,
        *,
        provider: str = "",
        model: str = "",
        status: int | None = None,
        code: str | None = None,
        request_id: str | None = None,
        retry_after: float | None = None,
        outcome: Outcome | None = None,
        possibly_billed: bool = False,
    ) -> None:
        super().__init__(shorten(message, LINE_LIMIT))
        self.provider = provider
        self.model = model
        self.status = status
        # A server may echo the key anywhere.
        self.code = code and redact_all(code)
        self.request_id = request_id and redact_all(request_id)
        self.retry_after = retry_after
        self.outcome = self.default_outcome if outcome is None else outcome
        self.possibly_billed = possibly_billed
        self.attempts = 1
        self.attempt_log: tuple[str, ...] = ()
        self.completion: Completion | None = None


class ProviderError(CallError):
    """The provider answered, and the answer was no."""


class AuthenticationError(ProviderError):
    """The key was refused (401)."""


class PermissionDeniedError(ProviderError):
    """The key is valid, but not for this (403)."""


class InsufficientFundsError(ProviderError):
    """The account has no money left (402)."""


class QuotaExhaustedError(InsufficientFundsError):
    """A quota is used up for longer than waiting helps, whatever status said so."""


class ModelNotFoundError(ProviderError):
    """The provider has no such model (404)."""


class RetiredModelError(ModelNotFoundError):
    """The catalogue knows that the model is gone; raised before anything is sent."""


class RateLimitError(ProviderError):
    """Too many requests or tokens in a window (429)."""

    retryable = True
    default_outcome = Outcome.REFUSED


class InvalidRequestError(ProviderError):
    """The provider does not accept the request as it is (400, 413, 422, other 4xx)."""


class ContextLengthExceededError(InvalidRequestError):
    """Prompt and answer do not fit into the model's window."""


class ContentFilterError(InvalidRequestError):
    """The prompt was refused by a moderation filter."""


class ServerError(ProviderError):
    """The provider failed (5xx)."""

    retryable = True
    default_outcome = Outcome.REFUSED


class BadResponseError(ProviderError):
    """The status says success, the body is not what the API promises."""


class TransportError(CallError):
    """No answer, or no whole answer, came."""

    retryable = True
    default_outcome = Outcome.AMBIGUOUS


class APIConnectionError(TransportError):
    """The connection could not be made or broke before an answer."""


class APITimeoutError(TransportError, TimeoutError):
    """A time limit of ours passed."""


class StreamInterruptedError(TransportError):
    """The stream ended before the provider said that the answer was finished."""

    default_outcome = Outcome.STREAMED

    @property
    def partial(self) -> str:
        """The text that had arrived."""
        return self.completion.text if self.completion else ""


class LocalModelError(LlmkitError):
    """The embedded model's server is missing, or did not start."""


class SessionError(LlmkitError, RuntimeError):
    """An object of ours was used in a way that it cannot serve."""


class SessionClosedError(SessionError):
    """The session was closed before this use."""


class WrongLoopError(SessionError):
    """The session belongs to another event loop."""


BY_STATUS: dict[int, type[ProviderError]] = {
    400: InvalidRequestError,
    401: AuthenticationError,
    402: InsufficientFundsError,
    403: PermissionDeniedError,
    404: ModelNotFoundError,
    408: ServerError,  # the server's own patience ended; nothing of the request is wrong
    413: InvalidRequestError,
    422: InvalidRequestError,
    425: ServerError,
    429: RateLimitError,
    529: ServerError,  # Anthropic: overloaded
}


def error_class(status: int) -> type[ProviderError]:
    """The class for an HTTP status, where nothing more precise is known."""
    if status >= 500:
        return ServerError
    if status < 300:
        return BadResponseError
    return BY_STATUS.get(status, InvalidRequestError)


def shorten(text: str, limit: int = MESSAGE_LIMIT) -> str:
    """One printable line of at most *limit* characters, for a provider's words in a message."""
    line = " ".join("".join(c if c.isprintable() else " " for c in text).split())
    return line if len(line) <= limit else line[: limit - 1] + "…"
