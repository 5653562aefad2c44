"""One data folder, opened for writing by one process at a time."""

import json
import os
import socket
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from pathlib import Path

from filelock import FileLock, Timeout

from flows.errors import StoreError
from flows.store import shards
from flows.store.catalog import Catalog, Commit
from flows.store.files import write_whole
from flows.store.layout import Layout
from flows.store.shards import read_rows
from flows.timing import Stopwatch


class Store:
    """The one writer of a data folder: commits shards and writes the bundle files of each."""

    def __init__(self, layout: Layout, catalog: Catalog, *, bundle_files: bool) -> None:
        """Take an open catalog; use `open_store`, which also holds the lock."""
        self.layout = layout
        self.catalog = catalog
        self._bundle_files = bundle_files
        self.watch = Stopwatch()

    def keep(self, commit: Commit, rows: shards.Rows) -> list[shards.WrittenFile]:
        """Write a shard, make it count, and write its bundle files, in that order."""
        with writing(self.layout.root):
            with self.watch.stage("write tables"):
                written = shards.write_shard(self.layout, commit.shard, rows)
            with self.watch.stage("commit"):
                self.catalog.commit(commit)
            bundles = [(row["pith_number"], row["bundle"]) for row in rows.get("bundles", ())]
            with self.watch.stage("write bundle files"):
                self._write_bundle_files(commit.shard.name, bundles)
        return written

    def recover(self) -> list[str]:
        """Complete or undo what a killed run left, and say what was done, a sentence each."""
        done = []
        if temporary := shards.remove_unfinished(self.layout):
            done.append(f"removed {temporary} unfinished table files of a run that was killed")
        for name in sorted(shards.shard_names(self.layout) - self.catalog.shard_names()):
            shards.remove_shard(self.layout, name)
            done.append(f"undid the shard {name}, which a killed run had not committed")
        for name in self.catalog.shards_without_files():
            self._write_bundle_files(name, self._newest_bundles(name))
            done.append(f"completed the bundle files of the shard {name}")
        return done

    def _newest_bundles(self, shard: str) -> Iterable[tuple[str, bytes]]:
        """Give the bundles of a shard that no later shard has replaced."""
        for number, data in read_rows(self.layout, "bundles", shard, ["pith_number", "bundle"]):
            if self.catalog.known([number])[number].shard == shard:
                yield number, data

    def _write_bundle_files(self, shard: str, bundles: Iterable[tuple[str, bytes]]) -> None:
        if self._bundle_files:
            for number, data in bundles:
                # Derived from the shard, so they need not survive a power cut by themselves.
                write_whole(self.layout.bundle(number), data, durable=False)
        self.catalog.mark_files_written(shard)


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
            write_whole(holder, json.dumps(us).encode(), durable=False)
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
