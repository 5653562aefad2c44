"""Whole runs as processes: of commands on a generated snapshot, and of the obvious script."""

import json
import os
import sys
from collections import defaultdict
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import TypedDict

from benchmarks.obvious import script
from benchmarks.parts.figures import FILES, SCRIPT, Series
from benchmarks.parts.floors import bare_files, bare_inserts
from benchmarks.parts.measure import FailedRunError, Usage, measured
from benchmarks.parts.snapshot_lines import write_lines

ROOT = Path(__file__).parents[3]
PATH = os.pathsep.join([str(ROOT), str(ROOT / "tests")])


class Report(TypedDict):
    """What is read of a run's `report.json`."""

    counts: dict[str, int]
    seconds: dict[str, float]
    microseconds: dict[str, list[float]]


def say(what: str) -> None:
    """Tell what is being done, apart from the figures."""
    print(f"{datetime.now(UTC):%H:%M:%S} {what}", file=sys.stderr, flush=True)


def environment(settings: dict[str, str]) -> dict[str, str]:
    """Return the environment of a measured process: none of the user's settings, this code.

    Compiled modules are kept, as everywhere but on machines that build: 0.4 s of each process.
    """
    own = ("PITH_", "PREFECT_", "PYTHONDONTWRITEBYTECODE")
    kept = {name: value for name, value in os.environ.items() if not name.startswith(own)}
    # Nor a Prefect server that is configured in a file.
    return kept | {"PYTHONPATH": PATH, "PREFECT_API_URL": ""} | settings


@dataclass(slots=True)
class Bench:
    """What was measured so far, in a folder that its maker removes.

    `seconds` are those of each stage by the report of the last run of each name.
    """

    folder: Path
    series: Series = field(default_factory=lambda: defaultdict(list))
    seconds: dict[str, dict[str, float]] = field(default_factory=dict)

    def note(self, series: str, value: float) -> None:
        """Add a value to a series."""
        self.series[series].append(value)

    def snapshot(self, papers: int) -> Path:
        """Return a generated snapshot of so many papers, written once."""
        path = self.folder / f"snapshot-{papers}.jsonl"
        if not path.exists():
            say(f"writing a snapshot of {papers:,} papers")
            write_lines(path, papers)
        return path

    def command(self, *words: str, data: Path, **settings: str) -> Usage:
        """Measure a command of `pith-ingest` on a data folder."""
        home = self.folder / "home"
        home.mkdir(exist_ok=True)
        command = [sys.executable, "-m", "flows.cli.main", *words, "--data", str(data)]
        settings |= {"HOME": str(home)}
        return measured(command, env=environment(settings), folder=self.folder)

    def job(
        self, *words: str, data: Path, expected: tuple[str, int], **settings: str
    ) -> tuple[Usage, Report]:
        """Measure a job that must count so many papers as `expected` says, and read its report."""
        before = set(data.glob("runs/*/report.json"))
        usage = self.command(*words, data=data, **settings)
        (written,) = set(data.glob("runs/*/report.json")) - before
        report: Report = json.loads(written.read_text())
        if report["counts"][expected[0]] != expected[1]:
            raise FailedRunError(f"{words}: {expected} are expected: {report['counts']}")
        return usage, report

    def backfill(self, name: str, snapshot: Path, papers: int, *, data: Path) -> None:
        """Measure a backfill: as new papers, or as unchanged ones if `data` is there already."""
        say(f"backfill, {name}: {papers:,} papers")
        counted = "unchanged" if data.exists() else "new_records"
        usage, report = self.job(
            "backfill", "--snapshot", str(snapshot), data=data, expected=(counted, papers),
            PITH_OUTPUTS__BUNDLE_FILES="all" if name == FILES else "none",
        )  # fmt: skip
        self.note(f"{name}: CPU", usage.cpu / papers)
        self.note(f"{name}: four signatures", usage.floor)
        self.note(f"{name}: rate", papers / usage.wall)
        if usage.peak_bytes:
            self.note(f"{name}: peak", usage.peak_bytes)
        self.seconds[name] = report["seconds"]
        self.note(f"{name}: commit", report["seconds"].get("commit", 0.0) / papers)
        if commits := report["microseconds"].get("commit"):
            self.note(f"{name}: first commits", commits[0] / 1e6)
            self.note(f"{name}: last commits", commits[-1] / 1e6)

    def obvious(self, papers: int) -> None:
        """Measure the obvious script."""
        say(f"the obvious script: {papers:,} papers")
        output = self.space("script")
        command = [sys.executable, script.__file__, str(self.snapshot(papers)), str(output)]
        usage = measured(command, env=environment({}), folder=self.folder)
        self.note(f"{SCRIPT}: rate", papers / usage.wall)

    def bare_files(self, data: Path) -> None:
        """Measure bare files with the content of those of a data folder."""
        say("the same files, bare")
        folder = self.space("bare")
        folder.mkdir()
        self.note(f"{FILES}: bare file", bare_files(data, folder))

    def bare_inserts(self, name: str, data: Path) -> None:
        """Measure bare inserts of the records of a data folder."""
        folder = self.space("bare")
        folder.mkdir()
        self.note(f"{name}: bare insert", bare_inserts(data, folder))

    def space(self, name: str) -> Path:
        """Return a folder that is not there yet.

        Of those with many files none is removed before the end: ext4 gives no inode away again for
        minutes and looks past them, so that a bare file took 280 to 460 us after others were
        removed, and 46 to 75 us before.
        """
        number = sum(1 for _ in self.folder.glob(f"{name}-*"))
        return self.folder / f"{name}-{number}"
