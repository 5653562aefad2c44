"""The file of the search index: its format, opening it, and what is wrong with one.

`search.sqlite` is derived from the tables and nothing else: it may be deleted at any time. Readers
need no right to write, and wait while its one writer commits.
"""

import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Literal, NamedTuple

from flows.common.errors import StoreError

FORMAT = 1
"""Another one is made anew."""

PREFIXES = 3, 4, 5
"""Lengths of beginnings of words that have postings of their own, so that they are read newest
first. At a million papers `con*` took 0.5 ms with them and 28 ms without; they cost 10 of 28 us a
paper, and 120 bytes. What is longer begins few words, and is found without."""

# A paper's id is the day of its first version, since 1970, and then its place on that day: rows by
# falling id are the newest first, a range of days is a range of ids, and the ids of a word's papers
# lie close, which makes its postings small. Postings have no positions, since no phrase is looked
# for. The keys are there where they differ from what is shown: `words` keeps no text, and forgets a
# paper only if it is told the same text again.
_TABLES = f"""
CREATE TABLE state (
    folder TEXT NOT NULL,
    number INTEGER NOT NULL,
    sha256 TEXT NOT NULL,
    papers INTEGER NOT NULL
);
CREATE TABLE papers (
    id INTEGER PRIMARY KEY,
    arxiv_id TEXT NOT NULL UNIQUE,
    version INTEGER NOT NULL,
    pith_number TEXT NOT NULL,
    title TEXT NOT NULL,
    title_key TEXT,
    authors TEXT NOT NULL,
    authors_key TEXT,
    categories TEXT NOT NULL,
    licence TEXT NOT NULL,
    withdrawn INTEGER NOT NULL
);
CREATE TABLE facets (
    id INTEGER PRIMARY KEY,
    kind TEXT NOT NULL,
    value TEXT NOT NULL,
    papers INTEGER NOT NULL,
    UNIQUE (kind, value)
);
CREATE VIRTUAL TABLE words USING fts5(
    text, content='', detail=none, columnsize=0, tokenize='ascii',
    prefix='{" ".join(map(str, PREFIXES))}'
);
"""
BUSY_SECONDS = 10.0
"""Seconds for which a reader waits while the writer commits, and the other way round."""

_CACHE_KIB = 65_536
"""Of the writer, so that what one transaction changes stays in memory, and readers read on."""

_DISK = ("SQLITE_FULL", "SQLITE_IOERR", "SQLITE_READONLY", "SQLITE_BUSY", "SQLITE_LOCKED",
         "SQLITE_CANTOPEN", "SQLITE_PERM", "SQLITE_NOMEM", "SQLITE_INTERRUPT")  # fmt: skip


class DamagedIndexError(StoreError):
    """The search index is not what was written; it is made anew of the tables."""


class IndexState(NamedTuple):
    """What the index has taken: of which folder, its last ledger entry (sha256 as hex), papers."""

    folder: str
    number: int
    sha256: str
    papers: int


def create_index(path: Path, folder: str) -> sqlite3.Connection:
    """Make an empty index for the data folder with this id; what is there is removed."""
    for ending in ("", "-journal", "-wal", "-shm"):
        path.with_name(path.name + ending).unlink(missing_ok=True)
    connection = _connect(path, "rwc")
    connection.executescript(f"BEGIN; {_TABLES} PRAGMA user_version = {FORMAT};")
    connection.execute("INSERT INTO state VALUES (?, 0, '', 0)", (folder,))
    connection.execute("COMMIT")
    return connection


def open_index(path: Path, mode: Literal["ro", "rw"]) -> sqlite3.Connection:
    """Open an index; raises `DamagedIndexError` for a file of another format, `sqlite3.Error`."""
    connection = _connect(path, mode)
    try:
        (found,) = connection.execute("PRAGMA user_version").fetchone()
    except BaseException:
        connection.close()
        raise
    if found == FORMAT:
        return connection
    connection.close()
    raise DamagedIndexError(f"the search index {path} is of another format")


def read_state(connection: sqlite3.Connection) -> IndexState:
    """Return what an index has taken; raises `sqlite3.Error`."""
    (row,) = connection.execute("SELECT folder, number, sha256, papers FROM state").fetchall()
    return IndexState(*row)


def find_state(path: Path) -> IndexState | None:
    """Return what the index of a data folder has taken, or None where it cannot be read."""
    try:
        with closing(open_index(path, "ro")) as connection:
            return read_state(connection)
    except (sqlite3.Error, StoreError, ValueError):
        return None


def check_index(path: Path) -> None:
    """Read all of an index; raises `DamagedIndexError` where SQLite finds it damaged."""
    try:
        with closing(open_index(path, "rw")) as connection:
            found = connection.execute("PRAGMA quick_check(1)").fetchone()[0]
    except (sqlite3.Error, ValueError) as error:
        raise index_error(path, error) from None
    if found != "ok":
        raise DamagedIndexError(f"the search index {path} is damaged: {found.splitlines()[-1]}")


def index_error(path: Path, error: sqlite3.Error | ValueError) -> StoreError:
    """Return what SQLite's error means: `DamagedIndexError`, unless the disk or a lock fails."""
    name = getattr(error, "sqlite_errorname", "")
    if name.startswith(_DISK):
        return StoreError(f"cannot use the search index {path}: {error}")
    return DamagedIndexError(f"the search index {path} is damaged: {error}")


def _connect(path: Path, mode: str) -> sqlite3.Connection:
    connection = sqlite3.connect(
        f"{path.absolute().as_uri()}?mode={mode}",
        uri=True,
        timeout=BUSY_SECONDS,
        isolation_level=None,
        check_same_thread=False,
    )
    if mode != "ro":
        connection.execute(f"PRAGMA cache_size = -{_CACHE_KIB}")
    return connection
