"""Many units of work: prepared by an executor, committed here one after the other, in order."""

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from itertools import count
from typing import Generic, TypeVar

from flows.common.batches import batches
from flows.common.errors import InputFileError
from flows.common.process.signals import unbroken
from flows.ingest.commit import commit_prepared, discarding_uncommitted
from flows.ingest.executors.executor import Executor, Future
from flows.ingest.executors.opening import open_executor
from flows.ingest.run import Run, UnitResult
from flows.ingest.steps import Step, numbered, step_size
from flows.ingest.unit import PreparedUnit, Unit
from flows.ingest.worker_context import WorkerContext
from flows.store.bundles.files import write_bundle_files
from flows.store.files.local import writing
from flows.store.layout import BUNDLES
from flows.store.parquet.writer import discard
from transforms.paper.selection import SeenIds

AHEAD = 2
"""So many units per worker are submitted before the one that is waited for."""


UnitT = TypeVar("UnitT", bound=Unit)


@dataclass(frozen=True, slots=True)
class PendingUnit(Generic[UnitT]):
    """A unit on its way, and the time of all that is issued for it."""

    unit: UnitT
    moment: datetime
    future: Future[PreparedUnit]


@dataclass(slots=True)
class UnitQueue:
    """Units of one run: prepared by the executor, in any order; committed here, in theirs."""

    run: Run
    executor: Executor
    _seen: SeenIds = field(default_factory=SeenIds)
    _files_due: deque[tuple[str, Future[None]]] = field(default_factory=deque)

    def submit_all(self, units: Iterable[UnitT]) -> Iterator[PendingUnit[UnitT]]:
        """Yield the units in their order, each with some of those behind it submitted too.

        What came before the source's `InputFileError` is yielded before that is raised.
        """
        ahead: deque[PendingUnit[UnitT]] = deque()
        failure = None
        iterator = iter(units)
        while failure is None:
            try:
                unit = next(iterator)
            except StopIteration:
                break
            except InputFileError as error:
                failure = error
                break
            ahead.append(self.submit(unit))
            if len(ahead) > AHEAD * self.executor.size:
                yield ahead.popleft()
        yield from ahead
        if failure is not None:
            raise failure

    def submit(self, unit: UnitT) -> PendingUnit[UnitT]:
        """Have a unit prepared; units are committed in the order in which they were submitted."""
        moment = self.run.clock()
        future = self.executor.submit(partial(_prepare, unit, moment, SeenIds()))
        return PendingUnit(unit, moment, future)

    def commit(self, pending: PendingUnit[UnitT]) -> UnitResult:
        """Wait for a unit and make its shard count; its bundle files are written behind it.

        A unit with a paper or a reject that an earlier unit of the run had is done again, here,
        since it was prepared without knowing of that.
        """
        unit, found = pending.unit, pending.future.result()
        common = self._seen.common(found.ids)
        if common or self._is_stale(found):
            discard(self.run.store.layout, found.prepared.files)
            self.finish_files()
            # Here, for a worker on another machine does not know what was committed since.
            found = _prepare(unit, pending.moment, common, self.run.context)
        self._seen.update(found.ids)
        if found.failure:
            return UnitResult(unit.name, failure=found.failure)
        result = commit_prepared(self.run, unit.name, found.prepared, unit.finished_as)
        if found.prepared.commit and self.run.store.written:
            self._write_behind(found.prepared.commit.shard.name)
        return result

    def _is_stale(self, found: PreparedUnit) -> bool:
        """Return whether its shard's name or its rejects came in since: replies may be the same."""
        prepared, catalog = found.prepared.commit, self.run.store.catalog
        if prepared is None:
            return False
        is_taken = catalog.next_shard(prepared.shard.unit) != prepared.shard.name
        refused = prepared.reject_sha256s
        return is_taken or bool(refused and catalog.known_rejects(refused))

    def finish_files(self, due: int = 0) -> None:
        """Wait until the bundle files of all shards but the `due` newest are written."""
        while len(self._files_due) > due:
            shard, future = self._files_due.popleft()
            waiting = self.run.progress.waiting("bundle files")
            with waiting, self.run.store.watch.stage("wait for bundle files"):
                future.result()
            if self.run.store.written:
                self.run.store.written.add(shard)

    def _write_behind(self, shard: str) -> None:
        task = partial(_write_files, shard, is_elsewhere=not self.executor.is_here)
        self._files_due.append((shard, self.executor.submit(task)))
        self.finish_files(AHEAD * self.executor.size)


def _prepare(
    unit: Unit, moment: datetime, earlier: SeenIds, context: WorkerContext
) -> PreparedUnit:
    return unit.prepare(context, moment, earlier)


def _write_files(shard: str, context: WorkerContext, *, is_elsewhere: bool) -> None:
    # A file that was begun lies under a temporary name; an object does not.
    layout = context.layout
    whole = nullcontext() if layout.objects else unbroken()
    with whole, layout.files.syncing(BUNDLES) as sync, writing(layout.root):
        write_bundle_files(layout, shard)
        if is_elsewhere:
            # The coordinator syncs what its own machine has not written yet.
            sync()


@contextmanager
def open_queue(run: Run, opening: AbstractContextManager[Executor]) -> Iterator[UnitQueue]:
    """Yield a queue of the executor that `opening` opens; at the end all bundle files are written.

    So they are where the input ends before its end: what was committed until then is complete.
    """
    with discarding_uncommitted(run.store), opening as executor:
        queue = UnitQueue(run, executor)
        try:
            yield queue
        except InputFileError:
            queue.finish_files()
            raise
        queue.finish_files()


@dataclass(frozen=True, slots=True)
class UnitSeries(Generic[UnitT]):
    """The units of a source in the order in which they count, `count` in all (None: unknown).

    `describe` names a step by its first and last unit; `part` names the input that a unit is of,
    without it a step of that unit alone does. `share` returns what part of all is done after a
    unit, 0 to 1; without it units are counted.
    """

    units: Iterable[UnitT]
    count: int | None
    describe: Callable[[UnitT, UnitT], str]
    part: Callable[[UnitT], str] | None = None
    share: Callable[[UnitT], float] | None = None
    units_a_step: int = 1

    def begin(self, run: Run, unit: UnitT, number: int) -> None:
        """Tell the run's progress that a unit is next, the `number`th."""
        part = self.part(unit) if self.part else self.describe(unit, unit)
        run.progress.begin(part, number, self.count)

    def finish(self, run: Run, unit: UnitT, number: int) -> None:
        """Tell the run's progress that a unit is done, the `number`th."""
        if self.share:
            run.progress.reach(self.share(unit))
        elif self.count:
            run.progress.reach(number / self.count)


def process_units(run: Run, series: UnitSeries[UnitT], *, preload: Sequence[str] = ()) -> None:
    """Process the units of a source, some in each step; `preload` names their modules.

    Raises what reading the source raises, after what came before that was committed.
    """
    size = step_size(series.count or 1, run.config.limits.steps, series.units_a_step)
    numbers = count(1)

    def commit_each(some: Sequence[PendingUnit[UnitT]]) -> None:
        for one, number in zip(some, numbers, strict=False):
            series.begin(run, one.unit, number)
            run.results.append(queue.commit(one))
            series.finish(run, one.unit, number)

    with open_queue(run, open_executor(run.config, run.context, series.count, preload)) as queue:
        pending = queue.submit_all(series.units)
        for some in batches(pending, size):
            described = series.describe(some[0].unit, some[-1].unit)
            name = partial(_name, run, described, _papers(run))
            run.steps.run(Step.COMMIT_SHARDS, name, partial(commit_each, some))


def _name(run: Run, described: str, before: int) -> str:
    """Return the name of a step, which tells of its papers once they came."""
    papers = _papers(run)
    came = f", {numbered('paper', before + 1, papers)}" if papers > before else ""
    return f"commit {described}{came}"


def _papers(run: Run) -> int:
    return sum(result.counts.papers for result in run.results)
