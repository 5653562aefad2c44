"""The small job: one paper, or a few, once more."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from flows.common.batches import batches
from flows.common.config import Config, load_config
from flows.ingest.steps import DIRECTLY, Step, StepRunner, fetching, step_size
from flows.jobs.job import open_run, write_report
from flows.jobs.reissue import reissue
from flows.jobs.report import RunReport
from flows.jobs.single_papers import fetch_requested, find_requested
from flows.sources.arxiv.connection import connect, noting_unreachable
from flows.sources.arxiv.harvest.papers import expect_single
from flows.store.catalog.references import parse_references


@dataclass(frozen=True, slots=True, kw_only=True)
class RerunOptions:
    """The options of a rerun, as a command, a form of Prefect's or a deployment gives them.

    `papers` are named in any of the forms of `parse_reference`. With `reissue` their receipts are
    issued again with the current key, and arXiv is not asked.
    """

    papers: Sequence[str]
    reissue: bool = False
    config_file: Path | None = None
    data_dir: Path | None = None


def rerun(options: RerunOptions, steps: StepRunner = DIRECTLY) -> RunReport:
    """Ask arXiv for single papers once more, or issue their receipts again."""
    config = load_config(options.config_file, data_dir=options.data_dir)
    if options.reissue:
        return reissue(config, options.papers, job_name="rerun", steps=steps)
    return fetch_again(config, options.papers, steps)


def fetch_again(
    config: Config, references: Sequence[str], steps: StepRunner = DIRECTLY
) -> RunReport:
    """Ask arXiv for single papers once more, and note for each what is new."""
    named = parse_references(references)
    with (
        open_run("rerun", config, steps) as run,
        noting_unreachable(run),
        connect(config) as client,
    ):
        requested = find_requested(run, named)
        expect_single(run, len(requested))
        size = step_size(len(requested), config.limits.steps, config.limits.papers_a_step)
        for number, some in enumerate(batches(requested, size)):
            ids = [paper.arxiv_id for paper in some]
            name = fetching(ids, number * size, len(requested))
            steps.run(Step.FETCH_PAPERS, name, partial(fetch_requested, run, client, some))
    return write_report(run)
