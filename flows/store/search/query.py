"""Searching the index: words, a category, a licence and days, the newest papers first.

Postings are read by falling id until there are enough, and each filter is a word of the same query
or a range of ids: so the time of a search hangs on how much is shown, not on how much there is.
"""

import sqlite3
from collections import deque
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import TypeVar

from flows.common.errors import StoreError
from flows.store.search.file import PREFIXES, IndexState, index_error, open_index, read_state
from flows.store.search.rows import EPOCH
from flows.store.search.writer import DAY_BITS, facet_word
from transforms.paper.search_keys import search_words

_T = TypeVar("_T")

MOST_FOUND = 1_000
"""Papers that are counted and can be listed: who finds more narrows the search."""

MOST_WORDS = 12
TOO_COMMON = frozenset(["a", "and", "by", "for", "from", "in", "of", "on", "the", "to", "with"])
"""Words that are left aside beside others: a fifth of all titles have some of them, and to go
through their postings took 13 of 15 ms among 200,000 papers."""

_EXTREME = 2**62
_OF_WORDS = (
    "SELECT rowid FROM words WHERE words MATCH ? AND rowid >= ? AND rowid < ?"
    " ORDER BY rowid DESC LIMIT ?"
)
_OF_DAYS = "SELECT id FROM papers WHERE id >= ? AND id < ? ORDER BY id DESC LIMIT ?"
LONGEST_TEXT = 300
"""Characters of a search; what is longer is cut, as are words beyond the limit."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SearchQuery:
    """What is looked for; what is empty or None does not matter.

    All words of `text` are in the title or the authors, but for the commonest beside others. The
    last one may be the beginning of a word there; one of more than five letters only if it is none
    by itself. `category` may be an archive, such as `cs`. The days are those of the first version,
    both included.
    """

    text: str = ""
    category: str = ""
    licence: str = ""
    first: date | None = None
    until: date | None = None

    @property
    def words(self) -> list[str]:
        """The words as they are looked for."""
        text = self.text[:LONGEST_TEXT].encode(errors="ignore").decode()
        return search_words(text)[:MOST_WORDS]


@dataclass(frozen=True, slots=True)
class FoundPaper:
    """A paper that was found; `submitted` is the day of its first version."""

    arxiv_id: str
    version: int
    pith_number: str
    title: str
    authors: str
    categories: Sequence[str]
    submitted: date
    withdrawn: bool


@dataclass(frozen=True, slots=True)
class Found:
    """Some of the papers that were found, and how many there are; `is_more` says at least so many.

    The count is capped at `MOST_FOUND`.
    """

    papers: list[FoundPaper]
    count: int
    is_more: bool


@dataclass(frozen=True, slots=True)
class Facet:
    """A category, an archive or a licence that papers have, and how many."""

    value: str
    papers: int


class SearchIndex:
    """The search index of a data folder for reading, from any number of threads.

    Each method raises `DamagedIndexError`, or `StoreError` where it cannot be read, such as when
    there is none.
    """

    def __init__(self, path: Path) -> None:
        """Take where it lies; it may come and be made anew at any time."""
        self._path = path
        self._idle: deque[tuple[int, sqlite3.Connection]] = deque()

    def state(self) -> IndexState:
        """Return what the index has taken."""
        return self._read(read_state)

    def facets(self, kind: str) -> list[Facet]:
        """Return the facets of a kind, `category` or `licence`, that papers have, by value."""
        sql = "SELECT value, papers FROM facets WHERE kind = ? AND papers > 0 ORDER BY value"
        return self._read(
            lambda connection: [Facet(*row) for row in connection.execute(sql, (kind,))]
        )

    def search(self, query: SearchQuery, *, start: int = 0, most: int = 20) -> Found:
        """Return `most` papers from place `start` on, the newest first, and how many there are."""
        return self._read(lambda connection: _search(connection, query, start, most))

    def close(self) -> None:
        """Close the connections that no thread uses."""
        while self._idle:
            self._idle.pop()[1].close()

    def _read(self, read: Callable[[sqlite3.Connection], _T]) -> _T:
        try:
            inode = self._path.stat().st_ino
            connection = self._connection(inode)
            try:
                found = read(connection)
            except BaseException:
                connection.close()
                raise
        except FileNotFoundError:
            raise StoreError(f"there is no search index {self._path} yet") from None
        except (sqlite3.Error, ValueError) as error:
            raise index_error(self._path, error) from None
        self._idle.append((inode, connection))
        return found

    def _connection(self, inode: int) -> sqlite3.Connection:
        """Return an idle connection, or a new one where there is none or the file is another."""
        with suppress(IndexError):
            while True:
                number, connection = self._idle.pop()
                if number == inode:
                    return connection
                connection.close()
        return open_index(self._path, "ro")


def _search(connection: sqlite3.Connection, query: SearchQuery, start: int, most: int) -> Found:
    ids = _find_ids(connection, query)
    shown = ids[:MOST_FOUND][start : start + most]
    papers = [_paper(connection, number) for number in shown]
    return Found(papers, min(len(ids), MOST_FOUND), len(ids) > MOST_FOUND)


def _find_ids(connection: sqlite3.Connection, query: SearchQuery) -> list[int]:
    wanted = [("category", query.category), ("licence", query.licence)]
    facets = [_facet_id(connection, *facet) for facet in wanted if facet[1]]
    known = [number for number in facets if number is not None]
    if len(known) < len(facets) or (query.text.strip() and not query.words):
        return []
    if query.first and (query.words or known):
        years = _years(connection, query.first, query.until)
        if not years:
            return []
    else:
        years = []
    between = _first_id(query.first), _first_id(query.until, after=1), MOST_FOUND + 1
    if match := _match(connection, query.words, known, years):
        found = connection.execute(_OF_WORDS, (match, *between))
    else:
        found = connection.execute(_OF_DAYS, between)
    return [number for (number,) in found]


def _first_id(day: date | None, after: int = 0) -> int:
    """Return the first id of the day so many days `after` this one; without one, an extreme."""
    if day is None:
        return _EXTREME if after else -_EXTREME
    return (day - EPOCH).days + after << DAY_BITS


def _facet_id(connection: sqlite3.Connection, kind: str, value: str) -> int | None:
    found = connection.execute(
        "SELECT id FROM facets WHERE kind = ? AND value = ?", (kind, value)
    ).fetchone()
    return found[0] if found else None


def _years(connection: sqlite3.Connection, first: date, until: date | None) -> list[int]:
    """Return the facets of years in which papers are: where these end FTS5 looks no further.

    The least id alone it compares only with papers that it found.
    """
    last = f"{until.year:04}" if until else "9999"
    found = connection.execute(
        "SELECT id FROM facets WHERE kind = 'year' AND value BETWEEN ? AND ? AND papers > 0",
        (f"{first.year:04}", last),
    )
    return [number for (number,) in found]


def _match(
    connection: sqlite3.Connection,
    words: Sequence[str],
    facets: Sequence[int],
    years: Sequence[int],
) -> str:
    """Return an expression of FTS5: every word that tells, every facet, and one of the years."""
    telling = [word for word in words if word not in TOO_COMMON] or words[-1:]
    texts = [f'"{word}"' for word in telling]
    if words and words[-1] == telling[-1] and _is_beginning(connection, words[-1]):
        texts[-1] += " *"
    texts += [f'"{facet_word(number)}"' for number in facets]
    if years:
        either = [f'"{facet_word(number)}"' for number in years]
        texts.append(f"({' OR '.join(either)})")
    return " AND ".join(texts)


def _is_beginning(connection: sqlite3.Connection, word: str) -> bool:
    """Return whether a word is looked for as a beginning.

    Of a long one that is a word itself all postings would be read, and not only the newest.
    """
    if len(word) <= max(PREFIXES):
        return len(word) >= min(PREFIXES)
    found = connection.execute(_OF_WORDS, (f'"{word}"', -_EXTREME, _EXTREME, 1))
    return found.fetchone() is None


def _paper(connection: sqlite3.Connection, number: int) -> FoundPaper:
    (row,) = connection.execute(
        "SELECT arxiv_id, version, pith_number, title, authors, categories, withdrawn FROM papers"
        " WHERE id = ?",
        (number,),
    ).fetchall()
    arxiv_id, version, pith_number, title, authors, categories, withdrawn = row
    return FoundPaper(
        arxiv_id,
        version,
        pith_number,
        title,
        authors,
        categories.split(),
        EPOCH + timedelta(days=number >> DAY_BITS),
        bool(withdrawn),
    )
