"""The commands that read what is kept: `show` and `find`; they never write and need no lock."""

import re
import shutil
import sys
from contextlib import closing
from typing import Any

import polars as pl
import typer

from flows.config import Config
from flows.desks import layout_of
from flows.errors import ConfigError, StoreError
from flows.screen import printable
from flows.store.catalog import Catalog, KnownRecord
from flows.store.layout import Layout
from flows.store.shards import find_bundles
from flows.store.shared import readable_catalog
from transforms.search_keys import ascii_key
from transforms.strict_json import read_json

_NUMBER = re.compile(r"pith:(\d{4}):([A-Z2-7]{26})", re.ASCII)
_SHORT_NUMBER = re.compile(r"(?:pith:)?([A-Z2-7]{8,26})", re.ASCII)


def print_record(config: Config, name: str) -> None:
    """Print a summary of the newest record that `name` (an arXiv id or a number) stands for."""
    layout = layout_of(config)
    records = _find_records(layout, name)
    record = records[-1]
    bundle = read_json(_bundle_of(layout, record))
    shown = bundle["state"]["current"]["graph_snapshots"][-1]["payload"]["graph_snapshot"]["paper"]
    receipt = bundle["events"][0]["payload"]["receipt"]
    lines = {
        "Pith Number": record.pith_number,
        "short": bundle["short_pith_number"],
        "arXiv": f"{record.arxiv_id}v{record.version}",
        "title": shown["title"],
        "authors": shown["authors_text"],
        "categories": " ".join([shown["primary_cat"], *shown["cross_cats"]]),
        "submitted": shown["submitted_at"],
        "licence": shown["license"] or "none given",
        "sha256": bundle["canonical_sha256"],
        "first computed": receipt["first_computed_at"],
        "signed by": f"{bundle['events'][0]['signer']['signer_id']}, key {receipt['key_id']}",
        "events": str(len(bundle["events"])),
        "bundle": layout.files.place(layout.bundle(record.pith_number)),
    }
    for label, value in lines.items():
        typer.echo(f"{label:<15} {printable(value)}")
    if _has_vanished(layout, record.arxiv_id):
        typer.echo(f"{'vanished':<15} arXiv has no such paper any more")
    for older in records[:-1]:
        typer.echo(f"{'older record':<15} {older.pith_number} (v{older.version})")


def print_bundle(config: Config, name: str) -> None:
    """Write the exact bytes of the newest bundle that `name` stands for to standard output."""
    layout = layout_of(config)
    sys.stdout.buffer.write(_bundle_of(layout, _find_records(layout, name)[-1]))


def print_matches(config: Config, text: str, limit: int) -> None:
    """Print the papers whose title or authors hold every word of `text`, the newest first."""
    matches = _matches(layout_of(config), text)
    width = shutil.get_terminal_size().columns if sys.stdout.isatty() else None
    for row in matches.head(limit).iter_rows(named=True):
        first, *others = row["author_names"] or [row["authors"]]
        by = f"{first} et al." if others else first
        line = f"{row['arxiv_id']:<12} {row['pith_number']}  {row['title']} / {by}"
        typer.echo(printable(line)[:width])
    if matches.height > limit:
        typer.echo(f"{matches.height - limit} more; see them with --limit {matches.height}")


def _matches(layout: Layout, text: str) -> pl.DataFrame:
    with closing(open_catalog(layout)) as catalog:
        counted = {f"{name}.parquet" for name in catalog.shard_names()}
    folder = layout.table("papers")
    there = sorted(counted.intersection(layout.files.names(folder)))
    files = [layout.files.place(f"{folder}/{name}") for name in there]
    words = ascii_key(text).lower().split()
    searched = pl.concat_str("title_ascii", "authors_ascii", separator=" ").str.to_lowercase()
    matching: list[Any] = [searched.str.contains(word, literal=True) for word in words]
    papers = (
        pl.scan_parquet(files)
        .filter(*matching)
        .select(
            "arxiv_id", "pith_number", "title", "authors", "author_names", "version", "issued_at"
        )
    )
    newest = papers.sort("version", "issued_at").unique(
        "arxiv_id", keep="last", maintain_order=True
    )
    try:
        return newest.sort("arxiv_id").collect()
    except (OSError, pl.exceptions.PolarsError):
        if layout.objects is None:
            raise
        # Polars asks the store by itself, and its errors may quote what was signed.
        raise StoreError(f"cannot read the tables in {layout.place}") from None


def _find_records(layout: Layout, name: str) -> list[KnownRecord]:
    with closing(open_catalog(layout)) as catalog:
        if match := _NUMBER.fullmatch(name):
            found = list(catalog.known([name]).values())
        elif match := _SHORT_NUMBER.fullmatch(name):
            found = catalog.of_prefix(match[1])
        else:
            found = catalog.of_arxiv_id(name)
    if not found:
        raise ConfigError(f"nothing is known of {name!r:.80} in {layout.place}")
    return found


def _has_vanished(layout: Layout, arxiv_id: str) -> bool:
    with closing(open_catalog(layout)) as catalog:
        return catalog.has_vanished(arxiv_id)


def open_catalog(layout: Layout) -> Catalog:
    """Open the catalog for reading; raises `StoreError` where there is none yet."""
    file = readable_catalog(layout)
    if not file.exists():
        raise StoreError(f"there are no records in {layout.place} yet; run a backfill first")
    return Catalog.open(file, read_only=True)


def _bundle_of(layout: Layout, record: KnownRecord) -> bytes:
    return find_bundles(layout, record.shard, [record.pith_number])[record.pith_number]
