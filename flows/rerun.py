"""The small job: one paper, or a few, once more."""

from functools import partial
from pathlib import Path

from prefect import flow

from flows import jobs
from flows.config import load_config
from flows.engine import run_job
from flows.report import RunReport


@flow(name="rerun")
def rerun(
    arxiv_ids: list[str], config_file: Path | None = None, data_dir: Path | None = None
) -> RunReport:
    """Ask arXiv for single papers once more.

    Args:
        arxiv_ids: ids without a version, such as 1906.10822 or math/0410603.
        config_file: the configuration; `config.yaml` of the working folder by default.
        data_dir: where to keep everything, instead of what the configuration says.
    """
    config = load_config(config_file, data_dir=data_dir)
    return run_job(partial(jobs.rerun, config, arxiv_ids))
