"""The small job: one paper, or a few, once more."""

from functools import partial
from pathlib import Path

from prefect import flow

from flows.jobs.report import RunReport
from flows.jobs.rerun import RerunOptions
from flows.jobs.rerun import rerun as rerun_job
from flows.orchestration.tasks import run_in_flow


@flow(name="rerun")
def rerun(
    papers: list[str],
    reissue: bool = False,
    config_file: Path | None = None,
    data_dir: Path | None = None,
) -> RunReport:
    """Ask arXiv for single papers once more.

    Its tasks: `fetch papers`, or `reissue receipts`, some of them in each; `write report`.

    Args:
        papers: arXiv ids, links to arXiv, DOIs of arXiv's, or Pith Numbers.
        reissue: issue their receipts again with the current key, and ask arXiv nothing.
        config_file: the configuration; `config.yaml` of the working folder by default.
        data_dir: where to keep everything, instead of what the configuration says.
    """
    options = RerunOptions(
        papers=papers, reissue=reissue, config_file=config_file, data_dir=data_dir
    )
    return run_in_flow(partial(rerun_job, options))


def rerun_flow(options: RerunOptions) -> RunReport:
    """Run the flow with these options."""
    return rerun(
        papers=list(options.papers),
        reissue=options.reissue,
        config_file=options.config_file,
        data_dir=options.data_dir,
    )
