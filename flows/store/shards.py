"""Parquet shards: one unit of work's rows, at most one file per table."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from flows.errors import StoreError
from flows.store.files import finish, unfinished
from flows.store.layout import TABLES, Layout
from flows.store.schemas import SCHEMAS

Rows = Mapping[str, Sequence[dict[str, Any]]]

_SHARD_KEY, _TABLES_KEY = b"pith.shard", b"pith.tables"


def write_shard(layout: Layout, name: str, rows: Rows) -> None:
    """Write the rows of each table that has any; all files are durable before the first is named.

    The same name again replaces. Each file's metadata tells the shard and its tables, so that a
    shard of which a file is missing can be told from a whole one.
    """
    filled = [table for table in TABLES if rows[table]]
    marks = {_SHARD_KEY: name.encode(), _TABLES_KEY: " ".join(filled).encode()}
    for table in filled:
        path = layout.shard(table, name)
        path.parent.mkdir(parents=True, exist_ok=True)
        schema = SCHEMAS[table].with_metadata(marks)
        data = pa.Table.from_pylist(list(rows[table]), schema=schema)
        pq.write_table(data, unfinished(path), compression="zstd")
    for table in filled:
        finish(layout.shard(table, name))


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


def bundles_of(layout: Layout, shard: str) -> Iterator[tuple[str, bytes]]:
    """Give the Pith Number and the exact signed bytes of each bundle in a shard."""
    path = layout.shard("bundles", shard)
    if not path.exists():
        return
    with _opened(path) as file:
        for batch in file.iter_batches(batch_size=1024, columns=["pith_number", "bundle"]):
            yield from zip(
                batch.column("pith_number").to_pylist(),
                batch.column("bundle").to_pylist(),
                strict=True,
            )


def find_bundles(layout: Layout, shard: str, numbers: Iterable[str]) -> dict[str, bytes]:
    """Return the exact bytes of the bundles with these Pith Numbers in one shard."""
    path = layout.shard("bundles", shard)
    with _opened(path) as file:
        data = file.read(columns=["pith_number", "bundle"])
    wanted = set(numbers)
    rows = zip(data["pith_number"].to_pylist(), data["bundle"].to_pylist(), strict=True)
    return {number: bundle for number, bundle in rows if number in wanted}


def source_of(layout: Layout, shard: str, arxiv_id: str) -> str:
    """Return the name of the input that a paper's row in a shard was read from."""
    with _opened(layout.shard("papers", shard)) as file:
        data = file.read(columns=["arxiv_id", "source"])
    sources = dict(zip(data["arxiv_id"].to_pylist(), data["source"].to_pylist(), strict=True))
    return str(sources[arxiv_id])


def _opened(path: Path) -> pq.ParquetFile:
    try:
        return pq.ParquetFile(path)
    except (OSError, pa.ArrowException) as error:
        raise StoreError(f"cannot read the shard {path}: {str(error).splitlines()[0]}") from None
