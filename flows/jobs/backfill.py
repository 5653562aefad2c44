"""The one-off job: the papers of one source, or all receipts again."""

from functools import partial

from flows.common.config import Config, load_config
from flows.ingest.steps import DIRECTLY, Step, StepRunner
from flows.jobs.job import open_run, write_report
from flows.jobs.reissue import reissue
from flows.jobs.report import RunReport
from flows.sources.registry import choose_source, refuse_source
from flows.sources.source import BackfillOptions, Source


def backfill(options: BackfillOptions, steps: StepRunner = DIRECTLY) -> RunReport:
    """Process the source that the options name, or issue the receipts of all records again."""
    config = load_config(options.config_file, data_dir=options.data_dir)
    if options.reissue:
        refuse_source(options)
        return reissue(config, job_name="backfill", steps=steps)
    return process_source(config, choose_source(options), steps)


def process_source(config: Config, source: Source, steps: StepRunner = DIRECTLY) -> RunReport:
    """Process the papers of one source."""
    steps.run(Step.CHECK_SOURCE, f"check {source.title}", partial(source.check, config))
    with open_run("backfill", config, steps) as run:
        source.process(run)
    return write_report(run)
