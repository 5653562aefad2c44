"""The catalog: which records exist and where, in SQLite; an index that the ledger can rebuild."""

import json
import sqlite3
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Literal, Self

from flows.common.counts import Counts
from flows.common.errors import StoreError
from flows.store.catalog.connection import transaction
from flows.store.catalog.file import create_database, find_inner_damage, open_database, upgrade
from flows.store.catalog.records import (
    SELECT_RECORD,
    Commit,
    FinishedPart,
    KnownRecord,
    known_record,
)
from flows.store.catalog.windows import WindowLog
from flows.store.ledger import (
    BadEntryError,
    CommittedFile,
    Head,
    WrittenEntry,
    check_follows,
    read_entry,
)
from flows.store.parquet.shards import ShardName

Table = Literal["shards", "records", "rejects", "vanished"]
_COUNT: dict[Table, str] = {
    "shards": "SELECT count(*) FROM shards",
    "records": "SELECT count(*) FROM records",
    "rejects": "SELECT count(*) FROM rejects",
    "vanished": "SELECT count(*) FROM vanished",
}
_PUT_RECORD = (
    "INSERT INTO records VALUES (?, ?, ?, ?, ?, ?, ?, ?)"
    " ON CONFLICT (arxiv_id, version, pith_number) DO UPDATE"
    " SET shown_sha256 = excluded.shown_sha256,"
    " datestamp = excluded.datestamp, issued_at = excluded.issued_at,"
    " shard = excluded.shard, shard_row = excluded.shard_row"
)


class Catalog:
    """One connection to `catalog.sqlite`; one process writes, any number may read."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        """Take an open connection; use `Catalog.open`."""
        self._connection = connection

    @classmethod
    def create(cls, path: Path, folder: str) -> Self:
        """Make an empty catalog for the data folder with this id; `path` must not exist."""
        return cls(create_database(path, folder))

    @classmethod
    def open(cls, path: Path, *, read_only: bool = False) -> Self:
        """Open a catalog; raises `DamagedCatalogError`, or `StoreError` for another format."""
        return cls(open_database(path, read_only=read_only))

    @property
    def folder(self) -> str:
        """The id of the data folder that it is of."""
        (folder,) = self._connection.execute("SELECT id FROM folder").fetchone()
        return str(folder)

    def head(self) -> Head:
        """Return the last entry of the ledger that it knows."""
        found = self._connection.execute(
            "SELECT entry FROM ledger ORDER BY number DESC LIMIT 1"
        ).fetchone()
        return Head.of(read_entry(found[0])) if found else Head()

    def entries(self) -> Iterator[WrittenEntry]:
        """Yield the entries of the ledger that it knows, in their order."""
        found = self._connection.execute("SELECT entry FROM ledger ORDER BY number")
        return (read_entry(data) for (data,) in found)

    def inner_damage(self) -> str | None:
        """Return what SQLite finds wrong within the file, or None if nothing."""
        return find_inner_damage(self._connection)

    def upgrade(self) -> bool:
        """Bring the format up to date, losing nothing; tell whether it was an older one."""
        return upgrade(self._connection)

    @property
    def windows(self) -> WindowLog:
        """The memory of harvests, which lies in the same file."""
        return WindowLog(self._connection)

    def close(self) -> None:
        """Close the connection."""
        self._connection.close()

    def known(self, pith_numbers: Iterable[str]) -> dict[str, KnownRecord]:
        """Return what is known of these Pith Numbers, by number; every record is looked at."""
        found = self._select(
            "pith_number IN (SELECT value FROM json_each(?))", json.dumps(list(pith_numbers))
        )
        return {record.pith_number: record for record in found}

    def known_of(self, arxiv_ids: Iterable[str]) -> dict[str, KnownRecord]:
        """Return what is known of all records of these arXiv ids, by Pith Number."""
        found = self._select(
            "arxiv_id IN (SELECT value FROM json_each(?))", json.dumps(list(arxiv_ids))
        )
        return {record.pith_number: record for record in found}

    def of_arxiv_id(self, arxiv_id: str) -> list[KnownRecord]:
        """Return the records of an arXiv id, the newest version last."""
        return self._select("arxiv_id = ? ORDER BY version, datestamp, issued_at", arxiv_id)

    def newest(self) -> KnownRecord | None:
        """Return a record whose newest bundle was committed last, or None if there is none."""
        found = self._connection.execute(
            f"{SELECT_RECORD} ORDER BY shard DESC, shard_row DESC LIMIT 1"
        ).fetchone()
        return known_record(found) if found else None

    def of_shard(self, shard: str) -> list[KnownRecord]:
        """Return the records whose newest bundle lies in a shard, in the order of its rows."""
        return self._select(
            "shard = (SELECT id FROM shards WHERE name = ?) ORDER BY shard_row", shard
        )

    def of_entry(self, number: int) -> list[KnownRecord]:
        """Return the records whose newest bundle an entry of the ledger has, by suffix."""
        found = self._connection.execute(
            f"{SELECT_RECORD} WHERE shards.entry = ? ORDER BY substr(pith_number, 11)", (number,)
        )
        return [known_record(row) for row in found]

    def of_prefix(self, suffix_start: str) -> list[KnownRecord]:
        """Return the records whose suffix starts with these base32 characters."""
        # A search in each shard: `records_by_suffix` begins with the shard.
        return self._select(
            "records.shard IN (SELECT id FROM shards)"
            " AND substr(pith_number, 11, 12) >= substr(?1, 1, 12)"
            " AND substr(pith_number, 11, 12) < substr(?1, 1, 12) || 'a'"
            " AND substr(pith_number, 11) GLOB ?1 || '*'",
            suffix_start,
        )

    def _select(self, condition: str, value: str) -> list[KnownRecord]:
        found = self._connection.execute(f"{SELECT_RECORD} WHERE {condition}", (value,))
        return [known_record(row) for row in found]

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
        """Return the names of the shards that count."""
        found = self._connection.execute("SELECT name FROM shards WHERE NOT is_replaced")
        return {name for (name,) in found}

    def commit(
        self,
        commit: Commit,
        written: WrittenEntry,
        finished: FinishedPart | None = None,
        *,
        has_files: bool = False,
    ) -> None:
        """Take up a shard that the ledger has committed, which must be the next one.

        Of a record that two shards hold, or two rows of one, the last one committed is known.
        `finished` is the part of a snapshot that the shard is all of; `has_files` tells that no
        bundle file of it is to be written.
        """
        shard = commit.shard
        with transaction(self._connection) as connection:
            self._add_entry(written)
            (number,) = connection.execute(
                "INSERT INTO shards (name, unit, run, entry, has_files) VALUES (?, ?, ?, ?, ?)"
                " RETURNING id",
                (shard.name, shard.unit, shard.run, written.entry.number, has_files),
            ).fetchone()
            connection.executemany(
                _PUT_RECORD,
                ((*record, number, row) for row, record in enumerate(commit.records)),
            )
            for statement, values in (
                ("INSERT OR IGNORE INTO rejects VALUES (?, ?)", commit.reject_sha256s),
                ("INSERT OR IGNORE INTO vanished VALUES (?, ?)", commit.vanished),
            ):
                connection.executemany(statement, ((value, number) for value in values))
            for window in commit.windows:
                self.windows.add_done(window, shard.name)
            if finished:
                _finish(connection, finished)

    def note(self, written: WrittenEntry) -> None:
        """Take up an entry of the ledger that commits no shard."""
        with transaction(self._connection):
            self._add_entry(written)

    def replace_shard(self, shard: ShardName, written: WrittenEntry) -> None:
        """Take up the entry of a shard that counts no more; its name is never given again."""
        with transaction(self._connection) as connection:
            self._add_entry(written)
            connection.execute(
                "INSERT INTO shards (name, unit, run, entry, has_files, is_replaced)"
                " VALUES (?, ?, ?, ?, 1, 1)",
                (shard.name, shard.unit, shard.run, written.entry.number),
            )

    def _add_entry(self, written: WrittenEntry) -> None:
        entry = written.entry
        try:
            check_follows(entry, self.head(), self.folder)
        except BadEntryError as error:
            raise StoreError(f"the catalog cannot take entry {entry.number}: {error}") from None
        self._connection.execute("INSERT INTO ledger VALUES (?, ?)", (entry.number, written.data))

    def files_of(self, shard: str) -> tuple[CommittedFile, ...]:
        """Return the files of a shard as they were committed; none of a shard that it has not."""
        found = self._connection.execute(
            "SELECT ledger.entry FROM shards JOIN ledger ON ledger.number = shards.entry"
            " WHERE shards.name = ?",
            (shard,),
        ).fetchone()
        return read_entry(found[0]).entry.files if found else ()

    def has_vanished(self, arxiv_id: str) -> bool:
        """Return whether arXiv said once that it has no such paper any more."""
        found = self._connection.execute(
            "SELECT 1 FROM vanished WHERE arxiv_id = ?", (arxiv_id,)
        ).fetchone()
        return found is not None

    def finished(self, part: str) -> Counts | None:
        """Return what a part of a snapshot counted, if it was processed to its end."""
        found = self._connection.execute(
            "SELECT counts FROM finished_parts WHERE name = ?", (part,)
        ).fetchone()
        return Counts.from_stored(json.loads(found[0])) if found else None

    def finish_part(self, part: FinishedPart) -> None:
        """Note that a part of a snapshot that had nothing new was processed to its end."""
        with transaction(self._connection) as connection:
            _finish(connection, part)

    def count(self, table: Table) -> int:
        """Return how many rows a table has."""
        (number,) = self._connection.execute(_COUNT[table]).fetchone()
        return int(number)

    def numbers_with_files(self) -> Iterator[str]:
        """Yield the Pith Numbers whose bundle files are written, by year and suffix."""
        found = self._connection.execute(
            "SELECT DISTINCT pith_number FROM records JOIN shards ON shards.id = records.shard"
            " WHERE has_files ORDER BY pith_number"
        )
        return (number for (number,) in found)

    def shards_without_files(self) -> list[str]:
        """Return the committed shards whose bundle files are not all durable yet."""
        found = self._connection.execute("SELECT name FROM shards WHERE has_files = 0")
        return [name for (name,) in found]

    def mark_files_written(self, shards: Iterable[str]) -> None:
        """Note that all bundle files of some shards are written, and survive a power cut."""
        with transaction(self._connection) as connection:
            connection.executemany(
                "UPDATE shards SET has_files = 1 WHERE name = ?", [(shard,) for shard in shards]
            )


def _finish(connection: sqlite3.Connection, part: FinishedPart) -> None:
    counts = json.dumps(part.counts.to_stored())
    connection.execute("INSERT OR REPLACE INTO finished_parts VALUES (?, ?)", (part.name, counts))
