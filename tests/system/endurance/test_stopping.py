"""Ctrl-C and SIGTERM at many moments: one line, its status, nothing left over, and it goes on."""

import os
import random
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from arxiv_server import ArxivServer, make_library
from filelock import FileLock, Timeout
from support.papers.golden_data import GOLDEN
from support.papers.oai_pages import page, record
from support.papers.snapshot_rows import line, row
from support.paths import ROOT
from support.runs.runs import assert_whole, bundle_files, process, rows

from flows.store.catalog.catalog import Catalog

pytestmark = pytest.mark.process

FULL = bool(os.environ.get("FULL"))
PAPERS = 700
IDS = [f"2201.{number:05}" for number in range(1, PAPERS + 1)]
# What else a run may say meanwhile: progress, its new key, its folder, what it recovered.
OTHER_LINES = re.compile(
    r"(.+: )?[\d,]+( of ~?[\d,]+)? papers?(, |$)|made a signing key in |data folder: "
    r"|completed the bundle files "
)
PATIENCE = 120


@pytest.fixture(scope="module")
def snapshot_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Write few papers that take many parts: abstracts of 100 kB."""
    file = tmp_path_factory.mktemp("snapshot") / "snapshot.json"
    with file.open("wb") as lines:
        for arxiv_id in IDS:
            lines.write(line(row(arxiv_id, abstract=f"{arxiv_id} " * 9000)))
    return file


class Command:
    """A command in a process group of its own, as a terminal runs it."""

    def __init__(self, folder: Path, *words: str | Path, **env: str) -> None:
        own = ("PITH_", "PREFECT_")
        clean = {name: value for name, value in os.environ.items() if not name.startswith(own)}
        settings = {"PITH_IDENTITY__KEY_FILE": str(folder / "signing.key"), "HOME": str(folder)}
        nowhere = {"PREFECT_PROFILES_PATH": os.devnull}
        self.process = subprocess.Popen(
            [sys.executable, "-m", "flows.cli.main", *map(str, words)],
            cwd=ROOT,
            env={**clean, **settings, **nowhere, **env},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )

    def wait_for(self, what: Callable[[], object]) -> None:
        """Wait for a moment of which the file system or the kernel tells."""
        deadline = time.monotonic() + PATIENCE
        while not what():
            assert self.process.poll() is None, self.process.communicate()
            assert time.monotonic() < deadline, "the moment never came"
            time.sleep(0.001)

    def listens(self) -> bool:
        """Tell whether it has a handler of SIGTERM yet."""
        return is_caught(self.process.pid, signal.SIGTERM)

    def stop(self, number: signal.Signals, *, group: bool) -> str:
        """Send a signal, and return what was said once the whole session is gone."""
        (os.killpg if group else os.kill)(self.process.pid, number)
        # To the end of standard error, which workers would hold open.
        out, err = self.process.communicate(timeout=PATIENCE)
        name = {signal.SIGINT: "Ctrl-C", signal.SIGTERM: "SIGTERM"}[number]
        assert self.process.returncode == 128 + number, (out, err)
        *others, said = err.splitlines()
        assert said.startswith(f"pith-ingest: stopped by {name}; "), err
        assert said.endswith(("the same command begins again", " goes on from there", " others"))
        assert [each for each in others if not OTHER_LINES.match(each)] == [], err
        return said

    def finish(self) -> str:
        """Return what it printed, having ended well."""
        out, err = self.process.communicate(timeout=PATIENCE)
        assert (self.process.returncode, "Traceback" in err) == (0, False), err
        return out


def is_caught(pid: int, number: signal.Signals) -> bool:
    """Tell whether a process has a handler of a signal."""
    status = Path(f"/proc/{pid}/status").read_text()
    caught = int(re.findall(r"SigCgt:\s*(\w+)", status)[0], 16)
    return bool(caught >> (number - 1) & 1)


def assert_nothing_left_over(folder: Path) -> None:
    """Assert that no file lies there which no commit knows."""
    data = folder / "data"
    if not (data / "catalog.sqlite").exists():
        return
    assert [path for path in data.rglob("*") if path.suffix == ".tmp"] == []
    assert not (data / ".writer.json").exists()
    assert not (data / ".shared").exists()
    catalog = Catalog.open(data / "catalog.sqlite", read_only=True)
    tables = {path.stem for path in (data / "tables").rglob("*.parquet")}
    assert tables == catalog.shard_names()
    catalog.close()


def children(pid: int) -> list[int]:
    """Return the processes below one."""
    found = []
    for children_of in Path(f"/proc/{pid}/task").glob("*/children"):
        for child in map(int, children_of.read_text().split()):
            found += [child, *children(child)]
    return found


class Backfill(Command):
    """A backfill of the snapshot, and moments within it."""

    def __init__(self, folder: Path, file: Path, **env: str) -> None:
        self.folder = folder
        self.shards = self._count("tables/papers/*.parquet")
        self.files = self._count("bundles/*/*/*.json")
        words: list[str | Path] = ["backfill", "--snapshot", file, "--data", folder / "data"]
        super().__init__(folder, *words, PITH_WORKERS="2", **env)

    def _count(self, pattern: str) -> int:
        return sum(1 for _ in (self.folder / "data").glob(pattern))

    def moments(self) -> Mapping[str, Callable[[], bool]]:
        return {
            "the start": self.listens,
            "the lock": lambda: bool(self._count(".writer.json")),
            "workers are born": lambda: len(children(self.process.pid)) >= 3,
            "workers compute": lambda: bool(self._count("tables/papers/.*.tmp")),
            "the first commit": self._has_committed,
            # Before that it may be those of the run before.
            "bundle files": lambda: (
                self._has_committed() and self._count("bundles/*/*/*.json") > self.files
            ),
        }

    def _has_committed(self) -> bool:
        return self._count("tables/papers/*.parquet") > self.shards


MOMENTS = [
    "the start", "the lock", "workers are born", "workers compute", "the first commit",
    "bundle files",
]  # fmt: skip


def kept(said: str) -> int:
    """Return how many new records the line says are kept."""
    found = re.findall(r"\((\d+) new records\)", said)
    return int(found[0]) if found else 0


@pytest.mark.parametrize("moment", MOMENTS)
def test_a_backfill_that_is_stopped_keeps_what_it_says_and_goes_on(
    tmp_path: Path, snapshot_file: Path, moment: str
) -> None:
    choose = random.Random(moment)
    for number, group in [(signal.SIGINT, True), (signal.SIGTERM, False)] * (5 if FULL else 1):
        before = len(rows(tmp_path, "papers"))
        if before == len(IDS):
            break  # on a busy machine the first stop came after the last commit
        command = Backfill(tmp_path, snapshot_file)
        command.wait_for(command.moments()[moment])
        if moment != "the lock":  # behind which the bundle files of the run before may be due
            # A moment that no event marks.
            time.sleep(choose.uniform(0, 0.05))
        said = command.stop(number, group=group)
        assert_nothing_left_over(tmp_path)
        assert len(rows(tmp_path, "papers")) == before + kept(said)
    Backfill(tmp_path, snapshot_file).finish()
    assert sorted(row["arxiv_id"] for row in rows(tmp_path, "papers")) == IDS
    assert_whole(tmp_path)


@pytest.mark.parametrize(
    ("number", "group"), [(signal.SIGTERM, True), (signal.SIGINT, False)], ids=["group", "alone"]
)
def test_a_cluster_of_its_own_ends_with_the_run(
    tmp_path: Path, snapshot_file: Path, number: signal.Signals, *, group: bool
) -> None:
    for moment in ("workers are born", "the first commit"):
        command = Backfill(tmp_path, snapshot_file, PITH_RUNNER="dask")
        command.wait_for(command.moments()[moment])
        command.stop(number, group=group)
        assert_nothing_left_over(tmp_path)
    Backfill(tmp_path, snapshot_file).finish()
    assert sorted(row["arxiv_id"] for row in rows(tmp_path, "papers")) == IDS
    assert_whole(tmp_path)


TODAY = datetime.now(UTC).date()


@pytest.fixture
def server() -> Iterator[ArxivServer]:
    with ArxivServer(make_library(60, 3, TODAY - timedelta(2), 3), today=TODAY) as running:
        yield running


def paced(folder: Path, server: ArxivServer, seconds: int) -> dict[str, str]:
    return {
        "PITH_ARXIV__OAI_URL": server.oai_url,
        "PITH_ARXIV__ATOM_URL": server.atom_url,
        "PITH_ARXIV__PACE_SECONDS": f"{seconds}",
        "PITH_ARXIV__PACE_FILE": str(folder / "pace"),
    }


@pytest.mark.parametrize("job", ["nightly", "rerun"])
def test_who_waits_at_the_pace_is_stopped_at_once(
    tmp_path: Path, server: ArxivServer, job: str
) -> None:
    ids = [work.id for work in server.library.works()[:2]] if job == "rerun" else []
    words: list[str | Path] = [job, *ids, "--data", tmp_path / "data"]
    for number, group in ((signal.SIGINT, True), (signal.SIGTERM, False)):
        (tmp_path / "pace.last").unlink(missing_ok=True)
        # Much longer than what is waited for its end.
        command = Command(tmp_path, *words, **paced(tmp_path, server, 10 * PATIENCE))
        command.wait_for((tmp_path / "pace.last").exists)
        command.wait_for(lambda: not is_locked(tmp_path / "pace"))
        command.stop(number, group=group)
        assert_nothing_left_over(tmp_path)
    done = Command(tmp_path, *words, **paced(tmp_path, server, 0)).finish()
    assert f"{2 if ids else 60} papers " in done
    assert_whole(tmp_path)


def is_locked(file: Path) -> bool:
    """Tell whether a request is being made: the pace is waited for without its lock."""
    try:
        with FileLock(file, timeout=0):
            return False
    except Timeout:
        return True


def test_verifying_is_stopped_where_it_waits_and_where_it_works(tmp_path: Path) -> None:
    waiting = Command(tmp_path, "verify", "--trust", "pith.science", "-")
    waiting.wait_for(waiting.listens)
    assert "what was kept stays" in waiting.stop(signal.SIGINT, group=True)
    many, one = tmp_path / "many", tmp_path / "one.json"
    one.write_bytes(GOLDEN[0].data)
    many.mkdir()
    for number in range(2000):  # more lines than a pipe holds that nobody reads
        (many / f"{number}.json").hardlink_to(one)
    working = Command(tmp_path, "verify", "--trust", "pith.science", many)
    assert working.process.stdout
    assert "valid, trusted" in working.process.stdout.readline()
    working.stop(signal.SIGTERM, group=False)


def test_an_export_that_is_stopped_leaves_only_whole_files(tmp_path: Path) -> None:
    ids = [f"2201.{number:05}" for number in range(1, 31)]
    process(tmp_path, *(page(*map(record, ids[at : at + 10])) for at in range(0, 30, 10)))
    whole, to = bundle_files(tmp_path), tmp_path / "to"
    # It reads what lies there, so it waits at this one.
    waiting = to / next((tmp_path / "data" / "bundles").glob("*/*/*.json")).relative_to(
        tmp_path / "data" / "bundles"
    )
    waiting.parent.mkdir(parents=True)
    words: list[str | Path] = ["export", "--all", "--data", tmp_path / "data", "--to", to]
    for number in (signal.SIGINT, signal.SIGTERM):
        os.mkfifo(waiting)
        command = Command(tmp_path, *words)
        command.wait_for(lambda: has_reader(waiting))
        said = command.stop(number, group=True)
        assert "the bundle files that it wrote are whole, and the same command goes on" in said
        waiting.unlink()
        files = [path for path in to.rglob("*") if path.is_file()]
        assert all(path.read_bytes() == whole[path.stem] for path in files)
    assert f"there already {len(files)}" in Command(tmp_path, *words).finish()
    assert {path.stem: path.read_bytes() for path in to.rglob("*.json")} == whole


def has_reader(fifo: Path) -> bool:
    """Tell whether a process waits to read; from now on it waits for bytes."""
    try:
        os.open(fifo, os.O_WRONLY | os.O_NONBLOCK)
    except OSError:
        return False
    return True


def test_the_start_can_be_stopped_at_any_moment(tmp_path: Path) -> None:
    choose = random.Random(3)
    for _ in range(60 if FULL else 12):
        command = Command(tmp_path, "verify", "--trust", "pith.science", "-")
        command.wait_for(command.listens)
        # Moments that no event marks.
        time.sleep(choose.uniform(0, 0.3))
        command.stop(
            choose.choice([signal.SIGINT, signal.SIGTERM]), group=choose.choice([True, False])
        )


def test_a_signal_that_the_command_was_started_to_ignore_is_ignored(tmp_path: Path) -> None:
    words = ["sh", "-c", 'trap "" INT; exec "$@"', "sh", sys.executable, "-m", "flows.cli.main"]
    with subprocess.Popen(
        [*words, "verify", "--trust", "pith.science", "-"], cwd=ROOT, text=True,
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        env=os.environ | {"HOME": str(tmp_path)},
    ) as running:  # fmt: skip
        while not is_caught(running.pid, signal.SIGTERM):
            assert running.poll() is None
        running.send_signal(signal.SIGINT)
        out, err = running.communicate("{", timeout=PATIENCE)
    assert (running.returncode, err) == (2, "")
    assert "1 unreadable" in out


def run_script(text: str) -> subprocess.Popen[str]:
    """Run a function `work` as the command line runs a command, until it says that it is ready."""
    imports = "import sys, time; from flows.cli import main as cli"
    signals = "from flows.common.process import signals as stopping"
    words = [imports, signals, text, "cli._run = work"]
    running = subprocess.Popen(
        [sys.executable, "-c", "\n".join([*words, "cli.main()"])],
        cwd=ROOT, text=True,
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    )  # fmt: skip
    assert running.stdout
    assert running.stdout.readline() == "ready\n"
    return running


SAID = "pith-ingest: stopped by SIGTERM; what was kept stays, and the same command begins again\n"
DESTRUCTOR = """
class Slow:
    def __del__(self):
        print("ready", flush=True)
        time.sleep(600)
def work():
    Slow()
    time.sleep(600)
"""
COMMIT = """
def work():
    with stopping.unbroken():
        print("ready", flush=True)
        sys.stdin.readline()
        print("committed", flush=True)
    print("gone on", flush=True)
"""


def test_a_signal_that_comes_within_a_destructor_is_not_lost() -> None:
    with run_script(DESTRUCTOR) as running:
        running.terminate()
        out, err = running.communicate(timeout=PATIENCE)
    assert (running.returncode, out, err) == (143, "", SAID)


def test_a_commit_is_done_before_a_signal_counts() -> None:
    with run_script(COMMIT) as running:
        running.terminate()
        out, err = running.communicate("\n", timeout=PATIENCE)
    assert (running.returncode, out, err) == (143, "committed\n", SAID)


def test_a_second_signal_ends_a_command_at_once() -> None:
    with run_script(COMMIT) as running:
        while running.poll() is None:
            running.terminate()
        out, err = running.communicate(timeout=PATIENCE)
    assert (running.returncode, out, err) == (143, "", SAID)


def test_what_hid_the_cursor_shows_it_again_where_a_second_signal_ends_it() -> None:
    block = "with stopping.restoring(b'back\\n'), stopping.unbroken"
    restoring = COMMIT.replace("with stopping.unbroken", block)
    with run_script(restoring) as running:
        while running.poll() is None:
            running.terminate()
        out, err = running.communicate(timeout=PATIENCE)
    assert (running.returncode, out, err) == (143, "", f"back\n{SAID}")
