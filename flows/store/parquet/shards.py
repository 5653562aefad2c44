"""Parquet shards: one unit of work's rows, at most one file per table."""

from bisect import bisect_left
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from flows.common.errors import StoreError
from flows.common.terminal import printable
from flows.store.layout import TABLES, Layout
from flows.store.parquet.schema import REQUIRED
from transforms.tables.schema import SCHEMA_VERSION

_ASK_DOCTOR = "; 'pith-ingest doctor' tells what is damaged, and mends it"
_SHARD, _TABLES, _UNIT, _RUN = b"pith.shard", b"pith.tables", b"pith.unit", b"pith.run"
_FOLDER, _SCHEMA = b"pith.folder", b"pith.schema"


@dataclass(frozen=True, slots=True)
class ShardName:
    """A shard, the unit of work that it came from, the run that wrote it, and in which data folder.

    `folder` is the folder's id, `""` in a shard of a version that gave folders none.
    """

    name: str
    unit: str
    run: str
    folder: str


@dataclass(frozen=True, slots=True)
class WrittenFile:
    """A file of a table, for the report: path, bytes, sha256 (hex)."""

    path: str
    size: int
    sha256: str


def make_marks(shard: ShardName, tables: Sequence[str]) -> dict[bytes, str]:
    """Return the metadata of each file of a shard, which `read_file_marks` reads.

    The schema's version in it is for other readers: ours go by the columns that are there.
    """
    return {
        _SHARD: shard.name,
        _TABLES: " ".join(tables),
        _UNIT: shard.unit,
        _RUN: shard.run,
        _FOLDER: shard.folder,
        _SCHEMA: str(SCHEMA_VERSION),
    }


def shard_names(layout: Layout) -> set[str]:
    """Return the names of all shards of which a file lies in the tables."""
    found = [name for table in TABLES for name in layout.files.names(layout.table(table))]
    return {PurePosixPath(name).stem for name in found if name.endswith(".parquet")}


def read_file_marks(layout: Layout, key: str) -> ShardName | None:
    """Return what one file says of its shard, or None for a Parquet file that is none.

    Raises `FileNotFoundError`, and `StoreError` for a file that cannot be read.
    """
    marks, _ = _read_marks(layout, key)
    return marks


def read_whole_marks(layout: Layout, name: str) -> ShardName | None:
    """Return what a shard's files say of it, or None unless all of them are there.

    Raises `StoreError` for a file that cannot be read.
    """
    shard, found, expected = None, set(), {""}
    for table in TABLES:
        with suppress(FileNotFoundError):
            shard, expected = _read_marks(layout, layout.shard(table, name))
            found.add(table)
    return shard if found == expected else None


def _read_marks(layout: Layout, key: str) -> tuple[ShardName | None, set[str]]:
    """Return the shard that a file says it is of, and the tables that it says the shard has."""
    with _opened(layout, key) as file:
        marks: dict[bytes, bytes] = file.metadata.metadata or {}
    if not marks.keys() >= {_SHARD, _TABLES, _UNIT, _RUN}:
        return None, set()
    name, unit, run, folder = (
        marks.get(mark, b"").decode(errors="replace") for mark in (_SHARD, _UNIT, _RUN, _FOLDER)
    )
    return ShardName(name, unit, run, folder), set(marks[_TABLES].decode(errors="replace").split())


def read_rows(
    layout: Layout, table: str, shard: str, columns: Sequence[str]
) -> Iterator[tuple[Any, ...]]:
    """Yield the rows of one table of a shard, as tuples of these columns; none if it has no file.

    A column that is newer than the shard is None in its rows. Raises `StoreError` for a file that
    cannot be read or lacks a column that all shards have.
    """
    with suppress(FileNotFoundError), _opened(layout, layout.shard(table, shard)) as file:
        there = _columns(layout, table, shard, file, columns)
        for batch in file.iter_batches(batch_size=128, columns=[c for c in columns if c in there]):
            yield from zip(*(_values(batch, name) for name in columns), strict=True)


def _columns(
    layout: Layout, table: str, shard: str, file: pq.ParquetFile, columns: Sequence[str]
) -> set[str]:
    """Return the columns of a file; raises `StoreError` where it lacks one that all shards have."""
    there = set(file.schema_arrow.names)
    if lost := [name for name in columns if name in REQUIRED[table] - there]:
        where = layout.files.location(layout.shard(table, shard))
        raise StoreError(
            f"the shard {where} has no column {lost[0]}, which every version of pith-ingest wrote; "
            "put the file back from a copy"
        )
    return there


def _values(batch: pa.RecordBatch, name: str) -> list[Any]:
    """Return a column of a batch, or as many None where it is newer than the file."""
    if name in batch.schema.names:
        values: list[Any] = batch.column(name).to_pylist()
        return values
    return [None] * batch.num_rows


def read_rows_of(
    layout: Layout, table: str, shard: str, columns: Sequence[str], numbers: Mapping[int, str]
) -> Iterator[tuple[int, tuple[Any, ...]]]:
    """Yield single rows of one table of a shard, each with its place, which counts them from 0.

    `numbers` has the places and the Pith Number that each row should have. The file is opened
    once, and only the row groups that hold one of the rows are read. A column that is newer than
    the shard is None. Raises `StoreError` that names the file where it cannot be read or does not
    hold one of them.
    """
    left = dict(sorted(numbers.items()))
    with suppress(FileNotFoundError), _opened(layout, layout.shard(table, shard)) as file:
        names = {"pith_number", *columns} & _columns(layout, table, shard, file, columns)
        for group, start, here in _by_group(file.metadata, list(left)):
            rows = file.read_row_group(group, columns=list(names), use_threads=False)
            found = rows.column("pith_number")
            row = [rows.column(name) if name in names else None for name in columns]
            for place in here:
                at = place - start
                if found[at].as_py() == left[place]:
                    del left[place]
                    yield place, tuple(column and column[at].as_py() for column in row)
    for place, number in left.items():
        raise damaged(layout, table, shard, f"does not hold {number} in row {place}")


def damaged(layout: Layout, table: str, shard: str, what: str) -> StoreError:
    """Return the error that says what is wrong with a table's file of a shard."""
    place = layout.files.location(layout.shard(table, shard))
    return StoreError(f"{place} {what}{_ASK_DOCTOR}")


def _by_group(
    metadata: pq.FileMetaData, places: Sequence[int]
) -> Iterator[tuple[int, int, Sequence[int]]]:
    """Yield each row group that has any of these places: its index, its first place, those."""
    start = 0
    for group in range(metadata.num_row_groups):
        end = start + metadata.row_group(group).num_rows
        if here := places[bisect_left(places, start) : bisect_left(places, end)]:
            yield group, start, here
        start = end


@contextmanager
def _opened(layout: Layout, key: str) -> Iterator[pq.ParquetFile]:
    """Open a table's file; raises `FileNotFoundError`, and `StoreError` for any other trouble."""
    try:
        with layout.files.opened(key) as source, pq.ParquetFile(source) as file:
            yield file
    except FileNotFoundError:
        raise
    except (OSError, pa.ArrowException, UnicodeDecodeError, KeyError) as error:
        said = f"cannot read the shard {layout.files.location(key)}: "
        if isinstance(error, OSError) and error.strerror:
            raise StoreError(said + error.strerror) from None
        raise StoreError(said + printable(str(error).splitlines()[0]) + _ASK_DOCTOR) from None
