"""What a shard's commit said, read back from the shard."""

import hashlib

from flows.store.catalog.records import UNKNOWN_SHOWN, Commit, record_row
from flows.store.catalog.window import Window
from flows.store.catalog.windows import DoneWindow
from flows.store.layout import Layout
from flows.store.parquet.shards import ShardName, read_rows


def read_commit(layout: Layout, shard: ShardName) -> Commit:
    """Return what a whole shard adds to a catalog.

    A bundle without a row in `papers`, of a shard that was repaired, shows nothing that is known:
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
            bytes.fromhex(shown) if number in papers else UNKNOWN_SHOWN,
            papers.get(number),
            issued_at,
        )
        for arxiv_id, version, number, shown, issued_at in bundles
    )
    raw = read_rows(layout, "rejects", shard.name, ["raw"])
    vanished = read_rows(layout, "vanished", shard.name, ["arxiv_id"])
    windows = read_rows(
        layout,
        "windows",
        shard.name,
        ["set_spec", "first", "until", "started_at", "listed_at", "listed"],
    )
    return Commit(
        shard,
        records,
        tuple(hashlib.sha256(data).hexdigest() for (data,) in raw),
        tuple(arxiv_id for (arxiv_id,) in vanished),
        tuple(
            # Shards of 0.1.0 do not tell when the list was asked for, nor did their windows compare
            # days. But what changes after a window began leaves the days that were over by then, so
            # these are proven all the same.
            DoneWindow(
                Window(set_spec or None, first, until), started_at, listed_at or started_at, listed
            )
            for set_spec, first, until, started_at, listed_at, listed in windows
        ),
    )
