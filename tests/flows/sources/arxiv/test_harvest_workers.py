"""Pages of a harvest on several processes: the same bytes as one gives, whatever happens."""

import itertools
import json
import multiprocessing
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from threading import Event
from typing import Any, TypeVar

import pytest
from arxiv_server import ArxivServer, CachedError, Forbidden, Library, make_library
from arxiv_server.papers.plan import Seen
from support.paths import TESTS
from support.runs import jobs
from support.runs.runs import assert_whole, bundle_files, config_for, rows

from flows.common.limits import Limits
from flows.ingest.commit import process_reply
from flows.ingest.executors.processes import open_processes
from flows.ingest.run import UnitResult
from flows.ingest.steps import DirectSteps, Step, StepName
from flows.jobs import job as job_module
from flows.jobs.report import RunReport
from flows.sources.arxiv.harvest import pages
from flows.sources.arxiv.harvest.prefetch import Prefetch
from flows.store.catalog.catalog import Catalog

pytestmark = pytest.mark.process

MOMENT = datetime.now(UTC)
TODAY = MOMENT.date()
DAY = TODAY - timedelta(days=1)
PAPERS, PAGE = 240, 20
SECONDS = 120.0
_T = TypeVar("_T")


class Watched(DirectSteps):
    """Steps of a page each, before each of which a test does something."""

    def __init__(self, before: Callable[[], object]) -> None:
        self._before = before

    def run(self, step: Step, name: StepName, work: Callable[[], _T]) -> _T:
        if step == Step.HARVEST_PAGES:
            self._before()
        return super().run(step, name, work)


@pytest.fixture
def library() -> Library:
    return make_library(PAPERS, 7, DAY, 1)


@pytest.fixture
def server(library: Library) -> Iterator[ArxivServer]:
    with ArxivServer(library, today=TODAY, page_size=PAGE) as running:
        yield running


@pytest.fixture(autouse=True)
def started(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Note how many workers are started each time that any are."""
    found: list[int] = []

    def note(config: Any, context: Any, size: int, preload: Any) -> Any:
        found.append(size)
        return open_processes(config, context, size, preload)

    monkeypatch.setattr(pages, "open_processes", note)
    return found


@pytest.fixture
def one_moment(monkeypatch: pytest.MonkeyPatch) -> None:
    """Issue all at one time, so that two harvests give the same bytes."""
    monkeypatch.setattr(job_module, "utc_now", lambda: MOMENT)


@pytest.fixture
def backlog(server: ArxivServer, monkeypatch: pytest.MonkeyPatch) -> None:
    """Process the first page only when others wait, enough to be worth processes."""
    others_wait = Event()

    def note(_: Seen) -> None:
        # A page is asked for when that before it was read.
        asked = [seen for seen in server.requests if seen.query["verb"] == "ListRecords"]
        if len(asked) >= 2 + pages.BACKLOG:
            others_wait.set()

    def process_late(*arguments: Any, **named: Any) -> UnitResult:
        assert others_wait.wait(SECONDS)
        return process_reply(*arguments, **named)

    server.on_request = note
    monkeypatch.setattr(pages, "process_reply", process_late)
    monkeypatch.setattr(pages, "BACKLOG", 3)


def harvest(
    folder: Path, server: ArxivServer, workers: int, before: Callable[[], object] | None = None
) -> RunReport:
    """Harvest into `folder`, with the key of the folder above."""
    folder.mkdir(exist_ok=True)
    config = config_for(folder, server, workers=workers, limits=Limits(pages_a_step=1))
    key = config.identity.model_copy(update={"key_file": folder.parent / "signing.key"})
    config = config.model_copy(update={"identity": key})
    steps = Watched(before) if before else DirectSteps()
    return jobs.backfill_categories(config, ["all"], DAY, DAY, steps)


def kept(folder: Path) -> dict[str, Any]:
    """Return all that a run keeps, but for the run's name."""
    tables = {table: rows(folder, table) for table in ("papers", "events", "bundles", "rejects")}
    shards = {path.name for path in folder.rglob("*.parquet") if "window-" not in path.name}
    return {"shards": shards, "files": bundle_files(folder), **tables}


def committed(folder: Path) -> list[list[str]]:
    """Return the replies of each of the ledger's entries, in their order."""
    ledger = sorted((folder / "data" / "ledger").iterdir(), key=lambda file: int(file.stem))
    return [json.loads(file.read_text().splitlines()[0]).get("replies", []) for file in ledger]


@pytest.mark.usefixtures("backlog", "one_moment")
def test_several_processes_give_the_same_bytes_as_one(
    tmp_path: Path, server: ArxivServer, started: list[int]
) -> None:
    one = harvest(tmp_path / "one", server, 1)
    assert started == []
    several = harvest(tmp_path / "several", server, 3)
    assert started == [3]
    assert one.counts == several.counts
    assert several.counts.new_records == PAPERS
    assert committed(tmp_path / "one") == committed(tmp_path / "several")
    assert kept(tmp_path / "one") == kept(tmp_path / "several")
    assert_whole(tmp_path / "several")


@pytest.mark.usefixtures("backlog")
def test_a_paper_on_two_pages_is_issued_once_and_then_gets_a_later_snapshot(
    tmp_path: Path, server: ArxivServer, library: Library, started: list[int]
) -> None:
    listed = library.select

    def twice(first: Any, last: Any, set_spec: str | None = None) -> list[Any]:
        """List the papers of a page again on each of the next two, one of them changed."""
        works = listed(first, last, set_spec)
        changed = [replace(work, authors=f"{work.authors}, Ann Other") for work in works[60:65]]
        return [*works[:80], *works[60:80], *changed, *works[80:]]

    library.select = twice  # type: ignore[method-assign]
    report = harvest(tmp_path / "run", server, 2)
    assert started == [2]
    assert (report.counts.new_records, report.counts.new_snapshots) == (PAPERS, 5)
    assert report.counts.unchanged == 20
    assert len(rows(tmp_path / "run", "events")) == 2 * PAPERS + 5
    events = [len(json.loads(data)["events"]) for data in bundle_files(tmp_path / "run").values()]
    assert sorted(events) == [2] * (PAPERS - 5) + [3] * 5
    assert_whole(tmp_path / "run")


@pytest.mark.usefixtures("backlog", "one_moment")
def test_workers_that_are_killed_change_nothing(tmp_path: Path, server: ArxivServer) -> None:
    killed: list[int] = []
    steps = itertools.count()

    def kill_one() -> None:
        workers = multiprocessing.active_children()
        # Not at each step, or a page could lose the workers of all its attempts.
        if workers and next(steps) % 3 == 0:
            killed.append(workers[0].pid or 0)
            workers[0].kill()

    harvest(tmp_path / "one", server, 1)
    harvest(tmp_path / "several", server, 2, kill_one)
    assert len(killed) >= 2
    assert kept(tmp_path / "one") == kept(tmp_path / "several")
    # What they had begun to write is removed by the next run.
    harvest(tmp_path / "several", server, 2)
    assert kept(tmp_path / "one") == kept(tmp_path / "several")
    assert_whole(tmp_path / "several")


@pytest.mark.usefixtures("backlog")
def test_a_page_that_fails_leaves_those_before_it_committed_and_complete(
    tmp_path: Path, server: ArxivServer, started: list[int]
) -> None:
    server.order(Forbidden(), on="ListRecords", skip=6)
    assert harvest(tmp_path / "run", server, 2).exit_status == 3
    assert started == [2]
    assert len(rows(tmp_path / "run", "bundles")) == 6 * PAGE
    assert_whole(tmp_path / "run")
    catalog = Catalog.open(tmp_path / "run" / "data" / "catalog.sqlite", read_only=True)
    (progress,) = catalog.windows.open_windows()
    catalog.close()
    assert progress.pages == 6
    again = harvest(tmp_path / "run", server, 2)
    assert (again.exit_status, again.counts.new_records) == (0, PAPERS - 6 * PAGE)
    assert_whole(tmp_path / "run")


@pytest.mark.usefixtures("backlog")
def test_a_list_that_cannot_be_continued_is_begun_again(
    tmp_path: Path, server: ArxivServer, started: list[int]
) -> None:
    server.order(CachedError("badResumptionToken"), on="ListRecords", skip=6)
    note = server.on_request
    assert note

    def note_and_forget(seen: Seen) -> None:
        server.clear_cache()
        note(seen)

    server.on_request = note_and_forget
    report = harvest(tmp_path / "run", server, 2)
    assert started[0] == 2
    assert (report.exit_status, report.counts.papers) == (0, PAPERS + 6 * PAGE)
    assert report.counts.new_records == PAPERS
    assert_whole(tmp_path / "run")


def test_no_process_is_started_for_a_night_of_two_pages_or_where_no_page_waits(
    tmp_path: Path, library: Library, started: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    with ArxivServer(library, today=TODAY, page_size=PAPERS // 2) as two_pages:
        assert harvest(tmp_path / "night", two_pages, 2).exit_status == 0
    monkeypatch.setattr(pages, "BACKLOG", 1)
    monkeypatch.setattr(Prefetch, "waiting", 0)
    with ArxivServer(library, today=TODAY, page_size=PAGE) as slow:
        assert harvest(tmp_path / "slow", slow, 2).exit_status == 0
    assert started == []


_HARVEST = """
import sys
from datetime import date
from pathlib import Path
from types import SimpleNamespace
from flows.sources.arxiv.harvest import pages
from support.runs import jobs
from support.runs.runs import config_for
from flows.common.process import signals
from flows.ingest.steps import DirectSteps, Step, StepName, named
from flows.common.limits import Limits

class Told(DirectSteps):
    def run(self, step, name, work):
        print(named(name), flush=True)
        return work()

if __name__ == "__main__":
    signals.heed()
    pages.Prefetch.waiting = pages.BACKLOG
    folder, day = Path(sys.argv[1]), date.fromisoformat(sys.argv[2])
    server = SimpleNamespace(oai_url=sys.argv[3], atom_url=sys.argv[3])
    config = config_for(folder, server, workers=2, limits=Limits(pages_a_step=1))
    jobs.backfill_categories(config, ["all"], day, day, Told())
"""


@pytest.mark.parametrize("sent", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_ended_by_a_signal_the_same_harvest_goes_on_and_ends_with_each_paper_once(
    tmp_path: Path, server: ArxivServer, sent: signal.Signals
) -> None:
    script = tmp_path / "harvest.py"
    script.write_text(_HARVEST)
    command = [sys.executable, str(script), str(tmp_path), str(DAY), server.oai_url]
    env = os.environ | {"PYTHONPATH": os.pathsep.join([*sys.path, str(TESTS)])}
    begin = partial(subprocess.Popen, command, env=env, text=True, stdout=subprocess.PIPE)
    for page in (4, 7):
        with begin(stderr=subprocess.DEVNULL, start_new_session=True) as child:
            assert child.stdout
            assert any(f"from page {page}" in line for line in child.stdout)
            # As a terminal's Ctrl-C, which reaches all processes of the group.
            (os.killpg if sent == signal.SIGINT else os.kill)(child.pid, sent)
            assert child.wait(SECONDS) != 0
    with begin() as child:
        assert child.wait(SECONDS) == 0
    numbers = [row["pith_number"] for row in rows(tmp_path, "bundles")]
    assert len(numbers) == len(set(numbers)) == PAPERS
    assert len(rows(tmp_path, "events")) == 2 * PAPERS
    assert_whole(tmp_path)
