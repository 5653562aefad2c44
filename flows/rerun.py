"""The small job: one paper, or a few, once more."""

from functools import partial
from pathlib import Path
from typing import Annotated

from prefect import flow, runtime
from pydantic import Field

from flows.jobs.report import RunReport
from flows.jobs.rerun import RerunOptions
from flows.jobs.rerun import rerun as rerun_job
from flows.orchestration.form import with_form
from flows.orchestration.names import VERSION, rerun_name, rerun_tags
from flows.orchestration.tasks import run_in_flow

DESCRIPTION = """\
Asks arXiv for single papers once more, and says for each whether it is a new record, a new snapshot
or unchanged. ArXiv serves the metadata of the newest version alone.
"""


def _name() -> str:
    return rerun_name(RerunOptions(**runtime.flow_run.parameters))


@with_form
@flow(name="rerun", flow_run_name=_name, description=DESCRIPTION, version=VERSION)
def rerun(
    papers: Annotated[list[Annotated[str, Field(examples=["1906.10822"])]], Field(min_length=1)],
    reissue: bool = False,
    config_file: Annotated[Path | None, Field(examples=["/srv/pith/config.yaml"])] = None,
    data_dir: Annotated[Path | None, Field(examples=["/srv/pith/data"])] = None,
) -> RunReport:
    """Ask arXiv for single papers once more.

    Its tasks: `fetch papers`, or `reissue receipts`, some of them in each; `write report`.

    Args:
        papers: What people paste: `1906.10822`, `arXiv:1906.10822v1`, `math/0410603`, links to
            arXiv, DOIs of arXiv's, or Pith Numbers that are kept here.
        reissue: Sign their receipts again with the current key; arXiv is not asked.
        config_file: The configuration; empty is `config.yaml` of the working folder.
        data_dir: The data folder; empty is the one of the configuration.
    """
    options = RerunOptions(
        papers=papers, reissue=reissue, config_file=config_file, data_dir=data_dir
    )
    return run_in_flow(partial(rerun_job, options), rerun_tags(options))


def rerun_flow(options: RerunOptions) -> RunReport:
    """Run the flow with these options."""
    return rerun(
        papers=list(options.papers),
        reissue=options.reissue,
        config_file=options.config_file,
        data_dir=options.data_dir,
    )
