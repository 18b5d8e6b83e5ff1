"""The user's rows: their effect, and the messages for mistakes in them."""

from __future__ import annotations

import os
from datetime import UTC, date, datetime

import pytest

from llmkit.catalogue import prices, user_file as module
from llmkit.catalogue.listing import lines
from llmkit.catalogue.user_file import user_rows
from llmkit.catalogue.user_rows import with_user_rows
from llmkit.errors import ConfigError
from llmkit.kit import Kit
from llmkit.providers.builtin import shipped
from llmkit.reports import Models
from llmkit.types import Capability, How, Lifecycle, Usage

PROVIDERS = ("openai", "mistral", "google", "local")
NOW = datetime(2026, 11, 24, tzinfo=UTC)


def rows(text):
    return user_rows(text, "mine.toml", PROVIDERS)


def laid_over(text):
    return with_user_rows(shipped(), rows(text))


def kit_with(tmp_path, text, **settings):
    file = tmp_path / "mine.toml"
    file.write_text(text, encoding="utf-8")
    return Kit(environ={}, catalogue_file=str(file), notify=lambda text: None, **settings)


def test_the_example_that_explains_the_file_is_right():
    """The example in the module's docstring is valid, and has the described effect."""
    _, _, after = module.__doc__.partition("\n\n")
    text = after.partition("\n\nOptional keys")[0]

    found = rows(text)

    assert found.names == {"cheap": ("openai", "gpt-6-luna")}
    assert found.equivalents == {"gpt-3.5-turbo": {"mistral": ("ministral-8b-latest",)}}
    assert found.fallbacks == {
        ("openai", "gpt-6-luna"): ("mistral:mistral-small-latest", "local:smollm2")
    }
    assert found.prices["lab", "my-model"].output == 1.5
    assert found.providers["lab"]["key_var"] == "LAB_KEY"


def test_a_name_of_ones_own_is_an_alias(tmp_path):
    """It leads to its id at any provider, and the answer says that it was an alias."""
    kit = kit_with(
        tmp_path, '[[names]]\nname = "Cheap One"\nprovider = "openai"\nid = "gpt-6-luna"\n'
    )

    bare, at = kit.registry.resolve("cheap-one"), kit.registry.resolve("cheap one", "openai")

    assert (bare.provider, bare.model, bare.how) == ("openai", "gpt-6-luna", How.ALIAS)
    assert (bare.asked, at.model) == ("cheap-one", "gpt-6-luna")


def test_an_unknown_id_is_known_by_its_row():
    """Limits, capabilities and class are those of the row; others are unknown."""
    found = laid_over(
        '[[names]]\nname = "mine"\nprovider = "openai"\nid = "ft:gpt-6-luna:me"\nclass = "small"\n'
        'max_input = 9000\nmax_output = 900\nhas = ["tools"]\nlacks = "vision"\n'
        'retires = 2027-01-31\nsuccessor = "gpt-6-luna"\n'
    ).entry("openai", "ft:gpt-6-luna:me")

    assert (found.max_input, found.max_output, found.kind) == (9000, 900, "small")
    assert (found.has(Capability.TOOLS), found.has(Capability.VISION)) == (True, False)
    assert found.has(Capability.REASONING) is None
    assert (found.retires, found.successors) == (date(2027, 1, 31), ("gpt-6-luna",))
    assert found.source == "mine.toml, row 1 of [[names]], line 1"


def test_a_row_corrects_what_is_known():
    """Only the fields of the row change."""
    before = shipped().entry("openai", "gpt-6-luna")

    after = laid_over(
        '[[names]]\nname = "x"\nprovider = "openai"\nid = "gpt-6-luna"\nmax_input = 7\n'
        'lacks = ["vision"]\n'
    ).entry("openai", "gpt-6-luna")

    assert (after.max_input, after.max_output) == (7, before.max_output)
    assert after.capabilities == before.capabilities - {Capability.VISION}
    assert after.state is before.state is Lifecycle.ACTIVE


def test_an_equivalent_that_is_unknown_is_in_the_table_without_facts(tmp_path):
    """Its limits are unknown; a byte order mark of the file is ignored."""
    kit = kit_with(
        tmp_path, '\ufeff[[equivalents]]\nname = "gpt-3.5-turbo"\nmistral = "our-own-tune"\n'
    )

    table = Models(
        lines("gpt-3.5-turbo", "mistral", on=NOW.date(), catalogue=kit.registry.catalogue)
    )

    assert "our-own-tune" in str(table)
    assert table.frame()["max_input"].isna()[0]


def test_an_equivalent_of_ones_own_is_the_one_that_is_translated_to(tmp_path):
    """The row's peer is used at its provider, and the others stay."""
    kit = kit_with(
        tmp_path, '[[equivalents]]\nname = "gpt-3.5-turbo"\nmistral = "codestral-latest"\n'
    )

    assert kit.registry.resolve("gpt-3.5-turbo", "mistral").model == "codestral-latest"
    assert kit.registry.resolve("gpt-3.5-turbo", "google").id == "gemini-pro"


def test_a_new_row_of_equivalents_is_a_standard_name(tmp_path):
    """A name that the catalogue lacks is translated by the row."""
    text = (
        '[[equivalents]]\nname = "our-tutor"\nclass = "nano"\n'
        'openai = ["gpt-6-luna"]\nmistral = "ministral-3b-latest"\n'
    )
    kit = kit_with(tmp_path, text)

    assert kit.registry.resolve("our-tutor", "mistral").model == "ministral-3b-latest"
    assert kit.registry.catalogue.names["our-tutor"].kind == "nano"


def test_a_price_of_ones_own_wins_and_is_told():
    """It holds for unknown servers and for local ones, with its row as the source."""
    catalogue = laid_over(
        '[[prices]]\nprovider = "openai"\nid = "gpt-6-luna"\ninput = 2\noutput = 4.0\ncached = 1\n'
        '[[prices]]\nprovider = "local"\nid = "smollm2"\ninput = 1\noutput = 1\n'
    )
    usage = Usage(1_000_000, 500_000, cached_tokens=400_000)

    found = prices.cost("openai", "gpt-6-luna", usage, on=None, catalogue=catalogue)
    local = prices.cost("local", "smollm2", usage, on=None, catalogue=catalogue)

    assert found.usd == pytest.approx(0.6 * 2 + 0.4 * 1 + 0.5 * 4)
    assert found.source == "mine.toml, row 1 of [[prices]], line 1"
    assert local.usd == pytest.approx(1.5)


def test_a_provider_of_ones_own_is_a_provider(tmp_path):
    """Its models have its name as prefix, and a server that was added later takes precedence."""
    text = '[[providers]]\nname = "lab"\nbase_url = "https://lab.example/v1"\nkey_var = "LAB"\n'
    kit = kit_with(tmp_path, text)
    before = kit.registry.provider("lab").base_url

    kit.add_provider("lab", "https://other.example/v1")

    assert before == "https://lab.example/v1"
    assert kit.registry.provider("lab").base_url == "https://other.example/v1"
    assert kit.registry.resolve("lab:anything").provider == "lab"
    assert "lab" in kit.registry.provider_names()


@pytest.mark.parametrize(
    ("row", "words"),
    [
        ('name = "openai"\nbase_url = "https://x.example"', "'openai' is taken by the built-in"),
        ('name = "lab"\nbase_url = "https://x.example"\nkey_var = "OPENAI_API_KEY"',
         "holds the key of openai"),
    ],
)  # fmt: skip
def test_no_row_sends_a_key_to_a_stranger(tmp_path, row, words):
    """A row cannot redirect a built-in name or another provider's key."""
    kit = kit_with(tmp_path, f"[[providers]]\n{row}\n")

    with pytest.raises(ConfigError, match=f"mine.toml: .*{words}"):
        kit.registry.provider("openai")


def test_the_file_is_read_again_when_it_has_changed(tmp_path):
    """An edit counts from the next name on."""
    row = '[[names]]\nname = "mine"\nprovider = "openai"\nid = "{}"\n'
    kit = kit_with(tmp_path, row.format("gpt-6-luna"))
    before = kit.registry.resolve("mine").model
    file = tmp_path / "mine.toml"
    file.write_text(row.format("gpt-6.1-terra"))
    os.utime(file, ns=(1, 1))

    assert (before, kit.registry.resolve("mine").model) == ("gpt-6-luna", "gpt-6.1-terra")


def test_the_usual_place_is_beside_the_settings(tmp_path):
    """Without a setting the file is catalogue.toml next to config.toml."""
    (tmp_path / "config.toml").touch()
    (tmp_path / "catalogue.toml").write_text(
        '[[names]]\nname = "mine"\nprovider = "openai"\nid = "gpt-6-luna"\n'
    )
    kit = Kit(environ={"LLMKIT_CONFIG": str(tmp_path / "config.toml")})

    assert kit.registry.resolve("mine").model == "gpt-6-luna"


def test_without_a_file_nothing_is_missing(tmp_path):
    """The default path may be missing; a path that was set may not."""
    usual = Kit(environ={"XDG_CONFIG_HOME": str(tmp_path)})
    named = Kit(environ={}, catalogue_file=str(tmp_path / "nowhere.toml"))

    assert usual.registry.catalogue is shipped()
    with pytest.raises(ConfigError, match=r"catalogue_file .*nowhere\.toml cannot be read"):
        named.registry.resolve("gpt-6-luna")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("[[names]", r"mine\.toml is not TOML: .*line 1"),
        ("[[modles]]", r"mine\.toml: unknown table \[\[modles\]\]; known tables: equiv"),
        ("names = 3", r"mine\.toml: names must be a list; begin each row with \[\[names\]\]"),
        ("names = [3]", r"row 1 of \[\[names\]\]: must be a table, not 3"),
        ('[[names]]\nname = "a"', r"row 1 of \[\[names\]\], line 1: provider is missing"),
        ('\n[[prices]]\nprovider = "openai"\nid = "a"\ninput = "x"\noutput = 1',
         r"row 1 of \[\[prices\]\], line 2: input must be a number >= 0, not 'x'"),
        ('[[prices]]\nprovider = "openai"\nid = "a"\ninput = 1', "output is missing"),
        ('[[prices]]\nprovider = "opnai"\nid = "a"\ninput = 1\noutput = 1',
         "provider must be one of openai, mistral, google, local, not 'opnai'"),
        ('[[names]]\nname = "a"\nprovider = "openai"\nid = "b"\nclass = "huge"',
         "class must be one of nano, small, medium"),
        ('[[names]]\nname = "a"\nprovider = "openai"\nid = "b"\nmax_input = 0',
         r"max_input must be an integer >= 1 and < 2\*\*63, not 0"),
        ('[[names]]\nname = "a"\nprovider = "openai"\nid = "b"\nretires = "soon"',
         "retires must be a date such as 2027-01-31, not 'soon'"),
        ('[[names]]\nname = "a"\nprovider = "openai"\nid = "b"\nhas = ["sight"]',
         "has must be one of vision, tools, json_schema, reasoning, embedding, not 'sight'"),
        ('[[names]]\nname = "a"\nprovider = "openai"\nid = "b"\nmax_inptu = 3',
         "unknown key 'max_inptu'; known keys: class, has, id"),
        ('[[equivalents]]\nname = "a"', 'names no provider; write e.g. mistral = "an id there"'),
        ('[[equivalents]]\nname = "a"\nopnai = "b"', "each key but name and class must be"),
        ('[[equivalents]]\nname = "a"\nopenai = 3', "openai must be a name or a list of names"),
        ('[[fallbacks]]\nname = "openai"\nthen = ["a"]', 'name must be "provider:id", not'),
        ('[[fallbacks]]\nname = "openai:a"\nthen = []', "then must be a name or a list of names"),
        ('[[providers]]\nname = "lab"', "base_url is missing"),
        ('[[providers]]\nname = "a b"\nbase_url = "https://x"', "may have letters, digits and _"),
        ('[[providers]]\nname = "lab"\nbase_url = "ftp://x.example"\nkey_var = "K"',
         r"row 1 of \[\[providers\]\], line 1: base URL must begin with https:"),
    ],
)  # fmt: skip
def test_a_mistake_is_told_with_file_and_row(text, words):
    """Each message names the place and the valid values."""
    with pytest.raises(ConfigError, match=words):
        rows(text)


def test_the_second_row_is_called_the_second():
    """A row is counted within its table, and its line is named."""
    good = '[[prices]]\nprovider = "openai"\nid = "a"\ninput = 1\noutput = 1\n'

    with pytest.raises(ConfigError, match=r"row 2 of \[\[prices\]\], line 6: id is missing"):
        rows(good + '[[prices]]\nprovider = "openai"\n')


def test_a_mistake_is_an_error_of_a_row_and_of_resolve(tmp_path):
    """The operation that needs the file gets an error of llmkit."""
    kit = kit_with(tmp_path, "[[names]]\n")

    with pytest.raises(ConfigError, match="provider is missing"):
        kit.registry.resolve("gpt-6-luna")
