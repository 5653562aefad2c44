"""The text of `docs/tables.md`, made of what the tables declare.

python tests/support/stores/table_text.py > docs/tables.md
"""

import inspect
import sys
from collections.abc import Iterator
from datetime import date, datetime
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[3]
sys.path[:0] = [str(ROOT)]  # it runs as a script, wherever one stands

from transforms.tables.columns import NamedColumn, columns_of  # noqa: E402
from transforms.tables.schema import SCHEMA_VERSION, TABLES  # noqa: E402

NAMES: dict[Any, str] = {
    str: "text",
    bytes: "bytes",
    bool: "boolean",
    int: "int64",
    date: "day",
    datetime: "time in microseconds",
    list[str]: "list of texts",
    tuple[str, ...]: "list of texts",
}
KINDS = {"int32": "int32", "seconds": "time in seconds"}
INTRODUCTION = f"""# The tables

Each table is a folder of Parquet files, `data/tables/<table>/<shard>.parquet`: a shard is what one
unit of work added, with at most one file in each table. This page is written of what
`transforms/tables/schema.py` declares:
`python tests/support/stores/table_text.py > docs/tables.md`.

Each file's metadata has `pith.schema`, the version of the schema: {SCHEMA_VERSION} today.
A file without it is older than the entry, of version 1 (release 0.1.0) or 2. A new version only
adds columns: one that came later than a file is missing in it, and reads as null. Times are UTC,
sha256 are 64 hex digits.
"""


def tables_text() -> str:
    """Return the whole page."""
    return "\n".join([INTRODUCTION, *(line for table in TABLES for line in _table(table))])


def _table(name: str) -> Iterator[str]:
    row = TABLES[name].row
    yield f"## `{name}`\n\n{inspect.getdoc(row)}\n"
    yield "| column | type | null | since | |\n|---|---|---|---|---|"
    for named in columns_of(row):
        may_be_null = "yes" if named.nullable else ""
        since = named.column.since if named.column.since > 1 else ""
        kind = _kind(named)
        yield f"| `{named.name}` | {kind} | {may_be_null} | {since} | {named.column.meaning} |"
    yield ""


def _kind(named: NamedColumn) -> str:
    column = named.column
    if column.items:
        fields = ", ".join(f"`{one.name}` {_kind(one)}" for one in columns_of(column.items))
        return f"list of ({fields})"
    return KINDS[column.kind] if column.kind else NAMES[named.type]


if __name__ == "__main__":
    sys.stdout.write(tables_text())
