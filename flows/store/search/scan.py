"""Searching the tables themselves, which needs no index: whatever a folder has is found.

The search index has no phrases, and not every folder has one; what is found does not hang on that.
"""

from collections.abc import Collection, Sequence
from contextlib import closing
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

import polars as pl
import pyarrow as pa

from flows.common.errors import StoreError
from flows.store.catalog.copies import open_catalog
from flows.store.catalog.records import KnownRecord
from flows.store.layout import Layout
from flows.store.parquet.schema import SCHEMAS
from transforms.paper.search_terms import SearchTerm

_KEY = ("arxiv_id", "version", "issued_at")
_SEARCHED = ("title_ascii", "authors_ascii")


class MatchingPaper(NamedTuple):
    """A paper by its newest record that matches; the names of the fields are those of columns."""

    arxiv_id: str
    version: int
    pith_number: str
    title: str
    authors: str
    author_names: list[str]
    primary_category: str
    submitted_at: datetime
    issued_at: datetime


@dataclass(frozen=True, slots=True)
class Matches:
    """The newest papers that match, by their first versions, and how many match in all."""

    papers: list[MatchingPaper]
    count: int


def find_papers(layout: Layout, terms: Sequence[SearchTerm], most: int) -> Matches:
    """Return `most` of the papers whose title or authors have every term; without any, of all.

    Raises `StoreError` where the tables cannot be read.
    """
    matching = _papers(layout).filter(*map(_matches, terms))
    # First what decides alone: of a hundred thousand papers all columns took 14 times as long.
    one_each = (
        matching.select(*_KEY, "submitted_at")
        .sort("version", "issued_at")
        .unique("arxiv_id", keep="last")
    )
    found = _collect(layout, one_each)
    newest = found.top_k(most, by=["submitted_at", "arxiv_id"], reverse=[False, True])
    shown = _papers(layout).join(newest.lazy().select(_KEY), on=_KEY, how="semi")
    return Matches(_rows(layout, shown), found.height)


def papers_of(layout: Layout, records: Sequence[KnownRecord]) -> list[MatchingPaper]:
    """Return what the tables have of these records, the newest papers first."""
    shards = {f"{record.shard}.parquet" for record in records}
    numbers = pl.col("pith_number").is_in([record.pith_number for record in records])
    newest = _papers(layout, shards).filter(numbers).sort("issued_at")
    return _rows(layout, newest.unique("pith_number", keep="last"))


def which_match(layout: Layout, choices: Sequence[Sequence[SearchTerm]]) -> list[bool]:
    """Return of each choice of terms whether any paper has all of it; raises `StoreError`."""
    columns = [
        pl.all_horizontal(*map(_matches, terms)).any().alias(str(number))
        for number, terms in enumerate(choices)
    ]
    return list(_collect(layout, _papers(layout).select(columns)).row(0)) if columns else []


def words_that_begin(layout: Layout, letters: str, most: int) -> list[str]:
    """Return the words of titles and authors that begin so, the commonest first."""
    each = _searched().str.extract_all(rf"\b{letters}[0-9a-z]*").alias("word")
    words = _papers(layout).select(each).explode("word").drop_nulls().group_by("word").len()
    return _collect(layout, words.sort("len", "word", descending=True).head(most))["word"].to_list()


def _rows(layout: Layout, papers: pl.LazyFrame) -> list[MatchingPaper]:
    rows = _collect(layout, papers.select(MatchingPaper._fields).unique(_KEY, keep="any"))
    in_order = rows.sort("submitted_at", "arxiv_id", descending=[True, False])
    return list(map(MatchingPaper._make, in_order.iter_rows()))


def _papers(layout: Layout, shards: Collection[str] | None = None) -> pl.LazyFrame:
    columns = [SCHEMAS["papers"].field(name) for name in {*MatchingPaper._fields, *_SEARCHED}]
    # Older shards lack the columns that came later, and these do not matter here.
    return pl.scan_parquet(
        _files(layout, shards), schema=pl.Schema(pa.schema(columns)), extra_columns="ignore"
    )


def _searched() -> pl.Expr:
    return pl.concat_str(*_SEARCHED, separator="\n").str.to_lowercase()


def _matches(term: SearchTerm) -> pl.Expr:
    return _searched().str.contains(f"(?m){term.pattern}")


def _collect(layout: Layout, frame: pl.LazyFrame) -> pl.DataFrame:
    try:
        return frame.collect()
    except (OSError, pl.exceptions.PolarsError) as error:
        # Polars asks a store by itself, and its errors may quote what was signed.
        reason = "" if layout.objects else f": {str(error).splitlines()[0]}"
        raise StoreError(f"cannot read the tables in {layout.location}{reason}") from None


def _files(layout: Layout, shards: Collection[str] | None) -> list[str]:
    """Return where the `papers` files lie of these shards, or of all that count."""
    if shards is None:
        with closing(open_catalog(layout)) as catalog:
            shards = {f"{name}.parquet" for name in catalog.shard_names()}
    folder = layout.table("papers")
    there = sorted(set(shards).intersection(layout.files.names(folder)))
    return [layout.files.location(f"{folder}/{name}") for name in there]
