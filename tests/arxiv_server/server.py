"""The server a test starts: arXiv's OAI-PMH service and Atom API on loopback."""

import threading
from datetime import date
from types import TracebackType
from typing import TYPE_CHECKING, Self

from arxiv_server.faults import CachedError, Fault
from arxiv_server.papers.library import Library
from arxiv_server.papers.plan import Condition, Plan, Seen
from arxiv_server.reply import Reply
from arxiv_server.services.atom import AtomService
from arxiv_server.services.oai import OaiService
from arxiv_server.wire import Wire

if TYPE_CHECKING:
    from collections.abc import Callable


class ArxivServer:
    """
    Serves a library at `oai_url` and `atom_url` while its `with` block runs.

    `requests` logs what was asked. `on_request`, if set, is called before every answer, and
    `on_reply` with what is sent, in the thread that answers.
    """

    def __init__(
        self,
        library: Library,
        *,
        today: date,
        page_size: int = 1300,
        id_page_size: int = 20_000,
        gzip: bool = True,
        port: int = 0,
    ) -> None:
        """Bind the port (0: any free one); nothing is answered before the `with` block."""
        self.library = library
        self.requests: list[Seen] = []
        self.on_request: Callable[[Seen], None] | None = None
        self.on_reply: Callable[[Seen, Reply], None] | None = None
        self._lock = threading.RLock()
        self._plan = Plan()
        self._served: list[str] = []
        self._cached: dict[str, str] = {}
        self._wire = Wire(port, self._respond, compress=gzip)
        self.url = f"http://127.0.0.1:{self._wire.server_port}"
        self.oai_url = f"{self.url}/oai"
        self.old_oai_url = f"{self.url}/oai2"
        self.atom_url = f"{self.url}/api/query"
        self._oai = OaiService(library, self.oai_url, page_size, id_page_size, today)
        self._atom = AtomService(library, today)

    def __enter__(self) -> Self:
        """Start answering."""
        self._wire.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Stop, and report an error of the server's own unless the test failed already."""
        self._wire.stop()
        if error is None and self._wire.failures:
            message = "the test server failed"
            raise RuntimeError(message) from self._wire.failures[0]

    @property
    def today(self) -> date:
        """The server's date; setting it lets the cached errors expire, as midnight UTC does."""
        return self._oai.today

    @today.setter
    def today(self, day: date) -> None:
        with self._lock:
            self._oai.today = self._atom.today = day
            self.clear_cache()

    @property
    def busiest(self) -> int:
        """Return the most requests that were ever being answered at once."""
        return self._wire.busiest

    @property
    def pending(self) -> int:
        """Return the number of orders not yet carried out in full."""
        return len(self._plan)

    def order(self, *faults: Fault, on: Condition = None, skip: int = 0, times: int = 1) -> None:
        """
        Order faults, all of them for one request, `times` requests in a row.

        `on` says which requests are meant and `skip` how many of those pass before. A request
        meets one order: the first given of those that are due.
        """
        with self._lock:
            self._plan.add(faults, on, skip, times)

    def clear_cache(self) -> None:
        """Forget the errors which `CachedError` left."""
        with self._lock:
            self._cached.clear()

    def _respond(self, seen: Seen) -> Reply:
        with self._lock:
            self.requests.append(seen)
        # Not under the lock: the hook may wait for another thread's order.
        if self.on_request is not None:
            self.on_request(seen)
        with self._lock:
            reply = self._faulty(seen)
        if self.on_reply is not None:
            self.on_reply(seen, reply)
        return reply

    def _faulty(self, seen: Seen) -> Reply:
        faults = self._plan.due(seen)
        for fault in faults:
            fault.before(self.library, self._served)
            if isinstance(fault, CachedError):
                self._cached[seen.url] = self._oai.error(fault.code, None, seen.query)
        reply = self._answer(seen)
        for fault in faults:
            reply = fault.after(reply)
        return reply

    def _answer(self, seen: Seen) -> Reply:
        if seen.url in self._cached:
            return _xml(200, self._cached[seen.url], "application/xml")
        if seen.path == "/oai":
            answer = self._oai.answer(seen.pairs)
            self._served.extend(answer.served)
            return _xml(200, answer.xml, "application/xml")
        if seen.path == "/api/query":
            status, feed, served = self._atom.answer(seen.query)
            self._served.extend(served)
            return _xml(status, feed, "application/atom+xml; charset=utf-8")
        if seen.path == "/oai2":
            return Reply(301, b"", {"Location": self.url + seen.url.replace("/oai2", "/oai", 1)})
        return Reply(404, b"", {})


def _xml(status: int, text: str, content_type: str) -> Reply:
    return Reply(status, text.encode(), {"Content-Type": content_type})
