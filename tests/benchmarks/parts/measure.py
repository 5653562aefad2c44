"""Time, CPU time and memory of a process with all that it starts, and the floor of that time."""

import ctypes
import os
import platform
import subprocess
import threading
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from benchmarks.parts.floors import four_signatures

PROC = Path("/proc")
SAMPLE_SECONDS = 0.1
"""A sample costs a few milliseconds, most of them in the kernel: a few per cent of one core."""

SAMPLES_A_FLOOR = 20
"""The floor is taken once in so many samples, which is less than one per cent of one core."""

FLOORS_BESIDE = 5
"""How often it is taken before the process, and after it."""

PR_SET_CHILD_SUBREAPER = 36  # of <linux/prctl.h>


@dataclass(frozen=True, slots=True)
class Usage:
    """What a process and its descendants took; `peak_bytes` is None on systems without /proc.

    `started` is a time of `time.perf_counter`; `floor` is the CPU seconds of one paper's bare
    signatures, the median of before, during and after.
    """

    started: float
    wall: float
    cpu: float
    peak_bytes: int | None
    floor: float


class FailedRunError(Exception):
    """A measured process ended otherwise than it should; the message has what it said."""


def measured(command: Sequence[str], *, env: dict[str, str], folder: Path) -> Usage:
    """Run a command in `folder` to its end and return what it took.

    CPU time is what the kernel adds up for it and for every descendant. Raises `FailedRunError`
    for any exit status but 0.
    """
    floors = [four_signatures() for _ in range(FLOORS_BESIDE)]
    _adopt_orphans()
    with (folder / "measured.log").open("w+b") as log:
        started = time.perf_counter()
        process = subprocess.Popen(command, env=env, cwd=folder, stdout=log, stderr=log)
        watch = _Watch(process.pid)
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
    floors += watch.floors + [four_signatures() for _ in range(FLOORS_BESIDE)]
    return Usage(started, wall, cpu, watch.peak, median(floors))


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


class _Watch(threading.Thread):
    """Looks at a process tree's memory until it is stopped, and now and then takes the floor."""

    def __init__(self, pid: int) -> None:
        super().__init__(daemon=True)
        self.pid = pid
        self.peak: int | None = None
        self.floors: list[float] = []
        self._stopped = threading.Event()

    def run(self) -> None:
        """Keep the largest sample of memory, and all floors."""
        samples = 0
        while not self._stopped.wait(SAMPLE_SECONDS):
            samples += 1
            if PROC.is_dir():
                self.peak = max(self.peak or 0, sum(_pss(pid) for pid in _tree(self.pid)))
            if samples % SAMPLES_A_FLOOR == 0:
                self.floors.append(four_signatures())

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
