"""Writing the search index: papers, their words and facets, and the entry that they came with."""

import json
import sqlite3
from collections import Counter
from collections.abc import Iterable, Sequence

from flows.store.ledger import WrittenEntry
from flows.store.search.rows import Alike, IndexedPaper

DAY_BITS = 20
"""A day's papers have as many ids as this many bits allow, a million; more spill into the next."""

_SOME = 2
"""Changes that FTS5 counts where it merged anything (its documentation, section 6.8)."""

PAGES_AT_ONCE = 2_000
"""Of 4 kB, written in one transaction while postings are merged."""

_Row = tuple[int, IndexedPaper]
"""A paper with its id in the index."""

_PUT = "INSERT INTO papers VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
_KNOWN = "SELECT * FROM papers WHERE arxiv_id IN (SELECT value FROM json_each(?))"


def add_papers(
    connection: sqlite3.Connection, papers: Iterable[IndexedPaper], last: WrittenEntry
) -> None:
    """Add papers, in the order of their commits, and note that the index has all up to `last`.

    All in one transaction. Of each arXiv id the newest version stays, of that the last committed.
    """
    newest = _newest(papers)
    with connection:
        connection.execute("BEGIN IMMEDIATE")
        gone = _superseded(connection, newest)
        facets = Facets(connection)
        rows = _with_ids(connection, newest, gone)
        # Each by rising id: with a falling one FTS5 begins a new segment.
        _forget(connection, gone, facets)
        _add(connection, rows, facets)
        facets.write()
        connection.execute(
            "UPDATE state SET number = ?, sha256 = ?, papers = papers + ?",
            (last.entry.number, last.sha256, len(newest) - len(gone)),
        )


def merge_words(connection: sqlite3.Connection) -> None:
    """Make the postings of each word lie together, some pages at once, so that readers read on."""
    pages = -PAGES_AT_ONCE
    while True:
        before = connection.total_changes
        connection.execute("INSERT INTO words (words, rank) VALUES ('merge', ?)", (pages,))
        if connection.total_changes - before < _SOME:
            return
        pages = PAGES_AT_ONCE


def _newest(papers: Iterable[IndexedPaper]) -> dict[str, IndexedPaper]:
    newest: dict[str, IndexedPaper] = {}
    for paper in papers:
        known = newest.get(paper.arxiv_id)
        if known is None or paper.version >= known.version:
            newest[paper.arxiv_id] = paper
    return newest


def _superseded(connection: sqlite3.Connection, newest: dict[str, IndexedPaper]) -> list[_Row]:
    """Return the rows that papers of `newest` replace, by id, and drop those that are older."""
    found = connection.execute(_KNOWN, (json.dumps(list(newest)),)).fetchall()
    gone = []
    for number, arxiv_id, version, *rest in sorted(found):
        if newest[arxiv_id].version < version:
            del newest[arxiv_id]
        else:
            day = number >> DAY_BITS
            gone.append((number, IndexedPaper._make((arxiv_id, version, *rest, day))))
    return gone


def _with_ids(
    connection: sqlite3.Connection, newest: dict[str, IndexedPaper], gone: Sequence[_Row]
) -> list[_Row]:
    """Return papers with their ids, by id: the old one where a paper's day is the same."""
    old = {paper.arxiv_id: (number, paper.day) for number, paper in gone}
    ends: dict[int, int] = {}
    rows = []
    for paper in newest.values():
        number, day = old.get(paper.arxiv_id, (0, None))
        rows.append((number if day == paper.day else _next(connection, paper.day, ends), paper))
    return sorted(rows, key=lambda row: row[0])


def _next(connection: sqlite3.Connection, day: int, ends: dict[int, int]) -> int:
    """Return the next free id of a day; `ends` has the last one taken of each day."""
    start, end = day << DAY_BITS, (day + 1) << DAY_BITS
    if day not in ends:
        (last,) = connection.execute("SELECT max(id) FROM papers WHERE id < ?", (end,)).fetchone()
        ends[day] = max(start - 1, last if last is not None else start - 1)
    ends[day] += 1
    return ends[day] if ends[day] < end else _next(connection, day + 1, ends)


class Facets:
    """The facets by kind and value, as numbers that stand for them among the words."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        """Read those that the index has."""
        self._connection = connection
        found = connection.execute("SELECT kind, value, id FROM facets")
        self._ids = {(kind, value): number for kind, value, number in found}
        self._counts: Counter[Alike] = Counter()
        self._known: dict[Alike, str] = {}

    def text(self, paper: IndexedPaper, count: int) -> str:
        """Return the words of a paper, facets among them, and count it for each facet."""
        alike = paper.alike
        self._counts[alike] += count
        if alike not in self._known:
            self._known[alike] = " ".join(map(self._word, sorted(alike.facets)))
        return f"{paper.key} {self._known[alike]}"

    def _word(self, facet: tuple[str, str]) -> str:
        return facet_word(self._ids.setdefault(facet, len(self._ids) + 1))

    def write(self) -> None:
        """Write how many papers each facet has."""
        changed: Counter[tuple[str, str]] = Counter()
        for alike, count in self._counts.items():
            changed.update(dict.fromkeys(alike.facets, count))
        self._connection.executemany(
            "INSERT INTO facets VALUES (?, ?, ?, ?)"
            " ON CONFLICT (id) DO UPDATE SET papers = papers + excluded.papers",
            ((self._ids[facet], *facet, count) for facet, count in changed.items()),
        )


def facet_word(number: int) -> str:
    """Return the word that stands for a facet: not ASCII, so no text has it."""
    return f"\N{SECTION SIGN}{number}"


def _forget(connection: sqlite3.Connection, gone: Sequence[_Row], facets: Facets) -> None:
    connection.executemany(
        "INSERT INTO words (words, rowid, text) VALUES ('delete', ?, ?)",
        [(number, facets.text(paper, -1)) for number, paper in gone],
    )
    connection.executemany("DELETE FROM papers WHERE id = ?", [(number,) for number, _ in gone])


def _add(connection: sqlite3.Connection, rows: Sequence[_Row], facets: Facets) -> None:
    connection.executemany(_PUT, ((number, *paper[:-1]) for number, paper in rows))
    connection.executemany(
        "INSERT INTO words (rowid, text) VALUES (?, ?)",
        ((number, facets.text(paper, 1)) for number, paper in rows),
    )
