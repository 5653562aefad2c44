"""The parts of a snapshot as units of work: which of them are to be read, and taking them."""

from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from math import ceil
from pathlib import Path

from flows.common.batches import batches
from flows.common.process.progress import OnProgress, track
from flows.ingest.commit import StepRunner, UnitResult
from flows.ingest.schedule import bulk_of, settle_each
from flows.ingest.units import SnapshotPart
from flows.jobs.job import Job
from flows.sources.kaggle.lines import read_parts
from flows.sources.kaggle.parts import Scan
from transforms.paper.selection import Selection

PARTS_A_STEP = 8


def take_parts(
    job: Job,
    file: Path,
    scanned: Scan,
    selection: Selection,
    in_step: StepRunner,
    on_progress: OnProgress,
) -> None:
    """Process the parts of a snapshot; raises `SnapshotError` where it cannot be read on."""
    units = None if scanned.spans is None else len(scanned.spans)
    total = ceil(units / PARTS_A_STEP) if units else None
    with bulk_of(job, units) as bulk:
        parts = bulk.submitted(_parts(job, file, scanned, selection))
        for some in track(batches(parts, PARTS_A_STEP), total=total, what="steps"):
            first, last = some[0].unit.part, some[-1].unit.part
            in_step(
                f"{file.name}: lines from {first.first_line}",
                partial(settle_each, job, bulk, some),
            )
            on_progress(last.position, scanned.file.size)


def _parts(job: Job, path: Path, scanned: Scan, selection: Selection) -> Iterator[SnapshotPart]:
    """Give the parts that are to be read, and note the others, which were finished before.

    A part that was finished is read, for its ids, where one that was not may come after it.
    """
    catalog, builder = job.run.store.catalog, job.config.identity.builder_version
    passed: list[SnapshotPart] = []
    is_packed = scanned.spans is None
    for part in read_parts(path, scanned.proof) if scanned.spans is None else scanned.spans:
        unit = SnapshotPart(path.absolute(), scanned.file.sha256, selection, part, "")
        # Its place, for parts of another PART_BYTES have the same names. And that it was proven:
        # versions that did not took the parts of a file that was cut off for whole ones.
        key = f"{unit.name} {part.offset}+{part.size} proven {selection} {builder}"
        unit = replace(unit, key=key, finished=catalog.finished(key))
        passed.append(unit)
        if is_packed or not unit.finished:
            yield from passed
            passed.clear()
    for unit in passed:
        if unit.finished:
            job.results.append(UnitResult(unit.name, unit.finished.seen_again()))
