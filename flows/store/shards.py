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
_FOLDER = b"pith.folder"


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
    """Return the metadata of each file of a shard, which `read_marks` reads."""
    return {
        _SHARD: shard.name,
        _TABLES: " ".join(tables),
        _UNIT: shard.unit,
        _RUN: shard.run,
        _FOLDER: shard.folder,
    }


def shard_names(layout: Layout) -> set[str]:
    """Return the names of all shards of which a file lies in the tables."""
    found = [name for table in TABLES for name in layout.files.names(layout.table(table))]
    return {PurePosixPath(name).stem for name in found if name.endswith(".parquet")}


def read_file_marks(layout: Layout, key: str) -> ShardName | None:
    """Return what one file of a shard tells of it, or None for a Parquet file that is none.

    Raises `FileNotFoundError`, and `StoreError` for a file that cannot be read.
    """
    marks, _ = _read_marks(layout, key)
    return marks


def read_whole_marks(layout: Layout, name: str) -> ShardName | None:
    """Return what a shard's files tell of it, or None unless all of them are there.

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
    """Give the rows of one table of a shard, as tuples of these columns; none if it has no file.

    Raises `StoreError` for a file that cannot be read.
    """
    key = layout.shard(table, shard)
    with suppress(FileNotFoundError), _opened(layout, key) as file:
        for batch in file.iter_batches(batch_size=128, columns=list(columns)):
            yield from zip(*(batch.column(name).to_pylist() for name in columns), strict=True)


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
