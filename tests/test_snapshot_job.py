"""A backfill from the snapshot: everything usable is issued, the rest is kept with its line."""

import gzip
import hashlib
from datetime import date
from pathlib import Path

import pytest
from golden_data import GOLDEN
from oai_pages import page, record
from runs import assert_whole, config_in, process, rows, tree
from snapshot_rows import line, row, text

from flows import jobs, snapshot
from flows.report import RunReport
from flows.steps import Work
from transforms.selection import Selection

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
    assert report.snapshot
    assert (report.snapshot.name, report.snapshot.size) == ("snapshot.json", len(data))
    assert report.snapshot.sha256 == hashlib.sha256(data).hexdigest()
    assert_whole(tmp_path)


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
    assert report.counts.passed_over == 2


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


def test_a_part_is_not_taken_for_a_finished_one_of_another_size(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ids = [f"2201.{number:05}" for number in range(1, 41)]
    file = tmp_path / "snapshot.json"
    file.write_bytes(text(*ids))

    def stop_after_it(name: str, work: Work) -> None:  # noqa: ARG001 - a StepRunner
        work()
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(snapshot, "PART_BYTES", 1000)
        with pytest.raises(KeyboardInterrupt):
            jobs.backfill_snapshot(config_in(tmp_path), file, Selection(), in_step=stop_after_it)
    assert 0 < len(rows(tmp_path, "papers")) < len(ids)
    jobs.backfill_snapshot(config_in(tmp_path), file, Selection())
    assert sorted(row["arxiv_id"] for row in rows(tmp_path, "papers")) == ids
    assert_whole(tmp_path)
