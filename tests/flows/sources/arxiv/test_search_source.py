"""Ids by a search: the `arxiv` package, with this project's own way of asking."""

import logging
import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from functools import partial
from pathlib import Path
from types import SimpleNamespace
from typing import Protocol

import pytest
from arxiv_server import (
    ArxivServer,
    CutConnection,
    DropConnection,
    Fault,
    Forbidden,
    Garbage,
    SlowFirstByte,
    Truncate,
    Unavailable,
    make_library,
)
from arxiv_server.reply import Reply as ServerReply
from support.paths import SHARED

from flows.common.errors import (
    ArxivDeniedError,
    ArxivReplyError,
    ArxivUnreachableError,
    ConfigError,
)
from flows.common.http.pace import Pace
from flows.common.limits import Limits, RetryPolicy
from flows.sources.arxiv.oai_client import OaiClient
from flows.sources.arxiv.search import MAX_RESULTS, search_ids

DAY = date(2026, 3, 2)
TODAY = date(2026, 3, 10)
FEEDS = SHARED / "arxiv" / "atom"
LIMITS = Limits(retry=RetryPolicy(read_seconds=5, attempts=3), search_page_size=10)


class Search(Protocol):
    def __call__(self, query: str, *, limit: int = 100) -> list[str]: ...


@pytest.fixture
def server() -> Iterator[ArxivServer]:
    with ArxivServer(make_library(60, 7, DAY, 3), today=TODAY) as running:
        yield running


@pytest.fixture
def pace(tmp_path: Path) -> Pace:
    return Pace(tmp_path / "arxiv.lock", 0)


@pytest.fixture
def search(server: ArxivServer, pace: Pace, monkeypatch: pytest.MonkeyPatch) -> Search:
    """Search with pages of ten, as arXiv's of 2,000, and without waits between attempts."""
    monkeypatch.setattr("tenacity.nap.time", SimpleNamespace(sleep=lambda _: None))
    return partial(
        search_ids,
        atom_url=server.atom_url, user_agent="test (x@example.org)", pace=pace, limits=LIMITS,
        limit=100,
    )  # fmt: skip


class Rewrite(Fault):
    """A feed with some text replaced."""

    def __init__(self, pattern: str, replacement: str) -> None:
        self.pattern = pattern
        self.replacement = replacement

    def after(self, reply: ServerReply) -> ServerReply:
        body = re.sub(self.pattern, self.replacement, reply.body.decode(), flags=re.DOTALL)
        return replace(reply, body=body.encode())


EMPTY = Rewrite("<entry>.*</entry>", "")


class Captured(Fault):
    """One of arXiv's own feeds, with HTTP 200."""

    def __init__(self, name: str) -> None:
        self.name = name

    def after(self, reply: ServerReply) -> ServerReply:
        if not FEEDS.is_dir():
            pytest.skip(f"no captured feeds in {FEEDS}")
        return replace(reply, status=200, body=(FEEDS / self.name).read_bytes())


def test_all_ids_over_several_pages(server: ArxivServer, search: Search) -> None:
    works = server.library.works()
    expected = [work.id for work in works if "hep-th" in work.categories]
    assert search("cat:hep-th") == expected
    expected = [work.id for work in works if re.search(r"\bthe\b", work.abstract, re.IGNORECASE)]
    assert len(expected) > 10
    assert search("abs:the") == expected
    assert server.busiest == 1


def test_old_ids_keep_their_archive(server: ArxivServer, search: Search) -> None:
    old = [work for work in server.library.works() if "/" in work.id]
    assert old
    for work in old:
        assert work.id in search(f"cat:{work.categories[0]}")


def test_the_limit_and_that_more_was_found(
    server: ArxivServer, search: Search, caplog: pytest.LogCaptureFixture
) -> None:
    whole = search("abs:the")
    server.requests.clear()
    with caplog.at_level(logging.INFO, "pith_ingest"):
        assert search("abs:the", limit=12) == whole[:12]
    assert [seen.query["start"] for seen in server.requests] == ["0", "10"]
    messages = [record.getMessage() for record in caplog.records if record.name == "pith_ingest"]
    assert messages == [f"The search finds {len(whole)} papers; 12 are taken."]


@pytest.mark.parametrize("limit", [0, -1, MAX_RESULTS + 1])
def test_a_limit_that_arxiv_does_not_have(search: Search, server: ArxivServer, limit: int) -> None:
    with pytest.raises(ConfigError, match="1 to 30000 papers"):
        search("cat:hep-th", limit=limit)
    assert server.requests == []


def test_a_query_is_needed(search: Search) -> None:
    with pytest.raises(ConfigError, match="needs a query"):
        search(" ")


def test_what_is_asked(server: ArxivServer, search: Search) -> None:
    search("cat:hep-th AND ti:the", limit=3)
    (seen,) = server.requests
    assert seen.path == "/api/query"
    assert seen.query["search_query"] == "cat:hep-th AND ti:the"
    assert seen.query["max_results"] == "3"
    assert seen.headers["user-agent"] == "test (x@example.org)"
    assert Limits().search_page_size == 2000


def test_nothing_found_is_an_empty_list(search: Search) -> None:
    assert search("ti:nothingofthekind") == []


TOO_EARLY = "0001-01-01T00:00:00+14:00"
PASSING: dict[str, Fault] = {
    "503": Unavailable("0"),
    "429": Unavailable(status=429),
    "an empty page": EMPTY,
    "a truncated page": Truncate(0.6),
    "a cut connection": CutConnection(0.5),
    "a dropped connection": DropConnection(),
    "a page for people": Garbage("html"),
    "nothing": Garbage("empty"),
    "another document": Rewrite("<opensearch:totalResults>.*</opensearch:startIndex>", ""),
    "a paper without its day": Rewrite("<published>.*?</published>", ""),
    "a day that is none": Rewrite("<published>.*?</published>", "<published>soon</published>"),
    "a day before the first": Rewrite("<updated>.*?</updated>", f"<updated>{TOO_EARLY}</updated>"),
    "a document type": Rewrite("<feed ", "<!DOCTYPE feed><feed "),
    "a count of 5,000 digits": Rewrite(r"(?<=:totalResults>)\d+", "9" * 5000),
}


@pytest.mark.parametrize("skip", [0, 1])
@pytest.mark.parametrize("fault", PASSING.values(), ids=PASSING)
def test_a_passing_failure_loses_nothing(
    server: ArxivServer, search: Search, fault: Fault, skip: int
) -> None:
    expected = search("abs:the")
    asked = len(server.requests)
    server.order(fault, skip=skip)
    assert search("abs:the") == expected
    assert len(server.requests) == 2 * asked + 1


@pytest.mark.parametrize("fault", PASSING.values(), ids=PASSING)
def test_a_failure_that_stays_is_an_error_and_not_the_end(
    server: ArxivServer, search: Search, fault: Fault
) -> None:
    for skip in (0, 1):
        server.order(fault, skip=skip, times=3)
        with pytest.raises(ArxivUnreachableError, match=r"api/query.* in 3 attempts"):
            search("abs:the")


def test_a_late_first_byte_is_a_failure(server: ArxivServer, pace: Pace) -> None:
    server.order(SlowFirstByte(60), times=2)
    with pytest.raises(ArxivUnreachableError, match="ReadTimeout"):
        search_ids(
            "abs:the", atom_url=server.atom_url, user_agent="test", pace=pace, limit=5,
            limits=Limits(retry=RetryPolicy(read_seconds=0.1, attempts=2)),
        )  # fmt: skip


def test_refusals_are_not_asked_again(server: ArxivServer, search: Search) -> None:
    with pytest.raises(ArxivReplyError, match=r"HTTP 400; check .* the query"):
        search("nosuchfield:x")
    server.order(Forbidden())
    with pytest.raises(ArxivDeniedError):
        search("abs:the")
    server.order(Captured("atom_error_HTTP400_2026-04.xml"))
    with pytest.raises(ArxivReplyError, match="search says: incorrect id format for abc"):
        search("abs:the")
    assert len(server.requests) == 3


def test_an_entry_that_is_no_paper_is_an_error(server: ArxivServer, search: Search) -> None:
    for place in ("http://arxiv.org/abs/../../x", "http://example.org/1906.10822v1"):
        server.order(Rewrite("<id>http://arxiv.org/abs/[^<]*</id>", f"<id>{place}</id>"))
        with pytest.raises(ArxivReplyError, match="which is no paper"):
            search("abs:the")


def test_a_paper_on_two_pages_is_one_paper(server: ArxivServer, search: Search) -> None:
    expected = search("abs:the")
    again = f"<id>http://arxiv.org/abs/{expected[0]}v1</id>"
    server.order(Rewrite("<id>http://arxiv.org/abs/[^<]*</id>", again), skip=1)
    found = search("abs:the")
    assert len(found) == len(set(found)) == len(expected) - min(10, len(expected) - 10)


def test_arxivs_own_page(server: ArxivServer, search: Search) -> None:
    server.order(Captured("atom_search_page_2026-04.xml"))
    assert search("all:testing", limit=2)[0] == "2202.12139"
    server.order(Captured("atom_empty_unknown_id_HTTP200_2026-04.xml"))
    assert search("all:testing") == []


def test_search_and_oai_share_one_pace(server: ArxivServer, tmp_path: Path) -> None:
    pace = Pace(tmp_path / "arxiv.lock", 0.1)
    ids = search_ids(
        "abs:the", atom_url=server.atom_url, user_agent="test", pace=pace, limit=2, limits=LIMITS
    )
    with OaiClient(server.oai_url, "test", pace, LIMITS.retry) as client:
        papers = [client.get_record(arxiv_id).value.papers[0] for arxiv_id in ids]
    assert [paper.id for paper in papers] == ids
    times = [seen.at for seen in server.requests]
    assert len(times) == 3
    assert times[1] - times[0] >= 0.1
    assert times[2] - times[1] >= 0.1
