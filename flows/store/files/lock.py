"""One process writes to a data folder at a time."""

import json
import os
import socket
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout

from flows.common.errors import StoreError
from flows.common.files.whole_file import replace_whole
from flows.store.files.local import writing
from flows.store.layout import Layout


@contextmanager
def locked(layout: Layout, job: str) -> Iterator[None]:
    """Be the one writer of a data folder on this machine; raises `StoreError` that names another.

    The folder is made where there is none.
    """
    holder = layout.lock.with_suffix(".json")
    with writing(layout.root):
        layout.root.mkdir(parents=True, exist_ok=True)
        lock = FileLock(layout.lock, timeout=0)
        is_free = _try(lock)
    if not is_free:
        them = describe(_read(holder))
        raise StoreError(f"{them} is writing to {layout.location}; wait for it or stop it")
    try:
        with writing(layout.root):
            us = json.dumps(make_holder(job)).encode()
            replace_whole(str(holder), us)
        yield
    finally:
        with suppress(OSError):  # what went wrong before it matters more
            holder.unlink(missing_ok=True)
        lock.release()


def make_holder(job: str) -> dict[str, Any]:
    """Return what a lock says of this process."""
    since = datetime.now(UTC).isoformat(timespec="seconds")
    return {"job": job, "pid": os.getpid(), "host": socket.gethostname(), "since": since}


def describe(holder: Mapping[str, Any]) -> str:
    """Return who holds a lock, as far as that is known."""
    try:
        who = "{job}, process {pid} on {host}, since {since}".format_map(holder)
    except KeyError:
        return "another run"
    return f"another run ({who})"


def _read(holder: Path) -> dict[str, Any]:
    try:
        found = json.loads(holder.read_bytes())
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


def _try(lock: FileLock) -> bool:
    try:
        lock.acquire()
    except Timeout:
        return False
    return True
