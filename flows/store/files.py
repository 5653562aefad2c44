"""Files that appear whole or not at all."""

import os
from pathlib import Path


def write_unnamed(path: Path, data: bytes | memoryview) -> Path:
    """Write `data`, durable, to a temporary name beside `path` and return that.

    No reader's `*.parquet` or `*.json` matches it, and no other process writes to it.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    with temporary.open("wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    return temporary


def name_file(temporary: Path, path: Path) -> None:
    """Give a file that is durable its name, replacing what is there in one step."""
    temporary.replace(path)
    _sync(path.parent)


def write_whole(path: Path, data: bytes) -> None:
    """Write `data` to `path`, durable, replacing what is there in one step."""
    name_file(write_unnamed(path, data), path)


def write_derived(path: Path, data: bytes) -> None:
    """Write `data` to `path` as `write_whole` does, but leave the syncing to the system.

    For files that can be derived again.
    """
    temporary = path.with_name(f".{path.name}.tmp")
    try:
        temporary.write_bytes(data)
    except FileNotFoundError:
        path.parent.mkdir(parents=True, exist_ok=True)
        temporary.write_bytes(data)
    temporary.replace(path)


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
