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


def holds(set_spec: str | None, other: str | None) -> bool:
    """Return whether every paper of the set `other` is in `set_spec`: all of arXiv, or a set above.

    `cs:cs` holds `cs:cs:LG`, as the parts of a setSpec are a hierarchy (OAI-PMH 2.0, section 2.6).
    """
    return set_spec is None or other == set_spec or (other or "").startswith(f"{set_spec}:")
