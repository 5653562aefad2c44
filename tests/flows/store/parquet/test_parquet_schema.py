"""The tables: each declared once, and an older shard reads as it did."""

import shutil
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Annotated, Any, NamedTuple

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from support.papers.golden_data import GOLDEN
from support.paths import ROOT, TESTS
from support.runs.runs import config_in
from support.stores.table_text import tables_text

from flows.cli.data.find import print_matches
from flows.cli.data.show import print_record
from flows.common.errors import StoreError
from flows.store.layout import TABLES, Layout
from flows.store.parquet.reader import read_commit
from flows.store.parquet.schema import GROUP_ROWS, REPEATING, REQUIRED, SCHEMAS, STATISTICS
from flows.store.parquet.shards import ShardName, read_rows, read_whole_marks
from flows.store.parquet.writer import ShardWriter, name_shard
from flows.store.repair.rebuild import make_catalog, take_up_older
from transforms import build_bundle
from transforms.bundle.build import draft
from transforms.paper.paper import Reject
from transforms.tables import schema
from transforms.tables.columns import Column, columns_of
from transforms.tables.rows import bundle_row, event_row, paper_row, reject_row
from transforms.tables.schema import SCHEMA_VERSION, BundleRow, VanishedRow, WindowRow

OLD = TESTS / "older" / "schema-2"
"""One shard with a row or two in each table, written before files told their schema's version."""

NAME = ShardName("first", "page:0", "a run", "a folder")
PAPER = GOLDEN[0]


def rows() -> dict[str, list[tuple[Any, ...]]]:
    """Return the rows of the old shard as they are made today."""
    drafted, at = draft(PAPER.paper), PAPER.times.built_at
    bundle = build_bundle(PAPER.paper, issuer=PAPER.issuer, times=PAPER.times)
    snapshot = drafted.snapshot_sha256
    return {
        "papers": [paper_row(drafted, source="page:0", issued_at=at)],
        "events": [event_row(event, arxiv_id=PAPER.id) for event in bundle["events"]],
        "bundles": [bundle_row(bundle, snapshot_sha256=snapshot, issued_at=at)],
        "rejects": [reject_row(Reject(3, None, "no title", b"<record/>"), source="page:0")],
        "vanished": [VanishedRow("2201.00001", at, "window:x")],
        "windows": [WindowRow("cs", date(2019, 6, 1), None, at, at, 5, 4, 0, 1, 0)],
    }


def bundle_rows() -> list[BundleRow]:
    return [BundleRow._make(row) for row in rows()["bundles"]]


def written(folder: Path) -> Layout:
    """Write today's rows as a shard."""
    layout, writer = Layout(folder), ShardWriter()
    for table, some in rows().items():
        writer.add(table, some)
    name_shard(layout, writer.write(layout, NAME))
    return layout


def file_of(folder: Path, table: str) -> Path:
    return folder / "tables" / table / "first.parquet"


@pytest.mark.parametrize("table", TABLES)
def test_todays_columns_are_those_of_the_older_shard(table: str) -> None:
    assert pq.read_schema(file_of(OLD, table)).equals(SCHEMAS[table], check_metadata=False)


@pytest.mark.parametrize("table", TABLES)
def test_a_file_is_written_as_it_was_but_for_its_schema_version(tmp_path: Path, table: str) -> None:
    new = pq.ParquetFile(file_of(written(tmp_path).root, table))
    old = pq.ParquetFile(file_of(OLD, table))
    assert new.read().equals(old.read())
    version = {b"pith.schema": str(SCHEMA_VERSION).encode()}
    assert new.metadata.metadata == old.metadata.metadata | version
    chunks = [file.metadata.row_group(0).to_dict()["columns"] for file in (new, old)]
    for chunk in chunks[0] + chunks[1]:
        for place in [key for key in chunk if key.endswith("_offset")]:
            del chunk[place]
    assert chunks[0] == chunks[1]


def test_an_older_shard_reads_with_and_without_a_column_that_came_later() -> None:
    layout = Layout(OLD)
    assert read_whole_marks(layout, "first") == NAME
    for table, due in rows().items():
        columns = [*SCHEMAS[table].names, "a_column_to_come"]
        found = list(read_rows(layout, table, "first", columns))
        assert [row[-1] for row in found] == [None] * len(due)
        plain = pa.Table.from_pylist(
            [dict(zip(SCHEMAS[table].names, row[:-1], strict=True)) for row in found],
            SCHEMAS[table],
        )
        assert plain.equals(pq.read_table(file_of(OLD, table)).replace_schema_metadata(None))
    commit = read_commit(layout, NAME)
    assert [record[2] for record in commit.records] == [PAPER.bundle["pith_number"]]


@pytest.mark.parametrize("text", ["", "zz", "ab" * 31, "AB" * 32, "ab" * 32 + " "])
def test_a_shard_with_a_digest_that_is_none_is_named(tmp_path: Path, text: str) -> None:
    layout, writer = Layout(tmp_path), ShardWriter()
    made = rows()
    writer.add("papers", made["papers"])
    writer.add("bundles", [row._replace(shown_sha256=text) for row in bundle_rows()])
    name_shard(layout, writer.write(layout, NAME))
    with pytest.raises(StoreError, match=r"bundles/first\.parquet has a shown_sha256 that is no"):
        read_commit(layout, NAME)


def test_the_commands_read_a_data_folder_of_an_older_shard(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    shutil.copytree(OLD, tmp_path / "data")
    layout = Layout(tmp_path / "data")
    make_catalog(layout, take_up_older(layout, datetime.now(UTC)))
    print_record(config_in(tmp_path), PAPER.id)
    assert PAPER.bundle["pith_number"] in capsys.readouterr().out
    print_matches(config_in(tmp_path), "gradient noise", 20)
    assert PAPER.id in capsys.readouterr().out


def test_a_column_that_came_later_may_be_null_whatever_its_type_says() -> None:
    class Row(NamedTuple):
        first: Annotated[int, Column("there from the first version on")]
        either: Annotated[int | None, Column("never sure")]
        later: Annotated[int, Column("of the next version", since=SCHEMA_VERSION + 1)]

    assert [(name, kind, null) for name, kind, null, _ in columns_of(Row)] == [
        ("first", int, False), ("either", int, True), ("later", int, True),
    ]  # fmt: skip


def test_all_that_a_table_is_made_of_comes_from_its_declaration() -> None:
    assert tuple(schema.TABLES) == TABLES == tuple(SCHEMAS)
    for table, declared in schema.TABLES.items():
        names = list(declared.row._fields)
        assert SCHEMAS[table].names == names
        assert set(REPEATING[table]) | set(STATISTICS[table]) | REQUIRED[table] <= set(names)
        later = {one.name for one in columns_of(declared.row) if one.column.since > 1}
        assert not later & REQUIRED[table]
        assert all(one.column.since <= SCHEMA_VERSION for one in columns_of(declared.row))
    assert GROUP_ROWS == {"bundles": 125}


def test_the_page_about_the_tables_says_what_is_declared() -> None:
    assert (ROOT / "docs" / "tables.md").read_text(encoding="utf-8") == tables_text()
