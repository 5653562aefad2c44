"""Files that appear whole or not at all."""

import os
from pathlib import Path


def unfinished(path: Path) -> Path:
    """Return the temporary name of `path`, which no reader's `*.parquet` or `*.json` matches."""
    return path.with_name(f".{path.name}.tmp")


def finish(path: Path) -> None:
    """Make `unfinished(path)`, written and closed, durable and give it its name."""
    temporary = unfinished(path)
    _sync(temporary)
    temporary.replace(path)
    _sync(path.parent)


def write_whole(path: Path, data: bytes, *, durable: bool = True) -> None:
    """Write `data` to `path`, replacing what is there in one step.

    `durable=False` leaves the syncing to the system: for files that can be derived again.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = unfinished(path)
    temporary.write_bytes(data)
    if durable:
        finish(path)
    else:
        temporary.replace(path)


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
