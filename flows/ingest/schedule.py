"""Many units of work, done by a crew and committed here, one after the other in their order."""

from collections import deque
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from typing import Generic, TypeVar

from flows.common.errors import SnapshotError
from flows.common.process.signals import unbroken
from flows.ingest.commit import Run, UnitResult, commit
from flows.ingest.executors.processes import Crew, Ticket, hired
from flows.ingest.prepare import Desk
from flows.ingest.units import Outcome, Unit
from flows.jobs.job import Job, tidied
from flows.store.bundles.files import write_bundle_files
from flows.store.files.local import writing
from flows.store.layout import BUNDLES
from flows.store.parquet.writer import discard
from transforms.paper.selection import SeenIds

AHEAD = 2
"""So many units per worker are submitted before the one that is waited for."""


UnitT = TypeVar("UnitT", bound=Unit)


@dataclass(frozen=True, slots=True)
class Submitted(Generic[UnitT]):
    """A unit on its way, and the time of all that is issued for it."""

    unit: UnitT
    moment: datetime
    ticket: Ticket[Outcome]


@dataclass(slots=True)
class Bulk:
    """Units of one run: prepared by the crew, in any order; settled by this process, in theirs."""

    run: Run
    crew: Crew
    _seen: SeenIds = field(default_factory=SeenIds)
    _files_due: deque[tuple[str, Ticket[None]]] = field(default_factory=deque)

    def submitted(self, units: Iterable[UnitT]) -> Iterator[Submitted[UnitT]]:
        """Give the units in their order, each with some of those behind it submitted too.

        What came before the source's `SnapshotError` is given first.
        """
        ahead: deque[Submitted[UnitT]] = deque()
        failure = None
        iterator = iter(units)
        while failure is None:
            try:
                unit = next(iterator)
            except StopIteration:
                break
            except SnapshotError as error:
                failure = error
                break
            moment = self.run.clock()
            ticket = self.crew.submit(partial(_work, unit, moment, SeenIds()))
            ahead.append(Submitted(unit, moment, ticket))
            if len(ahead) > AHEAD * self.crew.size:
                yield ahead.popleft()
        yield from ahead
        if failure is not None:
            raise failure

    def settle(self, sent: Submitted[UnitT]) -> UnitResult:
        """Wait for a unit and make its shard count; its bundle files are written behind it.

        A unit with a paper or a reject that an earlier unit of the run had is done again, here,
        since it was prepared without knowing of that.
        """
        outcome = sent.ticket.result()
        common = self._seen.common(outcome.ids)
        if common or self._is_stale(outcome):
            discard(self.run.store.layout, outcome.prepared.files)
            self.finish_files()
            # Here, for a worker on another machine does not know what was committed since.
            outcome = _work(sent.unit, sent.moment, common, self.run.desk)
        self._seen.update(outcome.ids)
        if outcome.failure:
            return UnitResult(sent.unit.name, failure=outcome.failure)
        result = commit(self.run, sent.unit.name, outcome.prepared, sent.unit.finished_as)
        if outcome.prepared.commit and self.run.store.written:
            self._write_behind(outcome.prepared.commit.shard.name)
        return result

    def _is_stale(self, outcome: Outcome) -> bool:
        """Tell whether its shard's name or its rejects came in since: replies may be the same."""
        prepared, catalog = outcome.prepared.commit, self.run.store.catalog
        if prepared is None:
            return False
        is_taken = catalog.next_shard(prepared.shard.unit) != prepared.shard.name
        refused = prepared.reject_sha256s
        return is_taken or bool(refused and catalog.known_rejects(refused))

    def finish_files(self, due: int = 0) -> None:
        """Wait until the bundle files of all shards but the `due` newest are written."""
        while len(self._files_due) > due:
            shard, ticket = self._files_due.popleft()
            with self.run.store.watch.stage("wait for bundle files"):
                ticket.result()
            if self.run.store.written:
                self.run.store.written.add(shard)

    def _write_behind(self, shard: str) -> None:
        work = partial(_write_files, shard, not self.crew.is_here)
        self._files_due.append((shard, self.crew.submit(work)))
        self.finish_files(AHEAD * self.crew.size)


def _work(unit: Unit, moment: datetime, earlier: SeenIds, desk: Desk) -> Outcome:
    return unit.work(desk, moment, earlier)


def _write_files(shard: str, is_elsewhere: bool, desk: Desk) -> None:  # noqa: FBT001 - of a partial
    # A file that was begun lies under a temporary name; an object does not.
    whole = nullcontext() if desk.layout.objects else unbroken()
    with whole, desk.layout.files.syncing(BUNDLES) as sync, writing(desk.layout.root):
        write_bundle_files(desk.layout, shard)
        if is_elsewhere:
            # The coordinator syncs what its own machine has not written yet.
            sync()


@contextmanager
def bulk_of(job: Job, units: int | None) -> Iterator[Bulk]:
    """Give the crew for so many units (None: unknown); at the end all bundle files are written.

    So they are where the input ends before its end: what was committed until then is complete.
    """
    with tidied(job.run.store), hired(job.config, job.run.desk, units) as crew:
        bulk = Bulk(job.run, crew)
        try:
            yield bulk
        except SnapshotError:
            bulk.finish_files()
            raise
        bulk.finish_files()


def settle_each(job: Job, bulk: Bulk, sent: Iterable[Submitted[UnitT]]) -> None:
    """Settle some units, and note what became of each."""
    for one in sent:
        job.results.append(bulk.settle(one))
