"""Building the search index: it takes what the catalog knows and it has not, some shards at once.

Each transaction has the rows of whole ledger entries and the number of the last one, so that after
any kill the index is right as far as it goes, and goes on from there.
"""

import sqlite3
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager

from filelock import FileLock, Timeout

from flows.common.errors import StoreError
from flows.common.process.progress import OnProgress, to_nobody
from flows.store.catalog.copies import open_catalog
from flows.store.files.local import writing
from flows.store.layout import Layout
from flows.store.ledger import WrittenEntry
from flows.store.search.file import (
    DamagedIndexError,
    check_index,
    create_index,
    index_error,
    open_index,
    read_state,
)
from flows.store.search.rows import IndexedPaper, read_papers
from flows.store.search.writer import add_papers, merge_words

ROWS_AT_ONCE = 10_000
"""Papers in one transaction at the least, while there are as many: a second's work."""

MANY = 50_000
"""Papers added at once, after which postings are merged: 3 us a paper, and of a million papers with
a dozen segments a search takes half of the time."""

Say = Callable[[str], None]


def update_index(
    layout: Layout,
    say: Say,
    *,
    anew: bool = False,
    check: bool = False,
    on_progress: OnProgress = to_nobody,
) -> bool:
    """Bring the search index up to what the catalog knows; make it where it is none or `anew`.

    With `check` all of the file is read first, to make it anew where SQLite finds it damaged.
    `on_progress` is called with how many ledger entries of how many are taken. Returns False, and
    does nothing, while another process is at it. Raises `StoreError` where there are no records
    yet, a shard cannot be read, or the index cannot be written.
    """
    with _locked(layout) as is_ours:
        if not is_ours:
            return False
        catalog = _read_catalog(layout)
        try:
            if check and not anew and layout.search.exists():
                check_index(layout.search)
            _update(layout, catalog, say, anew=anew, on_progress=on_progress)
        except DamagedIndexError as error:
            say(f"{error}; it is made anew")
            _update(layout, catalog, say, anew=True, on_progress=on_progress)
    return True


def keep_index(layout: Layout, say: Say, *, anew: bool = False) -> None:
    """Bring an index that there is up to date at the end of a run; what fails is only said."""
    try:
        if layout.search.exists():
            update_index(layout, say, anew=anew)
    except (StoreError, OSError) as error:
        say(f"{error}; the search index is behind, and whoever updates it next goes on from there")


class _Catalog:
    """What the index asks of the catalog, read at once: no writer waits for it."""

    def __init__(self, folder: str, entries: Sequence[WrittenEntry], shards: set[str]) -> None:
        self.folder, self.entries, self.shards = folder, entries, shards


def _read_catalog(layout: Layout) -> _Catalog:
    with closing(open_catalog(layout)) as catalog:
        return _Catalog(catalog.folder, list(catalog.entries()), catalog.shard_names())


def _update(
    layout: Layout, catalog: _Catalog, say: Say, *, anew: bool, on_progress: OnProgress
) -> None:
    total = len(catalog.entries)
    try:
        with writing(layout.root), closing(_opened(layout, catalog, say, anew=anew)) as connection:
            done = read_state(connection).number
            on_progress(done, total)
            added = 0
            for last, papers in _batches(layout, catalog, done):
                add_papers(connection, papers, last)
                on_progress(last.entry.number, total)
                added += len(papers)
            if added >= MANY:
                merge_words(connection)
    except (sqlite3.Error, ValueError) as error:
        raise index_error(layout.search, error) from None


def _opened(layout: Layout, catalog: _Catalog, say: Say, *, anew: bool) -> sqlite3.Connection:
    path = layout.search
    if anew or not path.exists():
        return create_index(path, catalog.folder)
    connection = open_index(path, "rw")
    if problem := _problem(connection, catalog):
        connection.close()
        say(f"the search index {path} {problem}: it is made anew")
        return create_index(path, catalog.folder)
    return connection


def _problem(connection: sqlite3.Connection, catalog: _Catalog) -> str | None:
    """Return why an index cannot go on from where it is, or None if it can."""
    state = read_state(connection)
    if state.folder != catalog.folder:
        return "is another data folder's"
    if state.number > len(catalog.entries):
        return "knows more than the ledger"
    if state.number and catalog.entries[state.number - 1].sha256 != state.sha256:
        return "is of another history than the ledger"
    if any(written.entry.replaces for written in catalog.entries[state.number :]):
        return "is older than a repair"
    return None


def _batches(
    layout: Layout, catalog: _Catalog, done: int
) -> Iterator[tuple[WrittenEntry, list[IndexedPaper]]]:
    """Yield the papers of some entries after the one with number `done`, and the last of these."""
    papers: list[IndexedPaper] = []
    taken = done
    for written in catalog.entries[done:]:
        if written.entry.shard in catalog.shards:
            papers += read_papers(layout, written.entry.shard)
        if len(papers) >= ROWS_AT_ONCE:
            yield written, papers
            papers, taken = [], written.entry.number
    if taken < len(catalog.entries):
        yield catalog.entries[-1], papers


@contextmanager
def _locked(layout: Layout) -> Iterator[bool]:
    """Be the index's one writer on this machine; yield whether that is so."""
    lock = FileLock(layout.search.with_name(f".{layout.search.name}.lock"), timeout=0)
    with writing(layout.root):
        try:
            lock.acquire()
        except Timeout:
            yield False
            return
    try:
        yield True
    finally:
        lock.release()
