"""One data folder, opened for writing by one process at a time."""

from collections.abc import Callable, Container, Iterator, Sequence
from contextlib import closing, contextmanager

from flows.store import shards
from flows.store.catalog import Catalog, Commit, FinishedPart
from flows.store.files import writing
from flows.store.layout import Layout
from flows.store.read_back import read_commit
from flows.store.shard_writer import UnnamedFile, name_shard
from flows.store.shards import read_rows
from flows.store.shared import coordinating
from flows.timing import Stopwatch


class Store:
    """The one writer of a data folder: commits shards and writes the bundle files of each."""

    def __init__(self, layout: Layout, catalog: Catalog, *, bundle_files: bool) -> None:
        """Take an open catalog; use `open_store`, which also holds the lock."""
        self.layout = layout
        self.catalog = catalog
        self.bundle_files = bundle_files
        self.watch = Stopwatch()

    def commit(
        self, commit: Commit, files: Sequence[UnnamedFile], finished: FinishedPart | None = None
    ) -> None:
        """Name the files of a written shard and make it count; its bundle files are still due."""
        due = self.bundle_files and bool(commit.records)
        with writing(self.layout.root), self.watch.stage("commit"):
            name_shard(self.layout, files)
            self.catalog.commit(commit, finished, has_files=not due)

    def write_bundle_files(self, shard: str) -> None:
        """Write the bundle files of a shard that was just committed, if any are wanted."""
        if self.bundle_files:
            with writing(self.layout.root), self.watch.stage("write bundle files"):
                write_bundle_files(self.layout, shard)
                self.catalog.mark_files_written(shard)

    def recover(self) -> list[str]:
        """Complete or undo what a killed run left, and say what was done, a sentence each."""
        done = []
        if temporary := self.layout.files.remove_unnamed():
            done.append(f"removed {temporary} unfinished files of a run that was killed")
        unknown = shards.shard_names(self.layout) - self.catalog.shard_names()
        done += map(self._settle_unknown, sorted(unknown))
        for name in self.catalog.shards_without_files():
            if self.bundle_files:
                newest = {record.pith_number for record in self.catalog.of_shard(name)}
                write_bundle_files(self.layout, name, only=newest)
            self.catalog.mark_files_written(name)
            done.append(f"completed the bundle files of the shard {name}")
        return done

    def _settle_unknown(self, name: str) -> str:
        """Undo a shard that the catalog does not know, or take it up, and say which.

        In an object store the catalog may be a copy from before the shard counted, so one that is
        whole is never removed there.
        """
        if self.layout.objects and (shard := shards.read_marks(self.layout, name)):
            self.catalog.commit(read_commit(self.layout, shard))
            return f"took up the shard {name}, which a killed run had made"
        shards.remove_shard(self.layout, name)
        return f"undid the shard {name}, which a killed run had not committed"


def write_bundle_files(layout: Layout, shard: str, *, only: Container[str] | None = None) -> None:
    """Write a file for each bundle of a shard, or for those with the numbers `only`."""
    rows = read_rows(layout, "bundles", shard, ["pith_number", "bundle"])
    # Derived from the shard, so they need not survive a power cut by themselves.
    layout.files.write_derived(
        (layout.bundle(number), data) for number, data in rows if only is None or number in only
    )


@contextmanager
def open_store(
    layout: Layout, *, job: str, bundle_files: bool, say: Callable[[str], None]
) -> Iterator[Store]:
    """Lock a data folder for this process, recover what a killed run left, and give the store.

    `say` is told what was recovered. Raises `StoreError` when another run holds the lock (its
    message names that run) or the folder cannot be written.
    """
    with coordinating(layout, job) as coordinator:
        if coordinator:
            coordinator.take_newer()
        with closing(Catalog.open(layout.catalog)) as catalog:
            store = Store(layout, catalog, bundle_files=bundle_files)
            with writing(layout.root):
                recovered = store.recover()
            for sentence in recovered:
                say(sentence)
            if coordinator:
                # What workers elsewhere read during the run.
                coordinator.publish()
            yield store
