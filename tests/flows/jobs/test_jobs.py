"""From saved replies to tables, bundles, catalog and report."""

import gzip
import json
import re
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import polars as pl
import pyarrow.parquet as pq
import pytest
import zstandard
from support.papers.golden_data import GOLDEN
from support.papers.oai_pages import error, page, record, version
from support.runs import jobs
from support.runs.runs import SAMPLE, assert_whole, bundle_files, config_in, process, rows, tree

from flows.common.errors import ConfigError
from flows.store.parquet.schema import SCHEMAS
from transforms.encoding.canonical import canonical_json
from transforms.verify.verify import verify_bundle

PAPER_TABLES = ("papers", "events", "bundles", "rejects")


def newest_bundle(folder: Path) -> dict[str, Any]:
    (data,) = bundle_files(folder).values()
    assert verify_bundle(data, []).valid
    bundle: dict[str, Any] = json.loads(data)
    return bundle


def test_the_sample_becomes_tables_bundles_and_a_report(tmp_path: Path) -> None:
    config = config_in(tmp_path)
    report = jobs.backfill_raw(config, [SAMPLE])
    counts = report.counts
    assert (counts.papers, counts.new_records, counts.withdrawn, counts.rejects) == (9, 9, 1, 1)
    assert report.exit_status == 1
    assert [len(rows(tmp_path, table)) for table in PAPER_TABLES] == [9, 18, 9, 1]
    for table, schema in SCHEMAS.items():
        shards = list((tmp_path / "data" / "tables" / table).glob("*.parquet"))
        # One of papers, and an empty one of what a good run leaves without rows.
        assert len(shards) == (2 if table == "rejects" else 1)
        assert all(pq.read_schema(shard).equals(schema) for shard in shards)
    assert_whole(tmp_path)
    (written,) = (tmp_path / "data" / "runs").glob("*/report.json")
    assert json.loads(written.read_text())["counts"]["new_records"] == 9
    assert "9 new records" in written.with_suffix(".md").read_text()


def test_the_sample_gives_the_golden_records_and_numbers(tmp_path: Path) -> None:
    jobs.backfill_raw(config_in(tmp_path), [SAMPLE])
    ours = {suffix: json.loads(data) for suffix, data in bundle_files(tmp_path).items()}
    for golden in GOLDEN:
        mine, published = ours[golden.bundle["pith_number"].split(":")[2]], golden.bundle
        for name in ("pith_number", "short_pith_number", "canonical_record", "canonical_sha256"):
            assert mine[name] == published[name]
        assert [(a["alias_kind"], a["alias_value"]) for a in mine["source_aliases"]] == [
            (a["alias_kind"], a["alias_value"]) for a in published["source_aliases"]
        ]
        shown = [b["events"][1]["payload"]["graph_snapshot"]["paper"] for b in (mine, published)]
        assert shown[0] == shown[1]


def test_the_tables_are_typed(tmp_path: Path) -> None:
    jobs.backfill_raw(config_in(tmp_path), [SAMPLE])
    papers = pl.read_parquet(tmp_path / "data/tables/papers/*.parquet")
    many = papers.row(by_predicate=pl.col("arxiv_id") == "2201.99902", named=True)
    assert many["submitted_at"] == datetime(2022, 1, 11, 12, tzinfo=UTC)
    assert [v["number"] for v in many["versions"]] == list(range(1, 13))
    assert many["author_names"][0] == r"S. Schr\"odinger"
    assert many["authors_ascii"].startswith("S. Schrodinger, L. Przyklad, T. C. Ornek")
    bundles = pl.read_parquet(tmp_path / "data/tables/bundles/*.parquet")
    assert {row["bundle"] for row in bundles.iter_rows(named=True)} == set(
        bundle_files(tmp_path).values()
    )


def test_names_and_search_keys_are_free_of_affiliations_and_in_arxivs_order(tmp_path: Path) -> None:
    authors = r"S. Schr\"odinger (1 and 2), {\L}. B\'i (2,3) and A. One ((1) CREST, Tokyo, (2) X)"
    process(tmp_path, page(record(authors=authors), record("2201.00001", authors="(Nobody)")))
    found = {row["arxiv_id"]: row for row in rows(tmp_path, "papers")}
    assert found["0903.0442"]["author_names"] == [r"S. Schr\"odinger", r"{\L}. B\'i", "A. One"]
    assert found["0903.0442"]["authors_ascii"] == "S. Schrodinger, L. Bi, A. One"
    assert found["0903.0442"]["authors"] == authors
    assert (found["2201.00001"]["author_names"], found["2201.00001"]["authors_ascii"]) == (
        [], "(Nobody)",
    )  # fmt: skip


def test_the_same_again_changes_nothing(tmp_path: Path) -> None:
    config = config_in(tmp_path)
    jobs.backfill_raw(config, [SAMPLE])
    before = tree(tmp_path)
    again = jobs.backfill_raw(config, [SAMPLE]).counts
    kept = jobs.backfill_raw(config, [tmp_path / "data" / "raw"]).counts
    assert (again.new_records, again.unchanged, again.rejects) == (0, 9, 1)
    assert (kept.new_records, kept.unchanged) == (0, 9)
    assert tree(tmp_path) == before


def test_the_same_paper_twice_in_one_page_is_issued_once(tmp_path: Path) -> None:
    counts = process(tmp_path, page(record(), record())).counts
    assert (counts.new_records, counts.unchanged) == (1, 1)
    assert_whole(tmp_path)


def test_other_authors_append_a_snapshot(tmp_path: Path) -> None:
    process(tmp_path, page(record(datestamp="2020-01-01")))
    first = newest_bundle(tmp_path)
    later = page(record(datestamp="2020-02-01", authors="A. One, C. Three"))
    counts = process(tmp_path, later).counts
    assert (counts.new_records, counts.new_snapshots) == (0, 1)
    second = newest_bundle(tmp_path)
    assert second["events"][:2] == first["events"]
    assert second["events"][2]["prev_event"] == first["events"][1]["event_id"]
    (current,) = second["state"]["current"]["graph_snapshots"]
    assert current["payload"]["graph_snapshot"]["paper"]["authors_text"] == "A. One, C. Three"
    assert [row["event_type"] for row in rows(tmp_path, "events")] == [
        "record_created", "graph_snapshot", "graph_snapshot",
    ]  # fmt: skip
    assert process(tmp_path, later).counts.unchanged == 1


def test_an_older_reply_takes_nothing_back(tmp_path: Path) -> None:
    older = page(record(datestamp="2020-01-01", authors="A. One"))
    process(tmp_path, page(record(datestamp="2020-02-01", authors="A. One, B. Two")))
    before = tree(tmp_path, without=["runs", "raw"])
    assert process(tmp_path, older).counts.unchanged == 1
    assert tree(tmp_path, without=["runs", "raw"]) == before


def test_two_changes_in_one_page_are_two_snapshots_in_a_row(tmp_path: Path) -> None:
    changes = [record(datestamp=f"2020-01-0{n}", authors=f"Author {n}") for n in (1, 2, 3)]
    counts = process(tmp_path, page(*changes)).counts
    assert (counts.new_records, counts.new_snapshots) == (1, 2)
    events = {row["event_id"]: row for row in rows(tmp_path, "events")}
    assert len(events) == 4
    newest = max(rows(tmp_path, "bundles"), key=lambda row: row["event_count"])
    assert bundle_files(tmp_path) == {newest["pith_number"].split(":")[2]: newest["bundle"]}
    assert verify_bundle(newest["bundle"], []).valid


def test_a_new_version_is_a_new_record(tmp_path: Path) -> None:
    process(tmp_path, page(record()))
    two = version(1) + version(2, "Wed, 02 Feb 2011 00:49:18 GMT")
    counts = process(tmp_path, page(record(versions=two))).counts
    assert counts.new_records == 1
    assert {row["version"] for row in rows(tmp_path, "bundles")} == {1, 2}
    assert_whole(tmp_path)


def test_bundles_in_the_tables_are_canonical_about_their_events(tmp_path: Path) -> None:
    process(tmp_path, page(record()))
    for row in rows(tmp_path, "events"):
        event = json.loads(row["event"])
        assert row["event_id"] == event["event_id"]
        assert canonical_json(event)


def truncated() -> bytes:
    return page(record("2201.00001"), record("2201.00002"))[:-100]


UNUSABLE = {
    "empty": (b"", "empty"),
    "truncated": (truncated(), "not whole"),
    "HTML": (b"<html><body>Rate exceeded</body></html>", "root element is 'html'"),
    "a 200 MB text": (
        gzip.compress(page(record(title="@")).replace(b"@", b"x" * 200_000_000), 1),
        "more than 67108864 bytes",
    ),
    "an entity bomb": (b'<!DOCTYPE a [<!ENTITY b "c">]><a>&b;</a>', "document type"),
    "damaged gzip": (gzip.compress(page(record()))[:-20], "damaged archive"),
    "no gzip": (b"\x1f\x8bnonsense", "damaged archive"),
    "damaged zstd": (zstandard.compress(page(record()))[:-20], "damaged archive|not whole|empty"),
    "a wrong request": (error("badArgument", "no such set"), "an error reply: badArgument"),
}


@pytest.mark.parametrize("name", UNUSABLE)
def test_an_unusable_reply_is_reported_and_the_others_go_on(tmp_path: Path, name: str) -> None:
    reply, reason = UNUSABLE[name]
    process(tmp_path, page(record("2201.00001")))
    before = tree(tmp_path)
    assert process(tmp_path, reply).counts.papers == 0
    assert tree(tmp_path) == before
    report = process(tmp_path, reply, page(record("2201.00002")))
    assert report.counts.new_records == 1
    assert report.exit_status == 1
    (failure,) = report.failures.values()
    assert re.search(reason, failure)
    assert_whole(tmp_path)


def test_an_empty_list_is_an_answer(tmp_path: Path) -> None:
    report = process(tmp_path, error("noRecordsMatch"), page(record()))
    assert report.exit_status == 0


@pytest.mark.parametrize("pack", [gzip.compress, zstandard.compress], ids=["gzip", "zstd"])
def test_packed_replies_are_unpacked(tmp_path: Path, pack: Any) -> None:
    assert process(tmp_path, pack(page(record()))).counts.new_records == 1


def test_the_same_reject_is_kept_once(tmp_path: Path) -> None:
    broken = record(title="")
    process(tmp_path, page(broken))
    assert process(tmp_path, page(broken, record("2201.00001"))).counts.rejects == 1
    (row,) = rows(tmp_path, "rejects")
    assert (row["reason"], row["raw"]) == ("no title", broken.strip().encode())


def test_paths_that_hold_nothing_are_wrong_use(tmp_path: Path) -> None:
    config = config_in(tmp_path)
    with pytest.raises(ConfigError, match="does not exist"):
        jobs.backfill_raw(config, [tmp_path / "nowhere"])
    with pytest.raises(ConfigError, match="holds no saved replies"):
        jobs.backfill_raw(config, [tmp_path])
    assert not (tmp_path / "data").exists()
