"""The chat-completions dialect, which OpenAI invented and many servers speak.

Source: https://platform.openai.com/docs/api-reference/chat and the types of openai 3.54.0
(read 2026-11-22).
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, ClassVar

from ..catalogue.entry import Model
from ..errors import ProviderError
from ..secret import Secret, bearer
from ..types import Completion, Lifecycle, Prompt
from ..wire.json_values import as_date, as_dict, as_dicts, as_str
from ..wire.messages import HttpRequest, HttpResponse, post_json
from ..wire.sse import SSEDecoder
from .base import ModelPage, Provider, request_id_from
from .chat_completions_answer import BROKEN, ChatAnswerBuilder, ChatStream
from .chat_completions_errors import broken_off, error_inside, error_of
from .error_bodies import unreadable
from .extra_body import extended


class OpenAIChat(Provider):
    """What the providers of this dialect have in common; each says where it differs.

    Attributes:
        chat_path: Below the base URL, as is `models_path`.
        asks_for_usage: True where a stream has token counts only when the request wants them.
        always: Fields that every request carries.
        request_id_headers: Where a response names the request, in lower case.
    """

    chat_path: ClassVar[str] = "/chat/completions"
    models_path: ClassVar[str] = "/models"
    asks_for_usage: ClassVar[bool] = True
    always: ClassVar[Mapping[str, object]] = MappingProxyType({})
    request_id_headers: ClassVar[tuple[str, ...]] = ("x-request-id",)

    def chat_request(
        self, prompt: Prompt, *, model: str, key: Secret | None, stream: bool = False
    ) -> HttpRequest:
        """Returns the request that puts a fitted *prompt* to *model*."""
        messages = [{"role": turn.role, "content": turn.text} for turn in prompt.messages]
        if prompt.system:
            messages.insert(0, {"role": "system", "content": prompt.system})
        body: dict[str, object] = {"model": model, "messages": messages}
        body |= self.body_fields(prompt)
        body |= self.always
        if stream:
            body["stream"] = True
        if stream and self.asks_for_usage:
            body["stream_options"] = {"include_usage": True}
        if prompt.options:
            body = extended(body, dict(prompt.options))
        return post_json(self.base_url + self.chat_path, body, self._headers(key), stream=stream)

    def parse_chat(self, response: HttpResponse) -> Completion:
        """The answer in a successful *response*.

        Raises:
            ProviderError: The body holds an error, or is not what the API promises.
        """
        body = self._checked(response)
        choices = as_dicts(as_dict(body).get("choices"))
        if not any(isinstance(choice.get("message"), dict) for choice in choices):
            raise unreadable(self, response.body)
        builder = self.builder()
        builder.take(as_dict(body))
        if builder.native_finish_reason == BROKEN:
            raise broken_off(self)
        builder.request_id = self._request_id(response) or builder.request_id
        return builder.whole()

    def stream_parser(self) -> ChatStream:
        """A reader for one streamed answer."""
        return ChatStream(self, SSEDecoder(), self.builder())

    def builder(self) -> ChatAnswerBuilder:
        """An empty answer, for what this provider says about one."""
        return ChatAnswerBuilder()

    def models_request(
        self, key: Secret | None, *, page: str | None = None, limit: int = 1000
    ) -> HttpRequest:
        """The request for the provider's list of models, which has no pages in this dialect."""
        return HttpRequest("GET", self.base_url + self.models_path, self._headers(key))

    def parse_models(self, response: HttpResponse) -> ModelPage:
        """The models in a successful *response*.

        Raises:
            ProviderError: The body is not such a list.
        """
        body = self._checked(response)
        # Together AI sends the bare array.
        rows = body if isinstance(body, list) else as_dict(body).get("data")
        if not isinstance(rows, list):
            raise unreadable(self, response.body)
        models = tuple(self._model(row) for row in as_dicts(rows) if as_str(row.get("id")))
        return ModelPage(models, self._next_page(as_dict(body)))

    def error_from(self, response: HttpResponse) -> ProviderError:
        """The error that *response* means; returned, not raised."""
        return error_of(self, response, request_id=self._request_id(response))

    def _checked(self, response: HttpResponse) -> Any:
        body = response.json()
        error = error_inside(self, body, request_id=self._request_id(response))
        if error is not None:
            raise error
        return body

    def _headers(self, key: Secret | None) -> dict[str, str]:
        return {"Authorization": bearer(key)} if key else {}

    def _model(self, row: Mapping[str, Any]) -> Model:
        return Model(self.name, row["id"])

    def _next_page(self, body: Mapping[str, Any]) -> str | None:
        return None

    def _request_id(self, response: HttpResponse) -> str | None:
        return request_id_from(response.headers, *self.request_id_headers)


def lifecycle_by(row: Mapping[str, Any], end: str) -> Lifecycle:
    """Deprecated by a date in the field *end*, active by null; unknown where it is not there."""
    if row.get(end, "") is None:
        return Lifecycle.ACTIVE
    return Lifecycle.DEPRECATED if as_date(row.get(end)) else Lifecycle.UNKNOWN
