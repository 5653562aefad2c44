"""Values of the catalog: a record that is known, and all that a shard adds."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import NamedTuple

from flows.common.counts import Counts
from flows.store.catalog.windows import DoneWindow
from flows.store.parquet.shards import ShardName
from transforms.encoding.digest import Digest

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)

UNKNOWN_SNAPSHOT = Digest(b"")
"""What a record shows whose row in `papers` was lost: its paper is looked at when it comes."""


class KnownRecord(NamedTuple):
    """A record that was issued: what its newest snapshot shows, and where its bundle lies.

    `snapshot_sha256` is 32 bytes, or `UNKNOWN_SNAPSHOT`; `issued_at` is when the bundle was signed;
    `datestamp` is arXiv's, of the paper as it was then. `shard_row` counts the rows of the shard's
    bundles from 0, so that one bundle is read without looking for it.
    """

    arxiv_id: str
    version: int
    pith_number: str
    snapshot_sha256: Digest
    datestamp: date | None
    issued_at: datetime
    shard: str
    shard_row: int


@dataclass(frozen=True, slots=True)
class FinishedPart:
    """A part of a snapshot that was processed to its end, and what its papers counted."""

    name: str
    counts: Counts


RecordRow = tuple[str, int, str, bytes, str | None, int]
"""A `KnownRecord` as the catalog keeps it, but for shard and row; see `record_row`."""


@dataclass(frozen=True, slots=True)
class Commit:
    """All that one shard adds to the catalog, in one transaction.

    `records` are in the order of the shard's bundles, one for each row; `replies` are the kept
    replies (sha256, hex) that it was made of.
    """

    shard: ShardName
    records: tuple[RecordRow, ...] = ()
    reject_sha256s: tuple[str, ...] = ()
    vanished: tuple[str, ...] = ()
    windows: tuple[DoneWindow, ...] = ()
    replies: tuple[str, ...] = ()


def to_micros(moment: datetime) -> int:
    """Return a moment as databases keep it: microseconds since 1970, exactly."""
    return (moment - _EPOCH) // _MICROSECOND


def from_micros(micros: int) -> datetime:
    """Return the moment that `to_micros` was given."""
    return _EPOCH + micros * _MICROSECOND


def record_row(
    arxiv_id: str,
    version: int,
    pith_number: str,
    snapshot_sha256: Digest,
    datestamp: date | None,
    issued_at: datetime,
) -> RecordRow:
    """Return a record as `Commit` holds it, for the shard that is committed."""
    day = datestamp.isoformat() if datestamp else None
    return (
        arxiv_id, version, pith_number, snapshot_sha256, day, to_micros(issued_at),
    )  # fmt: skip


SELECT_RECORD = (
    "SELECT arxiv_id, version, pith_number, shown_sha256, datestamp, issued_at, shards.name,"
    " shard_row FROM records JOIN shards ON shards.id = records.shard"
)


_Row = tuple[str, int, str, Digest, str | None, int, str, int]


def known_record(row: _Row) -> KnownRecord:
    """Return the record of a row that `SELECT_RECORD` selects."""
    arxiv_id, version, number, snapshot_sha256, datestamp, issued_at, shard, shard_row = row
    day = date.fromisoformat(datestamp) if datestamp else None
    issued = from_micros(issued_at)
    return KnownRecord(arxiv_id, version, number, snapshot_sha256, day, issued, shard, shard_row)
