"""A job's run: its key and store opened, its report written at the end."""

import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from functools import partial

from flows.common.config import Config
from flows.common.keys import ensure_issuer
from flows.common.process.clock import utc_now
from flows.common.process.progress import LOGGER
from flows.common.process.signals import unbroken
from flows.ingest.commit import discarding_uncommitted, keep_empty_tables, note_committed
from flows.ingest.progress.shown import shown
from flows.ingest.run import Run
from flows.ingest.steps import DIRECTLY, Step, StepRunner
from flows.ingest.worker_context import layout_of
from flows.jobs.report import RunReport, make_report
from flows.store.files.local import writing
from flows.store.search.build import keep_index
from flows.store.store import open_store


@contextmanager
def open_run(job: str, config: Config, steps: StepRunner = DIRECTLY) -> Iterator[Run]:
    """Open key and store for one run; what a killed run left is recovered first.

    A search index that there is takes what a run committed, once the store is closed.
    """
    started_at = utc_now()
    layout = layout_of(config)
    issuer, is_new = ensure_issuer(config.identity)
    if is_new:
        LOGGER.info(
            "made a signing key in %s, fingerprint %s", config.identity.key_file, issuer.fingerprint
        )
    bundle_files = config.outputs.bundle_files == "all"
    with open_store(
        layout,
        job=job,
        bundle_files=bundle_files,
        say=LOGGER.warning,
        now=utc_now,
        tolerance=timedelta(seconds=config.clock_tolerance_seconds),
    ) as store:
        LOGGER.info("data folder: %s", layout.location if layout.objects else layout.root.resolve())
        name = f"{started_at:%Y%m%dT%H%M%SZ}-{job}-{secrets.token_hex(2)}"
        run = Run(name, job, config, store, issuer, steps, started_at)
        note_committed(run.committed)
        with discarding_uncommitted(store), shown(run):
            keep_empty_tables(run)
            yield run
            # Here too, so that a run is not done before.
            run.progress.begin("syncing what was written", 1, 1)
            store.finish_files()
    keep_index(layout, LOGGER.warning)


def write_report(run: Run) -> RunReport:
    """Write the report into the run's folder and return it."""
    return run.steps.run(Step.WRITE_REPORT, f"write report {run.name}", partial(_write_report, run))


def _write_report(run: Run) -> RunReport:
    # Here, for templates take long to import.
    from flows.jobs.reports.page import write_page

    report = make_report(run, utc_now())
    layout = run.store.layout
    with unbroken(), writing(layout.root):
        write_page(layout, run.name, report.write(layout))
    return report
