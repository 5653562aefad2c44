"""The memory of harvests: windows, how far each has come, and which papers it has.

It lies in the catalog, so that a window that was interrupted goes on days later in another process.
"""

import json
import sqlite3
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum

from flows.store.transaction import transaction
from flows.window import Window

WINDOW_TABLES = """
CREATE TABLE windows (
    id INTEGER PRIMARY KEY,
    set_spec TEXT NOT NULL,
    first TEXT NOT NULL,
    until TEXT NOT NULL,
    started_at TEXT NOT NULL,
    token TEXT,
    pages INTEGER NOT NULL DEFAULT 0,
    passes INTEGER NOT NULL DEFAULT 1,
    is_listed INTEGER NOT NULL DEFAULT 0
);
CREATE UNIQUE INDEX windows_by_key ON windows (set_spec, first, until);
CREATE TABLE done_windows (
    set_spec TEXT NOT NULL,
    first TEXT NOT NULL,
    until TEXT NOT NULL,
    started_at TEXT NOT NULL,
    shard TEXT NOT NULL
);
CREATE INDEX done_windows_by_key ON done_windows (set_spec, first, until);
CREATE TABLE window_papers (
    window INTEGER NOT NULL REFERENCES windows (id),
    arxiv_id TEXT NOT NULL,
    how TEXT NOT NULL,
    PRIMARY KEY (window, arxiv_id)
) WITHOUT ROWID;
CREATE TABLE watermarks (
    set_spec TEXT PRIMARY KEY,
    day TEXT NOT NULL
) WITHOUT ROWID;
"""


class How(StrEnum):
    """How a window came by a paper."""

    HARVESTED = "harvested"
    RECOVERED = "recovered"
    VANISHED = "vanished"


@dataclass(slots=True)
class Progress:
    """How far a window has come.

    `token` fetches the next page; None is the first one, and `""` says that all pages came.
    `pages` came in the current pass. `is_listed` tells that it was reconciled before, so that what
    comes now is recovered.
    """

    id: int
    window: Window
    started_at: datetime
    token: str | None = None
    pages: int = 0
    passes: int = 1
    is_listed: bool = False


@dataclass(frozen=True, slots=True)
class DoneWindow:
    """A window that is proven complete; `watermark` is set by a nightly harvest."""

    window: Window
    started_at: datetime
    watermark: date | None = None


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
        """Tell whether `window` was completed after its last day was over, and so stays done."""
        found = self._connection.execute(
            "SELECT max(started_at) FROM done_windows WHERE (set_spec, first, until) = (?, ?, ?)",
            _key(window),
        ).fetchone()[0]
        if found is None or window.until is None:
            return False
        return datetime.fromisoformat(found).date() > window.until

    def advance(
        self, progress: Progress, arxiv_ids: Iterable[str] = (), how: How = How.HARVESTED
    ) -> None:
        """Note, in one transaction, how far a window has come and which papers it got."""
        with transaction(self._connection) as connection:
            connection.execute(
                "UPDATE windows SET token = ?, pages = ?, passes = ?, is_listed = ? WHERE id = ?",
                (progress.token, progress.pages, progress.passes, progress.is_listed, progress.id),
            )
            connection.executemany(
                "INSERT OR IGNORE INTO window_papers VALUES (?, ?, ?)",
                ((progress.id, arxiv_id, how) for arxiv_id in arxiv_ids),
            )

    def missing(self, progress: Progress, listed: Iterable[str]) -> list[str]:
        """Return which of the ids that arXiv lists a window does not have, sorted."""
        found = self._connection.execute(
            "SELECT value FROM json_each(?) WHERE value NOT IN"
            " (SELECT arxiv_id FROM window_papers WHERE window = ?) ORDER BY value",
            (json.dumps(list(listed)), progress.id),
        )
        return [arxiv_id for (arxiv_id,) in found]

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

        Its list of papers is not needed any more. The watermark moves with it, never back.
        """
        key = _key(done.window)
        self._connection.execute(
            "INSERT INTO done_windows VALUES (?, ?, ?, ?, ?)",
            (*key, done.started_at.isoformat(), shard),
        )
        self._connection.execute(
            "DELETE FROM window_papers WHERE window IN"
            " (SELECT id FROM windows WHERE (set_spec, first, until) = (?, ?, ?))",
            key,
        )
        self._connection.execute(
            "DELETE FROM windows WHERE (set_spec, first, until) = (?, ?, ?)", key
        )
        if done.watermark:
            self._connection.execute(
                "INSERT INTO watermarks VALUES (?, ?) ON CONFLICT (set_spec)"
                " DO UPDATE SET day = max(day, excluded.day)",
                (key[0], str(done.watermark)),
            )

    def open_windows(self) -> list[Progress]:
        """Return the windows that were begun and are not complete."""
        found = self._connection.execute(f"{_SELECT_WINDOW} ORDER BY id")
        return [_progress(row) for row in found]

    def watermarks(self) -> dict[str | None, date]:
        """Return the watermark of each set that a nightly harvest takes; None is all of arXiv."""
        found = self._connection.execute("SELECT set_spec, day FROM watermarks ORDER BY set_spec")
        return {set_spec or None: date.fromisoformat(day) for set_spec, day in found}

    def begin_watermark(self, set_spec: str | None, day: date) -> None:
        """Note the day on which the nightly harvest of a set began to be."""
        with transaction(self._connection) as connection:
            connection.execute(
                "INSERT OR IGNORE INTO watermarks VALUES (?, ?)", (set_spec or "", str(day))
            )


_SELECT_WINDOW = (
    "SELECT id, set_spec, first, until, started_at, token, pages, passes, is_listed FROM windows"
)
_Row = tuple[int, str, str, str, str, str | None, int, int, int]


def _progress(row: _Row) -> Progress:
    number, set_spec, first, until, started_at, token, pages, passes, is_listed = row
    window = Window(set_spec or None, _day(first), _day(until))
    started = datetime.fromisoformat(started_at)
    return Progress(number, window, started, token, pages, passes, bool(is_listed))


def _key(window: Window) -> tuple[str, str, str]:
    return window.set_spec or "", str(window.first or ""), str(window.until or "")


def _day(text: str) -> date | None:
    return date.fromisoformat(text) if text else None
