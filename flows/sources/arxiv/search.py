"""Ids by a search of arXiv's Atom API, with the `arxiv` package.

The API rewrites TeX, so its text is never hashed: a search gives ids, and OAI-PMH their metadata.
"""

import re
from dataclasses import dataclass
from datetime import UTC, datetime

import arxiv  # type: ignore[import-untyped]
import httpx

from flows.common.errors import ArxivReplyError, ConfigError
from flows.common.http.pace import Pace
from flows.common.limits import Limits, RetryPolicy
from flows.common.process.progress import LOGGER
from flows.sources.arxiv.http import Fetcher
from transforms.paper.paper import BadPaperError, check_id
from transforms.parsing.oai_xml import PageError
from transforms.parsing.strict_xml import NotStrictXmlError, parse_xml

MAX_RESULTS = 30_000
"""Results of one search in all (arXiv API User's Manual, section 3.1.1.2)."""

_NO_QUERY = "a search needs a query, such as cat:cs.LG"
_ATOM = "{http://www.w3.org/2005/Atom}"
_OPENSEARCH = "{http://a9.com/-/spec/opensearch/1.1/}"
_MAX_DIGITS = 12
_VERSION = re.compile(r"v[1-9]\d*\Z", re.ASCII)


def search_ids(
    query: str,
    *,
    atom_url: str,
    user_agent: str,
    pace: Pace,
    limit: int,
    limits: Limits,
) -> list[str]:
    """Return the ids, without version, of the first `limit` papers that a search finds.

    `query` is written as in the API's manual, such as `cat:cs.LG AND ti:attention`. Nothing found
    is an empty list; a page that is empty and should not be is a failure like others. Raises the
    errors of `Fetcher.get`, and `ConfigError` for a limit outside 1 to `MAX_RESULTS`.
    """
    if not 1 <= limit <= MAX_RESULTS:
        raise ConfigError(f"a search gives 1 to {MAX_RESULTS} papers, not {limit}")
    if not query.strip():
        raise ConfigError(_NO_QUERY)
    # The pace and the attempts are the fetcher's.
    page_size = min(limit, limits.search_page_size)
    client = arxiv.Client(page_size=page_size, delay_seconds=0, num_retries=0)
    client.query_url_format = f"{atom_url}?{{}}"
    with Fetcher(user_agent, pace, limits.retry) as fetcher:
        # The package has no other way to be given time-outs, a User-Agent or a limit of size.
        client._session = _Session(fetcher, limit)  # noqa: SLF001
        results = client.results(arxiv.Search(query=query, max_results=limit))
        ids = [_id(result.entry_id) for result in results]
    return list(dict.fromkeys(ids))  # a paper may move to a later page between two requests


def count_found(
    query: str, *, atom_url: str, user_agent: str, pace: Pace, policy: RetryPolicy
) -> int:
    """Ask how many papers a search finds, in all; raises what `search_ids` does."""
    if not query.strip():
        raise ConfigError(_NO_QUERY)
    url = httpx.URL(atom_url, params={"search_query": query, "start": 0, "max_results": 1})
    with Fetcher(user_agent, pace, policy) as fetcher:
        return fetcher.get(url, check_feed).value


@dataclass(frozen=True, slots=True)
class _Response:
    """The part of a `requests.Response` that the `arxiv` package reads."""

    content: bytes
    status_code: int = 200


class _Session:
    """The part of a `requests.Session` that the `arxiv` package uses."""

    def __init__(self, fetcher: Fetcher, limit: int) -> None:
        self._fetcher = fetcher
        self._limit = limit
        self._is_first = True

    def get(self, url: str, headers: dict[str, str]) -> _Response:
        """Fetch a page; the package's `headers`, its own User-Agent, are left aside."""
        del headers
        reply = self._fetcher.get(httpx.URL(url), check_feed)
        if self._is_first and reply.value > self._limit:
            LOGGER.info("The search finds %d papers; %d are taken.", reply.value, self._limit)
        self._is_first = False
        return _Response(reply.raw)


def check_feed(data: bytes) -> int:
    """Return how many papers the search finds; raises `PageError` for what is not a whole page.

    The package reads a truncated feed as a short one, takes an empty one for the end, and leaves
    out entries without dates; an explained error of the API is such an entry.
    """
    try:
        feed = parse_xml(data)
    except NotStrictXmlError as error:
        raise PageError(str(error)) from None
    total = feed.findtext(f"{_OPENSEARCH}totalResults", "").strip()
    start = feed.findtext(f"{_OPENSEARCH}startIndex", "").strip()
    if feed.tag != f"{_ATOM}feed" or not (_is_count(total) and _is_count(start)):
        raise PageError("not a page of arXiv's search")
    entries = feed.findall(f"{_ATOM}entry")
    if int(start) < int(total) and not entries:
        raise PageError(f"an empty page, though the search finds {total} papers")
    for entry in entries:
        if "/api/errors" in entry.findtext(f"{_ATOM}id", ""):
            said = entry.findtext(f"{_ATOM}summary", "nothing")
            raise ArxivReplyError(f"arXiv's search says: {said:.300}")
        dates = [entry.findtext(f"{_ATOM}{name}", "") for name in ("updated", "published")]
        if not entry.findtext(f"{_ATOM}id") or not all(map(_is_instant, dates)):
            raise PageError("a paper without id or dates")
    return int(total)


def _is_count(text: str) -> bool:
    return text.isdecimal() and len(text) <= _MAX_DIGITS


def _is_instant(text: str) -> bool:
    """Return whether the package reads it as a time; what it cannot read it does not survive."""
    try:
        datetime.fromisoformat(text.strip()).astimezone(UTC)
    except (ValueError, OverflowError):
        return False
    return True


def _id(entry_id: str) -> str:
    """Return the id in `http://arxiv.org/abs/math/0410603v2`."""
    _, _, name = entry_id.partition("arxiv.org/abs/")
    try:
        return check_id(_VERSION.sub("", name))
    except BadPaperError:
        raise ArxivReplyError(
            f"arXiv's search names {entry_id!r:.200}, which is no paper"
        ) from None
