"""What every provider can do: turn a prompt into a request, and bytes into an answer."""

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
from ..errors import CallError, ConfigError, ProviderError, shorten
from ..secret import Secret
from ..types import PARAMETERS, Completion, Prompt, Status, TextDelta
from ..wire.messages import HttpRequest, HttpResponse
from .extra_body import refuse_fixed

NOTHING: Mapping[str, Any] = MappingProxyType({})
_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.:@+~-]*")


class StreamParser(Protocol):
    """Reads one streamed answer; one object per stream, fed bytes cut anywhere.

    Attributes:
        begun: True once an event came, so that this is a stream and no document.
        finished: True once a finish reason came; usage may still follow.
        done: True once the provider's own end came, or an error event; further bytes are ignored.
        error: The error event that ended the stream, without provider and model.
    """

    @property
    def begun(self) -> bool: ...

    @property
    def finished(self) -> bool: ...

    @property
    def done(self) -> bool: ...

    @property
    def error(self) -> ProviderError | None: ...

    def feed(self, data: bytes) -> TextDelta | None:
        """What *data* adds to the answer, joined; None where it adds no text."""
        ...

    def close(self) -> TextDelta | None:
        """Says that nothing more comes; what the last event lacked is made up for, and returned."""
        ...

    def end(self, status: Status | None = None, about: Mapping[str, Any] = NOTHING) -> Completion:
        """The answer as far as it came; `truncated` where no finish event did. Closes the stream.

        Args:
            status: Why it ended, where the caller knows better than the stream.
            about: Further fields of it; its warnings are added to those of the stream, and its
                request id counts where the stream names none.
        """
        ...


@dataclass(frozen=True, slots=True)
class FittedPrompt:
    """A prompt as a model can take it.

    Attributes:
        prompt: Without the parameters that would be refused.
        ignored: Names of the parameters that were left out.
    """

    prompt: Prompt
    ignored: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ModelPage:
    """One page of a provider's list of models, and where the next one is (None for the last)."""

    models: tuple[Model, ...]
    next_page: str | None = None


class Provider(ABC):
    """One provider's wire format: no socket, no clock, no environment, no state of a stream.

    Attributes:
        name: As in `provider=` and before a colon.
        label: As a person writes it.
        key_vars: Environment variables that may hold the key, the first one that is set wins.
        base_url_vars: The provider's usual environment variables for its base URL.
        needs_key: False where a server without a key is usual.
        parameter_fields: What the request calls our parameters, if not as we do; None for those
            that every model refuses.
        fixed_fields: Fields of the request that llmkit fills in itself.
        facts: What else holds of it: its kind, its other names, its price table, its colour.
        proves_key: False where a good answer to `key_request` says nothing about the key.
        open_list: True where its list of models is shown without a key.
    """

    name: ClassVar[str]
    label: ClassVar[str]
    default_base_url: ClassVar[str]
    key_vars: ClassVar[tuple[str, ...]] = ()
    base_url_vars: ClassVar[tuple[str, ...]] = ()
    needs_key: ClassVar[bool] = True
    parameter_fields: ClassVar[Mapping[str, str | None]] = NOTHING
    fixed_fields: ClassVar[tuple[str, ...]] = ("model", "messages", "stream")
    facts: ClassVar[ProviderFacts] = ProviderFacts("reseller")
    proves_key: ClassVar[bool] = True
    open_list: ClassVar[bool] = False

    def __init__(self, base_url: str | None = None) -> None:
        self.base_url = (base_url or self.default_base_url).rstrip("/")

    def fit(self, prompt: Prompt, model: str) -> FittedPrompt:
        """Returns *prompt* without what *model* would refuse, and the names of what was left out.

        Raises:
            ConfigError: An option of the prompt would replace what llmkit fills in itself.
        """
        if prompt.options:
            refuse_fixed(prompt, self.fixed_fields)
        refused = self.refused_parameters(prompt, model)
        if None in self.parameter_fields.values():
            never = (name for name, field in self.parameter_fields.items() if field is None)
            refused = (*never, *refused)
        return without_parameters(prompt, *refused) if refused else FittedPrompt(prompt)

    def refused_parameters(self, prompt: Prompt, model: str) -> Sequence[str]:
        """Returns the parameters that *model* cannot take, though others of the provider can."""
        return ()

    def body_fields(self, prompt: Prompt) -> dict[str, object]:
        """Returns the parameters of a fitted *prompt*, by the request's names for them."""
        fields: dict[str, object] = {}
        for name, value in prompt.parameters.items():
            field = self.parameter_fields.get(name, name)
            if field is not None:
                fields[field] = value
        return fields

    @abstractmethod
    def chat_request(
        self, prompt: Prompt, *, model: str, key: Secret | None, stream: bool = False
    ) -> HttpRequest:
        """The request that puts a fitted *prompt* to *model*."""

    @abstractmethod
    def parse_chat(self, response: HttpResponse) -> Completion:
        """The answer in a successful *response*.

        Raises:
            ProviderError: The body holds an error, or is not what the API promises.
        """

    @abstractmethod
    def stream_parser(self) -> StreamParser:
        """A reader for one streamed answer."""

    @abstractmethod
    def models_request(
        self, key: Secret | None, *, page: str | None = None, limit: int = 1000
    ) -> HttpRequest:
        """The request for the provider's list of models."""

    @abstractmethod
    def parse_models(self, response: HttpResponse) -> ModelPage:
        """The models in a successful *response*.

        Raises:
            BadResponseError: The body is not such a list.
        """

    @abstractmethod
    def error_from(self, response: HttpResponse) -> ProviderError:
        """The error that *response* means; returned, not raised."""

    def key_request(self, key: Secret | None) -> HttpRequest:
        """The cheapest request that only a good key can make; it is never billed."""
        return self.models_request(key, limit=1)

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.base_url}>"


def without_parameters(prompt: Prompt, *names: str) -> FittedPrompt:
    """Returns *prompt* with those of *names* that were set put back to the provider's default."""
    values = prompt.parameters
    if values.keys().isdisjoint(names):
        return FittedPrompt(prompt)
    defaults: dict[str, Any] = {
        name: () if PARAMETERS[name].dtype == "object" else None for name in names if name in values
    }
    return FittedPrompt(replace(prompt, **defaults), tuple(defaults))


def path_segment(model: str) -> str:
    """A model id as one segment of a URL's path.

    Raises:
        ConfigError: It is no id of a model, and might lead to another address.
    """
    if not _ID.fullmatch(model) or ".." in model:
        raise ConfigError(
            f"the model {shorten(model, 80)!r} cannot stand in a URL; an id has letters, "
            "digits and - _ . : @ + ~ only"
        )
    return quote(model, safe="")


def with_origin(error: CallError, *, provider: str, model: str) -> CallError:
    """*error* with the provider and model that it came from."""
    error.provider = error.provider or provider
    error.model = error.model or model
    return error


def request_id_from(headers: Mapping[str, str], *names: str) -> str | None:
    """The first of *names* (lower case) that the response carries."""
    for name in names:
        if headers.get(name):
            return headers[name]
    return None
