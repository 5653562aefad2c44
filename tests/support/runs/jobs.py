"""The jobs by what tests vary: one call for each source, with steps that a test can watch."""

from collections.abc import Callable, Sequence
from datetime import date
from pathlib import Path
from typing import TypeVar

from flows.common.config import Config
from flows.ingest.steps import DIRECTLY, DirectSteps, Step, StepName, StepRunner, named
from flows.jobs.backfill import process_source
from flows.jobs.nightly import harvest_night
from flows.jobs.report import RunReport
from flows.jobs.rerun import fetch_again
from flows.sources.arxiv_categories import ArxivCategories
from flows.sources.arxiv_search import ArxivSearch
from flows.sources.kaggle_metadata import KaggleMetadata
from flows.sources.saved_replies import SavedReplies
from transforms.paper.selection import Selection

nightly = harvest_night
rerun = fetch_again

_T = TypeVar("_T")
OnStep = Callable[[int], None]
StepWork = Callable[[], object]


class WatchedSteps(DirectSteps):
    """Runs steps directly, and calls a function of the test after each that commits shards."""

    def __init__(self, on_step: OnStep) -> None:
        self._on_step, self._steps = on_step, 0

    def run(self, step: Step, name: StepName, work: Callable[[], _T]) -> _T:
        returned = super().run(step, name, work)
        if step == Step.COMMIT_SHARDS:
            self._steps += 1
            self._on_step(self._steps)
        return returned


class WrappedSteps(DirectSteps):
    """Runs the steps that commit shards by a function of the test."""

    def __init__(self, in_step: Callable[[str, StepWork], None]) -> None:
        self._in_step = in_step

    def run(self, step: Step, name: StepName, work: Callable[[], _T]) -> _T:
        if step != Step.COMMIT_SHARDS:
            return work()
        returned: list[_T] = []
        self._in_step(named(name), lambda: returned.append(work()))
        return returned[0]


def backfill_raw(config: Config, raw: Sequence[Path], steps: StepRunner = DIRECTLY) -> RunReport:
    return process_source(config, SavedReplies(tuple(raw)), steps)


def backfill_snapshot(
    config: Config, file: Path, selection: Selection, steps: StepRunner = DIRECTLY
) -> RunReport:
    return process_source(config, KaggleMetadata(file, selection), steps)


def backfill_search(config: Config, query: str, limit: int) -> RunReport:
    return process_source(config, ArxivSearch(query, limit))


def backfill_categories(
    config: Config,
    categories: Sequence[str],
    first: date | None = None,
    until: date | None = None,
    steps: StepRunner = DIRECTLY,
) -> RunReport:
    return process_source(config, ArxivCategories(tuple(categories), first, until), steps)
