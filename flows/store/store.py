"""One data folder, opened for writing by one process at a time."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, nullcontext, suppress
from datetime import timedelta

from flows.common.process.clock import TOLERANCE, Clock, SteadyClock, utc_now
from flows.common.process.progress import LOGGER
from flows.common.process.stopwatch import Stopwatch
from flows.store.bundles.files import WrittenFiles, noting_files, write_bundle_files
from flows.store.catalog.catalog import Catalog
from flows.store.catalog.copies import coordinating
from flows.store.catalog.file import end_changes
from flows.store.catalog.records import Commit, FinishedPart
from flows.store.files.local import writing
from flows.store.layout import Layout
from flows.store.ledger import Ledger
from flows.store.opening import open_for_writing
from flows.store.parquet.writer import (
    UnnamedFile,
    committed_files,
    name_shard,
    refuse_taken_names,
)
from flows.store.repair.inspection import require_shard


class Store:
    """The one writer of a data folder: commits shards and writes the bundle files of each.

    `clock` gives the folder's time, which never goes back.
    """

    def __init__(
        self,
        layout: Layout,
        catalog: Catalog,
        ledger: Ledger,
        clock: SteadyClock,
        written: WrittenFiles | None,
    ) -> None:
        """Take an open catalog and ledger; use `open_store`, which also holds the lock.

        `written` notes the bundle files; None means that none are wanted.
        """
        self.layout = layout
        self.catalog = catalog
        self.clock = clock
        self.written = written
        self.watch = Stopwatch()
        self._ledger = ledger
        self._is_committing = False

    def commit(
        self, commit: Commit, files: Sequence[UnnamedFile], finished: FinishedPart | None = None
    ) -> None:
        """Make a written shard count: the ledger's entry does, its names and the catalog follow.

        Its bundle files are still due.
        """
        due = self.written and commit.records
        shard, papers = commit.shard, len(commit.records)
        with writing(self.layout.root), self.watch.stage("commit", papers):
            refuse_taken_names(self.layout.files, files)
            self._is_committing = True
            written = self._ledger.append(
                moment=self.clock(),
                run=shard.run,
                shard=shard.name,
                unit=shard.unit,
                committed=committed_files(files),
                replies=commit.replies,
            )
            name_shard(self.layout, files)
            self.catalog.commit(commit, written, finished, has_files=not due)
            self._is_committing = False

    def remove_unnamed(self) -> int:
        """Remove what was written and is not committed, and return how many files that were.

        Where a commit failed half-way nothing is removed: the ledger may have it, and then the
        next run gives its files their names.
        """
        return 0 if self._is_committing else self.layout.files.remove_unnamed()

    def write_bundle_files(self, shard: str) -> None:
        """Write the bundle files of a shard that was just committed, if any are wanted."""
        if self.written:
            with writing(self.layout.root), self.watch.stage("write bundle files"):
                write_bundle_files(self.layout, shard)
            self.written.add(shard)

    def finish_files(self) -> None:
        """Wait until all bundle files that were written survive a power cut."""
        if self.written:
            with self.watch.stage("sync bundle files"):
                self.written.finish()

    def recover(self) -> list[str]:
        """Complete what a killed run left, and say what was done, a sentence each."""
        done = []
        if temporary := self.remove_unnamed():
            done.append(f"removed {temporary} unfinished files of a run that was killed")
        if shards := self.catalog.shards_without_files():
            for name in shards:
                self._complete_files(name)
            shard = "shard" if len(shards) == 1 else "shards"
            done.append(f"completed the bundle files of {len(shards):,} {shard}")
        return done

    def _complete_files(self, name: str) -> None:
        """Write the bundle files of a shard that may lack some, where any are wanted."""
        if self.written:
            require_shard(self.layout, self.catalog, name, "bundles")
            newest = {record.pith_number for record in self.catalog.of_shard(name)}
            write_bundle_files(self.layout, name, only=newest)
            self.written.add(name)
        else:
            self.catalog.mark_files_written([name])
        LOGGER.debug("completed the bundle files of the shard %s", name)


@contextmanager
def open_store(
    layout: Layout,
    *,
    job: str,
    bundle_files: bool,
    say: Callable[[str], None],
    now: Clock = utc_now,
    tolerance: timedelta = TOLERANCE,
) -> Iterator[Store]:
    """Lock a data folder for this process, mend what can be, and yield the store.

    `say` gets a sentence for each thing that was mended or completed. Raises `StoreError` when
    another run holds the lock (its message names that run), the folder cannot be written, its state
    leaves a doubt, or the clock `now` is behind what was last committed by more than the tolerance.
    """
    with coordinating(layout, job) as coordinator:
        if coordinator:
            coordinator.take_newer()
        with writing(layout.root):
            catalog, ledger = open_for_writing(layout, say)
        try:
            clock = _steady_clock(SteadyClock(now, ledger.head.moment, tolerance), say)
            with noting_files(layout, catalog) if bundle_files else nullcontext() as written:
                store = Store(layout, catalog, ledger, clock, written)
                with writing(layout.root):
                    recovered = store.recover()
                for sentence in recovered:
                    say(sentence)
                if coordinator:
                    # What workers elsewhere read during the run.
                    coordinator.publish()
                yield store
                store.finish_files()
        finally:
            catalog.close()
            with suppress(OSError):
                end_changes(layout.catalog)


def _steady_clock(clock: SteadyClock, say: Callable[[str], None]) -> SteadyClock:
    """Return the clock; one that is behind is reported, or refused where it is so by far."""
    clock()
    if behind := clock.behind():
        say(
            f"the clock is {behind.total_seconds():.0f} s behind the last commit, whose time is "
            "used until then"
        )
    return clock
