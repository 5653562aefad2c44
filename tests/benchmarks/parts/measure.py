"""Time, CPU time and memory of a process with all that it starts, and the floor to compare with."""

import ctypes
import os
import platform
import statistics
import subprocess
import threading
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from nacl.signing import SigningKey

PROC = Path("/proc")
SAMPLE_SECONDS = 0.1
"""A sample costs a few milliseconds, most of them in the kernel: a few per cent of one core."""

SIGNATURES = 4
"""Per paper: receipt, two events, bundle."""

PR_SET_CHILD_SUBREAPER = 36  # of <linux/prctl.h>
FLOOR_ROUNDS, FLOOR_PAPERS = 5, 300


@dataclass(frozen=True, slots=True)
class Usage:
    """What a process and its descendants took; `peak_bytes` is None on systems without /proc.

    `floor` is the CPU seconds of one paper's bare signatures, measured before and after.
    """

    wall: float
    cpu: float
    peak_bytes: int | None
    floor: float


class FailedRunError(Exception):
    """A measured process ended otherwise than it should; the message has what it said."""


def floor() -> float:
    """Return the CPU seconds that libsodium needs for one paper's signatures, on one core."""
    key, message = SigningKey(b"\x01" * 32), b"\x02" * 32
    rounds = []
    for _ in range(FLOOR_ROUNDS):
        started = time.process_time()
        for _ in range(FLOOR_PAPERS * SIGNATURES):
            _ = key.sign(message).signature
        rounds.append((time.process_time() - started) / FLOOR_PAPERS)
    return statistics.median(rounds)


def measured(command: Sequence[str], *, env: dict[str, str], folder: Path) -> Usage:
    """Run a command in `folder` to its end and return what it took.

    CPU time is what the kernel adds up for it and for every descendant. Raises `FailedRunError`
    for any exit status but 0.
    """
    before = floor()
    _adopt_orphans()
    with (folder / "measured.log").open("w+b") as log:
        started = time.perf_counter()
        process = subprocess.Popen(command, env=env, cwd=folder, stdout=log, stderr=log)
        watch = _MemoryWatch(process.pid)
        watch.start()
        _, status, usage = os.wait4(process.pid, 0)
        wall = time.perf_counter() - started
        process.returncode = os.waitstatus_to_exitcode(status)
        watch.stop()
        if process.returncode:
            log.seek(0)
            said = log.read().decode(errors="replace")[-4000:]
            raise FailedRunError(f"{' '.join(command)}: status {process.returncode}\n{said}")
    cpu = usage.ru_utime + usage.ru_stime + _seconds_of_orphans()
    return Usage(wall, cpu, watch.peak, (before + floor()) / 2)


def _adopt_orphans() -> None:
    """Have the kernel give us the processes that outlive their parents (Linux only)."""
    if platform.system() == "Linux":
        ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


def _seconds_of_orphans() -> float:
    """Wait for the processes that outlived the measured one, and return their CPU seconds."""
    seconds = 0.0
    while True:
        try:
            _, _, usage = os.wait4(-1, 0)
        except ChildProcessError:
            return seconds
        seconds += usage.ru_utime + usage.ru_stime


class _MemoryWatch(threading.Thread):
    """Looks at a process tree's memory until it is stopped."""

    def __init__(self, pid: int) -> None:
        super().__init__(daemon=True)
        self.pid = pid
        self.peak: int | None = None
        self._stopped = threading.Event()

    def run(self) -> None:
        """Keep the largest sample."""
        while PROC.is_dir() and not self._stopped.wait(SAMPLE_SECONDS):
            self.peak = max(self.peak or 0, sum(_pss(pid) for pid in _tree(self.pid)))

    def stop(self) -> None:
        """Take no more samples."""
        self._stopped.set()
        self.join()


def _tree(pid: int) -> Iterator[int]:
    """Give a process and its descendants; those that end meanwhile may be left out."""
    yield pid
    for children in (PROC / str(pid) / "task").glob("*/children"):
        try:
            found = children.read_text()
        except OSError:
            continue
        for child in found.split():
            yield from _tree(int(child))


def _pss(pid: int) -> int:
    """Return a process's memory in bytes, what it shares counted in proportion; 0 if it is gone."""
    try:
        text = (PROC / str(pid) / "smaps_rollup").read_text()
    except OSError:
        return 0
    for line in text.splitlines():
        if line.startswith("Pss:"):
            return int(line.split()[1]) * 1024
    return 0


def machine() -> dict[str, str | int]:
    """Return what a reader must know of the machine to compare figures."""
    return {
        "cpus": len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else _cpus(),
        "python": platform.python_version(),
        "platform": platform.platform(),
        "processor": _processor(),
    }


def _cpus() -> int:
    return os.cpu_count() or 1


def _processor() -> str:
    try:
        lines = (PROC / "cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor()
    names = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return next(names, platform.processor())
