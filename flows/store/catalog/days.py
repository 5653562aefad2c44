"""Days of change as closed ranges: uniting them, and what lies between them. No I/O, no clock."""

from collections.abc import Iterable, Sequence
from datetime import date, timedelta
from itertools import pairwise
from typing import NamedTuple

ONE_DAY = timedelta(days=1)

EARLIEST = date(2005, 9, 16)
"""No datestamp of arXiv's is earlier (`earliestDatestamp` of its `Identify`)."""


class Days(NamedTuple):
    """The days from `first` to `last`, both included, in UTC; never the other way round."""

    first: date
    last: date


def days_over(first: date | None, until: date | None, day: date) -> Days | None:
    """Return which of the days from `first` to `until` were over when `day` began, if any were.

    None has no bound: as `first` it stands for `EARLIEST`.
    """
    begin, end = first or EARLIEST, day - ONE_DAY
    if until is not None:
        end = min(until, end)
    return Days(begin, end) if begin <= end else None


def union(ranges: Iterable[Days]) -> list[Days]:
    """Return the same days in as few ranges as there can be, in their order."""
    joined: list[Days] = []
    for days in sorted(ranges):
        if joined and (days.first - joined[-1].last).days <= 1:
            joined[-1] = Days(joined[-1].first, max(joined[-1].last, days.last))
        else:
            joined.append(days)
    return joined


def holes(joined: Sequence[Days]) -> list[Days]:
    """Return the days between the ranges that `union` gave: one hole fewer than ranges."""
    return [Days(one.last + ONE_DAY, other.first - ONE_DAY) for one, other in pairwise(joined)]
