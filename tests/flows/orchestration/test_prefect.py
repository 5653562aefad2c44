"""Prefect as its users meet it: a real server, `pith-ingest serve`, runs from the API."""

import os
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from functools import partial
from operator import itemgetter
from pathlib import Path
from types import SimpleNamespace

import httpx
import pytest
from arxiv_server import ArxivServer, make_library
from support.runs.real_prefect import (
    Api,
    is_over,
    prefect_server,
    process,
    serving,
    wait_for,
    write_config,
)
from support.runs.runs import SAMPLE, assert_whole

from flows.common.config import load_config
from flows.common.errors import ConfigError

pytestmark = pytest.mark.prefect

TODAY = datetime.now(UTC).date()


@pytest.fixture
def config_file(tmp_path: Path) -> Iterator[Path]:
    library = make_library(60, 3, TODAY - timedelta(2), 3)
    with ArxivServer(library, today=TODAY) as server:
        yield write_config(tmp_path, server.url)


def test_the_api_is_asked_again_where_its_database_is_locked(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("tenacity.nap.time", SimpleNamespace(sleep=lambda _: None))
    statuses = [503, 503, 200, 404]
    api = Api("http://127.0.0.1:9/api")
    api.client = httpx.Client(
        base_url="http://127.0.0.1:9/api/",
        transport=httpx.MockTransport(lambda _: httpx.Response(statuses.pop(0), json=[])),
    )
    with api.client:
        assert api.get("health") == []
        with pytest.raises(httpx.HTTPStatusError, match="404"):
            api.ask("nowhere")
    assert statuses == []


def test_the_three_deployments_run_from_the_api(tmp_path: Path, config_file: Path) -> None:
    with prefect_server(tmp_path) as (api, env), serving(api, config_file, env) as log:
        # One after the other, as `serve` runs them, in the order in which they were started.
        runs = {}
        for deployment, parameters in (
            ("backfill/pith", {"raw": [str(SAMPLE)]}),
            ("nightly/pith", {}),
            ("rerun/pith", {"papers": ["9999.99999"]}),
        ):
            run = api.start(deployment, **parameters)
            wait_for(partial(is_over, api, run), log)
            runs[deployment.removesuffix("/pith")] = run
        states = {job: api.get(f"flow_runs/{run}")["state"] for job, run in runs.items()}
        assert {state["type"] for state in states.values()} == {"COMPLETED"}, log.read_text()
        assert "pith-backfill-report" in states["backfill"]["message"]
        assert_artifacts(api, runs)
        assert_names(api, runs, log)
        assert_logs(api, runs, log)
        assert_events(api, log)
        assert_schedule(api, log)
        assert_command_is_a_flow(api, tmp_path)
        assert "Traceback" not in log.read_text()
    assert_whole(tmp_path)
    assert log.read_text().count("made a signing key") == 1
    assert "Warning" not in log.read_text()


def assert_artifacts(api: Api, runs: dict[str, str]) -> None:
    for job, run in runs.items():
        found = {artifact["key"]: artifact["data"] for artifact in api.of_run("artifacts", run)}
        assert found.keys() == {f"pith-{job}-{kind}" for kind in ("report", "table", "progress")}
        assert found[f"pith-{job}-report"].startswith(f"# {job}: ")
        assert float(found[f"pith-{job}-progress"]) == 100
        if job == "backfill":
            assert '"what": "new records", "number": 9' in found["pith-backfill-table"]
        if job == "nightly":
            assert '"number": 60, "note": "complete: harvested 60' in found["pith-nightly-table"]


STEPS = {
    "backfill": [("check source", "raw replies"), ("commit shards", "oai-page.xml")],
    "nightly": [
        ("find windows", "all"),
        ("harvest pages", "pages from 1"),
        ("reconcile window", "all of arXiv"),
    ],
    "rerun": [("fetch papers", "9999.99999")],
}


def assert_names(api: Api, runs: dict[str, str], log: Path) -> None:
    """Show that the task runs of each flow say what it did, in its order."""
    for job, steps in STEPS.items():
        expected = [*steps, ("write report", f"-{job}-")]

        def task_runs(job: str = job, number: int = len(expected)) -> list[dict[str, str]]:
            found = api.of_run("task_runs", runs[job])
            return sorted(found, key=itemgetter("start_time")) if len(found) >= number else []

        # Task runs reach the server as events, some seconds late.
        found = wait_for(task_runs, log)
        keys = [task["task_key"].rpartition("-")[0].replace("_", " ") for task in found]
        assert keys == [kind for kind, _ in expected]
        for task, (kind, part) in zip(found, expected, strict=True):
            assert task["name"].startswith(f"{kind}: ")
            assert part in task["name"]


def assert_logs(api: Api, runs: dict[str, str], log: Path) -> None:
    def lines(job: str) -> list[str]:
        found = api.of_run("logs", runs[job], limit=200)
        return [line["message"] for line in found if line["name"] == "pith_ingest"]

    wait_for(lambda: any("made a signing key" in line for line in lines("backfill")), log)
    # In the log, since nobody is at a terminal: at the end, and every half minute before.
    said = wait_for(lambda: [line for line in lines("nightly") if "60 of 60 papers" in line], log)
    assert len(said) == 1


def assert_events(api: Api, log: Path) -> None:
    wanted = {"event": {"prefix": ["pith.harvest."]}}
    events = wait_for(
        lambda: (found := api.ask("events/filter", filter=wanted)["events"])[2:] and found, log
    )
    by_job = {event["payload"]["job"]: event for event in events}
    names = {job: event["event"].removeprefix("pith.harvest.") for job, event in by_job.items()}
    # The sample has a broken record; arXiv's imitation has no 9999.99999.
    assert names == {"backfill": "incomplete", "nightly": "completed", "rerun": "incomplete"}
    nightly = by_job["nightly"]
    assert nightly["payload"]["new_records"] == 60
    assert nightly["resource"]["prefect.resource.id"].startswith("pith.run.2")


def assert_schedule(api: Api, log: Path) -> None:
    deployment = api.get("deployments/name/nightly/pith")
    (schedule,) = deployment["schedules"]
    assert (schedule["active"], deployment["paused"]) == (True, False)
    assert schedule["schedule"]["cron"] == "15 4 * * 2"
    assert schedule["schedule"]["timezone"] == "Europe/Berlin"
    assert api.get("deployments/name/backfill/pith")["schedules"] == []
    # The server's own scheduler makes the runs to come.
    to_come = {"state": {"type": {"any_": ["SCHEDULED"]}}}
    of_nightly = {"id": {"any_": [deployment["id"]]}}
    wait_for(lambda: api.ask("flow_runs/filter", flow_runs=to_come, deployments=of_nightly), log)


def assert_command_is_a_flow(api: Api, tmp_path: Path) -> None:
    """Show that the command line runs its jobs as flows where a file names this server."""
    log, key, home = tmp_path / "command.log", tmp_path / "signing.key", tmp_path / "prefect"
    (tmp_path / "prefect.toml").write_text(f'api.url = "{api.url}"\n')
    env = {
        "HOME": str(tmp_path),
        "PREFECT_HOME": str(home),
        "PITH_IDENTITY__KEY_FILE": str(key),
        "PYTHONPATH": os.environ.get("PYTHONPATH", ""),
    }
    words = ["flows.cli.main", "backfill", "--raw", str(SAMPLE), "--data", str(tmp_path / "other")]
    with process(log, *words, env=env, cwd=tmp_path) as child:
        assert child.wait(60) == 1  # the sample has a broken record
    assert "9 new records" in log.read_text()
    runs = api.ask("flow_runs/filter", flows={"name": {"any_": ["backfill"]}})
    assert [run["state_type"] for run in runs] == ["COMPLETED"] * 2


SERVERLESS = {
    "none is named": ({}, "there is no Prefect server to serve to: run 'prefect server start' in"),
    "none answers": ({"PREFECT_API_URL": "http://127.0.0.1:9/api"}, "127.0.0.1:9/api does not"),
}


@pytest.mark.parametrize("name", SERVERLESS)
def test_serve_says_what_to_start_when_no_server_is_there(tmp_path: Path, name: str) -> None:
    env, part = SERVERLESS[name]
    log = tmp_path / "log"
    home = {"HOME": str(tmp_path), "PREFECT_HOME": str(tmp_path / "prefect")}
    python_path = {"PYTHONPATH": os.environ.get("PYTHONPATH", "")}
    with process(log, "flows.cli.main", "serve", env=home | python_path | env) as child:
        assert child.wait(60) == 2
    assert log.read_text().startswith("pith-ingest: ")
    assert log.read_text().count("\n") == 1
    assert part in log.read_text()
    assert "prefect server start" in log.read_text()


@pytest.mark.parametrize("line", ["cron: nonsense", "timezone: Mars/Olympus"])
def test_a_schedule_that_is_none_is_named(tmp_path: Path, line: str) -> None:
    from flows.orchestration.deployments import make_deployments

    file = tmp_path / "config.yaml"
    file.write_text(f"schedule: {{{line}}}\n")
    assert load_config(file)
    with pytest.raises(ConfigError, match=f"schedule.*{line.split()[1]}"):
        make_deployments(file, None)
