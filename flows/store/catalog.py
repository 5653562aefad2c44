"""The catalog: which records exist and where, in SQLite; an index that the shards can rebuild."""

import json
import sqlite3
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Literal, Self

from flows.errors import StoreError
from flows.store.shards import ShardName
from flows.store.transaction import transaction
from flows.store.windows import WINDOW_TABLES, DoneWindow, WindowLog

SCHEMA_VERSION = 1
_TABLES = """
CREATE TABLE shards (
    name TEXT PRIMARY KEY,
    unit TEXT NOT NULL,
    run TEXT NOT NULL,
    has_files INTEGER NOT NULL
) WITHOUT ROWID;
CREATE INDEX shards_by_unit ON shards (unit);
CREATE TABLE records (
    pith_number TEXT PRIMARY KEY,
    arxiv_id TEXT NOT NULL,
    version INTEGER NOT NULL,
    shown_sha256 TEXT NOT NULL,
    datestamp TEXT,
    issued_at TEXT NOT NULL,
    shard TEXT NOT NULL
) WITHOUT ROWID;
CREATE INDEX records_by_arxiv_id ON records (arxiv_id, version);
CREATE INDEX records_by_shard ON records (shard);
CREATE TABLE rejects (
    raw_sha256 TEXT PRIMARY KEY,
    shard TEXT NOT NULL
) WITHOUT ROWID;
CREATE TABLE vanished (
    arxiv_id TEXT PRIMARY KEY,
    shard TEXT NOT NULL
) WITHOUT ROWID;
CREATE TABLE finished_parts (
    name TEXT PRIMARY KEY
) WITHOUT ROWID;
"""


@dataclass(frozen=True, slots=True)
class KnownRecord:
    """A record that was issued: what its newest snapshot shows, and the shard of its bundle.

    `issued_at` is when that bundle was signed; `datestamp` is arXiv's, of the paper as it was then.
    """

    pith_number: str
    arxiv_id: str
    version: int
    shown_sha256: str
    datestamp: date | None
    issued_at: datetime
    shard: str


@dataclass(frozen=True, slots=True)
class Commit:
    """What one shard adds to the catalog, in one transaction."""

    shard: ShardName
    records: tuple[KnownRecord, ...] = ()
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
        mode = "ro" if read_only else "rwc"
        try:
            # The flow's process alone writes, but its engine may run steps on another thread.
            connection = sqlite3.connect(
                f"{path.absolute().as_uri()}?mode={mode}",
                uri=True,
                isolation_level=None,
                check_same_thread=False,
            )
            (version,) = connection.execute("PRAGMA user_version").fetchone()
            if version == 0 and not read_only:
                connection.executescript(
                    f"BEGIN; {_TABLES} {WINDOW_TABLES}"
                    f"PRAGMA user_version = {SCHEMA_VERSION}; COMMIT;"
                )
        except sqlite3.Error as error:
            raise StoreError(f"cannot use the catalog {path}: {error}") from None
        if version > SCHEMA_VERSION:
            connection.close()
            raise StoreError(
                f"{path} was written by a newer pith-ingest (format {version}); update this one"
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
        found = self._connection.execute(
            f"{_SELECT_RECORD} WHERE pith_number IN (SELECT value FROM json_each(?))",  # noqa: S608 - a constant
            (json.dumps(list(pith_numbers)),),
        )
        return {row[0]: _record(row) for row in found}

    def of_arxiv_id(self, arxiv_id: str) -> list[KnownRecord]:
        """Return the records of an arXiv id, the newest version last."""
        found = self._connection.execute(
            f"{_SELECT_RECORD} WHERE arxiv_id = ? ORDER BY version, datestamp, issued_at",
            (arxiv_id,),
        )
        return [_record(row) for row in found]

    def of_shard(self, shard: str) -> list[KnownRecord]:
        """Return the records whose newest bundle lies in a shard."""
        found = self._connection.execute(f"{_SELECT_RECORD} WHERE shard = ?", (shard,))
        return [_record(row) for row in found]

    def of_prefix(self, suffix_start: str) -> list[KnownRecord]:
        """Return the records whose suffix starts with these base32 characters."""
        found = self._connection.execute(
            f"{_SELECT_RECORD} WHERE pith_number LIKE ?", (f"pith:____:{suffix_start}%",)
        )
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

    def commit(self, commit: Commit) -> None:
        """Make a written shard count: the moment of truth.

        Of a record that two shards hold, the bundle that was issued last is the one known.
        """
        shard = commit.shard
        with transaction(self._connection) as connection:
            connection.execute(
                "INSERT INTO shards (name, unit, run, has_files) VALUES (?, ?, ?, 0)",
                (shard.name, shard.unit, shard.run),
            )
            connection.executemany(
                "INSERT INTO records VALUES (?, ?, ?, ?, ?, ?, ?)"
                " ON CONFLICT (pith_number) DO UPDATE SET shown_sha256 = excluded.shown_sha256,"
                " datestamp = excluded.datestamp, issued_at = excluded.issued_at,"
                " shard = excluded.shard WHERE excluded.issued_at >= records.issued_at",
                (_row(record) for record in commit.records),
            )
            for table, values in (
                ("rejects", commit.reject_sha256s),
                ("vanished", commit.vanished),
            ):
                connection.executemany(
                    f"INSERT OR IGNORE INTO {table} VALUES (?, ?)",  # noqa: S608 - two constants
                    ((value, shard.name) for value in values),
                )
            for window in commit.windows:
                self.windows.add_done(window, shard.name)

    def has_vanished(self, arxiv_id: str) -> bool:
        """Tell whether arXiv said once that it has no such paper any more."""
        found = self._connection.execute(
            "SELECT 1 FROM vanished WHERE arxiv_id = ?", (arxiv_id,)
        ).fetchone()
        return found is not None

    def is_finished(self, part: str) -> bool:
        """Tell whether a part of a snapshot was processed to its end."""
        found = self._connection.execute(
            "SELECT 1 FROM finished_parts WHERE name = ?", (part,)
        ).fetchone()
        return found is not None

    def finish_part(self, part: str) -> None:
        """Note that a part of a snapshot was processed to its end."""
        with transaction(self._connection) as connection:
            connection.execute("INSERT OR IGNORE INTO finished_parts VALUES (?)", (part,))

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
    "SELECT pith_number, arxiv_id, version, shown_sha256, datestamp, issued_at, shard FROM records"
)
_Row = tuple[str, str, int, str, str | None, str, str]


def _record(row: _Row) -> KnownRecord:
    number, arxiv_id, version, shown, datestamp, issued_at, shard = row
    day = date.fromisoformat(datestamp) if datestamp else None
    issued = datetime.fromisoformat(issued_at)
    return KnownRecord(number, arxiv_id, version, shown, day, issued, shard)


def _row(record: KnownRecord) -> _Row:
    return (
        record.pith_number,
        record.arxiv_id,
        record.version,
        record.shown_sha256,
        record.datestamp.isoformat() if record.datestamp else None,
        record.issued_at.isoformat(timespec="microseconds"),
        record.shard,
    )
