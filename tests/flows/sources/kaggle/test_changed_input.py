"""A snapshot that changes while it is read: no other bytes count, and nothing is missed."""

import gzip
import hashlib
import os
import random
import sqlite3
import subprocess
import threading
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import zstandard
from support.papers.snapshot_rows import line, row
from support.runs import jobs
from support.runs.runs import assert_whole, config_in, rows, tree

from flows.common.errors import InputFileError
from flows.common.limits import Limits
from flows.jobs.report import RunReport
from flows.sources.kaggle import parts
from flows.sources.kaggle.lines import MAX_LINE_BYTES
from flows.sources.kaggle.parts import scan
from transforms.paper.selection import Selection

pytestmark = pytest.mark.process

PAPERS, BLOCK = 300, 4096
SMALL = Limits(part_bytes=60_000, proof_block_bytes=BLOCK, parts_a_step=2)
"""Limits by which a small file has many parts and blocks."""

IDS = [f"2201.{number:05}" for number in range(1, PAPERS + 1)]
ROUNDS = 40 if os.environ.get("FULL") else 8


def noise(seed: str) -> str:
    return "".join(hashlib.sha256(f"{seed}{n}".encode()).hexdigest() for n in range(40))


def rows_of(kind: str) -> bytes:
    """Return rows that no packing makes small; of each `kind` others, with the same lengths."""
    return b"".join(line(row(i, title=f"{kind} {noise(kind + i)}")) for i in IDS)


GOOD, EVIL = rows_of("good"), rows_of("evil")


def as_zip(data: bytes) -> bytes:
    path = Path(f"/proc/self/fd/{os.memfd_create('zip')}")
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("snapshot.json", data)
    return path.read_bytes()


PACKINGS: dict[str, Callable[[bytes], bytes]] = {
    "plain": lambda data: data,
    "gzip": lambda data: gzip.compress(data, 1, mtime=0),
    "zstd": lambda data: zstandard.ZstdCompressor().compress(data),
    "zip": as_zip,
}
packings = pytest.mark.parametrize("packing", PACKINGS)
plain_and_packed = pytest.mark.parametrize("packing", ["plain", "zip"])


class Changed:
    """A run whose snapshot is changed between its first step and its second."""

    def __init__(self, folder: Path, packing: str, change: Callable[[Path, bytes], None]) -> None:
        self.folder, self.file = folder, folder / "snapshot.json"
        self.whole = PACKINGS[packing](GOOD)
        self.file.write_bytes(self.whole)
        self.committed: dict[str, tuple[int, str]] = {}

        def in_step(name: str, work: jobs.StepWork) -> None:  # noqa: ARG001 - a step
            work()
            if not self.committed:
                self.committed = committed(folder)
                change(self.file, self.whole)

        self.report = backfill(folder, self.file, steps=jobs.WrappedSteps(in_step))

    def assert_lost(self, reason: str) -> None:
        """Assert that the run stopped, named file and line, and kept only what was there."""
        assert self.report.exit_status == 2
        said = self.report.stopped or ""
        assert f"cannot read the snapshot {self.file} from line " in said
        assert reason in said
        assert self.report.lines()[-1] == f"STOPPED: {said}"
        from_line = int(said.split(" from line ")[1].split()[0])
        kept = [row["arxiv_id"] for row in rows(self.folder, "papers")]
        assert 0 < len(kept) < from_line <= PAPERS
        self.assert_only_good()

    def assert_done(self, reason: str) -> None:
        """Assert that all was taken as it was at the start, and that the change is told."""
        assert self.report.exit_status == 1
        assert self.report.counts.new_records == PAPERS
        assert reason in self.report.failures["snapshot.json"]
        self.assert_only_good()

    def assert_only_good(self) -> None:
        assert all(row["title_ascii"].startswith("good") for row in rows(self.folder, "papers"))
        now = committed(self.folder)
        assert {name: now.get(name) for name in self.committed} == self.committed
        assert_whole(self.folder)

    def assert_made_good(self) -> None:
        """Assert that the file as it was, read again, leaves each paper there once."""
        self.file.write_bytes(self.whole)
        before = len(rows(self.folder, "papers"))
        report = backfill(self.folder, self.file)
        assert (report.exit_status, report.counts.new_records) == (0, PAPERS - before)
        self.assert_only_good()
        assert sorted(row["arxiv_id"] for row in rows(self.folder, "papers")) == IDS


def committed(folder: Path) -> dict[str, tuple[int, str]]:
    """Return time and hash of each table and bundle file."""
    return {n: kept for n, kept in tree(folder).items() if n.startswith(("tables/", "bundles/"))}


def backfill(folder: Path, file: Path, workers: int = 1, **told: Any) -> RunReport:
    return jobs.backfill_snapshot(config_in(folder, workers, SMALL), file, Selection(), **told)


def cut_off(file: Path, whole: bytes) -> None:
    os.truncate(file, len(whole) * 9 // 10)


def extend(file: Path, whole: bytes) -> None:  # noqa: ARG001 - a change
    with file.open("ab") as more:
        more.write(line(row("2201.99999", title="evil")))


def rewrite(file: Path, whole: bytes) -> None:
    """Change bytes near the end in place, so that neither size nor time tell of it."""
    times = file.stat()
    with file.open("r+b") as stream:
        stream.seek(len(whole) * 3 // 4)
        stream.write(EVIL[len(EVIL) * 3 // 4 :][: len(whole) // 8])
    os.utime(file, ns=(times.st_atime_ns, times.st_mtime_ns))


def replace(file: Path, whole: bytes) -> None:
    other = file.with_name("other")
    other.write_bytes(PACKINGS["plain"](EVIL)[: len(whole)])
    other.replace(file)


def put_back(file: Path, whole: bytes) -> None:
    """Cut the file off, and write it again as it was."""
    cut_off(file, whole)
    before = file.stat().st_mtime_ns
    file.write_bytes(whole)
    os.utime(file, ns=(before, before + 1))


@packings
def test_a_snapshot_that_is_cut_off_while_it_is_read_stops_the_run(
    tmp_path: Path, packing: str
) -> None:
    run = Changed(tmp_path, packing, cut_off)
    run.assert_lost("it was cut off while this run read it, at byte ")
    run.assert_made_good()


@packings
def test_bytes_rewritten_in_place_stop_the_run_though_size_and_time_are_the_same(
    tmp_path: Path, packing: str
) -> None:
    run = Changed(tmp_path, packing, rewrite)
    run.assert_lost("it was changed while this run read it, somewhere from byte ")
    run.assert_made_good()


@plain_and_packed
def test_a_snapshot_that_grows_is_taken_as_it_was_and_that_is_told(
    tmp_path: Path, packing: str
) -> None:
    run = Changed(tmp_path, packing, extend)
    run.assert_done(f"it had {len(run.whole)} bytes, and has ")
    run.assert_made_good()


@plain_and_packed
def test_another_file_of_the_same_name_is_never_taken_for_the_first(
    tmp_path: Path, packing: str
) -> None:
    run = Changed(tmp_path, packing, replace)
    if packing == "plain":
        run.assert_lost("it was changed while this run read it")
    else:  # which is read as it was, for it stays open
        run.assert_done("it was written again meanwhile")
    run.assert_made_good()


@plain_and_packed
def test_a_snapshot_that_is_put_back_loses_nothing(tmp_path: Path, packing: str) -> None:
    run = Changed(tmp_path, packing, put_back)
    run.assert_done("it was written again meanwhile")
    run.assert_made_good()


@plain_and_packed
def test_a_snapshot_that_goes_away_is_told(tmp_path: Path, packing: str) -> None:
    run = Changed(tmp_path, packing, lambda file, _: file.unlink())
    if packing == "plain":
        run.assert_lost("No such file or directory")
    else:
        run.assert_done("it cannot be looked at any more: No such file or directory")
    run.assert_made_good()


def test_a_snapshot_that_is_written_while_it_is_scanned_is_not_begun(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "snapshot.json"
    file.write_bytes(GOOD)

    class Slow(parts._Spans):  # noqa: SLF001 - a moment within the scan
        def add(self, block: bytes) -> None:
            os.truncate(file, len(GOOD) // 2)
            super().add(block)

    monkeypatch.setattr(parts, "_Spans", Slow)
    with pytest.raises(InputFileError, match=r"snapshot\.json: it is being written; run again"):
        backfill(tmp_path, file)
    assert not (tmp_path / "data").exists()


@pytest.mark.parametrize("packing", ["plain", "zstd"])
def test_random_changes_under_several_workers_leave_each_paper_once(
    tmp_path: Path, packing: str
) -> None:
    choose, whole = random.Random(10), PACKINGS[packing](GOOD)
    stopped = number = 0
    # On a busy machine a change may seldom come while the file is read.
    while number < ROUNDS or (not stopped and number < 10 * ROUNDS):
        number += 1
        folder = tmp_path / f"{number}"
        folder.mkdir()
        file = folder / "snapshot.json"
        file.write_bytes(whole)
        done = threading.Event()
        changing = threading.Thread(target=change_often, args=(file, whole, choose, done))

        def begin(name: str, work: jobs.StepWork, once: threading.Thread = changing) -> None:  # noqa: ARG001
            if once.ident is None:
                once.start()
            work()

        try:
            report = backfill(folder, file, 2, steps=jobs.WrappedSteps(begin))
        finally:
            done.set()
            changing.join()
        stopped += report.exit_status == 2
        assert report.counts.new_records == PAPERS or report.exit_status == 2
        file.write_bytes(whole)
        assert backfill(folder, file, 2).exit_status == 0
        papers = rows(folder, "papers")
        assert sorted(row["arxiv_id"] for row in papers) == IDS
        assert all(row["title_ascii"].startswith("good") for row in papers)
        assert_whole(folder)
    assert stopped, "no change came while the file was read: nothing is shown"


def change_often(file: Path, whole: bytes, choose: random.Random, done: threading.Event) -> None:
    """Change the file and put it back, at moments that no event marks."""
    while not done.wait(choose.uniform(0, 0.01)):
        # After another file of its name, one that stays open would change no more.
        often, seldom = [cut_off, extend, rewrite] * 5, [replace]
        choose.choice(often + seldom)(file, whole)
        done.wait(choose.uniform(0, 0.01))
        file.write_bytes(whole)


def test_what_versions_before_noted_as_finished_is_compared_again(
    tmp_path: Path,
) -> None:
    """They noted parts of a file that was cut off under the sha256 of the whole one."""
    file = tmp_path / "snapshot.json"
    file.write_bytes(GOOD)
    backfill(tmp_path, file)
    with sqlite3.connect(tmp_path / "data" / "catalog.sqlite") as catalog:
        changed = catalog.execute(
            "UPDATE finished_parts SET name = replace(name, ' proven ', ' '), counts = '{}'"
        ).rowcount
    catalog.close()
    assert changed > 10
    counts = backfill(tmp_path, file).counts
    assert (counts.unchanged, counts.lines) == (PAPERS, PAPERS)


@pytest.fixture
def failing_disk(tmp_path: Path) -> Iterator[tuple[Path, Path]]:
    """Mount a file system in a file, as root can; give its folder, and the file under it."""
    image, folder = tmp_path / "image", tmp_path / "disk"
    folder.mkdir()
    with image.open("wb") as file:
        file.truncate(16 * 2**20)
    made = subprocess.run(["mkfs.ext4", "-q", image], check=False).returncode == 0
    command = ["mount", "-o", "loop", str(image), str(folder)]
    if not made or subprocess.run(command, capture_output=True, check=False).returncode:
        pytest.skip("only root can mount a file system whose reads fail")
    yield folder, image
    subprocess.run(["umount", folder], check=True)


@plain_and_packed
def test_a_disk_that_fails_while_it_is_read_stops_the_run(
    tmp_path: Path, failing_disk: tuple[Path, Path], packing: str
) -> None:
    disk, image = failing_disk
    file = disk / "snapshot.json"
    whole = PACKINGS[packing](GOOD)
    file.write_bytes(whole)
    subprocess.run(["sync", "-f", file], check=True)
    sound = image.read_bytes()

    def fail_after_it(name: str, work: jobs.StepWork) -> None:  # noqa: ARG001 - a step
        work()
        with file.open("rb") as stream:
            os.posix_fadvise(stream.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)
        os.truncate(image, 2**20)

    report = backfill(tmp_path, file, steps=jobs.WrappedSteps(fail_after_it))
    assert report.exit_status == 2
    assert f"cannot read the snapshot {file} from line " in (report.stopped or "")
    assert "Input/output error" in (report.stopped or "")
    before = len(rows(tmp_path, "papers"))
    assert 0 < before < PAPERS
    image.write_bytes(sound)
    with file.open("rb") as stream:
        os.posix_fadvise(stream.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)
    assert file.read_bytes() == whole
    report = backfill(tmp_path, file)
    assert (report.exit_status, report.counts.new_records) == (0, PAPERS - before)
    assert_whole(tmp_path)


@plain_and_packed
def test_papers_rejects_and_blank_lines_add_up_to_the_lines(tmp_path: Path, packing: str) -> None:
    lines = [
        line(row("2201.00001")),
        b"\n",
        b"{broken\n",
        b"  \r\n",
        line(row("2201.00002", categories="hep-th")),
        line(row("2201.00001", title="again")),
        b"x" * (MAX_LINE_BYTES + 1) + b"\n",
        b'{"id":"2201.00003"',
    ]
    file = tmp_path / "snapshot.json"
    file.write_bytes(PACKINGS[packing](b"".join(lines)))
    config, selection = config_in(tmp_path, limits=SMALL), Selection(frozenset({"cs"}))
    for _ in ("the first time", "again, from what is noted of finished parts"):
        report = jobs.backfill_snapshot(config, file, selection)
        c = report.counts
        assert (c.papers, c.rejects, c.filtered, c.blank) == (1, 4, 1, 2)
        assert c.lines == len(lines)
        said = ["8 lines: 1 paper, 4 rejects (1 repeated id)", "  1 not selected, 2 blank"]
        assert report.lines()[2:4] == said
        assert report.unaccounted == 0


def test_lines_that_became_nothing_are_told(tmp_path: Path) -> None:
    file = tmp_path / "snapshot.json"
    file.write_bytes(GOOD)
    report = backfill(tmp_path, file)
    assert report.exit_status == 0
    report.counts.papers -= 3
    assert report.exit_status == 1
    assert "NOT ACCOUNTED FOR: 3 lines; please report it" in report.lines()


def test_the_proof_of_a_part_is_small(tmp_path: Path) -> None:
    file = tmp_path / "snapshot.json"
    file.write_bytes(GOOD)
    for span in scan(file, SMALL).spans or []:
        assert span.proof.first * BLOCK <= span.offset
        assert span.offset + span.size <= span.proof.end
        assert len(span.proof.digests) <= span.size // BLOCK + 2
