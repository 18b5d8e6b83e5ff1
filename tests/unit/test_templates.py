"""Variables in a prompt, by name only."""

from __future__ import annotations

import pytest

from llmkit.errors import ConfigError
from llmkit.notebook.templates import fill_template

HARMLESS = (
    'JSON {"a": {"b": 1}}, f"{x}", $HOME, %d, 100 %, \\n, {0.__class__}, {{ }}, {{a.b}}, {{a[0]}}'
)


def test_a_name_in_double_braces_is_filled_in():
    """`{{name}}` becomes the variable's text."""
    assert fill_template("About {{topic}}: {{ n }}", {"topic": "heat", "n": 3}) == "About heat: 3"


def test_everything_else_arrives_as_it_was_written():
    """Braces, dollars, percents and attribute look-ups are ordinary text."""
    assert fill_template(HARMLESS, {"x": 1, "a": 2}) == HARMLESS


def test_what_was_filled_in_is_not_filled_again():
    """A variable's text cannot read another variable."""
    assert fill_template("{{a}}", {"a": "{{b}}", "b": "secret"}) == "{{b}}"


def test_an_unknown_name_is_an_error_with_near_names():
    """A misspelling is named, with similar variables."""
    with pytest.raises(ConfigError, match="variable 'topc' is not defined; did you mean topic"):
        fill_template("{{topc}}", {"topic": 1})
