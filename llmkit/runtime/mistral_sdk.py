"""The official Mistral SDK behind a client that frees everything it opened.

The SDK makes a synchronous and an asynchronous HTTP client at once, has no close(), and frees
only one of the two when used as a context manager (read and measured, mistralai 3.7.0). So both
are made here, passed in, and closed here.
"""

from __future__ import annotations

import ssl
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from functools import cache
from typing import TYPE_CHECKING, Any

from ..errors import (
    APIConnectionError,
    APITimeoutError,
    CallError,
    Outcome,
    ProviderError,
    SessionClosedError,
    brief,
)
from ..providers.mistral import Mistral as MistralProvider
from ..secret import MASK, Secret, bearer, redact
from ..wire.exchange import HttpResponse
from ..wire.retry_hints import retry_after
from .carrier import Limits

if TYPE_CHECKING:
    import httpx2


class MistralClient:
    """One signed-in client; whoever opened it closes it.

    Lives on the loop that used it first. Use after `aclose()` is a SessionClosedError.
    """

    _provider_name = "mistral"

    def __init__(self, key: Secret, *, base_url: str | None = None, limits: Limits) -> None:
        import httpx2
        from mistralai.client import Mistral

        self._provider = MistralProvider(base_url)
        timeout = httpx2.Timeout(limits.first_byte_s, connect=limits.connect_s)
        shared: dict[str, Any] = {
            "verify": _tls(),
            "timeout": timeout,
            "follow_redirects": False,  # the key stays with the host it was meant for
            "trust_env": False,
            # Not by the SDK: it would keep the key in objects whose repr shows it.
            "auth": _signing(key),
        }
        self._sync: httpx2.Client = httpx2.Client(**shared)
        self._async: httpx2.AsyncClient = httpx2.AsyncClient(**shared)
        self._sdk: Any = Mistral(
            api_key=MASK,  # without one the SDK would look for others in the environment
            server_url=self._provider.base_url,
            client=self._sync,
            async_client=self._async,
            retry_config=None,  # retries exist in one layer, and it is not this one
        )

    @property
    def closed(self) -> bool:
        """True once nothing of it is open any more."""
        return self._sdk is None

    async def ping(self) -> None:
        """Passes when the key is accepted; costs nothing.

        Raises:
            CallError: It was refused, or nobody answered.
            SessionClosedError: The client was closed before.
        """
        if self._sdk is None:
            raise SessionClosedError("this Mistral client is closed; check('mistral') opens one")
        import httpx2
        from mistralai.client import errors

        try:
            await self._sdk.models.list_async()
        except errors.ResponseValidationError:
            pass  # the SDK is strict about its models list; a list that came proves the key
        except errors.MistralError as error:
            raise self._refused(error.status_code, error.headers, error.body) from error
        except httpx2.TimeoutException as error:
            raise _late(error) from error
        except httpx2.HTTPError as error:
            raise _broken(error) from error

    async def aclose(self) -> None:
        """Frees both HTTP clients; twice is harmless."""
        self._sdk = None
        self._sync.close()
        await self._async.aclose()

    def _refused(self, status: int, headers: Mapping[str, str], body: str) -> ProviderError:
        names = {name.lower(): value for name, value in headers.items()}
        response = HttpResponse(status, names, body.encode())
        error = self._provider.error_from(response)
        error.retry_after = retry_after(names, response.body, now=datetime.now(UTC))
        return error

    def __repr__(self) -> str:
        return f"<MistralClient {'closed' if self.closed else 'open'}>"


def _signing(key: Secret) -> Callable[[httpx2.Request], httpx2.Request]:
    def signed(request: httpx2.Request) -> httpx2.Request:
        request.headers["Authorization"] = bearer(key)
        return request

    return signed


@cache
def _tls() -> ssl.SSLContext:
    # Making one costs 26 ms (measured); a client would make two.
    return ssl.create_default_context()


def _late(error: Exception) -> CallError:
    unsent = type(error).__name__ == "ConnectTimeout"
    return APITimeoutError(
        "Mistral did not answer in time; check your network",
        provider="mistral",
        outcome=Outcome.UNSENT if unsent else Outcome.AMBIGUOUS,
    )


def _broken(error: Exception) -> CallError:
    if isinstance(_root(error), ssl.SSLError):
        return APIConnectionError(
            f"no trusted connection to Mistral ({brief(redact(str(error)), 160)}); the request "
            "was not sent",
            provider="mistral",
            code="tls",
            outcome=Outcome.FINAL,
        )
    unsent = type(error).__name__ == "ConnectError"
    return APIConnectionError(
        f"no answer from Mistral ({brief(redact(str(error)), 160)}); check the base URL and "
        "your network",
        provider="mistral",
        outcome=Outcome.UNSENT if unsent else Outcome.AMBIGUOUS,
    )


def _root(error: BaseException) -> BaseException:
    """The error that *error* began with; a TLS failure stands three causes deep in httpx2's."""
    while (cause := error.__cause__ or error.__context__) is not None:
        error = cause
    return error
