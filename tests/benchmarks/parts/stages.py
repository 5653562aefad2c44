"""What each stage of the pipeline costs alone, in CPU time per paper."""

import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path
from typing import Any

from support.bundles.signed_events import ISSUER

from benchmarks import oai_parsing, verifying
from benchmarks.parts.measure import floor
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
from transforms.parsing.arxiv_xml import parse_page
from transforms.parsing.kaggle import parse_line
from transforms.tables.rows import paper_row

OAI_PAGES = 8
CHANGED_SHARD = 8000  # papers
CHANGED_ROUNDS = 8
A_SHARD = 5000  # papers, as many as a part of a snapshot has


@dataclass(frozen=True, slots=True)
class Stage:
    """CPU seconds of a stage for one paper, and of one paper's bare signatures after it."""

    seconds: float
    floor: float


Rows = dict[str, list[tuple[Any, ...]]]


class Stages:
    """Measured stages, by name."""

    def __init__(self) -> None:
        """Start with none."""
        self.found: dict[str, Stage] = {}

    def note(self, name: str, seconds: float, papers: int) -> None:
        """Keep what a stage took for so many papers."""
        self.found[name] = Stage(seconds / papers, floor())


def measure_stages(snapshot: Path, count: int) -> dict[str, Stage]:
    """Measure each stage alone, the first ones with the first `count` lines of a snapshot."""
    stages = Stages()
    _snapshot(stages, snapshot, count)
    _pages(stages)
    _checks(stages)
    return stages.found


def _snapshot(stages: Stages, snapshot: Path, count: int) -> None:
    """Measure the stages of a snapshot; nothing that they made is left to slow the others."""
    with snapshot.open("rb") as file:
        lines = list(islice(file, count))
    started = time.process_time()
    papers = [parse_line(line) for line in lines]
    stages.note("lines to papers", time.process_time() - started, len(papers))
    _tables(stages, _rows(stages, papers))
    _changes(stages, papers[:CHANGED_SHARD])


def _rows(stages: Stages, papers: Sequence[Paper]) -> Rows:
    """Issue the papers' bundles one by one, keeping rows only.

    Thousands of bundles as objects would have the garbage collector look at them again and again,
    which costs as much as making them; that is a matter of how a pipeline goes about it.
    """
    clock, issuing, tabling = time.process_time, 0.0, 0.0
    times = IssueTimes.at(datetime.now(UTC))
    template = BundleTemplate(ISSUER, times)
    rows: Rows = {"papers": [], "events": [], "bundles": []}
    for paper in papers:
        started = clock()
        drafted = draft(paper)
        *events, bundle = template.issue(drafted)
        issued = clock()
        row = paper_row(drafted, source="a benchmark", issued_at=times.built_at)
        tabling += clock() - issued
        issuing += issued - started
        rows["papers"].append(row)
        rows["events"] += events
        rows["bundles"].append(bundle)
    stages.note("papers to bundles", issuing, len(papers))
    stages.note("papers to rows", tabling, len(papers))
    return rows


def _tables(stages: Stages, rows: Rows) -> None:
    papers = len(rows["papers"])
    with tempfile.TemporaryDirectory() as folder:
        layout = Layout(Path(folder))
        started = time.process_time()
        for at in range(0, papers, A_SHARD):
            writer = ShardWriter()
            writer.add("papers", rows["papers"][at : at + A_SHARD])
            writer.add("events", rows["events"][2 * at : 2 * (at + A_SHARD)])
            writer.add("bundles", rows["bundles"][at : at + A_SHARD])
            writer.write(layout, ShardName(f"shard-{at}", "a benchmark", "no run", "no folder"))
        stages.note("rows to Parquet", time.process_time() - started, papers)


def _changes(stages: Stages, papers: Sequence[Paper]) -> None:
    """Measure new snapshots of papers that lie in one shard, each in a row group of its own."""
    with tempfile.TemporaryDirectory() as folder:
        layout, moment, seconds, changed = Layout(Path(folder)), datetime.now(UTC), 0.0, 0
        with open_store(layout, job="a benchmark", bundle_files=False, say=print) as store:
            context = WorkerContext(layout, store.catalog, ISSUER, "no run")
            for at in range(CHANGED_ROUNDS + 1):
                some = [replace(p, authors="Other") for p in papers[at :: GROUP_ROWS["bundles"]]]
                # The first round is the shard itself.
                some = some if at else list(papers)
                started = time.process_time()
                done = prepare(context, some, (), unit=f"{at}", source="it", moment=moment)
                if at:
                    seconds += time.process_time() - started
                    changed += done.counts.new_snapshots
                assert done.commit
                store.commit(done.commit, done.files)
    stages.note("changed papers", seconds, changed)


def _pages(stages: Stages) -> None:
    page = oai_parsing.page()
    parse_page(page)
    started = time.process_time()
    for _ in range(OAI_PAGES):
        parse_page(page)
    seconds = time.process_time() - started
    stages.note("OAI pages to papers", seconds, OAI_PAGES * oai_parsing.RECORDS)


def _checks(stages: Stages) -> None:
    with tempfile.TemporaryDirectory() as folder:
        shard = verifying.write_bundles(Path(folder))
        seconds = verifying.seconds_of_verifying(shard)
    stages.note("verifying", seconds, verifying.BUNDLES)
