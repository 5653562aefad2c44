"""The pages of a list, prepared here or, where they come faster than that, on all cores."""

from collections import deque
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import datetime
from types import TracebackType
from typing import TYPE_CHECKING, NoReturn, Self

from flows.common.errors import ArxivError
from flows.ingest.commit import prepare_reply, process_reply
from flows.ingest.executors.opening import workers_here
from flows.ingest.executors.processes import open_processes
from flows.ingest.run import Run, UnitResult
from flows.ingest.schedule import PendingUnit, UnitQueue, open_queue
from flows.ingest.unit import PreparedUnit
from flows.ingest.worker_context import WorkerContext
from flows.sources.arxiv.harvest.listing import END
from flows.sources.arxiv.harvest.prefetch import Prefetch
from transforms.paper.selection import SeenIds
from transforms.parsing.arxiv_xml import Page
from transforms.parsing.oai_xml import OaiError

if TYPE_CHECKING:
    from flows.sources.arxiv.http import Reply

BACKLOG = 5
"""So many pages wait where it pays to start processes: measured, that takes as long as three pages.

ArXiv does not say how many pages a list has (no `completeListSize`). At its pace of 3 s none waits,
nor where nothing is new.
"""


@dataclass(frozen=True, slots=True)
class HarvestedPage:
    """A page of a list, as it came and as it was read: reading again costs twice what sending does.

    `name` is how the report calls it.
    """

    name: str
    data: bytes
    page: Page

    @property
    def finished_as(self) -> None:
        """Nothing: a page that is seen again is compared again."""

    def prepare(self, context: WorkerContext, moment: datetime, earlier: SeenIds) -> PreparedUnit:
        """Keep the page as it came, and prepare its papers."""
        return prepare_reply(context, self.data, self.page, moment)


class PageSeries:
    """Takes the pages of one list in their order, by the token of each; a context manager.

    At its end the bundle files of all pages that were taken are written.
    """

    def __init__(self, run: Run, name: str, fetch: Callable[[str | None], "Reply[Page]"]) -> None:
        """Fetch nothing yet. `name` is how the report calls the pages."""
        self._run, self._name = run, name
        self._fetched: Prefetch[str, Reply[Page]] = Prefetch(fetch, following)
        self._workers = workers_here(run.config)
        self._stack = ExitStack()
        self._queue: UnitQueue | None = None
        self._ahead: deque[PendingUnit[HarvestedPage]] = deque()
        self._next: str | None = None
        self._failure: ArxivError | OaiError | None = None

    def __enter__(self) -> Self:
        """Return itself."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Fetch nothing more, and end the processes: in order, or at once after an error."""
        self._fetched.close()
        self._stack.__exit__(kind, error, trace)

    def take(self, token: str | None) -> tuple[Page, UnitResult]:
        """Return a page that was committed, and what became of it.

        A token is None, that of the page taken last, or one to begin anew with after an error. What
        goes wrong with fetching a page is raised when those before it were taken.
        """
        if self._queue is None:
            if self._workers > 1 and self._fetched.waiting >= BACKLOG:
                self._queue = self._open_queue()
            # One more meanwhile, for processes take as long to start.
            return self._take_here(token)
        if not self._ahead:
            self._next = token
        self._submit(self._queue)
        if self._failure and not self._ahead:
            self._fail(self._failure)
        pending = self._ahead.popleft()
        return pending.unit.page, self._queue.commit(pending)

    def _open_queue(self) -> UnitQueue:
        opening = open_processes(self._run.config, self._run.context, self._workers, [__name__])
        return self._stack.enter_context(open_queue(self._run, opening))

    def _take_here(self, token: str | None) -> tuple[Page, UnitResult]:
        reply = self._await(token)
        result = process_reply(self._run, reply.raw, reply.value, name=self._name)
        return reply.value, result

    def _await(self, token: str | None) -> "Reply[Page]":
        with self._run.store.watch.stage("wait for pages"):
            return self._fetched.take(token)

    def _submit(self, queue: UnitQueue) -> None:
        """Submit the pages that are there, one more than there are processes; await the first."""
        while self._failure is None and self._next != END and len(self._ahead) <= self._workers:
            if self._ahead and not self._fetched.waiting:
                return
            try:
                reply = self._await(self._next)
            except (ArxivError, OaiError) as error:
                self._failure = error
                return
            self._ahead.append(queue.submit(HarvestedPage(self._name, reply.raw, reply.value)))
            self._next = following(reply) or END

    def _fail(self, failure: ArxivError | OaiError) -> NoReturn:
        """Complete what was committed, and raise what went wrong with the next page."""
        self._failure, self._queue = None, None
        self._stack.close()
        raise failure


def following(reply: "Reply[Page]") -> str | None:
    """Return the token of the page after one, or None after the last."""
    return reply.value.resumption_token or None
