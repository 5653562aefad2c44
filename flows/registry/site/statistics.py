"""The figures of the home page, aggregated from the tables once for each state of the ledger.

They are kept as a file beside the catalog, not in memory: all workers of a service share it, and it
is there at the next start. Three million papers take seconds, so no page waits for it.
"""

from contextlib import suppress
from datetime import date
from typing import TYPE_CHECKING

import msgspec

from flows.registry.reader import RegistryReader
from flows.registry.site.tables import collect, scan
from flows.store.files.local import LocalFiles, writing
from flows.store.layout import Layout
from flows.store.ledger import Head

if TYPE_CHECKING:
    import polars as pl

MOST_REASONS = 12
FORMAT = 1


class MonthCount(msgspec.Struct, frozen=True):
    """How many records an archive has of papers that were submitted in a month (its first day)."""

    month: date
    archive: str
    records: int


class Night(msgspec.Struct, frozen=True):
    """What was signed on a day, UTC: records that were new, and new snapshots of known ones."""

    day: date
    records: int
    snapshots: int


class Statistics(msgspec.Struct, frozen=True):
    """The figures of a registry as of the ledger's entry with this number and sha256 (hex)."""

    number: int
    sha256: str
    records: int
    months: list[MonthCount]
    nights: list[Night]
    reasons: dict[str, int]
    rejects: int
    vanished: int
    format: int = FORMAT


def kept_statistics(layout: Layout) -> Statistics | None:
    """Return the figures that were counted last, or None where there are none that can be read."""
    with suppress(OSError, msgspec.DecodeError, UnicodeDecodeError):
        found = msgspec.json.decode(layout.statistics.read_bytes(), type=Statistics)
        return found if found.format == FORMAT else None
    return None


def keep_statistics(reader: RegistryReader) -> Statistics:
    """Count the figures unless those that are kept are the ledger's; raises `StoreError`."""
    layout = reader.layout
    with reader.catalog() as catalog:
        head = catalog.head()
    kept = kept_statistics(layout)
    if kept and (kept.number, kept.sha256) == (head.number, head.sha256):
        return kept
    counted = count(reader, head)
    with writing(layout.root):
        data = msgspec.json.encode(counted)
        LocalFiles(layout.root).write_derived([(layout.statistics.name, data)])
    return counted


def count(reader: RegistryReader, head: Head) -> Statistics:
    """Return the figures of the tables as they are now; raises `StoreError`."""
    with reader.catalog() as catalog:
        rejects, vanished = catalog.count("rejects"), catalog.count("vanished")
    months, nights = _count_papers(reader)
    return Statistics(
        number=head.number,
        sha256=head.sha256,
        records=sum(one.records for one in months),
        months=months,
        nights=nights,
        reasons=_count_reasons(reader),
        rejects=rejects,
        vanished=vanished,
    )


def _count_papers(reader: RegistryReader) -> tuple[list[MonthCount], list[Night]]:
    import polars as pl

    columns = ["pith_number", "primary_category", "submitted_at", "issued_at"]
    papers = scan(reader, "papers", columns)
    if papers is None:
        return [], []
    # Numbers by a hash of 8 bytes instead of 36: among three million, two alike are one in a
    # million times.
    rows = papers.select(
        pl.col("pith_number").hash().alias("number"),
        pl.col("primary_category").str.extract(r"^([^.]*)").cast(pl.Categorical).alias("archive"),
        pl.col("submitted_at").dt.date().dt.truncate("1mo").alias("month"),
        pl.col("issued_at").dt.date().alias("day"),
    )
    records = rows.group_by("number").agg(
        pl.col("archive").first(), pl.col("month").first(), pl.col("day").min()
    )
    counted = collect(records.select("archive", "month", "day"), reader)
    months = counted.group_by("month", "archive").len("records").sort("month", "archive")
    signed = collect(rows.group_by("day").agg(pl.len().alias("signed")), reader)
    return (
        [MonthCount(**row) for row in months.to_dicts()],
        _nights(counted.group_by("day").len("records"), signed),
    )


def _nights(new: "pl.DataFrame", signed: "pl.DataFrame") -> list[Night]:
    joined = signed.join(new, on="day", how="left").fill_null(0).sort("day")
    return [
        Night(row["day"], row["records"], row["signed"] - row["records"])
        for row in joined.to_dicts()
    ]


def _count_reasons(reader: RegistryReader) -> dict[str, int]:
    rejects = scan(reader, "rejects", ["reason"])
    if rejects is None:
        return {}
    counted = (
        rejects.group_by("reason").len("count").sort("count", "reason", descending=[True, False])
    )
    rows = collect(counted.head(MOST_REASONS), reader).to_dicts()
    return {row["reason"]: row["count"] for row in rows}
