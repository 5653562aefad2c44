"""A run's progress: what is counted, how long the rest takes, and its words at any width."""

import json
import logging
import threading
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from arxiv_server import ArxivServer, make_library
from arxiv_server.papers.plan import Seen
from rich.console import Console
from support.hostile.text import ANY, assert_safe
from support.papers.snapshot_rows import text
from support.runs import jobs
from support.runs.runs import config_for, config_in

from flows.common.counts import Counts
from flows.common.limits import Limits
from flows.ingest.progress import run_file, shown
from flows.ingest.progress.bar import render
from flows.ingest.progress.meter import ProgressMeter, RunName
from flows.ingest.progress.run_file import is_under_way, newest_run, read_run_file, this_process
from flows.ingest.progress.text import duration, one_line
from flows.ingest.progress.value import RunProgress, RunState
from flows.ingest.run import Run
from flows.ingest.steps import DirectSteps
from flows.jobs.job import open_run
from flows.sources.arxiv.harvest.expected import ExpectedPapers
from flows.store.catalog.window import Window
from flows.store.layout import Layout
from transforms.paper.paper import Reject
from transforms.paper.selection import Selection
from transforms.parsing.arxiv_xml import Page

NOW = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)
NAME = RunName("20261121T120000Z-nightly-0a1b", "nightly", NOW)
PROGRESS = RunProgress(
    NAME.run, NAME.job, NOW, NOW,
    part="cs.LG, 2026-11-14 to now", part_number=2, parts=21,
    done=1_234_567, expected=3_012_345, is_estimate=True, share=0.41, rate=433.4,
    seconds_left=4102.0, new_records=1_200_000, new_snapshots=30_000, unchanged=4_567,
    rejects=3, withdrawn=812,
)  # fmt: skip


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    now = [1000.0]
    monkeypatch.setattr("flows.ingest.progress.meter.time.monotonic", lambda: now[0])
    return now


def papers(number: int) -> Counts:
    return Counts(papers=number, new_records=number)


def test_rate_and_time_left_are_those_of_the_last_minute(clock: list[float]) -> None:
    meter = ProgressMeter()
    meter.expect(10_000)
    for _ in range(20):
        clock[0] += 30
        meter.add(papers(60))
    clock[0] += 30
    meter.add(papers(600))
    read = meter.read(NAME, NOW)
    assert (read.done, read.expected) == (1800, 10_000)
    # Of the last minute: 60 papers half a minute ago, and 600 now.
    assert read.rate == pytest.approx(660 / 60)
    assert read.seconds_left == pytest.approx(8200 / 11)


def test_no_rate_is_faster_than_arxivs_pace(clock: list[float]) -> None:
    meter = ProgressMeter()
    meter.keep_pace(3 / 1000)
    meter.expect(5000)
    assert meter.read(NAME, NOW).seconds_left == pytest.approx(15)
    clock[0] += 0.1
    meter.add(papers(1000))  # the first page waits for nobody
    assert meter.read(NAME, NOW).seconds_left == pytest.approx(4 * 3)
    clock[0] += 9.9
    assert meter.read(NAME, NOW).seconds_left == pytest.approx(4 * 10)


def test_what_was_done_before_is_done_and_says_nothing_of_the_rate(clock: list[float]) -> None:
    meter = ProgressMeter()
    meter.add_before(Counts(papers=900, rejects=100))
    meter.expect(1000)
    assert meter.read(NAME, NOW).share == 0.5
    clock[0] += 10
    meter.add(papers(500))
    read = meter.read(NAME, NOW)
    assert (read.done, read.expected, read.rejects) == (1500, 2000, 100)
    assert (read.rate, read.seconds_left) == (50, 10)


def test_an_estimate_is_of_what_is_left_and_a_known_number_is_fixed() -> None:
    meter = ProgressMeter()
    meter.expect(100, is_estimate=True)
    meter.add(papers(50))
    assert (meter.read(NAME, NOW).expected, meter.read(NAME, NOW).is_estimate) == (150, True)
    meter.expect(50)
    meter.add(papers(49))
    meter.expect_no_more(1)
    read = meter.read(NAME, NOW)
    assert (read.done, read.expected, read.is_estimate, read.share) == (99, 99, False, 1.0)
    meter.add(papers(7))
    read = meter.read(NAME, NOW)
    assert (read.done, read.expected, read.share, read.seconds_left) == (106, 106, 1.0, 0)


def test_bytes_are_a_share_where_no_number_is_known(clock: list[float]) -> None:
    meter = ProgressMeter()
    meter.reach(0.25)  # of an earlier run
    clock[0] += 10
    meter.add(papers(100))
    meter.reach(0.5)
    read = meter.read(NAME, NOW)
    assert (read.expected, read.share, read.seconds_left) == (None, 0.5, 20)
    assert one_line(read) == "100 papers, 50%, 10/s, 20 s left, new 100, changed 0, unchanged 0"


def test_a_wait_of_some_seconds_is_told_of_until_it_is_over(clock: list[float]) -> None:
    meter = ProgressMeter()
    meter.add(papers(5000))
    with meter.waiting("bundle files"):
        clock[0] += 1
        assert meter.read(NAME, NOW).waits_for == ""  # as at every commit
        clock[0] += 4
        waits = meter.read(NAME, NOW)
    assert one_line(waits).startswith("5,000 papers, 1,000/s, waiting for bundle files, new 5,000")
    assert meter.read(NAME, NOW).waits_for == ""


def test_at_its_end_the_rate_is_that_of_the_whole_run(clock: list[float]) -> None:
    meter = ProgressMeter()
    meter.begin("a part", 1, 2)
    clock[0] += 300
    meter.add(papers(600))
    meter.end(RunState.DONE)
    read = meter.read(NAME, NOW)
    assert (read.rate, read.seconds_left, read.part) == (2, None, "")


def test_a_time_to_wait_has_two_units_at_the_most() -> None:
    said = [duration(seconds) for seconds in (0.4, 59, 61, 59 * 60, 3600, 7500, 86_399, 273_600)]
    assert said == [
        "0 s", "59 s", "1 min", "59 min", "1 h 00 min", "2 h 05 min", "24 h 00 min", "3 d 4 h",
    ]  # fmt: skip


def shown_at(width: int, progress: RunProgress) -> list[str]:
    console = Console(width=width, force_terminal=True, color_system=None, legacy_windows=False)
    with console.capture() as captured:
        console.print(render(progress, width))
    return captured.get().splitlines()


@pytest.mark.parametrize("width", [20, 40, 80, 200])
def test_the_bar_fits_every_width_and_tells_the_most_wanted_first(width: int) -> None:
    bar, numbers, *counters = shown_at(width, PROGRESS)
    assert all(len(line) <= width for line in (bar, numbers, *counters))
    assert bar.startswith("cs.LG, 20"[: width // 2])
    assert bar.endswith("~41%")
    assert numbers.startswith("1,234,567 of ~3,012"[:width])
    if width >= 80:
        assert bar.startswith("cs.LG, 2026-11-14 to now (2 of 21) ━━━")
        assert numbers == "1,234,567 of ~3,012,345 papers, 433/s, 1 h 08 min left"
        assert ", ".join(counters) == (
            "new 1,200,000, changed 30,000, unchanged 4,567, rejects 3, withdrawn 812"
        )
    if width == 80:
        assert len(counters) == 1


def test_text_from_outside_moves_no_cursor() -> None:
    hostile = RunProgress(NAME.run, NAME.job, NOW, NOW, part=ANY, part_number=1, parts=1)
    assert_safe(one_line(hostile))
    for line in shown_at(200, hostile):
        assert_safe(line)


class Watching(DirectSteps):
    """Keeps what steps are shown, and tells of it."""

    def __init__(self) -> None:
        self.seen: list[RunProgress] = []
        self.has_seen = threading.Event()

    def show(self, progress: RunProgress) -> None:
        self.seen.append(progress)
        if progress.done:
            self.has_seen.set()


TODAY = datetime.now(UTC).date()


def harvest(folder: Path, server: ArxivServer, first: date, steps: DirectSteps) -> None:
    jobs.backfill_categories(config_for(folder, server), ["all"], first, steps=steps)


def test_a_harvest_expects_what_the_days_of_its_list_tell(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    told: list[tuple[int, int | None, bool]] = []
    expect = ProgressMeter.expect

    def note(meter: ProgressMeter, left: int | None, *, is_estimate: bool = False) -> None:
        expect(meter, left, is_estimate=is_estimate)
        read = meter.read(NAME, NOW)
        told.append((read.done, read.expected, read.is_estimate))

    monkeypatch.setattr(ProgressMeter, "expect", note)
    first = TODAY - timedelta(9)
    with ArxivServer(make_library(200, 3, first, 10), today=TODAY, page_size=50) as server:
        harvest(tmp_path, server, first, DirectSteps())
    assert [done for done, _, _ in told] == [50, 100, 150, 200, 200]
    assert [about for *_, about in told] == [True, True, True, False, False]
    # Papers are spread evenly over the days here.
    assert all(150 <= (expected or 0) <= 300 for _, expected, _ in told)
    assert told[-1] == (200, 200, False)


def test_the_size_of_a_list_is_known_where_the_server_says_it(tmp_path: Path) -> None:
    window, later = Window(None, TODAY, TODAY), Window(None, TODAY, None)
    some = [Reject(n, None, "", b"") for n in range(20)]

    def take(run: Run, *windows: Window) -> tuple[int | None, bool]:
        expected = ExpectedPapers(run, windows)
        expected.begin(window)
        run.progress.add(Counts(rejects=20))
        expected.take(window, Page([], some, "next", 70))
        read = run.progress.read(NAME, NOW)
        return read.expected, read.is_estimate

    with open_run("backfill", config_in(tmp_path)) as run:
        assert take(run, window) == (70, False)
    with open_run("backfill", config_in(tmp_path)) as run:
        assert take(run, window, later) == (140, True)


def snapshot(folder: Path, lines: int) -> Path:
    file = folder / "snapshot.json"
    file.write_bytes(text(*(f"2201.{number:05}" for number in range(1, lines + 1))))
    return file


def test_progress_is_counted_by_units_and_not_by_papers(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """So it costs the more papers the less: 40 calls for a unit of any size."""
    calls = 0

    def counting(method: Any) -> Any:
        def counted(*args: Any, **named: Any) -> Any:
            nonlocal calls
            calls += 1
            return method(*args, **named)

        return counted

    for name in ("begin", "add", "reach", "expect"):
        monkeypatch.setattr(ProgressMeter, name, counting(getattr(ProgressMeter, name)))
    made = []
    for number, lines in enumerate((60, 600)):
        folder = tmp_path / f"{number}"
        folder.mkdir()
        calls = 0
        limits = Limits(part_lines=lines // 6)
        config = config_in(folder, limits=limits)
        jobs.backfill_snapshot(config, snapshot(folder, lines), Selection())
        made.append(calls)
    assert made[0] == made[1] <= 6 * 3 + 5


def test_the_lines_of_a_snapshot_are_known_before_the_first_and_resumed_from(
    tmp_path: Path,
) -> None:
    file, limits = snapshot(tmp_path, 100), Limits(part_lines=10, parts_a_step=1)
    file.write_bytes(file.read_bytes().removesuffix(b"\n"))  # the last one needs no line's end

    class StoppedError(Exception):
        pass

    def stop(steps: int) -> None:
        if steps == 4:
            raise StoppedError

    config = config_in(tmp_path, limits=limits)
    with pytest.raises(StoppedError):
        jobs.backfill_snapshot(config, file, Selection(), jobs.WatchedSteps(stop))
    layout = Layout(tmp_path / "data")
    stopped = newest_run(layout)
    assert stopped
    assert (stopped.progress.done, stopped.progress.expected) == (40, 100)
    assert stopped.progress.state is RunState.FAILED
    steps = Watching()
    jobs.backfill_snapshot(config, file, Selection(frozenset(["cs.LG"])), steps)
    assert (steps.seen[-1].done, steps.seen[-1].noun) == (100, "lines")
    first: list[int] = []
    meter_expect = ProgressMeter.expect

    def note(meter: ProgressMeter, left: int | None, *, is_estimate: bool = False) -> None:
        meter_expect(meter, left, is_estimate=is_estimate)
        first.append(meter.read(NAME, NOW).done)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(ProgressMeter, "expect", note)
        jobs.backfill_snapshot(config, file, Selection(), steps)
    assert first == [40]
    last = steps.seen[-1]
    assert (last.done, last.expected, last.share, last.state) == (100, 100, 1.0, RunState.DONE)


def test_without_a_terminal_a_line_comes_every_half_minute_and_at_the_end(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    assert shown.LINE_SECONDS == 30
    monkeypatch.setattr(shown, "LINE_SECONDS", 0.01)
    monkeypatch.setattr(shown, "STEP_SECONDS", 0.01)
    with ArxivServer(make_library(60, 3, TODAY, 1), today=TODAY, page_size=20) as server:
        steps = Watching()

        def hold(seen: Seen) -> None:
            """Answer the list once the pages before it were seen."""
            if seen.query.get("verb") == "ListIdentifiers":
                steps.has_seen.wait(60)

        server.on_request = hold
        with caplog.at_level(logging.INFO, "pith_ingest"):
            harvest(tmp_path, server, TODAY, steps)
    numbers = [line for line in caplog.messages if " papers" in line]
    assert len(numbers) > 1
    assert numbers[-1].startswith("60 of 60 papers, ")
    assert "new 60, changed 0, unchanged 0" in numbers[-1]
    assert steps.has_seen.is_set()
    assert steps.seen[-1].share == 1.0


def test_what_shows_it_can_be_slow_and_can_fail(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A server that is away keeps only its own thread, and a disk that is full only the file."""
    monkeypatch.setattr(shown, "STEP_SECONDS", 0.001)
    monkeypatch.setattr(shown, "END_SECONDS", 0.01)
    released = threading.Event()

    class Slow(DirectSteps):
        def show(self, _: RunProgress) -> None:
            released.wait(120)

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("flows.store.files.local.LocalFiles.write_often", full)
    report = jobs.backfill_snapshot(config_in(tmp_path), snapshot(tmp_path, 5), Selection(), Slow())
    released.set()
    assert report.counts.new_records == 5
    assert newest_run(Layout(tmp_path / "data")) is None


def test_run_json_is_whole_for_every_reader_and_garbage_is_nothing(tmp_path: Path) -> None:
    layout = Layout(tmp_path)
    run_file.write_run_file(layout, PROGRESS)
    found = read_run_file(layout, PROGRESS.run)
    assert found
    assert (found.progress, found.process) == (PROGRESS, this_process())
    assert [path.name for path in tmp_path.rglob("*") if path.is_file()] == ["run.json"]
    path = tmp_path / "runs" / PROGRESS.run / "run.json"
    whole = path.read_bytes()
    for cut in range(0, len(whole) - 2, 7):
        path.write_bytes(whole[:cut])
        assert read_run_file(layout, PROGRESS.run) is None
    for name in json.loads(whole)["progress"]:
        values: list[Any] = [[], {}, "\ud800", -1e400, "running"]
        for value in values:
            document = json.loads(whole)
            document["progress"][name] = value
            path.write_text(json.dumps(document))
            if hostile := read_run_file(layout, PROGRESS.run):
                assert_safe(one_line(hostile.progress))
    for bad in (b"\xff", b"[" * 100_000, b'{"progress": 1}'):
        path.write_bytes(bad)
        assert read_run_file(layout, PROGRESS.run) is None
    assert read_run_file(layout, "none") is None


def test_a_run_goes_on_while_its_own_process_is_there(tmp_path: Path) -> None:
    layout = Layout(tmp_path)
    run_file.write_run_file(layout, PROGRESS)
    found = read_run_file(layout, PROGRESS.run)
    assert found
    later = NOW + timedelta(hours=5)
    assert is_under_way(found, later)
    # Its number is another process's by now.
    reused = replace(found, process=replace(found.process, started=found.process.started + 1))
    assert not is_under_way(reused, NOW)
    gone = replace(found, process=replace(found.process, pid=2**22 + 7))
    assert not is_under_way(gone, NOW)
    # Of another machine only its last word tells.
    elsewhere = replace(found, process=replace(found.process, host="another"))
    assert is_under_way(elsewhere, NOW + timedelta(seconds=60))
    assert not is_under_way(elsewhere, later)
    for state in (RunState.DONE, RunState.STOPPED, RunState.FAILED):
        over = replace(found, progress=replace(PROGRESS, state=state))
        assert not is_under_way(over, NOW)
    # Without /proc a process is asked for by its number.
    unknown = replace(found, process=replace(found.process, started=0))
    assert is_under_way(unknown, NOW)
    assert not is_under_way(replace(unknown, process=replace(gone.process, started=0)), NOW)
    assert not is_under_way(replace(unknown, process=replace(gone.process, pid=2**70)), NOW)
