"""The command `find`: papers by words of their titles or authors."""

import shutil
import sys
from contextlib import closing
from typing import TYPE_CHECKING, Annotated

import typer

from flows.cli.options import ConfigOption, DataOption, load
from flows.common.terminal import echo, printable

if TYPE_CHECKING:
    import polars as pl

    from flows.common.config import Config
    from flows.store.layout import Layout

_COLUMNS = ("arxiv_id", "pith_number", "title", "authors", "author_names", "version", "issued_at")
_SEARCHED = ("title_ascii", "authors_ascii")


def find(
    text: Annotated[
        str, typer.Argument(metavar="[TEXT]", help="Words of title or authors; all papers if none.")
    ] = "",
    limit: Annotated[int, typer.Option(min=1, help="How many papers to list at the most.")] = 20,
    config: ConfigOption = None,
    data: DataOption = None,
) -> None:
    """Find papers by words of their title or authors, typed without accents.

    Examples:
        pith-ingest find schrodinger
        pith-ingest find 'three factors' --limit 5 --data data/demo
    """
    print_matches(load(config, data), text, limit)


def print_matches(config: "Config", text: str, limit: int) -> None:
    """Print the papers whose title or authors hold every word of `text`, the newest first."""
    from flows.ingest.worker_context import layout_of

    matches = _matches(layout_of(config), text)
    width = shutil.get_terminal_size().columns if sys.stdout.isatty() else None
    for row in matches.head(limit).iter_rows(named=True):
        first, *others = row["author_names"] or [row["authors"]]
        by = f"{first} et al." if others else first
        line = f"{row['arxiv_id']:<12} {row['pith_number']}  {row['title']} / {by}"
        echo(printable(line)[:width])
    if matches.height > limit:
        echo(f"{matches.height - limit} more; see them with --limit {matches.height}")


def _matches(layout: "Layout", text: str) -> "pl.DataFrame":
    # Here, for Polars takes long to import.
    import polars as pl
    import pyarrow as pa

    from flows.common.errors import StoreError
    from flows.store.parquet.schema import SCHEMAS
    from transforms.paper.search_keys import ascii_key

    columns = [SCHEMAS["papers"].field(name) for name in (*_COLUMNS, *_SEARCHED)]
    schema = pl.Schema(pa.schema(columns))
    searched = pl.concat_str(*_SEARCHED, separator=" ").str.to_lowercase()
    words = ascii_key(text).lower().split()
    matching = [searched.str.contains(word, literal=True) for word in words]
    papers = (
        # Older shards lack the columns that came later, and these do not matter here.
        pl.scan_parquet(_files(layout), schema=schema, extra_columns="ignore")
        .filter(*matching)
        .select(*_COLUMNS)
    )
    newest = papers.sort("version", "issued_at").unique(
        "arxiv_id", keep="last", maintain_order=True
    )
    try:
        return newest.sort("arxiv_id").collect()
    except (OSError, pl.exceptions.PolarsError) as error:
        # Polars asks a store by itself, and its errors may quote what was signed.
        reason = "" if layout.objects else f": {str(error).splitlines()[0]}"
        raise StoreError(f"cannot read the tables in {layout.location}{reason}") from None


def _files(layout: "Layout") -> list[str]:
    """Return where the `papers` files of the shards that count lie."""
    from flows.store.catalog.copies import open_catalog

    with closing(open_catalog(layout)) as catalog:
        counted = {f"{name}.parquet" for name in catalog.shard_names()}
    folder = layout.table("papers")
    there = sorted(counted.intersection(layout.files.names(folder)))
    return [layout.files.location(f"{folder}/{name}") for name in there]
