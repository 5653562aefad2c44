"""What an answer to a person is made of: lines, labelled fields, tables.

Texts may come from anywhere: what shows them makes them printable, and reads no markup in them.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from flows.common.terminal import Line

Cell = str | Line
"""A value of a field or of a table: a text, with a tone of its own where it is a line."""


@dataclass(frozen=True, slots=True)
class Fields:
    """Labels and their values, the values below each other; none is ever cut."""

    rows: Sequence[tuple[str, Cell]]


@dataclass(frozen=True, slots=True)
class Column:
    """A column of a table. What is `whole` (an id, a number) is never cut; other text may be."""

    title: str
    whole: bool = False
    is_number: bool = False


@dataclass(frozen=True, slots=True)
class Table:
    """Rows of cells below titles, which are left out where all of them are empty.

    On a terminal each row takes one line, and what is not `whole` is cut with `…` to fit; where not
    even the whole columns fit, the cells of a row stand below each other.
    """

    columns: Sequence[Column]
    rows: Sequence[Sequence[Cell]]


Block = Line | Fields | Table


def text_of(cell: Cell) -> str:
    """Return a cell's text without its tone."""
    return cell if isinstance(cell, str) else cell.text
