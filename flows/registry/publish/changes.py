"""What is to be published: the records whose newest bundle was committed since the last time."""

from collections.abc import Iterator, Sequence
from contextlib import closing

from flows.common.errors import StoreError
from flows.registry.publish.published import LedgerHead, Published
from flows.store.bundles.reader import read_bundles
from flows.store.catalog.copies import open_catalog
from flows.store.layout import Layout
from flows.store.ledger import WrittenEntry
from flows.store.repair.inspection import require_shard


class Changes:
    """The records of a data folder that a published state lacks, up to the ledger's end now.

    What a run commits meanwhile comes with the next publish. Raises `StoreError` where the state
    was published from another data folder, or from a newer one.
    """

    def __init__(self, layout: Layout, published: Published | None) -> None:
        """Look at the catalog as it is now."""
        self.layout = layout
        with closing(open_catalog(layout)) as catalog:
            entries, counting = list(catalog.entries()), catalog.shard_names()
            self.folder = catalog.folder
            self.records = catalog.count("records")
        if published:
            _check_continues(entries, self.folder, published)
        last = entries[-1] if entries else None
        self.ledger = LedgerHead(last.entry.number, last.sha256) if last else LedgerHead(0, "")
        since = published.ledger.number if published else 0
        self.shards = [
            written.entry.shard for written in entries[since:] if written.entry.shard in counting
        ]

    def bundles(self, shard: str) -> Iterator[tuple[str, bytes]]:
        """Yield suffix and newest bundle of each record of a shard that no later shard has."""
        with closing(open_catalog(self.layout)) as catalog:
            if records := catalog.of_shard(shard):
                require_shard(self.layout, catalog, shard, "bundles")
        for record, data in read_bundles(self.layout, records):
            yield record.pith_number.rpartition(":")[2], data


def _check_continues(entries: Sequence[WrittenEntry], folder: str, published: Published) -> None:
    """Raise `StoreError` unless this ledger begins with what was published last."""
    if published.folder != folder:
        raise StoreError(
            "another data folder was published there, which this one would contradict; "
            "publish to another place"
        )
    number = published.ledger.number
    known = entries[number - 1].sha256 if 0 < number <= len(entries) else ""
    if known != published.ledger.sha256:
        raise StoreError(
            f"a state was published there that this data folder does not have (entry {number} of "
            "its ledger); bring the data folder up to date, or publish to another place"
        )
