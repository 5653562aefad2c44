"""Windows: which papers a harvest asks for, by set and by days of their last change."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date


@dataclass(frozen=True, slots=True)
class Window:
    """A set of OAI-PMH (None is all of arXiv) and days, both included, UTC (None has no bound)."""

    set_spec: str | None = None
    first: date | None = None
    until: date | None = None

    def __str__(self) -> str:
        """Name the window as reports and errors do."""
        days = f"{self.first or 'the beginning'} to {self.until or 'now'}"
        return f"{self.set_spec or 'all of arXiv'}, {days}"


def by_year(set_spec: str | None, first: date, until: date | None, today: date) -> Iterator[Window]:
    """Cut the days from `first` to `until` into windows of a calendar year.

    The last one is open where `until` is None or not over yet: what changes while it is harvested
    must stay within it.
    """
    last = today if until is None else min(until, today)
    for year in range(first.year, last.year + 1):
        start, end = max(first, date(year, 1, 1)), min(last, date(year, 12, 31))
        yield Window(set_spec, start, None if end == today else end)
