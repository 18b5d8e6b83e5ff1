"""Defines `Provider`, which turns prompts into HTTP requests and bytes into answers."""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Any, ClassVar, Protocol
from urllib.parse import quote

from ..catalogue.entry import Model
from ..catalogue.provider_table import ProviderFacts
from ..errors import (
    AuthenticationError,
    CallError,
    ConfigError,
    PermissionDeniedError,
    ProviderError,
    shorten,
)
from ..secret import Secret
from ..types import PARAMETERS, Completion, Prompt, Status, TextDelta
from ..wire.messages import HttpRequest, HttpResponse
from .addresses import CHAT, REQUEST_PATHS, read_address, with_query
from .extra_body import refuse_fixed

NOTHING: Mapping[str, Any] = MappingProxyType({})
_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.:@+~-]*")


class StreamParser(Protocol):
    """Reads one streamed answer. Its bytes may be cut anywhere; one object per stream.

    Attributes:
        begun: True after the first event: the body is a stream, not one JSON document.
        finished: True after a finish reason; usage may still follow, and more text.
        ends_with_body: True if only the end of the body ends the stream.
        done: True after the dialect's end mark or an error event; further bytes are ignored.
        error: The error event that ended the stream, without provider and model.
    """

    @property
    def begun(self) -> bool: ...

    @property
    def finished(self) -> bool: ...

    @property
    def ends_with_body(self) -> bool: ...

    @property
    def done(self) -> bool: ...

    @property
    def error(self) -> ProviderError | None: ...

    def feed(self, data: bytes) -> TextDelta | None:
        """Returns what *data* adds to the answer, joined; None if it adds nothing."""

    def close(self) -> TextDelta | None:
        """Ends the input, reads an unterminated last event, and returns what it adds."""

    def end(self, status: Status | None = None, about: Mapping[str, Any] = NOTHING) -> Completion:
        """Closes the stream and returns the answer so far; `truncated` without a finish reason.

        Args:
            status: Overrides the status of the stream.
            about: Further fields of the answer. Its warnings are added to those of the stream;
                its request id is used if the stream has none.
        """


@dataclass(frozen=True, slots=True)
class FittedPrompt:
    """A prompt that a model accepts.

    Attributes:
        prompt: Without the parameters that the model refuses.
        ignored: Names of the parameters that were left out.
    """

    prompt: Prompt
    ignored: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ModelPage:
    """One page of a provider's model list, and the cursor of the next one (None for the last)."""

    models: tuple[Model, ...]
    next_page: str | None = None


class Provider(ABC):
    """One provider's wire format, without sockets, clock, environment or stream state.

    Attributes:
        base_url: Where its servers are, in the form that is used; without the query.
        query: The query of the base URL, which each request gets, such as "?api-version=1"; or "".
        note: Says how the base URL was read if it was not used as it is written, else None.
        name: As in `provider=` and before the colon of a model name.
        label: The name in texts for users.
        key_vars: Environment variables for the key; the first one that is set wins.
        headers: The user's own headers, which the transport adds to every request.
        base_url_vars: The provider's usual environment variables for its base URL.
        chat_path: The path of a chat below the base URL.
        superfluous: Matches what a base URL may end in and llmkit adds itself.
        is_added: True for a server that the user added.
        needs_key: False if its servers usually need no key.
        key_needs_https: True if the key is that of a hosted service, and the user's own servers
            need none: a variable's key is not sent to them over plain http.
        parameter_fields: The request's names for our parameters, if different; None for a
            parameter that every model refuses.
        own_words: Fields of its requests that have another word in llmkit.
        misplaced_fields: Words that its requests have at another place or not at all, and what to
            pass instead.
        fixed_fields: Request fields that only llmkit sets.
        asks_for_usage: True if a stream has token counts only when the request asks for them.
        plain_headers: What a server that refuses llmkit's headers gets; None for no header.
        facts: Further facts, such as kind, aliases, price table and colour.
        proves_key: False if a successful response to `key_request` does not prove the key.
        open_list: True if the model list needs no key.
        settings_url: The page of the account's privacy settings, "" for none.
    """

    name: ClassVar[str]
    label: ClassVar[str]
    default_base_url: ClassVar[str]
    key_vars: ClassVar[tuple[str, ...]] = ()
    base_url_vars: ClassVar[tuple[str, ...]] = ()
    chat_path: ClassVar[str] = ""
    superfluous: ClassVar[re.Pattern[str]] = REQUEST_PATHS
    is_added: ClassVar[bool] = False
    needs_key: ClassVar[bool] = True
    key_needs_https: ClassVar[bool] = False
    parameter_fields: ClassVar[Mapping[str, str | None]] = NOTHING
    own_words: ClassVar[tuple[str, ...]] = ()
    misplaced_fields: ClassVar[Mapping[str, str]] = NOTHING
    fixed_fields: ClassVar[tuple[str, ...]] = ("model", "messages", "stream")
    asks_for_usage: ClassVar[bool] = False
    plain_headers: ClassVar[Mapping[str, str | None]] = NOTHING
    facts: ClassVar[ProviderFacts] = ProviderFacts("reseller")
    proves_key: ClassVar[bool] = True
    open_list: ClassVar[bool] = False
    settings_url: ClassVar[str] = ""
    headers: Mapping[str, Secret] = NOTHING

    def __init__(self, base_url: str | None = None) -> None:
        self._address = read_address(
            base_url or self.default_base_url, self.name, self.superfluous,
            is_chat=self.chat_path == CHAT,
        )  # fmt: skip
        self.base_url = self._address.base_url
        self.query = self._address.query
        self.note = self._address.note

    @property
    def is_official(self) -> bool:
        """True at the base URL of the provider itself, whose path cannot be wrong."""
        return not self.is_added and self.base_url == self.default_base_url

    def url(self, path: str) -> str:
        """Returns the URL of *path* below the base URL, with the base URL's own query."""
        return with_query(self.base_url + path, self.query)

    def fit(self, prompt: Prompt, model: str) -> FittedPrompt:
        """Returns *prompt* without the parameters that *model* refuses, and their names.

        Raises:
            ConfigError: An option of the prompt would replace a field that llmkit sets.
        """
        if prompt.options:
            refuse_fixed(prompt, self.fixed_fields)
        refused = self.refused_parameters(prompt, model)
        if None in self.parameter_fields.values():
            never = (name for name, field in self.parameter_fields.items() if field is None)
            refused = (*never, *refused)
        return without_parameters(prompt, *refused) if refused else FittedPrompt(prompt)

    def refused_parameters(self, prompt: Prompt, model: str) -> Sequence[str]:
        """Returns the parameters that *model* refuses and other models of the provider accept."""
        return ()

    def body_fields(self, prompt: Prompt) -> dict[str, object]:
        """Returns the parameters of a fitted *prompt* under the request's names."""
        fields: dict[str, object] = {}
        for name, value in prompt.parameters.items():
            field = self.parameter_fields.get(name, name)
            if field is not None:
                fields[field] = value
        return fields

    def filled_in(self, prompt: Prompt, model: str) -> Mapping[str, object]:
        """Returns what `chat_request` adds to or changes in a fitted *prompt* and its options."""
        return NOTHING

    @abstractmethod
    def chat_request(
        self, prompt: Prompt, *, model: str, key: Secret | None, stream: bool = False
    ) -> HttpRequest:
        """Returns the request that sends a fitted *prompt* to *model*."""

    @abstractmethod
    def parse_chat(self, response: HttpResponse) -> Completion:
        """Returns the answer in a successful *response*.

        Raises:
            ProviderError: The body contains an error or does not follow the API.
        """

    @abstractmethod
    def stream_parser(self) -> StreamParser:
        """Returns a parser for one streamed answer."""

    @abstractmethod
    def stream_error(self, event: dict[str, Any]) -> ProviderError:
        """Returns the error for an *event* of a stream, whose status was 200."""

    @abstractmethod
    def models_request(
        self, key: Secret | None, *, page: str | None = None, limit: int = 1000
    ) -> HttpRequest:
        """Returns the request for the provider's model list."""

    @abstractmethod
    def parse_models(self, response: HttpResponse) -> ModelPage:
        """Returns the models in a successful *response*.

        Raises:
            ProviderError: The body contains an error or is not a model list.
        """

    @abstractmethod
    def error_from(self, response: HttpResponse) -> ProviderError:
        """Returns the error for *response*, without raising it."""

    def key_request(self, key: Secret | None) -> HttpRequest:
        """Returns the cheapest request that needs a valid key; it is never billed."""
        return self.models_request(key, limit=1)

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.base_url}>"


def without_parameters(prompt: Prompt, *names: str) -> FittedPrompt:
    """Returns *prompt* with *names* reset to the provider's default, and those that were set."""
    values = prompt.parameters
    if values.keys().isdisjoint(names):
        return FittedPrompt(prompt)
    defaults: dict[str, Any] = {
        name: () if PARAMETERS[name].dtype == "object" else None for name in names if name in values
    }
    return FittedPrompt(replace(prompt, **defaults), tuple(defaults))


def path_segment(model: str) -> str:
    """Returns a model id as one segment of a URL path.

    Raises:
        ConfigError: *model* could lead to another address.
    """
    if not _ID.fullmatch(model) or ".." in model:
        raise ConfigError(
            f"model {shorten(model, 80)!r} is not valid in a URL; use an id of letters, digits "
            "and - _ . : @ + ~"
        )
    return quote(model, safe="")


def with_origin(
    error: CallError, *, provider: str, model: str, key: Secret | None = None
) -> CallError:
    """Sets provider and model of *error* if they are missing, and returns it.

    If *error* refuses *key*, its next step names the place of this key, and of another one.
    """
    error.provider = error.provider or provider
    error.model = error.model or model
    if key is not None and key.place:
        if isinstance(error, AuthenticationError):
            error.next_step = f"check {key.place}"
        if isinstance(error, AuthenticationError | PermissionDeniedError) and key.rival:
            error.next_step = f"check {key.place}; {key.rival}"
    return error


def request_id_from(headers: Mapping[str, str], *names: str) -> str | None:
    """Returns the first of *names* (lower case) in *headers*, None if all are missing."""
    for name in names:
        if headers.get(name):
            return headers[name]
    return None
