"""How many papers a harvest still expects, window by window, without asking arXiv for it.

ArXiv does not say how many papers a list has, but it lists them by day: what share of a window's
days its pages have covered tells about how many are to come, as the dry run reckons too.
"""

from collections.abc import Sequence
from datetime import date

from flows.common.counts import Counts
from flows.ingest.run import Run
from flows.sources.arxiv.sets import title_of
from flows.store.catalog.window import Window
from flows.store.catalog.windows import How, Progress, WindowLog
from transforms.parsing.arxiv_xml import Page


class ExpectedPapers:
    """What the windows of a run hold, as far as their lists have told; the run's progress says it.

    What is not known of a window to come is taken to be as in the one before it, day by day.
    """

    def __init__(self, run: Run, windows: Sequence[Window]) -> None:
        """Count as done what earlier runs brought of these windows."""
        self._run, self._windows = run, windows
        self._today = run.clock().date()
        self._number = self._before = 0
        self._came: dict[Window, int] = {}
        for window in windows:
            self._came[window] = _came_before(run.store.catalog.windows, window)
            run.progress.add_before(Counts(papers=self._came[window]))

    def begin(self, window: Window) -> None:
        """Begin a window, the next one."""
        self._number += 1
        self._before = self._came[window]
        self._run.progress.begin(title_of(window), self._number, len(self._windows))

    def begin_pass(self, came: int) -> None:
        """Begin a list of the window under way, of which so many papers came before."""
        self._before = came

    def take(self, window: Window, page: Page) -> None:
        """Take a page that was committed: how many are still to come, and at what pace."""
        here = len(page.papers) + len(page.rejects)
        self._before += here
        pace = self._run.config.arxiv.pace_seconds
        if page.resumption_token:
            self._run.progress.keep_pace(pace / max(here, 1))
        self.expect(window, self._left(window, page), is_estimate=page.list_size is None)

    def ask_list(self, window: Window) -> None:
        """Tell that all pages came, and what arXiv lists is asked for."""
        part = f"{title_of(window)}: comparing with arXiv's list"
        self._run.progress.begin(part, self._number, len(self._windows))

    def expect(self, window: Window, left: int | None, *, is_estimate: bool = False) -> None:
        """Expect so many papers of the window under way, and what those to come may hold."""
        later = self._later(window, left)
        known = left is not None and later is not None
        total = (left or 0) + (later or 0) if known else None
        self._run.progress.expect(total, is_estimate=is_estimate or bool(later))

    def _left(self, window: Window, page: Page) -> int | None:
        """Return how many papers of a list come after a page; None where nobody can tell."""
        if not page.resumption_token:
            return 0
        if page.list_size is not None:
            return page.list_size - self._before
        days = [paper.datestamp for paper in page.papers if paper.datestamp]
        if window.first is None or not days:
            return None
        covered = max((max(days) - window.first).days + 1, 1)
        return max(round(self._before * _days(window, self._today) / covered) - self._before, 1)

    def _later(self, window: Window, left: int | None) -> int | None:
        """Return about how many papers the windows after this one still bring."""
        later = [w for w in self._windows[self._number :] if not self._is_settled(w)]
        if not later:
            return 0
        days, papers = _days(window, self._today), self._before + (left or 0)
        if left is None or not days or not papers:
            return None
        a_day = papers / days
        return sum(
            max(round(a_day * _days(one, self._today)) - self._came[one], 0) for one in later
        )

    def _is_settled(self, window: Window) -> bool:
        return self._run.store.catalog.windows.is_settled(window)


def _days(window: Window, today: date) -> int:
    """Return how many days a window has until now; 0 where it has no beginning."""
    if window.first is None:
        return 0
    return max((min(window.until or today, today) - window.first).days + 1, 1)


def _came_before(log: WindowLog, window: Window) -> int:
    """Return how many papers of a window earlier runs brought, which do not come again."""
    if log.is_settled(window):
        return log.listed(window)
    progress = log.find(window)
    return came_in_pass(log, progress) if progress else 0


def came_in_pass(log: WindowLog, progress: Progress) -> int:
    """Return how many papers came by the pages of a list, but for the one that is read again."""
    if not progress.pages:
        return 0
    harvested = log.counts(progress)[How.HARVESTED]
    return harvested - harvested // progress.pages if progress.token else harvested
