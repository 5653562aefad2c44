"""What the doctor and the next run say of each state of a data folder, and that nothing is lost."""

import multiprocessing
import shutil
import sqlite3
from collections.abc import Iterator, Sequence
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from support.papers.oai_pages import page, record
from support.runs.runs import assert_whole, bundle_files, config_in, process, tree
from typer.testing import CliRunner

from flows.cli.app import app
from flows.common.errors import StoreError, WorkerError
from flows.ingest.worker_context import layout_of
from flows.store.layout import Layout
from flows.store.ledger import Entry
from flows.store.repair.doctor import examine, repair_folder
from flows.store.repair.full_check import Expected, ShardCheck, check_shards
from flows.store.repair.rebuild import rebuild_catalog

pytestmark = pytest.mark.process

PAGES = [
    page(record("2201.00001"), record("2201.00002")),
    page(record("2201.00003"), record("2201.00004", title="")),
    page(record("2201.00001", datestamp="2030-01-01", authors="A. Other")),
]


@pytest.fixture
def data(tmp_path: Path) -> Path:
    for one in PAGES:
        process(tmp_path, one)
    assert_whole(tmp_path)
    return tmp_path / "data"


def committed(folder: Path) -> dict[str, str]:
    """Return the hash of every file that a run committed, replies and bundle files too."""
    kept = ("tables", "ledger", "bundles", "raw", "folder.json")
    return {name: sha for name, (_, sha) in tree(folder).items() if name.startswith(kept)}


def faults(folder: Path, *, full: bool = False) -> list[str]:
    config = config_in(folder)
    found = examine(layout_of(config), config, full=full)
    return [str(fault) for fault in found.findings.faults]


def mend(folder: Path, *, full: bool = False) -> list[str]:
    said: list[str] = []
    repair_folder(layout_of(config_in(folder)), config_in(folder), full=full, say=said.append)
    return said


def older_catalog(tmp_path: Path, data: Path) -> None:
    fresh = tmp_path / "fresh"
    shutil.copytree(data, fresh)
    process(tmp_path, page(record("2201.00009")))
    for name in ("catalog.sqlite", "catalog.sqlite.sha256"):
        shutil.copyfile(fresh / name, data / name)


def test_all_is_well(tmp_path: Path, data: Path) -> None:
    assert data.exists()
    assert faults(tmp_path) == faults(tmp_path, full=True) == []


def test_a_process_that_is_killed_while_it_reads_is_told_as_what_it_is(
    tmp_path: Path, data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def check_many(
        layout: Layout, entries: Sequence[Entry], expected: Expected, _: int
    ) -> Iterator[ShardCheck]:
        for check in check_shards(layout, list(entries) * 50, expected, 2):
            for worker in multiprocessing.active_children():
                worker.kill()
            yield check

    monkeypatch.setattr("flows.store.repair.doctor.check_shards", check_many)
    assert data.exists()
    with pytest.raises(WorkerError, match=r"a worker process ended .* short of memory"):
        faults(tmp_path, full=True)
    assert multiprocessing.active_children() == []


@pytest.mark.parametrize("state", ["gone", "empty", "nonsense", "flipped", "another folder's"])
def test_a_run_makes_a_lost_catalog_again_and_touches_nothing_else(
    tmp_path: Path, data: Path, state: str, caplog: pytest.LogCaptureFixture
) -> None:
    before, catalog = committed(tmp_path), data / "catalog.sqlite"
    if state == "gone":
        catalog.unlink()
    elif state == "empty":
        catalog.write_bytes(b"")
    elif state == "nonsense":
        catalog.write_bytes(b"no database" * 1000)
    elif state == "flipped":
        middle = bytearray(catalog.read_bytes())
        middle[len(middle) // 2] ^= 4
        catalog.write_bytes(middle)
    else:
        (tmp_path / "other").mkdir()
        process(tmp_path / "other", PAGES[0])
        shutil.copyfile(tmp_path / "other/data/catalog.sqlite", catalog)
        (data / "catalog.sqlite.sha256").unlink()
    assert any("catalog" in fault for fault in faults(tmp_path))
    report = process(tmp_path, *PAGES)
    assert (report.counts.new_records, report.counts.new_snapshots) == (0, 0)
    assert "made again from the ledger" in caplog.text
    assert committed(tmp_path) == before
    assert_whole(tmp_path)
    assert faults(tmp_path, full=True) == []


def test_an_older_catalog_is_brought_up_to_date(
    tmp_path: Path, data: Path, caplog: pytest.LogCaptureFixture
) -> None:
    older_catalog(tmp_path, data)
    before = committed(tmp_path)
    assert faults(tmp_path) == [
        f"{data}/catalog.sqlite is behind by 1 commit; mended by: the next run"
    ]
    assert process(tmp_path, PAGES[0]).counts.unchanged == 2
    assert "took up the shard" in caplog.text
    assert committed(tmp_path) == before
    assert_whole(tmp_path)


STOPS = {
    "a file of a shard is gone": ("tables/events/*.parquet", "unlink"),
    "a file of a shard is cut short": ("tables/bundles/*.parquet", "truncate"),
    "the ledger lost its end": ("ledger/00000004.json", "unlink"),
    "the ledger has a hole": ("ledger/00000002.json", "unlink"),
    "the ledger lost all": ("ledger/*.json", "unlink all"),
    "an entry of the ledger is cut short": ("ledger/00000003.json", "truncate"),
}


@pytest.mark.parametrize("state", STOPS)
def test_a_doubt_stops_the_run_and_nothing_is_touched(
    tmp_path: Path, data: Path, state: str
) -> None:
    pattern, how = STOPS[state]
    paths = sorted(data.glob(pattern))
    for path in paths if how == "unlink all" else paths[:1]:
        if how == "truncate":
            path.write_bytes(path.read_bytes()[:100])
        else:
            path.unlink()
    before = tree(tmp_path)
    with pytest.raises(StoreError, match="pith-ingest doctor"):
        process(tmp_path, PAGES[0])
    assert tree(tmp_path) == before
    assert faults(tmp_path)
    result = CliRunner().invoke(app, ["status", "--data", str(data)])
    assert result.exit_code == 1
    mend(tmp_path)
    assert faults(tmp_path, full=True) == []
    assert process(tmp_path, *PAGES).counts.new_records == 0
    assert_whole(tmp_path)


def test_a_foreign_file_is_left_alone_and_named(
    tmp_path: Path, data: Path, caplog: pytest.LogCaptureFixture
) -> None:
    table = data / "tables" / "papers"
    shutil.copyfile(min(table.glob("*.parquet")), table / "my_backup.parquet")
    (table / "notes.parquet").write_bytes(b"mine")
    before = committed(tmp_path)
    assert process(tmp_path, PAGES[0]).counts.unchanged == 2
    assert caplog.text.count("my_backup.parquet") == 1
    assert committed(tmp_path) == before
    assert faults(tmp_path) == []


def test_a_shard_of_another_data_folder_is_set_aside(tmp_path: Path, data: Path) -> None:
    (tmp_path / "other").mkdir()
    process(tmp_path / "other", page(record("2201.00077")))
    (theirs,) = (tmp_path / "other/data/tables/papers").glob("*.parquet")
    shutil.copyfile(theirs, data / "tables/papers" / theirs.name)
    assert [theirs.name in fault for fault in faults(tmp_path)] == [True]
    mend(tmp_path)
    assert faults(tmp_path) == []
    (aside,) = (data / "damaged").rglob("*.parquet")
    assert aside.read_bytes() == theirs.read_bytes()


def test_a_flipped_bundles_shard_is_never_copied_over_a_good_bundle_file(
    tmp_path: Path, data: Path
) -> None:
    good = bundle_files(tmp_path)
    shard = max((data / "tables/bundles").glob("*.parquet"), key=lambda path: path.stat().st_size)
    flipped = bytearray(shard.read_bytes())
    flipped[len(flipped) // 3] ^= 1
    shard.write_bytes(flipped)
    with pytest.raises(StoreError, match="other bytes than were committed"):
        rebuild_catalog(Layout(data))
    result = CliRunner().invoke(app, ["export", "--all", "--data", str(data)])
    assert isinstance(result.exception, StoreError)
    assert bundle_files(tmp_path) == good
    assert faults(tmp_path) == [], "a quick look reads no bytes"
    (fault,) = faults(tmp_path, full=True)
    assert "other bytes" in fault
    mend(tmp_path, full=True)
    assert faults(tmp_path, full=True) == []
    assert bundle_files(tmp_path) == good
    report = process(tmp_path, *PAGES)
    assert (report.counts.new_records, report.counts.new_snapshots) == (0, 0)


def test_papers_of_a_lost_papers_table_come_back_with_their_inputs(
    tmp_path: Path, data: Path
) -> None:
    good = bundle_files(tmp_path)
    for path in (data / "tables/papers").glob("*.parquet"):
        path.unlink()
    mend(tmp_path)
    assert list((data / "tables/papers").glob("*.parquet")) == []
    report = process(tmp_path, *PAGES)
    assert (report.counts.new_records, report.counts.new_snapshots) == (0, 0)
    assert bundle_files(tmp_path) == good
    rows = [
        r for p in (data / "tables/papers").glob("*.parquet") for r in pq.read_table(p).to_pylist()
    ]
    assert {row["arxiv_id"] for row in rows} == {f"2201.0000{n}" for n in (1, 2, 3)}
    assert faults(tmp_path, full=True) == []


def test_what_a_repair_replaced_is_never_taken_up_again(tmp_path: Path, data: Path) -> None:
    shard = min((data / "tables/papers").glob("*.parquet"))
    flipped = bytearray(shard.read_bytes())
    flipped[len(flipped) // 3] ^= 1
    shard.write_bytes(flipped)
    mend(tmp_path, full=True)
    assert faults(tmp_path, full=True) == []
    # As a repair leaves it that is killed before it has set anything aside.
    (aside,) = (data / "damaged").glob("*/tables")
    shutil.copytree(aside, data / "tables", dirs_exist_ok=True)
    with pytest.raises(StoreError, match="pith-ingest doctor"):
        process(tmp_path, PAGES[0])
    mend(tmp_path)
    assert not shard.exists()
    assert faults(tmp_path, full=True) == []
    assert process(tmp_path, *PAGES).counts.new_snapshots == 0


def test_a_lost_reply_is_named_and_then_known(tmp_path: Path, data: Path) -> None:
    gone = min((data / "raw").rglob("*.zst"))
    gone.unlink()
    assert [gone.name in fault for fault in faults(tmp_path)] == [True]
    mend(tmp_path)
    assert faults(tmp_path, full=True) == []


def test_bundle_files_that_are_gone_or_changed_are_written_again(
    tmp_path: Path, data: Path
) -> None:
    good = bundle_files(tmp_path)
    first, second, third = sorted((data / "bundles").rglob("*.json"))
    first.unlink()
    second.write_bytes(b"")
    assert len(faults(tmp_path)) == 2
    mend(tmp_path)
    third.write_bytes(third.read_bytes().replace(b"arxiv", b"arXiv", 1))
    assert faults(tmp_path) == []
    assert len(faults(tmp_path, full=True)) == 1
    mend(tmp_path, full=True)
    assert bundle_files(tmp_path) == good


def test_a_folder_of_an_older_version_is_taken_up(tmp_path: Path, data: Path) -> None:
    """Such a folder has neither ledger nor id, and its catalog has the format before."""
    good = bundle_files(tmp_path)
    shutil.rmtree(data / "ledger")
    (data / "folder.json").unlink()
    (data / "catalog.sqlite.sha256").unlink()
    for path in data.rglob("*.parquet"):
        table = pq.read_table(path)
        marks = pq.read_metadata(path).metadata
        kept = {
            key: marks[key] for key in (b"pith.shard", b"pith.tables", b"pith.unit", b"pith.run")
        }
        pq.write_table(table.replace_schema_metadata(kept), path, compression="zstd")
    with sqlite3.connect(data / "catalog.sqlite") as connection:
        connection.execute("PRAGMA user_version = 2")
    connection.close()
    before = tree(tmp_path)
    with pytest.raises(StoreError, match=r"older pith-ingest; .* 'pith-ingest rebuild-catalog'"):
        process(tmp_path, PAGES[0])
    assert tree(tmp_path) == before
    tables = {name: was for name, was in before.items() if name.startswith("tables")}
    result = CliRunner().invoke(app, ["rebuild-catalog", "--data", str(data)])
    assert result.exit_code == 0, result.output
    assert tables.items() <= tree(tmp_path).items()
    report = process(tmp_path, *PAGES)
    assert (report.counts.new_records, report.counts.new_snapshots) == (0, 0)
    assert bundle_files(tmp_path) == good
    assert_whole(tmp_path)
    assert faults(tmp_path, full=True) == []
