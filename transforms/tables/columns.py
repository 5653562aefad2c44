"""The columns of a row type, with all of which a schema, a file and a text are made."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple, get_args, get_type_hints

_NONE = type(None)


@dataclass(frozen=True, slots=True)
class Column:
    """The facts of a column that its Python type leaves open.

    `meaning` is its documentation. `kind` is a narrower type than the default, which is 64 bits for
    an `int` and microseconds for a `datetime`. Of a column that `repeats`, each value is written
    once, in a dictionary; one with `bounds` has its smallest and largest value written, which lets
    a reader pass over row groups. `since` is the schema version that has it first. `items` declares
    the fields of a list of structs.
    """

    meaning: str
    kind: Literal["int32", "seconds"] | None = None
    repeats: bool = False
    bounds: bool = False
    since: int = 1
    items: type[Any] | None = None


class NamedColumn(NamedTuple):
    """A column of a row type: its name, its type without `None`, whether it may be null."""

    name: str
    type: Any
    nullable: bool
    column: Column


def columns_of(row: type[Any]) -> Iterator[NamedColumn]:
    """Yield the columns that a row type declares, in order.

    One that came later than the first version is null in older shards, whatever its type says.
    """
    for name, hint in get_type_hints(row, include_extras=True).items():
        declared, column = get_args(hint)
        options = get_args(declared)
        is_optional = _NONE in options
        kind = next(one for one in options if one is not _NONE) if is_optional else declared
        yield NamedColumn(name, kind, is_optional or column.since > 1, column)
