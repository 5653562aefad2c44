"""The steps of a run by their kinds: run directly, or as Prefect tasks of these names."""

from collections.abc import Callable, Sequence
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


StepName = str | Callable[[], str]
"""What a step is about, in plain words; called, it says more once the step is done."""


class StepRunner(Protocol):
    """Runs the steps of a job, and shows how far the run is."""

    def run(self, step: Step, name: StepName, work: Callable[[], _T]) -> _T:
        """Return what `work` returns; `name` says which pages, papers or parts it is about."""

    def show(self, progress: RunProgress) -> None:
        """Show how far the run is: called every few seconds and at the end.

        By a thread that may wait, for the run does not. What goes wrong here never fails the run.
        """


class DirectSteps:
    """Runs steps without Prefect, and shows nothing of them."""

    def run(self, step: Step, name: StepName, work: Callable[[], _T]) -> _T:
        """Return what `work` returns."""
        return work()

    def show(self, progress: RunProgress) -> None:
        """Show nothing: `shown` has the terminal, the log and `run.json`."""


DIRECTLY = DirectSteps()


def step_size(items: int, steps: int, at_least: int = 1) -> int:
    """Return how many items a step takes, so that there are at most so many `steps`."""
    return max(at_least, ceil(items / steps))


def named(name: StepName) -> str:
    """Return a step's name as it is now."""
    return name if isinstance(name, str) else name()


def numbered(noun: str, first: int, last: int) -> str:
    """Return which of them, such as `page 3` or `papers 2,001-3,000`."""
    return f"{noun} {first:,}" if first == last else f"{noun}s {first:,}-{last:,}"


def fetching(ids: Sequence[str], before: int, total: int) -> str:
    """Return the name of a step that asks for papers one by one, `before` of `total` came before.

    Such as `fetch papers 21-40 of 2,000: 1906.10822 to 1906.11000`.
    """
    if total == 1:
        return f"fetch paper {ids[0]}"
    which = numbered("paper", before + 1, before + len(ids))
    named = ids[0] if len(ids) == 1 else f"{ids[0]} to {ids[-1]}"
    return f"fetch {which} of {total:,}: {named}"
