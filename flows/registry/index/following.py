"""Keeping the index of bundles: taking up each shard that was committed since."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from threading import Event

from filelock import FileLock, Timeout
from zstandard import ZstdCompressor

from flows.common.errors import StoreError
from flows.registry.index.bundle_index import FORMAT, TABLES, index_path, make_compressor
from flows.registry.repeat import Say, repeat
from flows.store.bundles.reader import read_bundles
from flows.store.catalog.catalog import Catalog
from flows.store.catalog.copies import open_catalog
from flows.store.catalog.records import KnownRecord, to_micros
from flows.store.layout import Layout
from flows.store.repair.inspection import require_shard
from transforms.encoding.digest import sha256

FOLLOW_SECONDS = 1.0
"""Between two looks at the catalog."""

_PUT = "INSERT OR REPLACE INTO bundles VALUES (?, ?, ?, ?, ?)"


def follow(layout: Layout, stop: Event, say: Say, seconds: float = FOLLOW_SECONDS) -> None:
    """Keep the index up to date until `stop` is set, unless another process does.

    What cannot be read or written is said once, and tried again.
    """

    def keep() -> None:
        with _opened(layout) as index:
            if index:
                _keep(index, layout, stop, seconds)

    waits = "the index of bundles waits, and they come from the tables"
    repeat(keep, stop, say, seconds=seconds, waits=waits)


def update(layout: Layout) -> int:
    """Take up the shards that the index lacks, and return how many bundles of them it has now.

    It forgets those that were replaced. Nothing is done where another process keeps the index.
    Raises `StoreError` for a shard that is not what was committed, with all the others taken up.
    """
    with _opened(layout) as index:
        return _take_new(index, layout, Event()) if index else 0


def _keep(index: sqlite3.Connection, layout: Layout, stop: Event, seconds: float) -> None:
    """Take up what is committed, until `stop` is set or the index was deleted.

    The file stays open: one that is opened and closed beside readers makes these wait.
    """
    path, seen = index_path(layout), None
    inode = path.stat().st_ino
    while not stop.is_set() and path.exists() and path.stat().st_ino == inode:
        now = _changed_at(layout)
        if now is None or now != seen:
            _take_new(index, layout, stop)
            seen = now
        stop.wait(seconds)


def _changed_at(layout: Layout) -> tuple[int, int, int] | None:
    """Return what is another after each commit; None of an object store, where nothing tells."""
    if layout.objects:
        return None
    found = layout.catalog.stat()
    return found.st_ino, found.st_mtime_ns, found.st_size


def _take_new(index: sqlite3.Connection, layout: Layout, stop: Event) -> int:
    """Take up the shards that the index lacks; see `update`."""
    taken, damage = 0, None
    with closing(open_catalog(layout)) as catalog:
        had = {name for (name,) in index.execute("SELECT name FROM shards")}
        has = catalog.shard_names()
        for shard in sorted(had - has):
            _forget(index, shard)
        for shard in sorted(has - had):
            if stop.is_set():
                break
            try:
                taken += _take(index, layout, catalog, shard)
            except StoreError as error:
                damage = error
    if damage:
        raise damage
    return taken


def _take(index: sqlite3.Connection, layout: Layout, catalog: Catalog, shard: str) -> int:
    """Take up the bundles of a shard that are the newest of their records, or none of them."""
    require_shard(layout, catalog, shard, "bundles")
    records = catalog.of_shard(shard)
    bundles = read_bundles(layout, records)
    with index:
        index.execute("BEGIN IMMEDIATE")
        first = next(bundles, None)
        dictionary = first[1] if first else b""
        compressor = make_compressor(dictionary)
        (number,) = index.execute(
            "INSERT INTO shards (name, dictionary) VALUES (?, ?) RETURNING id", (shard, dictionary)
        ).fetchone()
        if first:
            index.execute(_PUT, _row(*first, number, compressor))
            index.executemany(_PUT, (_row(*one, number, compressor) for one in bundles))
    return len(records)


def _row(
    record: KnownRecord, data: bytes, shard: int, compressor: ZstdCompressor
) -> tuple[str, bytes, int, int, bytes]:
    suffix = record.pith_number.rpartition(":")[2]
    body = compressor.compress(data)
    return suffix, sha256(data), to_micros(record.issued_at), shard, body


def _forget(index: sqlite3.Connection, shard: str) -> None:
    with index:
        index.execute("BEGIN IMMEDIATE")
        index.execute(
            "DELETE FROM bundles WHERE shard = (SELECT id FROM shards WHERE name = ?)", (shard,)
        )
        index.execute("DELETE FROM shards WHERE name = ?", (shard,))


@contextmanager
def _opened(layout: Layout) -> Iterator[sqlite3.Connection | None]:
    """Open the index for writing; None where another process has it.

    A file that is damaged, of another format or of another data folder is made anew.
    """
    path = index_path(layout)
    with closing(open_catalog(layout)) as catalog:
        folder = catalog.folder
    path.parent.mkdir(exist_ok=True)
    lock = FileLock(path.with_suffix(".lock"), timeout=0)
    try:
        lock.acquire()
    except Timeout:
        yield None
        return
    try:
        with closing(_open(path, folder)) as index:
            yield index
    finally:
        lock.release()


def _open(path: Path, folder: str) -> sqlite3.Connection:
    with suppress(sqlite3.DatabaseError):
        index = _connect(path)
        (version,) = index.execute("PRAGMA user_version").fetchone()
        if version == FORMAT and index.execute("SELECT id FROM folder").fetchone() == (folder,):
            return index
        index.close()
    for file in (path, *(Path(f"{path}{end}") for end in ("-wal", "-shm"))):
        file.unlink(missing_ok=True)
    index = _connect(path)
    index.execute("PRAGMA journal_mode = WAL")
    index.executescript(f"BEGIN; {TABLES} COMMIT")
    index.execute("INSERT INTO folder VALUES (?)", (folder,))
    return index


def _connect(path: Path) -> sqlite3.Connection:
    connection = sqlite3.connect(path, isolation_level=None)
    # A power cut may undo what was taken up last, and then it is taken up again.
    connection.execute("PRAGMA synchronous = NORMAL")
    return connection
