"""A harvest that proves that it is complete: pages, then the list, then what is missing.

Offset paging loses a paper for every one that changes between two pages, and says nothing
(arXiv's own server does). So a window counts only when `ListIdentifiers` names no paper that it
does not have, and none as changed on a later day than the form of it that came; what is missing is
asked for again, by another pass or one by one.

The next pages are fetched while a page is processed, however long that takes, and where they come
faster than this process takes them, several are prepared at once (`pages.py`). Lists and single
papers are not fetched ahead: what is done with them fits into the pace's wait.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from functools import partial
from itertools import islice
from typing import TYPE_CHECKING

from flows.common.counts import counted
from flows.common.process.progress import LOGGER
from flows.ingest.commit import keep_rows, mark_deleted, process_reply
from flows.ingest.run import Run, WindowOutcome
from flows.ingest.steps import Step, fetching, numbered
from flows.sources.arxiv.harvest.expected import ExpectedPapers, came_in_pass
from flows.sources.arxiv.harvest.listing import (
    END,
    IncompleteError,
    Listing,
    came_with,
    fetch_listing,
)
from flows.sources.arxiv.harvest.pages import PageSeries
from flows.sources.arxiv.sets import title_of
from flows.store.catalog.window import Window
from flows.store.catalog.windows import DoneWindow, How, Progress, WindowLog
from transforms.encoding.digest import sha256, to_hex
from transforms.parsing.oai_xml import (
    BadResumptionTokenError,
    IdDoesNotExistError,
    NoRecordsMatchError,
    rewind,
)
from transforms.tables.schema import WindowRow

if TYPE_CHECKING:
    from flows.sources.arxiv.oai_client import OaiClient

MAX_PASSES = 3

NO_PAPERS = "no papers at all, so not counted as done"
EMPTY_LIST = "arXiv lists no paper in it, and yet gives some; ask again after midnight UTC"


@dataclass(frozen=True, slots=True)
class Harvester:
    """All that the windows of one run share; the run's results grow with every reply.

    `expected` tells the run's progress what is still to come. `refused` are tokens with which a
    list could not be continued.
    """

    run: Run
    client: "OaiClient"
    expected: ExpectedPapers
    refused: set[str] = field(default_factory=set)

    @property
    def log(self) -> WindowLog:
        """Where the progress of windows is kept."""
        return self.run.store.catalog.windows

    def harvest(self, window: Window) -> WindowOutcome:
        """Harvest a window until it is proven complete, from where an earlier run stopped.

        Raises `IncompleteError`, or the client's errors; what came until then is kept, and the
        next call goes on from there.
        """
        self.expected.begin(window)
        if self.log.is_settled(window):
            self.expected.expect(window, 0)
            return WindowOutcome(title_of(window), was_done=True)
        progress = self.log.resume(window, self.run.clock())
        self.expected.begin_pass(came_in_pass(self.log, progress))
        self._step_back(progress)
        for passes in range(1, MAX_PASSES + 1):
            self._take_all_pages(progress)
            reconcile = partial(self._reconcile, progress)
            name = f"reconcile {title_of(window)}: {counted(self._came(progress), 'papers')} came"
            listing, missing = self.run.steps.run(Step.RECONCILE_WINDOW, name, reconcile)
            # Whichever takes fewer requests: another pass, or one for each paper.
            goes_on = len(missing) > progress.pages or _is_odd(progress, listing)
            if not goes_on or passes == MAX_PASSES:
                break
            LOGGER.info("%s: %d papers are missing; once more from the start", window, len(missing))
            progress.token, progress.pages, progress.is_listed = None, 0, True
            self.log.advance(progress)
            self.expected.begin_pass(0)
        self.run.results.extend(listing.refused)
        self._recover_all(progress, missing)
        self._check(progress, listing)
        return self._finish(progress, listing)

    def _step_back(self, progress: Progress) -> None:
        """Read a page again where an interrupted harvest goes on.

        The papers that moved out of the list meanwhile have let others move up past its place.
        """
        if progress.token:
            a_page = self.log.counts(progress)[How.HARVESTED] // max(progress.pages, 1)
            progress.token = rewind(progress.token, a_page) or progress.token
            LOGGER.info("%s: going on after page %d", progress.window, progress.pages)

    def _take_all_pages(self, progress: Progress) -> None:
        # Over all steps, for the last page of one already begins the first of the next.
        fetch = partial(self.client.records_page, progress.window)
        with PageSeries(self.run, str(progress.window), fetch) as pages:
            while progress.token != END:
                name = partial(self._name, progress, progress.pages, self._came(progress))
                take = partial(self._take_pages, progress, pages)
                self.run.steps.run(Step.HARVEST_PAGES, name, take)

    def _name(self, progress: Progress, pages: int, papers: int) -> str:
        """Return the name of a step that began after so many pages and papers of its window."""
        window, came = title_of(progress.window), self._came(progress)
        if progress.pages <= pages:
            is_over = progress.token == END
            return f"harvest {window}: {'no page' if is_over else f'from page {pages + 1:,}'}"
        which = numbered("page", pages + 1, progress.pages)
        if came > papers:
            which += f", {numbered('paper', papers + 1, came)}"
        return f"harvest {window}: {which}"

    def _came(self, progress: Progress) -> int:
        """Return how many papers of a window came until now."""
        counts = self.log.counts(progress)
        return counts[How.HARVESTED] + counts[How.RECOVERED]

    def _take_pages(self, progress: Progress, pages: PageSeries) -> None:
        for _ in range(self.run.config.limits.pages_a_step):
            self._take_page(progress, pages)
            if progress.token == END:
                return

    def _take_page(self, progress: Progress, pages: PageSeries) -> None:
        """Await and commit one page; only then is it noted as taken.

        What goes wrong with a page after it, fetched meanwhile, is raised when that is awaited.
        """
        try:
            page, result = pages.take(progress.token)
        except NoRecordsMatchError:
            progress.token = END
            self.log.advance(progress)
            return
        except BadResumptionTokenError:
            # Twice the same one: from a cache, and so until midnight UTC.
            if progress.token is None or progress.token in self.refused:
                raise
            self.refused.add(progress.token)
            LOGGER.info("%s: the list cannot be continued; from the start", progress.window)
            progress.token, progress.pages = None, 0
            self.expected.begin_pass(0)
            return
        self.run.results.append(result)
        progress.token = page.resumption_token or END
        progress.pages += 1
        how = How.RECOVERED if progress.is_listed else How.HARVESTED
        self.log.advance(progress, came_with(page), how)
        self.expected.take(progress.window, page)
        LOGGER.debug("%s: page %d, %d papers", progress.window, progress.pages, len(page.papers))

    def _reconcile(self, progress: Progress) -> tuple[Listing, dict[str, date]]:
        """Return what arXiv lists, and what of it is missing: the days of papers by id."""
        self.expected.ask_list(progress.window)
        listing = fetch_listing(self.run, self.client, progress.window)
        missing = self.log.missing(progress, listing.days)
        self.expected.expect(progress.window, len(missing))
        return listing, missing

    def _recover_all(self, progress: Progress, missing: Mapping[str, date]) -> None:
        progress.is_listed = True
        papers, size, before = iter(missing.items()), self.run.config.limits.papers_a_step, 0
        while some := dict(islice(papers, size)):
            name = (
                f"{fetching([*some], before, len(missing))}, missing in {title_of(progress.window)}"
            )
            before += len(some)
            self.run.steps.run(Step.FETCH_PAPERS, name, partial(self._recover, progress, some))

    def _recover(self, progress: Progress, missing: Mapping[str, date]) -> None:
        """Ask for papers one by one; `missing` are their days as listed."""
        deleted = []
        for arxiv_id, day in missing.items():
            try:
                with self.run.store.watch.stage("fetch papers"):
                    reply = self.client.get_record(arxiv_id)
            except IdDoesNotExistError:
                deleted.append(arxiv_id)
                self.run.progress.expect_no_more(1)
                continue
            self.run.results.append(process_reply(self.run, reply.raw, reply.value, name=arxiv_id))
            came = came_with(reply.value)
            if reply.value.rejects and came.get(arxiv_id) is None:
                # So broken that its own day cannot be read: asked for again it is the same.
                came[arxiv_id] = day
            self.log.advance(progress, came, How.RECOVERED)
        mark_deleted(self.run, deleted, source=str(progress.window))
        self.log.advance(progress, dict.fromkeys(deleted), How.VANISHED)

    def _check(self, progress: Progress, listing: Listing) -> None:
        """Raise `IncompleteError` where what came is not what arXiv lists."""
        behind = self.log.missing(progress, listing.days)
        if behind:
            arxiv_id, day = next(iter(behind.items()))
            raise IncompleteError(
                f"{counted(len(behind), 'papers')} did not come as new as arXiv lists them, "
                f"such as {arxiv_id}, changed on {day}; ask again after midnight UTC"
            )
        if _is_odd(progress, listing):
            raise IncompleteError(EMPTY_LIST)
        if progress.window.until is None and not listing.days:
            # It may be an answer from a cache, given before any paper came.
            raise IncompleteError(NO_PAPERS)

    def _finish(self, progress: Progress, listing: Listing) -> WindowOutcome:
        """Keep the outcome in the tables and note in the catalog that the window is complete."""
        counts = self.log.counts(progress)
        window = progress.window
        outcome = WindowOutcome(
            title_of(window),
            listed=len(listing.days),
            harvested=counts[How.HARVESTED],
            recovered=counts[How.RECOVERED],
            deleted=counts[How.VANISHED],
            moved=self.log.left(progress, listing.days),
        )
        row = WindowRow(
            window.set_spec or "",
            window.first,
            window.until,
            progress.started_at,
            listing.at,
            outcome.listed,
            outcome.harvested,
            outcome.recovered,
            outcome.deleted,
            outcome.moved,
        )
        done = DoneWindow(window, progress.started_at, listing.at, outcome.listed)
        unit = f"window-{to_hex(sha256(str(window).encode()))[:32]}"
        keep_rows(self.run, unit, "windows", [row], windows=(done,))
        return outcome


def _is_odd(progress: Progress, listing: Listing) -> bool:
    """Return whether the list is empty although pages came: one of them is from a cache."""
    return progress.pages > 0 and not listing.days
