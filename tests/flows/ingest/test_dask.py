"""Work on Dask: the same records as here, whoever dies meanwhile; what cannot work says why."""

import gzip
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from multiprocessing import forkserver
from pathlib import Path

import dask
import pytest
from distributed import LocalCluster
from support.papers.oai_pages import page, record
from support.papers.snapshot_rows import text
from support.runs import jobs
from support.runs.runs import assert_whole, bundle_files, config_in, rows
from support.runs.worker_killer import WorkerKiller

from flows.common.config import Config, DaskConfig
from flows.common.errors import ConfigError, WorkerError
from flows.common.keys import create_key, load_issuer
from flows.common.limits import Limits
from flows.ingest.executors import dask as dask_executor
from flows.ingest.executors import shared_folder
from flows.ingest.executors.executor import Executor
from flows.ingest.executors.opening import open_executor
from flows.ingest.worker_context import WorkerContext, WorkerSetup, open_context
from transforms.paper.selection import Selection
from transforms.signing import encode_base64

pytestmark = pytest.mark.dask

NOW = datetime(2026, 11, 21, tzinfo=UTC)
TABLES = ("papers", "events", "bundles", "rejects")
KILLS, PAPERS = (30, 3000) if os.environ.get("FULL") else (6, 400)
IDS = [f"2201.{number:05}" for number in range(1, PAPERS + 1)]
# A repeated line and a broken one, far from the first: what units must know of each other.
SNAPSHOT = text(*IDS) + text(IDS[3]) + b"{broken\n"
SMALL = Limits(part_bytes=4_000, dask_check_seconds=0.2)
"""Limits by which a part has a few papers, and a result is not waited for in vain."""

QUIET = {"dashboard": False, "dashboard_address": "127.0.0.1:0"}


@pytest.fixture(scope="module", autouse=True)
def own_forkserver() -> Iterator[None]:
    """End the one fork server that a process has: other tests want theirs with other modules."""
    yield
    forkserver._forkserver._stop()  # type: ignore[attr-defined]  # noqa: SLF001 - made for tests


@pytest.fixture(scope="module")
def cluster() -> Iterator[LocalCluster]:
    """Start a scheduler and two worker processes, each with a nanny that starts it again."""
    with (
        dask.config.set({"distributed.worker.multiprocessing-method": "forkserver"}),
        LocalCluster(
            n_workers=2, threads_per_worker=1, scheduler_kwargs=QUIET, silence_logs="CRITICAL"
        ) as started,
    ):
        yield started


@pytest.fixture(autouse=True)
def fixed(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let every run issue at the same time."""
    monkeypatch.setattr("flows.jobs.job.utc_now", lambda: NOW)


def local(folder: Path) -> Config:
    return config_in(folder, limits=SMALL)


def on(cluster: LocalCluster, folder: Path, limits: Limits = SMALL) -> Config:
    return at(cluster.scheduler_address, folder, limits)


def at(address: str | None, folder: Path, limits: Limits = SMALL) -> Config:
    changed = {"runner": "dask", "dask": DaskConfig(address=address)}
    return config_in(folder, 2, limits).model_copy(update=changed)


def folders(tmp_path: Path) -> tuple[Path, Path]:
    """Make two folders with the same key."""
    here, there = tmp_path / "here", tmp_path / "there"
    create_key(here / "signing.key")
    there.mkdir()
    (there / "signing.key").write_bytes((here / "signing.key").read_bytes())
    (there / "signing.key").chmod(0o600)
    return here, there


def assert_same(here: Path, there: Path) -> None:
    """Assert that both hold the same rows and bytes, each paper once."""
    for table in TABLES:
        assert rows(here, table) == rows(there, table)
    assert bundle_files(here) == bundle_files(there)
    issued = [row["arxiv_id"] for row in rows(there, "papers")]
    assert sorted(issued) == IDS


@pytest.mark.parametrize("packed", [False, True], ids=["plain", "packed"])
def test_a_snapshot_gives_the_same_records(
    tmp_path: Path, cluster: LocalCluster, *, packed: bool
) -> None:
    here, there = folders(tmp_path)
    file = tmp_path / "snapshot.json"
    file.write_bytes(gzip.compress(SNAPSHOT, 1) if packed else SNAPSHOT)
    jobs.backfill_snapshot(local(here), file, Selection())
    config = on(cluster, there, replace(SMALL, dask_inline_bytes=1000))
    report = jobs.backfill_snapshot(config, file, Selection())
    assert (report.counts.new_records, report.counts.rejects) == (len(IDS), 2)
    assert report.units > 40
    assert_same(here, there)
    assert_whole(there)
    again = jobs.backfill_snapshot(config, file, Selection())
    assert (again.counts.unchanged, again.counts.new_records) == (len(IDS), 0)


def test_workers_killed_again_and_again_change_nothing(
    tmp_path: Path, cluster: LocalCluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    here, there = folders(tmp_path)
    file = tmp_path / "snapshot.json"
    file.write_bytes(SNAPSHOT)
    jobs.backfill_snapshot(local(here), file, Selection())
    killer = WorkerKiller(cluster, NOW, kills=KILLS, seed=5)
    monkeypatch.setattr("flows.jobs.job.utc_now", killer.clock)
    killer.start()
    report = jobs.backfill_snapshot(on(cluster, there), file, Selection())
    killer.assert_done()
    assert report.counts.new_records == len(IDS)
    assert_same(here, there)


def test_replies_give_the_same_records(
    tmp_path: Path, cluster: LocalCluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    here, there = folders(tmp_path)
    replies = tmp_path / "replies"
    replies.mkdir()
    for start in range(0, len(IDS), 20):
        some = map(record, IDS[start : start + 20])
        (replies / f"{start:05}.xml").write_bytes(page(*some))
    monkeypatch.chdir(tmp_path)  # where no worker is
    jobs.backfill_raw(config_in(here), [Path("replies")])
    report = jobs.backfill_raw(on(cluster, Path("there")), [Path("replies")])
    assert report.failures == {}
    assert_same(here, there)
    assert_whole(there)


@contextmanager
def executor_of(config: Config) -> Iterator[Executor]:
    """Open an executor as a job does, for the catalog and key that are there."""
    context = open_context(WorkerSetup(config, "a run", load_issuer(config.identity).fingerprint))
    with closing(context.catalog), open_executor(config, context, 10) as executor:
        yield executor


@pytest.fixture
def there(tmp_path: Path) -> Path:
    """Make a folder with a key and an empty catalog."""
    jobs.backfill_raw(config_in(tmp_path), [write(tmp_path / "one.xml", page(record()))])
    return tmp_path


def write(path: Path, data: bytes) -> Path:
    path.write_bytes(data)
    return path


def die(context: WorkerContext) -> None:  # noqa: ARG001 - a Task
    os.kill(os.getpid(), signal.SIGKILL)


def fail(context: WorkerContext) -> None:  # noqa: ARG001 - a Task
    raise TimeoutError("of the work's own")


def name_of(context: WorkerContext) -> str:
    folder, signer = context.layout.root.name, context.issuer.fingerprint
    return f"{context.run} in {folder} with {signer}, {os.getpid()}"


def test_a_cluster_of_ones_own_and_work_that_kills_every_worker(there: Path) -> None:
    with (
        dask.config.set({"distributed.scheduler.allowed-failures": 0}),
        executor_of(at(None, there)) as executor,
    ):
        assert executor.size == 2
        assert executor.submit(name_of).result().startswith("a run in data with ")
        assert str(os.getpid()) not in executor.submit(name_of).result()
        with pytest.raises(TimeoutError, match="of the work's own"):
            executor.submit(fail).result()
        with pytest.raises(WorkerError, match="ended again and again"):
            executor.submit(die).result()
        assert executor.submit(name_of).result()
    assert not (there / "data" / shared_folder.MARKER).exists()


def test_a_worker_with_another_key_does_nothing(
    there: Path, cluster: LocalCluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PITH_SIGNING_KEY", encode_base64(bytes(32)))
    with pytest.raises(ConfigError, match=r"worker process .* has another signing key: finger"):
        jobs.backfill_raw(on(cluster, there), [there / "one.xml"])


def test_a_worker_without_a_key_makes_none(
    there: Path, cluster: LocalCluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PITH_SIGNING_KEY", encode_base64(bytes(32)))
    (there / "signing.key").unlink()
    with pytest.raises(ConfigError, match=r"has no signing key: put it into .*signing\.key there"):
        jobs.backfill_raw(on(cluster, there), [there / "one.xml"])
    assert not (there / "signing.key").exists()


def test_a_worker_of_another_version_does_nothing(
    there: Path, cluster: LocalCluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(dask_executor, "BUILDER_VERSION", "pith-ingest-9.9")
    with pytest.raises(ConfigError, match=r"has pith-ingest-0.* but this is pith-ingest-9\.9"):
        jobs.backfill_raw(on(cluster, there), [there / "one.xml"])


def test_a_folder_that_is_not_shared_is_told(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="does not see this run in the data folder"):
        shared_folder.check_shared(tmp_path, "a run")
    (tmp_path / shared_folder.MARKER).write_text("another run")
    with pytest.raises(ConfigError, match="does not see this run in the data folder"):
        shared_folder.check_shared(tmp_path, "a run")
    with (
        shared_folder.marked(tmp_path, "a run"),
        # Locks are between processes, so this one stands for a machine that sees none.
        pytest.raises(ConfigError, match="does not see locks in the data folder"),
    ):
        shared_folder.check_shared(tmp_path, "a run")


def test_a_wrong_address_and_a_scheduler_without_workers_are_told(there: Path) -> None:
    impatient = replace(SMALL, dask_wait_seconds=0.5)
    with dask.config.set({"distributed.comm.timeouts.connect": "1s"}):
        with pytest.raises(ConfigError, match="no Dask scheduler answers at tcp://127") as caught:
            jobs.backfill_raw(at("tcp://127.0.0.1:9", there), [there / "one.xml"])
        assert caught.value.exit_status == 2
        with (
            LocalCluster(n_workers=0, scheduler_kwargs=QUIET) as empty,
            pytest.raises(WorkerError, match="had no workers for 0 s; start some with 'dask w"),
        ):
            jobs.backfill_raw(on(empty, there, impatient), [there / "one.xml"])


@contextmanager
def started(*command: str, **environment: str) -> Iterator[subprocess.Popen[str]]:
    """Run a command of Dask, and end it."""
    process = subprocess.Popen(
        [sys.executable, "-m", "dask", *command],
        env=os.environ | environment,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stderr
    with process:
        try:
            yield process
        finally:
            process.kill()


def test_a_scheduler_that_dies_ends_the_run_and_the_next_one_completes_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    here, there = folders(tmp_path)
    file = write(tmp_path / "snapshot.json", SNAPSHOT)
    jobs.backfill_snapshot(local(here), file, Selection())
    calls = 0

    def clock() -> datetime:
        nonlocal calls
        calls += 1
        if calls == 40:
            scheduler.kill()
        return NOW

    with (
        dask.config.set({"distributed.comm.timeouts.connect": "1s"}),
        started("scheduler", "--host", "127.0.0.1", "--port", "0", "--no-dashboard") as scheduler,
    ):
        assert scheduler.stderr
        words = (word for line in scheduler.stderr for word in line.split())
        address = next(word for word in words if word.startswith("tcp://"))
        with started("worker", address, "--no-dashboard", "--nthreads", "2"):
            monkeypatch.setattr("flows.jobs.job.utc_now", clock)
            with pytest.raises(WorkerError, match="lost the Dask scheduler at tcp"):
                jobs.backfill_snapshot(at(address, there), file, Selection())
            monkeypatch.setattr("flows.jobs.job.utc_now", lambda: NOW)
    assert 0 < len(rows(there, "papers")) < len(IDS)
    jobs.backfill_snapshot(local(there), file, Selection())
    assert_same(here, there)
    assert_whole(there)


def test_a_missing_extra_is_told(there: Path) -> None:
    script = (
        "import sys; sys.modules['distributed'] = None\n"
        "from pathlib import Path\n"
        "from flows.common.errors import ConfigError\n"
        "from flows.jobs.backfill import backfill\n"
        "from flows.sources.source import BackfillOptions\n"
        "try: backfill(BackfillOptions(raw=[Path('one.xml')]))\n"
        "except ConfigError as error: print(error, end='')"
    )
    settings = {
        "PITH_DATA_DIR": str(there / "data"),
        "PITH_RUNNER": "dask",
        "PITH_DASK__ADDRESS": "tcp://127.0.0.1:9",
        "HOME": str(there),
    }
    done = subprocess.run(
        [sys.executable, "-c", script],
        cwd=there,
        env=os.environ | settings | {"PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout == (
        "runner is dask, which needs distributed: pip install 'pith-ingest[dask]'"
    )
