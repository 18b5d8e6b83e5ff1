"""Every built-in provider, by name."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from .base import Provider

_KINDS: tuple[type[Provider], ...] = ()

PROVIDERS: Mapping[str, type[Provider]] = MappingProxyType({kind.name: kind for kind in _KINDS})
