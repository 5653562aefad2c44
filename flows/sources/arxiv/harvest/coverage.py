"""Which days of which sets are proven complete, what is not, and where a night begins."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from flows.sources.arxiv.sets import ALL_OF_ARXIV, category_of, likely_set, name_of
from flows.store.catalog.days import EARLIEST, ONE_DAY, holes
from flows.store.catalog.window import Window, by_year
from flows.store.catalog.windows import WindowLog

LONGEST_NIGHT = timedelta(days=366)
"""From so many days on, a night harvests each year as a window of its own, as a backfill does."""


def night_windows(
    log: WindowLog, set_spec: str | None, today: date, overlap_days: int
) -> list[Window]:
    """Return what a night harvests of a set: from where the proven days end, to now.

    And so many days before that: what arXiv stamps late is not lost. A set of which nothing is
    proven begins as the first of its nights did, or else now.
    """
    overlap = timedelta(days=overlap_days)
    proven = log.proven(set_spec)
    begun = [
        progress.window.first
        for progress in log.open_windows()
        if progress.window.set_spec == set_spec and progress.window.until is None
    ]
    starts = [proven[-1].last + ONE_DAY - overlap] if proven else [day for day in begun if day]
    first = max(EARLIEST, min([today - overlap, *starts]))
    if today - first < LONGEST_NIGHT:
        return [Window(set_spec, first, None)]
    return list(by_year(set_spec, first, None, today))


@dataclass(frozen=True, slots=True)
class ProvenDays:
    """Days of a set that are proven complete, both included."""

    first: date
    last: date

    @property
    def begin(self) -> str:
        """The first day as a person reads it."""
        return "the beginning" if self.first <= EARLIEST else str(self.first)


@dataclass(frozen=True, slots=True)
class Hole:
    """Days of a set that are not proven, and the command that harvests them.

    Without a first day, those from the beginning; without a last one, up to now.
    """

    first: date | None
    last: date | None
    command: str


@dataclass(frozen=True, slots=True)
class Coverage:
    """Which days of a set are proven complete, and which are not, both in their order."""

    category: str
    proven: Sequence[ProvenDays]
    holes: Sequence[Hole]

    @property
    def name(self) -> str:
        """What a person reads of it, `all of arXiv` or the category."""
        return name_of(self.category)


def coverage(log: WindowLog, set_spec: str | None) -> Coverage:
    """Return which days of a set are proven, and what is not."""
    proven = log.proven(set_spec)

    def hole(first: date | None, last: date | None) -> Hole:
        return Hole(first, last, backfill_command(set_spec, first, last))

    if not proven:
        missing = [hole(None, None)]
    else:
        begin = proven[0].first
        missing = [hole(None, begin - ONE_DAY)] if begin > EARLIEST else []
        missing += [hole(days.first, days.last) for days in holes(proven)]
    return Coverage(category_of(set_spec), [ProvenDays(*days) for days in proven], missing)


def coverage_lines(log: WindowLog, sets: Iterable[str | None]) -> Iterator[str]:
    """Yield for each set which days are proven, which are not, and what command harvests those."""
    for set_spec in sets:
        yield from lines_of(coverage(log, set_spec))


def lines_of(found: Coverage) -> Iterator[str]:
    """Yield which days of a set are proven, then which are not."""
    for days in found.proven:
        yield f"{found.name}: complete from {days.begin} up to {days.last}"
    yield from hole_lines(found)


def hole_lines(found: Coverage) -> Iterator[str]:
    """Yield for each hole what is not proven, and below it the command that harvests that."""
    for hole in found.holes:
        yield f"{found.name}: {_said(hole)}; this harvests it:"
        yield f"  {hole.command}"


def _said(hole: Hole) -> str:
    if hole.last is None:
        return "nothing is proven"
    if hole.first is None:
        return f"nothing before {hole.last + ONE_DAY} is proven"
    return f"NOT PROVEN from {hole.first} to {hole.last}"


def backfill_command(
    set_spec: str | None, first: date | None = None, until: date | None = None
) -> str:
    """Return the command that harvests these days of a set."""
    words = ["pith-ingest backfill --category", category_of(set_spec)]
    words += ["--from", str(first)] if first else []
    words += ["--until", str(until)] if until else []
    return " ".join(words)


def sets_of_interest(log: WindowLog, categories: Sequence[str]) -> list[str | None]:
    """Return the sets of the configured categories, none for all of arXiv, then those harvested."""
    harvested = log.sets()
    known = [set_spec for set_spec in harvested if set_spec]
    configured = [
        None if category == ALL_OF_ARXIV else likely_set(category, known)
        for category in categories or [ALL_OF_ARXIV]
    ]
    return list(dict.fromkeys([*configured, *harvested]))
