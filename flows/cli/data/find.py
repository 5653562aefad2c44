"""The command `find`: papers by words; apart, for Polars takes long to import."""

import shutil
import sys
from contextlib import closing
from typing import Any

import polars as pl
import pyarrow as pa

from flows.cli.data.show import open_catalog
from flows.common.config import Config
from flows.common.errors import StoreError
from flows.common.terminal import echo, printable
from flows.ingest.worker_context import layout_of
from flows.store.layout import Layout
from flows.store.parquet.schema import SCHEMAS
from transforms.paper.search_keys import ascii_key

_SHOWN = ("arxiv_id", "pith_number", "title", "authors", "author_names", "version", "issued_at")
_SEARCHED = ("title_ascii", "authors_ascii")
_SCHEMA = pl.Schema(pa.schema([SCHEMAS["papers"].field(name) for name in (*_SHOWN, *_SEARCHED)]))


def print_matches(config: Config, text: str, limit: int) -> None:
    """Print the papers whose title or authors hold every word of `text`, the newest first."""
    matches = _matches(layout_of(config), text)
    width = shutil.get_terminal_size().columns if sys.stdout.isatty() else None
    for row in matches.head(limit).iter_rows(named=True):
        first, *others = row["author_names"] or [row["authors"]]
        by = f"{first} et al." if others else first
        line = f"{row['arxiv_id']:<12} {row['pith_number']}  {row['title']} / {by}"
        echo(printable(line)[:width])
    if matches.height > limit:
        echo(f"{matches.height - limit} more; see them with --limit {matches.height}")


def _matches(layout: Layout, text: str) -> pl.DataFrame:
    with closing(open_catalog(layout)) as catalog:
        counted = {f"{name}.parquet" for name in catalog.shard_names()}
    folder = layout.table("papers")
    there = sorted(counted.intersection(layout.files.names(folder)))
    files = [layout.files.place(f"{folder}/{name}") for name in there]
    words = ascii_key(text).lower().split()
    searched = pl.concat_str(*_SEARCHED, separator=" ").str.to_lowercase()
    matching: list[Any] = [searched.str.contains(word, literal=True) for word in words]
    papers = (
        # Older shards lack the columns that came later, and these do not matter here.
        pl.scan_parquet(files, schema=_SCHEMA, extra_columns="ignore")
        .filter(*matching)
        .select(*_SHOWN)
    )
    newest = papers.sort("version", "issued_at").unique(
        "arxiv_id", keep="last", maintain_order=True
    )
    try:
        return newest.sort("arxiv_id").collect()
    except (OSError, pl.exceptions.PolarsError) as error:
        # Polars asks a store by itself, and its errors may quote what was signed.
        reason = "" if layout.objects else f": {str(error).splitlines()[0]}"
        raise StoreError(f"cannot read the tables in {layout.place}{reason}") from None
