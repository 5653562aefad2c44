"""Bundles to verify out of a Parquet shard; apart, for pyarrow takes long to import."""

from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from flows.bundle_sources import FoundBundle

_COLUMNS = ("pith_number", "canonical_sha256", "bundle_sha256")
_BATCH_ROWS = 16


def may_hold_bundles(path: Path) -> bool:
    """Tell whether it is no Parquet without bundles; what cannot be read is to be reported."""
    try:
        return "bundle" in pq.read_schema(path).names
    except (OSError, pa.ArrowException):
        return True


def read_shard(path: Path) -> Iterator[FoundBundle]:
    """Give the rows of a shard; damage ends it, and is told after the rows before it."""
    row = 0
    try:
        with pq.ParquetFile(path, memory_map=True) as file:
            schema = file.schema_arrow
            if "bundle" not in schema.names or schema.field("bundle").type != pa.binary():
                yield FoundBundle(str(path), None, "Parquet, but without a binary column 'bundle'")
                return
            names = [name for name in _COLUMNS if name in schema.names]
            # A pool of threads costs a batch this small more than it gives.
            batches = file.iter_batches(_BATCH_ROWS, columns=["bundle", *names], use_threads=False)
            for batch in batches:
                for found in batch.to_pylist():
                    data = found.pop("bundle")
                    reason = "" if data is not None else "the row has no bundle"
                    yield FoundBundle(str(path), data, reason, row, found)
                    row += 1
    except (OSError, pa.ArrowException) as error:
        reason = (str(error).splitlines() or ["damaged"])[0]
        yield FoundBundle(str(path), None, f"cannot be read as Parquet: {reason}", row)
