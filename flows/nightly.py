"""The scheduled job: bring everything up to date."""

from datetime import timedelta
from functools import partial
from pathlib import Path

from prefect import flow

from flows.jobs.nightly import NightlyOptions
from flows.jobs.nightly import nightly as nightly_job
from flows.jobs.report import RunReport
from flows.orchestration.tasks import run_in_flow, waiting_for_another_attempt

ATTEMPTS = 3
ATTEMPT_AFTER = timedelta(minutes=30)


@flow(name="nightly")
def nightly(config_file: Path | None = None, data_dir: Path | None = None) -> RunReport:
    """Harvest what changed since the last day that is proven complete, and some days before it.

    Its tasks: `find windows`; for each window `harvest pages`, `reconcile window` and, where papers
    are missing, `fetch papers`; `write report`.

    Args:
        config_file: the configuration; `config.yaml` of the working folder by default.
        data_dir: where to keep everything, instead of what the configuration says.
    """
    options = NightlyOptions(config_file=config_file, data_dir=data_dir)
    return run_in_flow(partial(nightly_job, options))


@flow(name="nightly")
def unattended(config_file: Path | None = None, data_dir: Path | None = None) -> RunReport:
    """Harvest what changed since the last night that was complete, and some days before it.

    For a deployment, where nobody waits: arXiv may be away longer than the client asks. A run that
    fails is tried again half an hour later, and once more, and goes on where it stopped.

    Args:
        config_file: the configuration; `config.yaml` of the working folder by default.
        data_dir: where to keep everything, instead of what the configuration says.
    """
    options = NightlyOptions(config_file=config_file, data_dir=data_dir)
    with waiting_for_another_attempt(ATTEMPTS, ATTEMPT_AFTER):
        return run_in_flow(partial(nightly_job, options))


def nightly_flow(options: NightlyOptions) -> RunReport:
    """Run the flow with these options."""
    return nightly(config_file=options.config_file, data_dir=options.data_dir)
