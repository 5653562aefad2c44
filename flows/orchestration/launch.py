"""How the command line runs a job: one rule for all three."""

import os
from collections.abc import Callable

from flows.common.errors import ConfigError
from flows.jobs.report import RunReport
from flows.orchestration.errors import UnreachableRunError
from flows.orchestration.server import is_configured

_NO_SERVER = "Failed to reach API at "
"""The error of Prefect's client, before a flow run begins, where no server answers."""

Launched = Callable[[], RunReport]
"""A job with all its options, by itself or as a flow."""


def launch(job: Launched, flow: Launched) -> RunReport:
    """Run a job's `flow` where a Prefect server is configured, and the `job` itself elsewhere.

    By itself, for the server that Prefect would start for the run takes longer than most jobs,
    and nobody sees what it is told.
    """
    keep_analytics_off()
    # Prefect's own lines stay off the screen; its log in the UI stays whole.
    os.environ.setdefault("PREFECT_LOGGING_HANDLERS_CONSOLE_LEVEL", "CRITICAL")
    # This may import Prefect, which takes its settings then.
    if not is_configured():
        return job()
    try:
        return flow()
    except UnreachableRunError as error:
        # For Prefect a run that did not reach arXiv has failed, and still has a report.
        return error.report
    except RuntimeError as error:
        _, is_away, url = str(error).partition(_NO_SERVER)
        if not is_away:
            raise
        raise ConfigError(
            f"no Prefect server answers at {url}: start it with 'prefect server start', or run "
            "without one by setting PREFECT_API_URL to nothing"
        ) from None


def keep_analytics_off() -> None:
    """Have Prefect, before it is imported, send nothing about its use to anyone."""
    os.environ.setdefault("PREFECT_SERVER_ANALYTICS_ENABLED", "false")
