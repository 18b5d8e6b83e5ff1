"""Which providers there are, how each is set up, and what a name means among them."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from functools import lru_cache

from .catalogue.entry import Catalogue
from .catalogue.load import shipped
from .catalogue.resolution import Resolution
from .catalogue.resolve import resolve
from .errors import ConfigError, UnknownProviderError
from .providers.base import Provider
from .providers.compatible import compatible
from .providers.table import PROVIDERS
from .runtime.credentials import Credentials
from .runtime.key_stores import KeyStore, stores
from .secret import Secret
from .settings import Settings, base_url_for, load_settings, refuse_plain_http


class Directory:
    """Settings, keys and providers of one user of llmkit.

    Attributes:
        settings: As they are now; `configure` replaces them.
        credentials: The keys, read anew each time.
    """

    def __init__(
        self,
        environ: Mapping[str, str],
        changes: Mapping[str, object],
        keys: Mapping[str, str] | None = None,
    ) -> None:
        self._environ = environ
        self._changes = dict(changes)
        self.settings: Settings = load_settings(environ, self._changes)
        _refuse_borrowed_keys(self.settings)
        self.credentials = Credentials(
            environ, keys, stores=self._key_stores, known=self.provider_names
        )
        self._open_ended: tuple[str, ...] = ()  # whose models the catalogue cannot know

    def configure(self, **changes: object) -> Settings:
        """The settings after *changes*; one that is wrong changes nothing."""
        merged = {**self._changes, **changes}
        settings = load_settings(self._environ, merged)
        _refuse_borrowed_keys(settings)
        self.settings, self._changes = settings, merged
        return settings

    def add_provider(self, name: str, base_url: str, key_var: str | None = None) -> None:
        """Makes an OpenAI-compatible server known as *name*.

        Raises:
            ConfigError: The name is taken, or the URL is none.
        """
        if name in PROVIDERS:
            raise ConfigError(
                f"{name} is built in; to point it elsewhere use configure(base_urls=...)"
            )
        known = {key: dict(value) for key, value in self.settings.providers.items()}
        known[name] = {"base_url": base_url, **({"key_var": key_var} if key_var else {})}
        self.configure(providers=known)

    def provider(self, name: str) -> Provider:
        """The provider called *name*, at the base URL that is set for it.

        Raises:
            UnknownProviderError: There is none; the message lists the known ones.
        """
        custom = self.settings.providers.get(name)
        if custom is not None:
            key_vars = (custom["key_var"],) if custom.get("key_var") else ()
            return _compatible(name, custom["base_url"], key_vars)
        if name not in PROVIDERS:
            known = ", ".join(self.provider_names())
            raise UnknownProviderError(f"there is no provider {name!r}; known are {known}")
        kind = PROVIDERS[name]
        url, _ = base_url_for(name, kind.base_url_vars, self.settings, self._environ)
        return kind(url)

    def provider_names(self) -> tuple[str, ...]:
        """All providers, the built-in ones first."""
        return (*PROVIDERS, *self.settings.providers)

    @property
    def catalogue(self) -> Catalogue:
        """What is known of models."""
        return shipped()

    def resolve(
        self, name: str, provider: str | None = None, *, verbatim: bool = False
    ) -> Resolution:
        """What *name* means today, see `llmkit.resolve`."""
        return _resolved(
            name,
            provider,
            on=datetime.now(UTC).date(),
            providers=(*self.settings.providers, *self._open_ended),
            verbatim=verbatim,
        )

    def _key_stores(self) -> tuple[KeyStore, ...]:
        return stores(keyring=self.settings.keyring)

    def key_for(self, provider: Provider) -> Secret | None:
        """The key to send, once it is sure that it will not cross a network in clear text."""
        key = self.credentials.require(provider)
        refuse_plain_http(provider.base_url, has_key=key is not None)
        return key


def _refuse_borrowed_keys(settings: Settings) -> None:
    owners = {variable: name for name, kind in PROVIDERS.items() for variable in kind.key_vars}
    for name, entry in settings.providers.items():
        owner = owners.get(entry.get("key_var", ""))
        if owner is not None:
            raise ConfigError(
                f"{entry['key_var']} holds the key of {owner}, and a key goes to one place only; "
                f"give {name} a variable of its own, or send {owner} there by "
                f"configure(base_urls={{{owner!r}: ...}})"
            )


# The same names are asked again and again, and the answer depends on nothing else.
_resolved = lru_cache(maxsize=1024)(resolve)
_compatible = lru_cache(maxsize=64)(compatible)
