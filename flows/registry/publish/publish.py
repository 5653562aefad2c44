"""Publishing a data folder's records and site to a place: what changed since the last time."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from itertools import chain

from filelock import FileLock, Timeout
from starlette.types import ASGIApp

from flows.common.errors import ConfigError, StoreError
from flows.common.process.progress import track
from flows.common.process.signals import note
from flows.registry.publish.changes import Changes
from flows.registry.publish.packs import PackWriter
from flows.registry.publish.pages import Answers
from flows.registry.publish.published import (
    INDEXES,
    PACKS,
    STATE,
    FileLayout,
    Published,
    WrittenList,
    list_key,
    read_published,
    to_document,
)
from flows.registry.publish.target import Target
from flows.store.files.local import Files, LocalFiles, writing
from flows.store.layout import Layout

MOST_IN_FILES = 30_000
"""Records that are published as single files, five each, where no layout is asked for."""


@dataclass(frozen=True, slots=True)
class PublishReport:
    """What a publish did; `files` and `size` are those that it wrote, 0 where all was there."""

    published: Published
    changed: int
    files: int
    size: int
    removed: int


def publish(
    layout: Layout,
    files: Files,
    app_for: Callable[[FileLayout], ASGIApp],
    *,
    base_url: str,
    moment: datetime,
    file_layout: FileLayout | None = None,
) -> PublishReport:
    """Bring a published registry up to date with a data folder, and say what was done.

    `app_for` gives the application that answers as published in a layout; `file_layout` chooses it
    where nothing was published yet. Readers see each file whole, and a pack once all of it is
    there; a kill costs only the work. Raises `ConfigError` or `StoreError` where the place was
    published from elsewhere, or otherwise.
    """
    _refuse_own(layout, files)
    note("what was published before is whole, and the same command goes on")
    with _alone(layout):
        before = read_published(files)
        if before is None:
            _refuse_replacing(files)
        changes = Changes(layout, before)
        chosen = _choose(before, changes, file_layout, base_url)
        target = Target(files)
        with writing(target.folder), files.syncing("") as sync:
            packs = PackWriter(
                target, before.packs if before else (), before.indexes if before else {}
            )
            answers = Answers(app_for(chosen), base_url)
            changed = _write_records(chosen, changes, target, packs, answers)
            packed = answers.of_packed() if chosen == "packs" else []
            for key, data in chain(packed, answers.of_site()):
                target.write_changed(key, data)
            sync()
        if before and not target.written and before.ledger == changes.ledger:
            return PublishReport(before, 0, 0, 0, 0)
        number = before.number + 1 if before else 1
        published = Published(
            1, number, moment, base_url, changes.folder, changes.ledger, chosen,
            changes.records, list_key(number), tuple(packs.packs), packs.indexes,
        )  # fmt: skip
        removed = _remove_unnamed(files, before, published)
        written = WrittenList(number, moment, tuple(target.written), tuple(removed))
        with writing(target.folder):
            files.write(published.list, to_document(written))
            files.write(STATE, to_document(published))
    return PublishReport(
        published, changed, len(target.written), sum(one.size for one in target.written),
        len(removed),
    )  # fmt: skip


def _refuse_own(layout: Layout, files: Files) -> None:
    """Raise `ConfigError` for a place within the data folder, whose own files have such names."""
    to, own = files.location().rstrip("/"), layout.location.rstrip("/")
    if isinstance(files, LocalFiles):
        to, own = str(files.root.resolve()), str(layout.root.resolve())
    if f"{to}/".startswith(f"{own}/"):
        raise ConfigError(
            f"{files.location()} is in the data folder; publish to a place of its own"
        )


def _refuse_replacing(files: Files) -> None:
    """Raise `ConfigError` for a place with a home page that is no publish's, not one cut short."""
    begun = files.names("pith") or files.names(PACKS)
    if files.exists("index.html") and not begun:
        raise ConfigError(
            f"{files.location('index.html')} is there, and no publish wrote it; publish to a place "
            "of its own"
        )


def _choose(
    before: Published | None, changes: Changes, asked: FileLayout | None, base_url: str
) -> FileLayout:
    if not changes.records:
        raise ConfigError("no record is kept yet; run 'pith-ingest backfill' or 'nightly' first")
    if before is None:
        return asked or ("files" if changes.records <= MOST_IN_FILES else "packs")
    if before.base_url != base_url:
        raise StoreError(
            f"the registry there is {before.base_url}, not {base_url}; publish to another place"
        )
    if asked and asked != before.layout:
        raise ConfigError(f"the records there lie in {before.layout}; publish to another place")
    return before.layout


def _write_records(
    chosen: FileLayout, changes: Changes, target: Target, packs: PackWriter, answers: Answers
) -> int:
    changed = 0
    for shard in track(changes.shards, total=len(changes.shards), what="shards"):
        bundles = changes.bundles(shard)
        if chosen == "packs":
            changed += packs.add(bundles)
        else:
            suffixes = [suffix for suffix, _ in bundles]
            target.write_many(answers.of_records(suffixes))
            changed += len(suffixes)
    packs.finish()
    return changed


def _remove_unnamed(files: Files, before: Published | None, published: Published) -> list[str]:
    """Remove packs and indexes that neither this state names nor the last one, which some read."""
    named = {
        key
        for state in (before, published)
        if state
        for key in (*state.packs, *state.indexes.values())
    }
    there = [f"{folder}/{name}" for folder in (PACKS, INDEXES) for name in files.names(folder)]
    removed = sorted(key for key in there if key not in named)
    files.remove(removed)
    return removed


@contextmanager
def _alone(layout: Layout) -> Iterator[None]:
    folder = layout.root / "registry"
    with writing(layout.root):
        folder.mkdir(parents=True, exist_ok=True)
    lock = FileLock(folder / "publish.lock", timeout=0)
    try:
        lock.acquire()
    except Timeout:
        raise StoreError("this data folder is being published already") from None
    try:
        yield
    finally:
        lock.release()
