"""The tables as the site reads them: the shards that count, the newest first, by Polars, lazily."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from flows.common.errors import StoreError
from flows.registry.reader import RegistryReader

if TYPE_CHECKING:
    import polars as pl


def scan(reader: RegistryReader, table: str, columns: Sequence[str]) -> "pl.LazyFrame | None":
    """Return a table's columns, of newer shards first; None where no shard has the table."""
    # Here, for Polars takes long to import.
    import polars as pl
    import pyarrow as pa

    from flows.store.parquet.schema import SCHEMAS

    with reader.catalog() as catalog:
        counted = catalog.shard_names()
        order = [entry.entry.shard for entry in catalog.entries() if entry.entry.shard in counted]
    layout = reader.layout
    folder = layout.table(table)
    there = set(layout.files.names(folder))
    names = [f"{shard}.parquet" for shard in reversed(order) if f"{shard}.parquet" in there]
    if not names:
        return None
    return pl.scan_parquet(
        [layout.files.location(f"{folder}/{name}") for name in names],
        schema=pl.Schema(pa.schema([SCHEMAS[table].field(column) for column in columns])),
        missing_columns="insert",
        extra_columns="ignore",
    )


def collect(frame: "pl.LazyFrame", reader: RegistryReader) -> "pl.DataFrame":
    """Return what a lazy frame gives; raises `StoreError` where the tables cannot be read."""
    import polars as pl

    try:
        return frame.collect(engine="streaming")
    except (OSError, pl.exceptions.PolarsError) as error:
        reason = "" if reader.layout.objects else f": {str(error).splitlines()[0]}"
        raise StoreError(f"cannot read the tables in {reader.layout.location}{reason}") from None


def read_page(
    reader: RegistryReader, table: str, columns: Sequence[str], start: int, most: int
) -> tuple[list[dict[str, Any]], int]:
    """Return `most` rows of a table from place `start` on, newer shards first, and its length."""
    import polars as pl

    frame = scan(reader, table, columns)
    if frame is None:
        return [], 0
    total = int(collect(frame.select(pl.len()), reader).item())
    rows = collect(frame.slice(start, most), reader).to_dicts() if start < total else []
    return rows, total
