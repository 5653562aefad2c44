"""Many units on several processes: the same bytes as one process gives, whatever happens."""

import json
import multiprocessing.connection
import multiprocessing.reduction
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.commands.environments import my_pid
from support.papers.oai_pages import page, record
from support.papers.snapshot_rows import line, row
from support.paths import TESTS
from support.runs import jobs
from support.runs.runs import assert_whole, bundle_files, config_in, rows

from flows.common.errors import ConfigError, WorkerError
from flows.common.keys import create_key
from flows.common.limits import Limits
from flows.ingest.executors.processes import ProcessExecutor
from flows.ingest.schedule import AHEAD, UnitQueue
from flows.ingest.worker_context import WorkerContext, WorkerSetup, open_context
from flows.jobs import job as job_module
from flows.jobs.job import open_run
from flows.jobs.report import RunReport
from flows.sources.kaggle import lines as snapshot
from flows.sources.kaggle import units
from flows.sources.kaggle.parts import scan
from flows.sources.saved_replies import SavedReply
from transforms.paper.selection import SeenIds, Selection
from transforms.signing import fingerprint

pytestmark = pytest.mark.process

MOMENT = datetime(2026, 11, 21, 4, 5, 6, 789, tzinfo=UTC)
PAPERS = 400
SMALL_PARTS = Limits(part_bytes=8_000)
"""Parts of about a dozen rows of the tests' snapshot."""


@pytest.fixture
def snapshot_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A snapshot of many small parts, with one broken line and one id in two parts."""
    monkeypatch.setattr(job_module, "utc_now", lambda: MOMENT)
    lines = [line(row(f"2201.{number:05}")) for number in range(1, PAPERS + 1)]
    lines[100] = b"{broken\n"
    lines[300] = line(row("2201.00002", title="Another row of the same id"))
    path = tmp_path / "snapshot.json"
    path.write_bytes(b"".join(lines))
    return path


def backfill(folder: Path, file: Path, workers: int, **told: Any) -> RunReport:
    """Backfill `file` below `folder`, with the key of the folder above."""
    config = config_in(folder, workers, SMALL_PARTS)
    identity = config.identity.model_copy(update={"key_file": folder.parent / "signing.key"})
    if not identity.key_file.exists():
        create_key(identity.key_file)
    config = config.model_copy(update={"identity": identity})
    return jobs.backfill_snapshot(config, file, Selection(), **told)


def kept(folder: Path) -> dict[str, Any]:
    """Return all that a run keeps, but for the run's name, which a shard's metadata has."""
    tables = {table: rows(folder, table) for table in ("papers", "events", "bundles", "rejects")}
    shards = {path.name for path in folder.rglob("*.parquet")}
    return {"shards": shards, "files": bundle_files(folder), **tables}


def test_several_processes_give_the_same_bytes_as_one(tmp_path: Path, snapshot_file: Path) -> None:
    alone = backfill(tmp_path / "alone", snapshot_file, 1)
    together = backfill(tmp_path / "together", snapshot_file, 3)
    assert together.counts == alone.counts
    assert alone.counts.new_records == PAPERS - 2
    assert kept(tmp_path / "together") == kept(tmp_path / "alone")
    reasons = {row["position"]: row["reason"] for row in rows(tmp_path / "together", "rejects")}
    assert reasons.keys() == {101, 301}
    assert reasons[301] == "an earlier line has this id"
    assert_whole(tmp_path / "together")


def test_saved_replies_on_several_processes_are_committed_in_their_order(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(job_module, "utc_now", lambda: MOMENT)
    saved = tmp_path / "saved"
    saved.mkdir()
    for number in range(12):
        own = [record(f"2201.{number:02}{place:03}") for place in range(5)]
        # The paper of all pages is another one on each: eleven later snapshots.
        shared = record(authors=f"Author {number:02}", datestamp=f"2020-01-{number + 1:02}")
        (saved / f"{number:02}.xml").write_bytes(page(*own, shared))
    for name, workers in (("alone", 1), ("together", 3)):
        key = tmp_path / "signing.key"
        config = config_in(tmp_path / name, workers)
        identity = config.identity.model_copy(update={"key_file": key})
        report = jobs.backfill_raw(config.model_copy(update={"identity": identity}), [saved])
        assert (report.counts.new_records, report.counts.new_snapshots) == (61, 11)
        events = [
            len(json.loads(data)["events"]) for data in bundle_files(tmp_path / name).values()
        ]
        assert sorted(events) == [2] * 60 + [13]
    assert kept(tmp_path / "together") == kept(tmp_path / "alone")


@pytest.mark.parametrize("others", [False, True])
def test_the_same_reject_in_several_replies_is_kept_once(tmp_path: Path, *, others: bool) -> None:
    saved = tmp_path / "saved"
    saved.mkdir()
    for number in range(6):
        more = [record(f"2202.{number:05}")] if others else []
        (saved / f"{number}.xml").write_bytes(page(record("2201.00001", title=""), *more))
    report = jobs.backfill_raw(config_in(tmp_path, 3), [saved])
    assert report.counts.rejects == 6
    assert [row["reason"] for row in rows(tmp_path, "rejects")] == ["no title"]


def test_a_worker_that_is_killed_changes_nothing(tmp_path: Path, snapshot_file: Path) -> None:
    backfill(tmp_path / "alone", snapshot_file, 1)
    killed: list[int] = []

    def kill_one(_: int) -> None:
        workers = multiprocessing.active_children()
        if workers:
            killed.append(workers[0].pid or 0)
            workers[0].kill()

    backfill(tmp_path / "together", snapshot_file, 2, steps=jobs.WatchedSteps(kill_one))
    assert len(killed) >= 2
    assert kept(tmp_path / "together") == kept(tmp_path / "alone")
    assert_whole(tmp_path / "together")


def pause(_: WorkerContext) -> None:
    signal.pause()


def test_a_worker_that_the_end_of_the_others_forgets_is_ended_too(
    pool: ProcessExecutor, monkeypatch: pytest.MonkeyPatch
) -> None:
    # As one that was born at that very moment, before Python 3.12.1.
    monkeypatch.setattr("multiprocessing.process.BaseProcess.terminate", lambda _: None)
    for goes_on in (True, False):
        pool.submit(pause)
        os.kill(pool.submit(my_pid).result(), signal.SIGKILL)
        if goes_on:
            assert pool.submit(my_pid).result()
            assert len(multiprocessing.active_children()) == 1
    pool.close()
    assert multiprocessing.active_children() == []


def test_a_worker_that_is_killed_as_the_others_end_keeps_nobody_waiting(tmp_path: Path) -> None:
    with open_run("backfill", config_in(tmp_path)) as opened:
        for number in range(10):  # one of two has the lock at which the other waits
            pool = ProcessExecutor(opened.config, opened.context, 2)
            for asked in [pool.submit(my_pid) for _ in range(4)]:
                assert asked.result()
            workers = multiprocessing.active_children()
            workers[number % len(workers)].kill()
            closing_pool = threading.Thread(target=pool.close, daemon=True)
            closing_pool.start()
            closing_pool.join(60)
            assert not closing_pool.is_alive()
            assert multiprocessing.active_children() == []


def die(_: WorkerContext) -> None:
    os._exit(9)


def fail(_: WorkerContext) -> None:
    raise WorkerError("of its own")


@pytest.fixture
def pool(tmp_path: Path) -> Iterator[ProcessExecutor]:
    with open_run("backfill", config_in(tmp_path)) as opened:
        found = ProcessExecutor(opened.config, opened.context, 2)
        yield found
        found.close()


def test_work_that_ends_every_worker_is_an_error_in_the_end(pool: ProcessExecutor) -> None:
    with pytest.raises(WorkerError, match="ended 3 times"):
        pool.submit(die).result()
    with pytest.raises(WorkerError, match="of its own"):
        pool.submit(fail).result()


def test_workers_are_other_processes_and_read_the_key_themselves(pool: ProcessExecutor) -> None:
    assert pool.submit(my_pid).result() != os.getpid()
    assert pool.submit(own_key).result() == pool.submit(own_key).result()


def own_key(context: WorkerContext) -> bytes:
    return context.issuer.signer.public_key


def test_a_worker_that_finds_another_key_signs_nothing(tmp_path: Path) -> None:
    # As one of Dask does; those of this machine get the key from the run.
    with open_run("backfill", config_in(tmp_path)) as opened:
        ours = opened.issuer
        setup = WorkerSetup(opened.config, "run", ours.fingerprint)
        with closing(open_context(setup).catalog):
            pass
    key_file = tmp_path / "signing.key"
    key_file.rename(tmp_path / "old.key")
    with pytest.raises(ConfigError, match=r"there is no key in .*keygen"):
        open_context(setup)
    assert not key_file.exists()
    other = create_key(key_file)
    with pytest.raises(ConfigError, match="has another signing key") as caught:
        open_context(setup)
    for found in (ours.fingerprint, fingerprint(other.public_key)):
        assert found in str(caught.value)


ORPHANS = """
import os, sys, time
from pathlib import Path
from flows.jobs.job import open_run
from flows.ingest.executors.processes import ProcessExecutor
from support.runs.runs import config_in
from support.commands.environments import my_pid
if __name__ == "__main__":
    with open_run("backfill", config_in(Path(sys.argv[1]))) as run:
        pool = ProcessExecutor(run.config, run.context, 2)
        print(pool.submit(my_pid).result(), flush=True)
        time.sleep(600)
"""


def test_workers_end_with_their_run_however_it_ends(tmp_path: Path) -> None:
    (tmp_path / "orphans.py").write_text(ORPHANS)
    words = [sys.executable, str(tmp_path / "orphans.py"), str(tmp_path)]
    env = os.environ | {"PYTHONPATH": os.pathsep.join([*sys.path, str(TESTS)])}
    with subprocess.Popen(words, stdout=subprocess.PIPE, env=env) as run:
        assert run.stdout
        worker = int(run.stdout.readline())
        # Readable when the worker is gone, whoever its parent is by then.
        gone = os.pidfd_open(worker)
        run.kill()
    try:
        readable = multiprocessing.connection.wait([gone], timeout=120)
    finally:
        os.close(gone)
    assert readable


class Endless:
    """Units without end; counts how many were asked for."""

    def __init__(self) -> None:
        self.given = 0

    def __iter__(self) -> Iterator[SavedReply]:
        while True:
            self.given += 1
            yield SavedReply(Path("no reply"), f"{self.given}")


def test_no_more_is_submitted_than_the_workers_are_ahead(tmp_path: Path) -> None:
    with open_run("backfill", config_in(tmp_path)) as opened:
        pool = ProcessExecutor(opened.config, opened.context, 2)
        queue, source = UnitQueue(opened, pool), Endless()
        sent = queue.submit_all(source)
        for taken in range(1, 20):
            assert "No such file" in (queue.commit(next(sent)).failure or "")
            assert source.given == taken + AHEAD * pool.size
        pool.close()


def test_finished_parts_are_not_even_read_again(
    tmp_path: Path, snapshot_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = backfill(tmp_path / "run", snapshot_file, 1)

    def read(*_: object) -> None:
        raise AssertionError("a finished part was read")

    monkeypatch.setattr(units, "read_span", read)
    again = backfill(tmp_path / "run", snapshot_file, 1)
    assert again.counts == first.counts.seen_again()
    assert again.exit_status == first.exit_status == 1


def test_a_finished_part_is_read_for_its_ids_where_another_one_follows(
    tmp_path: Path, snapshot_file: Path
) -> None:
    """Otherwise a resumed run would take the second row of an id for a new snapshot."""
    whole = backfill(tmp_path / "whole", snapshot_file, 1)

    class StoppedError(Exception):
        pass

    def stop(steps: int) -> None:
        if steps == 3:
            raise StoppedError

    with pytest.raises(StoppedError):
        backfill(tmp_path / "halves", snapshot_file, 1, steps=jobs.WatchedSteps(stop))
    resumed = backfill(tmp_path / "halves", snapshot_file, 1)
    assert (resumed.counts.papers, resumed.counts.rejects) == (whole.counts.papers, 2)
    assert resumed.counts.unchanged > 0
    assert kept(tmp_path / "halves") == kept(tmp_path / "whole")


@settings(max_examples=200, deadline=None)
@given(
    st.lists(st.sampled_from([b"\n", b"x\n", b"a line\n", b"y" * 30 + b"\n", b"z" * 90])),
    st.integers(1, 60),
    st.integers(1, 6),
    st.integers(1, 70),
)
def test_spans_are_the_parts_that_reading_on_gives(
    tmp_path_factory: pytest.TempPathFactory,
    pieces: list[bytes],
    part_bytes: int,
    part_lines: int,
    block: int,
) -> None:
    path = tmp_path_factory.mktemp("scan") / "text"
    path.write_bytes(b"".join(pieces))
    limits = Limits(part_bytes=part_bytes, part_lines=part_lines, proof_block_bytes=block)
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(snapshot, "MAX_LINE_BYTES", 50)
        spans = scan(path, limits).spans or []
        read = [snapshot.read_span(path, span) for span in spans]
        for span, part, same in zip(spans, read, snapshot.read_parts(path, limits), strict=True):
            # How far the file was read says less where it is read ahead.
            assert (part, span.position) == (replace(same, position=part.position), part.position)
    assert sum(span.size for span in spans) == path.stat().st_size


def test_ids_in_common_are_those_of_both() -> None:
    first, second = SeenIds(), SeenIds()
    for number in range(100):
        first.add(f"2201.{number:05}")
        second.add(f"2201.{number + 90:05}")
    common = first.common(second)
    assert [n for n in range(200) if not common.add(f"2201.{n:05}")] == list(range(90, 100))
    assert not first.common(SeenIds())
    first.update(second)
    assert not first.add("2201.00189")


def test_what_a_unit_hands_back_is_small(tmp_path: Path, snapshot_file: Path) -> None:
    """Only summaries go through the flow's process."""
    described, spans, *_ = scan(snapshot_file, SMALL_PARTS)
    assert spans
    unit = units.KagglePart(snapshot_file, described.sha256, Selection(), spans[0], "key")
    with open_run("backfill", config_in(tmp_path)) as opened:
        outcome = unit.prepare(opened.context, MOMENT, SeenIds())
        papers = outcome.prepared.counts.papers
        assert papers > 5
        size = len(multiprocessing.reduction.ForkingPickler.dumps(outcome))
        assert size < 1500 + papers * 200
