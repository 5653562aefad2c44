"""The catalog: which records exist and where, in SQLite; an index that the shards can rebuild."""

import json
import sqlite3
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any, Literal, NamedTuple, Self

from flows.counts import Counts
from flows.errors import StoreError
from flows.store.catalog_reader import PATIENCE, CatalogReader
from flows.store.shards import ShardName
from flows.store.transaction import transaction
from flows.store.windows import WINDOW_TABLES, DoneWindow, WindowLog

SCHEMA_VERSION = 3
# Records are appended, and their ids come nearly in order; only `records_by_suffix` grows at random
# places, so it holds 12 characters of 26: the cost of a paper stays flat as the catalog grows.
_TABLES = """
CREATE TABLE shards (
    id INTEGER PRIMARY KEY,
    name TEXT NOT NULL UNIQUE,
    unit TEXT NOT NULL,
    run TEXT NOT NULL,
    has_files INTEGER NOT NULL
);
CREATE INDEX shards_by_unit ON shards (unit);
CREATE TABLE records (
    arxiv_id TEXT NOT NULL,
    version INTEGER NOT NULL,
    pith_number TEXT NOT NULL,
    shown_sha256 BLOB NOT NULL,
    datestamp TEXT,
    issued_at INTEGER NOT NULL,
    shard INTEGER NOT NULL REFERENCES shards (id),
    shard_row INTEGER NOT NULL
);
CREATE UNIQUE INDEX records_by_arxiv_id ON records (arxiv_id, version, pith_number);
CREATE INDEX records_by_suffix ON records (substr(pith_number, 11, 12));
CREATE INDEX records_by_shard ON records (shard);
CREATE TABLE rejects (
    raw_sha256 TEXT PRIMARY KEY,
    shard INTEGER NOT NULL
) WITHOUT ROWID;
CREATE TABLE vanished (
    arxiv_id TEXT PRIMARY KEY,
    shard INTEGER NOT NULL
) WITHOUT ROWID;
CREATE TABLE finished_parts (
    name TEXT PRIMARY KEY,
    counts TEXT NOT NULL
) WITHOUT ROWID;
"""
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


class KnownRecord(NamedTuple):
    """A record that was issued: what its newest snapshot shows, and where its bundle lies.

    `shown_sha256` is 32 bytes; `issued_at` is when that bundle was signed; `datestamp` is arXiv's,
    of the paper as it was then. `shard_row` counts the rows of the shard's bundles from 0, so that
    one bundle is read without looking for it.
    """

    arxiv_id: str
    version: int
    pith_number: str
    shown_sha256: bytes
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
    """What one shard adds to the catalog, in one transaction.

    `records` are in the order of the shard's bundles, one for each row.
    """

    shard: ShardName
    records: tuple[RecordRow, ...] = ()
    reject_sha256s: tuple[str, ...] = ()
    vanished: tuple[str, ...] = ()
    windows: tuple[DoneWindow, ...] = ()


class Catalog:
    """One connection to `catalog.sqlite`; one process writes, any number may read."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        """Take an open connection; use `Catalog.open`."""
        self._connection = connection

    @classmethod
    def open(cls, path: Path, *, read_only: bool = False) -> Self:
        """Open the catalog, making it where there is none; raises `StoreError` if unusable."""
        try:
            connection = CatalogReader(path) if read_only else _connect(path)
            (version,) = connection.execute("PRAGMA user_version").fetchone()
            if version == 0 and not read_only:
                connection.executescript(
                    f"BEGIN; {_TABLES} {WINDOW_TABLES}"
                    f"PRAGMA user_version = {SCHEMA_VERSION}; COMMIT;"
                )
                version = SCHEMA_VERSION
        except sqlite3.Error as error:
            raise StoreError(f"cannot use the catalog {path}: {error}") from None
        if version > SCHEMA_VERSION:
            connection.close()
            raise StoreError(
                f"{path} was written by a newer pith-ingest (format {version}); update this one"
            )
        if version != SCHEMA_VERSION:
            connection.close()
            raise StoreError(
                f"{path} was written by an older pith-ingest; make it again from the tables with "
                "'pith-ingest rebuild-catalog'"
            )
        return cls(connection)

    @property
    def windows(self) -> WindowLog:
        """The memory of harvests, which lies in the same file."""
        return WindowLog(self._connection)

    def close(self) -> None:
        """Close the connection."""
        self._connection.close()

    def known(self, pith_numbers: Iterable[str]) -> dict[str, KnownRecord]:
        """Return what is known of these Pith Numbers, by number."""
        numbers = set(pith_numbers)
        found = self._select(
            "substr(pith_number, 11, 12) IN (SELECT substr(value, 11, 12) FROM json_each(?))",
            json.dumps(list(numbers)),
        )
        return {record.pith_number: record for record in found if record.pith_number in numbers}

    def known_of(self, arxiv_ids: Iterable[str]) -> dict[str, KnownRecord]:
        """Return what is known of all records of these arXiv ids, by Pith Number."""
        found = self._select(
            "arxiv_id IN (SELECT value FROM json_each(?))", json.dumps(list(arxiv_ids))
        )
        return {record.pith_number: record for record in found}

    def of_arxiv_id(self, arxiv_id: str) -> list[KnownRecord]:
        """Return the records of an arXiv id, the newest version last."""
        return self._select("arxiv_id = ? ORDER BY version, datestamp, issued_at", arxiv_id)

    def of_shard(self, shard: str) -> list[KnownRecord]:
        """Return the records whose newest bundle lies in a shard, in the order of its rows."""
        return self._select(
            "shard = (SELECT id FROM shards WHERE name = ?) ORDER BY shard_row", shard
        )

    def of_prefix(self, suffix_start: str) -> list[KnownRecord]:
        """Return the records whose suffix starts with these base32 characters."""
        return self._select(
            "substr(pith_number, 11, 12) >= substr(?1, 1, 12)"
            " AND substr(pith_number, 11, 12) < substr(?1, 1, 12) || 'a'"
            " AND substr(pith_number, 11) GLOB ?1 || '*'",
            suffix_start,
        )

    def _select(self, condition: str, value: str) -> list[KnownRecord]:
        found = self._connection.execute(f"{_SELECT_RECORD} WHERE {condition}", (value,))
        return [_record(row) for row in found]

    def known_rejects(self, raw_sha256s: Iterable[str]) -> set[str]:
        """Return which of these rejects (by the sha256 of their bytes) are kept already."""
        found = self._connection.execute(
            "SELECT raw_sha256 FROM rejects WHERE raw_sha256 IN (SELECT value FROM json_each(?))",
            (json.dumps(list(raw_sha256s)),),
        )
        return {sha256 for (sha256,) in found}

    def next_shard(self, unit: str) -> str:
        """Return the name of the next shard of a unit; the same until that one is committed."""
        (count,) = self._connection.execute(
            "SELECT count(*) FROM shards WHERE unit = ?", (unit,)
        ).fetchone()
        return f"{unit}-{count}"

    def shard_names(self) -> set[str]:
        """Return the names of all committed shards."""
        return {name for (name,) in self._connection.execute("SELECT name FROM shards")}

    def commit(
        self, commit: Commit, finished: FinishedPart | None = None, *, has_files: bool = False
    ) -> None:
        """Make a written shard count: the moment of truth.

        Of a record that two shards hold, or two rows of one, the bundle that was issued last is the
        one known.
        `finished` is the part of a snapshot that the shard is all of; `has_files` tells that no
        bundle file of it is to be written.
        """
        shard = commit.shard
        with transaction(self._connection) as connection:
            (number,) = connection.execute(
                "INSERT INTO shards (name, unit, run, has_files) VALUES (?, ?, ?, ?) RETURNING id",
                (shard.name, shard.unit, shard.run, has_files),
            ).fetchone()
            connection.executemany(
                "INSERT INTO records VALUES (?, ?, ?, ?, ?, ?, ?, ?)"
                " ON CONFLICT (arxiv_id, version, pith_number) DO UPDATE"
                " SET shown_sha256 = excluded.shown_sha256,"
                " datestamp = excluded.datestamp, issued_at = excluded.issued_at,"
                " shard = excluded.shard, shard_row = excluded.shard_row"
                " WHERE excluded.issued_at >= records.issued_at",
                ((*record, number, row) for row, record in enumerate(commit.records)),
            )
            for table, values in (
                ("rejects", commit.reject_sha256s),
                ("vanished", commit.vanished),
            ):
                connection.executemany(
                    f"INSERT OR IGNORE INTO {table} VALUES (?, ?)",  # noqa: S608 - two constants
                    ((value, number) for value in values),
                )
            for window in commit.windows:
                self.windows.add_done(window, shard.name)
            if finished:
                _finish(connection, finished)

    def has_vanished(self, arxiv_id: str) -> bool:
        """Tell whether arXiv said once that it has no such paper any more."""
        found = self._connection.execute(
            "SELECT 1 FROM vanished WHERE arxiv_id = ?", (arxiv_id,)
        ).fetchone()
        return found is not None

    def finished(self, part: str) -> Counts | None:
        """Return what a part of a snapshot counted, if it was processed to its end."""
        found = self._connection.execute(
            "SELECT counts FROM finished_parts WHERE name = ?", (part,)
        ).fetchone()
        return Counts(**json.loads(found[0])) if found else None

    def finish_part(self, part: FinishedPart) -> None:
        """Note that a part of a snapshot that had nothing new was processed to its end."""
        with transaction(self._connection) as connection:
            _finish(connection, part)

    def count(self, table: Literal["shards", "records", "rejects", "vanished"]) -> int:
        """Return how many rows a table has."""
        (number,) = self._connection.execute(f"SELECT count(*) FROM {table}").fetchone()  # noqa: S608 - by type
        return int(number)

    def shards_without_files(self) -> list[str]:
        """Return the committed shards whose bundle files are not all written yet."""
        found = self._connection.execute("SELECT name FROM shards WHERE has_files = 0")
        return [name for (name,) in found]

    def mark_files_written(self, shard: str) -> None:
        """Note that all bundle files of a shard are written."""
        with transaction(self._connection) as connection:
            connection.execute("UPDATE shards SET has_files = 1 WHERE name = ?", (shard,))


_SELECT_RECORD = (
    "SELECT arxiv_id, version, pith_number, shown_sha256, datestamp, issued_at, shards.name,"
    " shard_row FROM records JOIN shards ON shards.id = records.shard"
)


def record_row(  # noqa: PLR0913, PLR0917 - a column each
    arxiv_id: str,
    version: int,
    pith_number: str,
    shown_sha256: bytes,
    datestamp: date | None,
    issued_at: datetime,
) -> RecordRow:
    """Return a record as `Commit` holds it, for the shard that is committed."""
    day = datestamp.isoformat() if datestamp else None
    return (
        arxiv_id, version, pith_number, shown_sha256, day, (issued_at - _EPOCH) // _MICROSECOND,
    )  # fmt: skip


def _connect(path: Path) -> sqlite3.Connection:
    # The flow's process alone writes, but its engine may run steps on another thread.
    return sqlite3.connect(path, timeout=PATIENCE, isolation_level=None, check_same_thread=False)


def _record(row: tuple[Any, ...]) -> KnownRecord:
    arxiv_id, version, number, shown, datestamp, issued_at, shard, shard_row = row
    day = date.fromisoformat(datestamp) if datestamp else None
    issued = _EPOCH + issued_at * _MICROSECOND
    return KnownRecord(arxiv_id, version, number, shown, day, issued, shard, shard_row)


def _finish(connection: sqlite3.Connection, part: FinishedPart) -> None:
    counts = json.dumps(asdict(part.counts))
    connection.execute("INSERT OR REPLACE INTO finished_parts VALUES (?, ?)", (part.name, counts))
