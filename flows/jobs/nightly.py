"""The scheduled job: everything up to date, from the last day that is proven complete on."""

from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from flows.common.config import Config, load_config
from flows.ingest.run import Run
from flows.ingest.steps import DIRECTLY, Step, StepRunner
from flows.jobs.job import open_run, write_report
from flows.jobs.report import RunReport
from flows.sources.arxiv.connection import connect
from flows.sources.arxiv.harvest.coverage import coverage_lines, night_windows
from flows.sources.arxiv.harvest.windows import find_sets, harvest_windows
from flows.sources.arxiv.sets import ALL_OF_ARXIV, windows_of
from flows.store.catalog.window import Window

if TYPE_CHECKING:
    from flows.sources.arxiv.oai_client import OaiClient


@dataclass(frozen=True, slots=True, kw_only=True)
class NightlyOptions:
    """The options of a night, as a command, a form of Prefect's or a deployment gives them."""

    config_file: Path | None = None
    data_dir: Path | None = None


def nightly(options: NightlyOptions, steps: StepRunner = DIRECTLY) -> RunReport:
    """Harvest what changed since the last day that is proven complete, and some days before it."""
    return harvest_night(load_config(options.config_file, data_dir=options.data_dir), steps)


def harvest_night(config: Config, steps: StepRunner = DIRECTLY) -> RunReport:
    """Harvest what changed since the last day that is proven complete, and some days before it.

    The first night begins where the windows of a backfill end. What is not proven after it, such as
    what lies before a first night without any backfill, is said in the report.
    """
    with open_run("nightly", config, steps) as run, connect(config) as client:
        categories = config.categories or [ALL_OF_ARXIV]
        find = partial(_find_windows, run, client, categories)
        sets, windows = steps.run(Step.FIND_WINDOWS, windows_of(categories), find)
        harvest_windows(run, client, windows)
        run.coverage = list(coverage_lines(run.store.catalog.windows, sets))
    return write_report(run)


def _find_windows(
    run: Run, client: "OaiClient", categories: list[str]
) -> tuple[list[str | None], list[Window]]:
    """Return the sets of the categories, and the windows of this night, which are noted."""
    now, log = run.clock(), run.store.catalog.windows
    sets = find_sets(client, categories)
    overlap = run.config.harvest.overlap_days
    windows = [w for one in sets for w in night_windows(log, one, now.date(), overlap)]
    for window in windows:
        if window.until is None:
            # Noted before the first of them, so that a night that fails is made good by the
            # next, from its days on.
            log.resume(window, now)
    return sets, windows
