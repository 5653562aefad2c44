"""The small job: one paper, or a few, once more."""

from pathlib import Path

from prefect import flow

from flows import jobs
from flows.config import load_config
from flows.engine import as_task
from flows.report import RunReport


@flow(name="rerun")
def rerun(
    papers: list[str], config_file: Path | None = None, data_dir: Path | None = None
) -> RunReport:
    """Ask arXiv for single papers once more.

    Args:
        papers: arXiv ids, links to arXiv, DOIs of arXiv's, or Pith Numbers.
        config_file: the configuration; `config.yaml` of the working folder by default.
        data_dir: where to keep everything, instead of what the configuration says.
    """
    return jobs.rerun(load_config(config_file, data_dir=data_dir), papers, in_step=as_task)
