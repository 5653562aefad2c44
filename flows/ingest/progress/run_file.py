"""A run's progress in `runs/<run>/run.json`, for other processes: who writes it, and who is gone.

Readers need no lock. A run that was killed says `running` for ever, so a reader compares the
process that wrote it with those that there are, or, on another machine, the time of its last word.
"""

import os
import socket
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

import msgspec

from flows.common.errors import PithError
from flows.ingest.progress.value import RunProgress, RunState
from flows.store.layout import RUNS, Layout

FILE = "run.json"
SILENCE = timedelta(minutes=3)
"""So long after its last word a run of another machine counts as gone; it speaks every 30 s."""

LOOKED_AT = 20
"""So many of the newest runs are looked at: older versions made folders without this file."""


@dataclass(frozen=True, slots=True)
class RunProcess:
    """The process that writes: its number, and what tells it from others with the same number.

    `started` is in ticks since the machine's start, `machine` that start and the space of process
    numbers; both are 0 or empty where the system does not say.
    """

    pid: int
    host: str
    machine: str
    started: int


@dataclass(frozen=True, slots=True)
class RunFile:
    """What `run.json` holds."""

    progress: RunProgress
    process: RunProcess


def write_run_file(layout: Layout, progress: RunProgress) -> None:
    """Write the file in one step; raises `OSError` or `StoreError`."""
    found = RunFile(progress, this_process())
    data = msgspec.json.format(msgspec.json.encode(found)) + b"\n"
    layout.files.write_often(layout.report(progress.run, FILE), data)


def read_run_file(layout: Layout, run: str) -> RunFile | None:
    """Return what a run says of itself; None where there is no such file, or it is not whole."""
    try:
        data = layout.files.read(layout.report(run, FILE))
        return msgspec.json.decode(data, type=RunFile)
    except (OSError, PithError, msgspec.MsgspecError, ValueError):
        return None


def newest_run(layout: Layout) -> RunFile | None:
    """Return what the newest run says of itself; only one at a time writes to a data folder."""
    names = sorted(layout.files.names(RUNS), reverse=True)[:LOOKED_AT]
    return next((found for name in names if (found := read_run_file(layout, name))), None)


def is_under_way(found: RunFile, now: datetime) -> bool:
    """Return whether a run goes on: it says so, and its process is there."""
    if found.progress.state is not RunState.RUNNING:
        return False
    process, here = found.process, this_process()
    if (process.host, process.machine) != (here.host, here.machine):
        return now - found.progress.updated_at < SILENCE
    if process.started:
        return _started(process.pid) == process.started
    try:
        os.kill(process.pid, 0)
    except PermissionError:
        return True
    except (OSError, OverflowError):
        return False
    return True


def this_process() -> RunProcess:
    """Return what tells this process from all others."""
    pid = os.getpid()
    return RunProcess(pid, socket.gethostname(), _machine(), _started(pid))


def _machine() -> str:
    try:
        boot = Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
        return f"{boot} {Path('/proc/self/ns/pid').readlink()}"
    except OSError:
        return ""


def _started(pid: int) -> int:
    """Return when a process started, in ticks; 0 where there is none, or the system says nothing.

    A process that has ended and that nobody has waited for yet (a zombie) is none.
    """
    try:
        stat = Path(f"/proc/{pid}/stat").read_bytes()
    except OSError:
        return 0
    # After the name, which may hold anything; see proc(5), fields 3 and 22.
    fields = stat.rpartition(b")")[2].split()
    return 0 if fields[0] in {b"Z", b"X"} else int(fields[19])
