"""Any server that speaks OpenAI's chat completions, under a name that its user chose."""

from __future__ import annotations

from .chat_completions import OpenAIChat


class Compatible(OpenAIChat):
    """A server that a person has added; nothing is known of it but that it speaks the dialect."""

    needs_key = False
    proves_key = False  # many such servers show their models to everybody


def compatible(name: str, base_url: str, key_vars: tuple[str, ...] = ()) -> Compatible:
    """A provider called *name* at *base_url*.

    Args:
        name: As in `provider=` and before a colon.
        base_url: Up to the part before `/chat/completions`, as OpenAI's SDK takes it.
        key_vars: Environment variables that may hold its key; with none it needs no key.
    """
    kind = type(
        "Compatible",
        (Compatible,),
        {
            "__doc__": Compatible.__doc__,
            "name": name,
            "label": name,
            "default_base_url": base_url,
            "key_vars": tuple(key_vars),
            "needs_key": bool(key_vars),
        },
    )
    server: Compatible = kind(base_url)
    return server
