"""Bundle files: derived from shards, and noted as written once a power cut cannot undo them.

Hundreds are written in the time that syncing one of them takes, so nothing waits for each: the
file system is synced as a whole, on another thread, while the next ones are written.
"""

from collections.abc import Callable, Container, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager

from flows.store.catalog.catalog import Catalog
from flows.store.files.local import writing
from flows.store.layout import BUNDLES, Layout
from flows.store.parquet.shards import read_rows


def write_bundle_files(layout: Layout, shard: str, *, only: Container[str] | None = None) -> None:
    """Write a file for each bundle of a shard, or for those with the numbers `only`.

    They survive the end of the process, but a power cut only when they were synced.
    """
    rows = read_rows(layout, "bundles", shard, ["pith_number", "bundle"])
    layout.files.write_derived(
        (layout.bundle(number), data) for number, data in rows if only is None or number in only
    )


SHARDS_A_SYNC = 8
"""So many shards' files, 40,000 of a snapshot, are synced at once: the file system's journal takes
each folder that has a new file once a sync, and a shard's lie in a thousand of them."""


class WrittenFiles:
    """The shards whose bundle files are written; the catalog learns it when these are synced."""

    def __init__(
        self, layout: Layout, catalog: Catalog, sync: Callable[[], None], pool: ThreadPoolExecutor
    ) -> None:
        """Take what syncs all files that were written until it is called; use `noting_files`."""
        self._layout = layout
        self._catalog = catalog
        self._sync = sync
        self._pool = pool
        self._waiting: list[str] = []
        self._under_way: tuple[list[str], Future[None]] | None = None

    def add(self, shard: str) -> None:
        """Note a shard with the next sync, which begins when enough wait and none is under way."""
        self._waiting.append(shard)
        is_free = self._under_way is None or self._under_way[1].done()
        if is_free and len(self._waiting) >= SHARDS_A_SYNC:
            self._next()

    def finish(self) -> None:
        """Wait until all of them are noted."""
        while self._waiting or self._under_way:
            self._next()

    def _next(self) -> None:
        if self._under_way:
            shards, synced = self._under_way
            with writing(self._layout.root):
                synced.result()
            self._catalog.mark_files_written(shards)
        waiting, self._waiting = self._waiting, []
        self._under_way = (waiting, self._pool.submit(self._sync)) if waiting else None


@contextmanager
def noting_files(layout: Layout, catalog: Catalog) -> Iterator[WrittenFiles]:
    """Yield what notes the shards whose files are written.

    What is not finished by the end of the block is not noted: the next run writes it once more.
    """
    with layout.files.syncing(BUNDLES) as sync, ThreadPoolExecutor(1, "sync") as pool:
        yield WrittenFiles(layout, catalog, sync, pool)
