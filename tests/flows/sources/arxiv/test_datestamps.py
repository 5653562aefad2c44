"""A window is complete only when no paper in it came older than arXiv lists it."""

import os
import re
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from random import Random
from urllib.request import urlopen

import pytest
from arxiv_server import ArxivServer, CachedError, Library, Seen, Stale, make_library
from support.papers.oai_pages import page, record
from support.runs import jobs
from support.runs.replay import Replay
from support.runs.runs import assert_whole, config_for, held, rows

from flows.common.config import Config, OutputsConfig
from flows.common.limits import Limits, RetryPolicy
from flows.jobs import job
from flows.jobs.report import RunReport

pytestmark = pytest.mark.long

TODAY = date(2026, 11, 21)
YESTERDAY = TODAY - timedelta(days=1)
FIRST_DAY = TODAY - timedelta(days=3)
WINDOWS = 70 if os.environ.get("FULL") else 18
"""Of each of three kinds."""

PAPERS, PAGE = 120, 15
ONCE = Limits(retry=RetryPolicy(read_seconds=0.5, attempts=1))
"""Limits by which a server that is away is asked once only."""

Job = Callable[[Config], RunReport]


@pytest.fixture(autouse=True)
def clock(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let it be five o'clock of `TODAY`."""
    moment = datetime(TODAY.year, TODAY.month, TODAY.day, 5, tzinfo=UTC)
    monkeypatch.setattr(job, "utc_now", lambda: moment)


def library(papers: int = PAPERS) -> Library:
    return make_library(papers, 7, FIRST_DAY, 4)


def serve(works: Library, page_size: int = PAGE, id_page_size: int = 20_000) -> ArxivServer:
    return ArxivServer(works, today=TODAY, page_size=page_size, id_page_size=id_page_size)


def backfill_open(config: Config) -> RunReport:
    return jobs.backfill_categories(config, ["all"], FIRST_DAY)


def backfill_closed(config: Config) -> RunReport:
    return jobs.backfill_categories(config, ["all"], FIRST_DAY, YESTERDAY)


def assert_as_listed(folder: Path, works: Library, listed: dict[str, date]) -> None:
    """Assert that no record is older than what arXiv listed, and that each is as arXiv has it.

    But for those that have changed since they were listed.
    """
    records = held(folder)
    assert listed
    for arxiv_id, day in listed.items():
        work = works.get(arxiv_id)
        assert work
        assert day <= records[arxiv_id][0]
        if work.datestamp == day:
            assert records[arxiv_id] == (day, work.title)


class Changes:
    """Changes papers that were served already, before some requests for lists and pages."""

    def __init__(self, replay: Replay, seed: int, days: list[date]) -> None:
        self.replay, self.choose, self.days = replay, Random(seed), days
        replay.server.on_request = self.before

    def before(self, seen: Seen) -> None:
        likely = {"ListRecords": 0.4, "ListIdentifiers": 0.3}.get(seen.query["verb"], 0)
        works = self.replay.server.library
        if self.choose.random() >= likely:
            return
        day = self.choose.choice(self.days)
        older = [paper for paper, stamp in self.replay.served.items() if stamp < day]
        for paper in self.choose.sample(older, min(len(older), self.choose.randrange(1, 6))):
            work = works.get(paper)
            # A day tells nothing of a second change on it.
            if work and work.datestamp < day:
                works.revise(paper, day, title=f"{work.title}, changed on {day}")

    def stop(self) -> None:
        self.replay.server.on_request = None


KINDS: dict[str, tuple[Job, list[date]]] = {
    "open": (backfill_open, [TODAY]),
    "closed": (backfill_closed, [YESTERDAY, TODAY]),
    "nightly": (jobs.nightly, [TODAY]),
}


def check_one_window(folder: Path, kind: str, seed: int) -> int:
    """Harvest one window amid changes; return how many papers came again in a newer form."""
    run, days = KINDS[kind]
    with serve(library(), id_page_size=Random(seed).choice([50, 20_000, 20_000])) as server:
        config = config_for(folder, server, outputs=OutputsConfig(bundle_files="none"), limits=ONCE)
        replay = Replay(server)
        changes = Changes(replay, seed, days)
        report = run(config)
        changes.stop()
        replay.end_run()
        if report.incomplete:
            assert f"NOT COMPLETE: {report.windows[0].window}" in "\n".join(report.lines())
            report = run(config)
            replay.end_run()
        (window,) = report.windows
        (harvest,) = replay.ended.values()
        assert (window.problem, harvest.behind) == (None, set())
        assert_as_listed(folder, server.library, harvest.lists[-1])
        assert window.recovered == len(harvest.recovered)
        assert window.harvested + window.recovered == len(harvest.came)
        return len(harvest.renewed)


@pytest.mark.parametrize("kind", KINDS)
def test_papers_changed_after_they_were_served_come_as_the_last_list_has_them(
    tmp_path: Path, kind: str
) -> None:
    renewed = [check_one_window(tmp_path / str(seed), kind, seed) for seed in range(WINDOWS)]
    # Else nothing was shown: most windows have papers whose new form the pages left out.
    assert sum(count > 0 for count in renewed) > WINDOWS / 3


def skip_in_new_form(server: ArxivServer) -> list[str]:
    """Change papers of the first page when all pages came: only the list tells."""
    changed = [work.id for work in server.library.works()[:5]]

    def change(seen: Seen) -> None:
        if seen.query["verb"] == "ListIdentifiers":
            for paper in changed:
                server.library.revise(paper, TODAY, title=f"Changed {paper}")
            server.on_request = None

    server.on_request = change
    return changed


@pytest.mark.parametrize("run", [backfill_open, jobs.nightly])
def test_a_record_older_than_its_list_is_missing_and_fetched_by_its_id(
    tmp_path: Path, run: Job
) -> None:
    with serve(library()) as server:
        changed = skip_in_new_form(server)
        report = run(config_for(tmp_path, server, limits=ONCE))
        (window,) = report.windows
        assert (window.problem, window.listed, window.moved) == (None, PAPERS, 0)
        assert (window.harvested, window.recovered) == (PAPERS - 5, 5)
        asked = {seen.query.get("identifier", "").removeprefix("oai:arXiv.org:")
                 for seen in server.requests}  # fmt: skip
        assert set(changed) == asked - {""}
        records = held(tmp_path)
        assert {paper: records[paper] for paper in changed} == {
            paper: (TODAY, f"Changed {paper}") for paper in changed
        }
        assert_whole(tmp_path)


def test_many_that_are_older_than_their_list_come_with_another_pass(tmp_path: Path) -> None:
    with serve(library()) as server:

        def change_all(seen: Seen) -> None:
            if seen.query["verb"] == "ListIdentifiers":
                for work in older:
                    server.library.revise(work.id, TODAY, title=f"Changed {work.id}")
                server.on_request = None

        older = server.library.select(FIRST_DAY, YESTERDAY)
        server.on_request = change_all
        (window,) = backfill_open(config_for(tmp_path, server, limits=ONCE)).windows
        assert (window.recovered, window.problem) == (len(older), None)
        assert window.harvested == PAPERS - len(older)
        assert not any(seen.query["verb"] == "GetRecord" for seen in server.requests)
        records = held(tmp_path)
        assert {work.id for work in older} == {
            paper for paper, (_, title) in records.items() if title == f"Changed {paper}"
        }


def cached(server: ArxivServer, arxiv_id: str) -> bytes:
    """Return what arXiv answers about a paper now, as a cache keeps it."""
    query = f"verb=GetRecord&metadataPrefix=arXivRaw&identifier=oai:arXiv.org:{arxiv_id}"
    with urlopen(f"{server.oai_url}?{query}") as reply:  # noqa: S310 - our own server
        body: bytes = reply.read()
    return body


def test_a_paper_that_a_cache_gives_older_than_its_list_leaves_the_window_incomplete(
    tmp_path: Path,
) -> None:
    with serve(library()) as server:
        paper = server.library.works()[0].id
        before = cached(server, paper)
        assert paper in skip_in_new_form(server)
        is_meant = lambda seen: seen.query.get("identifier") == f"oai:arXiv.org:{paper}"  # noqa: E731
        server.order(Stale(before), on=is_meant)
        config = config_for(tmp_path, server, limits=ONCE)
        report = backfill_open(config)
        assert (report.exit_status, server.pending) == (1, 0)
        named = f"1 paper did not come as new as arXiv lists them, such as {paper}, changed on"
        assert f"{named} {TODAY}" in (report.windows[0].problem or "")
        assert "NOT COMPLETE: all of arXiv" in report.lines()[-2]
        asked = len(server.requests)
        (window,) = backfill_open(config).windows
        assert (window.problem, window.recovered) == (None, 5)
        # It goes on: no page again, the list, and the one paper.
        verbs = [seen.query["verb"] for seen in server.requests[asked:]]
        assert verbs == ["Identify", "ListIdentifiers", "GetRecord"]
        assert held(tmp_path)[paper] == (TODAY, f"Changed {paper}")


def test_another_paper_than_the_one_asked_for_completes_nothing(tmp_path: Path) -> None:
    with serve(library()) as server:
        other = cached(server, server.library.works()[9].id)
        skip_in_new_form(server)
        server.order(Stale(other), on="GetRecord")
        report = backfill_open(config_for(tmp_path, server, limits=ONCE))
        assert "1 paper did not come as new" in (report.windows[0].problem or "")


def test_a_paper_that_moved_out_of_a_closed_window_is_not_asked_for(tmp_path: Path) -> None:
    with serve(library()) as server:
        skip_in_new_form(server)
        (window,) = backfill_closed(config_for(tmp_path, server, limits=ONCE)).windows
        assert (window.moved, window.recovered, window.problem) == (5, 0, None)
        assert not any(seen.query["verb"] == "GetRecord" for seen in server.requests)


def broken(paper: str, day: str) -> bytes:
    """Compose what arXiv answers about a paper without a title."""
    return page(record(paper, datestamp=day, title=""))


@pytest.mark.parametrize(
    ("day", "asked"), [(str(FIRST_DAY), 0), ("2026-13-01", 1), (str(FIRST_DAY - timedelta(1)), 1)]
)
def test_a_reject_counts_as_come_by_the_day_that_its_header_gives(
    tmp_path: Path, day: str, asked: int
) -> None:
    """One whose day is older, or cannot be read, is asked for again; then it is what there is."""
    works = library(20)
    for work in works.works()[1:]:
        works.restamp([work.id], TODAY)
    paper = works.works()[0].id
    works.restamp([paper], FIRST_DAY)
    with serve(works, page_size=1) as server:
        server.order(Stale(broken(paper, day).replace(b"</ListRecords>", token(server))),
                     on="ListRecords")  # fmt: skip
        again = day if day == "2026-13-01" else str(FIRST_DAY)
        server.order(Stale(broken(paper, again)), on="GetRecord")
        (window,) = backfill_open(config_for(tmp_path, server, limits=ONCE)).windows
        assert (window.problem, window.listed, window.recovered) == (None, 20, asked)
        assert 1 - server.pending == asked
    (refused,) = {row["arxiv_id"] for row in rows(tmp_path, "rejects")}
    assert refused == paper


def token(server: ArxivServer) -> bytes:
    """Return how the first page of the window goes on."""
    body = ask(server, "ListRecords")
    return body[body.index(b"<resumptionToken") : body.index(b"</ListRecords>")] + b"</ListRecords>"


def test_an_empty_list_beside_papers_completes_nothing(tmp_path: Path) -> None:
    with serve(library()) as server:
        server.order(CachedError("noRecordsMatch"), on="ListIdentifiers")
        config = config_for(tmp_path, server, limits=ONCE)
        report = backfill_closed(config)
        assert "arXiv lists no paper in it, and yet gives some" in (report.windows[0].problem or "")
        server.clear_cache()
        assert backfill_closed(config).windows[0].problem is None


def test_a_closed_window_whose_papers_have_all_left_is_complete(tmp_path: Path) -> None:
    works = library(3)
    works.restamp([work.id for work in works.works()], FIRST_DAY)
    with serve(works) as server:

        def leave(seen: Seen) -> None:
            if seen.query["verb"] == "ListIdentifiers":
                works.restamp([work.id for work in works.works()], TODAY)

        server.on_request = leave
        (window,) = backfill_closed(config_for(tmp_path, server, limits=ONCE)).windows
        assert (window.listed, window.moved, window.problem) == (0, 3, None)


def test_a_window_that_stopped_before_its_list_compares_days_when_it_goes_on(
    tmp_path: Path,
) -> None:
    """Also what came in the run before: the catalog keeps its days."""
    with serve(library()) as server:
        config = config_for(tmp_path, server, limits=ONCE)
        server.order(Stale(b"no XML"), on="ListIdentifiers")
        assert jobs.nightly(config).exit_status == 3
        paper = server.library.works()[0].id
        server.library.revise(paper, TODAY, title="Changed between two runs")
        (window,) = jobs.nightly(config).windows
        assert (window.problem, window.recovered) == (None, 1)
        assert held(tmp_path)[paper] == (TODAY, "Changed between two runs")


def test_a_header_without_a_day_still_names_its_paper(tmp_path: Path) -> None:
    """It becomes a reject, but what it names has to come."""
    with serve(library()) as server:
        hidden = server.library.works()[0]
        stamp = rf"({hidden.id}</identifier>\s*<datestamp>)[^<]*".encode()
        listed, found = re.subn(stamp, rb"\1some day", ask(server, "ListIdentifiers"))
        assert found == 1
        server.library.remove(hidden.id)

        def show(seen: Seen) -> None:
            if seen.query["verb"] == "GetRecord":
                server.library.add(hidden)

        server.on_request = show
        server.order(Stale(listed), on="ListIdentifiers")
        report = backfill_open(config_for(tmp_path, server, limits=ONCE))
        (window,) = report.windows
        assert (window.listed, window.recovered, window.problem) == (PAPERS, 1, None)
        assert (report.exit_status, report.counts.rejects) == (1, 1)
        assert held(tmp_path)[hidden.id] == (hidden.datestamp, hidden.title)


def ask(server: ArxivServer, verb: str) -> bytes:
    """Return what arXiv answers first about the open window."""
    query = f"verb={verb}&metadataPrefix=arXivRaw&from={FIRST_DAY}"
    with urlopen(f"{server.oai_url}?{query}") as reply:  # noqa: S310 - our own server
        body: bytes = reply.read()
    return body


def test_the_replay_hears_what_was_listed_and_did_not_come() -> None:
    """Else it could find no fault."""
    with serve(library(30)) as server:
        replay = Replay(server)
        ask(server, "ListIdentifiers")
        replay.end_run()
        (harvest,) = replay.begun.values()
        assert len(harvest.lists[0]) == len(harvest.behind) == 30
        assert replay.proven == []
