"""The file of the catalog: its format, opening it, and whether it is what was written.

Beside a catalog that was closed lies `catalog.sqlite.sha256`, as `sha256sum` writes it; a writer
takes it away before it changes anything. So a file that was changed by anybody else is known.
"""

import hashlib
import sqlite3
from pathlib import Path

from flows.common.errors import StoreError
from flows.store.catalog.connection import CatalogReader, connect, transaction
from flows.store.catalog.windows import WINDOW_TABLES
from flows.store.files.local import LocalFiles, sync_folder
from flows.store.ledger import MEND

SCHEMA_VERSION = 4
_READABLE = (3, SCHEMA_VERSION)
"""Format 3 differs in its indexes alone: it can be read, and a run brings it up to date."""

# Records are appended, their ids come nearly in order, and their suffixes, which are random, stand
# in the index by shard: so each commit writes at the end of everything, and a paper costs 1.1 times
# as much after three million as at first. In an index of suffixes alone each paper changed another
# page, which made it 4 times.
# The ledger's entries are kept here too, as they are, so that each of the two can mend the other.
_TABLES = """
CREATE TABLE folder (
    id TEXT NOT NULL
);
CREATE TABLE ledger (
    number INTEGER PRIMARY KEY,
    entry BLOB NOT NULL
);
CREATE TABLE shards (
    id INTEGER PRIMARY KEY,
    name TEXT NOT NULL UNIQUE,
    unit TEXT NOT NULL,
    run TEXT NOT NULL,
    entry INTEGER NOT NULL REFERENCES ledger (number),
    has_files INTEGER NOT NULL,
    is_replaced INTEGER NOT NULL DEFAULT 0
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
CREATE INDEX records_by_suffix ON records (shard, substr(pith_number, 11, 12));
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
_UPGRADE = f"""
DROP INDEX records_by_suffix;
DROP INDEX records_by_shard;
CREATE INDEX records_by_suffix ON records (shard, substr(pith_number, 11, 12));
PRAGMA user_version = {SCHEMA_VERSION};
"""
UNREADABLE = (sqlite3.Error, UnicodeDecodeError)
"""What SQLite raises for a damaged file."""


class DamagedCatalogError(StoreError):
    """The catalog's file is not what was written; ledger and tables can make it again."""


def create_database(path: Path, folder: str) -> sqlite3.Connection:
    """Make an empty catalog for the data folder with this id; `path` must not exist."""
    try:
        connection = connect(path, "rwc")
        connection.executescript(
            f"BEGIN; {_TABLES} {WINDOW_TABLES} PRAGMA user_version = {SCHEMA_VERSION};"
        )
        connection.execute("INSERT INTO folder VALUES (?)", (folder,))
        connection.execute("COMMIT")
    except sqlite3.Error as error:
        raise StoreError(f"cannot make the catalog {path}: {error}") from None
    return connection


def open_database(path: Path, *, read_only: bool) -> sqlite3.Connection:
    """Open a catalog; raises `DamagedCatalogError`, or `StoreError` for another format.

    One of format 3 stays as it is: see `upgrade`.
    """
    try:
        connection = CatalogReader(path) if read_only else connect(path, "rw")
        (version,) = connection.execute("PRAGMA user_version").fetchone()
        (tables,) = connection.execute("SELECT count(*) FROM sqlite_master").fetchone()
    except UNREADABLE as error:
        raise DamagedCatalogError(f"cannot use the catalog {path}: {error}; {MEND}") from None
    if version in _READABLE:
        return connection
    connection.close()
    if version > SCHEMA_VERSION:
        raise StoreError(
            f"{path} was written by a newer pith-ingest (format {version}); update this one"
        )
    if version == 0:
        state = "is no catalog" if tables else "is empty"
        raise DamagedCatalogError(f"the catalog {path} {state}; {MEND}")
    raise StoreError(
        f"{path} was written by an older pith-ingest; make it again from the tables with "
        "'pith-ingest rebuild-catalog'"
    )


def upgrade(connection: sqlite3.Connection) -> bool:
    """Bring a catalog of format 3 up to date, as a whole or not at all; tell whether it was one."""
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    if version == SCHEMA_VERSION:
        return False
    with transaction(connection):
        for statement in _UPGRADE.split(";"):
            connection.execute(statement)
    return True


def find_damage(path: Path, *, quick: bool = False) -> str | None:
    """Return what is wrong with a catalog's file, or None if nothing can be found.

    One that was closed must have the hash that was noted then. One that was not, for its writer was
    killed or still runs, is checked by SQLite itself. A `quick` look reads the bytes only where the
    system tells that somebody wrote to the file, or put another one there, since it was noted.
    """
    noted = _noted_sha256(path)
    if noted is None or (quick and _is_untouched(path, _note_of(path))):
        return None
    with path.open("rb") as file:
        found = hashlib.file_digest(file, "sha256").hexdigest()
    # A writer that began meanwhile has taken the note away.
    if found == noted or _noted_sha256(path) != noted:
        return None
    return "its bytes are not those that the last run left"


def find_inner_damage(connection: sqlite3.Connection) -> str | None:
    """Return what SQLite finds wrong within the file, or None if nothing."""
    try:
        (found,) = connection.execute("PRAGMA integrity_check(1)").fetchone()
    except UNREADABLE as error:
        return str(error)
    return None if found == "ok" else str(found).splitlines()[-1]


def is_noted(path: Path) -> bool:
    """Return whether the catalog was closed by its last writer, so that its hash is noted."""
    return _note_of(path).exists()


def begin_changes(path: Path) -> None:
    """Take the noted hash away, durably, before a catalog is opened to be changed."""
    note = _note_of(path)
    if note.exists():
        note.replace(_put_away(path))
        sync_folder(path.parent)


def end_changes(path: Path) -> None:
    """Note the hash of a catalog that was closed; the old note comes back if nothing changed."""
    note, away = _note_of(path), _put_away(path)
    if _is_untouched(path, away):
        away.replace(note)
        return
    with path.open("rb") as file:
        found = hashlib.file_digest(file, "sha256").hexdigest()
    text = f"{found}  {path.name}\n# {_stamp(path)}\n".encode()
    LocalFiles(path.parent).write(note.name, text)
    away.unlink(missing_ok=True)


def set_aside(path: Path) -> Path:
    """Rename a catalog that cannot be used, with what belongs to it, and return its new name."""
    number = 1
    while (aside := path.with_name(f"{path.name}.damaged-{number}")).exists():
        number += 1
    for ending in ("-journal", "-wal", "-shm", ".sha256"):
        if (beside := Path(f"{path}{ending}")).exists():
            beside.replace(f"{aside}{ending}")
    path.replace(aside)
    sync_folder(path.parent)
    return aside


def _note_of(path: Path) -> Path:
    return path.with_name(f"{path.name}.sha256")


def _put_away(path: Path) -> Path:
    return path.with_name(f".{path.name}.sha256.before")


def _noted_sha256(path: Path) -> str | None:
    try:
        return _note_of(path).read_text(encoding="ascii").split()[0]
    except FileNotFoundError:
        return None
    except (OSError, ValueError, IndexError):
        return "unreadable"


def _stamp(path: Path) -> str:
    """Return what the system changes with every write to a file, and with every copy of it.

    `sha256sum -c` takes its line in the note for a comment.
    """
    stat = path.stat()
    return f"{stat.st_dev} {stat.st_ino} {stat.st_size} {stat.st_mtime_ns} {stat.st_ctime_ns}"


def _is_untouched(path: Path, note: Path) -> bool:
    """Return whether a catalog's file is the one of which a note was made, never written since.

    The system's clock ticks: a write within the tick of the note would not show in the times.
    """
    try:
        noted = note.read_text(encoding="ascii").splitlines()[1:]
        is_older = path.stat().st_ctime_ns < note.stat().st_ctime_ns
        return is_older and noted == [f"# {_stamp(path)}"]
    except (OSError, ValueError):
        return False
