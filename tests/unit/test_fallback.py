"""The fallback models for a model that cannot answer, and their order."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest
from hypothesis import given, strategies as st

from llmkit.catalogue import fallback, fallback_policy, similarity
from llmkit.catalogue.entry import Alias, ModelEntry, StandardName
from llmkit.catalogue.fallback import FallbackQuery, candidates, choose
from llmkit.catalogue.fallback_policy import Fallback, policy_of
from llmkit.catalogue.loader import by_provider, indexed
from llmkit.catalogue.requirements import FallbackLimits, Requirements, need_of, objection_to
from llmkit.chat.fallback import is_unequal
from llmkit.errors import ConfigError
from llmkit.providers.builtin import provider_table
from llmkit.types import Capability, FallbackStep, Lifecycle, Message, Prompt, Usage

DAY = date(2026, 11, 24)
TERMS = FallbackLimits(DAY)
ANY = fallback_policy.RULES_OF["any"]
SHORT = Requirements(Usage(20, 1024))


def model(provider, name, **known):
    window = {"max_input": 100_000, "max_output": 8_000}
    return ModelEntry(
        provider, name, known.pop("state", Lifecycle.ACTIVE), kind=known.pop("kind", "small"),
        released=date(2026, 1, 1), **{**window, **known},
    )  # fmt: skip


def catalogue(*models, names=(), aliases=(), classes=None):
    return indexed(DAY, models=by_provider(models), names=names, aliases=aliases,
                   classes=classes or {}, providers=provider_table())  # fmt: skip


def small_world(**changes):
    """A catalogue with one fallback model of each rule for openai:old."""
    rows = {
        "old": model("openai", "old", retires=date(2026, 1, 1), successors=("next",)),
        "elsewhere": model("openrouter", "openai/old", listed=True),
        "next": model("openai", "next"),
        "peer": model("mistral", "peer"),
        "pick": model("google", "pick"),
        "like": model("anthropic", "like"),
    }
    rows = {name: replace(row, **changes.get(name, {})) for name, row in rows.items()}
    name = StandardName("old", "small", "old", date(2023, 1, 1),
                        {"openai": ("old",), "mistral": ("peer",)})  # fmt: skip
    return catalogue(*rows.values(), names=[name], classes={"small": {"google": ("pick",)}})


ORDER = [
    ("openrouter", "openai/old", "same-model"),
    ("openai", "next", "official-successor"),
    ("mistral", "peer", "curated-peer"),
    ("google", "pick", "class-default"),
    ("anthropic", "like", "ranked"),
]


def order(rules, world=None):
    world = world or small_world()
    found = [tuple(c) for c in candidates(world, FallbackQuery("openai", "old"), rules, DAY)]
    return [c for c in found if objection_to(world, *c[:2], SHORT, TERMS, named=False) is None]


def test_the_order_of_rules():
    """The same model elsewhere, the successor, the peer, the class default, the most similar."""
    assert order(ANY) == ORDER


@pytest.mark.parametrize(
    ("allow", "reach"),
    [
        ("error", ORDER[:0]),
        ("successor", ORDER[1:2]),
        ("same-model", ORDER[:1]),
        ("equivalent", ORDER[:4]),
        ("any", ORDER),
    ],
)
def test_a_policy_says_how_far_to_go(allow, reach):
    """The wide policies allow what the narrow ones do, and more."""
    assert order(Fallback(allow).rules) == reach


def test_a_successor_is_at_the_provider_that_was_asked():
    """By default the answer comes from the asked provider or by a row of the user's own."""
    asked = FallbackQuery("openai", "old", own=[("google", "pick")])

    found = [tuple(c) for c in candidates(small_world(), asked, Fallback().rules, DAY)]

    assert Fallback() == Fallback("successor")
    assert found == [("google", "pick", "own-fallback"), ("openai", "next", "official-successor")]


def test_a_successor_at_a_reseller_is_its_makers():
    """OpenRouter names no successors; its rows have those of the makers."""
    world = catalogue(
        model("openrouter", "openai/old", state=Lifecycle.RETIRED, successors=("openai/next",)),
        model("openrouter", "openai/next"), model("openai", "next"),
    )  # fmt: skip

    found = candidates(world, FallbackQuery("openrouter", "openai/old"), Fallback().rules, DAY)

    assert [tuple(c) for c in found] == [("openrouter", "openai/next", "vendor-successor")]


def test_naming_providers_opens_the_default_to_their_models():
    """Fallback(providers=...) allows at these providers what "equivalent" allows anywhere."""
    assert Fallback(providers=["mistral"]).rules == Fallback("equivalent").rules


def test_an_own_row_may_leave_the_provider_that_was_named():
    """The limit to one provider holds for what the catalogue names, not for the user's rows."""
    asked = FallbackQuery("openai", "old", own=[("google", "pick")])
    home = replace(TERMS, home="openai")

    found, against = choose(small_world(), asked, SHORT, home, ANY)
    later, _ = choose(small_world(), asked, SHORT, home, ANY, [("google", "pick")])

    assert (tuple(found), against) == (("google", "pick", "own-fallback"), ())
    assert tuple(later) == ("openai", "next", "official-successor")


def needs(tokens, *what, **more):
    """Returns the requirements of a prompt with that many tokens."""
    return Requirements(Usage(tokens, 0), *what, **more)


@pytest.mark.parametrize(
    ("change", "need", "terms", "reason"),
    [
        ({"state": Lifecycle.RETIRED}, SHORT, TERMS, "is retired"),
        ({"state": Lifecycle.REROUTED}, SHORT, TERMS, "is rerouted"),
        ({"state": Lifecycle.UNKNOWN}, SHORT, TERMS, "is not known to be alive"),
        ({"listed": False}, SHORT, TERMS, "is not in openai's own list"),
        ({}, SHORT, FallbackLimits(DAY, has_key=lambda name: False), "needs a key for openai"),
        ({}, SHORT, FallbackLimits(DAY, providers=frozenset({"google"})), "is at a provider that"),
        ({"max_input": 50}, needs(60), TERMS, "takes 50 tokens, and about 66 are needed"),
        ({}, needs(9, output_tokens=9_000), TERMS, "writes 8,000 tokens, and about 9,000"),
        ({"max_input": None}, needs(9_000), TERMS, "is not known to take 9,900 tokens"),
        ({"max_output": None}, needs(9, 3_000), TERMS, "is not known to write 3,000"),
        ({"context_total": 90}, needs(50, 40), TERMS, "has 90 tokens for prompt and ans"),
        ({}, needs(9, more_than=100_000), TERMS, "takes at most the 100,000 tokens"),
        ({"max_input": None}, needs(9, more_than=1), TERMS, "is not known to take 10"),
        ({}, needs(9, None, (Capability.VISION,)), TERMS, "is not known to have vision"),
        ({"lacks": frozenset({Capability.VISION})}, needs(9, None, (Capability.VISION,)),
         TERMS, "has no vision"),
        ({"kind": "embedding"}, SHORT, TERMS, "makes embeddings and no text"),
        ({"output_modalities": frozenset({"image"})}, SHORT, TERMS, "writes no text"),
        ({}, SHORT, FallbackLimits(DAY, max_cost_usd=1.0), "has no known price"),
    ],
)  # fmt: skip
def test_what_a_request_needs_is_a_hard_filter(change, need, terms, reason):
    """A model without a needed fact is skipped, and so is one of which it is unknown."""
    world = catalogue(model("openai", "x", **change))

    assert objection_to(world, "openai", "x", need, terms, named=False).startswith(reason)


def test_a_model_that_is_all_of_that_passes():
    """The counter-example for every condition of the filter."""
    world = catalogue(model("openai", "x", capabilities=frozenset({Capability.VISION})))
    need = needs(90_000, 8_000, (Capability.VISION,), more_than=99_999)

    assert objection_to(world, "openai", "x", need, TERMS, named=False) is None


@pytest.mark.parametrize(
    ("terms", "named"), [(FallbackLimits(DAY, allow_unknown=True), False), (TERMS, True)]
)
def test_the_unknown_passes_only_where_it_is_asked_for(terms, named):
    """allow_unknown, or the caller's own list, accepts an unknown lifecycle and size."""
    bare = {"max_input": None, "max_output": None, "state": Lifecycle.UNKNOWN}
    world = catalogue(model("openai", "x", **bare))
    need = needs(90_000, 8_000)

    assert objection_to(world, "openai", "x", need, terms, named=named) is None
    assert objection_to(world, "openai", "x", need, TERMS, named=False) is not None


def test_a_capability_that_is_asked_for_is_vouched_for_by_nothing_but_allow_unknown():
    """Also a model in the caller's list must be known to have the needed capability."""
    world = catalogue(model("openai", "x"))
    need = needs(9, None, (Capability.VISION,))

    found = [
        objection_to(world, "openai", "x", need, terms, named=True)
        for terms in (TERMS, FallbackLimits(DAY, allow_unknown=True))
    ]

    assert found == ["is not known to have vision", None]


def test_a_name_in_the_callers_list_does_not_outweigh_a_fact():
    """A model known to be retired or too small is skipped, even if the caller named it."""
    gone, small = model("openai", "x", state=Lifecycle.RETIRED), model("openai", "y", max_input=5)
    world = catalogue(gone, small)

    reasons = [objection_to(world, "openai", n, needs(9), TERMS, named=True) for n in "xy"]

    assert reasons == ["is retired", "takes 5 tokens, and about 10 are needed"]


def test_a_resellers_copy_ends_with_its_makers_model():
    """A model in OpenRouter's last list counts as unknown once its maker has retired it."""
    world = small_world(elsewhere={"listed": None})

    assert order(ANY, world) == ORDER[1:]


def test_what_ollama_has_is_known_only_from_its_own_list():
    """A model of Ollama's library may be missing on this machine."""
    world = catalogue(model("ollama", "llama9"), model("ollama", "llama8", listed=True))

    reasons = [
        objection_to(world, "ollama", n, SHORT, TERMS, named=False) for n in ("llama9", "llama8")
    ]

    assert reasons == ["is not known to be on this machine", None]


@pytest.mark.parametrize(
    ("provider", "name", "elsewhere"),
    [
        ("anthropic", "claude-haiku-5-5", "anthropic/claude-haiku-5.5"),
        ("anthropic", "claude-x-20260101", "anthropic/claude-x"),
        ("mistral", "small-2603", "mistralai/small-2603"),
        ("openai", "gpt-9", None),
    ],
)
def test_the_slug_rule_finds_the_same_model(provider, name, elsewhere):
    """Maker and name form OpenRouter's id, in any spelling; a snapshot only under its own alias."""
    ids = ["anthropic/claude-haiku-5.5", "anthropic/claude-x", "mistralai/small-2603", "openai/gpt"]
    world = catalogue(
        *[model("openrouter", found, listed=True) for found in ids],
        model(provider, name),
        aliases=[Alias("anthropic", "claude-x", "claude-x-20260101", "floating", "s")],
    )

    found, _ = choose(world, FallbackQuery(provider, name), SHORT, TERMS, ["same-model"])

    assert (found.model if found else None) == elsewhere


def test_the_same_model_at_its_maker():
    """From OpenRouter's id to the maker's own, for any variant."""
    world = catalogue(model("openrouter", "openai/gpt-9"), model("openai", "gpt-9"))

    found, _ = choose(world, FallbackQuery("openrouter", "openai/gpt-9:nitro"), SHORT, TERMS, ANY)

    assert tuple(found) == ("openai", "gpt-9", "same-model")


def test_an_alias_of_a_failed_model_is_not_tried():
    """mistral-small-latest is not tried if its target has failed."""
    world = catalogue(
        model("mistral", "small-2603"), model("mistral", "small-latest"),
        aliases=[Alias("mistral", "small-latest", "small-2603", "floating", "s")],
        classes={"small": {"mistral": ("small-latest",)}},
    )  # fmt: skip

    assert choose(world, FallbackQuery("mistral", "small-2603"), SHORT, TERMS, ANY) == (None, ())


def test_a_successor_that_leaves_soon_comes_last():
    """A deprecated replacement is used only without an alternative."""
    world = catalogue(
        model("openai", "a", successors=("b",)),
        model("openai", "b", retires=date(2027, 1, 1), successors=("c",)),
        model("openai", "c", retires=date(2027, 2, 1), successors=("d",)),
        model("openai", "d"),
    )

    found = candidates(world, FallbackQuery("openai", "a"), ["official-successor"], DAY)

    assert [c.model for c in found] == ["d", "c", "b"]


def test_a_persons_own_rows_come_first():
    """Fallbacks of the user's file are tried before those of the catalogue."""
    asked = FallbackQuery("openai", "old", own=[("anthropic", "like")])

    found, _ = choose(small_world(), asked, SHORT, TERMS, Fallback().rules)

    assert tuple(found) == ("anthropic", "like", "own-fallback")


def test_the_callers_list_is_all_there_is():
    """A list is tried in its order, and nothing else."""
    asked = FallbackQuery("openai", "old", named=[("google", "pick"), ("mistral", "peer")])
    rules = Fallback(["google:pick", "mistral:peer"]).rules

    found = [tuple(c) for c in candidates(small_world(), asked, rules, DAY)]

    assert found == [("google", "pick", "named"), ("mistral", "peer", "named")]


def test_who_was_passed_over_is_told_with_the_reason():
    """The caller can report why a nearer model was not used."""
    found, against = choose(
        small_world(next={"max_input": 10}), FallbackQuery("openai", "old"), needs(99),
        replace(TERMS, has_key=lambda name: name != "openrouter"), ANY,
    )  # fmt: skip

    assert found.model == "peer"
    assert against == (
        "openrouter:openai/old needs a key for openrouter",
        "openai:next takes 10 tokens, and about 109 are needed",
    )


def test_a_step_tells_what_is_lost():
    """Capabilities and class of the requested model are compared with those of the chosen one."""
    world = catalogue(
        model("openai", "big", kind="flagship", capabilities=frozenset(Capability)),
        model("openai", "tiny", kind="nano", capabilities=frozenset({Capability.TOOLS})),
    )

    told = fallback.step(
        world,
        FallbackQuery("openai", "big"),
        fallback.Candidate("openai", "tiny", "ranked"),
        "it is busy",
    )

    assert (told.asked, told.chosen) == ("openai:big", "openai:tiny")
    assert told.lost == ("embedding", "json_schema", "reasoning", "vision")
    assert told.class_change == -3
    assert "3 classes smaller" in str(told)


def test_likeness_prefers_class_then_age():
    """The same class comes first, and among equals the newer one."""
    world = catalogue(
        model("openai", "x"), model("google", "same"), model("google", "large", kind="flagship"),
        replace(model("google", "aged"), released=date(2023, 1, 1)),
    )  # fmt: skip
    places = [("google", name) for name in ("large", "aged", "same")]

    found = similarity.ranked(world, ("openai", "x"), places, DAY)

    assert [name for _, name in found] == ["same", "large", "aged"]


def test_an_unknown_model_has_no_similar_ones():
    """An id without facts has no similar models, so "any" suggests none."""
    assert order(["ranked"], small_world()) != []

    assert list(candidates(small_world(), FallbackQuery("openai", "x-y-z"), ["ranked"], DAY)) == []


def test_a_need_is_read_off_the_prompt():
    """System prompt and messages are estimated, with a margin; max_tokens is the output."""
    prompt = Prompt((Message("user", "x" * 4_000),), system="y" * 400, max_tokens=7)

    need = need_of(prompt, (Capability.VISION,))

    assert need.usage == Usage(1_108, 7)
    assert (need.input_tokens, need.output_tokens) == (1_219, 7)


NAMES = st.sampled_from(["a", "b", "c", "d", "e"])
PLACES = st.tuples(st.sampled_from(["openai", "mistral", "openrouter"]), NAMES)


@st.composite
def tangled_worlds(draw):
    """Builds catalogues with random successors, aliases, peers and defaults, also circular ones."""
    models = [
        model(*place, successors=tuple(draw(st.lists(NAMES, max_size=2))),
              retires=draw(st.sampled_from([None, date(2026, 1, 1), date(2027, 1, 1)])))
        for place in draw(st.lists(PLACES, unique=True))
    ]  # fmt: skip
    aliases = [
        Alias(provider, name, draw(NAMES), "floating", "s")
        for provider, name in draw(st.lists(PLACES, max_size=4))
    ]
    peers = draw(st.dictionaries(st.sampled_from(["openai", "mistral"]), st.tuples(NAMES, NAMES)))
    name = StandardName("a", "small", "a", DAY, peers)
    return catalogue(*models, names=[name], aliases=aliases, classes={"small": peers})


@given(world=tangled_worlds(), start=PLACES)
def test_a_chain_of_fallbacks_never_loops(world, start):
    """With any circular tables each model is tried once and the chain ends."""
    tried = [start]
    while True:
        found, _ = choose(world, FallbackQuery(*start), SHORT, TERMS, ANY, tried)
        if found is None:
            break
        assert found.place not in tried
        tried.append(found.place)

    assert len(tried) <= 16


@pytest.mark.parametrize(
    ("given_", "words"),
    [
        (
            "maybe",
            "must be one of error, successor, same-model, equivalent, any, or a list of models",
        ),
        ([], "fallback must name at least one model"),
        ([1], "fallback must be names"),
        (7, "a list of models, or a Fallback"),
    ],
)
def test_an_invalid_policy_is_refused(given_, words):
    """The message names the valid values."""
    with pytest.raises(ConfigError, match=words):
        policy_of(given_)


@pytest.mark.parametrize(
    "wrong", [{"most": 0}, {"max_cost_usd": -1}, {"providers": [1]}, {"providers": 3}]
)
def test_a_limit_of_the_wrong_kind_is_refused(wrong):
    """Limits are checked when they are set."""
    with pytest.raises(ConfigError):
        Fallback("any", **wrong)


@pytest.mark.parametrize(
    ("step", "unequal"),
    [
        (FallbackStep("openai:old", "openai:new", "official-successor", "it is gone"), False),
        (FallbackStep("openai:a", "openrouter:openai/a", "same-model", "it is busy"), False),
        (FallbackStep("openai:a", "openrouter:openai/b", "ranked", "it is busy"), False),
        (FallbackStep("openai:a", "anthropic:b", "curated-peer", "it is busy"), True),
        (FallbackStep("openai:a", "openrouter:mistralai/b", "ranked", "it is busy"), True),
        (FallbackStep("mistral:a", "openrouter:mistralai/b", "ranked", "it is busy"), False),
        (FallbackStep("openai:a", "openai:b", "named", "it is busy", lost=("vision",)), True),
        (FallbackStep("openai:a", "openai:b", "named", "it is busy", class_change=-1), True),
        (FallbackStep("openai:a", "openai:b", "named", "it is busy", class_change=1), False),
        (FallbackStep("openai:a", "openai:b", "named", "it is busy", price_ratio=2.5), True),
        (FallbackStep("openai:a", "openai:b", "named", "it is busy", price_ratio=1.9), False),
    ],
)
def test_a_substitute_is_unequal_by_size_price_abilities_or_maker(step, unequal):
    """Only such a fallback needs a warning."""
    assert is_unequal(step) is unequal
