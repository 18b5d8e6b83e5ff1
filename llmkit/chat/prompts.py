"""What may be given as a prompt, brought to one form."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from ..errors import ConfigError
from ..types import Message, Prompt

PROMPT_COLUMN = "prompt"


@dataclass(frozen=True, slots=True)
class PromptInput:
    """One prompt of a comparison, before its parameters.

    Attributes:
        id: The index it had where it came from, else its position.
        extra: The other columns of the DataFrame it came from.
    """

    id: object
    messages: tuple[Message, ...]
    system: str | None = None
    prompt: Prompt | None = None
    extra: Mapping[str, object] = field(default_factory=dict)

    @property
    def text(self) -> str:
        """What a table shows of it."""
        return self.messages[-1].text


def prompt_inputs(prompts: object, messages: object = None) -> tuple[PromptInput, ...]:
    """*prompts* (a string, a Prompt, a list of either, a Series, a DataFrame), each as one input.

    A list of Messages, like *messages*, is one conversation.

    Raises:
        ConfigError: Nothing to ask, or something that is no prompt.
    """
    if messages is not None:
        if prompts is not None:
            raise ConfigError("give either a prompt or messages=[...], not both")
        return (_conversation(messages),)
    if isinstance(prompts, str | Prompt):
        return (_question(0, prompts),)
    if hasattr(prompts, "columns") and hasattr(prompts, "iterrows"):
        return _from_frame(prompts)
    if hasattr(prompts, "index") and hasattr(prompts, "items") and not isinstance(prompts, dict):
        return _some(_question(key, value) for key, value in prompts.items())
    if isinstance(prompts, Sequence):
        are_messages = all(
            isinstance(item, Message)
            or (isinstance(item, Mapping) and {"role", "content"} <= item.keys())
            for item in prompts
        )
        if prompts and are_messages:
            return (_conversation(prompts),)
        return _some(_question(i, item) for i, item in enumerate(prompts))
    raise ConfigError(
        f"{type(prompts).__name__} is no prompt; give a string, a list of strings, "
        "a Series, a DataFrame with a prompt column, or messages=[...]"
    )


def _some(inputs: Iterable[PromptInput]) -> tuple[PromptInput, ...]:
    result = tuple(inputs)
    if not result:
        raise ConfigError("there is no prompt to send: the list is empty")
    return result


def _question(key: object, value: object) -> PromptInput:
    if isinstance(value, Prompt):
        return PromptInput(key, value.messages, value.system, value)
    if not isinstance(value, str):
        raise ConfigError(
            f"prompt {key!r} is {type(value).__name__}, not text; leave it out or fill it in"
        )
    if not value.strip():
        raise ConfigError("the prompt is empty; write what you want to ask")
    return PromptInput(key, (Message("user", value),))


def _from_frame(frame: Any) -> tuple[PromptInput, ...]:
    if PROMPT_COLUMN not in frame.columns:
        names = ", ".join(map(str, frame.columns))
        raise ConfigError(f"the DataFrame has no column named prompt; it has: {names}")
    others = [name for name in frame.columns if name != PROMPT_COLUMN]
    return _some(
        PromptInput(q.id, q.messages, q.system, q.prompt, {str(n): row[n] for n in others})
        for key, row in frame.iterrows()
        for q in (_question(key, row[PROMPT_COLUMN]),)
    )


def _conversation(items: object) -> PromptInput:
    if not isinstance(items, Sequence) or isinstance(items, str) or not items:
        raise ConfigError("messages= wants a list of messages, oldest first")
    turns = [_message(item) for item in items]
    system = "\n\n".join(turn.text for turn in turns if turn.role == "system") or None
    messages = tuple(turn for turn in turns if turn.role != "system")
    if not messages:
        raise ConfigError("the conversation has no message but the system prompt")
    return PromptInput(0, messages, system)


def _message(item: object) -> Message:
    if isinstance(item, Message):
        return item
    if isinstance(item, Mapping) and isinstance(item.get("content"), str):
        role = item.get("role")
        if role in ("system", "user", "assistant"):
            return Message(role, item["content"])
    raise ConfigError(
        'a message is Message("user", "...") or {"role": "user", "content": "..."}; '
        "roles are system, user, assistant"
    )
