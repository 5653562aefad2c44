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
from prefect.utilities.callables import parameter_schema
from support.runs.real_prefect import (
    PATIENCE,
    Api,
    RealServer,
    is_over,
    process,
    serving,
    wait_for,
    write_config,
)
from support.runs.runs import SAMPLE, assert_whole

from flows.backfill import backfill
from flows.common.config import load_config
from flows.common.errors import ConfigError
from flows.nightly import unattended
from flows.orchestration.automations import shipped
from flows.orchestration.names import VERSION
from flows.rerun import rerun

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


def test_the_three_deployments_run_from_the_api(
    tmp_path: Path, config_file: Path, real_server: RealServer
) -> None:
    api, env, since = real_server.api, real_server.env, datetime.now(UTC).isoformat()
    earlier = make_earlier(api)
    with serving(api, config_file, env) as log:
        assert_earlier_is_paused(api, earlier, log)
        # One after the other, as `serve` runs them, in the order in which they were started.
        runs = {}
        for deployment, parameters in (
            ("backfill/pith-backfill", {"raw": [str(SAMPLE)]}),
            ("nightly/pith-nightly", {}),
            ("rerun/pith-rerun", {"papers": ["9999.99999"]}),
        ):
            run = api.start(deployment, **parameters)
            wait_for(partial(is_over, api, run), log)
            runs[deployment.partition("/")[0]] = run
        states = {job: api.get(f"flow_runs/{run}")["state"] for job, run in runs.items()}
        assert {state["type"] for state in states.values()} == {"COMPLETED"}, log.read_text()
        assert_messages(states, tmp_path)
        assert_run_names(api, runs)
        assert_forms(api)
        assert_artifacts(api, runs)
        assert_links(api, runs, env)
        assert_names(api, runs, log)
        assert_logs(api, runs, log)
        assert_events(api, since, log)
        assert_automations(api)
        assert_schedule(api, log)
        assert_command_is_a_flow(api, tmp_path)
        assert "Traceback" not in log.read_text()
    assert_whole(tmp_path)
    assert log.read_text().count("made a signing key") == 1
    assert "Warning" not in log.read_text()


def make_earlier(api: Api) -> dict[str, str]:
    """Make a deployment as a version before 0.2.0 did, and another's of the same name."""
    schedule = {"schedule": {"cron": "30 5 * * *"}, "active": True}
    return {
        entrypoint: api.ask(
            "deployments/",
            name="pith",
            flow_id=api.ask("flows/", name=flow)["id"],
            entrypoint=entrypoint,
            schedules=[schedule],
        )["id"]
        for flow, entrypoint in (
            ("nightly", "flows.nightly.unattended"), ("other", "other.py:other"),
        )
    }  # fmt: skip


def assert_earlier_is_paused(api: Api, earlier: dict[str, str], log: Path) -> None:
    paused = {entry: api.get(f"deployments/{id_}")["paused"] for entry, id_ in earlier.items()}
    assert paused == {"flows.nightly.unattended": True, "other.py:other": False}
    (line,) = [line for line in log.read_text().splitlines() if " earlier version" in line]
    assert "pith-nightly takes the place of the deployment pith of an earlier version" in line
    assert line.endswith(f"--id {earlier['flows.nightly.unattended']}' removes it")


def assert_artifacts(api: Api, runs: dict[str, str]) -> None:
    for job, run in runs.items():
        found = {artifact["key"]: artifact["data"] for artifact in api.of_run("artifacts", run)}
        kinds = ("report", "table", "progress")
        assert found.keys() == {f"pith-{job}-{kind}" for kind in kinds}
        assert found[f"pith-{job}-report"].startswith(f"# {job}: ")
        assert float(found[f"pith-{job}-progress"]) == 100
        if job == "backfill":
            assert '"what": "new records", "number": 9' in found["pith-backfill-table"]
        if job == "nightly":
            assert '"number": 60, "note": "complete: harvested 60' in found["pith-nightly-table"]


def assert_messages(states: dict[str, dict[str, str]], folder: Path) -> None:
    """Show that the state of a flow run says what became of it, and where the report is."""
    said = {job: state["message"] for job, state in states.items()}
    assert said["backfill"].startswith("Done: 9 papers came (9 new); 1 reject; the report is")
    assert said["nightly"].startswith("Complete: the 60 papers that changed on arXiv from ")
    assert "1 " in said["rerun"].partition("; the report is")[0]
    for job, message in said.items():
        file = Path(message.partition(f"artifact pith-{job}-report, and ")[2])
        assert (file.is_file(), file.suffix, folder in file.parents) == (True, ".html", True)


def assert_run_names(api: Api, runs: dict[str, str]) -> None:
    found = {job: api.get(f"flow_runs/{run}") for job, run in runs.items()}
    night = found["nightly"]["expected_start_time"][:10]
    assert {job: (run["name"], set(run["tags"])) for job, run in found.items()} == {
        "backfill": (f"backfill raw replies {SAMPLE.name}", {"backfill", "raw"}),
        "nightly": (f"nightly {night}", {"nightly", "arxiv", "all"}),
        "rerun": ("rerun 9999.99999", {"rerun", "arxiv"}),
    }


def assert_forms(api: Api) -> None:
    """Show that the server has the forms, and takes what they send: null for an empty field."""
    for job, form in (("backfill", backfill), ("nightly", unattended), ("rerun", rerun)):
        deployment = api.get(f"deployments/name/{job}/pith-{job}")
        schema = deployment["parameter_openapi_schema"]
        assert schema["properties"] == parameter_schema(form).properties
        assert deployment["description"] == form.description
        assert (deployment["version"], deployment["tags"]) == (VERSION, [job])
    path = f"deployments/{api.get('deployments/name/backfill/pith-backfill')['id']}/create_flow_run"
    later = {"type": "SCHEDULED", "state_details": {"scheduled_time": "2126-01-01T00:00:00Z"}}
    empty = {"first": None, "raw": None, "snapshot": None}
    assert api.ask(path, parameters=empty, state=later)["state_type"] == "SCHEDULED"
    for wrong, said in (
        ({"limit": 0}, "0 is less than the minimum of 1"),
        ({"categories": "cs.LG"}, "Validation failed for field 'categories'"),
    ):
        with pytest.raises(httpx.HTTPStatusError) as refused:
            api.ask(path, parameters=wrong, state=later)
        assert said in refused.value.response.text


def assert_links(api: Api, runs: dict[str, str], env: dict[str, str]) -> None:
    """Show that report and table name each other and their run, by pages of this server's UI."""
    ui = env["PREFECT_API_URL"].removesuffix("/api")
    for job, run in runs.items():
        found = {artifact["key"]: artifact for artifact in api.of_run("artifacts", run)}
        report, table = found[f"pith-{job}-report"], found[f"pith-{job}-table"]
        for text, other in ((report["data"], table), (table["description"], report)):
            assert f"({ui}/runs/flow-run/{run})" in text
            assert f"({ui}/artifacts/artifact/{other['id']})" in text


def assert_automations(api: Api) -> None:
    """Show that `serve` made the automations that come with it, once: it is not the first one."""
    make_again = "pith no complete night for 48 hours"
    found = [automation["name"] for automation in api.ask("automations/filter")]
    assert sorted(found) == [automation.name for automation in shipped()]
    assert make_again in found


STEPS = {
    "backfill": [
        ("check source", "check raw replies"),
        ("commit shards", "commit oai-page.xml, papers 1-9"),
    ],
    "nightly": [
        ("find windows", "find windows of all"),
        ("harvest pages", ": page 1, papers 1-60"),
        ("reconcile window", ": 60 papers came"),
    ],
    "rerun": [("fetch papers", "fetch paper 9999.99999")],
}


def assert_names(api: Api, runs: dict[str, str], log: Path) -> None:
    """Show that the task runs of each flow say what it did, in its order."""
    for job, steps in STEPS.items():
        expected = [*steps, ("write report", f"write report {TODAY:%Y%m%d}")]

        def task_runs(job: str = job, number: int = len(expected)) -> list[dict[str, str]]:
            found = api.of_run("task_runs", runs[job])
            done = [task for task in found if task["state_type"] == "COMPLETED"]
            return sorted(done, key=itemgetter("start_time")) if len(done) >= number else []

        # Task runs reach the server as events, some seconds late, and their last names last.
        found = wait_for(task_runs, log)
        keys = [task["task_key"].rpartition("-")[0].replace("_", " ") for task in found]
        assert keys == [kind for kind, _ in expected]
        for task, (kind, part) in zip(found, expected, strict=True):
            assert part in task["name"], kind
        if job == "nightly":
            assert found[1]["name"].startswith("harvest all of arXiv, ")


def assert_logs(api: Api, runs: dict[str, str], log: Path) -> None:
    def lines(job: str) -> list[str]:
        found = api.of_run("logs", runs[job], limit=200)
        return [line["message"] for line in found if line["name"] == "pith_ingest"]

    wait_for(lambda: any("made a signing key" in line for line in lines("backfill")), log)
    # In the log, since nobody is at a terminal: at the end, and every half minute before.
    said = wait_for(lambda: [line for line in lines("nightly") if "60 of 60 papers" in line], log)
    assert len(said) == 1


def assert_events(api: Api, since: str, log: Path) -> None:
    wanted = {"event": {"prefix": ["pith.harvest."]}, "occurred": {"since": since}}
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
    assert nightly["resource"]["pith.job"] == "nightly"
    assert nightly["resource"]["pith.windows"] == "complete"


def assert_schedule(api: Api, log: Path) -> None:
    deployment = api.get("deployments/name/nightly/pith-nightly")
    (schedule,) = deployment["schedules"]
    assert (schedule["active"], deployment["paused"]) == (True, False)
    assert schedule["schedule"]["cron"] == "15 4 * * 2"
    assert schedule["schedule"]["timezone"] == "Europe/Berlin"
    assert api.get("deployments/name/backfill/pith-backfill")["schedules"] == []
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
    before = {run["id"] for run in api.ask("flow_runs/filter")}
    words = ["flows.cli.main", "backfill", "--raw", str(SAMPLE), "--data", str(tmp_path / "other")]
    with process(log, *words, env=env, cwd=tmp_path) as child:
        assert child.wait(PATIENCE) == 1  # the sample has a broken record
    assert "9 new records" in log.read_text()
    (run,) = [run for run in api.ask("flow_runs/filter") if run["id"] not in before]
    assert (run["state_type"], run["name"]) == ("COMPLETED", f"backfill raw replies {SAMPLE.name}")
    assert set(run["tags"]) == {"backfill", "raw"}


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
        assert child.wait(PATIENCE) == 2
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
