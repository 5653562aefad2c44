"""A backfill from the snapshot: everything usable is issued, the rest is kept with its line."""

import gzip
import hashlib
import json
from datetime import date
from pathlib import Path
from random import Random

import pytest
from support.papers.golden_data import GOLDEN
from support.papers.oai_pages import page, record
from support.papers.snapshot_rows import line, row, text
from support.runs import jobs
from support.runs.runs import assert_whole, config_in, process, rows, tree

from flows.cli.bundles.metadata_file import read_texts
from flows.common.errors import InputFileError
from flows.common.limits import Limits
from flows.jobs.report import RunReport
from transforms.paper.selection import Selection

pytestmark = pytest.mark.long

LONG = b'{"id":"' + b"x" * 100_000_000 + b'"}\n'
LINES = [
    line(row("2201.00001")),
    b"{broken\n",
    line({name: value for name, value in row("2201.00003").items() if name != "title"}),
    line(row("2201.00004", authors=7)),
    b"\n",
    line(row("2201.00001", title="Another row of the same id")),
    b'{"id":"2201.00007","title":"\xff"}\n',
    LONG,
    line(row("2201.00009")),
    line(row("2201.00010"))[:-30],
]
REASONS = {
    2: "not JSON",
    3: "no title",
    4: "authors is a number, not a string",
    6: "an earlier line has this id",
    7: "not UTF-8",
    8: "a line of 100000010 bytes",
    10: "not JSON",
}


def backfill(folder: Path, data: bytes, selection: Selection | None = None) -> RunReport:
    file = folder / "snapshot.json"
    file.write_bytes(data)
    return jobs.backfill_snapshot(config_in(folder), file, selection or Selection())


def test_bad_lines_are_rejects_with_number_and_reason(tmp_path: Path) -> None:
    data = gzip.compress(b"".join(LINES), 1)
    report = backfill(tmp_path, data)
    assert {row["arxiv_id"] for row in rows(tmp_path, "papers")} == {"2201.00001", "2201.00009"}
    found = {row["position"]: row["reason"] for row in rows(tmp_path, "rejects")}
    assert found.keys() == REASONS.keys()
    for number, reason in REASONS.items():
        assert found[number].startswith(reason)
    assert report.exit_status == 1
    assert "rejects, kept with their bytes" in "\n".join(report.lines()[-len(REASONS) - 1 :])
    assert report.input_file
    assert (report.input_file.name, report.input_file.size) == ("snapshot.json", len(data))
    assert report.input_file.sha256 == hashlib.sha256(data).hexdigest()
    assert_whole(tmp_path)


@pytest.mark.parametrize("workers", [1, 2])
def test_each_line_is_a_paper_a_reject_not_selected_or_blank(tmp_path: Path, workers: int) -> None:
    config = config_in(tmp_path, workers, Limits(part_bytes=2000))
    kinds = [
        line(row("2201.00001")),  # its id comes again and again
        b"{broken\n",
        b"?\n",
        b" \n",
        line(row("2201.00002", categories="math.NT")),
    ]
    lines = Random(7).choices(kinds, k=300) + [line(row(f"2202.{n:05}")) for n in range(40)]
    Random(8).shuffle(lines)
    file = tmp_path / "snapshot.json"
    file.write_bytes(b"".join(lines))
    selection = Selection(frozenset({"cs"}))
    for _ in range(2):
        counts = jobs.backfill_snapshot(config, file, selection).counts
        blank, filtered = lines.count(b" \n"), lines.count(kinds[4])
        assert (counts.papers, counts.filtered) == (41, filtered)
        assert counts.rejects == len(lines) - 41 - blank - filtered
        assert sum(counts.by_reason.values()) == counts.rejects
    kept = {row["raw"]: row["position"] for row in rows(tmp_path, "rejects")}
    assert kept.keys() == {kinds[0].strip(), b"{broken", b"?"}
    assert kept[b"?"] == lines.index(b"?\n") + 1
    assert len(rows(tmp_path, "rejects")) == 3


ROWS = [row(f"2201.{number:05}") for number in range(1, 4)]
ARRAYS = {
    "one line": json.dumps(ROWS),
    "one line of one row": json.dumps(ROWS[:1]),
    "a row a line": "[\n" + ",\n".join(map(json.dumps, ROWS)) + "\n]\n",
    "one row a line": "[\n" + json.dumps(ROWS[0]) + "\n]\n",
    "commas first": "[" + json.dumps(ROWS[0]) + "\n," + json.dumps(ROWS[1]) + "\n]\n",
    "commas first, bracket alone": f"[\n{json.dumps(ROWS[0])}\n,{json.dumps(ROWS[1])}\n]\n",
    "brackets beside rows": "[" + ",\n".join(map(json.dumps, ROWS)) + "]",
    "indented": "\n" + json.dumps(ROWS, indent=2),
    "empty": "[]",
    "longer than a line may be": json.dumps([row(abstract="x" * 5_000_000)]),
}


@pytest.mark.parametrize("name", ARRAYS)
def test_one_json_array_is_named_with_what_to_do(tmp_path: Path, name: str) -> None:
    with pytest.raises(InputFileError, match=r"is one JSON array, but .* jq -c"):
        backfill(tmp_path, gzip.compress(ARRAYS[name].encode()))
    assert not (tmp_path / "data").exists()
    with pytest.raises(InputFileError, match=r"is one JSON array, but .* jq -c"):
        read_texts(tmp_path / "snapshot.json")


@pytest.mark.parametrize("first", [b"[", b"[{", b'[{"id":', b"[]", b"[1, 2]", b"[{}]", b"[garbage"])
def test_a_bad_first_line_that_looks_like_an_array_is_a_reject(
    tmp_path: Path, first: bytes
) -> None:
    counts = backfill(tmp_path, first + b"\n" + text("2201.00001", "2201.00002")).counts
    assert (counts.papers, counts.rejects) == (2, 1)


def test_the_same_snapshot_again_changes_nothing(tmp_path: Path) -> None:
    data = text("2201.00001", "2201.00002")
    backfill(tmp_path, data)
    before = tree(tmp_path)
    assert backfill(tmp_path, data).counts.unchanged == 2
    assert tree(tmp_path) == before


def test_what_comes_before_the_damage_is_kept(tmp_path: Path) -> None:
    data = text(*(f"2201.{number:05}" for number in range(1, 3001)))
    whole = gzip.compress(data, 1)
    report = backfill(tmp_path, whole[: len(whole) * 9 // 10])
    before = report.counts.new_records
    assert 1000 < before < 3000
    (failure,) = report.failures.values()
    assert "cannot read the snapshot" in failure
    assert report.exit_status == 1
    assert backfill(tmp_path, whole).counts.new_records == 3000 - before


def test_what_is_not_selected_is_counted(tmp_path: Path) -> None:
    data = line(row("2201.00001", categories="math.NT")) + line(
        row("2201.00002", update_date="2001-01-01")
    ) + line(row("2201.00003"))  # fmt: skip
    report = backfill(tmp_path, data, Selection(frozenset({"cs"}), date(2010, 1, 1), None))
    assert [row["arxiv_id"] for row in rows(tmp_path, "papers")] == ["2201.00003"]
    assert report.counts.filtered == 2


def test_a_paper_of_a_harvest_is_unchanged_in_the_snapshot(tmp_path: Path) -> None:
    process(tmp_path, page(record("0903.0442")))
    counts = backfill(tmp_path, line(row("0903.0442"))).counts
    assert (counts.unchanged, counts.new_records, counts.new_snapshots) == (1, 0, 0)


def test_a_golden_paper_gets_its_number_from_a_snapshot_row(tmp_path: Path) -> None:
    metadata = GOLDEN[0].metadata
    created = GOLDEN[0].paper.submitted_at.strftime("%a, %d %b %Y %H:%M:%S GMT")
    backfill(
        tmp_path,
        line(
            row(
                metadata["id"],
                title=metadata["title"],
                abstract=metadata["abstract"],
                authors=", ".join(metadata["authors"]),
                categories=" ".join(metadata["categories"]),
                license=metadata["license"],
                versions=[{"version": "v1", "created": created}],
            )
        ),
    )
    assert rows(tmp_path, "papers")[0]["pith_number"] == metadata["pith_number"]


def test_a_part_is_not_taken_for_a_finished_one_of_another_size(tmp_path: Path) -> None:
    ids = [f"2201.{number:05}" for number in range(1, 41)]
    file = tmp_path / "snapshot.json"
    file.write_bytes(text(*ids))

    def stop_after_it(name: str, work: jobs.StepWork) -> None:  # noqa: ARG001 - a step
        work()
        raise KeyboardInterrupt

    small = config_in(tmp_path, limits=Limits(part_bytes=1000))
    steps = jobs.WrappedSteps(stop_after_it)
    with pytest.raises(KeyboardInterrupt):
        jobs.backfill_snapshot(small, file, Selection(), steps)
    assert 0 < len(rows(tmp_path, "papers")) < len(ids)
    jobs.backfill_snapshot(config_in(tmp_path), file, Selection())
    assert sorted(row["arxiv_id"] for row in rows(tmp_path, "papers")) == ids
    assert_whole(tmp_path)
