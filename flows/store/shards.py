"""Parquet shards: one unit of work's rows, at most one file per table."""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from flows.errors import StoreError
from flows.store.layout import TABLES, Layout

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


def make_marks(shard: ShardName, tables: Sequence[str]) -> dict[bytes, str]:
    """Return the metadata of each file of a shard, which `read_marks` reads."""
    return {
        _SHARD: shard.name,
        _TABLES: " ".join(tables),
        _UNIT: shard.unit,
        _RUN: shard.run,
    }


def remove_shard(layout: Layout, name: str) -> None:
    """Remove whatever files a shard has."""
    layout.files.remove(layout.shard(table, name) for table in TABLES)


def shard_names(layout: Layout) -> set[str]:
    """Return the names of all shards of which a file lies in the tables."""
    found = [name for table in TABLES for name in layout.files.names(layout.table(table))]
    return {PurePosixPath(name).stem for name in found if name.endswith(".parquet")}


def read_marks(layout: Layout, name: str) -> ShardName | None:
    """Return what a shard's files tell of it, or None if one of its files is missing.

    Raises `StoreError` for a file that cannot be read.
    """
    marks: dict[bytes, bytes] = {}
    found = set()
    for table in TABLES:
        with suppress(FileNotFoundError), _opened(layout, layout.shard(table, name)) as file:
            found.add(table)
            marks = file.metadata.metadata or {}
    tables = marks.get(_TABLES, b"").decode().split()
    if not tables or not found.issuperset(tables):
        return None
    return ShardName(name, marks[_UNIT].decode(), marks[_RUN].decode())


def read_rows(
    layout: Layout, table: str, shard: str, columns: Sequence[str]
) -> Iterator[tuple[Any, ...]]:
    """Give the rows of one table of a shard, as tuples of these columns; none if it has no file.

    A column that an older shard does not have is None in all its rows. Raises `StoreError` for a
    file that cannot be read.
    """
    key = layout.shard(table, shard)
    with suppress(FileNotFoundError), _opened(layout, key) as file:
        for batch in file.iter_batches(batch_size=128, columns=list(columns)):
            yield from zip(*(_values(batch, name) for name in columns), strict=True)


def _values(batch: pa.RecordBatch, column: str) -> list[Any]:
    return (
        batch.column(column).to_pylist()
        if column in batch.schema.names
        else [None] * batch.num_rows
    )


def find_bundles(layout: Layout, shard: str, numbers: Iterable[str]) -> dict[str, bytes]:
    """Return the exact bytes of the newest bundles with these Pith Numbers in one shard."""
    wanted = set(numbers)
    return {
        number: bundle
        for number, bundle in read_rows(layout, "bundles", shard, ["pith_number", "bundle"])
        if number in wanted
    }


@contextmanager
def _opened(layout: Layout, key: str) -> Iterator[pq.ParquetFile]:
    """Open a table's file; raises `FileNotFoundError`, and `StoreError` for any other trouble."""
    try:
        with layout.files.opened(key) as source, pq.ParquetFile(source) as file:
            yield file
    except FileNotFoundError:
        raise
    except (OSError, pa.ArrowException) as error:
        reason = str(error).splitlines()[0]
        raise StoreError(f"cannot read the shard {layout.files.place(key)}: {reason}") from None
