"""Searching the tables themselves, which needs no index: whatever a folder has is found.

The search index has no phrases, and not every folder has one; what is found does not hang on that.
"""

from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

import polars as pl
import pyarrow as pa

from flows.common.errors import StoreError
from flows.store.catalog.copies import open_catalog
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
    newest = found.top_k(most, by=["submitted_at", "arxiv_id"])
    shown = _papers(layout).join(newest.lazy().select(_KEY), on=_KEY, how="semi")
    rows = _collect(layout, shown.select(MatchingPaper._fields).unique(_KEY, keep="any"))
    papers = map(MatchingPaper._make, rows.iter_rows())
    return Matches(
        sorted(papers, key=lambda p: (p.submitted_at, p.arxiv_id), reverse=True), found.height
    )


def count_papers(layout: Layout, choices: Sequence[Sequence[SearchTerm]]) -> list[int]:
    """Return how many records have every term of each choice; raises `StoreError`."""
    columns = [
        pl.all_horizontal(*map(_matches, terms)).sum().alias(str(number))
        for number, terms in enumerate(choices)
    ]
    return list(_collect(layout, _papers(layout).select(columns)).row(0))


def words_that_begin(layout: Layout, letters: str) -> list[str]:
    """Return the words of titles and authors that begin so, the commonest first."""
    keys = _papers(layout).select(_searched().str.extract_all(rf"\b{letters}[0-9a-z]*").alias("w"))
    words = keys.explode("w").drop_nulls().group_by("w").len().sort("len", "w", descending=True)
    return _collect(layout, words)["w"].to_list()


def _papers(layout: Layout) -> pl.LazyFrame:
    columns = [SCHEMAS["papers"].field(name) for name in {*MatchingPaper._fields, *_SEARCHED}]
    # Older shards lack the columns that came later, and these do not matter here.
    return pl.scan_parquet(
        _files(layout), schema=pl.Schema(pa.schema(columns)), extra_columns="ignore"
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


def _files(layout: Layout) -> list[str]:
    """Return where the `papers` files of the shards that count lie."""
    with closing(open_catalog(layout)) as catalog:
        counted = {f"{name}.parquet" for name in catalog.shard_names()}
    folder = layout.table("papers")
    there = sorted(counted.intersection(layout.files.names(folder)))
    return [layout.files.location(f"{folder}/{name}") for name in there]
