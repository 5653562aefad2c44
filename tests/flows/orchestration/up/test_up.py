"""`pith-ingest up` with Prefect's real server: what is killed is back, what ran goes on."""

import json
import os
import signal
import socket
import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from threading import Event

import pytest
from arxiv_server import ArxivServer, make_library
from arxiv_server.papers.plan import Seen
from support.commands.command import assert_one_sentence, run
from support.registry.running_up import FULL, PATIENCE, Up, in_session, running_up
from support.runs.real_prefect import is_over, state_of, write_config
from support.runs.runs import assert_whole, rows

from flows.orchestration.up.parts import NAMES

pytestmark = pytest.mark.prefect

TODAY = datetime.now(UTC).date()
PAPERS = 60
ROUNDS = 10 if FULL else 1


class HeldArxiv:
    """An imitation of arXiv that answers no second page of a list until it may."""

    def __init__(self) -> None:
        library = make_library(PAPERS, 3, TODAY - timedelta(2), 3)
        self.server = ArxivServer(library, today=TODAY, page_size=20)
        self.server.on_request = self._hold
        self.is_held, self.may_go = Event(), Event()

    def _hold(self, seen: Seen) -> None:
        if "resumptionToken" in seen.query and not self.may_go.is_set():
            self.is_held.set()
            self.may_go.wait()  # as long as Prefect takes

    def hold_again(self) -> None:
        self.is_held.clear()
        self.may_go.clear()


@pytest.fixture
def arxiv() -> Iterator[HeldArxiv]:
    held = HeldArxiv()
    with held.server:
        yield held
        held.may_go.set()


@pytest.fixture
def folder(tmp_path: Path, arxiv: HeldArxiv) -> Path:
    write_config(tmp_path, arxiv.server.url)
    return tmp_path


def until_gone(sessions: list[int]) -> None:
    """Wait until no process of these sessions is left."""
    until = time.monotonic() + PATIENCE
    while left := [words for session in sessions for words in in_session(session)]:
        assert time.monotonic() < until, left
        time.sleep(0.05)


def assert_answers(up: Up) -> None:
    """Show that `--check` says so too, that a second one is refused, and that HOME stays empty."""
    words = ("up", "--data", up.folder / "data", "--config", up.folder / "config.yaml")
    healthy = run(up.folder, *words, "--check")
    assert (healthy.returncode, healthy.stdout.count("  healthy\n")) == (0, 3), healthy.stdout
    document = json.loads(run(up.folder, *words, "--check", "--json").stdout)
    assert (document["healthy"], document["process"]) == (True, up.process.pid)
    second = run(up.folder, *words)
    assert second.returncode == 2
    assert_one_sentence(second, f"runs for this data folder already (process {up.process.pid})")
    assert not (up.folder / ".prefect").exists()
    assert (up.folder / "data" / "prefect").stat().st_mode & 0o77 == 0


def start_and_hold(up: Up, arxiv: HeldArxiv) -> str:
    """Start a night, and return its id when it waits for arXiv in the middle of a list."""
    run_id = up.api.start("nightly/pith-nightly")
    up.until(arxiv.is_held.is_set, "the run asks for its second page")
    return run_id


def test_what_is_killed_is_back_and_the_run_under_way_goes_on(
    folder: Path, arxiv: HeldArxiv
) -> None:
    with running_up(folder) as up:
        assert_says_what_is_not_there_yet(up)
        up.wait_for("all three are healthy")
        assert_answers(up)
        night = start_and_hold(up, arxiv)
        for _ in range(ROUNDS):
            up.kill("site")
        for _ in range(ROUNDS - 1):
            up.kill("prefect")
        for times in range(1, ROUNDS):
            kill_in_the_run(up, arxiv, "jobs", times=times)
        kill_in_the_run(up, arxiv, "jobs", "prefect", times=ROUNDS)
        if FULL:
            print(up.figures())
            assert [len(up.seconds[part]) for part in NAMES] == [ROUNDS] * 3
            arxiv.may_go.set()
            up.until(partial(is_over, up.api, night), "the end of the run")
            assert state_of(up.api, night) == "Completed"
            assert len(rows(folder, "papers")) == PAPERS
            arxiv.hold_again()
            night = start_and_hold(up, arxiv)
        assert_stops_in_order(up, night)
    assert_whole(folder)


def kill_in_the_run(up: Up, arxiv: HeldArxiv, *parts: str, times: int) -> None:
    """Kill parts, and wait until the run that ended with them, so often by now, is there again."""
    arxiv.is_held.clear()
    up.kill(*parts)
    assert up.count("was interrupted: it goes on where it stopped") == times
    up.until(arxiv.is_held.is_set, "the run goes on")


def assert_says_what_is_not_there_yet(up: Up) -> None:
    up.wait_for("starting prefect, jobs, site")
    done = run(up.folder, "up", "--check", "--data", up.folder / "data")
    assert done.returncode == 1
    assert "jobs     http://127.0.0.1" in done.stdout
    assert "not healthy: Prefect's server does not tell" in done.stdout


def assert_stops_in_order(up: Up, run_id: str) -> None:
    """Stop all while a run waits for arXiv: it ends in order, and the next start knows of it."""
    sessions = list(up.pids().values())
    assert up.end(signal.SIGINT) == 0
    assert [words for session in sessions for words in in_session(session)] == []
    stopped = [line for line in up.lines() if line.endswith(" has stopped")]
    assert [line.split()[-3] for line in stopped] == ["jobs", "site", "prefect"]
    assert up.lines()[-1].endswith(" all has stopped, and nothing is left running")
    data = up.folder / "data"
    assert not (data / "prefect" / "up.running").exists()
    assert not (data / ".writer.json").exists()  # which a run that is killed leaves
    with closing(sqlite3.connect(data / "prefect" / "prefect.db")) as database:
        query = "SELECT type, message FROM flow_run_state WHERE flow_run_id = ? ORDER BY timestamp"
        (*_, last) = database.execute(query, (run_id,))
    assert last == ("SCHEDULED", "ended with serve, goes on from there")


def test_a_run_can_be_cancelled_after_prefects_server_was_away(
    folder: Path, arxiv: HeldArxiv
) -> None:
    with running_up(folder) as up:
        up.wait_for("all three are healthy")
        night = start_and_hold(up, arxiv)
        arxiv.is_held.clear()
        with socket.socket() as taken:  # which refuses connections, for it does not listen
            os.kill(up.pids()["prefect"], signal.SIGKILL)
            up.wait_for("prefect has ended")
            taken.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            taken.bind(("127.0.0.1", up.prefect_port))
            taken.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 0)  # nobody else takes it
            up.wait_for("jobs .*cancellation will fail")
            up.wait_for("prefect has ended .* in 4 s")
        up.wait_for("jobs was stopped, for it may have given up prefect, which was away")
        up.until(arxiv.is_held.is_set, "the run goes on")
        up.api.ask(f"flow_runs/{night}/set_state", state={"type": "CANCELLING"})
        up.until(partial(is_over, up.api, night), "the run is cancelled")
        assert state_of(up.api, night) == "Cancelled"
        assert up.count("jobs is not healthy") == 0
        assert up.end(signal.SIGINT) == 0


@pytest.mark.skipif(not FULL, reason="it takes minutes: FULL=1 runs it")
@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM, signal.SIGHUP])
def test_a_run_goes_on_after_up_has_ended_in_whatever_way(
    folder: Path, arxiv: HeldArxiv, number: signal.Signals
) -> None:
    with running_up(folder) as up:
        up.wait_for("all three are healthy")
        night = start_and_hold(up, arxiv)
        sessions = list(up.pids().values())
        assert up.end(number) == (-9 if number == signal.SIGKILL else 0)
        until_gone(sessions)
    arxiv.is_held.clear()
    with running_up(folder) as up:
        up.wait_for("all three are healthy")
        up.until(arxiv.is_held.is_set, "the run goes on")
        arxiv.may_go.set()
        up.until(partial(is_over, up.api, night), "the end of the run")
        assert state_of(up.api, night) == "Completed"
        assert len(rows(folder, "papers")) == PAPERS
        assert up.end(signal.SIGINT) == 0
    assert_whole(folder)
