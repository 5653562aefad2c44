"""Dask workers over an object store: the same records as one machine and its disk keep."""

import os
import time
from collections.abc import Callable, Iterator
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
from support.stores.object_store import S3, make_bucket, moto_server, often, proxy
from support.stores.stored_objects import fetch, use

from flows.common.config import Config, DaskConfig
from flows.common.limits import Limits
from flows.jobs.report import RunReport
from transforms.paper.selection import Selection

pytestmark = [pytest.mark.dask, pytest.mark.s3]

NOW = datetime(2026, 11, 21, tzinfo=UTC)
KILLS, PAPERS = (12, 1200) if os.environ.get("FULL") else (3, 120)
IDS = [f"2201.{number:05}" for number in range(1, PAPERS + 1)]


def end_fork_server() -> None:
    """End the fork server: processes have the environment in which theirs was started."""
    forkserver._forkserver._stop()  # type: ignore[attr-defined]  # noqa: SLF001 - made for tests


@pytest.fixture
def s3(monkeypatch: pytest.MonkeyPatch) -> Iterator[S3]:
    """A store that fails one request in twenty."""
    with moto_server() as port:
        bucket = f"bucket-{time.time_ns()}"
        make_bucket(port, bucket)
        with proxy(S3(port, bucket), often(0.05)) as store:
            use(store, monkeypatch)
            yield store


@pytest.fixture
def cluster(s3: S3) -> Iterator[LocalCluster]:  # noqa: ARG001 - its environment
    """Two worker processes with the store's credentials, each with a nanny that starts it again."""
    end_fork_server()
    with (
        dask.config.set({"distributed.worker.multiprocessing-method": "forkserver"}),
        LocalCluster(
            n_workers=2,
            threads_per_worker=1,
            scheduler_kwargs={"dashboard": False, "dashboard_address": "127.0.0.1:0"},
            silence_logs="CRITICAL",
        ) as started,
    ):
        yield started
    end_fork_server()


def from_snapshot(folder: Path) -> Callable[[Config], RunReport]:
    file = folder / "snapshot.json"
    file.write_bytes(text(*IDS) + text(IDS[3]) + b"{broken\n")
    return lambda config: jobs.backfill_snapshot(config, file, Selection())


def from_replies(folder: Path) -> Callable[[Config], RunReport]:
    saved = folder / "saved"
    saved.mkdir()
    for at in range(0, PAPERS, 10):
        (saved / f"{at:05}.xml").write_bytes(page(*map(record, IDS[at : at + 10])))
    return lambda config: jobs.backfill_raw(config, [saved])


@pytest.mark.parametrize("source", [from_snapshot, from_replies])
def test_a_cluster_over_a_failing_store_keeps_what_one_machine_keeps(
    source: Callable[[Path], Callable[[Config], RunReport]],
    s3: S3,
    cluster: LocalCluster,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Workers are killed at random moments, and one request in twenty fails."""
    killer = WorkerKiller(cluster, NOW, kills=KILLS, seed=7)
    monkeypatch.setattr("flows.jobs.job.utc_now", killer.clock)
    backfill = source(tmp_path)
    here = tmp_path / "here"
    local = config_in(here, limits=Limits(part_bytes=4_000, dask_check_seconds=0.2))
    there = {"runner": "dask", "dask": DaskConfig(address=cluster.scheduler_address)}
    same = {"identity": local.identity, "limits": local.limits}
    remote = s3.config(tmp_path).model_copy(update=there | same)
    expected = backfill(local)
    killer.start()
    report = backfill(remote)
    killer.assert_done()
    assert report.counts == expected.counts
    assert report.counts.new_records == PAPERS
    # What killed workers were putting never counts, and is removed by the next run.
    again = backfill(remote)
    assert (again.counts.unchanged, again.counts.new_records) == (PAPERS, 0)
    fetched = fetch(remote, tmp_path / "fetched")
    for table in ("papers", "events", "bundles", "rejects"):
        assert rows(fetched, table) == rows(here, table)
    assert bundle_files(fetched) == bundle_files(here)
    assert_whole(fetched)
