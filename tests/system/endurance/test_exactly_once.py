"""Exactly once: whatever is killed, full, damaged or locked, nothing is lost or done twice."""

import json
import multiprocessing
import os
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator
from multiprocessing.synchronize import Event
from pathlib import Path
from random import Random

import pytest
from support.papers.oai_pages import page, record
from support.runs import jobs
from support.runs.catalogs import dump, rebuilt
from support.runs.runs import assert_whole, bundle_files, config_in, process, rows, tree

from flows.common.errors import StoreError
from flows.store.layout import Layout
from flows.store.repair.rebuild import rebuild_catalog

pytestmark = pytest.mark.process

KILLS = 100 if os.environ.get("FULL") else 40
PAPERS, PAGE = (2000, 5) if os.environ.get("FULL") else (800, 5)


def pages() -> list[bytes]:
    ids = [f"2201.{number:05}" for number in range(1, PAPERS + 1)]
    return [page(*map(record, ids[at : at + PAGE])) for at in range(0, PAPERS, PAGE)]


def save(folder: Path, replies: list[bytes]) -> Path:
    saved = folder / "saved"
    saved.mkdir()
    for number, reply in enumerate(replies):
        (saved / f"{number:04}.xml").write_bytes(reply)
    return saved


def backfill(folder: Path, begun: Event) -> None:
    """Run in a process of its own, which is killed."""
    begun.set()
    jobs.backfill_raw(config_in(folder), [folder / "saved"])


def test_killed_again_and_again_it_ends_with_each_paper_once(tmp_path: Path) -> None:
    save(tmp_path, pages())
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["support.runs.jobs", "test_exactly_once"])
    choose = Random(4)
    kills = 0
    # On a busy machine the first of them may all come before anything was committed.
    while kills < KILLS or len(rows(tmp_path, "bundles")) < PAPERS // 4:
        begun = context.Event()
        child = context.Process(target=backfill, args=(tmp_path, begun))
        child.start()
        assert begun.wait(60)
        # A moment that no event marks is the point of this test; on a busy machine they come later.
        time.sleep(choose.uniform(0, 0.15 * max(1, kills / KILLS)))
        child.kill()
        child.join()
        assert child.exitcode == -signal.SIGKILL, "done before the last kill: nothing is shown"
        kills += 1
    report = jobs.backfill_raw(config_in(tmp_path), [tmp_path / "saved"])
    assert report.counts.papers == PAPERS
    issued = [row["pith_number"] for row in rows(tmp_path, "bundles")]
    assert len(issued) == len(set(issued)) == PAPERS
    assert 0 < report.counts.unchanged < PAPERS
    # One receipt time each: the event log has one record_created a number, and the files show it.
    logged = {
        row["pith_number"].split(":")[2]: json.loads(row["event"])["payload"]["receipt"]
        for row in rows(tmp_path, "events")
        if row["event_type"] == "record_created"
    }
    assert len(rows(tmp_path, "events")) == 2 * PAPERS
    assert logged == {
        suffix: json.loads(data)["events"][0]["payload"]["receipt"]
        for suffix, data in bundle_files(tmp_path).items()
    }
    assert_whole(tmp_path)
    before = dump(tmp_path / "data" / "catalog.sqlite")
    assert rebuilt(tmp_path) == before
    assert_whole(tmp_path)


def test_the_catalog_and_the_files_come_back_from_the_shards(tmp_path: Path) -> None:
    process(tmp_path, page(record(datestamp="2020-01-01"), record("2201.00001", title="")))
    process(tmp_path, page(record(datestamp="2020-02-01", authors="A. One")))
    process(tmp_path, page(record("2201.00002")))
    layout = Layout(tmp_path / "data")
    before, files = dump(layout.catalog), bundle_files(tmp_path)
    layout.catalog.unlink()
    shutil.rmtree(layout.root / "bundles")
    assert rebuilt(tmp_path) == before
    assert bundle_files(tmp_path) == files
    assert process(tmp_path, page(record("2201.00002"))).counts.unchanged == 1


def test_a_shard_of_which_a_file_is_missing_stops_every_writer(tmp_path: Path) -> None:
    process(tmp_path, page(record("2201.00001")))
    process(tmp_path, page(record("2201.00002")))
    lost = min((tmp_path / "data" / "tables" / "events").glob("*.parquet"))
    data = lost.read_bytes()
    lost.unlink()
    before = tree(tmp_path)
    with pytest.raises(StoreError, match=rf"{lost.name}.* is gone; .*doctor"):
        rebuild_catalog(Layout(tmp_path / "data"))
    with pytest.raises(StoreError, match=rf"{lost.name}.* is gone; .*doctor"):
        process(tmp_path, page(record("2201.00001")))
    assert tree(tmp_path) == before
    lost.write_bytes(data)
    assert process(tmp_path, page(record("2201.00001"))).counts.unchanged == 1
    assert_whole(tmp_path)


def test_a_damaged_shard_is_named_and_nothing_is_replaced(tmp_path: Path) -> None:
    process(tmp_path, page(record(datestamp="2020-01-01")))
    layout = Layout(tmp_path / "data")
    (shard,) = (layout.root / "tables" / "bundles").glob("*.parquet")
    whole, catalog = shard.read_bytes(), layout.catalog.read_bytes()
    changed = page(record(datestamp="2020-02-01", authors="A. One"))
    for damage in (b"", whole[: len(whole) // 2]):
        shard.write_bytes(damage)
        with pytest.raises(StoreError, match=r"bundles.* instead of .*doctor"):
            rebuild_catalog(layout)
        with pytest.raises(StoreError, match=r"bundles.* instead of .*doctor"):
            process(tmp_path, changed)
        assert layout.catalog.read_bytes() == catalog
    shard.write_bytes(whole)
    assert process(tmp_path, changed).counts.new_snapshots == 1
    assert_whole(tmp_path)


def test_the_same_backfill_again_writes_nothing_and_is_faster(tmp_path: Path) -> None:
    save(tmp_path, pages()[:60])
    started = time.process_time()
    jobs.backfill_raw(config_in(tmp_path), [tmp_path / "saved"])
    first = time.process_time() - started
    before = tree(tmp_path)
    started = time.process_time()
    jobs.backfill_raw(config_in(tmp_path), [tmp_path / "saved"])
    second = time.process_time() - started
    assert tree(tmp_path) == before
    assert second < first / 2


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """Mount a file system of 1 MiB, as root can."""
    folder = tmp_path / "small"
    folder.mkdir()
    mounted = subprocess.run(
        # What one run needs, its report and page with it, and hardly more.
        ["mount", "-t", "tmpfs", "-o", "size=1300k", "tmpfs", str(folder)],
        capture_output=True,
        check=False,
    )
    if mounted.returncode:
        pytest.skip("only root can mount a small file system to fill")
    yield folder
    subprocess.run(["umount", str(folder)], check=True)


def test_a_full_disk_loses_nothing(tmp_path: Path, small_disk: Path) -> None:
    first = page(record("2201.00001"))
    many = page(*(record(f"2202.{number:05}") for number in range(1, 60)))
    saved = save(tmp_path, [first, many])
    config = config_in(small_disk)
    jobs.backfill_raw(config, [saved / "0000.xml"])
    before = bundle_files(small_disk)
    filler = small_disk / "filler"
    for room in (8, 24, 64, 100):
        filler.write_bytes(b"x" * (shutil.disk_usage(small_disk).free - room * 1024))
        with pytest.raises(StoreError, match=r"No space left|disk is full"):
            jobs.backfill_raw(config, [saved])
        filler.unlink()
    assert before.items() <= bundle_files(small_disk).items()
    report = jobs.backfill_raw(config, [saved])
    assert (report.counts.papers, report.failures) == (60, {})
    assert_whole(small_disk)
