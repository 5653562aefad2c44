"""Making the catalog again from the shards, which are the store."""

from contextlib import closing
from pathlib import Path

from flows.store import shards
from flows.store.catalog import Catalog
from flows.store.files import writing
from flows.store.layout import Layout
from flows.store.read_back import read_commit
from flows.store.shared import coordinating


def rebuild_catalog(layout: Layout) -> int:
    """Replace the catalog by one made from the shards; return how many shards count.

    A shard of which a file is missing was never committed, and does not count; the next run
    removes it. What only saves time is not in the shards: windows under way begin anew, and parts
    of a snapshot are looked at once more. Raises `StoreError`, and leaves the old catalog where it
    is, when a shard cannot be read.
    """
    unfinished = layout.catalog.with_suffix(".rebuilt")
    with coordinating(layout, "rebuild-catalog") as coordinator, writing(layout.root):
        unfinished.unlink(missing_ok=True)
        with closing(Catalog.open(unfinished)) as catalog:
            names = sorted(shards.shard_names(layout))
            whole = [
                marks for marks in (shards.read_marks(layout, name) for name in names) if marks
            ]
            for shard in whole:
                catalog.commit(read_commit(layout, shard))
        for leftover in ("-journal", "-wal", "-shm"):
            Path(f"{layout.catalog}{leftover}").unlink(missing_ok=True)
        unfinished.replace(layout.catalog)
        if coordinator:
            coordinator.publish(anyway=True)
    return len(whole)
