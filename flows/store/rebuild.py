"""Making the catalog again from the shards, which are the store."""

import hashlib
from contextlib import closing
from pathlib import Path

from flows.store import shards
from flows.store.catalog import Catalog, Commit, record_row
from flows.store.layout import Layout
from flows.store.shards import ShardName, read_rows
from flows.store.store import locked, writing
from flows.store.windows import DoneWindow
from flows.window import Window


def rebuild_catalog(data_dir: Path) -> int:
    """Replace the catalog by one made from the shards; return how many shards count.

    A shard of which a file is missing was never committed, and does not count; the next run
    removes it. What only saves time is not in the shards: windows under way begin anew, and parts
    of a snapshot are looked at once more. Raises `StoreError`, and leaves the old catalog where it
    is, when a shard cannot be read.
    """
    layout = Layout(data_dir)
    unfinished = layout.catalog.with_suffix(".rebuilt")
    with locked(layout, "rebuild-catalog"), writing(data_dir):
        unfinished.unlink(missing_ok=True)
        with closing(Catalog.open(unfinished)) as catalog:
            names = sorted(shards.shard_names(layout))
            whole = [
                marks for marks in (shards.read_marks(layout, name) for name in names) if marks
            ]
            for shard in whole:
                catalog.commit(_commit_of(layout, shard))
        for leftover in ("-journal", "-wal", "-shm"):
            Path(f"{layout.catalog}{leftover}").unlink(missing_ok=True)
        unfinished.replace(layout.catalog)
    return len(whole)


def _commit_of(layout: Layout, shard: ShardName) -> Commit:
    """Read from a shard what its commit said; papers and bundles are parallel rows."""
    datestamps = [day for (day,) in read_rows(layout, "papers", shard.name, ["datestamp"])]
    columns = ["arxiv_id", "version", "pith_number", "shown_sha256", "issued_at"]
    bundles = read_rows(layout, "bundles", shard.name, columns)
    records = tuple(
        record_row(arxiv_id, version, number, bytes.fromhex(shown), day, issued_at)
        for (arxiv_id, version, number, shown, issued_at), day in zip(
            bundles, datestamps, strict=True
        )
    )
    raw = read_rows(layout, "rejects", shard.name, ["raw"])
    vanished = read_rows(layout, "vanished", shard.name, ["arxiv_id"])
    windows = read_rows(
        layout, "windows", shard.name, ["set_spec", "first", "until", "started_at", "watermark"]
    )
    return Commit(
        shard,
        records,
        tuple(hashlib.sha256(data).hexdigest() for (data,) in raw),
        tuple(arxiv_id for (arxiv_id,) in vanished),
        tuple(
            DoneWindow(Window(set_spec or None, first, until), started_at, watermark)
            for set_spec, first, until, started_at, watermark in windows
        ),
    )
