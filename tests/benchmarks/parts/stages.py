"""What each stage of the pipeline costs alone: CPU time a paper in one process."""

import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path
from statistics import median

from support.bundles.signed_events import ISSUER

from benchmarks.parts.floors import four_signatures
from benchmarks.parts.measure import FailedRunError
from benchmarks.parts.runs import Bench
from flows.common.batches import batches
from flows.ingest.prepare import prepare
from flows.ingest.worker_context import WorkerContext
from flows.store.layout import Layout
from flows.store.parquet.schema import GROUP_ROWS
from flows.store.parquet.shards import ShardName
from flows.store.parquet.writer import ShardWriter
from flows.store.store import open_store
from transforms import IssueTimes, Paper
from transforms.bundle.build import draft
from transforms.bundle.template import BundleTemplate
from transforms.parsing.kaggle import parse_line
from transforms.tables.rows import paper_row

A_SHARD = 5000  # papers, as many as a part of a snapshot has
SHARDS, FLOORS = 4, 5
CHANGED_AMONG, CHANGES = 8000, 8  # papers of a shard, and how often some of them change


def _note(bench: Bench, stage: str, seconds: float) -> None:
    """Note the CPU time of a paper in a stage that has just ended, and the floor right after it."""
    bench.note(f"{stage}: CPU", seconds)
    bench.note(f"{stage}: four signatures", median(four_signatures() for _ in range(FLOORS)))


@contextmanager
def _timed(bench: Bench, stage: str, papers: int) -> Iterator[None]:
    """Note the CPU time of the block, a paper."""
    started = time.process_time()
    yield
    _note(bench, stage, (time.process_time() - started) / papers)


def measure_stages(bench: Bench, snapshot: Path) -> None:
    """Measure the stages of a snapshot, shard by shard, then those of papers that change."""
    with snapshot.open("rb") as file:
        lines = list(islice(file, SHARDS * A_SHARD))
    for some in batches(lines, A_SHARD):
        with _timed(bench, "lines", len(some)):
            papers = [parse_line(line) for line in some]
        _issue(bench, papers)
    changing = [parse_line(line) for line in lines[:CHANGED_AMONG]]
    with tempfile.TemporaryDirectory() as folder:
        _change(bench, Layout(Path(folder)), changing)


def _issue(bench: Bench, papers: Sequence[Paper]) -> None:
    """Measure issuing papers one by one, making their rows, and writing a shard of these.

    Only rows are kept: thousands of bundles as objects would have the garbage collector look at
    them again and again.
    """
    clock, issuing, tabling = time.process_time, 0.0, 0.0
    times = IssueTimes.at(datetime.now(UTC))
    template = BundleTemplate(ISSUER, times)
    rows, events, bundles = [], [], []
    for paper in papers:
        started = clock()
        drafted = draft(paper)
        *two, bundle = template.issue(drafted)
        issued = clock()
        rows.append(paper_row(drafted, source="a benchmark", issued_at=times.built_at))
        tabling += clock() - issued
        issuing += issued - started
        events += two
        bundles.append(bundle)
    for stage, seconds in (("bundles", issuing), ("rows", tabling)):
        _note(bench, stage, seconds / len(papers))
    with tempfile.TemporaryDirectory() as folder, _timed(bench, "Parquet", len(papers)):
        writer = ShardWriter()
        writer.add("papers", rows)
        writer.add("events", events)
        writer.add("bundles", bundles)
        shard = ShardName("shard", "a benchmark", "no run", "no folder")
        writer.write(Layout(Path(folder)), shard)


def _change(bench: Bench, layout: Layout, papers: Sequence[Paper]) -> None:
    """Measure new snapshots of papers of one shard, each in a row group of its own."""
    apart = GROUP_ROWS["bundles"]
    changes = [[replace(p, authors="Other") for p in papers[at::apart]] for at in range(CHANGES)]
    moment = datetime.now(UTC)
    with open_store(layout, job="a benchmark", bundle_files=False, say=print) as store:
        context = WorkerContext(layout, store.catalog, ISSUER, "no run")
        for number, some in enumerate([papers, *changes]):
            started = time.process_time()
            done = prepare(context, some, (), unit=f"{number}", source="it", moment=moment)
            seconds = time.process_time() - started
            if done.commit is None:
                raise FailedRunError("papers that changed gave nothing new")
            store.commit(done.commit, done.files)
            if number:  # the first is the shard itself
                _note(bench, "changed", seconds / len(some))
