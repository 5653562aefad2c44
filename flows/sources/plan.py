"""What a backfill would do, as `--dry-run` says it: lines for a person, numbers for a program."""

from dataclasses import dataclass, field
from datetime import date
from typing import Literal

State = Literal["new", "begun", "done"]
"""What became of a window in runs before: nothing yet, some of its pages, or all."""


@dataclass(frozen=True, slots=True)
class PlannedWindow:
    """A window of a harvest; `first` and `until` are days, None the beginning and now.

    `papers` is how many arXiv is expected to list, exactly unless `is_estimate`, and None where
    the window is done and arXiv was not asked. `seconds` are the requests at arXiv's pace.
    """

    category: str
    first: date | None
    until: date | None
    state: State
    papers: int | None
    is_estimate: bool
    requests: int
    seconds: float


@dataclass(frozen=True, slots=True)
class Plan:
    """The plan of a backfill; `lines` say it to a person.

    `papers` is about how many would come, None where that is not known before they are read.
    `requests` to arXiv are those of all windows and what finding them takes, and `seconds` the
    least that they take at arXiv's pace.
    """

    lines: list[str]
    papers: int | None = None
    requests: int = 0
    seconds: float = 0.0
    windows: list[PlannedWindow] = field(default_factory=list)
