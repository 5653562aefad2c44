"""Killed at any moment, the next run completes or undoes what it finds; one writer at a time."""

import sqlite3
from collections.abc import Iterable
from pathlib import Path

import pytest
from support.papers.oai_pages import page, record
from support.runs.killing import KilledError, kill
from support.runs.runs import assert_whole, bundle_files, process, rows

from flows.common.errors import StoreError
from flows.ingest import schedule as bulk
from flows.store import store
from flows.store.catalog.catalog import Catalog
from flows.store.catalog.file import SCHEMA_VERSION, end_changes
from flows.store.files.local import LocalFiles
from flows.store.layout import Layout
from flows.store.ledger import Ledger
from flows.store.store import open_store

PAGES = page(record("2201.00001")), page(record("2201.00002"), record("2201.00003", title=""))


WRITE_DERIVED = LocalFiles.write_derived


def kill_at_a_bundle(files: LocalFiles, derived: Iterable[tuple[str, bytes]]) -> None:
    for key, data in derived:
        if key.startswith("bundles/"):
            raise KilledError
        WRITE_DERIVED(files, [(key, data)])


MOMENTS = {
    "before the ledger's entry": (Ledger, "append"),
    "between ledger and names": (store, "name_shard"),
    "between names and catalog": (Catalog, "commit"),
    "between commit and bundle files": (bulk, "write_bundle_files"),
    "while bundle files are written": (LocalFiles, "write_derived"),
    "before the files are noted": (Catalog, "mark_files_written"),
}


@pytest.mark.parametrize("moment", MOMENTS)
def test_a_killed_run_is_made_good_by_the_next(
    tmp_path: Path, moment: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    process(tmp_path, PAGES[0])
    where, name = MOMENTS[moment]
    with monkeypatch.context() as patched:
        # The lock's own file is written with the same function.
        patched.setattr(where, name, kill if name != "write_derived" else kill_at_a_bundle)
        with pytest.raises(KilledError):
            process(tmp_path, PAGES[1])
    assert process(tmp_path, *PAGES).counts.papers == 2
    assert_whole(tmp_path)
    assert len(bundle_files(tmp_path)) == 2
    assert [row["reason"] for row in rows(tmp_path, "rejects")] == ["no title"]
    assert any(word in caplog.text for word in ("removed", "took up", "completed"))


def test_a_second_writer_is_told_who_writes(tmp_path: Path) -> None:
    with (
        open_store(Layout(tmp_path), job="backfill", bundle_files=True, say=print),
        pytest.raises(StoreError, match=r"another run \(backfill, process \d+ on .*\) is writing"),
        open_store(Layout(tmp_path), job="nightly", bundle_files=True, say=print),
    ):
        pass
    with open_store(Layout(tmp_path), job="nightly", bundle_files=True, say=print):
        pass


def test_a_catalog_of_a_newer_version_is_left_alone(tmp_path: Path) -> None:
    process(tmp_path, PAGES[0])
    catalog = Layout(tmp_path / "data").catalog
    with sqlite3.connect(catalog) as connection:
        connection.execute(f"PRAGMA user_version = {SCHEMA_VERSION + 1}")
    connection.close()
    end_changes(catalog)
    with pytest.raises(StoreError, match="newer pith-ingest"):
        process(tmp_path, PAGES[1])


def test_a_file_that_is_no_catalog_is_set_aside(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    process(tmp_path, PAGES[0])
    layout = Layout(tmp_path / "data")
    layout.catalog.write_bytes(b"no database" * 100)
    assert process(tmp_path, PAGES[0]).counts.unchanged == 1
    assert "the old one is kept as" in caplog.text
    aside = layout.catalog.with_name("catalog.sqlite.damaged-1")
    assert aside.read_bytes() == b"no database" * 100
    assert_whole(tmp_path)


def test_a_folder_that_is_a_file_is_named(tmp_path: Path) -> None:
    (tmp_path / "data").write_text("in the way")
    with pytest.raises(StoreError, match=r"cannot write .*data: File exists"):
        process(tmp_path, PAGES[0])


def test_bundle_files_can_be_left_out(tmp_path: Path) -> None:
    with open_store(Layout(tmp_path), job="test", bundle_files=False, say=print) as opened:
        assert opened.recover() == []
