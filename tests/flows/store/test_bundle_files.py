"""Bundle files count as written when no power cut can undo them; the next run writes the rest."""

import errno
import os
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from threading import Lock

import pytest
from disasters.power_cuts import NoDiskError, cut_often, making_disk
from support.papers.oai_pages import page, record
from support.runs import jobs
from support.runs.runs import assert_whole, bundle_files, config_in, process

from flows.common.errors import StoreError
from flows.common.keys import load_issuer
from flows.ingest import schedule as bulk
from flows.ingest.worker_context import WorkerSetup, open_context
from flows.store.bundles import files as module
from flows.store.catalog.catalog import Catalog
from flows.store.files.local import LocalFiles
from flows.store.layout import Layout

pytestmark = pytest.mark.long

SHARDS = 12


def save(folder: Path) -> Path:
    saved = folder / "saved"
    saved.mkdir()
    for number in range(SHARDS):
        ids = [f"2201.{number:02}{place:03}" for place in range(1, 11)]
        (saved / f"{number:02}.xml").write_bytes(page(*map(record, ids)))
    return saved


@dataclass(slots=True)
class Log:
    """What happened in which order, on whichever thread."""

    events: list[tuple[str, frozenset[str]]] = field(default_factory=list)
    _lock: Lock = field(default_factory=Lock)

    def note(self, what: str, shards: Iterable[str] = ()) -> None:
        with self._lock:
            self.events.append((what, frozenset(shards)))

    def at(self, what: str, shard: str | None = None) -> list[int]:
        return [
            place
            for place, (event, shards) in enumerate(self.events)
            if event == what and (shard is None or shard in shards)
        ]


@pytest.fixture
def log(monkeypatch: pytest.MonkeyPatch) -> Log:
    """Log writing, syncing and noting, each by the function that does it."""
    found = Log()
    write, mark, syncing = module.write_bundle_files, Catalog.mark_files_written, LocalFiles.syncing

    def logged_write(layout: Layout, shard: str) -> None:
        write(layout, shard)
        found.note("written", [shard])

    def logged_mark(catalog: Catalog, shards: list[str]) -> None:
        mark(catalog, shards)
        found.note("noted", shards)

    @contextmanager
    def logged_syncing(files: LocalFiles, folder: str) -> Iterator[Callable[[], None]]:
        with syncing(files, folder) as sync:

            def logged_sync() -> None:
                found.note("sync begins")
                sync()
                found.note("sync ended")

            yield logged_sync

    monkeypatch.setattr(bulk, "write_bundle_files", logged_write)
    monkeypatch.setattr(Catalog, "mark_files_written", logged_mark)
    monkeypatch.setattr(LocalFiles, "syncing", logged_syncing)
    return found


def shards_without_files(folder: Path) -> list[str]:
    with closing(Catalog.open(Layout(folder / "data").catalog, read_only=True)) as catalog:
        return catalog.shards_without_files()


def test_a_shard_is_noted_after_a_sync_that_began_when_its_files_were_written(
    tmp_path: Path, log: Log
) -> None:
    jobs.backfill_raw(config_in(tmp_path), [save(tmp_path)])
    written = {shard for event, shards in log.events if event == "written" for shard in shards}
    assert len(written) == SHARDS
    begins, ends = log.at("sync begins"), log.at("sync ended")
    for shard in written:
        (at_write,), (at_note,) = log.at("written", shard), log.at("noted", shard)
        syncs = zip(begins, ends, strict=True)
        assert any(at_write < begin < end < at_note for begin, end in syncs)
    assert shards_without_files(tmp_path) == []
    assert_whole(tmp_path)


def test_files_that_cannot_be_synced_are_not_noted_and_come_with_the_next_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    saved = save(tmp_path)

    @contextmanager
    def syncing(files: LocalFiles, folder: str) -> Iterator[Callable[[], None]]:
        def sync() -> None:
            raise OSError(errno.EIO, os.strerror(errno.EIO), str(files.root / folder))

        yield sync

    with monkeypatch.context() as patched:
        patched.setattr(LocalFiles, "syncing", syncing)
        with pytest.raises(StoreError, match=r"cannot write .*bundles: Input/output error"):
            jobs.backfill_raw(config_in(tmp_path), [saved])
    lost = shards_without_files(tmp_path)
    assert lost
    # As if what was written had been lost with the power.
    for path in (tmp_path / "data" / "bundles").rglob("*.json"):
        path.write_bytes(b"")
    assert jobs.backfill_raw(config_in(tmp_path), [saved]).counts.papers == 10 * SHARDS
    said = [text for text in caplog.messages if text.startswith("completed the bundle files")]
    assert said == [f"completed the bundle files of {len(lost)} shards"]
    assert len(bundle_files(tmp_path)) == 10 * SHARDS
    assert_whole(tmp_path)


def test_a_worker_on_another_machine_syncs_what_it_wrote_itself(tmp_path: Path, log: Log) -> None:
    process(tmp_path, page(record("2201.00001")))
    config = config_in(tmp_path)
    setup = WorkerSetup(config, "a run", load_issuer(config.identity).fingerprint)
    for is_elsewhere in (False, True):
        log.events.clear()
        with closing((context := open_context(setup)).catalog):
            shard = next(name for name in context.catalog.shard_names() if name.startswith("oai-"))
            bulk._write_files(shard, context, is_elsewhere=is_elsewhere)  # noqa: SLF001 - what is sent to a worker
        assert bool(log.at("sync ended")) is is_elsewhere
        assert log.at("written")[0] == 0


def test_power_cuts_lose_no_bundle_file_that_counts() -> None:
    """A few of the cuts that `tests/disasters/power_cuts.py` makes."""
    try:
        with making_disk() as disk:
            seen = cut_often(disk, 3, replies=6, seed=3)
    except NoDiskError as error:
        pytest.skip(str(error))
    assert seen.cuts >= 3
