"""A harvest that proves that it is complete: pages, then the list, then what is missing.

Offset paging loses a paper for every one that changes between two pages, and says nothing
(arXiv's own server does). So a window counts only when `ListIdentifiers` names no paper that it
does not have; what is missing is asked for again, by another pass or one by one.

The next page is fetched while a page is processed, so that one hides behind the other. Lists and
single papers are not: what is done with them fits into the pace's wait.
"""

from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import date
from functools import partial
from typing import TYPE_CHECKING

from flows.ahead import Ahead
from flows.progress import LOGGER, Meter
from flows.steps import Run, StepRunner, UnitResult, keep_rows, mark_vanished, process_reply
from flows.store.schemas import WindowRow
from flows.store.windows import DoneWindow, How, Progress, WindowLog
from flows.window import Window
from transforms.arxiv_xml import Page
from transforms.canon import sha256
from transforms.oai_xml import (
    BadResumptionTokenError,
    IdDoesNotExistError,
    NoRecordsMatchError,
    rewind,
)
from transforms.paper import BadPaperError, check_id

if TYPE_CHECKING:
    from flows.arxiv.client import OaiClient
    from flows.arxiv.fetch import Reply

    _Pages = Ahead[str | None, Reply[Page]]
    """The pages of one window, each by the token that fetches it."""

PAGES_A_STEP = 20
"""A minute's work at arXiv's pace; the whole of arXiv takes about 120 steps."""

RECORDS_A_STEP = 20
END = ""
"""The token of a list that has come to its end."""

MAX_PASSES = 3
MAX_LISTINGS = 5


class IncompleteError(Exception):
    """A window could not be proven complete; the message says why."""


@dataclass(frozen=True, slots=True)
class WindowOutcome:
    """What became of a window: how many papers arXiv lists in it, and how they came.

    `vanished` were listed and do not exist any more; `left` came and are not listed any more, for
    they have changed since and so belong to a later day. `problem` is None when it is complete.
    """

    window: str
    listed: int = 0
    harvested: int = 0
    recovered: int = 0
    vanished: int = 0
    left: int = 0
    was_done: bool = False
    problem: str | None = None


@dataclass(frozen=True, slots=True)
class Harvester:
    """What all windows of one run share; `results` grows with every reply that was processed.

    `papers` counts those of all pages. How many there will be, no one knows before they are listed.
    """

    run: Run
    client: "OaiClient"
    in_step: StepRunner
    results: list[UnitResult]
    papers: Meter = field(default_factory=Meter)

    @property
    def log(self) -> WindowLog:
        """Where the progress of windows is kept."""
        return self.run.store.catalog.windows

    def harvest(self, window: Window, *, watermark: date | None = None) -> WindowOutcome:
        """Harvest a window until it is proven complete, from where an earlier run stopped.

        `watermark` is the day up to which a nightly harvest is complete with this window; it
        does not move for a window without any paper, since an empty list may be an answer from a
        cache, given too early. Raises `IncompleteError`, or the client's errors; what came until
        then is kept, and the next call goes on from there.
        """
        if self.log.is_settled(window):
            return WindowOutcome(str(window), was_done=True)
        progress = self.log.resume(window, self.run.clock())
        self._step_back(progress)
        while True:
            self._take_all_pages(progress)
            listed = self._listed(window)
            missing = self.log.missing(progress, listed)
            # Whichever takes fewer requests: another pass, or one for each paper.
            if len(missing) <= progress.pages or progress.passes == MAX_PASSES:
                break
            LOGGER.info("%s: %d papers are missing; once more from the start", window, len(missing))
            progress.token, progress.pages, progress.is_listed = None, 0, True
            progress.passes += 1
            self.log.advance(progress)
        progress.is_listed = True
        for start in range(0, len(missing), RECORDS_A_STEP):
            some = missing[start : start + RECORDS_A_STEP]
            self.in_step(f"{window}: missing papers", partial(self._recover, progress, some))
        return self._finish(progress, listed, watermark)

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
        pages: _Pages = Ahead(partial(self.client.records_page, progress.window))
        while progress.token != END:
            name = f"{progress.window}: pages from {progress.pages + 1}"
            self.in_step(name, partial(self._take_pages, progress, pages))

    def _take_pages(self, progress: Progress, pages: "_Pages") -> None:
        for _ in range(PAGES_A_STEP):
            self._take_page(progress, pages)
            if progress.token == END:
                return

    def _take_page(self, progress: Progress, pages: "_Pages") -> None:
        """Await, keep and process one page; only then is it noted as taken.

        What goes wrong with the next page, which is begun meanwhile, is raised when it is awaited.
        """
        try:
            with self.run.store.watch.stage("wait for pages"):
                reply = pages.take(progress.token)
        except NoRecordsMatchError:
            progress.token = END
            self.log.advance(progress)
            return
        except BadResumptionTokenError:
            if progress.token is None:
                raise
            LOGGER.info("%s: the list cannot be continued; from the start", progress.window)
            progress.token, progress.pages = None, 0
            return
        page = reply.value
        following = page.resumption_token or END
        if following != END:
            pages.begin(following)
        self.results.append(process_reply(self.run, reply.raw, page, name=str(progress.window)))
        progress.token = following
        progress.pages += 1
        how = How.RECOVERED if progress.is_listed else How.HARVESTED
        self.log.advance(progress, _ids(page), how)
        self.papers.add(len(page.papers))
        LOGGER.info(
            "%s: page %d, %d papers; %d so far, %s",
            progress.window, progress.pages, len(page.papers), self.papers.done, self.papers.rate(),
        )  # fmt: skip

    def _listed(self, window: Window) -> set[str]:
        """Return the ids that arXiv lists in a window.

        One page is one moment. Several pages lose papers as those of records do, so they are asked
        for until a round names none that the rounds before did not.
        """
        listed: set[str] = set()
        for turn in range(MAX_LISTINGS):
            found, pages = self._list_once(window)
            if pages <= 1 or (turn > 0 and found <= listed):
                return listed | found
            listed |= found
        raise IncompleteError(f"its list of papers was another one {MAX_LISTINGS} times")

    def _list_once(self, window: Window) -> tuple[set[str], int]:
        found: set[str] = set()
        token, pages = None, 0
        while token != END:
            try:
                with self.run.store.watch.stage("fetch lists"):
                    reply = self.client.identifiers_page(window, token)
            except NoRecordsMatchError:
                return found, 1
            # Kept as evidence, and its rejects like those of any reply.
            process_reply(self.run, reply.raw, Page([], reply.value.rejects, None), name="list")
            found.update(header.arxiv_id for header in reply.value.headers)
            token, pages = reply.value.resumption_token or END, pages + 1
        return found, pages

    def _recover(self, progress: Progress, missing: Iterable[str]) -> None:
        vanished = []
        for arxiv_id in missing:
            try:
                with self.run.store.watch.stage("fetch papers"):
                    reply = self.client.get_record(arxiv_id)
            except IdDoesNotExistError:
                vanished.append(arxiv_id)
                continue
            self.results.append(process_reply(self.run, reply.raw, reply.value, name=arxiv_id))
            self.log.advance(progress, [arxiv_id], How.RECOVERED)
        mark_vanished(self.run, vanished, source=str(progress.window))
        self.log.advance(progress, vanished, How.VANISHED)

    def _finish(
        self, progress: Progress, listed: set[str], watermark: date | None
    ) -> WindowOutcome:
        """Keep the outcome in the tables and note in the catalog that the window is complete."""
        counts = self.log.counts(progress)
        window = progress.window
        outcome = WindowOutcome(
            str(window),
            listed=len(listed),
            harvested=counts[How.HARVESTED],
            recovered=counts[How.RECOVERED],
            vanished=counts[How.VANISHED],
            left=self.log.left(progress, listed),
        )
        done = DoneWindow(window, progress.started_at, watermark if listed else None)
        row = WindowRow(
            window.set_spec or "",
            window.first,
            window.until,
            done.started_at,
            outcome.listed,
            outcome.harvested,
            outcome.recovered,
            outcome.vanished,
            outcome.left,
            done.watermark,
        )
        unit = f"window-{sha256(str(window).encode()).hex()[:32]}"
        keep_rows(self.run, unit, "windows", [row], windows=(done,))
        return outcome


def _ids(page: Page) -> list[str]:
    """Return the ids of a page's papers, and those that its rejects claim, if they are any."""
    ids = [paper.id for paper in page.papers]
    for reject in page.rejects:
        with suppress(BadPaperError):
            ids.append(check_id(reject.arxiv_id or ""))
    return ids
