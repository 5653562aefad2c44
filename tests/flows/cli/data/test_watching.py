"""A run seen by a person: the bar on its terminal, lines in a pipe, and from another terminal."""

import os
import re
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import pytest
from arxiv_server import ArxivServer, make_library
from arxiv_server.papers.plan import Seen
from support.commands.command import environment
from support.commands.live_terminal import LiveTerminal
from support.paths import ROOT
from support.runs.runs import assert_whole

pytestmark = pytest.mark.process

TODAY = datetime.now(UTC).date()
PAPERS, A_PAGE = 60, 10
HARVEST = ["backfill", "--category", "all", "--from", str(TODAY)]
PATIENCE = 120


@dataclass
class Gate:
    """Lets the pages of a list through, but for those after the `open_for`th, which wait."""

    open_for: int = 3
    is_open: threading.Event = field(default_factory=threading.Event)
    waits: threading.Event = field(default_factory=threading.Event)
    pages: int = 0

    def pass_(self, seen: Seen) -> None:
        if seen.query.get("verb") == "ListRecords":
            self.pages += 1
            if self.pages > self.open_for:
                self.waits.set()
                self.is_open.wait(PATIENCE)


@pytest.fixture
def server() -> Iterator[ArxivServer]:
    library = make_library(PAPERS, 3, TODAY, 1)
    with ArxivServer(library, today=TODAY, page_size=A_PAGE) as running:
        yield running


@pytest.fixture
def gate(server: ArxivServer) -> Iterator[Gate]:
    gate = Gate()
    server.on_request = gate.pass_
    yield gate
    gate.is_open.set()


def start(folder: Path, server: ArxivServer, *words: str) -> subprocess.Popen[str]:
    """Start a command without a terminal."""
    return subprocess.Popen(
        [sys.executable, "-m", "flows.cli.main", *words],
        cwd=ROOT, env=environment(folder, server), text=True,
        stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    )  # fmt: skip


def say(folder: Path, server: ArxivServer, *words: str) -> tuple[int, str]:
    done = start(folder, server, *words)
    out, err = done.communicate(timeout=PATIENCE)
    assert "\x1b" not in out + err
    return done.returncode, out + err


def assert_tidy(terminal: LiveTerminal, columns: int) -> None:
    """Assert that no line was wider than the terminal while it had a bar, and no cursor."""
    assert len(terminal.live_lines) > 3
    assert [line for line in terminal.live_lines if len(line) > columns] == []


def done_of(terminal: LiveTerminal) -> list[int]:
    """Return how many papers the bar said to be done, in order."""
    found = [re.match(r"([\d,]+) of ~?[\d,]+ papers", line) for line in terminal.lines]
    return [int(one[1].replace(",", "")) for one in found if one]


def test_a_harvest_has_a_bar_is_stopped_and_goes_on_where_it_was(
    tmp_path: Path, server: ArxivServer, gate: Gate
) -> None:
    env = environment(tmp_path, server)
    with LiveTerminal(tmp_path, *HARVEST, env=env) as first:
        # One more than came is expected once the page is noted as taken, not just committed.
        first.wait_for("30 of ~31 papers")
        first.press("\x03")
        assert first.finish() == 130
    assert_tidy(first, 80)
    shown = "\n".join(first.lines)
    assert f"all of arXiv, {TODAY} to now ━━" in shown
    # Between them what it waits for, where the key came before the page's files were written.
    last = r"\n30 of .*\nnew 30, .*\n(Ctrl-C: .*\n)?pith-ingest: stopped by Ctrl-C; "
    assert re.search(last, shown)
    assert "what it committed is kept (30 new records)" in shown
    gate.is_open.set()
    again = Gate(open_for=0)
    server.on_request = again.pass_
    with LiveTerminal(tmp_path, *HARVEST, columns=40, env=env) as second:
        # The page before the stop is read again; those before it are done.
        second.wait_for("^20 papers$")
        again.is_open.set()
        assert second.finish() == 0
    assert_tidy(second, 40)
    assert done_of(second)[-1] == 60
    assert [line for line in second.lines if "━" in line][-1].endswith("100%")
    assert_whole(tmp_path)


def test_a_run_is_watched_from_other_terminals_until_it_ends(
    tmp_path: Path, server: ArxivServer, gate: Gate
) -> None:
    assert say(tmp_path, server, "status", "--watch") == (0, "no run is under way\n")
    env, watch = environment(tmp_path, server), ("status", "--watch")
    with ExitStack() as opened:
        run = opened.enter_context(start(tmp_path, server, *HARVEST))
        assert gate.waits.wait(PATIENCE)
        watching = opened.enter_context(LiveTerminal(tmp_path, *watch, columns=60, env=env))
        watching.wait_for(r"30 of ~?\d+ papers")
        with LiveTerminal(tmp_path, *watch, env=env) as left:
            left.wait_for("papers")
            left.press("\x03")
            assert left.finish() == 130
        assert left.lines[-1] == "pith-ingest: stopped by Ctrl-C; the run that it watched goes on"
        with start(tmp_path, server, "status", "--watch") as piped:
            status, told = say(tmp_path, server, "status")
            assert status == 0
            assert re.search(r"-backfill-....: under way: all of arXiv.*: 30 of ~?\d+ pap", told)
            gate.is_open.set()
            assert watching.finish() == 0
            out, err = piped.communicate(timeout=PATIENCE)
        assert piped.returncode == 0
        _, err = run.communicate(timeout=PATIENCE)
        assert run.returncode == 0
    assert err.splitlines()[-1].startswith("60 of 60 papers, ")
    assert_tidy(watching, 60)
    assert re.search(r"^run \S+-backfill-....: done$", watching.lines[-1])
    assert "60 of 60 papers, " in "\n".join(watching.lines)
    assert re.search(r"-backfill-....(: done$|\ndone: 60 of 60 papers, )", out)
    last = r"^no run is under way; the last one was \S+-backfill-....\ndone: 60 of 60 papers, "
    assert re.search(last, say(tmp_path, server, "status", "--watch")[1])
    assert "all is well" in say(tmp_path, server, "doctor", "--full")[1]


def test_a_run_that_was_killed_is_noticed(tmp_path: Path, server: ArxivServer, gate: Gate) -> None:
    with start(tmp_path, server, *HARVEST) as run:
        assert gate.waits.wait(PATIENCE)
        with LiveTerminal(
            tmp_path, "status", "--watch", env=environment(tmp_path, server)
        ) as watching:
            watching.wait_for(r"30 of ~?\d+ papers")
            run.kill()
            assert watching.finish() == 1
    gone = r"run \S+-backfill-....: gone without a word since 20.* UTC"
    *_, how, then = watching.lines
    assert re.search(gone, how)
    assert then == "the same command goes on from there"
    assert re.search(rf"{gone}: .*: 30 of ~?\d+ papers, ", say(tmp_path, server, "status")[1])
    gate.is_open.set()
    status, told = say(tmp_path, server, *HARVEST)
    assert status == 0
    assert "30 new records" in told
    assert_whole(tmp_path)


COMMITTING = """
import sys
from datetime import UTC, datetime
from flows.cli import main as cli
from flows.common.process.signals import unbroken
from flows.ingest.progress.bar import live_bar
from flows.ingest.progress.value import RunProgress
def work():
    now = datetime.now(UTC)
    done = [0]
    with live_bar(lambda: RunProgress("run", "backfill", now, now, done=done[0])), unbroken():
        done[0] = 7  # so the bar tells that the commit is under way
        sys.stdin.readline()
        print("committed", flush=True)
cli._run = work
cli.main()
"""


@pytest.mark.parametrize("again", ["\n", "\x03"], ids=["waiting", "at once"])
def test_ctrl_c_says_at_once_what_it_waits_for(tmp_path: Path, again: str) -> None:
    waits = "^Ctrl-C: stopping after the commit under way; Ctrl-C again ends it at once$"
    with LiveTerminal(tmp_path, "-c", COMMITTING, env=dict(os.environ)) as terminal:
        terminal.wait_for("7 papers")
        terminal.press("\x03")
        terminal.wait_for(waits)
        terminal.press(again)
        assert terminal.finish() == 130
    assert_tidy(terminal, 80)
    assert ("committed" in "\n".join(terminal.lines)) == (again == "\n")
    farewell = " ".join(map(str.strip, terminal.lines[-2:]))  # of more than 80 columns
    assert "pith-ingest: stopped by Ctrl-C; what was kept stays" in farewell
