"""What a backfill would do and how long it takes at arXiv's pace: `--dry-run`.

Nothing is written in the data folder: no lock, no catalog, no key. What a window holds is asked of
arXiv, with one request for each.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from math import ceil
from pathlib import Path

from flows.common.config import Config
from flows.common.process.clock import utc_now
from flows.common.process.progress import track
from flows.ingest.worker_context import layout_of
from flows.jobs.jobs import (
    answering,
    check_days,
    check_source,
    connect,
    find_windows,
    pace_of,
)
from flows.sources.arxiv.http import RETRY_POLICY, make_user_agent
from flows.sources.arxiv.oai_client import OaiClient
from flows.sources.arxiv.sets import ALL_OF_ARXIV
from flows.sources.kaggle.file import describe_size
from flows.sources.kaggle.json_array import refuse_array
from flows.store.catalog.catalog import Catalog
from flows.store.catalog.connection import is_there
from flows.store.catalog.copies import readable_catalog
from flows.store.catalog.window import Window
from flows.store.catalog.windows import WindowLog
from flows.store.files.raw_replies import find_replies
from transforms.paper.selection import Selection
from transforms.parsing.oai_xml import NoRecordsMatchError

PAGE_RECORDS, PAGE_IDS = 1_300, 20_000
"""What one page of arXiv's lists holds, of records and of ids."""

ROW_BYTES = 1_700
PACKING = 3
"""The snapshot's text is about so many times as large as its packed file."""

_NO_REQUEST = "no request to arXiv"


@dataclass(frozen=True, slots=True)
class _Size:
    """How many papers a window holds; where it is a list of several pages, `listed` is not all."""

    listed: int
    about: int

    def __str__(self) -> str:
        if self.about == self.listed:
            return _number(self.listed, "paper")
        return f"more than {self.listed} papers, about {self.about} if its days are alike"


def plan_backfill(
    config: Config,
    *,
    raw: Sequence[Path] | None,
    categories: Sequence[str] | None,
    snapshot: Path | None,
    search: str | None,
    first: date | None,
    until: date | None,
    limit: int,
) -> list[str]:
    """Return what a backfill with these arguments would do, as lines for a person."""
    check_source(raw, snapshot, search, categories)
    if raw is not None:
        return _plan_raw(raw)
    if snapshot is not None:
        return _plan_snapshot(snapshot, Selection(frozenset(categories or ()), first, until))
    if search is not None:
        return _plan_search(config, search, limit)
    return _plan_categories(config, categories or [], first, until)


def _plan_raw(raw: Sequence[Path]) -> list[str]:
    replies = find_replies(raw)
    size = sum(reply.stat().st_size for reply in replies)
    return [f"{len(replies)} files of saved replies, {size} bytes as they lie", _NO_REQUEST]


def _plan_snapshot(file: Path, selection: Selection) -> list[str]:
    refuse_array(file)
    size, text = describe_size(file)
    rows = (size * PACKING if text is None else text) // ROW_BYTES
    lines = [f"snapshot {file.name}, {size} bytes: about {rows} rows of {ROW_BYTES} bytes each"]
    if selection != Selection():
        categories = " ".join(sorted(selection.categories)) or "any category"
        days = f"{selection.first or 'the beginning'} to {selection.until or 'now'}"
        lines.append(f"of these only the papers of {categories}, changed {days}")
    return [*lines, _NO_REQUEST]


def _plan_search(config: Config, query: str, limit: int) -> list[str]:
    from flows.sources.arxiv.search import PAGE_SIZE, count_found

    found = count_found(
        query,
        atom_url=config.arxiv.atom_url,
        user_agent=make_user_agent(config.arxiv.contact),
        pace=pace_of(config.arxiv),
        policy=RETRY_POLICY,
    )
    taken = min(found, limit)
    requests = max(ceil(taken / PAGE_SIZE), 1) + taken
    return [
        f"the search finds {_number(found, 'paper')}, of which {taken} would be taken",
        _duration(config, requests),
    ]


def _plan_categories(
    config: Config, categories: Sequence[str], first: date | None, until: date | None
) -> list[str]:
    check_days(first, until)
    today = utc_now().date()
    with connect(config.arxiv) as client, _window_log(config) as log:
        windows = find_windows(client, categories, first, until, today)
        lines, requests = [], 1 if ALL_OF_ARXIV in categories else 2
        for window in track(windows, total=len(windows), what="windows"):
            line, number = _plan_window(client, log, window, today)
            lines.append(line)
            requests += number
    return [*lines, _duration(config, requests)]


def _plan_window(
    client: OaiClient, log: WindowLog | None, window: Window, today: date
) -> tuple[str, int]:
    """Return a line on a window, and about how many requests it takes."""
    if log and log.is_settled(window):
        return f"done before: {window}", 0
    size = _ask_size(client, window, today)
    pages, lists = max(ceil(size.about / PAGE_RECORDS), 1), max(ceil(size.about / PAGE_IDS), 1)
    if lists > 1:
        lists *= 2  # a list of several pages is asked for until it stays the same
    progress = log.find(window) if log else None
    where = _number(pages, "page")
    if progress and progress.token == "":
        where, pages = "all its pages came before", 0
    elif progress and progress.token:
        # The page where it stopped is read again.
        where += f", going on after page {progress.pages}"
        pages = max(pages - progress.pages, 0) + 1
    return f"{window}: {size}; {where}", pages + lists


def _ask_size(client: OaiClient, window: Window, today: date) -> _Size:
    """Ask for the first page of a window's list, which arXiv orders by day."""
    with answering():
        try:
            page = client.identifiers_page(window).value
        except NoRecordsMatchError:
            return _Size(0, 0)
    listed = len(page.headers) + len(page.rejects)
    if not page.resumption_token or not page.headers or window.first is None:
        return _Size(listed, listed)
    covered = (page.headers[-1].datestamp - window.first).days + 1
    days = ((window.until or today) - window.first).days + 1
    return _Size(listed, max(listed + 1, round(listed * days / max(covered, 1))))


@contextmanager
def _window_log(config: Config) -> Iterator[WindowLog | None]:
    """Open the memory of harvests to read in it, if there is one."""
    file = readable_catalog(layout_of(config))
    if not is_there(file):
        yield None
        return
    catalog = Catalog.open(file, read_only=True)
    try:
        yield catalog.windows
    finally:
        catalog.close()


def _duration(config: Config, requests: int) -> str:
    pace = config.arxiv.pace_seconds
    minutes = requests * pace / 60
    least = f"{minutes / 60:.1f} hours" if minutes >= 120 else f"{minutes:.1f} minutes"  # noqa: PLR2004
    return (
        f"about {_number(requests, 'request')} to arXiv, one in {pace:g} s: at least {least}, "
        "and the time that arXiv takes to answer"
    )


def _number(number: int, what: str) -> str:
    return f"{number} {what}{'' if number == 1 else 's'}"
