"""What `status` finds in a data folder, as the document that `--json` prints."""

from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import TYPE_CHECKING

from flows.cli.data.status.watch import state_of
from flows.common.counts import outcome
from flows.common.errors import StoreError
from flows.common.process.exit_status import ExitStatus
from flows.ingest.worker_context import layout_of
from flows.jobs.reports.kept import KeptReport, read_report, run_names
from flows.sources.arxiv.harvest.coverage import (
    Coverage,
    backfill_command,
    coverage,
    sets_of_interest,
)
from flows.sources.arxiv.sets import category_of, title_of
from flows.store.catalog.copies import open_catalog
from flows.store.repair.examine import look

if TYPE_CHECKING:
    from flows.common.config import Config
    from flows.store.catalog.windows import Progress
    from flows.store.layout import Layout

LAST_RUNS = 5


@dataclass(frozen=True, slots=True)
class LastRun:
    """A run by its report; where that cannot be read, the outcome says so and there are no numbers.

    `is_complete` is false where windows are left to finish, or arXiv or the input failed.
    """

    run: str
    outcome: str
    is_complete: bool = False
    job: str | None = None
    started_at: datetime | None = None
    exit_status: int | None = None
    papers: int | None = None
    new_records: int | None = None
    new_snapshots: int | None = None
    unchanged: int | None = None
    rejects: int | None = None


@dataclass(frozen=True, slots=True)
class OpenWindow:
    """A window whose harvest has begun and is not complete; `command` completes it."""

    window: str
    category: str
    first: date | None
    until: date | None
    pages: int
    all_pages_came: bool
    begun: date
    command: str


@dataclass(frozen=True, slots=True)
class FolderStatus:
    """A data folder. Where there are `faults`, the rest is not told: it may be wrong."""

    folder: str
    faults: list[str] = field(default_factory=list)
    records: int | None = None
    rejects: int | None = None
    shards: int | None = None
    vanished: int | None = None
    coverage: list[Coverage] = field(default_factory=list)
    runs: list[LastRun] = field(default_factory=list)
    open_windows: list[OpenWindow] = field(default_factory=list)
    shards_without_files: int = 0


def folder_status(config: "Config") -> FolderStatus:
    """Return what there is in the configured data folder; nothing in it is changed."""
    layout = layout_of(config)
    if faults := list(find_faults(layout)):
        return FolderStatus(layout.location, faults)
    with closing(open_catalog(layout)) as catalog:
        log = catalog.windows
        return FolderStatus(
            folder=layout.location,
            records=catalog.count("records"),
            rejects=catalog.count("rejects"),
            shards=catalog.count("shards"),
            vanished=catalog.count("vanished"),
            coverage=[coverage(log, each) for each in sets_of_interest(log, config.categories)],
            runs=[_run(layout, name) for name in run_names(layout)[:LAST_RUNS]],
            open_windows=[_open_window(each) for each in log.open_windows()],
            shards_without_files=len(catalog.shards_without_files()),
        )


def find_faults(layout: "Layout") -> Iterator[str]:
    """Yield what a quick look finds wrong with what was committed, a line each."""
    found = look(layout, quick=True)
    if found.entries or layout.catalog.exists():
        yield from map(str, found.faults)


def _run(layout: "Layout", name: str) -> LastRun:
    try:
        return _described(read_report(layout, name))
    except StoreError:
        return LastRun(name, state_of(layout, name) or "its report cannot be read")


def _described(report: KeptReport) -> LastRun:
    status, counts = ExitStatus(report.exit_status), report.counts
    incomplete = len(report.incomplete)
    ended = outcome(
        status, rejects=counts.rejects, failures=len(report.failures), incomplete=incomplete
    )
    return LastRun(
        run=report.run,
        outcome=ended,
        is_complete=ended.startswith("done"),
        job=report.job,
        started_at=report.started_at,
        exit_status=report.exit_status,
        papers=counts.papers,
        new_records=counts.new_records,
        new_snapshots=counts.new_snapshots,
        unchanged=counts.unchanged,
        rejects=counts.rejects,
    )


def _open_window(progress: "Progress") -> OpenWindow:
    window = progress.window
    return OpenWindow(
        window=title_of(window),
        category=category_of(window.set_spec),
        first=window.first,
        until=window.until,
        pages=progress.pages,
        all_pages_came=progress.token == "",
        begun=progress.started_at.date(),
        command=backfill_command(window.set_spec, window.first, window.until),
    )
