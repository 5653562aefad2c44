"""One data folder, opened for writing by one process at a time."""

import json
import os
import socket
from collections.abc import Callable, Container, Iterator, Sequence
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from pathlib import Path

from filelock import FileLock, Timeout

from flows.errors import StoreError
from flows.store import shards
from flows.store.catalog import Catalog, Commit, FinishedPart
from flows.store.files import write_derived
from flows.store.layout import Layout
from flows.store.shard_writer import UnnamedFile, name_shard
from flows.store.shards import read_rows
from flows.timing import Stopwatch


class Store:
    """The one writer of a data folder: commits shards and writes the bundle files of each."""

    def __init__(self, layout: Layout, catalog: Catalog, *, bundle_files: bool) -> None:
        """Take an open catalog; use `open_store`, which also holds the lock."""
        self.layout = layout
        self.catalog = catalog
        self.bundle_files = bundle_files
        self.watch = Stopwatch()

    def commit(
        self, commit: Commit, files: Sequence[UnnamedFile], finished: FinishedPart | None = None
    ) -> None:
        """Name the files of a written shard and make it count; its bundle files are still due."""
        due = self.bundle_files and bool(commit.records)
        with writing(self.layout.root), self.watch.stage("commit"):
            name_shard(files)
            self.catalog.commit(commit, finished, has_files=not due)

    def write_bundle_files(self, shard: str) -> None:
        """Write the bundle files of a shard that was just committed, if any are wanted."""
        if self.bundle_files:
            with writing(self.layout.root), self.watch.stage("write bundle files"):
                write_bundle_files(self.layout, shard)
                self.catalog.mark_files_written(shard)

    def recover(self) -> list[str]:
        """Complete or undo what a killed run left, and say what was done, a sentence each."""
        done = []
        if temporary := shards.remove_unfinished(self.layout):
            done.append(f"removed {temporary} unfinished files of a run that was killed")
        for name in sorted(shards.shard_names(self.layout) - self.catalog.shard_names()):
            shards.remove_shard(self.layout, name)
            done.append(f"undid the shard {name}, which a killed run had not committed")
        for name in self.catalog.shards_without_files():
            if self.bundle_files:
                newest = {record.pith_number for record in self.catalog.of_shard(name)}
                write_bundle_files(self.layout, name, only=newest)
            self.catalog.mark_files_written(name)
            done.append(f"completed the bundle files of the shard {name}")
        return done


def write_bundle_files(layout: Layout, shard: str, *, only: Container[str] | None = None) -> None:
    """Write a file for each bundle of a shard, or for those with the numbers `only`."""
    for number, data in read_rows(layout, "bundles", shard, ["pith_number", "bundle"]):
        if only is None or number in only:
            # Derived from the shard, so they need not survive a power cut by themselves.
            write_derived(layout.bundle(number), data)


@contextmanager
def open_store(
    data_dir: Path, *, job: str, bundle_files: bool, say: Callable[[str], None]
) -> Iterator[Store]:
    """Lock `data_dir` for this process, recover what a killed run left, and give the store.

    `say` is told what was recovered. Raises `StoreError` when another run holds the lock (its
    message names that run) or the folder cannot be written.
    """
    layout = Layout(data_dir)
    with writing(data_dir):
        data_dir.mkdir(parents=True, exist_ok=True)
    with locked(layout, job), closing(Catalog.open(layout.catalog)) as catalog:
        store = Store(layout, catalog, bundle_files=bundle_files)
        with writing(data_dir):
            recovered = store.recover()
        for sentence in recovered:
            say(sentence)
        yield store


@contextmanager
def writing(folder: Path) -> Iterator[None]:
    """Turn what the system says about writing below `folder` into a `StoreError`."""
    try:
        yield
    except OSError as error:
        where = error.filename or folder
        raise StoreError(f"cannot write {where}: {error.strerror or error}") from error


@contextmanager
def locked(layout: Layout, job: str) -> Iterator[None]:
    """Be the one writer of a data folder; raises `StoreError` that names another one."""
    lock = FileLock(layout.lock, timeout=0)
    holder = layout.lock.with_suffix(".json")
    with writing(layout.root):
        is_free = _try(lock)
    if not is_free:
        raise StoreError(f"{_describe(holder)} is writing to {layout.root}; wait for it or stop it")
    try:
        since = datetime.now(UTC).isoformat(timespec="seconds")
        us = {"job": job, "pid": os.getpid(), "host": socket.gethostname(), "since": since}
        with writing(layout.root):
            write_derived(holder, json.dumps(us).encode())
        yield
    finally:
        holder.unlink(missing_ok=True)
        lock.release()


def _try(lock: FileLock) -> bool:
    try:
        lock.acquire()
    except Timeout:
        return False
    return True


def _describe(holder: Path) -> str:
    try:
        them = json.loads(holder.read_bytes())
        who = f"{them['job']}, process {them['pid']} on {them['host']}, since {them['since']}"
    except (OSError, ValueError, KeyError, TypeError):
        return "another run"
    return f"another run ({who})"
