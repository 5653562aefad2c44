"""Categories of arXiv as a source: harvested by OAI-PMH, a year at a time."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from functools import partial
from typing import ClassVar, Self

from flows.common.config import Config
from flows.common.errors import ConfigError
from flows.common.process.clock import utc_now
from flows.common.process.progress import track
from flows.ingest.run import Run
from flows.ingest.steps import Step
from flows.ingest.worker_context import layout_of
from flows.sources.arxiv.connection import connect, count_requests, seconds_of
from flows.sources.arxiv.harvest.estimate import estimate_window
from flows.sources.arxiv.harvest.windows import find_windows, harvest_windows
from flows.sources.arxiv.sets import ALL_OF_ARXIV, windows_of
from flows.sources.plan import Plan
from flows.sources.source import BackfillOptions
from flows.store.catalog.catalog import Catalog
from flows.store.catalog.connection import is_there
from flows.store.catalog.copies import readable_catalog
from flows.store.catalog.windows import WindowLog


@dataclass(frozen=True, slots=True)
class ArxivCategories:
    """Categories, or `all` of arXiv, changed on the days from `first` to `until`.

    Windows whose days were over when they were completed are not asked for again.
    """

    categories: tuple[str, ...]
    first: date | None = None
    until: date | None = None
    title: ClassVar[str] = "categories"

    @classmethod
    def from_options(cls, options: BackfillOptions) -> Self | None:
        """Return the categories that the options name, if they do."""
        if not options.categories:
            return None
        return cls(tuple(options.categories), options.first, options.until)

    def plan(self, config: Config) -> Plan:
        """Return the windows with their papers; arXiv is asked for each with one request."""
        self.check(config)
        today = utc_now().date()
        with connect(config) as client, _window_log(config) as log:
            windows = find_windows(client, self.categories, self.first, self.until, today)
            found = [
                estimate_window(client, log, window, today)
                for window in track(windows, total=len(windows), what="windows")
            ]
        planned = [each.planned(config.arxiv) for each in found]
        requests = 1 if ALL_OF_ARXIV in self.categories else 2
        requests += sum(each.requests for each in planned)
        known = [each.papers for each in planned if each.papers is not None]
        return Plan(
            [*map(str, found), count_requests(config.arxiv, requests)],
            sum(known), requests, seconds_of(config.arxiv, requests), planned,
        )  # fmt: skip

    def check(self, config: Config) -> None:
        """Raise `ConfigError` for days that end before they begin."""
        if self.first and self.until and self.first > self.until:
            raise ConfigError(f"--from {self.first} is later than --until {self.until}")

    def process(self, run: Run) -> None:
        """Harvest the windows, each until it is proven complete."""
        with connect(run.config) as client:
            today = run.clock().date()
            find = partial(find_windows, client, self.categories, self.first, self.until, today)
            name = windows_of(self.categories)
            windows = run.steps.run(Step.FIND_WINDOWS, name, find)
            harvest_windows(run, client, windows)


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
