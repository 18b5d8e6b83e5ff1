"""Defines every error that llmkit raises, as one tree.

LlmkitError
├── ConfigError (also ValueError)    fix your setup; nothing was sent
│   ├── MissingApiKeyError           .provider .key_vars
│   ├── UnknownProviderError         the message lists the known names
│   ├── UnknownModelError            .suggestions
│   ├── AnswerNotFoundError          (also IndexError)
│   └── SpendLimitError              more calls or a higher estimate than allowed
├── CallError                        a request failed: .provider .model .status .request_id ...
│   ├── ProviderError                the provider answered with an error
│   │   ├── AuthenticationError          401
│   │   ├── PermissionDeniedError        403
│   │   ├── InsufficientFundsError       402
│   │   │   └── QuotaExhaustedError      a quota is used up, any status
│   │   ├── ModelNotFoundError           404
│   │   │   └── RetiredModelError        known to be retired; raised before sending
│   │   ├── WrongAddressError            404, 405: no such path; .called
│   │   ├── RateLimitError               429        retryable
│   │   ├── InvalidRequestError          400, 422 and other 4xx
│   │   │   ├── ContextLengthExceededError   413
│   │   │   ├── ContentFilterError
│   │   │   └── RoutingRestrictedError   a gateway's restriction, often 404
│   │   ├── ServerError                  5xx        retryable
│   │   └── BadResponseError             200, but not what the API promises
│   └── TransportError               no complete answer arrived  retryable
│       ├── APIConnectionError           refused, reset, DNS, TLS
│       ├── APITimeoutError              (also TimeoutError)
│       └── StreamInterruptedError       .completion holds the text so far
├── LocalModelError                  the embedded model's server is missing or did not start
└── SessionError (also RuntimeError) an object of llmkit was misused
    ├── SessionClosedError
    └── WrongLoopError

The status code determines the class. A message's words decide only between the meanings that
providers give to one status. The class alone does not decide whether a request may be sent again,
so each call error also has an `outcome`.
"""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, ClassVar, Literal

from .secret import escape_controls, redact_all

if TYPE_CHECKING:
    from .types import Completion

MESSAGE_LIMIT = 300  # most characters that a message may quote from a provider
LINE_LIMIT = 480  # most characters of a whole message
SHOWN = 80  # most characters of a value that a message quotes


class Outcome(StrEnum):
    """The progress of a failed request; it decides whether a retry could be billed twice."""

    UNSENT = "unsent"  # certainly did not reach the provider
    REFUSED = "refused"  # the provider refused it for now, before any answer
    AMBIGUOUS = "ambiguous"  # sent without an answer: it may have been processed and billed
    STREAMED = "streamed"  # part of an answer arrived
    FINAL = "final"  # the same request would fail the same way


class LlmkitError(Exception):
    """Base of every error that llmkit raises on purpose; any other exception is a bug.

    API keys are redacted from its message, and characters that hide text are shown by their codes.
    """

    retryable: ClassVar[bool] = False

    def __init__(self, message: str = "") -> None:
        super().__init__(escape_controls(redact_all(message)))

    def _render_traceback_(self) -> list[str]:
        # IPython calls this and prints one line instead of forty frames of llmkit. Plain Python
        # does not call it, and still shows the traceback.
        return [f"{type(self).__name__}: {self}", *getattr(self, "__notes__", ())]


def show_as_line(error: BaseException, sentence: str) -> None:
    """Makes *sentence* the message of an interrupt, and all that IPython shows of it.

    Not by a class of its own: only for KeyboardInterrupt itself does Python end a script as the
    signal does (3.11 to 3.13, tried 2026-12-01), and `asyncio.timeout` of 3.11 and 3.12 knows only
    CancelledError itself.
    """
    error.args = (sentence,)
    error._render_traceback_ = lambda: [sentence]  # type: ignore[attr-defined]


class ConfigError(LlmkitError, ValueError):
    """A setting or an argument is wrong; nothing was sent."""


class MissingApiKeyError(ConfigError):
    """A provider that needs a key has none.

    Attributes:
        provider: The provider's name.
        key_vars: The environment variables that were read, in order.
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
        suggestions: At most three similar names; llmkit never uses them by itself.
    """

    def __init__(self, message: str, *, suggestions: tuple[str, ...] = ()) -> None:
        super().__init__(message)
        self.suggestions = suggestions


class AnswerNotFoundError(ConfigError, IndexError):
    """A comparison has no answer at that place."""


class SpendLimitError(ConfigError):
    """A comparison would make more paid calls, or cost more, than allowed."""


class CallError(LlmkitError):
    """One request to a provider failed.

    Attributes:
        provider: The provider's name, "" if not known yet.
        model: The requested model id.
        status: HTTP status, None if no answer arrived.
        code: The provider's own error code or type.
        request_id: The provider's id of the request, for its support team.
        retry_after: Seconds that the provider asks the caller to wait, None if it does not.
        request_rate: Requests per second that the headers of a refusal allow, None if unknown.
        outcome: How far the request got.
        possibly_billed: True if the provider may charge for the failed request.
        attempts: Total number of requests sent, including this one.
        attempt_log: One line per attempt, oldest first: its error and the wait after it.
        completion: The part of the answer that arrived before the failure, None if none did.
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
        self.code = code and redact_all(code)  # a server may echo the key anywhere
        self.request_id = request_id and redact_all(request_id)
        self.retry_after = retry_after
        self.request_rate: float | None = None
        self.outcome = self.default_outcome if outcome is None else outcome
        self.possibly_billed = possibly_billed
        self.attempts = 1
        self.attempt_log: tuple[str, ...] = ()
        self.completion: Completion | None = None


class ProviderError(CallError):
    """The provider answered with an error.

    Attributes:
        unwanted: What llmkit added to the request and this error refuses, such as "stream"; None
            for nothing of the kind.
        next_step: What the user can do, as the end of the message.
    """

    unwanted: Literal["stream", "stream_options", "headers"] | None = None
    next_step = ""

    def __str__(self) -> str:
        message = super().__str__()
        return f"{message}; {redact_all(self.next_step)}" if self.next_step else message


class AuthenticationError(ProviderError):
    """The key was refused (401)."""


class PermissionDeniedError(ProviderError):
    """The key is valid, but does not permit this request (403)."""


class InsufficientFundsError(ProviderError):
    """The account has no money left (402)."""


class QuotaExhaustedError(InsufficientFundsError):
    """A quota is used up, and a retry would not help soon (any status)."""


class ModelNotFoundError(ProviderError):
    """The provider has no such model (404)."""


class RetiredModelError(ModelNotFoundError):
    """The catalogue lists the model as retired; nothing was sent."""


class WrongAddressError(ProviderError):
    """The server has no such path, so its base URL is wrong (404, 405, some 200 and 400).

    Attributes:
        called: Method and URL of the request, "" if not known.
    """

    called: str = ""

    def __str__(self) -> str:
        message = super().__str__()
        return (
            shorten(redact_all(f"{self.called}: {message}"), LINE_LIMIT) if self.called else message
        )


class RateLimitError(ProviderError):
    """Too many requests or tokens in a window (429)."""

    retryable = True
    default_outcome = Outcome.REFUSED


class InvalidRequestError(ProviderError):
    """The provider does not accept the request as it is (400, 422, other 4xx)."""


class ContextLengthExceededError(InvalidRequestError):
    """Prompt and answer do not fit into the model's context window, or into a limit (413)."""


class ContentFilterError(InvalidRequestError):
    """The prompt was refused by a moderation filter."""


class RoutingRestrictedError(InvalidRequestError):
    """A gateway has the model, but the account's settings or the request exclude all its endpoints.

    Examples are a data policy, a guardrail, a list of allowed providers, and a parameter that no
    endpoint supports (404, seldom 400 or 403). It is not retried, and no other model is asked.
    """


class ServerError(ProviderError):
    """The provider failed (5xx)."""

    retryable = True
    default_outcome = Outcome.REFUSED


class BadResponseError(ProviderError):
    """The status is a success, but the body does not follow the API."""


class TransportError(CallError):
    """No complete answer arrived."""

    retryable = True
    default_outcome = Outcome.AMBIGUOUS


class APIConnectionError(TransportError):
    """The connection could not be made, or broke before the answer ended."""


class APITimeoutError(TransportError, TimeoutError):
    """A time limit of llmkit passed; the message says whether the call may have been billed."""

    def __str__(self) -> str:
        message = super().__str__()
        # Not part of the message, because only the caller knows what earlier attempts cost.
        if self.possibly_billed:
            return f"{message}; it may have been billed"
        if self.outcome is Outcome.UNSENT:
            return f"{message}; nothing was sent, so nothing is billed"
        return f"{message}; nothing is billed" if self.provider else message


class StreamInterruptedError(TransportError):
    """The stream ended before the provider marked the answer as finished."""

    default_outcome = Outcome.STREAMED

    @property
    def partial(self) -> str:
        """The text that arrived before the failure."""
        return self.completion.text if self.completion else ""


class LocalModelError(LlmkitError):
    """The embedded model's server is missing, or did not start."""


class SessionError(LlmkitError, RuntimeError):
    """An object of llmkit was used in a way that it does not support."""


class SessionClosedError(SessionError):
    """The session is already closed."""


class WrongLoopError(SessionError):
    """The session belongs to another event loop."""


BY_STATUS: dict[int, type[ProviderError]] = {
    400: InvalidRequestError,
    401: AuthenticationError,
    402: InsufficientFundsError,
    403: PermissionDeniedError,
    404: ModelNotFoundError,
    405: WrongAddressError,
    408: ServerError,  # the server stopped waiting; the request is valid
    410: ModelNotFoundError,  # NVIDIA: the model has reached its end of life
    413: ContextLengthExceededError,
    422: InvalidRequestError,
    425: ServerError,
    429: RateLimitError,
    529: ServerError,  # Anthropic: overloaded
}


def error_class(status: int) -> type[ProviderError]:
    """Returns the class for an HTTP status if nothing more precise is known."""
    if status >= 500:
        return ServerError
    if status < 300:
        return BadResponseError
    return BY_STATUS.get(status, InvalidRequestError)


def shorten(text: str, limit: int = MESSAGE_LIMIT) -> str:
    """Returns *text* as one printable line of at most *limit* characters."""
    line = escape_controls(" ".join(text.split()))
    return line if len(line) <= limit else line[: limit - 1] + "…"


def shown(value: object) -> str:
    """Returns *value* as it is written in Python, for a message: short, and without keys."""
    try:
        text = repr(value)
    except (RecursionError, ValueError):  # nested too deeply, or thousands of digits
        text = f"a value of type {type(value).__name__}"
    return shorten(redact_all(text), SHOWN)
