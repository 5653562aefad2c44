"""The three deployments and their automations, served to a Prefect server by one process."""

import warnings
from pathlib import Path

from prefect import serve
from prefect.client.orchestration import get_client
from prefect.client.schemas.schedules import CronSchedule
from prefect.deployments.runner import RunnerDeployment
from prefect.settings import get_current_settings
from pydantic import ValidationError

from flows.common.config import ScheduleConfig, load_config
from flows.common.errors import ConfigError
from flows.common.files.locations import location_of
from flows.common.terminal import quoted
from flows.orchestration.automations import make_automations
from flows.orchestration.names import VERSION

NAME = "pith"
JOBS = ("flows.backfill.backfill", "flows.nightly.unattended", "flows.rerun.rerun")


def serve_jobs(config_file: Path | None, data_dir: Path | None) -> None:
    """Serve `backfill/pith`, `nightly/pith` and `rerun/pith` until stopped.

    Raises `ConfigError` when there is no server to serve to.
    """
    deployments = make_deployments(config_file, data_dir)
    _find_server()
    make_automations()
    # Prefect 3.7 stops at SIGTERM as it should, and forgets a coroutine on the way.
    warnings.filterwarnings("ignore", "coroutine 'Runner.astop' was never awaited")
    # One at a time, for the data folder has one writer: the others wait for their turn.
    serve(*deployments, limit=1)


def make_deployments(config_file: Path | None, data_dir: Path | None) -> list[RunnerDeployment]:
    """Make the three deployments; the configuration and data folder are their defaults."""
    schedule = nightly_schedule(load_config(config_file, data_dir=data_dir).schedule)
    locations = {"config_file": config_file, "data_dir": data_dir and location_of(data_dir)}
    parameters = {
        name: str(value.resolve() if isinstance(value, Path) else value)
        for name, value in locations.items()
        if value
    }
    return [
        RunnerDeployment.from_entrypoint(
            job,
            NAME,
            schedules=[schedule] if "nightly" in job else [],
            parameters=parameters,
            tags=[job.split(".")[1]],
            # Said here, or Prefect takes the commit of whatever folder this runs in.
            version=VERSION,
            # Stopping pauses the schedule; starting again must not leave it so.
            paused=False,
        )
        for job in JOBS
    ]


def nightly_schedule(config: ScheduleConfig) -> CronSchedule:
    """Return when nights are to run; raises `ConfigError` for what is no cron line or time zone."""
    try:
        return CronSchedule(cron=config.cron, timezone=config.timezone)
    except ValidationError as error:
        first = error.errors()[0]
        reason = first["msg"].removeprefix("Value error, ")
        raise ConfigError(
            f"schedule.{first['loc'][0]} {quoted(first['input'])}: {reason}"
        ) from None


def _find_server() -> None:
    """Check that a server answers, of which Prefect's settings name one."""
    url = get_current_settings().api.url
    start = "run 'prefect server start' in another terminal"
    if not url:
        raise ConfigError(
            f"there is no Prefect server to serve to: {start} and set "
            "PREFECT_API_URL=http://127.0.0.1:4200/api"
        )
    with get_client(sync_client=True) as client:
        problem = client.api_healthcheck()
    if problem:
        raise ConfigError(f"the Prefect server at {url} does not answer ({problem}): {start}")
