"""How the command line runs a job: as a flow where a Prefect server is configured, else alone."""

import ast
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import fields
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from arxiv_server import ArxivServer, make_library
from support.commands.command import assert_one_sentence, environment, run
from support.paths import ROOT
from support.runs.runs import SAMPLE, assert_whole, process
from typer.testing import CliRunner

from flows.cli.app import app
from flows.jobs.nightly import NightlyOptions
from flows.jobs.report import RunReport
from flows.jobs.rerun import RerunOptions
from flows.orchestration.errors import UnreachableRunError
from flows.orchestration.launch import launch
from flows.sources.source import BackfillOptions

pytestmark = pytest.mark.process

TODAY = datetime.now(UTC).date()
WORDS = {"backfill": ["--category", "cs.LG"], "nightly": [], "rerun": ["2201.00001"]}
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
        (["backfill", "--raw", str(SAMPLE)], "9 new records"),
        (["nightly"], "60 new records"),
        (["backfill", "--search", "cat:cs.LG"], "0 new records"),
        (["rerun", server.library.works()[0].id], "1 unchanged"),
        (reissue, "1 unchanged"),
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


@pytest.mark.parametrize("job", WORDS)
def test_with_a_server_the_flow_runs(
    monkeypatch: pytest.MonkeyPatch, report: RunReport, job: str, tmp_path: Path
) -> None:
    told = []

    def flow(options: Any) -> RunReport:
        told.append(options)
        return report

    monkeypatch.setenv("PREFECT_API_URL", "http://127.0.0.1:9/api")
    monkeypatch.setitem(sys.modules, f"flows.{job}", SimpleNamespace(**{f"{job}_flow": flow}))
    done = CliRunner().invoke(app, [job, *WORDS[job], "--data", str(tmp_path / "other")])
    assert (done.exit_code, done.stdout.splitlines()) == (report.exit_status, report.lines())
    assert [options.data_dir for options in told] == [tmp_path / "other"]
    assert not (tmp_path / "other").exists()


def test_a_flow_that_did_not_reach_arxiv_still_has_its_report(
    monkeypatch: pytest.MonkeyPatch, report: RunReport
) -> None:
    def flow() -> RunReport:
        raise UnreachableRunError(report)

    def job() -> RunReport:
        raise AssertionError("the job ran by itself")

    monkeypatch.setenv("PREFECT_API_URL", "http://127.0.0.1:9/api")
    assert launch(job, flow) is report


@pytest.mark.parametrize(
    ("flow", "options"),
    [("backfill", BackfillOptions), ("nightly", NightlyOptions), ("rerun", RerunOptions)],
)
def test_a_flow_has_a_parameter_for_each_option_of_its_job(flow: str, options: type) -> None:
    """Read from the source, as `prefect deploy` does."""
    tree = ast.parse((ROOT / "flows" / f"{flow}.py").read_text())
    (found,) = [node for node in tree.body if getattr(node, "name", "") == flow]
    assert isinstance(found, ast.FunctionDef)
    assert {parameter.arg for parameter in found.args.args} == {
        option.name for option in fields(options)
    }


def test_a_server_that_does_not_answer_is_told_in_one_sentence(tmp_path: Path) -> None:
    url = "http://127.0.0.1:9/api"
    done = run(tmp_path, "nightly", "--data", tmp_path / "data", PREFECT_API_URL=url)
    assert done.returncode == 2
    assert_one_sentence(done, f"no Prefect server answers at {url}", "prefect server start")
    assert not (tmp_path / "data").exists()
