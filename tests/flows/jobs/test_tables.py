"""Tables as readers meet them: shards of an older schema, and tables without a row."""

from pathlib import Path

import polars as pl
import pytest
from support.commands.command import assert_one_sentence, run
from support.papers.oai_pages import page, record
from support.runs import jobs
from support.runs.catalogs import dump, rebuilt
from support.runs.killing import KilledError, kill
from support.runs.runs import SAMPLE, assert_whole, config_in, process, rows
from support.stores.older_tables import drop_columns, shard_files

from flows.cli.data.find import print_matches
from flows.cli.data.show import print_record
from flows.common.errors import StoreError
from flows.ingest.worker_context import layout_of
from flows.jobs import reissue as reissuing
from flows.store import store
from flows.store.bundles.export import Exported, ExportSelection, export_bundles
from flows.store.catalog.catalog import Catalog
from flows.store.layout import TABLES, Layout
from flows.store.parquet.schema import REQUIRED, SCHEMAS
from flows.store.parquet.shards import read_rows

pytestmark = pytest.mark.process

PAPER = "0903.0442"
NULLABLE = [field.name for field in SCHEMAS["papers"] if field.nullable]


def test_columns_that_came_later_may_be_null() -> None:
    # Those of the first release that all shards have; one to come must be nullable.
    assert {table: len(columns) for table, columns in REQUIRED.items()} == {
        "papers": 20, "events": 11, "bundles": 9, "rejects": 4, "vanished": 3, "windows": 7,
    }  # fmt: skip


@pytest.mark.parametrize("columns", [["acm_class"], ["datestamp"], NULLABLE], ids=str)
def test_a_shard_without_newer_columns_is_read_by_every_command(
    tmp_path: Path, columns: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    process(tmp_path, page(record(), record("2201.00001")))
    drop_columns(tmp_path, "papers", *columns)
    config = config_in(tmp_path)
    # A shard of today's beside it, and a snapshot appended to a bundle of the older one.
    process(tmp_path, page(record("2201.00002", **{"acm-class": "F.2.2"})))
    later = page(record("2201.00001", authors="C. Three", datestamp="2020-01-01"))
    assert process(tmp_path, later).counts.new_snapshots == 1
    print_matches(config, "title", 20)
    assert [line.split()[0] for line in capsys.readouterr().out.splitlines()] == [
        PAPER, "2201.00001", "2201.00002",
    ]  # fmt: skip
    print_record(config, PAPER)
    assert "A title of 0903.0442" in capsys.readouterr().out
    chosen = ExportSelection(categories=frozenset({"stat.ML"}))
    assert export_bundles(layout_of(config), chosen, tmp_path / "out") == Exported(written=3)
    (tmp_path / "signing.key").rename(tmp_path / "old.key")
    again = reissuing.reissue(config, job_name="backfill")
    assert (again.counts.reissued, again.exit_status) == (3, 0)
    assert_whole(tmp_path)


def test_a_catalog_is_made_again_from_shards_without_newer_columns(tmp_path: Path) -> None:
    process(tmp_path, page(record(), record("2201.00001")))
    before = dump(tmp_path / "data" / "catalog.sqlite")
    drop_columns(tmp_path, "papers", *(name for name in NULLABLE if name != "datestamp"))
    assert rebuilt(tmp_path) == before
    drop_columns(tmp_path, "papers", "datestamp")
    rebuilt(tmp_path)
    with Catalog.open(Layout(tmp_path / "data").catalog, read_only=True)._connection as found:  # noqa: SLF001 - a day
        assert found.execute("SELECT count(*), count(datestamp) FROM records").fetchone() == (2, 0)
    found.close()
    assert process(tmp_path, page(record())).counts.unchanged == 1


def test_all_rows_come_though_none_of_the_columns_does(tmp_path: Path) -> None:
    process(tmp_path, page(*(record(f"2201.{n:05}") for n in range(1, 301))))
    drop_columns(tmp_path, "papers", "acm_class", "doi")
    layout = Layout(tmp_path / "data")
    (file,) = shard_files(tmp_path, "papers")
    found = list(read_rows(layout, "papers", file.stem, ["acm_class", "doi"]))
    assert found == [(None, None)] * 300
    mixed = list(read_rows(layout, "papers", file.stem, ["doi", "arxiv_id", "acm_class"]))
    assert mixed[-1] == (None, "2201.00300", None)


@pytest.mark.parametrize(
    ("table", "column", "words"),
    [
        ("bundles", "shown_sha256", ["rebuild-catalog"]),
        ("bundles", "bundle", ["show", PAPER]),
        ("papers", "cross_lists", ["export", "--category", "cs.LG"]),
        ("papers", "title_ascii", ["find", "title"]),
    ],
)
def test_a_shard_without_what_all_have_is_named(
    tmp_path: Path, table: str, column: str, words: list[str]
) -> None:
    process(tmp_path, page(record()))
    drop_columns(tmp_path, table, column)
    done = run(tmp_path, *words, "--data", tmp_path / "data")
    assert done.returncode == 2
    assert_one_sentence(done, column)
    if words[0] != "find":
        assert_one_sentence(done, str(shard_files(tmp_path, table)[0]), "from a copy")


def test_an_acm_class_is_kept_as_it_was_served(tmp_path: Path) -> None:
    served = {"acm-class": "F.2.2;\n  I.2.7", "msc-class": "68T50"}
    process(tmp_path, page(record(**served), record("2201.00001")))
    found = {r["arxiv_id"]: (r["acm_class"], r["msc_class"]) for r in rows(tmp_path, "papers")}
    assert found == {PAPER: ("F.2.2; I.2.7", "68T50"), "2201.00001": (None, None)}


def test_an_acm_class_alone_changes_neither_record_nor_snapshot(tmp_path: Path) -> None:
    process(tmp_path, page(record()))
    assert process(tmp_path, page(record(**{"acm-class": "F.2.2"}))).counts.unchanged == 1


def test_every_table_can_be_read_though_nothing_went_wrong(tmp_path: Path) -> None:
    assert process(tmp_path, page(record())).exit_status == 0
    for table in TABLES:
        found = pl.read_parquet(tmp_path / "data" / "tables" / table / "*.parquet")
        assert found.columns == SCHEMAS[table].names
        assert bool(found.height) == (table in {"papers", "events", "bundles"})
    assert_whole(tmp_path)
    before = [file.stat().st_mtime_ns for file in shard_files(tmp_path, "rejects")]
    process(tmp_path, page(record("2201.00001", title="")))
    assert pl.read_parquet(tmp_path / "data/tables/rejects/*.parquet").height == 1
    assert shard_files(tmp_path, "rejects")[0].stat().st_mtime_ns in before


def test_a_folder_from_before_gets_the_empty_tables_with_its_next_run(tmp_path: Path) -> None:
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr("flows.jobs.job.keep_empty_tables", lambda _: None)
        process(tmp_path, page(record()))
    assert shard_files(tmp_path, "rejects") == []
    process(tmp_path, page(record()))
    assert pl.read_parquet(tmp_path / "data/tables/rejects/*.parquet").height == 0
    assert rebuilt(tmp_path) == dump(tmp_path / "data" / "catalog.sqlite")


@pytest.mark.parametrize("moment", [(store, "name_shard"), (Catalog, "commit")], ids=str)
def test_killed_while_it_keeps_them_the_next_run_does(
    tmp_path: Path, moment: tuple[object, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patched:
        patched.setattr(*moment, kill)
        with pytest.raises(KilledError):
            process(tmp_path, page(record()))
    assert process(tmp_path, page(record())).counts.new_records == 1
    assert len(shard_files(tmp_path, "rejects")) == 1
    assert_whole(tmp_path)


def test_a_damaged_shard_is_named_by_find(tmp_path: Path) -> None:
    jobs.backfill_raw(config_in(tmp_path), [SAMPLE])
    shard_files(tmp_path, "papers")[0].write_bytes(b"PAR1 nothing PAR1")
    with pytest.raises(StoreError, match=r"cannot read the tables in .*: "):
        print_matches(config_in(tmp_path), "", 20)
