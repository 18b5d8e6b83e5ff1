"""The columns that the fields of a row declare."""

from __future__ import annotations

from dataclasses import dataclass, field

from llmkit.fields import COLUMNS, Column, column
from llmkit.types import Capability, Completion
from llmkit.views.columns import column_values, columns_of, dtypes
from llmkit.views.rows import Row


@dataclass(frozen=True)
class Price:
    """A value inside a line; its second column belongs to another group."""

    usd: float | None = column("float64", "US dollars", default=None, group="money")
    place: str | None = column("string", "the shop", default=None, group="question")


@dataclass(frozen=True)
class Fruit:
    """A line of a table, with a nested value, a computed column and a field without a column."""

    number: int = column("Int64", "its number", default=0, group="ids")
    name: str = column("string", "what it is called", default="", group="question")
    secret: str = ""
    price: Price = field(default=Price(), metadata={COLUMNS: Price})
    tags: tuple[str, ...] = column("string", "words for it", default=(), joined=", ", group="money")
    needs: frozenset[Capability] = column(
        "string", "in order", default=frozenset(), joined=" ", group="money"
    )

    @property
    @Column("Int64", "letters of the name", group="question")
    def letters(self) -> int:
        return len(self.name)


def test_columns_stand_in_their_group_in_the_order_of_their_fields():
    """A nested value gives its columns to their groups; a property joins the end of its group."""
    columns = columns_of(Fruit)

    assert list(dtypes(columns).items()) == [
        ("name", "string"),
        ("place", "string"),
        ("letters", "Int64"),
        ("usd", "float64"),
        ("tags", "string"),
        ("needs", "string"),
        ("number", "Int64"),
    ]
    assert columns["tags"].meaning == "words for it"


def test_a_line_has_the_values_of_its_columns():
    """Tuples are joined in their order, sets in alphabetical order; None stays None."""
    fruit = Fruit(
        name="fig",
        price=Price(usd=2.0),
        tags=("b", "a"),
        needs=frozenset({Capability.VISION, Capability.TOOLS}),
    )

    assert column_values(fruit) == {
        "number": 0,
        "name": "fig",
        "letters": 3,
        "place": None,
        "usd": 2.0,
        "tags": "b, a",
        "needs": "tools vision",
    }


def test_a_word_of_a_closed_set_is_plain_text_in_its_column():
    """A StrEnum would show its repr in a column of objects."""
    values = column_values(Completion())

    assert (type(values["status"]), values["status"]) == (str, "truncated")


def test_every_column_of_a_row_says_what_it_means():
    """A column needs a meaning, which cannot be empty."""
    assert [name for name, declared in columns_of(Row).items() if not declared.meaning] == []


def test_every_column_of_a_row_has_a_group():
    """A column without one would stand before the prompt."""
    assert [name for name, declared in columns_of(Row).items() if not declared.group] == []
