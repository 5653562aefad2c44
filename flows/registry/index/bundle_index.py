"""The file of the index, and reading single bundles from it.

One row of a shard is read by decompressing a page of a megabyte, and the catalog is locked while a
run commits; so each newest bundle is here once more, compressed by itself, in a database whose
readers wait for nobody (SQLite's WAL). With a bundle of the same shard as zstd's dictionary one
takes 1.5 kB, hardly more than in the shard, and 6 µs to decompress.
"""

import sqlite3
from contextlib import suppress
from datetime import datetime
from functools import lru_cache
from pathlib import Path
from threading import Lock, RLock
from time import monotonic
from typing import NamedTuple

from zstandard import (
    ZstdCompressionDict,
    ZstdCompressor,
    ZstdDecompressor,
    ZstdError,
)

from flows.store.catalog.records import from_micros
from flows.store.layout import Layout
from transforms.encoding.digest import Digest

FORMAT = 1
TABLES = f"""
CREATE TABLE shards (
    id INTEGER PRIMARY KEY,
    name TEXT NOT NULL UNIQUE,
    dictionary BLOB NOT NULL
);
CREATE TABLE bundles (
    suffix TEXT NOT NULL UNIQUE,
    sha256 BLOB NOT NULL,
    issued_at INTEGER NOT NULL,
    shard INTEGER NOT NULL REFERENCES shards (id),
    body BLOB NOT NULL
);
CREATE INDEX bundles_by_shard ON bundles (shard);
CREATE TABLE folder (id TEXT NOT NULL);
PRAGMA user_version = {FORMAT};
"""
_LOOK_SECONDS = 1.0
"""After which it is asked whether the file is there, or is another one."""

_DICTIONARIES = 256
"""Kept in memory, of a shard each; one has 14 kB."""

_SELECT = "SELECT sha256, issued_at, shard, body FROM bundles WHERE suffix = ?"


class Decompressor:
    """What decompresses the bundles of a shard, one at a time.

    zstd's own works without Python's lock, and two threads in one of them end the process.
    """

    __slots__ = ("_lock", "_zstd")

    def __init__(self, dictionary: bytes) -> None:
        """Take the shard's dictionary."""
        self._lock = Lock()
        self._zstd = ZstdDecompressor(dict_data=ZstdCompressionDict(dictionary))

    def decompress(self, body: bytes) -> bytes:
        """Return a bundle's bytes; raises `ZstdError` or `MemoryError` for what is damaged."""
        with self._lock:
            return self._zstd.decompress(body)


class IndexedBundle(NamedTuple):
    """A bundle as the index has it, and what decompresses it."""

    sha256: Digest
    issued_at: datetime
    body: bytes
    decompressor: Decompressor

    def data(self) -> bytes | None:
        """Return the bundle's exact bytes, or None where the index is damaged."""
        with suppress(ZstdError, MemoryError):
            return self.decompressor.decompress(self.body)
        return None


def index_path(layout: Layout) -> Path:
    """Return where the index of a data folder lies: on this machine's disk, as the catalog does."""
    return layout.root / "registry" / "bundles.sqlite"


def make_compressor(dictionary: bytes) -> ZstdCompressor:
    """Return what compresses a bundle to `IndexedBundle.body`, with a checksum of its content."""
    return ZstdCompressor(level=3, dict_data=ZstdCompressionDict(dictionary), write_checksum=True)


class BundleIndex:
    """The index for a reader, who goes on without it: nothing here raises for its sake.

    Any number of threads may share it.
    """

    def __init__(self, path: Path) -> None:
        """Open nothing yet."""
        self._path = path
        self._lock = RLock()
        self._connection: sqlite3.Connection | None = None
        self._inode = 0
        self._looked_at = -_LOOK_SECONDS
        self._decompressor = lru_cache(_DICTIONARIES)(self._make_decompressor)

    def find(self, suffix: str) -> IndexedBundle | None:
        """Return the newest bundle with a suffix, or None where the index has it not."""
        with self._lock:
            try:
                return self._find(suffix)
            except sqlite3.Error:
                self.close()
                return None

    def close(self) -> None:
        """Close the file; the next use opens it again."""
        with self._lock:
            if self._connection:
                self._connection.close()
            self._connection = None
            self._decompressor.cache_clear()

    def _find(self, suffix: str) -> IndexedBundle | None:
        connection = self._current()
        row = connection.execute(_SELECT, (suffix,)).fetchone() if connection else None
        if row is None:
            return None
        digest, issued_at, shard, body = row
        return IndexedBundle(digest, from_micros(issued_at), body, self._decompressor(shard))

    def _current(self) -> sqlite3.Connection | None:
        now = monotonic()
        if now - self._looked_at < _LOOK_SECONDS:
            return self._connection
        self._looked_at = now
        try:
            inode = self._path.stat().st_ino
        except OSError:
            self.close()
            return None
        if not self._connection or inode != self._inode:
            self.close()
            self._connection, self._inode = _open(self._path), inode
        return self._connection

    def _make_decompressor(self, shard: int) -> Decompressor:
        found = (
            self._connection
            and self._connection.execute(
                "SELECT dictionary FROM shards WHERE id = ?", (shard,)
            ).fetchone()
        )
        return Decompressor(found[0] if found else b"")


def _open(path: Path) -> sqlite3.Connection | None:
    """Open the file for reading; None for one of another format."""
    connection = sqlite3.connect(
        f"{path.absolute().as_uri()}?mode=ro",
        uri=True,
        timeout=0.05,
        isolation_level=None,
        check_same_thread=False,
    )
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    if version == FORMAT:
        # Were it mapped into memory, a file that is cut would end the process.
        connection.execute("PRAGMA mmap_size = 0")
        return connection
    connection.close()
    return None
