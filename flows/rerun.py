"""The small job: one paper, or a few, once more."""

from pathlib import Path

from prefect import flow

from flows.jobs import asked
from flows.jobs.report import RunReport
from flows.orchestration.tasks import run_job


@flow(name="rerun")
def rerun(
    papers: list[str],
    reissue: bool = False,  # noqa: FBT001, FBT002 - a switch of the form
    config_file: Path | None = None,
    data_dir: Path | None = None,
) -> RunReport:
    """Ask arXiv for single papers once more.

    Args:
        papers: arXiv ids, links to arXiv, DOIs of arXiv's, or Pith Numbers.
        reissue: issue their receipts again with the current key, and ask arXiv nothing.
        config_file: the configuration; `config.yaml` of the working folder by default.
        data_dir: where to keep everything, instead of what the configuration says.
    """
    return run_job(asked.rerun(papers, reissue=reissue, config_file=config_file, data_dir=data_dir))
