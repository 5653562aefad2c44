"""The scheduled job: bring everything up to date."""

from contextlib import suppress
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Annotated

from prefect import flow, runtime
from pydantic import Field

from flows.common.config import load_config
from flows.common.errors import ConfigError
from flows.jobs.nightly import NightlyOptions
from flows.jobs.nightly import nightly as nightly_job
from flows.jobs.report import RunReport
from flows.orchestration.form import with_form
from flows.orchestration.names import VERSION, nightly_name, nightly_tags
from flows.orchestration.tasks import run_in_flow, waiting_for_another_attempt

ATTEMPTS = 3
ATTEMPT_AFTER = timedelta(minutes=30)

DESCRIPTION = """\
Harvests what changed on arXiv since the last day that is proven complete, and some days before it,
for the categories of the configuration.

Where arXiv cannot be reached, the run is tried again half an hour later, twice at most, and goes on
where it stopped; until then it holds up no other run.
"""

ConfigFile = Annotated[Path | None, Field(examples=["/srv/pith/config.yaml"])]
DataDir = Annotated[Path | None, Field(examples=["/srv/pith/data"])]


def _name() -> str:
    return nightly_name(runtime.flow_run.scheduled_start_time)


def _tags(options: NightlyOptions) -> list[str]:
    with suppress(ConfigError):  # which the job raises too, as the run's own failure
        return nightly_tags(load_config(options.config_file, data_dir=options.data_dir).categories)
    return ["nightly"]


@with_form
@flow(name="nightly", flow_run_name=_name, description=DESCRIPTION, version=VERSION)
def nightly(config_file: ConfigFile = None, data_dir: DataDir = None) -> RunReport:
    """Harvest what changed since the last day that is proven complete, and some days before it.

    Its tasks: `find windows`; for each window `harvest pages`, `reconcile window` and, where papers
    are missing, `fetch papers`; `write report`.

    Args:
        config_file: The configuration; empty is `config.yaml` of the working folder.
        data_dir: The data folder; empty is the one of the configuration.
    """
    options = NightlyOptions(config_file=config_file, data_dir=data_dir)
    return run_in_flow(partial(nightly_job, options), _tags(options))


@with_form
@flow(name="nightly", flow_run_name=_name, description=DESCRIPTION, version=VERSION)
def unattended(config_file: ConfigFile = None, data_dir: DataDir = None) -> RunReport:
    """Harvest what changed since the last night that was complete, and some days before it.

    For a deployment, where nobody waits: arXiv may be away longer than the client asks. A run that
    fails is tried again half an hour later, and once more, and goes on where it stopped.

    Args:
        config_file: The configuration; empty is `config.yaml` of the working folder.
        data_dir: The data folder; empty is the one of the configuration.
    """
    options = NightlyOptions(config_file=config_file, data_dir=data_dir)
    with waiting_for_another_attempt(ATTEMPTS, ATTEMPT_AFTER):
        return run_in_flow(partial(nightly_job, options), _tags(options))


def nightly_flow(options: NightlyOptions) -> RunReport:
    """Run the flow with these options."""
    return nightly(config_file=options.config_file, data_dir=options.data_dir)
