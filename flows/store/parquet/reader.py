"""A shard's commit, read back from the shard."""

from collections.abc import Iterator

from flows.store.catalog.records import UNKNOWN_SNAPSHOT, Commit, record_row
from flows.store.catalog.window import Window
from flows.store.catalog.windows import DoneWindow
from flows.store.layout import Layout
from flows.store.parquet.shards import ShardName, damaged, read_rows
from transforms.encoding.digest import Digest, from_hex, sha256, to_hex


def read_commit(layout: Layout, shard: ShardName) -> Commit:
    """Return what a whole shard adds to a catalog.

    The snapshot of a bundle without a row in `papers`, of a shard that was repaired, is not known:
    when its paper comes again, the row is made. Raises `StoreError` for a file that cannot be read.
    """
    papers = dict(read_rows(layout, "papers", shard.name, ["pith_number", "datestamp"]))
    columns = ["arxiv_id", "version", "pith_number", "shown_sha256", "issued_at"]
    bundles = read_rows(layout, "bundles", shard.name, columns)
    records = tuple(
        record_row(
            arxiv_id,
            version,
            number,
            _digest(layout, shard, snapshot) if number in papers else UNKNOWN_SNAPSHOT,
            papers.get(number),
            issued_at,
        )
        for arxiv_id, version, number, snapshot, issued_at in bundles
    )
    raw = read_rows(layout, "rejects", shard.name, ["raw"])
    vanished = read_rows(layout, "vanished", shard.name, ["arxiv_id"])
    return Commit(
        shard,
        records,
        tuple(to_hex(sha256(data)) for (data,) in raw),
        tuple(arxiv_id for (arxiv_id,) in vanished),
        tuple(_windows(layout, shard)),
    )


def _windows(layout: Layout, shard: ShardName) -> Iterator[DoneWindow]:
    columns = ["set_spec", "first", "until", "started_at", "listed_at", "listed"]
    for set_spec, first, until, started_at, listed_at, listed in read_rows(
        layout, "windows", shard.name, columns
    ):
        # Shards of 0.1.0 do not say when the list was asked for, nor did their windows compare
        # days. But what changes after a window began leaves the days that were over by then, so
        # these are proven all the same.
        window = Window(set_spec or None, first, until)
        yield DoneWindow(window, started_at, listed_at or started_at, listed)


def _digest(layout: Layout, shard: ShardName, text: str) -> Digest:
    try:
        return from_hex(text)
    except ValueError:
        raise damaged(
            layout, "bundles", shard.name, "has a shown_sha256 that is no SHA-256"
        ) from None
