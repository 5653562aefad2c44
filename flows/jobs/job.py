"""A job under way: its key and store opened, its results gathered, its report written."""

import secrets
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from flows.common.config import Config
from flows.common.errors import PithError
from flows.common.keys import ensure_issuer
from flows.common.process.clock import utc_now
from flows.common.process.progress import LOGGER
from flows.common.process.signals import unbroken
from flows.ingest.commit import Run, UnitResult, keep_empty_tables, note_kept
from flows.ingest.worker_context import layout_of
from flows.jobs.report import RunReport, summarise
from flows.sources.arxiv.harvest.harvest import WindowOutcome
from flows.sources.kaggle.file import SnapshotFile
from flows.store.files.local import writing
from flows.store.store import Store, open_store


@dataclass
class Job:
    """What a job has done so far; its steps add to `results`."""

    name: str
    config: Config
    run: Run
    started_at: datetime
    results: list[UnitResult] = field(default_factory=list)
    windows: list[WindowOutcome] = field(default_factory=list)
    coverage: list[str] = field(default_factory=list)
    papers: list[str] = field(default_factory=list)
    snapshot: SnapshotFile | None = None
    unreachable: str | None = None
    stopped: str | None = None

    def report(self) -> RunReport:
        """Write the report into the run's folder and return it."""
        counts, files, failures = summarise(self.results)
        issuer = self.run.issuer
        report = RunReport(
            run=self.run.name,
            job=self.name,
            started_at=self.started_at,
            finished_at=utc_now(),
            data_dir=self.run.store.layout.location,
            key_fingerprint=issuer.fingerprint,
            key_id=issuer.identity.key_id,
            builder_version=issuer.identity.builder_version,
            units=len(self.results),
            counts=counts,
            files=files,
            seconds=self.run.store.watch.seconds,
            failures=failures,
            windows=self.windows,
            coverage=self.coverage,
            papers=self.papers,
            snapshot=self.snapshot,
            unreachable=self.unreachable,
            stopped=self.stopped,
        )
        layout = self.run.store.layout
        with unbroken(), writing(layout.root):
            report.write(layout)
        return report


@contextmanager
def open_job(name: str, config: Config) -> Iterator[Job]:
    """Open key and store for one run; what a killed run left is recovered first."""
    started_at = utc_now()
    issuer, is_new = ensure_issuer(config.identity)
    if is_new:
        LOGGER.info(
            "made a signing key in %s, fingerprint %s", config.identity.key_file, issuer.fingerprint
        )
    bundle_files = config.outputs.bundle_files == "all"
    with open_store(
        layout_of(config),
        job=name,
        bundle_files=bundle_files,
        say=LOGGER.warning,
        now=utc_now,
        tolerance=timedelta(seconds=config.clock_tolerance_seconds),
    ) as store:
        run_name = f"{started_at:%Y%m%dT%H%M%SZ}-{name}-{secrets.token_hex(2)}"
        run = Run(store, issuer, run_name)
        note_kept(run.kept)
        with tidied(store):
            keep_empty_tables(run)
            yield Job(name, config, run, started_at)


@contextmanager
def tidied(store: Store) -> Iterator[None]:
    """Remove what was written but never committed, where the block ends before its end."""
    try:
        yield
    except BaseException:
        with suppress(OSError, PithError):  # what went wrong before it matters more
            store.remove_unnamed()
        raise
