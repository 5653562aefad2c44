"""The home page: what this registry is, how fresh and how complete, in figures."""

from collections.abc import Iterator
from datetime import date, timedelta

from flows.jobs.reports.plots import Calendar, Plot, bars, calendar, stacked
from flows.registry.reader import RegistryReader
from flows.registry.site.statistics import Statistics, kept_statistics
from flows.sources.arxiv.sets import set_name
from flows.store.catalog.days import Days, holes
from transforms.documents.bundle import Bundle
from transforms.encoding.strict_json import read_json
from transforms.registry.registry_documents import key_document

MOST_SETS = 4
NIGHTS = 60
"""Days of the plot of changes, up to the last that has any."""


def home_values(reader: RegistryReader, base_url: str, today: date) -> dict[str, object]:
    """Return what the template of the home page shows; raises `StoreError`."""
    kept = kept_statistics(reader.layout)
    with reader.catalog() as catalog:
        head = catalog.head()
        records = kept.records if kept else catalog.count("records")
    newest = reader.newest()
    key = None
    if newest:
        bundle: Bundle = read_json(reader.bundle(newest).read())
        key = key_document(bundle)
    coverage = list(_coverage(reader, today))
    return {
        "base_url": base_url,
        "records": records,
        "newest": newest,
        "key": key,
        "statistics": kept,
        "reasons": bars(kept.reasons.items()) if kept else [],
        "is_current": bool(kept and kept.sha256 == head.sha256),
        "coverage": coverage,
        "last_complete": min(
            (ranges[-1].last for _, ranges, _ in coverage if ranges), default=None
        ),
        "months": kept and stacked(((m.month, m.archive, m.records) for m in kept.months), "month"),
        "nights": kept and _nights(kept),
        "today": today,
    }


def _coverage(
    reader: RegistryReader, today: date
) -> Iterator[tuple[str, list[Days], tuple[Calendar, list[Days]]]]:
    """Yield of each set its name, the days that are proven, the last year, and the holes."""
    with reader.catalog() as catalog:
        log = catalog.windows
        found = [(one, log.proven(one)) for one in log.sets()[:MOST_SETS]]
    for set_spec, ranges in found:
        yield set_name(set_spec), ranges, (calendar(ranges, today), holes(ranges))


def _nights(kept: Statistics) -> Plot | None:
    """Return the plot of what was signed on each of the last days, of both kinds."""
    if not kept.nights:
        return None
    first = kept.nights[-1].day - timedelta(days=NIGHTS - 1)
    counts = [
        count
        for night in kept.nights
        if night.day >= first
        for count in (
            (night.day, "new records", night.records),
            (night.day, "new snapshots", night.snapshots),
        )
    ]
    return stacked(counts, "day", first=first)
