"""The scheduled job: bring everything up to date."""

from pathlib import Path

from prefect import flow

from flows import asked
from flows.engine import run_job
from flows.report import RunReport


@flow(name="nightly")
def nightly(config_file: Path | None = None, data_dir: Path | None = None) -> RunReport:
    """Harvest what changed since the last day that is proven complete, and some days before it.

    Args:
        config_file: the configuration; `config.yaml` of the working folder by default.
        data_dir: where to keep everything, instead of what the configuration says.
    """
    return run_job(asked.nightly(config_file=config_file, data_dir=data_dir))


unattended = nightly.with_options(retries=2, retry_delay_seconds=30 * 60)
"""The same flow for a schedule, where nobody waits: arXiv may be away longer than the client asks.

An attempt goes on where the one before stopped. Steps are not retried, `as_task` says why.
"""
