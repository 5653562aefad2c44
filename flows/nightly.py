"""The scheduled job: bring everything up to date."""

from pathlib import Path

from prefect import flow

from flows import jobs
from flows.config import load_config
from flows.engine import as_task
from flows.report import RunReport


@flow(name="nightly")
def nightly(config_file: Path | None = None, data_dir: Path | None = None) -> RunReport:
    """Harvest what changed since the last night that was complete, and some days before it.

    Args:
        config_file: the configuration; `config.yaml` of the working folder by default.
        data_dir: where to keep everything, instead of what the configuration says.
    """
    return jobs.nightly(load_config(config_file, data_dir=data_dir), in_step=as_task)
