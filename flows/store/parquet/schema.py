"""The Parquet schemas of the tables, made of what `transforms.tables.schema` declares."""

from datetime import date, datetime
from typing import Any

import pyarrow as pa

from transforms.tables.columns import NamedColumn, columns_of
from transforms.tables.schema import TABLES

_TYPES: dict[Any, pa.DataType] = {
    str: pa.string(),
    bytes: pa.binary(),
    bool: pa.bool_(),
    int: pa.int64(),
    date: pa.date32(),
    datetime: pa.timestamp("us", tz="UTC"),
    list[str]: pa.list_(pa.string()),
    tuple[str, ...]: pa.list_(pa.string()),
}
_KINDS: dict[str, pa.DataType] = {
    "int32": pa.int32(),
    "seconds": pa.timestamp("ms", tz="UTC"),  # Parquet knows no coarser unit
}


def _field(named: NamedColumn) -> pa.Field:
    name, kind, nullable, column = named
    if column.items:
        arrow = pa.list_(pa.struct(list(map(_field, columns_of(column.items)))))
    else:
        arrow = _KINDS[column.kind] if column.kind else _TYPES[kind]
    return pa.field(name, arrow, nullable=nullable)


_COLUMNS = {name: list(columns_of(table.row)) for name, table in TABLES.items()}

SCHEMAS: dict[str, pa.Schema] = {
    table: pa.schema(list(map(_field, columns))) for table, columns in _COLUMNS.items()
}

REQUIRED: dict[str, set[str]] = {
    table: {named.name for named in columns if not named.nullable}
    for table, columns in _COLUMNS.items()
}
"""The columns that every shard has."""

REPEATING: dict[str, list[str]] = {
    table: [named.name for named in columns if named.column.repeats]
    for table, columns in _COLUMNS.items()
}
"""The columns whose values come again and again: written once each, as a dictionary."""

STATISTICS: dict[str, list[str]] = {
    table: [named.name for named in columns if named.column.bounds]
    for table, columns in _COLUMNS.items()
}
"""The columns whose smallest and largest values help a reader to pass over row groups."""

GROUP_ROWS: dict[str, int] = {
    table: declared.group_rows for table, declared in TABLES.items() if declared.group_rows
}
"""The most rows of a row group; else as they are added."""
