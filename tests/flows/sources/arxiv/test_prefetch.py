"""A page is fetched while the one before it is processed, and nothing else changes by that."""

import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextvars import ContextVar
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from threading import Event, Semaphore, get_ident
from types import SimpleNamespace
from typing import Any

import pytest
from arxiv_server import ArxivServer, CachedError, Forbidden, Unavailable, make_library
from support.runs import jobs
from support.runs.runs import assert_whole, config_for, rows, write_config

from flows.common.errors import StoreError
from flows.common.limits import Limits, RetryPolicy
from flows.ingest.commit import process_reply
from flows.ingest.run import UnitResult
from flows.jobs.report import RunReport
from flows.sources.arxiv.connection import connect
from flows.sources.arxiv.harvest import pages
from flows.sources.arxiv.harvest.prefetch import Prefetch
from flows.store.catalog.catalog import Catalog
from flows.store.catalog.window import Window
from transforms.parsing.arxiv_xml import Page

pytestmark = pytest.mark.process

TODAY = datetime.now(UTC).date()
DAY = TODAY - timedelta(days=1)
PAPERS, PAGE = 100, 20
LIMITS = Limits()
SECONDS = 120.0
"""How long a test waits for what has to come, before it says that it did not."""


@pytest.fixture
def server() -> Iterator[ArxivServer]:
    with ArxivServer(make_library(PAPERS, 7, DAY, 1), today=TODAY, page_size=PAGE) as running:
        yield running


@pytest.fixture
def config_file(tmp_path: Path, server: ArxivServer) -> Path:
    return write_config(tmp_path, server)


def run(folder: Path, server: ArxivServer, limits: Limits = LIMITS) -> RunReport:
    return jobs.backfill_categories(config_for(folder, server, limits=limits), ["all"], DAY, DAY)


@pytest.fixture
def gate(server: ArxivServer, monkeypatch: pytest.MonkeyPatch) -> None:
    """Process a page only when the server has been asked for the next one."""
    asked: dict[str, Event] = {}

    def note(token: str) -> Event:
        return asked.setdefault(token, Event())

    def process_late(run: Any, data: bytes, page: Page, *, name: str) -> UnitResult:
        if page.resumption_token:
            came = note(page.resumption_token).wait(SECONDS)
            assert came, "the next page was not asked for while this one was processed"
        return process_reply(run, data, page, name=name)

    server.on_request = lambda seen: note(seen.query.get("resumptionToken", "")).set()
    monkeypatch.setattr(pages, "process_reply", process_late)


@pytest.mark.usefixtures("gate")
@pytest.mark.parametrize("pages_a_step", [1, 2, 20])
def test_the_next_page_is_fetched_while_one_is_processed(
    tmp_path: Path, server: ArxivServer, pages_a_step: int
) -> None:
    (window,) = run(tmp_path, server, Limits(pages_a_step=pages_a_step)).windows
    assert (window.harvested, window.problem) == (PAPERS, None)
    assert_whole(tmp_path)


@pytest.mark.usefixtures("gate")
def test_the_requests_are_those_of_one_page_after_the_other(
    tmp_path: Path, server: ArxivServer
) -> None:
    window = Window(None, DAY, DAY)
    with connect(config_for(tmp_path, server)) as client:
        client.identify()
        token = None
        while token != "":
            token = client.records_page(window, token).value.resumption_token or ""
        client.identifiers_page(window)
    expected = [seen.url for seen in server.requests]
    assert len(expected) == 1 + PAPERS // PAGE + 1
    server.requests.clear()
    assert run(tmp_path, server).exit_status == 0
    assert [seen.url for seen in server.requests] == expected
    assert server.busiest == 1


@pytest.mark.usefixtures("gate")
def test_a_next_page_that_fails_leaves_this_one_committed_and_noted(
    tmp_path: Path, server: ArxivServer
) -> None:
    server.order(Forbidden(), on="ListRecords", skip=2)
    report = run(tmp_path, server)
    assert report.exit_status == 3
    assert len(rows(tmp_path, "bundles")) == 2 * PAGE
    catalog = Catalog.open(tmp_path / "data" / "catalog.sqlite", read_only=True)
    (progress,) = catalog.windows.open_windows()
    assert progress.pages == 2
    assert progress.token == server.requests[-1].query["resumptionToken"]
    catalog.close()
    assert_whole(tmp_path)
    asked = len(server.requests)
    again = run(tmp_path, server)
    assert again.exit_status == 0
    # It reads one page again, since its place may have moved; so four of the five.
    verbs = [seen.query["verb"] for seen in server.requests[asked:]]
    assert verbs == ["Identify", *["ListRecords"] * 4, "ListIdentifiers"]
    assert again.counts.new_records == PAPERS - 2 * PAGE
    assert_whole(tmp_path)


@pytest.mark.usefixtures("gate")
def test_a_next_page_whose_token_is_bad_begins_the_list_again(
    tmp_path: Path, server: ArxivServer
) -> None:
    server.order(CachedError("badResumptionToken"), on="ListRecords", skip=2)
    note = server.on_request
    assert note

    def note_and_forget(seen: Any) -> None:
        server.clear_cache()
        note(seen)

    server.on_request = note_and_forget
    report = run(tmp_path, server)
    assert (report.exit_status, report.counts.papers) == (0, PAPERS + 2 * PAGE)
    assert len(server.requests) == 1 + 3 + PAPERS // PAGE + 1
    assert_whole(tmp_path)


def test_a_failure_does_not_wait_for_the_next_page_which_is_not_asked_for_again(
    tmp_path: Path, server: ArxivServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    waits, goes_on = Event(), Event()

    def back_off(_: float) -> None:
        waits.set()
        goes_on.wait(SECONDS)

    def fail(*_: object, **__: object) -> None:
        assert waits.wait(SECONDS)
        raise StoreError("the disk is full")

    monkeypatch.setattr("tenacity.nap.time", SimpleNamespace(sleep=back_off))
    monkeypatch.setattr(pages, "process_reply", fail)
    server.order(Unavailable(), on="ListRecords", skip=1)
    with pytest.raises(StoreError, match="the disk is full"):
        run(tmp_path, server)
    (thread,) = [thread for thread in threading.enumerate() if thread.name == "prefetch"]
    goes_on.set()
    thread.join(SECONDS)
    assert not thread.is_alive()
    # Identify, the first page, and the second that failed.
    assert len(server.requests) == 3


_INTERRUPTED = """
import logging, signal, sys
from datetime import date
from pathlib import Path
from flows.jobs.backfill import backfill
from flows.sources.source import BackfillOptions
signal.signal(signal.SIGINT, signal.default_int_handler)
logging.basicConfig(level=logging.INFO, stream=sys.stdout, format="%(message)s")
logging.getLogger("pith_ingest").setLevel(logging.DEBUG)
day = date.fromisoformat(sys.argv[2])
config_file = Path(sys.argv[1])
backfill(BackfillOptions(categories=["all"], first=day, until=day, config_file=config_file))
"""


@pytest.mark.parametrize("sent", [signal.SIGINT, signal.SIGTERM])
def test_a_process_that_waits_an_hour_for_the_next_page_can_be_interrupted(
    tmp_path: Path, server: ArxivServer, config_file: Path, sent: signal.Signals
) -> None:
    server.order(Unavailable("3600"), on="ListRecords", skip=1)
    command = [sys.executable, "-c", _INTERRUPTED, str(config_file), str(DAY)]
    with subprocess.Popen(command, text=True, stdout=subprocess.PIPE) as child:
        assert child.stdout
        said = iter(child.stdout.readline, "")
        try:
            awaited = {"page 1,", "follows in 3600 s"}
            while awaited:
                line = next(said)
                awaited = {part for part in awaited if part not in line}
            child.send_signal(sent)
            assert child.wait(SECONDS) != 0
        finally:
            child.kill()
    assert len(rows(tmp_path, "bundles")) == PAGE
    assert run(tmp_path, server).exit_status == 0
    assert_whole(tmp_path)


def counting(last: int) -> Callable[[int], int | None]:
    return lambda made: made + 1 if made < last else None


def test_values_follow_each_other_without_the_caller_up_to_a_limit() -> None:
    done: list[int] = []
    due = Semaphore(0)

    def work(value: int | None) -> int:
        done.append(value or 0)
        due.release()
        return value or 0

    ahead = Prefetch(work, counting(9), 3)
    assert ahead.take(None) == 0
    # The one that was taken, and three that wait.
    assert all(due.acquire(timeout=SECONDS) for _ in range(4))
    assert not due.acquire(blocking=False)
    assert done == [0, 1, 2, 3]
    assert [ahead.take(value) for value in range(1, 10)] == list(range(1, 10))
    assert done == list(range(10))


def test_another_value_than_the_one_that_follows_begins_anew() -> None:
    ahead = Prefetch(lambda value: value or 0, counting(99))
    assert [ahead.take(value) for value in (None, 1, 50, 51, 7)] == [0, 1, 50, 51, 7]
    ahead.close()


def test_an_error_is_raised_when_it_is_taken_and_the_next_value_goes() -> None:
    def halve(number: int | None) -> float:
        return 1 / (number or 0)

    ahead: Prefetch[int, float] = Prefetch(halve, lambda _: None)
    with pytest.raises(ZeroDivisionError):
        ahead.take(0)
    assert ahead.take(2) == 0.5


def test_the_work_has_the_context_of_who_began_it_and_a_thread_of_its_own() -> None:
    step = ContextVar("step", default="none")
    ahead: Prefetch[int, tuple[str, int]] = Prefetch(
        lambda _: (step.get(), get_ident()), lambda _: None
    )
    step.set("the first")
    found, thread = ahead.take(None)
    assert found == "the first"
    assert thread != get_ident()


def test_what_was_fetched_ahead_ends_with_who_wanted_it() -> None:
    ahead = Prefetch(lambda value: value or 0, counting(99), 1)
    ahead.take(None)
    threads = [thread for thread in threading.enumerate() if thread.name == "prefetch"]
    ahead.close()
    for thread in threads:
        thread.join(SECONDS)
        assert not thread.is_alive()


def test_no_page_that_takes_long_delays_a_request(
    tmp_path: Path, server: ArxivServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    every_page_was_asked_for = Event()

    def process_late(*arguments: Any, **named: Any) -> UnitResult:
        assert every_page_was_asked_for.wait(SECONDS), "a request waited for a page's processing"
        return process_reply(*arguments, **named)

    def count(_: Any) -> None:
        if len([seen for seen in server.requests if seen.query["verb"] == "ListRecords"]) >= 5:
            every_page_was_asked_for.set()

    server.on_request = count
    monkeypatch.setattr(pages, "process_reply", process_late)
    assert run(tmp_path, server).counts.new_records == PAPERS
    assert_whole(tmp_path)


@pytest.mark.usefixtures("prefect")
def test_what_the_next_page_logs_belongs_to_a_flow_run(tmp_path: Path, server: ArxivServer) -> None:
    from prefect import flow

    from flows.orchestration.tasks import run_in_flow

    hurry = Limits(pages_a_step=1, retry=RetryPolicy(attempts=2))
    config = config_for(tmp_path, server, limits=hurry)

    @flow
    def night() -> RunReport:
        return run_in_flow(partial(jobs.nightly, config))

    # Prefect warns of lines outside of a run, which fails a test here.
    server.order(Unavailable(), on="ListRecords", skip=1)
    assert night().counts.new_records == PAPERS
    assert not server.pending
