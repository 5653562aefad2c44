"""Which days of which sets are proven complete, what is not, and where a night begins."""

from collections.abc import Iterable, Iterator, Sequence
from datetime import date, timedelta
from itertools import zip_longest

from flows.sources.arxiv.sets import ALL_OF_ARXIV, category_of, likely_set
from flows.store.catalog.days import EARLIEST, ONE_DAY, Days, holes
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


def coverage_lines(log: WindowLog, sets: Iterable[str | None]) -> Iterator[str]:
    """Yield for each set which days are proven, which are not, and what command harvests those."""
    for set_spec in sets:
        name = "all of arXiv" if set_spec is None else category_of(set_spec)
        for line in _lines(set_spec, log.proven(set_spec)):
            yield f"{name}: {line}"


def _lines(set_spec: str | None, proven: Sequence[Days]) -> Iterator[str]:
    if not proven:
        yield f"nothing is proven; {backfill_command(set_spec)} harvests it"
        return
    begin = proven[0].first
    if begin > EARLIEST:
        command = backfill_command(set_spec, until=begin - ONE_DAY)
        yield f"nothing before {begin} is proven; {command} harvests it"
    for days, hole in zip_longest(proven, holes(proven)):
        first = "the beginning" if days.first <= EARLIEST else days.first
        yield f"complete from {first} up to {days.last}"
        if hole:
            command = backfill_command(set_spec, hole.first, hole.last)
            yield f"NOT PROVEN from {hole.first} to {hole.last}; {command} closes it"


def backfill_command(
    set_spec: str | None, first: date | None = None, until: date | None = None
) -> str:
    """Return the command, in quotes, that harvests these days of a set."""
    words = ["pith-ingest backfill --category", category_of(set_spec)]
    words += ["--from", str(first)] if first else []
    words += ["--until", str(until)] if until else []
    return f"'{' '.join(words)}'"


def sets_of_interest(log: WindowLog, categories: Sequence[str]) -> list[str | None]:
    """Return the sets of the configured categories, none for all of arXiv, then those harvested."""
    harvested = log.sets()
    known = [set_spec for set_spec in harvested if set_spec]
    configured = [
        None if category == ALL_OF_ARXIV else likely_set(category, known)
        for category in categories or [ALL_OF_ARXIV]
    ]
    return list(dict.fromkeys([*configured, *harvested]))
