"""The resolution of names on a fixed date: every rule, with a counter-example."""

from __future__ import annotations

from datetime import date
from functools import partial

import pytest
from hypothesis import given, strategies as st

from llmkit.catalogue import resolve as module
from llmkit.catalogue.entry import normal
from llmkit.catalogue.resolution import why
from llmkit.errors import ConfigError, UnknownModelError, UnknownProviderError
from llmkit.providers.builtin import shipped
from llmkit.types import How, Lifecycle

DAY = date(2026, 11, 24)
resolve = partial(module.resolve, catalogue=shipped())
IDS = [(p, i) for p, models in shipped().models.items() for i in models]
E, A, M, Q, V = How.EXACT, How.ALIAS, How.MAPPED, How.EQUIVALENT, How.VERBATIM

LEADS = [
    # asked, provider=, -> provider, id, how, verified. First the rule, then its counter-example.
    # a bare name is its maker's; with provider= it is that provider's
    ("gpt-3.5-turbo", None, "openai", "gpt-3.5-turbo", E, True),
    ("gpt-3.5-turbo", "mistral", "mistral", "mistral-small", M, True),
    # a standard name at its own maker is that maker's model, not a translation
    ("claude-3.5-sonnet", None, "anthropic", "claude-3-5-sonnet-20241022", A, True),
    ("claude-3.5-sonnet", "openai", "openai", "gpt-4o", M, True),
    # before a colon, a provider is strict; other colons are part of the id
    ("openai:gpt-6-luna", None, "openai", "gpt-6-luna", E, True),
    ("llama3.1:8b", None, "ollama", "llama3.1:8b", E, True),
    # other spellings of a provider, before a colon and as a prefix
    ("gemini:gemini-3.8-flash", None, "google", "gemini-3.8-flash", E, True),
    ("GOOGLE-GLA:gemini-3.8-flash", None, "google", "gemini-3.8-flash", E, True),
    ("mistralai:mistral-tiny", None, "mistral", "mistral-tiny", E, True),
    ("gemini/gemini-3.8-flash", None, "google", "gemini-3.8-flash", E, True),
    ("models/gemini-3.8-flash", None, "google", "gemini-3.8-flash", E, True),
    ("mistral/mistral-tiny", None, "mistral", "mistral-tiny", E, True),
    ("ollama/llama2", None, "ollama", "llama2", E, True),
    ("library/llama3.2", None, "ollama", "llama3.2", E, True),
    ("openrouter/openai/gpt-4o", None, "openrouter", "openai/gpt-4o", E, True),
    # a slash is OpenRouter's, unless it begins a path of weights or a host that Ollama pulls from
    ("openai/gpt-4o", None, "openrouter", "openai/gpt-4o", E, True),
    ("hf.co/Org/Weights-GGUF:Q4_K_M", None, "ollama", "hf.co/Org/Weights-GGUF:Q4_K_M", V, False),
    ("local:/models/My Model.gguf", None, "local", "/models/My Model.gguf", V, False),
    # OpenRouter's id with provider= is translated like any other
    ("openai/gpt-4o", "openai", "openai", "gpt-4o", Q, True),
    ("anthropic/claude-opus-5", "anthropic", "anthropic", "claude-opus-5", Q, True),
    ("claude-opus-5", "openrouter", "openrouter", "anthropic/claude-opus-5", Q, True),
    # OpenRouter's routing variants are valid with any id; other variants are sent as they are
    ("openai/gpt-4o:free", None, "openrouter", "openai/gpt-4o:free", V, False),
    ("openai/gpt-4o:thinking", None, "openrouter", "openai/gpt-4o:thinking", V, False),
    ("openai/gpt-4o:nitro", None, "openrouter", "openai/gpt-4o:nitro", E, True),
    ("z-ai/glm-5.2:free", None, "openrouter", "z-ai/glm-5.2:free", E, True),
    # Ollama's tag after a name that is also a provider; a model of that provider after the same
    ("mistral:7b", None, "ollama", "mistral:7b", E, True),
    ("mistral:mistral-tiny", None, "mistral", "mistral-tiny", E, True),
    ("mistral:latest", None, "ollama", "mistral:latest", E, True),
    # an unknown tag is accepted, in its case; an unknown name only with its provider
    ("llama3.1:mine", None, "ollama", "llama3.1:mine", E, False),
    ("Llama3.1:8B-instruct-Q4_K_M", None, "ollama", "llama3.1:8B-instruct-Q4_K_M", E, False),
    ("ollama:my-own-model", None, "ollama", "my-own-model", V, False),
    # spelling: case, spaces, underscores and dots do not count
    ("  GPT 4o ", None, "openai", "gpt-4o", E, True),
    ("claude_haiku_4.5", None, "anthropic", "claude-haiku-4-5", E, True),
    ("mistral-medium-3.5", None, "mistral", "mistral-medium-3-5", E, True),
    # a snapshot keeps its date; an unknown one is accepted only with its provider
    ("gpt-4o-2024-11-20", None, "openai", "gpt-4o-2024-11-20", E, True),
    ("openai:gpt-6-luna-2031-01-01", None, "openai", "gpt-6-luna-2031-01-01", V, False),
    ("openai:gpt-9-nova", None, "openai", "gpt-9-nova", V, False),
    # the colons of a fine-tune are part of its id
    ("ft:gpt-4o-2024-08-06:org::id", None, "openai", "ft:gpt-4o-2024-08-06:org::id", V, False),
    ("ft:gpt-4o-2024-08-06:org::id", "openai", "openai", "ft:gpt-4o-2024-08-06:org::id", V, False),
    # shorthands
    ("sonnet", None, "anthropic", "claude-sonnet-5-5", A, True),
    ("sonnet", "openai", "openai", "gpt-6.1-terra", Q, True),
    # a snapshot has the peers of its line
    ("gpt-4o-2024-11-20", "mistral", "mistral", "mistral-large-2407", Q, True),
    ("local:smollm2", None, "local", "smollm2", E, True),
]  # fmt: skip


@pytest.mark.parametrize(("asked", "at", "provider", "model", "how", "verified"), LEADS)
def test_each_rule_leads_where_it_says(asked, at, provider, model, how, verified):
    """Bare names, prefixes, slashes, tags, variants, snapshots, fine-tunes and shorthands."""
    found = resolve(asked, at, on=DAY)

    assert (found.provider, found.id, found.how, found.verified) == (provider, model, how, verified)


GAPS = ("openai:", "OLLAMA/", "models/ ", "openai/", "openrouter:a/", "ollama/:", "hf.co/", "/")
NOWHERE = [
    ("", None, ConfigError, "name is empty", ()),
    ("   ", None, ConfigError, "name is empty", ()),
    *((gap, None, ConfigError, "names no model", ()) for gap in GAPS),
    # a misspelling is answered with suggestions, never corrected
    ("gpt4o", None, UnknownModelError, "did you mean gpt-4o", ("gpt-4o",)),
    ("openai:gpt-6-lnua", None, UnknownModelError, "did you mean gpt-6-luna", ("gpt-6-luna",)),
    ("qzxv", None, UnknownModelError, "see models", ()),
    # an id of another provider
    ("anthropic:gpt-4o", None, UnknownModelError, "model of openai; at anthropic use claude",
     ("anthropic:claude-sonnet-5-5",)),
    ("openrouter:gpt-4o", None, UnknownModelError, "at openrouter use openai/gpt-4o",
     ("openrouter:openai/gpt-4o",)),
    ("mistral:gemini-pro", None, UnknownModelError, "is a model of google",
     ("mistral:mistral-small",)),
    ("local:gpt-4o", None, UnknownModelError, "gpt-4o is a model of openai", ()),
    # a colon and provider= that differ
    ("openai:gpt-4o", "mistral", ConfigError, "names openai, but provider='mistral'", ()),
    ("ft:gpt-4o:org::id", "mistral", ConfigError, "names openai, but provider='mistral'", ()),
    # a variant that OpenRouter does not have is never the paid model
    ("openai/gpt-4o:cerebras", None, UnknownModelError, "without a variant",
     ("openrouter:openai/gpt-4o",)),
    ("gpt-4o-2031-01-01", None, UnknownModelError, "no such snapshot of gpt-4o", ("gpt-4o",)),
    # nothing comparable: an embedding at Anthropic; a class default without a curated peer
    ("text-embedding-3-small", "anthropic", UnknownModelError, "no counterpart", ()),
    ("gpt-5.4-pro", "anthropic", UnknownModelError, "class flagship is claude-opus-5-5",
     ("anthropic:claude-opus-5-5",)),
    ("scripted:ghost", None, UnknownModelError, "scripted has .*echo", ()),
    ("local:ghost", None, UnknownModelError, "any .gguf file", ()),
    ("gpt-4o", "opnai", UnknownProviderError, "did you mean openai", None),
    ("gpt-4o", "nowhere at all", UnknownProviderError, "known providers: openai", None),
]  # fmt: skip


@pytest.mark.parametrize(("asked", "provider", "kind", "words", "suggestions"), NOWHERE)
def test_what_leads_nowhere_says_what_to_do(asked, provider, kind, words, suggestions):
    """An error names the next step, and has the suggestions."""
    with pytest.raises(kind, match=words) as raised:
        resolve(asked, provider, on=DAY)

    assert isinstance(raised.value, ValueError)
    if kind is UnknownModelError and suggestions:
        assert raised.value.suggestions[: len(suggestions)] == suggestions


def test_an_id_that_was_named_is_not_replaced():
    """A user who names a retired id gets it, with its replacement beside it."""
    found = resolve("claude-instant-1.2", on=DAY)

    assert (found.model, found.lifecycle, found.substituted) == (
        "claude-instant-1.2", Lifecycle.RETIRED, False,
    )  # fmt: skip
    assert (found.live, found.live_rule) == ("claude-haiku-4-5-20251001", "official-successor")


def test_a_peer_that_is_gone_is_sent_as_what_lives():
    """The same model, found by translation, is sent as its available successor."""
    found = resolve("gpt-3.5-turbo", "anthropic", on=DAY)

    assert (found.id, found.model, found.substituted) == (
        "claude-instant-1.2", "claude-haiku-4-5-20251001", True,
    )  # fmt: skip


def test_a_name_at_two_places_names_the_other():
    """A bare name that Mistral and Ollama both have is Mistral's, and says so."""
    found = resolve("mistral-small", on=DAY)

    assert (found.provider, found.ambiguous) == ("mistral", True)
    assert found.alternatives == ("ollama:mistral-small",)
    assert not resolve("mistral:mistral-small", on=DAY).ambiguous


def test_a_tag_after_a_providers_name_is_ambiguous():
    """mistral:7b could have meant a model of the provider Mistral, and says so."""
    assert resolve("mistral:7b", on=DAY).ambiguous
    assert not resolve("ollama:mistral:7b", on=DAY).ambiguous


def test_openrouters_id_names_the_same_model_at_its_maker():
    """LiteLLM and any-llm read openai/gpt-4o the other way, so it is named as alternative."""
    found = resolve("openai/gpt-4o", on=DAY)

    assert (found.alternatives, found.ambiguous) == (("openai:gpt-4o",), False)


@pytest.mark.parametrize(
    ("asked", "floating"),
    [
        ("mistral-small-latest", True),
        ("mistral-small", True),
        ("mistral-small-2603", False),
        ("~openai/gpt-luna-latest", True),
        ("openai/gpt-4o", False),
        ("ollama:llama2", True),
        ("ollama:llama3.1:latest", True),
        ("ollama:llama3.1:8b", False),
        ("claude-haiku-4-5", True),  # before 4.6 a name without a date is an alias
        ("claude-haiku-4-5-20251001", False),
        ("claude-opus-4-8", False),  # since 4.6 it is pinned
        ("gpt-4o", True),
        ("gpt-4o-2024-08-06", False),
        ("gpt-4-0125-preview", False),
        ("ft:gpt-4o-2024-08-06:org::id", False),
        ("gemini-flash-latest", True),
        ("gemini-3.8-flash", False),
    ],
)
def test_a_name_floats_or_is_pinned(asked, floating):
    """-latest, bare names of OpenAI and Mistral and Ollama's default tag move; dates do not."""
    found = resolve(asked, on=DAY)

    assert (found.floating, found.pinned) == (floating, not floating)


def test_a_floating_name_says_what_it_points_at():
    """The whole chain of aliases is followed, and the name itself is sent."""
    found = resolve("mistral:mistral-small", on=DAY)

    assert (found.model, found.target) == ("mistral-small", "mistral-small-2603")


def test_verbatim_always_passes():
    """verbatim sends the name as written, known or not."""
    found = resolve("openai:gpt-6-lnua", on=DAY, verbatim=True)

    assert (found.provider, found.model, found.how) == ("openai", "gpt-6-lnua", How.VERBATIM)
    assert resolve("gpt-4o", on=DAY, verbatim=True).provider == "openai"
    assert resolve("anything", "google", on=DAY, verbatim=True).model == "anything"


def test_verbatim_needs_a_provider_for_an_unknown_name():
    """The provider cannot be guessed."""
    with pytest.raises(UnknownModelError, match="name its provider"):
        resolve("gpt-6-lnua", on=DAY, verbatim=True)


def test_a_provider_of_ones_own_takes_any_id():
    """llmkit does not check the ids of an added server."""
    found = resolve("lab:some/model:x", on=DAY, providers=("lab",))

    assert (found.provider, found.model, found.how) == ("lab", "some/model:x", How.VERBATIM)
    assert resolve("gpt-4o", "lab", on=DAY, providers=("lab",)).model == "gpt-4o"


def test_the_answer_carries_its_source_and_its_days():
    """The source, its date, the date of the catalogue, and the date of the resolution."""
    found = resolve("gpt-4o", on=DAY)

    assert "developers.openai.com" in found.source
    assert (found.read, found.as_of, found.on) == (date(2026, 10, 16), date(2026, 11, 22), DAY)


SENTENCES = [
    ("gpt-3.5-turbo", "anthropic",
     "gpt-3.5-turbo is anthropic's claude-instant-1.2 (the peer of that standard name, by "
     "judgement). It was retired on 2024-11-06. claude-haiku-4-5-20251001 is sent instead (the "
     "successor named by its provider). Source, read 2026-10-16: "),
    ("gemini-3.7-flash", None,
     "gemini-3.7-flash is google's gemini-3.7-flash (the id itself). Since 2026-10-08 its provider "
     "answers with gemini-3.8-flash instead. The replacement is gemini-3.8-flash (the successor "
     "named by its provider). Source, read 2026-11-22: "),
    ("gemini-2.5-pro", None,
     "gemini-2.5-pro is google's gemini-2.5-pro (the id itself). From 2026-12-01 its provider "
     "answers with gemini-3.8-flash instead. Source, read 2026-11-22: "),
    ("claude-haiku-4-5", None,
     "claude-haiku-4-5 is anthropic's claude-haiku-4-5 (the id itself). It points to "
     "claude-haiku-4-5-20251001; the target may change. Source, read 2026-11-22: "),
    ("claude-sonnet-4-5-20250929", None,
     "claude-sonnet-4-5-20250929 is anthropic's claude-sonnet-4-5-20250929 (the id itself). It is "
     "deprecated and retires on 2026-11-30. Its successor is claude-sonnet-5-5. Source, "),
    ("openai:gpt-9-nova", None,
     "openai:gpt-9-nova is openai's gpt-9-nova (used as written). This id is not in the "
     "catalogue; it is sent unchanged. Catalogue of 2026-11-22, resolved for 2026-11-24."),
    ("mistral-small", None, "The name could also mean ollama:mistral-small."),
    ("openai/gpt-3.5-turbo", None,
     "No source says whether it is available today. The same model is openai:gpt-3.5-turbo."),
    ("gpt-5.4-cyber", None, "The catalogue has no replacement for it."),
]  # fmt: skip


@pytest.mark.parametrize(("asked", "provider", "sentences"), SENTENCES)
def test_why_says_it_in_sentences(asked, provider, sentences):
    """The id, its target, its end, the replacement that is sent, and the source."""
    found = resolve(asked, provider, on=DAY)

    assert sentences in why(found)
    assert str(found) == why(found)


@given(st.sampled_from(IDS))
def test_resolving_what_was_resolved_is_stable(pair):
    """A resolved id resolves to itself, also the second time."""
    provider, model = pair
    found = resolve(f"{provider}:{model}", on=DAY)

    assert (found.provider, found.id) == (provider, model)
    assert resolve(f"{found.provider}:{found.model}", on=DAY).model == found.model


@given(st.sampled_from(sorted(shipped().names)), st.sampled_from(sorted({p for p, _ in IDS})))
def test_a_translated_name_leads_to_something_that_can_be_called(name, provider):
    """Any standard name at any provider can be called there, or an error says why."""
    if shipped().names[name].peers.get(provider) is None:
        with pytest.raises(UnknownModelError, match="no counterpart"):
            resolve(name, provider, on=DAY)
        return
    found = resolve(name, provider, on=DAY)

    again = resolve(f"{provider}:{found.model}", on=DAY)
    assert (again.provider, again.model) == (provider, found.model)
    if found.how in (How.MAPPED, How.EQUIVALENT) and found.live is not None:
        assert again.lifecycle not in (Lifecycle.RETIRED, Lifecycle.REROUTED)


@given(st.sampled_from(IDS), st.data())
def test_spelling_does_not_matter(pair, data):
    """Another case and other separators lead to the same id, in its own spelling."""
    provider, model = pair
    other = data.draw(st.sampled_from([str.upper, str.title, lambda m: m.replace("-", "_")]))

    if ":" not in model and normal(other(model)) == normal(model):
        assert resolve(f"{provider}:{other(model)}", on=DAY).id == model


STARTS = ("", "openai:", "openrouter:", "OLLAMA/", "models/", "gemini/", "ft:", "hf.co/", "openai/")


@given(st.builds(str.__add__, st.sampled_from(STARTS), st.text(max_size=40)))
def test_any_text_leads_to_an_id_or_to_one_of_our_errors(text):
    """No input raises an exception other than llmkit's."""
    try:
        found = resolve(text, on=DAY)
    except ConfigError:
        return

    assert found.model.strip(" /:")
