"""Bundles out of the tables: the same bytes in the same places as a run that writes files."""

from collections.abc import Sequence
from datetime import UTC, date, datetime
from pathlib import Path
from tempfile import mkdtemp

import pytest
from support.commands.command import assert_one_sentence, run, without_rights
from support.papers.oai_pages import page, record, version
from support.runs import jobs
from support.runs.runs import SAMPLE, bundle_files, config_in, rows

from flows.common.config import Config, OutputsConfig
from flows.common.errors import ConfigError, StoreError
from flows.ingest.worker_context import layout_of
from flows.store.bundles.export import Exported, ExportSelection, export_bundles
from flows.store.files.lock import locked
from flows.store.layout import Layout

pytestmark = pytest.mark.process

MONDAY, TUESDAY = (datetime(2026, 11, day, 12, tzinfo=UTC) for day in (16, 17))
ALL = ExportSelection()


def config(folder: Path, files: str = "none") -> Config:
    outputs = OutputsConfig.model_validate({"bundle_files": files})
    return config_in(folder).model_copy(update={"outputs": outputs})


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[datetime]:
    """Give the time of all that follows, to be changed."""
    now = [MONDAY]
    monkeypatch.setattr("flows.jobs.job.utc_now", lambda: now[0])
    return now


def backfill(folder: Path, *replies: bytes, files: str = "none") -> None:
    folder.mkdir(exist_ok=True)
    for reply in replies:
        file = folder / "reply.xml"
        file.write_bytes(reply)
        jobs.backfill_raw(config(folder, files), [file])


def export_to(folder: Path, wanted: ExportSelection) -> dict[str, bytes]:
    """Export into a new folder, and return the files' bytes by path."""
    to = folder / "exported"
    export_bundles(layout_of(config(folder)), wanted, to)
    return files_below(to)


def files_below(folder: Path) -> dict[str, bytes]:
    found = [path for path in folder.rglob("*") if path.is_file()]
    return {str(path.relative_to(folder)): path.read_bytes() for path in found}


def numbers_of(folder: Path, arxiv_id: str) -> list[str]:
    found = [row for row in rows(folder, "bundles") if row["arxiv_id"] == arxiv_id]
    return [row["pith_number"] for row in sorted(found, key=lambda row: row["version"])]


def place(number: str) -> str:
    _, year, suffix = number.split(":")
    return f"{year}/{suffix[:2]}/{suffix}.json"


@pytest.mark.usefixtures("clock")
def test_an_export_is_byte_for_byte_what_a_run_with_files_writes(tmp_path: Path) -> None:
    replies = [
        SAMPLE.joinpath("oai-page.xml").read_bytes(),
        page(record()),
        page(record(authors="C. Three"), record("2201.00001")),
        # Twice in one unit: two rows of one number in one shard.
        page(record("2201.00002"), record("2201.00002", authors="C. Three")),
    ]
    with_files, without = tmp_path / "with", tmp_path / "without"
    backfill(with_files, *replies, files="all")
    without.mkdir()
    without.joinpath("signing.key").hardlink_to(with_files / "signing.key")
    backfill(without, *replies)
    assert not (without / "data" / "bundles").exists()
    expected = files_below(with_files / "data" / "bundles")
    assert len(expected) == 12
    assert export_to(without, ALL) == expected
    assert export_bundles(layout_of(config(without)), ALL) == Exported(written=12)
    assert files_below(without / "data" / "bundles") == expected
    assert export_bundles(layout_of(config(without)), ALL) == Exported(unchanged=12)


def test_a_superseded_bundle_is_not_exported_but_replaced(tmp_path: Path) -> None:
    backfill(tmp_path, page(record()))
    before = export_to(tmp_path, ALL)
    backfill(tmp_path, page(record(authors="C. Three")))
    after = export_to(tmp_path, ALL)
    assert before.keys() == after.keys()
    first, second = sorted(rows(tmp_path, "bundles"), key=lambda row: row["event_count"])
    assert (list(before.values()), list(after.values())) == ([first["bundle"]], [second["bundle"]])


def test_papers_are_named_in_any_form(tmp_path: Path) -> None:
    v2 = record(versions=version(1) + version(2), title="Another title")
    backfill(tmp_path, page(record(), record("2201.00001")), page(v2))
    first, second = numbers_of(tmp_path, "0903.0442")
    (other,) = numbers_of(tmp_path, "2201.00001")

    def places(*papers: str) -> set[str]:
        to = Path(mkdtemp(dir=tmp_path))
        export_bundles(layout_of(config(tmp_path)), ExportSelection(papers), to)
        return set(files_below(to))

    assert places("https://arxiv.org/abs/0903.0442") == {place(first), place(second)}
    assert places("0903.0442v1") == {place(first)}
    assert places(second, "10.48550/arXiv.2201.00001") == {place(second), place(other)}
    assert places(other.split(":")[2][:8]) == {place(other)}


def test_conditions_are_met_all_together(tmp_path: Path, clock: list[datetime]) -> None:
    backfill(tmp_path, page(record("2201.00001", categories="math.NT cs.LG"), record("2201.00002")))
    clock[:] = [TUESDAY]
    backfill(tmp_path, page(record("2201.00003"), record("2201.00004", categories="hep-th")))
    monday, tuesday = date(2026, 11, 16), date(2026, 11, 17)

    def ids(wanted: ExportSelection) -> list[str]:
        to = Path(mkdtemp(dir=tmp_path))
        export_bundles(layout_of(config(tmp_path)), wanted, to)
        by_place = {place(row["pith_number"]): row["arxiv_id"] for row in rows(tmp_path, "papers")}
        return sorted(by_place[name][-1] for name in files_below(to))

    assert ids(ExportSelection(categories=frozenset({"cs.LG"}))) == ["1", "2", "3"]
    assert ids(ExportSelection(categories=frozenset({"math", "hep-th"}))) == ["1", "4"]
    assert ids(ExportSelection(first=tuesday)) == ["3", "4"]
    assert ids(ExportSelection(until=monday)) == ["1", "2"]
    assert ids(ExportSelection(categories=frozenset({"cs"}), first=monday, until=monday)) == [
        "1",
        "2",
    ]
    assert ids(ExportSelection(["2201.00001", "2201.00003"], first=tuesday)) == ["3"]


WRONG: dict[str, tuple[Sequence[str], str]] = {
    "no reference": (["attention"], "'attention' is not an arXiv id"),
    "not kept": (["1906.10822"], "nothing is known of 1906.10822"),
    "no such version": (["0903.0442v7"], "of 0903.0442 no v7 is kept, but v1"),
    "no such number": (["pith:ABCDEFGH"], "nothing is known of pith:ABCDEFGH"),
}


@pytest.mark.parametrize("name", WRONG)
def test_one_bad_reference_and_nothing_is_written(tmp_path: Path, name: str) -> None:
    papers, message = WRONG[name]
    backfill(tmp_path, page(record()))
    with pytest.raises(ConfigError, match=message):
        export_bundles(layout_of(config(tmp_path)), ExportSelection(["0903.0442", *papers]))
    assert bundle_files(tmp_path) == {}


def test_nothing_that_matches_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="no records in"):
        export_bundles(layout_of(config(tmp_path)), ALL)
    backfill(tmp_path, page(record()))
    for wanted in (
        ExportSelection(categories=frozenset({"hep-th"})),
        ExportSelection(first=date(2999, 1, 1)),
    ):
        with pytest.raises(ConfigError, match="is what you asked for"):
            export_bundles(layout_of(config(tmp_path)), wanted)
    with pytest.raises(ConfigError, match="is later than"):
        export_bundles(
            layout_of(config(tmp_path)),
            ExportSelection(first=date(2026, 1, 2), until=date(2026, 1, 1)),
        )


def test_only_the_data_folder_itself_waits_for_its_writer(tmp_path: Path) -> None:
    backfill(tmp_path, page(record()))
    with locked(Layout(tmp_path / "data"), "nightly"):
        assert len(export_to(tmp_path, ALL)) == 1
        with pytest.raises(StoreError, match="another run"):
            export_bundles(layout_of(config(tmp_path)), ALL)


def test_a_shard_that_is_gone_is_named(tmp_path: Path) -> None:
    backfill(tmp_path, page(record()))
    (shard,) = (tmp_path / "data" / "tables" / "bundles").iterdir()
    shard.unlink()
    with pytest.raises(StoreError, match=r"bundles/oai-.* is gone; .*doctor"):
        export_bundles(layout_of(config(tmp_path)), ALL)


def test_the_command_says_what_it_wrote(tmp_path: Path) -> None:
    backfill(tmp_path, page(record(), record("2201.00001")))
    words: list[str | Path] = ["export", "--data", tmp_path / "data", "--to", tmp_path / "out"]
    one = run(tmp_path, *words, "0903.0442")
    assert (one.returncode, one.stdout) == (0, "bundles written 1, there already 0\n")
    both = run(tmp_path, *words, "--all")
    assert (both.returncode, both.stdout) == (0, "bundles written 1, there already 1\n")
    verified = run(tmp_path, "verify", "--trust", "own", tmp_path / "out")
    assert "2 bundles: 2 valid, 2 trusted" in verified.stdout
    assert_one_sentence(run(tmp_path, *words, "1906.10822"), "nothing is known of 1906.10822")
    for selection in ([], ["--all", "0903.0442"]):
        wrong = run(tmp_path, *words, *selection)
        assert (wrong.returncode, "or else --all" in wrong.stderr) == (2, True)


def test_a_folder_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    backfill(tmp_path, page(record()))
    to = tmp_path / "out"
    to.mkdir(mode=0o500)
    done = without_rights(tmp_path, "export", "--all", "--data", tmp_path / "data", "--to", to)
    assert done.returncode == 2
    assert f"pith-ingest: cannot write {to}" in done.stderr
    assert "Traceback" not in done.stderr
    assert list(to.iterdir()) == []
