"""SQLite connections to a catalog: its writer's, a reader's, and transactions that may fail."""

import fcntl
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Literal

from flows.common.errors import StoreError

BUSY_SECONDS = 60.0
"""Seconds for which a reader waits while a writer commits, and the other way round."""

_SHARED_LOCK = 510, 2**30 + 2
"""How many bytes SQLite's readers lock, and from which (SHARED_SIZE, SHARED_FIRST in `os.h`)."""


def connect(path: Path, mode: Literal["rw", "rwc"]) -> sqlite3.Connection:
    """Open the writer's connection; `rwc` makes the file. Raises `sqlite3.Error`."""
    # The flow's process alone writes, but its engine may run steps on another thread.
    connection = sqlite3.connect(
        f"{path.absolute().as_uri()}?mode={mode}",
        uri=True,
        timeout=BUSY_SECONDS,
        isolation_level=None,
        check_same_thread=False,
    )
    # FULL does not sync the folder after the journal is deleted, so that a power cut could bring it
    # back and undo the commit (SQLite's PRAGMA synchronous). EXTRA took 0 to 4 ms more of 20.
    connection.execute("PRAGMA synchronous = EXTRA")
    return connection


@contextmanager
def transaction(connection: sqlite3.Connection) -> Iterator[sqlite3.Connection]:
    """Commit what the block does as a whole, or nothing of it.

    Raises `StoreError` where SQLite fails: a full disk, a folder without rights, a damaged file. A
    shard counts all the same, for its entry in the ledger was written before.
    """
    try:
        with connection:
            connection.execute("BEGIN IMMEDIATE")
            yield connection
    except sqlite3.Error as error:
        raise StoreError(
            f"cannot write the catalog: {error}; it is as it was before, and the next run takes up "
            "what the ledger has and the catalog has not"
        ) from None


class CatalogReader(sqlite3.Connection):
    """A connection that writes nothing, and that no writer's end makes fail.

    A run that is killed while SQLite commits leaves its journal, without which the catalog is not
    to be understood; only who rolls it back can read on, and the next run does. Until then all is
    read from a private copy of both. Nothing is rolled back in place: a reader may be on a file
    system where the locks of a run that lives are not seen, and would undo what that is writing.
    """

    def __init__(self, path: Path) -> None:
        """Open a catalog; raises `sqlite3.Error` if there is none."""
        super().__init__(
            f"{path.absolute().as_uri()}?mode=ro",
            uri=True,
            timeout=BUSY_SECONDS,
            isolation_level=None,
            check_same_thread=False,
        )
        self._path = path
        self._copy: sqlite3.Connection | None = None

    def execute(self, sql: str, parameters: "sqlite3._Parameters" = (), /) -> sqlite3.Cursor:
        """Execute a statement that reads."""
        if self._copy is None:
            try:
                return super().execute(sql, parameters)
            except sqlite3.OperationalError as error:
                if error.sqlite_errorname != "SQLITE_READONLY_ROLLBACK":
                    raise
            self._copy = _copied(self._path)
        return self._copy.execute(sql, parameters)

    def close(self) -> None:
        """Close the connection."""
        if self._copy is not None:
            self._copy.close()
        super().close()


def is_there(path: Path) -> bool:
    """Return whether there is a catalog; raises `StoreError` where this user may not look."""
    try:
        return path.exists()
    except OSError as error:
        raise StoreError(f"cannot read {path}: {error.strerror}") from None


def _copied(path: Path) -> sqlite3.Connection:
    """Open a private copy of a catalog and of its journal, which is rolled back there.

    Its name is gone at once: what is open stays until it is closed.
    """
    try:
        with TemporaryDirectory(prefix="pith-ingest-") as folder:
            copy = Path(folder) / path.name
            _copy_both(path, copy)
            connection = sqlite3.connect(copy, isolation_level=None, check_same_thread=False)
            connection.executescript("PRAGMA query_only = ON; SELECT count(*) FROM sqlite_master")
            return connection
    except (OSError, sqlite3.Error) as error:
        raise StoreError(
            f"cannot read the catalog {path}, which a killed run left in the middle of a commit, "
            f"from a copy of it: {error}; any run in this folder mends it"
        ) from None


def _copy_both(path: Path, copy: Path) -> None:
    with path.open("rb") as file, copy.open("wb") as to:
        # No run can write the catalog meanwhile, nor roll it back. Of this process the lock ends
        # with the first closing of the file, whichever that is, so it is opened only once.
        fcntl.lockf(file, fcntl.LOCK_SH, *_SHARED_LOCK)
        with suppress(FileNotFoundError):  # a run rolled it back before that
            shutil.copyfile(f"{path}-journal", f"{copy}-journal")
        shutil.copyfileobj(file, to, 2**20)
