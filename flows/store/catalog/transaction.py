"""SQLite transactions whose failures a user can act on."""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager

from flows.common.errors import StoreError


@contextmanager
def transaction(connection: sqlite3.Connection) -> Iterator[sqlite3.Connection]:
    """Commit what the block does as a whole, or nothing of it.

    Raises `StoreError` where SQLite fails: a full disk, a folder without rights, a damaged file.
    """
    try:
        with connection:
            connection.execute("BEGIN IMMEDIATE")
            yield connection
    except sqlite3.Error as error:
        raise StoreError(f"cannot write the catalog: {error}; nothing was changed") from None
