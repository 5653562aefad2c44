"""A data folder as an older version left it."""

import shutil
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path

import pyarrow.parquet as pq

from flows.common.errors import StoreError
from flows.store.layout import Layout
from flows.store.repair.rebuild import make_catalog, take_up_older


def shard_files(folder: Path, table: str) -> list[Path]:
    return sorted((folder / "data" / "tables" / table).glob("*.parquet"))


def drop_columns(folder: Path, table: str, *columns: str) -> None:
    """Write a table's files again as a program that did not know these columns yet wrote them."""
    for file in shard_files(folder, table):
        marks = {key: value for key, value in pq.read_metadata(file).metadata.items()
                 if key.startswith(b"pith.")}  # fmt: skip
        older = pq.read_table(file).drop_columns(list(columns))
        pq.write_table(older.replace_schema_metadata(marks), file)
    commit_again(Layout(folder / "data"))


def commit_again(layout: Layout) -> None:
    """Have the ledger say of the tables what they are now."""
    shutil.rmtree(layout.root / "ledger")
    for name in ("folder.json", "catalog.sqlite", "catalog.sqlite.sha256"):
        (layout.root / name).unlink(missing_ok=True)
    with suppress(StoreError):  # of a shard without a column that it needs
        make_catalog(layout, take_up_older(layout, datetime.now(UTC)))
