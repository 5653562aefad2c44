"""The memory of harvests: windows, how far each has come, its papers, and which days are proven.

It lies in the catalog, so that a window that was interrupted goes on days later in another process.
What is proven comes from the shards of complete windows alone.
"""

import json
import sqlite3
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from types import MappingProxyType

from flows.store.catalog.connection import transaction
from flows.store.catalog.days import EARLIEST, ONE_DAY, Days, days_over, union
from flows.store.catalog.window import Window, holds

WINDOW_TABLES = """
CREATE TABLE windows (
    id INTEGER PRIMARY KEY,
    set_spec TEXT NOT NULL,
    first TEXT NOT NULL,
    until TEXT NOT NULL,
    started_at TEXT NOT NULL,
    token TEXT,
    pages INTEGER NOT NULL DEFAULT 0,
    is_listed INTEGER NOT NULL DEFAULT 0
);
CREATE UNIQUE INDEX windows_by_key ON windows (set_spec, first, until);
CREATE TABLE done_windows (
    set_spec TEXT NOT NULL,
    first TEXT NOT NULL,
    until TEXT NOT NULL,
    started_at TEXT NOT NULL,
    listed_at TEXT NOT NULL,
    listed INTEGER NOT NULL,
    shard TEXT NOT NULL
);
CREATE INDEX done_windows_by_key ON done_windows (set_spec, first, until);
CREATE TABLE window_papers (
    window INTEGER NOT NULL REFERENCES windows (id),
    arxiv_id TEXT NOT NULL,
    how TEXT NOT NULL,
    datestamp TEXT,
    PRIMARY KEY (window, arxiv_id)
) WITHOUT ROWID;
"""

Came = Mapping[str, date | None]
"""The day of the last change of papers that came, by id; None where it could not be read."""

_NO_PAPERS: Came = MappingProxyType({})


class How(StrEnum):
    """The way in which a window came by a paper."""

    HARVESTED = "harvested"
    RECOVERED = "recovered"
    VANISHED = "vanished"


@dataclass(slots=True)
class Progress:
    """The progress of a window.

    `token` fetches the next page; None is the first one, and `""` says that all pages came.
    `pages` came in the current pass. `is_listed` tells that it was reconciled before, so that what
    comes now and did not come before, or not in this form, is recovered.
    """

    id: int
    window: Window
    started_at: datetime
    token: str | None = None
    pages: int = 0
    is_listed: bool = False


@dataclass(frozen=True, slots=True)
class DoneWindow:
    """A window that came in full, as arXiv listed it at `listed_at`: `listed` papers.

    Its list was asked for at that time, which is what it proves: see `proven`.
    """

    window: Window
    started_at: datetime
    listed_at: datetime
    listed: int

    @property
    def proven(self) -> Days | None:
        """The days that it proves for good: those that were over, so that no paper joins them.

        A window without an end and without any paper proves nothing, since an empty list may be an
        answer from a cache, given too early on its last day.
        """
        window = self.window
        if window.until is None and not self.listed:
            return None
        return days_over(window.first, window.until, self.listed_at.date())


class WindowLog:
    """The windows of one catalog, on its connection."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        """Take the catalog's connection."""
        self._connection = connection

    def find(self, window: Window) -> Progress | None:
        """Return how far `window` has come, if it was begun and is not done."""
        found = self._connection.execute(
            f"{_SELECT_WINDOW} WHERE (set_spec, first, until) = (?, ?, ?)", _key(window)
        ).fetchone()
        return _progress(found) if found else None

    def resume(self, window: Window, now: datetime) -> Progress:
        """Return how far `window` has come, or begin it."""
        if found := self.find(window):
            return found
        (row,) = self._connection.execute(
            "INSERT INTO windows (set_spec, first, until, started_at) VALUES (?, ?, ?, ?)"
            " RETURNING id",
            (*_key(window), now.isoformat()),
        ).fetchone()
        return Progress(row, window, now)

    def is_settled(self, window: Window) -> bool:
        """Return whether `window` was completed after its last day was over, and so stays done."""
        found = self._connection.execute(
            "SELECT max(listed_at) FROM done_windows WHERE (set_spec, first, until) = (?, ?, ?)",
            _key(window),
        ).fetchone()[0]
        if found is None or window.until is None:
            return False
        return datetime.fromisoformat(found).date() > window.until

    def listed(self, window: Window) -> int:
        """Return how many papers arXiv listed in a window when it was completed last; 0 if never.

        The rows of one window are few: each completion adds one.
        """
        found = self._connection.execute(
            "SELECT listed FROM done_windows WHERE (set_spec, first, until) = (?, ?, ?)"
            " ORDER BY listed_at DESC LIMIT 1",
            _key(window),
        ).fetchone()
        return int(found[0]) if found else 0

    def advance(
        self, progress: Progress, came: Came = _NO_PAPERS, how: How = How.HARVESTED
    ) -> None:
        """Note, in one transaction, how far a window has come and which papers it got.

        Of a paper that comes again the newest form counts, and how that one came.
        """
        with transaction(self._connection) as connection:
            connection.execute(
                "UPDATE windows SET token = ?, pages = ?, is_listed = ? WHERE id = ?",
                (progress.token, progress.pages, progress.is_listed, progress.id),
            )
            connection.executemany(
                "INSERT INTO window_papers VALUES (?, ?, ?, ?) ON CONFLICT (window, arxiv_id)"
                " DO UPDATE SET how = excluded.how, datestamp = excluded.datestamp"
                " WHERE excluded.how = ?"
                " OR excluded.datestamp > coalesce(window_papers.datestamp, '')",
                (
                    (progress.id, arxiv_id, how, str(day) if day else None, How.VANISHED)
                    for arxiv_id, day in came.items()
                ),
            )

    def missing(self, progress: Progress, listed: Mapping[str, date]) -> dict[str, date]:
        """Return which of the papers that arXiv lists a window does not have as they are listed.

        By id, sorted: papers that did not come, that came as they were on an earlier day, or whose
        day could not be read. Those that have vanished are not missing.
        """
        found = self._connection.execute(
            "SELECT listed.key FROM json_each(?) AS listed LEFT JOIN window_papers AS paper"
            " ON paper.window = ? AND paper.arxiv_id = listed.key"
            " WHERE paper.arxiv_id IS NULL OR (paper.how <> ?"
            " AND coalesce(paper.datestamp, '') < listed.value) ORDER BY listed.key",
            (
                json.dumps({arxiv_id: str(day) for arxiv_id, day in listed.items()}),
                progress.id,
                How.VANISHED,
            ),
        )
        return {arxiv_id: listed[arxiv_id] for (arxiv_id,) in found}

    def left(self, progress: Progress, listed: Iterable[str]) -> int:
        """Return how many papers a window has that arXiv does not list in it any more."""
        (count,) = self._connection.execute(
            "SELECT count(*) FROM window_papers WHERE window = ? AND how <> ?"
            " AND arxiv_id NOT IN (SELECT value FROM json_each(?))",
            (progress.id, How.VANISHED, json.dumps(list(listed))),
        ).fetchone()
        return int(count)

    def counts(self, progress: Progress) -> dict[How, int]:
        """Return how many papers a window came by, and how."""
        found = self._connection.execute(
            "SELECT how, count(*) FROM window_papers WHERE window = ? GROUP BY how", (progress.id,)
        )
        counted = {How(how): count for how, count in found}
        return {how: counted.get(how, 0) for how in How}

    def add_done(self, done: DoneWindow, shard: str) -> None:
        """Note that a window is complete; call it within a transaction of the catalog.

        Its list of papers is not needed any more, nor are windows under way whose days are proven
        with it.
        """
        key = _key(done.window)
        self._connection.execute(
            "INSERT INTO done_windows VALUES (?, ?, ?, ?, ?, ?, ?)",
            (*key, done.started_at.isoformat(), done.listed_at.isoformat(), done.listed, shard),
        )
        for progress in self.open_windows():
            if _key(progress.window) == key or self._is_moot(progress):
                self._forget(progress)

    def _is_moot(self, progress: Progress) -> bool:
        """Return whether all days for which a window was begun are proven by others."""
        window = progress.window
        first = window.first or EARLIEST
        last = max(first, window.until or progress.started_at.date() - ONE_DAY)
        proven = self.proven(window.set_spec)
        return any(days.first <= first and last <= days.last for days in proven)

    def _forget(self, progress: Progress) -> None:
        for statement in (
            "DELETE FROM window_papers WHERE window = ?",
            "DELETE FROM windows WHERE id = ?",
        ):
            self._connection.execute(statement, (progress.id,))

    def open_windows(self) -> list[Progress]:
        """Return the windows that were begun and are not complete."""
        found = self._connection.execute(f"{_SELECT_WINDOW} ORDER BY id")
        return [_progress(row) for row in found]

    def proven(self, set_spec: str | None) -> list[Days]:
        """Return the days that are proven complete for a set, in as few ranges as there can be.

        A window of a set that holds it proves them too.
        """
        found = self._connection.execute(
            "SELECT set_spec, first, until, started_at, listed_at, listed FROM done_windows"
        )
        done = (_done(row) for row in found)
        return union(
            one.proven for one in done if one.proven and holds(one.window.set_spec, set_spec)
        )

    def sets(self) -> list[str | None]:
        """Return the sets that were ever harvested, or begun to be; None is all of arXiv."""
        found = self._connection.execute(
            "SELECT set_spec FROM done_windows UNION SELECT set_spec FROM windows ORDER BY 1"
        )
        return [set_spec or None for (set_spec,) in found]


_SELECT_WINDOW = (
    "SELECT id, set_spec, first, until, started_at, token, pages, is_listed FROM windows"
)
_Row = tuple[int, str, str, str, str, str | None, int, int]
_DoneRow = tuple[str, str, str, str, str, int]


def _progress(row: _Row) -> Progress:
    number, set_spec, first, until, started_at, token, pages, is_listed = row
    started = datetime.fromisoformat(started_at)
    return Progress(number, _window(set_spec, first, until), started, token, pages, bool(is_listed))


def _done(row: _DoneRow) -> DoneWindow:
    set_spec, first, until, started_at, listed_at, listed = row
    times = datetime.fromisoformat(started_at), datetime.fromisoformat(listed_at)
    return DoneWindow(_window(set_spec, first, until), *times, listed)


def _window(set_spec: str, first: str, until: str) -> Window:
    return Window(set_spec or None, _day(first), _day(until))


def _key(window: Window) -> tuple[str, str, str]:
    return window.set_spec or "", str(window.first or ""), str(window.until or "")


def _day(text: str) -> date | None:
    return date.fromisoformat(text) if text else None
