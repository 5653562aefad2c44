"""`pith-ingest up` in a process of its own: its log, its parts, its end."""

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median

from flows.orchestration.up.running import Running
from support.paths import ROOT
from support.runs.real_prefect import Api, free_port

PATIENCE = 240
FULL = bool(os.environ.get("FULL"))
PLAIN = "from flows.cli.main import main; main()"
# Ten kills of a part, one after the other, would take five minutes of ever longer waits.
IMPATIENT = f"""
from functools import partial
from flows.orchestration.up import run
run.Patience = partial(run.Patience, longest_delay=1.0)
{PLAIN}
"""


@dataclass
class Up:
    """A running `up`, its folder and its ports."""

    folder: Path
    process: subprocess.Popen[bytes]
    log: Path
    port: int
    prefect_port: int
    api: Api
    seconds: dict[str, list[float]] = field(default_factory=dict)
    """How long each part was away, by its name, a number for each time that it was killed."""

    def pids(self) -> dict[str, int]:
        running = Running.read(self.folder / "data" / "prefect")
        return running.parts if running else {}

    def lines(self) -> list[str]:
        return self.log.read_text().splitlines()

    def count(self, pattern: str) -> int:
        return sum(bool(re.search(pattern, line)) for line in self.lines())

    def wait_for(self, pattern: str, times: int = 1) -> None:
        """Wait until so many lines of the log have it."""
        self.until(lambda: self.count(pattern) >= times, pattern)

    def until(self, what: Callable[[], object], name: str) -> None:
        until = time.monotonic() + PATIENCE
        while not what():
            assert self.process.poll() is None, f"up has ended:\n{self.log.read_text()}"
            assert time.monotonic() < until, f"never came: {name}\n{self.log.read_text()}"
            time.sleep(0.05)

    def kill(self, *parts: str) -> None:
        """Kill parts, as the kernel does when memory is short, and wait until they are healthy."""
        pids = self.pids()
        # Not `healthy again`, which one may be that was not killed.
        healthy = {part: f"{part} is healthy after" for part in parts}
        before = {part: self.count(healthy[part]) for part in parts}
        for part in parts:
            os.kill(pids[part], signal.SIGKILL)
        killed, away = time.monotonic(), set(parts)

        def are_back() -> bool:
            for part in [part for part in away if self.count(healthy[part]) > before[part]]:
                away.remove(part)
                self.seconds.setdefault(part, []).append(time.monotonic() - killed)
            return not away

        self.until(are_back, f"{', '.join(parts)}: healthy again")

    def figures(self) -> str:
        """Return how often each part was killed, and after how many seconds it was back."""
        return "\n".join(
            f"{part}: {len(times)} kills, back after {median(times):.1f} s in the median, "
            f"{max(times):.1f} s at most"
            for part, times in self.seconds.items()
        )

    def end(self, number: signal.Signals) -> int:
        self.process.send_signal(number)
        return self.process.wait(PATIENCE)


def environment(folder: Path) -> dict[str, str]:
    own = ("PITH_", "PREFECT_")
    clean = {name: value for name, value in os.environ.items() if not name.startswith(own)}
    settings = {"PITH_IDENTITY__KEY_FILE": str(folder / "signing.key"), "HOME": str(folder)}
    quick = {"PREFECT_RUNNER_POLL_FREQUENCY": "1"}
    return {**clean, **settings, **quick}


@contextmanager
def running_up(folder: Path, *options: str, **env: str) -> Iterator[Up]:
    """Run `up` for `folder`/data, with `folder`/config.yaml; whatever is left is killed."""
    port, prefect_port = free_port(), free_port()
    words = [
        *("--port", str(port), "--prefect-port", str(prefect_port)),
        *("--config", str(folder / "config.yaml"), "--data", str(folder / "data"), *options),
    ]
    log = folder / "up.log"
    with log.open("wb") as output:
        process = subprocess.Popen(
            [sys.executable, "-c", IMPATIENT if FULL else PLAIN, "up", *words],
            cwd=ROOT, env=environment(folder) | env, stdout=output, stderr=subprocess.STDOUT,
            start_new_session=True,
        )  # fmt: skip
    api = Api(f"http://127.0.0.1:{prefect_port}/api")
    up = Up(folder, process, log, port, prefect_port, api)
    try:
        with api.client:
            yield up
    finally:
        left = [pid for pid in up.pids().values() if in_session(pid)]
        process.kill()
        process.wait()
        for pid in left:
            with suppress(ProcessLookupError):
                os.killpg(pid, signal.SIGKILL)


def in_session(number: int) -> list[str]:
    """Return the command lines of the processes of a session that are no zombies."""
    found = []
    for stat in Path("/proc").glob("[0-9]*/stat"):
        with suppress(OSError):
            state, _, _, session = stat.read_text().rpartition(")")[2].split()[:4]
            if int(session) == number and state != "Z":
                found.append(stat.with_name("cmdline").read_text().replace("\0", " "))
    return found
