"""Where bundles to verify come from: files, folders, Parquet shards, standard input."""

import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from flows.errors import ConfigError
from transforms.strict_json import MAX_BYTES

STANDARD_INPUT = Path("-")

_COLUMNS = ("pith_number", "canonical_sha256", "bundle_sha256")
_BATCH_ROWS = 16


@dataclass(frozen=True, slots=True)
class FoundBundle:
    """The bytes of one bundle, or None with the reason why they could not be read.

    `row` counts the rows of a Parquet file from 0; `columns` is what the row says beside.
    """

    path: str
    data: bytes | None
    unreadable: str = ""
    row: int | None = None
    columns: dict[str, object] | None = None


def read_sources(paths: Sequence[Path]) -> Iterator[FoundBundle]:
    """Give the bundles at `paths`, one at a time, each at most one byte larger than allowed.

    A file named *.parquet is a shard with a binary column `bundle`, `-` is standard input, any
    other file one bundle. A folder is searched for *.json, and for *.parquet with that column;
    one that holds neither raises `ConfigError`.
    """
    for path in paths:
        if path == STANDARD_INPUT:
            yield FoundBundle("-", sys.stdin.buffer.read(MAX_BYTES + 1))
        elif path.is_dir():
            yield from _read_folder(path)
        else:
            yield from _read_file(path)


def _read_folder(folder: Path) -> Iterator[FoundBundle]:
    inside = sorted(
        path
        for path in folder.rglob("*")
        if path.suffix == ".json" or (path.suffix == ".parquet" and not _is_another_table(path))
    )
    if not inside:
        raise ConfigError(f"{folder} holds no bundles (*.json, or *.parquet with bundles)")
    for path in inside:
        yield from _read_file(path)


def _read_file(path: Path) -> Iterator[FoundBundle]:
    if path.suffix == ".parquet":
        yield from _read_shard(path)
        return
    try:
        with path.open("rb") as stream:
            yield FoundBundle(str(path), stream.read(MAX_BYTES + 1))
    except OSError as error:
        yield FoundBundle(str(path), None, error.strerror or str(error))


def _is_another_table(path: Path) -> bool:
    """Tell whether it is Parquet without bundles; what cannot be read is to be reported."""
    try:
        return "bundle" not in pq.read_schema(path).names
    except (OSError, pa.ArrowException):
        return False


def _read_shard(path: Path) -> Iterator[FoundBundle]:
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
