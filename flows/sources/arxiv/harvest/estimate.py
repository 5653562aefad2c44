"""How many papers a window holds and how many requests it takes, with one request to arXiv."""

from dataclasses import dataclass
from datetime import date
from math import ceil
from typing import TYPE_CHECKING

from flows.common.config import ArxivConfig
from flows.common.counts import counted
from flows.sources.arxiv.connection import explaining_errors, seconds_of
from flows.sources.arxiv.harvest.listing import END
from flows.sources.arxiv.sets import category_of
from flows.sources.plan import PlannedWindow
from flows.store.catalog.window import Window
from flows.store.catalog.windows import WindowLog
from transforms.parsing.oai_xml import NoRecordsMatchError

if TYPE_CHECKING:
    from flows.sources.arxiv.oai_client import OaiClient

PAGE_RECORDS, PAGE_IDS = 1_300, 20_000
"""Records and ids on one page of arXiv's lists."""


@dataclass(frozen=True, slots=True)
class _Size:
    """How many papers a window holds; where it is a list of several pages, `listed` is not all."""

    listed: int
    about: int

    def __str__(self) -> str:
        if self.about == self.listed:
            return counted(self.listed, "papers")
        return f"more than {self.listed:,} papers, about {self.about:,} if its days are alike"


@dataclass(frozen=True, slots=True)
class WindowEstimate:
    """What harvesting a window takes; `size` is None where it is done, and `where` is its pages."""

    window: Window
    size: _Size | None = None
    where: str = ""
    requests: int = 0
    is_begun: bool = False

    def __str__(self) -> str:
        """Say it to a person, on one line."""
        if self.size is None:
            return f"done before: {self.window}"
        return f"{self.window}: {self.size}; {self.where}"

    def planned(self, config: ArxivConfig) -> PlannedWindow:
        """Return the same for a program."""
        window, size, requests = self.window, self.size, self.requests
        return PlannedWindow(
            category=category_of(window.set_spec),
            first=window.first,
            until=window.until,
            state="done" if size is None else "begun" if self.is_begun else "new",
            papers=size.about if size else None,
            is_estimate=bool(size and size.about != size.listed),
            requests=requests,
            seconds=seconds_of(config, requests),
        )


def estimate_window(
    client: "OaiClient", log: WindowLog | None, window: Window, today: date
) -> WindowEstimate:
    """Return about how many papers a window holds, and how many requests it takes."""
    if log and log.is_settled(window):
        return WindowEstimate(window)
    size = _ask_size(client, window, today)
    pages, lists = max(ceil(size.about / PAGE_RECORDS), 1), max(ceil(size.about / PAGE_IDS), 1)
    if lists > 1:
        lists *= 2  # a list of several pages is asked for until it stays the same
    progress = log.find(window) if log else None
    where = counted(pages, "pages")
    if progress and progress.token == END:
        where, pages = "all its pages came before", 0
    elif progress and progress.token:
        # The page where it stopped is read again.
        where += f", going on after page {progress.pages}"
        pages = max(pages - progress.pages, 0) + 1
    return WindowEstimate(window, size, where, pages + lists, is_begun=progress is not None)


def _ask_size(client: "OaiClient", window: Window, today: date) -> _Size:
    """Ask for the first page of a window's list, which arXiv orders by day."""
    with explaining_errors():
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
