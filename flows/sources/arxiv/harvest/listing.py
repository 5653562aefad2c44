"""The papers that arXiv lists in a window, to compare a harvest with; and those of a page."""

from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import TYPE_CHECKING

from flows.ingest.commit import process_reply
from flows.ingest.run import Run, UnitResult
from flows.store.catalog.window import Window
from transforms.paper.paper import BadPaperError, Reject, check_id
from transforms.parsing.arxiv_xml import Page
from transforms.parsing.oai_xml import NoRecordsMatchError

if TYPE_CHECKING:
    from flows.sources.arxiv.oai_client import OaiClient

END = ""
"""The token of a list that has come to its end."""

MAX_LISTINGS = 5


class IncompleteError(Exception):
    """A window could not be proven complete; the message says why."""


@dataclass(slots=True)
class Listing:
    """The papers that arXiv lists in a window: their days by id, in `pages` replies, as of `at`.

    Of a header whose day cannot be read the day is `date.min`: no record is older than that. It is
    a reject too; `refused` are the replies with such.
    """

    at: datetime
    days: dict[str, date] = field(default_factory=dict)
    pages: int = 0
    refused: list[UnitResult] = field(default_factory=list)

    def add(self, days: Mapping[str, date]) -> bool:
        """Add papers, and return whether any of them is new, or newer than it was listed before."""
        news = {
            arxiv_id: day
            for arxiv_id, day in days.items()
            if arxiv_id not in self.days or self.days[arxiv_id] < day
        }
        self.days |= news
        return bool(news)


def fetch_listing(run: Run, client: "OaiClient", window: Window) -> Listing:
    """Return what arXiv lists in a window.

    One page is one moment. Several pages lose papers as those of records do, so they are asked for
    until a round names none that the rounds before did not, nor any as newer. Raises
    `IncompleteError` where they do so again and again.
    """
    listing = _fetch_once(run, client, window)
    if listing.pages <= 1:
        return listing
    for _ in range(1, MAX_LISTINGS):
        again = _fetch_once(run, client, window)
        listing.at, listing.refused = min(listing.at, again.at), again.refused
        if not listing.add(again.days):
            return listing
    raise IncompleteError(f"its list of papers was another one {MAX_LISTINGS} times")


def _fetch_once(run: Run, client: "OaiClient", window: Window) -> Listing:
    listing = Listing(run.clock())
    token = None
    while token != END:
        try:
            with run.store.watch.stage("fetch lists"):
                reply = client.identifiers_page(window, token)
        except NoRecordsMatchError as error:
            listing.at = min(listing.at, error.answered_at or listing.at)
            break
        page = reply.value
        # Kept as evidence, and its rejects like those of any reply.
        kept = process_reply(run, reply.raw, Page([], page.rejects, None), name=f"{window}: list")
        listing.refused += [kept] if page.rejects else []
        listing.add(dict.fromkeys(claimed(page.rejects), date.min))
        listing.add({header.arxiv_id: header.datestamp for header in page.headers})
        # The earlier of both clocks: neither one that is fast nor a reply from a cache may make a
        # day count that was not over.
        listing.at = min(listing.at, page.answered_at or listing.at)
        token, listing.pages = page.resumption_token or END, listing.pages + 1
    return listing


def came_with(page: Page) -> dict[str, date | None]:
    """Return the days of a page's papers by id, and of those that its rejects claim to be."""
    came = claimed(page.rejects)
    came.update((paper.id, paper.datestamp) for paper in page.papers)
    return came


def claimed(rejects: Iterable[Reject]) -> dict[str, date | None]:
    """Return the days of the papers that rejects claim to be, by id, where that is one."""
    found = {}
    for reject in rejects:
        with suppress(BadPaperError):
            found[check_id(reject.arxiv_id or "")] = reject.datestamp
    return found
