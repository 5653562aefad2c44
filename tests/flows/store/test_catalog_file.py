"""The catalog's file: what a commit changes of it, its format, and whether it was touched."""

import hashlib
import os
import shutil
import sqlite3
from contextlib import closing
from datetime import UTC, date, datetime
from pathlib import Path
from random import Random
from typing import NoReturn

import pytest
from support.papers.oai_pages import page, record
from support.runs.runs import assert_whole, process

from flows.store.catalog.catalog import Catalog
from flows.store.catalog.file import SCHEMA_VERSION, find_damage
from flows.store.catalog.records import Commit, record_row
from flows.store.files.local import LocalFiles
from flows.store.layout import Layout
from flows.store.ledger import Head, Ledger
from flows.store.parquet.shards import ShardName
from transforms.encoding.digest import sha256

NOW = datetime(2026, 11, 21, tzinfo=UTC)
BASE32 = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"
FORMAT_3 = """
DROP INDEX records_by_suffix;
CREATE INDEX records_by_suffix ON records (substr(pith_number, 11, 12));
CREATE INDEX records_by_shard ON records (shard);
PRAGMA user_version = 3;
"""


def pages_of(path: Path) -> list[bytes]:
    data = path.read_bytes()
    return [data[at : at + 4096] for at in range(0, len(data), 4096)]


def changed_by_each_commit(root: Path, shards: int, papers: int) -> list[int]:
    """Commit shards of made-up papers, and return how many pages each added or changed."""
    files, path, rng = LocalFiles(root), root / "catalog.sqlite", Random(1)
    counts = []
    with closing(Catalog.create(path, "folder")) as catalog:
        ledger = Ledger(files, "folder", Head())
        for number in range(shards):
            shard = ShardName(f"unit{number:05}-0", f"unit{number:05}", "run", "folder")
            rows = tuple(
                record_row(
                    f"2201.{number * papers + row:05}",
                    1,
                    f"pith:2022:{''.join(rng.choices(BASE32, k=26))}",
                    sha256(rng.randbytes(9)),
                    date(2022, 1, 1),
                    NOW,
                )
                for row in range(papers)
            )
            written = ledger.append(moment=NOW, run="run", shard=shard.name, unit=shard.unit)
            before = pages_of(path)
            catalog.commit(Commit(shard, rows), written)
            after = pages_of(path)
            same = sum(one == other for one, other in zip(before, after, strict=False))
            counts.append(len(after) - same)
    return counts


def test_a_commit_changes_as_much_of_a_large_catalog_as_of_a_small_one(tmp_path: Path) -> None:
    counts = changed_by_each_commit(tmp_path, shards=60, papers=400)
    early, late = sum(counts[5:15]), sum(counts[-10:])
    assert late <= 1.3 * early, counts


def indexes(path: Path) -> set[tuple[str, str]]:
    with closing(sqlite3.connect(path)) as connection:
        return set(connection.execute("SELECT name, sql FROM sqlite_master WHERE type = 'index'"))


def dump(path: Path) -> list[str]:
    with closing(sqlite3.connect(path)) as connection:
        return [line for line in connection.iterdump() if line.startswith("INSERT")]


def test_a_catalog_of_the_format_before_reads_and_the_next_run_brings_it_up_to_date(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    process(tmp_path, page(record("2201.00001"), record("2201.00002")))
    path = Layout(tmp_path / "data").catalog
    kept, fresh = dump(path), indexes(path)
    with closing(sqlite3.connect(path)) as connection:
        connection.executescript(FORMAT_3)
    # As a version that knew no comment in it left the note.
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    path.with_name("catalog.sqlite.sha256").write_text(f"{digest}  catalog.sqlite\n")
    with closing(Catalog.open(path, read_only=True)) as older:
        (known,) = older.of_arxiv_id("2201.00001")
        assert older.of_prefix(known.pith_number[10:18]) == [known]
        assert older.known([known.pith_number]) == {known.pith_number: known}
    assert indexes(path) != fresh
    report = process(tmp_path, page(record("2201.00001"), record("2201.00002")))
    assert report.counts.unchanged == 2
    assert "brought the catalog to the format of this pith-ingest" in caplog.text
    assert (dump(path), indexes(path)) == (kept, fresh)
    with closing(sqlite3.connect(path)) as connection:
        assert connection.execute("PRAGMA user_version").fetchone() == (SCHEMA_VERSION,)
    assert_whole(tmp_path)
    caplog.clear()
    process(tmp_path, page(record("2201.00001"), record("2201.00002")))
    assert "brought" not in caplog.text


@pytest.fixture
def noted(tmp_path: Path) -> Path:
    """A catalog with its note, older than that by the system's clock."""
    process(tmp_path, page(record("2201.00001")))
    path = Layout(tmp_path / "data").catalog
    note = path.with_name("catalog.sqlite.sha256")
    while path.stat().st_ctime_ns >= note.stat().st_ctime_ns:
        note.write_bytes(note.read_bytes())
    return path


def test_a_quick_look_reads_no_catalog_that_nobody_touched(
    noted: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> NoReturn:
        raise AssertionError

    monkeypatch.setattr(hashlib, "file_digest", refuse)
    assert find_damage(noted, quick=True) is None
    with pytest.raises(AssertionError):
        find_damage(noted)


def test_a_quick_look_finds_what_was_changed_though_size_and_time_are_as_before(
    noted: Path,
) -> None:
    before = noted.stat()
    data = bytearray(noted.read_bytes())
    data[-1] ^= 1
    noted.write_bytes(data)
    os.utime(noted, ns=(before.st_atime_ns, before.st_mtime_ns))
    assert find_damage(noted, quick=True) == "its bytes are not those that the last run left"


def test_a_quick_look_reads_a_catalog_that_was_copied(noted: Path, tmp_path: Path) -> None:
    noted.write_bytes(noted.read_bytes()[:-1] + b"!")
    copy = tmp_path / "copy"
    shutil.copytree(noted.parent, copy)
    assert find_damage(copy / noted.name, quick=True)
