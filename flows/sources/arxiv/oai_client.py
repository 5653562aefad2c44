"""ArXiv's OAI-PMH service: one method per verb, one page per call."""

from collections.abc import Callable
from types import TracebackType
from typing import Self, TypeVar

import httpx

from flows.common.http.pace import Pace
from flows.common.limits import RetryPolicy
from flows.sources.arxiv.http import Fetcher, Reply
from flows.store.catalog.window import Window
from transforms.paper.paper import check_id
from transforms.parsing.arxiv_xml import Page, parse_page
from transforms.parsing.oai_lists import (
    IdentifierPage,
    Repository,
    SetPage,
    parse_identifiers,
    parse_identify,
    parse_sets,
)
from transforms.parsing.oai_xml import ID_PREFIX, NoRecordsMatchError

FORMAT = "arXivRaw"
"""The one format with raw TeX, the licence and every version's date."""

_T = TypeVar("_T")


class OaiClient:
    """Asks the OAI-PMH service at `oai_url`; a context manager that closes its connection.

    Every method raises `OaiError` for an error reply, and the errors of `Fetcher.get`.
    """

    def __init__(self, oai_url: str, user_agent: str, pace: Pace, policy: RetryPolicy) -> None:
        """Connect at the first request."""
        self._url = httpx.URL(oai_url)
        self._fetcher = Fetcher(user_agent, pace, policy)

    def __enter__(self) -> Self:
        """Return itself."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Close the connection."""
        self._fetcher.__exit__(kind, error, trace)

    def identify(self) -> Reply[Repository]:
        """Ask who the server is and how far back its datestamps go."""
        return self._ask({"verb": "Identify"}, parse_identify)

    def list_sets(self, token: str | None = None) -> Reply[SetPage]:
        """Ask for the sets; arXiv gives them all at once."""
        resumed = {} if token is None else {"resumptionToken": token}
        return self._ask({"verb": "ListSets", **resumed}, parse_sets)

    def identifiers_page(self, window: Window, token: str | None = None) -> Reply[IdentifierPage]:
        """Ask which papers are listed: the first page, or the one that `token` fetches.

        With a token the window does not count, since the token holds it (OAI-PMH 2.0, 3.5).
        """
        end = IdentifierPage([], [], "")
        return self._list("ListIdentifiers", window, token, parse_identifiers, end)

    def records_page(self, window: Window, token: str | None = None) -> Reply[Page]:
        """Ask for papers: the first page, or the one that `token` fetches, as above."""
        return self._list("ListRecords", window, token, parse_page, Page([], [], ""))

    def get_record(self, arxiv_id: str) -> Reply[Page]:
        """Ask for one paper, by its id without version; `BadPaperError` if it is not one."""
        identifier = ID_PREFIX + check_id(arxiv_id)
        query = {"verb": "GetRecord", "identifier": identifier, "metadataPrefix": FORMAT}
        return self._ask(query, parse_page)

    def _list(
        self,
        verb: str,
        window: Window,
        token: str | None,
        parse: Callable[[bytes], _T],
        end: _T,
    ) -> Reply[_T]:
        if token is None:
            return self._ask({"verb": verb, "metadataPrefix": FORMAT, **_limits(window)}, parse)

        def parse_or_end(data: bytes) -> _T:
            try:
                return parse(data)
            except NoRecordsMatchError:
                # What was left of the list has changed since, and so moved out of it.
                return end

        return self._ask({"verb": verb, "resumptionToken": token}, parse_or_end)

    def _ask(self, query: dict[str, str], parse: Callable[[bytes], _T]) -> Reply[_T]:
        return self._fetcher.get(self._url.copy_merge_params(query), parse)


def _limits(window: Window) -> dict[str, str]:
    limits = {"from": window.first, "until": window.until, "set": window.set_spec}
    return {name: str(value) for name, value in limits.items() if value is not None}
