"""The parts of Kaggle's file as units of work: which of them are to be read, and reading one."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path

from flows.common.counts import Counts
from flows.common.process.stopwatch import Stopwatch
from flows.ingest.prepare import Prepared, prepare
from flows.ingest.run import Run, UnitResult
from flows.ingest.schedule import UnitSeries
from flows.ingest.unit import PreparedUnit
from flows.ingest.worker_context import WorkerContext
from flows.sources.kaggle.lines import (
    Part,
    Span,
    read_part,
    read_parts,
    read_span,
    reject_repeated,
)
from flows.sources.kaggle.parts import Scan
from flows.store.files.local import writing
from transforms.paper.selection import SeenIds, Selection

PRELOAD = [__name__]
"""For worker processes to import once."""


@dataclass(frozen=True, slots=True)
class KagglePart:
    """One part of Kaggle's file: a span of a plain file, or the lines of a compressed one.

    `key` names it among the finished parts. One that is `finished` counted so much in an earlier
    run, and is read for its ids alone.
    """

    path: Path
    sha256: str
    selection: Selection
    part: Span | Part
    key: str
    finished: Counts | None = None

    @property
    def name(self) -> str:
        """The unit that its shard is named after; data folders hold it, so it stays as it is."""
        return f"snapshot-{self.sha256[:32]}-{self.part.index:05}"

    @property
    def finished_as(self) -> str | None:
        """Its key, unless it is noted already."""
        return None if self.finished else self.key

    def prepare(self, context: WorkerContext, moment: datetime, earlier: SeenIds) -> PreparedUnit:
        """Prepare the part's papers; of several lines with one id the first row counts."""
        watch, ids = Stopwatch(), earlier
        with watch.stage("read and parse"):
            part = read_span(self.path, self.part) if isinstance(self.part, Span) else self.part
            found = reject_repeated(part, read_part(part, selection=self.selection), ids)
        if self.finished:
            again = self.finished.seen_again()
            return PreparedUnit(Prepared(again, seconds=watch.seconds, was_done=True), ids)
        with writing(context.layout.root):
            prepared = prepare(
                context, found.papers, found.rejects,
                unit=self.name, source=self.sha256, moment=moment,
            )  # fmt: skip
        watch.add(prepared.seconds)
        prepared.seconds = watch.seconds
        counts = prepared.counts
        counts.filtered, counts.blank = found.filtered, found.blank
        counts.lines = len(part.lines)
        return PreparedUnit(prepared, ids)


def part_series(
    run: Run, path: Path, scanned: Scan, selection: Selection
) -> UnitSeries[KagglePart]:
    """Return the file's parts as units, in its order.

    Of a plain file its lines are known; of a packed one progress is in bytes of the file.
    """

    def describe(first: KagglePart, _: KagglePart) -> str:
        return f"{path.name}: lines from {first.part.first_line}"

    def part(_: KagglePart) -> str:
        return path.name

    def share(unit: KagglePart) -> float:
        return unit.part.position / scanned.file.size

    if selection != Selection():
        run.progress.count("lines")
    units = None if scanned.spans is None else len(scanned.spans)
    parts = _parts(run, path, scanned, selection)
    return UnitSeries(parts, units, describe, part, share, run.config.limits.parts_a_step)


def _parts(run: Run, path: Path, scanned: Scan, selection: Selection) -> Iterator[KagglePart]:
    """Yield the parts that are to be read, and note the others, which were finished before.

    A part that was finished is read, for its ids, where one that was not may come after it.
    """
    waiting: list[KagglePart] = []
    if scanned.spans is None:
        for part in read_parts(path, run.config.limits, scanned.proof):
            yield _noted(run, path, scanned, selection, part)
        return
    units = [_noted(run, path, scanned, selection, span) for span in scanned.spans]
    done = sum(unit.finished.lines for unit in units if unit.finished)
    run.progress.expect(scanned.lines - done)
    for unit in units:
        waiting.append(unit)
        if not unit.finished:
            yield from waiting
            waiting.clear()
    for unit in waiting:
        if unit.finished:
            run.results.append(UnitResult(unit.name, unit.finished.seen_again()))


def _noted(
    run: Run, path: Path, scanned: Scan, selection: Selection, part: Span | Part
) -> KagglePart:
    """Return a part as a unit; one that an earlier run finished is done from the start."""
    builder = run.config.identity.builder_version
    unit = KagglePart(path.absolute(), scanned.file.sha256, selection, part, "")
    # Its place, for parts of another `part_bytes` have the same names. And that it was proven:
    # versions that did not took the parts of a file that was cut off for whole ones.
    key = f"{unit.name} {part.offset}+{part.size} proven {selection} {builder}"
    unit = replace(unit, key=key, finished=run.store.catalog.finished(key))
    if unit.finished:
        run.progress.add_before(unit.finished.seen_again())
    return unit
