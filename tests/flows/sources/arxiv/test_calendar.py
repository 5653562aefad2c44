"""Over months of backfills, nights, gaps and troubles, `status` says what the requests prove.

After every job its lines are compared with an independent replay of what arXiv was asked and what
it answered, and with what arXiv has.
"""

import os
import shlex
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from random import Random

import pytest
from arxiv_server import ArxivServer, CachedError, Library, Seen, Unavailable, make_library, set_of
from support.runs import jobs
from support.runs.replay import EARLIEST, Replay
from support.runs.runs import config_for, held

from flows.cli.data.status.folder_status import FolderStatus, folder_status
from flows.cli.data.status.screen import attention
from flows.common.config import Config, OutputsConfig
from flows.common.errors import ArxivError
from flows.common.limits import Limits, RetryPolicy
from flows.jobs import job
from flows.jobs.report import RunReport
from flows.sources.arxiv.harvest.coverage import lines_of
from flows.store.layout import Layout
from flows.store.repair.rebuild import rebuild_catalog

pytestmark = pytest.mark.long

BEGIN = date(2026, 12, 8)
DAY = timedelta(days=1)
OF_PAPERS = ("cs.LG", "cs.CV", "hep-th")
CATEGORIES = (*OF_PAPERS, "cs", "all")
ONCE = Limits(retry=RetryPolicy(read_seconds=5, attempts=1))
CALENDARS, MOMENTS = (30, 20) if os.environ.get("FULL") else (3, 14)

ALL = "all of arXiv"


@pytest.fixture
def calendar(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator["Calendar"]:
    past = make_library(60, 3, BEGIN - timedelta(days=50), 50, OF_PAPERS)
    with ArxivServer(past, today=BEGIN, page_size=15) as server:
        made = Calendar(tmp_path, server)
        monkeypatch.setattr(job, "utc_now", made.now)
        yield made


@dataclass
class Status:
    """What `status` says of one set."""

    covered: set[date] = field(default_factory=set)
    holes: set[date] = field(default_factory=set)
    before: date | None = None


class Calendar:
    """A server and a data folder over months; new papers come every day, others are changed."""

    def __init__(self, folder: Path, server: ArxivServer, seed: int = 1) -> None:
        self.folder, self.server = folder, server
        self.replay = Replay(server)
        self.choose = Random(seed)
        self.categories: list[str] = []
        coming = make_library(400, 4, BEGIN, 120, OF_PAPERS).works()
        self.coming = iter([work for work in coming if work.id not in server.library])
        self.next = next(self.coming)
        self.moments = 0

    @property
    def today(self) -> date:
        return self.server.today

    @property
    def works(self) -> Library:
        return self.server.library

    @property
    def config(self) -> Config:
        return config_for(
            self.folder,
            self.server,
            outputs=OutputsConfig(bundle_files="none"),
            categories=self.categories,
            limits=ONCE,
        )

    @property
    def layout(self) -> Layout:
        return Layout(self.folder / "data")

    def now(self) -> datetime:
        return datetime.combine(self.today, datetime.min.time(), UTC) + timedelta(hours=5)

    def go_to(self, day: date) -> None:
        """Let days go by; of each, some papers come and change after the hour of the jobs."""
        while self.today < day:
            self.change()
            self.publish(self.today)
            self.server.today += DAY
        self.publish(day - DAY)
        self.change()

    def publish(self, until: date) -> None:
        while self.next.datestamp <= until:
            self.works.add(self.next)
            self.next = next(self.coming)

    def change(self) -> None:
        """Change two papers today; their day tells, for they were not changed today before."""
        older = [work for work in self.works.works() if work.datestamp < self.today]
        for work in self.choose.sample(older, 2):
            title = f"{work.title}, changed on {self.today}"
            self.works.revise(work.id, self.today, title=title)

    def change_between_pages(self, seen: Seen) -> None:
        if seen.query.get("verb") != "GetRecord" and self.choose.random() < 0.3:
            self.change()

    def night(self) -> RunReport | None:
        report = self._run(lambda: jobs.nightly(self.config))
        if report:
            # The report ends with what `status` says of the night's sets.
            assert report.coverage
            told = [line for one in self.found().coverage for line in lines_of(one)]
            assert set(report.coverage) <= set(told)
            assert set(report.coverage) <= set(report.lines())
        return report

    def backfill(
        self, category: str, first: date | None = None, until: date | None = None
    ) -> RunReport | None:
        return self._run(lambda: jobs.backfill_categories(self.config, [category], first, until))

    def follow(self, command: str) -> RunReport | None:
        """Run a command that `status` names."""
        name, backfill, *words = shlex.split(command)
        options = dict(zip(words[::2], words[1::2], strict=True))
        assert (name, backfill) == ("pith-ingest", "backfill")
        assert {"--category"} <= options.keys() <= {"--category", "--from", "--until"}
        days = [options.get(name) for name in ("--from", "--until")]
        first, until = (date.fromisoformat(day) if day else None for day in days)
        return self.backfill(options["--category"], first, until)

    def _run(self, run: object) -> RunReport | None:
        assert callable(run)
        report = None
        with suppress(ArxivError):  # a question before the first window was not answered
            report = run()
        self.server._plan = type(self.server._plan)()  # noqa: SLF001 - arXiv is well again
        self.server.on_request = None
        self.server.clear_cache()
        self.replay.end_run()
        self.check()
        return report

    def found(self) -> FolderStatus:
        return folder_status(self.config)

    def not_complete(self) -> list[str]:
        return [one.window for one in self.found().open_windows]

    def attention(self) -> list[str]:
        return [line.text for line in attention(self.found())]

    def status(self) -> dict[str, Status]:
        """Return what `status` says about days."""
        found: dict[str, Status] = {}
        for one in self.found().coverage if self.layout.catalog.exists() else ():
            said = found[one.name] = Status()
            for days in one.proven:
                said.covered |= set(each(days.first, days.last))
            for hole in one.holes:
                if hole.first and hole.last:
                    said.holes |= set(each(hole.first, hole.last))
                elif hole.last:
                    said.before = hole.last + DAY
        return found

    def commands(self) -> list[str]:
        found = self.found()
        holes = [hole.command for one in found.coverage for hole in one.holes]
        return [*holes, *(one.command for one in found.open_windows)]

    def check(self) -> None:
        """Compare what `status` says with what the requests prove and with what arXiv has."""
        self.moments += 1
        status = self.status()
        harvested = {asked.set_spec for asked, _ in self.replay.proven}
        assert {category_of(spec) for spec in harvested} <= status.keys()
        if status:
            assert {name or ALL for name in self.categories or [ALL]} <= status.keys()
        for name, said in status.items():
            days = self.replay.days("" if name == ALL else spec_of(name))
            assert said.covered == days, f"{name} on {self.today}"
            gaps = set(each(min(days), max(days))) - days if days else set()
            assert said.holes == gaps
            begin = min(days, default=EARLIEST)
            assert said.before == (begin if begin > EARLIEST else None)
            self.assert_held(name, days)

    def assert_held(self, name: str, days: set[date]) -> None:
        """Assert that each paper that changed on these days is kept as arXiv has it."""
        records = held(self.folder)
        for work in self.works.select(EARLIEST, self.today, None if name == ALL else spec_of(name)):
            if work.datestamp in days:
                assert records.get(work.id) == (work.datestamp, work.title)


def each(first: date, last: date | str) -> Iterator[date]:
    while str(first) <= str(last):
        yield first
        first += DAY


def spec_of(category: str) -> str:
    # An archive is a set of its own below its group: `cs` is `cs:cs`.
    return "cs:cs" if category == "cs" else set_of(category)


def category_of(spec: str) -> str:
    return ".".join(spec.split(":")[1:]) or ALL


def test_the_first_night_begins_where_a_backfill_ended(calendar: Calendar) -> None:
    """As it was found: a backfill until the 8th, the first night on the 21st, 90 papers lost."""
    calendar.go_to(date(2026, 12, 21))
    calendar.backfill("all", until=date(2026, 12, 8))
    asked = len(calendar.server.requests)
    report = calendar.night()
    assert report
    assert report.exit_status == 0
    first = calendar.server.requests[asked]
    assert first.query["from"] == "2026-12-06"
    assert report.coverage == [f"{ALL}: complete from the beginning up to 2026-12-20"]
    calendar.assert_held(ALL, set(each(EARLIEST, calendar.today)))


@pytest.mark.parametrize("holder", ["all", "cs"])
def test_the_first_night_of_a_set_begins_where_one_that_holds_it_ended(
    calendar: Calendar, holder: str
) -> None:
    calendar.go_to(date(2026, 12, 21))
    calendar.backfill(holder, date(2026, 12, 1), date(2026, 12, 10))
    calendar.categories = ["cs.LG"]
    asked = len(calendar.server.requests)
    calendar.night()
    (first, *_) = [seen for seen in calendar.server.requests[asked:] if "from" in seen.query]
    assert first.query["from"] == "2026-12-08"
    assert calendar.status()["cs.LG"].covered == set(each(date(2026, 12, 1), "2026-12-20"))


def test_a_first_night_without_a_backfill_says_what_lies_before_it(calendar: Calendar) -> None:
    report = calendar.night()
    assert report
    assert report.exit_status == 0
    (command,) = calendar.commands()
    assert command == "pith-ingest backfill --category all --until 2026-12-04"
    assert report.lines()[-3:] == [
        f"{ALL}: complete from 2026-12-05 up to 2026-12-07",
        f"{ALL}: nothing before 2026-12-05 is proven; this harvests it:",
        f"  {command}",
    ]
    calendar.follow(command)
    assert calendar.commands() == []
    assert calendar.status()[ALL].covered == set(each(EARLIEST, "2026-12-07"))


def test_a_night_that_got_no_page_proves_nothing_and_is_made_good(calendar: Calendar) -> None:
    calendar.server.order(Unavailable(), times=10**6)
    report = calendar.night()
    assert report
    assert report.exit_status == 3
    assert calendar.attention()[:2] == [
        f"{ALL}: nothing is proven; this harvests it:",
        "  pith-ingest backfill --category all",
    ]
    calendar.go_to(BEGIN + 6 * DAY)
    calendar.night()
    # It begins with the days of the night that failed.
    assert calendar.status()[ALL].covered == set(each(BEGIN - 3 * DAY, BEGIN + 5 * DAY))
    assert calendar.not_complete() == []


def test_a_hole_between_proven_windows_is_shown_with_the_command_that_closes_it(
    calendar: Calendar,
) -> None:
    calendar.go_to(date(2027, 1, 8))
    calendar.backfill("all", date(2026, 12, 1), date(2026, 12, 8))
    calendar.backfill("all", date(2027, 1, 2))
    report = calendar.night()
    assert report
    hole = [
        f"{ALL}: NOT PROVEN from 2026-12-09 to 2027-01-01; this harvests it:",
        "  pith-ingest backfill --category all --from 2026-12-09 --until 2027-01-01",
    ]
    assert report.lines()[-2:] == hole
    assert calendar.attention()[-2:] == hole
    calendar.follow(calendar.commands()[1])
    assert calendar.status()[ALL].covered == set(each(date(2026, 12, 1), "2027-01-07"))


def test_a_backfill_that_stopped_years_ago_is_taken_up_year_by_year(calendar: Calendar) -> None:
    calendar.backfill("all", until=date(2009, 5, 6))
    asked = len(calendar.server.requests)
    report = calendar.night()
    assert report
    assert report.coverage == [f"{ALL}: complete from the beginning up to 2026-12-07"]
    pages = [s.query for s in calendar.server.requests[asked:] if s.query["verb"] == "ListRecords"]
    assert [page["from"] for page in pages if "from" in page] == [
        "2009-05-04", *(f"{year}-01-01" for year in range(2010, 2027)),
    ]  # fmt: skip


def test_a_clock_that_is_fast_proves_no_day_that_is_not_over(
    calendar: Calendar, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The replies tell arXiv's own time."""
    monkeypatch.setattr(job, "utc_now", lambda: calendar.now() + timedelta(days=9))
    calendar.backfill("all", BEGIN - 20 * DAY)
    assert max(calendar.status()[ALL].covered) == BEGIN - DAY


def test_a_window_under_way_is_forgotten_when_others_have_proven_its_days(
    calendar: Calendar,
) -> None:
    calendar.server.order(Unavailable(), on="ListRecords")
    calendar.night()
    assert calendar.not_complete()
    calendar.backfill("all", BEGIN - 9 * DAY)
    assert calendar.not_complete() == []
    assert calendar.commands() == [
        f"pith-ingest backfill --category all --until {BEGIN - 10 * DAY}"
    ]


def trouble(calendar: Calendar) -> None:
    """Order what may go wrong with the next job."""
    choose, server = calendar.choose, calendar.server
    what = choose.choice(["away", "later", "later", "empty", "changes", "changes", "changes", ""])
    if what == "away":
        server.order(Unavailable(), times=10**6)
    elif what == "later":
        server.order(Unavailable(), skip=choose.randrange(1, 12), times=10**6)
    elif what == "empty":
        # An answer of this morning: of days that were over by then it would be true.
        for verb in ("ListRecords", "ListIdentifiers"):
            server.order(CachedError("noRecordsMatch"), on=first_page_of_open_window(verb))
    elif what == "changes":
        server.on_request = calendar.change_between_pages


def first_page_of_open_window(verb: str) -> Callable[[Seen], bool]:
    return lambda seen: (
        seen.query.get("verb") == verb and not {"until", "resumptionToken"} & seen.query.keys()
    )


def act(calendar: Calendar) -> None:
    """Do one of the things that a user or a schedule does."""
    choose, today = calendar.choose, calendar.today
    what = choose.choice(["night"] * 5 + ["backfill"] * 2 + ["follow", "rebuild", "configure"])
    if what == "configure":
        calendar.categories = choose.sample(CATEGORIES[:4], choose.randrange(3))
    if what == "rebuild" and calendar.layout.catalog.exists():
        before = calendar.status()
        rebuild_catalog(calendar.layout)
        # Windows under way begin anew, and with them what came of them.
        calendar.replay.begun.clear()
        after = calendar.status()
        assert after == {name: before[name] for name in after}
    trouble(calendar)
    if what == "backfill":
        first = choose.choice([None, today - choose.randrange(1, 40) * DAY])
        until = choose.choice([None, max(first or today, today - choose.randrange(12) * DAY)])
        calendar.backfill(choose.choice(CATEGORIES), first, until)
    elif what == "follow" and (commands := calendar.commands()):
        calendar.follow(choose.choice(commands))
    else:
        calendar.night()


@pytest.mark.parametrize("seed", range(CALENDARS))
def test_at_each_moment_status_says_what_the_requests_prove(calendar: Calendar, seed: int) -> None:
    calendar.choose.seed(seed)
    calendar.categories = ["cs.LG", "hep-th"] if seed % 3 == 1 else []
    while calendar.moments < MOMENTS:
        calendar.go_to(calendar.today + calendar.choose.choice([0, 1, 1, 1, 2, 6]) * DAY)
        act(calendar)
    assert len(calendar.replay.proven) > MOMENTS / 4
