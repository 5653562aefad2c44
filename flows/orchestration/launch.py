"""How the command line runs a job: one rule for all three."""

import os
from importlib import import_module
from typing import Any, Literal

from flows.jobs import asked
from flows.jobs.report import RunReport, UnreachableRunError
from flows.orchestration.server import is_configured

JobName = Literal["backfill", "nightly", "rerun"]


def run_job(job: JobName, **options: Any) -> RunReport:  # noqa: ANN401 - the job's
    """Run a job as a flow where a Prefect server is configured, and by itself elsewhere.

    By itself, for the server that Prefect would start for the run takes longer than most jobs,
    and nobody sees what it is told.
    """
    keep_analytics_off()
    # Prefect's own lines stay off the screen; its log in the UI stays whole.
    os.environ.setdefault("PREFECT_LOGGING_HANDLERS_CONSOLE_LEVEL", "CRITICAL")
    # This may import Prefect, which takes its settings then.
    if is_configured():
        return _run_flow(job, options)
    report: RunReport = getattr(asked, job)(**options)()
    return report


def _run_flow(job: JobName, options: dict[str, Any]) -> RunReport:
    """Run a flow; for Prefect one that did not reach arXiv has failed, and still has a report."""
    flow = getattr(import_module(f"flows.{job}"), job)
    try:
        report: RunReport = flow(**options)
    except UnreachableRunError as error:
        return error.report
    return report


def keep_analytics_off() -> None:
    """Tell Prefect, before it is imported, to send nothing about its use to anyone."""
    os.environ.setdefault("PREFECT_SERVER_ANALYTICS_ENABLED", "false")
