"""Parquet shards: one unit of work's rows, at most one file per table."""

import hashlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from flows.errors import StoreError
from flows.store.files import finish, unfinished
from flows.store.layout import TABLES, Layout
from flows.store.schemas import SCHEMAS

Rows = Mapping[str, Sequence[dict[str, Any]]]

_SHARD, _TABLES, _UNIT, _RUN = b"pith.shard", b"pith.tables", b"pith.unit", b"pith.run"


@dataclass(frozen=True, slots=True)
class ShardName:
    """A shard, the unit of work that it came from, and the run that wrote it."""

    name: str
    unit: str
    run: str


@dataclass(frozen=True, slots=True)
class WrittenFile:
    """A file of a table, for the report: path, bytes, sha256 (hex)."""

    path: str
    size: int
    sha256: str


def write_shard(layout: Layout, shard: ShardName, rows: Rows) -> list[WrittenFile]:
    """Write the rows of each table that has any; all files are durable before the first is named.

    The same name again replaces. Each file's metadata tells the shard and its tables, so that a
    shard of which a file is missing can be told from a whole one.
    """
    filled = [table for table in TABLES if rows.get(table)]
    marks = {
        _SHARD: shard.name,
        _TABLES: " ".join(filled),
        _UNIT: shard.unit,
        _RUN: shard.run,
    }
    written = []
    for table in filled:
        path = layout.shard(table, shard.name)
        path.parent.mkdir(parents=True, exist_ok=True)
        data = pa.Table.from_pylist(list(rows[table]), schema=SCHEMAS[table].with_metadata(marks))
        pq.write_table(data, unfinished(path), compression="zstd")
        written.append(_describe(unfinished(path), path))
    for table in filled:
        finish(layout.shard(table, shard.name))
    return written


def _describe(temporary: Path, path: Path) -> WrittenFile:
    with temporary.open("rb") as file:
        sha256 = hashlib.file_digest(file, "sha256").hexdigest()
        return WrittenFile(str(path), file.tell(), sha256)


def remove_shard(layout: Layout, name: str) -> None:
    """Remove whatever files a shard has."""
    for table in TABLES:
        layout.shard(table, name).unlink(missing_ok=True)


def shard_names(layout: Layout) -> set[str]:
    """Return the names of all shards of which a file lies in the tables."""
    return {path.stem for table in TABLES for path in layout.table(table).glob("*.parquet")}


def remove_unfinished(layout: Layout) -> int:
    """Remove the temporary files that a killed run left in the tables; return how many."""
    left = [path for table in TABLES for path in layout.table(table).glob(".*.tmp")]
    for path in left:
        path.unlink()
    return len(left)


def read_marks(layout: Layout, name: str) -> ShardName | None:
    """Return what a shard's files tell of it, or None if one of its files is missing.

    Raises `StoreError` for a file that cannot be read.
    """
    found = [layout.shard(table, name) for table in TABLES if layout.shard(table, name).exists()]
    for path in found:
        with _opened(path) as file:
            marks = file.schema_arrow.metadata or {}
    tables = marks.get(_TABLES, b"").decode().split()
    if not tables or not all(layout.shard(table, name).exists() for table in tables):
        return None
    return ShardName(name, marks[_UNIT].decode(), marks[_RUN].decode())


def read_rows(
    layout: Layout, table: str, shard: str, columns: Sequence[str]
) -> Iterator[tuple[Any, ...]]:
    """Give the rows of one table of a shard, as tuples of these columns; none if it has no file.

    Raises `StoreError` for a file that cannot be read.
    """
    path = layout.shard(table, shard)
    if not path.exists():
        return
    with _opened(path) as file:
        for batch in file.iter_batches(batch_size=1024, columns=list(columns)):
            yield from zip(*(batch.column(name).to_pylist() for name in columns), strict=True)


def read_table(layout: Layout, table: str, shard: str) -> Iterator[dict[str, Any]]:
    """Give the whole rows of one table of a shard, as they were written."""
    columns = SCHEMAS[table].names
    for values in read_rows(layout, table, shard, columns):
        yield dict(zip(columns, values, strict=True))


def find_bundles(layout: Layout, shard: str, numbers: Iterable[str]) -> dict[str, bytes]:
    """Return the exact bytes of the newest bundles with these Pith Numbers in one shard."""
    wanted = set(numbers)
    return {
        number: bundle
        for number, bundle in read_rows(layout, "bundles", shard, ["pith_number", "bundle"])
        if number in wanted
    }


@contextmanager
def _opened(path: Path) -> Iterator[pq.ParquetFile]:
    try:
        with pq.ParquetFile(path) as file:
            yield file
    except (OSError, pa.ArrowException) as error:
        reason = str(error).splitlines()[0]
        raise StoreError(f"cannot read the shard {path}: {reason}") from None
