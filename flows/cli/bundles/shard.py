"""Bundles to verify out of a Parquet shard; apart, for pyarrow takes long to import."""

import re
from collections.abc import Collection, Iterator
from typing import BinaryIO

import pyarrow as pa
import pyarrow.parquet as pq

from flows.cli.bundles.found import FoundBundle
from flows.cli.bundles.parquet_pages import BadPagesError, read_page_sizes
from transforms.encoding.strict_json import MAX_BYTES

MAX_HELD_BYTES = 128 * 2**20
"""What the pages of a shard's columns, as many as are decompressed at one time, may take together.

Those of pyarrow and polars have 1 MiB; DuckDB's end at 100 MB.
"""

MAX_RATIO = 100
"""So many times its size may a shard unpack to: a bundle has so much of keys, hashes and signatures
that it packs to a tenth at most."""

FREE_BYTES = 16 * 2**20
"""To this much any shard may unpack, whatever its size."""

ROW_BYTES = 1024
"""What a row counts at least, for rows of nothing take time too."""

_BUNDLE = "bundle"
_COLUMNS = ("pith_number", "canonical_sha256", "bundle_sha256")
_TEXTS = {pa.string(), pa.large_string(), pa.binary(), pa.large_binary()}
_BATCH_ROWS = 16
_BATCH_BYTES = 64 * 2**20
_BUFFER_BYTES = 2**20
_MAX_FOOTER_ITEMS = 100_000
_OTHER_WRITER = re.compile(
    r"(?!.*parquet-mr)|parquet-mr version (?:[2-9]|1\.(?:[3-9]|\d\d|2\.(?:9|\d\d)))",
    re.IGNORECASE | re.DOTALL,
)
"""Of the files of parquet-mr before 1.2.9 pyarrow reads more than a column is said to have."""

_UNREADABLE = (OSError, ValueError, LookupError, ArithmeticError, MemoryError, pa.ArrowException)
"""What a damaged file makes pyarrow raise: names that are not UTF-8 are a `ValueError`."""


class NoBundlesError(ValueError):
    """Parquet, but no table of bundles; the message says what is missing."""


def may_hold_bundles(file: BinaryIO) -> bool:
    """Return whether it may hold bundles; what cannot be read may, for it is to be reported."""
    try:
        with _opened(file) as shard:
            return _BUNDLE in shard.schema_arrow.names
    except _UNREADABLE:
        return True


def read_shard(path: str, file: BinaryIO) -> Iterator[FoundBundle]:
    """Yield the rows of a shard; damage ends it, and is reported after the rows before it.

    So does what exceeds the limits above, which hold time and memory to a multiple of the file's
    size.
    """
    row = 0
    try:
        with _opened(file) as shard:
            columns = _columns(shard)
            room = max(FREE_BYTES, MAX_RATIO * file.seek(0, 2))
            # A pool of threads costs a batch this small more than it gives.
            batches = shard.iter_batches(
                _rows_at_once(columns.values(), file), columns=list(columns), use_threads=False
            )
            for found in _rows(path, batches, room):
                yield found
                row += 1
            if row < shard.metadata.num_rows:
                reason = f"Parquet, but it ends after {row} of {shard.metadata.num_rows} rows"
                yield FoundBundle(path, None, reason, row)
    except (NoBundlesError, BadPagesError) as error:
        yield FoundBundle(path, None, f"Parquet, but {error}", row)
    except _UNREADABLE as error:
        reason = (str(error).splitlines() or ["damaged"])[0]
        yield FoundBundle(path, None, f"cannot be read as Parquet: {reason}", row)


def _opened(file: BinaryIO) -> pq.ParquetFile:
    # Not mapped into memory: who shortens a mapped file while it is read ends this process.
    return pq.ParquetFile(
        file,
        buffer_size=_BUFFER_BYTES,
        pre_buffer=False,
        thrift_container_size_limit=_MAX_FOOTER_ITEMS,
        arrow_extensions_enabled=False,
    )


def _columns(shard: pq.ParquetFile) -> dict[str, int]:
    """Return the index of each column to read, by name; each is one of bytes, and there is one."""
    if not _OTHER_WRITER.match(shard.metadata.created_by or ""):
        raise NoBundlesError("of a version of parquet-mr that says wrong sizes; write it again")
    columns = [shard.schema.column(index) for index in range(len(shard.schema))]
    indices = {}
    for name in (_BUNDLE, *_COLUMNS):
        # A group has its parts' names behind its own; pyarrow reads these as one column.
        found = [at for at, each in enumerate(columns) if f"{each.path}.".startswith(f"{name}.")]
        if len(found) > 1:
            raise NoBundlesError(f"with {len(found)} columns {name!r}")
        if not found and name != _BUNDLE:
            continue
        if not found or not _is_flat(columns[found[0]]) or not _is_read(shard, name):
            raise NoBundlesError(f"without a binary column {name!r}")
        indices[name] = found[0]
    return indices


def _is_flat(column: pq.ColumnSchema) -> bool:
    return bool(column.path == column.name and column.max_repetition_level == 0)


def _is_read(shard: pq.ParquetFile, name: str) -> bool:
    kind = shard.schema_arrow.field(name).type
    return bool(kind in ({pa.binary()} if name == _BUNDLE else _TEXTS))


def _rows_at_once(columns: Collection[int], file: BinaryIO) -> int:
    """Return how many rows are read at one time, after a look at the sizes of all pages."""
    largest = 1
    for sizes in read_page_sizes(file, columns):
        held = sum(size.held for size in sizes)
        if held > MAX_HELD_BYTES:
            raise NoBundlesError(
                f"its pages unpack to {held} bytes, more than {MAX_HELD_BYTES} at one time"
            )
        largest = max(largest, *(size.largest for size in sizes))
    return max(1, min(_BATCH_ROWS, _BATCH_BYTES // largest))


def _rows(path: str, batches: Iterator[pa.RecordBatch], room: int) -> Iterator[FoundBundle]:
    """Yield the rows as long as they take no more than `room` bytes."""
    row = 0
    for batch in batches:
        for found in batch.to_pylist():
            room -= ROW_BYTES + sum(map(len, filter(None, found.values())))
            if room < 0:
                raise NoBundlesError(f"it unpacks to more than {MAX_RATIO} times its size")
            data = found.pop(_BUNDLE)
            if data is None:
                yield FoundBundle(path, None, "the row has no bundle", row, found)
            else:
                yield FoundBundle(path, data[: MAX_BYTES + 1], "", row, found)
            row += 1
