"""The steps of a run by their kinds: run directly, or as Prefect tasks of these names."""

from collections.abc import Callable
from enum import StrEnum
from math import ceil
from typing import Protocol, TypeVar

from flows.ingest.progress.value import RunProgress

_T = TypeVar("_T")


class Step(StrEnum):
    """The kind of a step; Prefect's UI shows it as the task's name."""

    CHECK_SOURCE = "check source"
    FIND_WINDOWS = "find windows"
    HARVEST_PAGES = "harvest pages"
    RECONCILE_WINDOW = "reconcile window"
    FETCH_PAPERS = "fetch papers"
    SEARCH = "search arXiv"
    COMMIT_SHARDS = "commit shards"
    REISSUE_RECEIPTS = "reissue receipts"
    WRITE_REPORT = "write report"


class StepRunner(Protocol):
    """Runs the steps of a job, and shows how far the run is."""

    def run(self, step: Step, name: str, work: Callable[[], _T]) -> _T:
        """Return what `work` returns; `name` says which pages, papers or parts it is about."""

    def show(self, progress: RunProgress) -> None:
        """Show how far the run is: called every few seconds and at the end.

        By a thread that may wait, for the run does not. What goes wrong here never fails the run.
        """


class DirectSteps:
    """Runs steps without Prefect, and shows nothing of them."""

    def run(self, step: Step, name: str, work: Callable[[], _T]) -> _T:
        """Return what `work` returns."""
        return work()

    def show(self, progress: RunProgress) -> None:
        """Show nothing: `shown` has the terminal, the log and `run.json`."""


DIRECTLY = DirectSteps()


def step_size(items: int, steps: int, at_least: int = 1) -> int:
    """Return how many items a step takes, so that there are at most so many `steps`."""
    return max(at_least, ceil(items / steps))
