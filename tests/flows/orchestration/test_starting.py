"""How the command line runs a job: as a flow where a Prefect server is configured, else alone."""

import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from arxiv_server import ArxivServer, make_library
from support.command import environment
from support.paths import ROOT
from support.runs import SAMPLE, assert_whole, process

from flows.jobs.report import RunReport, UnreachableRunError
from flows.orchestration.launch import JobName, run_job

TODAY = datetime.now(UTC).date()
JOBS: list[JobName] = ["backfill", "nightly", "rerun"]
# What a command printed, then the modules that it imported.
SCRIPT = """
import sys
from flows.cli.app import app
try:
    app(sys.argv[1:])
finally:
    print("modules:", *sorted(name for name in sys.modules if "." not in name))
"""


@pytest.fixture
def server() -> Iterator[ArxivServer]:
    with ArxivServer(make_library(60, 3, TODAY - timedelta(2), 3), today=TODAY) as running:
        yield running


def test_without_a_server_every_job_runs_and_imports_no_prefect(
    tmp_path: Path, server: ArxivServer
) -> None:
    reissue = ["rerun", "--reissue", server.library.works()[0].id]
    for words, told in (
        (["backfill", "--raw", str(SAMPLE)], "new records 9"),
        (["nightly"], "new records 60"),
        (["backfill", "--search", "cat:cs.LG"], "new records 0"),
        (["rerun", server.library.works()[0].id], "unchanged 1"),
        (reissue, "unchanged 1"),
    ):
        done = subprocess.run(
            [sys.executable, "-c", SCRIPT, *words], cwd=ROOT, env=environment(tmp_path, server),
            capture_output=True, text=True, timeout=60, check=False,
        )  # fmt: skip
        printed, modules = done.stdout.split("modules:")
        assert told in printed, done.stderr
        assert not {"prefect", "fastapi", "sqlalchemy", "polars"} & set(modules.split())
    assert_whole(tmp_path)


@pytest.fixture
def report(tmp_path: Path) -> RunReport:
    return process(tmp_path, SAMPLE.joinpath("oai-page.xml").read_bytes())


@pytest.mark.parametrize("job", JOBS)
def test_with_a_server_the_flow_runs(
    monkeypatch: pytest.MonkeyPatch, report: RunReport, job: JobName
) -> None:
    told = []

    def flow(**options: Any) -> RunReport:
        told.append(options)
        return report

    monkeypatch.setenv("PREFECT_API_URL", "http://127.0.0.1:9/api")
    monkeypatch.setitem(sys.modules, f"flows.{job}", SimpleNamespace(**{job: flow}))
    assert run_job(job, data_dir=None) is report
    assert told == [{"data_dir": None}]


def test_a_flow_that_did_not_reach_arxiv_still_has_its_report(
    monkeypatch: pytest.MonkeyPatch, report: RunReport
) -> None:
    def flow() -> RunReport:
        raise UnreachableRunError(report)

    monkeypatch.setenv("PREFECT_API_URL", "http://127.0.0.1:9/api")
    monkeypatch.setitem(sys.modules, "flows.nightly", SimpleNamespace(nightly=flow))
    assert run_job("nightly") is report
