"""The three deployments and their automations, served to a Prefect server by one process."""

import warnings
from pathlib import Path

from prefect import serve
from prefect.client.orchestration import get_client
from prefect.client.schemas.filters import DeploymentFilter, DeploymentFilterName
from prefect.client.schemas.schedules import CronSchedule
from prefect.deployments.runner import RunnerDeployment
from prefect.settings import get_current_settings
from pydantic import ValidationError

from flows.common.config import ScheduleConfig, load_config
from flows.common.errors import ConfigError
from flows.common.files.locations import location_of
from flows.common.process.progress import LOGGER
from flows.common.terminal import quoted
from flows.orchestration.artifacts import forgiven
from flows.orchestration.automations import make_automations
from flows.orchestration.names import DEPLOYMENTS, VERSION

EARLIER_NAME = "pith"
"""The name of all three before 0.2.0."""


def serve_jobs(config_file: Path | None, data_dir: Path | None) -> None:
    """Serve the three `DEPLOYMENTS` until stopped.

    Raises `ConfigError` when there is no server to serve to.
    """
    deployments = make_deployments(config_file, data_dir)
    url = _find_server()
    LOGGER.propagate = False  # Prefect would show our lines once more
    # What comes next may take minutes, where its database is busy.
    LOGGER.info("found the Prefect server at %s", url)
    pause_earlier()
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
            entrypoint,
            name,
            schedules=[schedule] if job == "nightly" else [],
            parameters=parameters,
            tags=[job],
            # Said here, or Prefect takes the commit of whatever folder this runs in.
            version=VERSION,
            # Stopping pauses the schedule; starting again must not leave it so.
            paused=False,
        )
        for entrypoint, name in DEPLOYMENTS.items()
        for job in [entrypoint.split(".")[1]]
    ]


def pause_earlier() -> None:
    """Pause what a version before 0.2.0 served: nobody takes up its nights any more.

    What a work pool runs is its operator's, and stays as it is.
    """
    with forgiven(), get_client(sync_client=True) as client:
        earlier = client.read_deployments(
            deployment_filter=DeploymentFilter(name=DeploymentFilterName(any_=[EARLIER_NAME]))
        )
        for deployment in earlier:
            now = DEPLOYMENTS.get(deployment.entrypoint or "")
            if now and not deployment.paused and not deployment.work_pool_name:
                client.pause_deployment(deployment.id)
                LOGGER.warning(
                    "%s takes the place of the deployment %s of an earlier version, which is "
                    "paused now; 'prefect deployment delete --id %s' removes it",
                    now, EARLIER_NAME, deployment.id,
                )  # fmt: skip


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


def _find_server() -> str:
    """Return the URL of the server that Prefect's settings name, which answers."""
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
    return url
