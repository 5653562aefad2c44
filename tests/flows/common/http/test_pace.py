"""The pace of requests, within one process and across several."""

import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from itertools import pairwise
from pathlib import Path

import pytest
from arxiv_server import ArxivServer, SlowFirstByte, make_library
from support.paths import ROOT

from flows.common.errors import ConfigError
from flows.common.http.pace import Pace

pytestmark = pytest.mark.process

_ASKING = """
import sys
from pathlib import Path
from flows.common.limits import RetryPolicy
from flows.sources.arxiv.oai_client import OaiClient
from flows.common.http.pace import Pace
url, lock_file, seconds, count = sys.argv[1:]
with OaiClient(url, "test", Pace(Path(lock_file), float(seconds)), RetryPolicy()) as client:
    print("ready", flush=True)
    sys.stdin.readline()
    for _ in range(int(count)):
        client.get_record("{}")
"""
_WAITING = """
import signal, sys
from pathlib import Path
from flows.common.http.pace import Pace
signal.signal(signal.SIGINT, signal.default_int_handler)
pace = Pace(Path(sys.argv[1]), 3600)
with pace.turn():
    pass
print("waiting", flush=True)
with pace.turn():
    pass
"""
_HOLDING = """
import sys
from pathlib import Path
from flows.common.http.pace import Pace
with Pace(Path(sys.argv[1]), 0.05).turn():
    print("holding", flush=True)
    sys.stdin.readline()
"""


@contextmanager
def running(code: str, *arguments: object) -> Iterator[subprocess.Popen[str]]:
    """Run a script of this project and await its first line."""
    command = [sys.executable, "-c", code, *map(str, arguments)]
    with subprocess.Popen(
        command, cwd=ROOT, text=True,
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    ) as process:  # fmt: skip
        try:
            assert process.stdout is not None
            assert process.stdout.readline()
            yield process
        finally:
            process.kill()


def go(process: subprocess.Popen[str]) -> None:
    assert process.stdin is not None
    process.stdin.write("go\n")
    process.stdin.flush()


def last_of(lock_file: Path) -> Path:
    return lock_file.with_name(f"{lock_file.name}.last")


@pytest.fixture
def lock_file(tmp_path: Path) -> Path:
    return tmp_path / "a folder to be made" / "arxiv.lock"


def turn_and_measure(pace: Pace) -> float:
    begun = time.monotonic()
    with pace.turn():
        return time.monotonic() - begun


def test_requests_stand_apart_by_the_pace(lock_file: Path) -> None:
    times = []
    for _ in range(4):
        # A new instance each time, as a new process has it.
        with Pace(lock_file, 0.1).turn():
            times.append(time.monotonic())
    assert all(later - earlier >= 0.1 for earlier, later in pairwise(times))


def test_the_first_request_does_not_wait(lock_file: Path) -> None:
    with Pace(lock_file, 3600).turn():
        pass


def test_the_pace_counts_from_the_end_also_of_a_failed_request(lock_file: Path) -> None:
    pace = Pace(lock_file, 0.1)

    def fail() -> None:
        with pace.turn():
            last_of(lock_file).write_text("0")
            raise ConnectionError

    began = time.time()
    with pytest.raises(ConnectionError):
        fail()
    assert float(last_of(lock_file).read_text()) >= began


@pytest.mark.parametrize(
    "content", [b"", b"yesterday", b"\xff\xfe\x00", b"nan", b"9e999", b"99999999999"]
)
def test_a_garbage_or_future_time_costs_one_wait(lock_file: Path, content: bytes) -> None:
    """A clock set back leaves a time that is still to come."""
    lock_file.parent.mkdir()
    last_of(lock_file).write_bytes(content)
    assert turn_and_measure(Pace(lock_file, 0.1)) >= 0.1
    assert float(last_of(lock_file).read_text()) <= time.time()


def test_without_a_pace_only_the_lock_counts(lock_file: Path) -> None:
    pace = Pace(lock_file, 0)
    for _ in range(100):
        with pace.turn():
            pass


def test_threads_take_turns(lock_file: Path) -> None:
    pace = Pace(lock_file, 0)
    inside, most = 0, 0

    def work() -> None:
        nonlocal inside, most
        for _ in range(5):
            with pace.turn():
                inside += 1
                most = max(most, inside)
                time.sleep(0.002)
                inside -= 1

    threads = [threading.Thread(target=work) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert most == 1


@pytest.fixture
def heeding_interrupts() -> Iterator[None]:
    """Heed SIGINT, which a process started in the background of a script ignores."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


def test_two_processes_take_turns_and_keep_the_pace(lock_file: Path) -> None:
    library = make_library(3, 7, date(2026, 3, 2), 1)
    asking = _ASKING.replace("{}", library.works()[0].id)
    with ArxivServer(library, today=date(2026, 3, 10)) as server:
        server.order(SlowFirstByte(0.03), times=8)
        arguments = (server.oai_url, lock_file, 0.1, 4)
        with running(asking, *arguments) as one, running(asking, *arguments) as other:
            go(one)
            go(other)
            assert (one.wait(120), other.wait(120)) == (0, 0)
        assert server.busiest == 1
        assert len(server.requests) == 8
        times = [seen.at for seen in server.requests]
    assert all(later - earlier >= 0.1 for earlier, later in pairwise(times))


def test_a_wait_can_be_interrupted(lock_file: Path) -> None:
    with running(_WAITING, lock_file) as process:
        process.send_signal(signal.SIGINT)
        assert process.wait(120) != 0
        assert process.stderr is not None
        assert "KeyboardInterrupt" in process.stderr.read()
    with Pace(lock_file, 0).turn():
        pass


@pytest.mark.usefixtures("heeding_interrupts")
def test_waiting_for_another_process_can_be_interrupted(lock_file: Path) -> None:
    with running(_HOLDING, lock_file) as holder:
        interruption = threading.Timer(0.1, signal.raise_signal, (signal.SIGINT,))

        def wait() -> None:
            interruption.start()
            with Pace(lock_file, 0).turn():
                pytest.fail("the lock was not held")

        with pytest.raises(KeyboardInterrupt):
            wait()
        interruption.join()
        go(holder)
        assert holder.wait(120) == 0


def test_a_killed_process_leaves_the_lock_free_and_its_time(lock_file: Path) -> None:
    with running(_HOLDING, lock_file) as process:
        process.kill()
        process.wait(120)
    assert float(last_of(lock_file).read_text()) <= time.time()
    with Pace(lock_file, 0).turn():
        pass


def test_a_folder_that_cannot_be_written_is_explained(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with (
        pytest.raises(ConfigError, match="cannot keep the pace of requests in"),
        Pace(tmp_path / "file" / "arxiv.lock", 0).turn(),
    ):
        pytest.fail("there is no lock")


def test_a_time_that_cannot_be_written_frees_the_lock(tmp_path: Path) -> None:
    lock_file = tmp_path / "arxiv.lock"
    last_of(lock_file).mkdir()
    for _ in range(2):
        with pytest.raises(ConfigError), Pace(lock_file, 0).turn():
            pytest.fail("there is no time")
