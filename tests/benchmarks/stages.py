"""What each stage of the pipeline costs alone, in CPU time per paper."""

import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path
from typing import Any

from signed_events import ISSUER

from benchmarks import oai_parsing, verifying
from benchmarks.measure import floor
from flows.store.layout import Layout
from flows.store.shards import ShardName, write_shard
from transforms import IssueTimes, bundle_bytes
from transforms.arxiv_xml import parse_page
from transforms.bundle import Draft, draft, issue
from transforms.kaggle import parse_line
from transforms.tables import bundle_row, event_row, paper_row

OAI_PAGES = 8
A_SHARD = 5000  # papers, as many as a part of a snapshot has

Bundle = tuple[Draft, dict[str, Any], bytes]


@dataclass(frozen=True, slots=True)
class Stage:
    """CPU seconds of a stage for one paper, and of one paper's bare signatures after it."""

    seconds: float
    floor: float


class Stages:
    """Measured stages, by name."""

    def __init__(self) -> None:
        """Start with none."""
        self.found: dict[str, Stage] = {}

    def note(self, name: str, started: float, papers: int) -> None:
        """Keep what a stage took since `started`, a `time.process_time`."""
        self.found[name] = Stage((time.process_time() - started) / papers, floor())


def measure_stages(snapshot: Path, count: int) -> dict[str, Stage]:
    """Measure each stage alone, the first ones with the first `count` lines of a snapshot."""
    stages = Stages()
    rows = _rows(stages, _bundles(stages, snapshot, count))
    _tables(stages, rows)
    _pages(stages)
    _checks(stages)
    return stages.found


def _bundles(stages: Stages, snapshot: Path, count: int) -> list[Bundle]:
    with snapshot.open("rb") as file:
        lines = list(islice(file, count))
    started = time.process_time()
    papers = [parse_line(line) for line in lines]
    stages.note("lines to papers", started, len(papers))
    times = IssueTimes.at(datetime.now(UTC))
    started = time.process_time()
    bundles = []
    for paper in papers:
        drafted = draft(paper)
        bundle = issue(drafted, issuer=ISSUER, times=times)
        bundles.append((drafted, bundle, bundle_bytes(bundle)))
    stages.note("papers to bundles", started, len(bundles))
    return bundles


def _rows(stages: Stages, bundles: Sequence[Bundle]) -> dict[str, list[dict[str, Any]]]:
    started = time.process_time()
    rows: dict[str, list[dict[str, Any]]] = {"papers": [], "events": [], "bundles": []}
    for drafted, bundle, data in bundles:
        rows["papers"].append(paper_row(drafted.paper, bundle, source="a benchmark"))
        rows["events"] += [event_row(e, arxiv_id=drafted.paper.id) for e in bundle["events"]]
        shown = drafted.shown_sha256.hex()
        rows["bundles"].append(bundle_row(bundle, data, shown_sha256=shown))
    stages.note("bundles to rows", started, len(bundles))
    return rows


def _tables(stages: Stages, rows: dict[str, list[dict[str, Any]]]) -> None:
    papers = len(rows["papers"])
    with tempfile.TemporaryDirectory() as folder:
        layout = Layout(Path(folder))
        started = time.process_time()
        for at in range(0, papers, A_SHARD):
            part = {
                "papers": rows["papers"][at : at + A_SHARD],
                "events": rows["events"][2 * at : 2 * (at + A_SHARD)],
                "bundles": rows["bundles"][at : at + A_SHARD],
            }
            write_shard(layout, ShardName(f"shard-{at}", "a benchmark", "no run"), part)
        stages.note("rows to Parquet", started, papers)


def _pages(stages: Stages) -> None:
    page = oai_parsing.page()
    parse_page(page)
    started = time.process_time()
    for _ in range(OAI_PAGES):
        parse_page(page)
    stages.note("OAI pages to papers", started, OAI_PAGES * oai_parsing.RECORDS)


def _checks(stages: Stages) -> None:
    with tempfile.TemporaryDirectory() as folder:
        shard = verifying.write_bundles(Path(folder))
        seconds = verifying.seconds_of_verifying(shard)
    stages.found["verifying"] = Stage(seconds / verifying.BUNDLES, floor())
