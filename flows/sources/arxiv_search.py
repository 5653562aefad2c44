"""A search of arXiv as a source: it gives ids, and OAI-PMH their metadata."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from math import ceil
from typing import TYPE_CHECKING, ClassVar, Self

from flows.common.batches import batches
from flows.common.config import Config
from flows.common.counts import counted
from flows.ingest.run import Run
from flows.ingest.steps import Step, fetching, step_size
from flows.sources.arxiv.connection import (
    connect,
    count_requests,
    noting_unreachable,
    pace_of,
    seconds_of,
)
from flows.sources.arxiv.harvest.papers import expect_single, fetch_paper
from flows.sources.plan import Plan
from flows.sources.source import BackfillOptions

if TYPE_CHECKING:
    from flows.sources.arxiv.oai_client import OaiClient


@dataclass(frozen=True, slots=True)
class ArxivSearch:
    """The papers that a search of arXiv finds, at most `limit`."""

    query: str
    limit: int
    title: ClassVar[str] = "a search"

    @classmethod
    def from_options(cls, options: BackfillOptions) -> Self | None:
        """Return the search that the options name, if they do."""
        return cls(options.search, options.limit) if options.search else None

    def plan(self, config: Config) -> Plan:
        """Return how many papers the search finds; arXiv is asked with one request."""
        from flows.sources.arxiv.http import make_user_agent
        from flows.sources.arxiv.search import count_found

        found = count_found(
            self.query,
            atom_url=config.arxiv.atom_url,
            user_agent=make_user_agent(config.arxiv.contact),
            pace=pace_of(config.arxiv),
            policy=config.limits.retry,
        )
        taken = min(found, self.limit)
        requests = max(ceil(taken / config.limits.search_page_size), 1) + taken
        line = f"the search finds {counted(found, 'papers')}, of which {taken:,} would be taken"
        lines = [line, count_requests(config.arxiv, requests)]
        return Plan(lines, taken, requests, seconds_of(config.arxiv, requests))

    def check(self, config: Config) -> None:
        """Do nothing: arXiv says what is wrong with a query."""

    def process(self, run: Run) -> None:
        """Search, then ask for each paper; where arXiv is not reached any more, so it is noted."""
        limits = run.config.limits
        with noting_unreachable(run), connect(run.config) as client:
            name = f"search arXiv: {self.query}"
            ids = run.steps.run(Step.SEARCH, name, partial(self._find_ids, run.config))
            size = step_size(len(ids), limits.steps, limits.papers_a_step)
            run.progress.begin(self.query, 1, 1)
            expect_single(run, len(ids))
            for number, some in enumerate(batches(ids, size), 1):
                fetch = partial(_fetch_each, run, client, some)
                name = fetching(some, (number - 1) * size, len(ids))
                run.steps.run(Step.FETCH_PAPERS, name, fetch)

    def _find_ids(self, config: Config) -> Sequence[str]:
        # HTTP and the `arxiv` package are 0.1 s that other sources can spare.
        from flows.sources.arxiv.http import make_user_agent
        from flows.sources.arxiv.search import search_ids

        return search_ids(
            self.query,
            atom_url=config.arxiv.atom_url,
            user_agent=make_user_agent(config.arxiv.contact),
            pace=pace_of(config.arxiv),
            limit=self.limit,
            limits=config.limits,
        )


def _fetch_each(run: Run, client: "OaiClient", arxiv_ids: Sequence[str]) -> None:
    for arxiv_id in arxiv_ids:
        fetch_paper(run, client, arxiv_id)
