"""Which `up` runs for a data folder: its lock, and a file that says what it runs, and where."""

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, field
from pathlib import Path
from time import monotonic, sleep
from typing import Self

from filelock import FileLock, Timeout

from flows.common.errors import StoreError
from flows.common.files.whole_file import replace_whole
from flows.orchestration.up.health import Addresses

LOCK, FILE = "up.lock", "up.running"
_CHILD = "flows.orchestration.up.child"


@dataclass(frozen=True, slots=True)
class Running:
    """The processes of an `up`, by the parts' names, and its addresses."""

    pid: int
    addresses: Addresses
    parts: dict[str, int] = field(default_factory=dict)

    def write(self, folder: Path) -> None:
        """Put it into Prefect's folder, whole."""
        replace_whole(str(folder / FILE), json.dumps(asdict(self), indent=2).encode())

    @classmethod
    def read(cls, folder: Path) -> Self | None:
        """Return what the folder's file says; None where there is none, or it says nothing."""
        try:
            found = json.loads((folder / FILE).read_bytes())
            at = found["addresses"]
            addresses = Addresses(
                str(at["host"]), int(at["port"]), str(at["prefect_host"]), int(at["prefect_port"])
            )
            parts = {str(name): int(pid) for name, pid in found["parts"].items()}
            return cls(int(found["pid"]), addresses, parts)
        except (OSError, ValueError, LookupError, TypeError, AttributeError):
            return None

    def left(self) -> dict[str, int]:
        """Return the parts whose processes are still there."""
        return {name: pid for name, pid in self.parts.items() if _is_part(pid)}


@contextmanager
def only_one(folder: Path) -> Iterator[None]:
    """Be the one `up` of a folder; raises `StoreError` that says which other one is."""
    lock = FileLock(folder / LOCK, timeout=0, mode=0o600)
    try:
        lock.acquire()
    except Timeout:
        running = Running.read(folder)
        who = f"process {running.pid}" if running else "another process"
        raise StoreError(
            f"'pith-ingest up' runs for this data folder already ({who}): look at it with "
            "'pith-ingest up --check', or stop that one first"
        ) from None
    try:
        yield
    finally:
        with suppress(OSError):
            (folder / FILE).unlink(missing_ok=True)
        lock.release()


def wait_for_the_left(folder: Path, seconds: float) -> dict[str, int]:
    """Wait until the parts of an `up` that was killed have ended; return those that do not."""
    before = Running.read(folder)
    until = monotonic() + seconds
    while before and (left := before.left()):
        if monotonic() > until:
            return left
        sleep(0.2)
    return {}


def is_there(folder: Path) -> bool:
    """Tell whether an `up` runs for this folder."""
    if not (folder / LOCK).exists():
        return False
    try:
        with FileLock(folder / LOCK, timeout=0, mode=0o600):
            return False
    except Timeout:
        return True


def _is_part(pid: int) -> bool:
    """Tell whether a process is a part of an `up`; its number may have become another's since."""
    try:
        os.kill(pid, 0)
        words = Path(f"/proc/{pid}/cmdline").read_bytes()
    except ProcessLookupError:
        return False
    except OSError:  # another user's, or a system without /proc
        return not Path("/proc/self").exists()
    return _CHILD.encode() in words
