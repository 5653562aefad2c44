"""What becomes of a data folder when the rule of what snapshots show changes."""

import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from support.papers.oai_pages import page, record
from support.papers.snapshot_rows import line, row
from support.runs import jobs
from support.runs.runs import assert_whole, bundle_files, config_in, process, rows
from support.stores.older_tables import drop_columns

from flows.common.config import BUILDER_VERSION, Config
from transforms import authors_text
from transforms.encoding.strict_json import read_json
from transforms.paper.authors import author_names
from transforms.paper.selection import Selection

OLD_BUILDER = "pith-ingest-0.1.0"
# Which lists the rules of 0.1.0 and of today tell apart.
AUTHORS = {
    "2201.00001": "B. Two and A. One",
    "2201.00002": "R. Bach (IF)",
    "2201.00003": "W. George (LIX, GRACE), A. One",
    "2201.00004": "C. Waters, C. W. Stub",
    "2201.00005": "A. One, A. One",
    "2201.00006": "Nobody",
}
DIFFERENT = {"2201.00002", "2201.00003", "2201.00004", "2201.00005"}


def old_rule(authors: str) -> str:
    """Return the author list as 0.1.0 signed it."""
    return ", ".join(sorted(author_names(authors)))


@contextmanager
def as_it_was() -> Iterator[None]:
    """Let this program do as 0.1.0 did."""
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr("transforms.bundle.events.authors_text", old_rule)
        patched.setattr("flows.jobs.job.keep_empty_tables", lambda _: None)
        patched.setenv("PITH_IDENTITY__BUILDER_VERSION", OLD_BUILDER)
        yield


def config_of(folder: Path) -> Config:
    """Return a configuration that takes the environment's builder, for a folder's own key."""
    made = config_in(folder)
    builder = Config().identity.builder_version
    identity = made.identity.model_copy(update={"builder_version": builder})
    return made.model_copy(update={"identity": identity})


def backfill(folder: Path, *paths: Path) -> dict[str, int]:
    counts = jobs.backfill_raw(config_of(folder), paths).counts
    return {name: getattr(counts, name) for name in ("new_records", "new_snapshots", "unchanged")}


def old_folder(folder: Path) -> Path:
    """Make a data folder as 0.1.0 left it, and return its saved replies."""
    works = [record(arxiv_id, authors=authors) for arxiv_id, authors in AUTHORS.items()]
    for number, some in enumerate((works[:3], works[3:])):
        (folder / f"{number}.xml").write_bytes(page(*some))
    with as_it_was():
        made = backfill(folder, folder / "0.xml", folder / "1.xml")
    assert made == {"new_records": 6, "new_snapshots": 0, "unchanged": 0}
    drop_columns(folder, "papers", "acm_class")
    return folder / "data" / "raw"


def bundles_by_paper(folder: Path) -> dict[str, dict[str, Any]]:
    found = [read_json(data) for data in bundle_files(folder).values()]
    return {bundle["source"]["id"]: bundle for bundle in found}


def snapshot_of(event: dict[str, Any]) -> dict[str, Any]:
    snapshot: dict[str, Any] = event["payload"]["graph_snapshot"]
    return snapshot


def test_the_saved_replies_again_bring_an_older_folder_up_to_date(tmp_path: Path) -> None:
    raw = old_folder(tmp_path)
    before, files = bundles_by_paper(tmp_path), bundle_files(tmp_path)
    assert backfill(tmp_path, raw) == {"new_records": 0, "new_snapshots": 4, "unchanged": 2}
    assert_whole(tmp_path)
    after = bundles_by_paper(tmp_path)
    assert {i for i in after if after[i] != before[i]} == DIFFERENT
    for arxiv_id in DIFFERENT:
        assert_superseded(before[arxiv_id], after[arxiv_id])
    unchanged = [after[i]["pith_number"].split(":")[2] for i in after.keys() - DIFFERENT]
    assert all(bundle_files(tmp_path)[suffix] == files[suffix] for suffix in unchanged)
    assert backfill(tmp_path, raw) == {"new_records": 0, "new_snapshots": 0, "unchanged": 6}


def assert_superseded(old: dict[str, Any], new: dict[str, Any]) -> None:
    arxiv_id = old["source"]["id"]
    assert new["pith_number"] == old["pith_number"]
    assert new["source_aliases"] == old["source_aliases"]
    created, shown, again = new["events"]
    assert [created, shown] == old["events"]
    assert (again["supersedes"], again["prev_event"]) == ([shown["event_id"]], shown["event_id"])
    (current,) = new["state"]["current"]["graph_snapshots"]
    assert current["event_id"] == again["event_id"]
    assert snapshot_of(shown)["builder_version"] == OLD_BUILDER
    assert snapshot_of(again)["builder_version"] == BUILDER_VERSION
    assert snapshot_of(shown)["paper"]["authors_text"] == old_rule(AUTHORS[arxiv_id])
    assert snapshot_of(again)["paper"] == {
        **snapshot_of(shown)["paper"], "authors_text": authors_text(AUTHORS[arxiv_id]),
    }  # fmt: skip
    receipts = [bundle["state"]["current"]["record_created"]["payload"]["receipt"]
                for bundle in (old, new)]  # fmt: skip
    assert receipts[0] == receipts[1]


def test_a_paper_that_comes_again_is_brought_up_to_date_by_itself(tmp_path: Path) -> None:
    old_folder(tmp_path)
    for arxiv_id, news in (("2201.00002", 1), ("2201.00001", 0), ("2201.00002", 0)):
        again = page(record(arxiv_id, authors=AUTHORS[arxiv_id], datestamp="2020-01-01"))
        assert process(tmp_path, again).counts.new_snapshots == news
    assert_whole(tmp_path)


def test_the_same_snapshot_file_is_read_again_by_another_builder(tmp_path: Path) -> None:
    file = tmp_path / "snapshot.json"
    file.write_bytes(b"".join(line(row(i, authors=text)) for i, text in AUTHORS.items()))
    with as_it_was():
        jobs.backfill_snapshot(config_of(tmp_path), file, Selection())
    again = jobs.backfill_snapshot(config_of(tmp_path), file, Selection()).counts
    assert (again.new_records, again.new_snapshots, again.unchanged) == (0, 4, 2)
    third = jobs.backfill_snapshot(config_of(tmp_path), file, Selection()).counts
    assert (third.new_snapshots, third.unchanged) == (0, 6)
    assert_whole(tmp_path)


def served(reply: bytes, at: str) -> bytes:
    return re.sub(rb"(?<=<responseDate>)[^<]*", at.encode(), reply)


@pytest.mark.parametrize("named", ["ab", "ba"])
def test_of_a_days_replies_the_one_that_was_served_last_counts(tmp_path: Path, named: str) -> None:
    morning = served(page(record(authors="A. One (X)")), "2026-11-16T05:30:00Z")
    evening = served(page(record(authors="B. Two (Y)")), "2026-11-16T22:30:00Z")
    saved = tmp_path / "saved"
    saved.mkdir()
    for name, reply in zip(named, (morning, evening), strict=True):
        (saved / f"{name}.xml").write_bytes(reply)
    jobs.backfill_raw(config_in(tmp_path), [saved])
    (data,) = bundle_files(tmp_path).values()
    (current,) = json.loads(data)["state"]["current"]["graph_snapshots"]
    assert snapshot_of(current)["paper"]["authors_text"] == "B. Two (Y)"
    assert len(rows(tmp_path, "events")) == 3
