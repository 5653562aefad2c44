"""Nights that were missed, failed, or found a paper changed more than once."""

from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
from arxiv_server import ArxivServer, Library, Unavailable, make_library
from support.runs import jobs
from support.runs.runs import assert_whole, config_for, rows

from flows.common.limits import Limits, RetryPolicy
from flows.jobs import job
from flows.jobs.report import RunReport

pytestmark = pytest.mark.long

REAL_TODAY = datetime.now(UTC).date()
HURRY = Limits(retry=RetryPolicy(read_seconds=0.5, attempts=2))


class Nights:
    """A server and a data folder over several days; the clock of both is set by the test."""

    def __init__(self, folder: Path, server: ArxivServer, patch: pytest.MonkeyPatch) -> None:
        self.folder, self.server, self.patch = folder, server, patch

    def run(self, day: date) -> RunReport:
        self.server.today = day
        moment = datetime.combine(day, datetime.min.time(), UTC) + timedelta(hours=5)
        self.patch.setattr(job, "utc_now", lambda: moment)
        return jobs.nightly(config_for(self.folder, self.server, limits=HURRY))

    def versions(self, arxiv_id: str) -> list[int]:
        return sorted(
            row["version"] for row in rows(self.folder, "papers") if row["arxiv_id"] == arxiv_id
        )


@pytest.fixture
def nights(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Nights:
    library = make_library(400, 5, REAL_TODAY - timedelta(days=30), 31)
    return Nights(tmp_path, ArxivServer(library, today=REAL_TODAY, page_size=20), monkeypatch)


def ids(library: Library, first: date, until: date) -> set[str]:
    return {work.id for work in library.select(first, until)}


def test_nights_that_were_missed_are_caught_up(nights: Nights) -> None:
    begin = REAL_TODAY - timedelta(days=20)
    with nights.server as server:
        nights.run(begin)
        report = nights.run(begin + timedelta(days=9))
        assert report.exit_status == 0
        expected = ids(server.library, begin - timedelta(days=3), begin + timedelta(days=9))
        assert expected <= {row["arxiv_id"] for row in rows(nights.folder, "papers")}
        assert_whole(nights.folder)


def test_a_night_that_failed_is_made_good_by_the_next(nights: Nights) -> None:
    begin = REAL_TODAY - timedelta(days=20)
    with nights.server as server:
        nights.run(begin)
        server.order(Unavailable(), on="ListRecords", skip=1, times=2)
        changed = server.library.select(begin, begin)[0].id
        server.library.revise(changed, begin + timedelta(days=1), title="Changed in the night")
        failed = nights.run(begin + timedelta(days=1))
        assert failed.exit_status == 3
        assert "NOT COMPLETE" in "\n".join(failed.lines())
        made_good = nights.run(begin + timedelta(days=2))
        assert made_good.exit_status == 0
        work = nights.server.library.get(changed)
        assert work
        assert nights.versions(changed)[-1] == work.newest.number
        assert_whole(nights.folder)


def test_a_paper_that_changed_three_times_is_as_arxiv_has_it(nights: Nights) -> None:
    begin = REAL_TODAY - timedelta(days=20)
    with nights.server as server:
        paper = server.library.select(begin, begin)[0].id
        nights.run(begin)
        before = nights.versions(paper)
        for days in (1, 2, 3):
            server.library.revise(paper, begin + timedelta(days=days), title=f"Change {days}")
        nights.run(begin + timedelta(days=4))
        newest = server.library.get(paper)
        assert newest
        # Only the newest version is served: one more record, not three.
        assert nights.versions(paper) == [*before, newest.newest.number]
        titles = {
            row["version"]: row["title"]
            for row in rows(nights.folder, "papers")
            if row["arxiv_id"] == paper
        }
        assert titles[newest.newest.number] == "Change 3"
        assert_whole(nights.folder)


def test_the_watermark_does_not_move_with_a_night_that_failed(nights: Nights) -> None:
    begin = REAL_TODAY - timedelta(days=20)
    with nights.server as server:
        nights.run(begin)
        server.order(Unavailable(), on="ListIdentifiers", times=2)
        nights.run(begin + timedelta(days=1))
        asked = len(server.requests)
        nights.run(begin + timedelta(days=5))
        first = next(s for s in server.requests[asked:] if s.query["verb"] == "ListIdentifiers")
        assert first.query["from"] == str(begin - timedelta(days=3))


def test_a_paper_that_is_gone_is_marked_and_kept(nights: Nights) -> None:
    with nights.server as server:
        nights.run(REAL_TODAY - timedelta(days=20))
        gone = rows(nights.folder, "papers")[0]["arxiv_id"]
        server.library.remove(gone)
        config = config_for(nights.folder, server)
        assert "idDoesNotExist" in jobs.rerun(config, [gone]).failures[gone]
        jobs.rerun(config, [gone])
        assert [row["arxiv_id"] for row in rows(nights.folder, "vanished")] == [gone]
        assert nights.versions(gone)
        assert_whole(nights.folder)
