"""Writing a shard: rows to compressed tables, tables to durable files that have no name yet."""

from array import array
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import accumulate
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from flows.common.errors import StoreError
from flows.store.files.local import Files
from flows.store.layout import TABLES, Layout
from flows.store.ledger import MEND, CommittedFile
from flows.store.parquet.schema import GROUP_ROWS, REPEATING, SCHEMAS, STATISTICS
from flows.store.parquet.shards import ShardName, WrittenFile, make_marks
from transforms.encoding.digest import sha256, to_hex

Row = tuple[Any, ...]
"""A row's fields in the order of its table's schema."""


@dataclass(frozen=True, slots=True)
class UnnamedFile:
    """A table file of a shard: durable, but still where no reader looks for it."""

    temporary: str
    key: str
    written: WrittenFile


@dataclass(slots=True)
class ShardWriter:
    """The tables of one shard on their way; what is added is compressed at once, in row groups."""

    _sinks: dict[str, pa.BufferOutputStream] = field(default_factory=dict)
    _writers: dict[str, pq.ParquetWriter] = field(default_factory=dict)

    def begin(self, table: str) -> pq.ParquetWriter:
        """Make a table part of the shard, even if no row comes, and return its writer."""
        if table not in self._writers:
            self._sinks[table] = pa.BufferOutputStream()
            self._writers[table] = pq.ParquetWriter(
                self._sinks[table],
                SCHEMAS[table],
                compression="zstd",
                # For what does not repeat a dictionary is tried in vain, value by value.
                use_dictionary=REPEATING[table],
                write_statistics=STATISTICS[table],
            )
        return self._writers[table]

    def add(self, table: str, rows: Sequence[Row]) -> None:
        """Add rows to a table; no rows leave a table out."""
        if not rows:
            return
        schema = SCHEMAS[table]
        columns = [
            _array(column, field.type)
            for column, field in zip(zip(*rows, strict=True), schema, strict=True)
        ]
        self.begin(table).write_batch(
            pa.RecordBatch.from_arrays(columns, schema=schema), GROUP_ROWS.get(table)
        )

    def write(self, layout: Layout, shard: ShardName) -> list[UnnamedFile]:
        """Write what was added as the files of `shard`, which do not count before `name_shard`.

        Each file's metadata names the shard and its tables, so that a shard of which a file is
        missing can be told from a whole one.
        """
        tables = [table for table in TABLES if table in self._writers]
        files = []
        for table in tables:
            self._writers[table].add_key_value_metadata(make_marks(shard, tables))
            self._writers[table].close()
            data = self._sinks[table].getvalue()
            key = layout.shard(table, shard.name)
            written = WrittenFile(layout.files.location(key), data.size, to_hex(sha256(data)))
            temporary = layout.files.write_unnamed(key, memoryview(data))
            files.append(UnnamedFile(temporary, key, written))
        return files


def _array(values: Sequence[Any], kind: pa.DataType) -> pa.Array:
    """Return a column; the large values of a binary one are copied once, not as an array grows.

    A time that all rows have, as that of issuing, is converted once: each takes a quarter of a
    microsecond, and a paper's rows have six.
    """
    if pa.types.is_timestamp(kind) and values.count(values[0]) == len(values):
        return pa.repeat(pa.scalar(values[0], kind), len(values))
    if kind != pa.binary():
        return pa.array(values, kind)
    ends = array("i", accumulate(map(len, values), initial=0))
    buffers = [None, pa.py_buffer(ends), pa.py_buffer(b"".join(values))]
    return pa.BinaryArray.from_buffers(kind, len(values), buffers)


def committed_files(files: Sequence[UnnamedFile]) -> list[CommittedFile]:
    """Return what the ledger says of the files of a shard."""
    return [
        CommittedFile(file.key, file.written.size, file.written.sha256, file.temporary)
        for file in files
    ]


def refuse_taken_names(files: Files, new: Sequence[UnnamedFile]) -> None:
    """Raise `StoreError` where a file that is none of the ledger's has the name of a new one."""
    for file in new:
        if files.exists(file.key):
            raise StoreError(
                f"{files.location(file.key)}, which a new shard needs, is not of this data folder; "
                f"{MEND}"
            )


def name_shard(layout: Layout, files: Sequence[UnnamedFile]) -> None:
    """Move the files of a committed shard to their names."""
    layout.files.name((file.temporary, file.key) for file in files)


def discard(layout: Layout, files: Sequence[UnnamedFile]) -> None:
    """Remove the files of a shard that shall not count."""
    layout.files.remove(file.temporary for file in files)
