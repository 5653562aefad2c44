"""Prefect as its users meet it: a real server, `pith-ingest serve`, runs from the API."""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from uuid import uuid4

import httpx
import pytest
from arxiv_server import ArxivServer, make_library
from runs import SAMPLE, assert_whole
from tenacity import retry, retry_if_exception, stop_after_delay, wait_exponential

from flows.config import load_config
from flows.errors import ConfigError

ROOT = Path(__file__).parents[1]
TODAY = datetime.now(UTC).date()


@contextmanager
def process(log: Path, *words: str, **env: str) -> Iterator[subprocess.Popen[bytes]]:
    """Run `python -m …` in a process group of its own, which is ended in any case."""
    clean = {name: value for name, value in os.environ.items() if not name.startswith("P")}
    with log.open("wb") as output:
        child = subprocess.Popen(
            [sys.executable, "-m", *words],
            cwd=ROOT,
            env=clean | {"PATH": os.environ["PATH"]} | env,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    try:
        yield child
    finally:
        child.terminate()
        try:
            child.wait(20)
        except subprocess.TimeoutExpired:
            child.kill()
            child.wait()
        with suppress(ProcessLookupError):
            os.killpg(child.pid, signal.SIGKILL)


def wait_for(what: Callable[[], Any], log: Path, seconds: float = 60) -> Any:
    """Return the first true answer, also where the server does not answer yet."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        try:
            if answer := what():
                return answer
        except httpx.HTTPError:
            pass
        time.sleep(0.25)
    pytest.fail(f"still nothing after {seconds} s; {log.name} says:\n{log.read_text()}")


@pytest.fixture
def config_file(tmp_path: Path) -> Iterator[Path]:
    library = make_library(60, 3, TODAY - timedelta(2), 3)
    with ArxivServer(library, today=TODAY) as server:
        file = tmp_path / "config.yaml"
        file.write_text(
            "identity: {key_file: signing.key}\n"
            f"arxiv: {{oai_url: '{server.oai_url}', atom_url: '{server.atom_url}', "
            "pace_seconds: 0, pace_file: pace.lock}\n"
            "schedule: {cron: '15 4 * * 2', timezone: Europe/Berlin}\n"
        )
        yield file


def free_port() -> int:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port: int = taken.getsockname()[1]
        return port


def in_passing(error: BaseException) -> bool:
    """Tell whether Prefect's own client would ask again.

    The server says 503 where SQLite is locked. No longer time-out of its database spares that:
    SQLite does not wait at all for a transaction that read before it writes.
    """
    if isinstance(error, httpx.HTTPStatusError):
        return error.response.status_code == httpx.codes.SERVICE_UNAVAILABLE
    return isinstance(error, httpx.TransportError)


class Api:
    """The little of Prefect's REST API that the test asks."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.client = httpx.Client(base_url=f"{url}/", timeout=20)

    def get(self, path: str) -> Any:
        return self._request("GET", path)

    def ask(self, path: str, **body: Any) -> Any:
        return self._request("POST", path, json=body)

    def start(self, deployment: str, **parameters: Any) -> str:
        served = self.get(f"deployments/name/{deployment}")
        started = self.ask(
            f"deployments/{served['id']}/create_flow_run",
            parameters=served["parameters"] | parameters,
            # Asked again, it is still one run.
            idempotency_key=str(uuid4()),
        )
        return str(started["id"])

    def of_run(self, kind: str, run: str, **body: Any) -> Any:
        """Return the logs, artifacts or task runs of a flow run."""
        id_filter = {"any_": [run]}
        wanted = {
            "logs": {"logs": {"flow_run_id": id_filter}},
            "artifacts": {"artifacts": {"flow_run_id": id_filter}},
            "task_runs": {"flow_runs": {"id": id_filter}},
        }
        return self.ask(f"{kind}/filter", **wanted[kind], **body)

    @retry(
        retry=retry_if_exception(in_passing),
        wait=wait_exponential(0.1, max=3),
        stop=stop_after_delay(30),
        reraise=True,
    )
    def _request(self, method: str, path: str, **told: Any) -> Any:
        return self.client.request(method, path, **told).raise_for_status().json()


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


@contextmanager
def served(tmp_path: Path, config_file: Path) -> Iterator[tuple[Api, Path]]:
    """Start a server and `pith-ingest serve`, and give its API and what `serve` prints."""
    port = free_port()
    env = {
        "HOME": str(tmp_path),
        "PREFECT_HOME": str(tmp_path / "prefect"),
        "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
        "PREFECT_API_URL": f"http://127.0.0.1:{port}/api",
        "PREFECT_RUNNER_POLL_FREQUENCY": "1",
        "PYTHONPATH": os.environ.get("PYTHONPATH", ""),
    }
    start = ["prefect", "server", "start", "--host", "127.0.0.1", "--port", str(port)]
    serve = ["flows.cli", "serve", "--config", str(config_file), "--data", str(tmp_path / "data")]
    api = Api(env["PREFECT_API_URL"])
    server_log, serve_log = tmp_path / "server.log", tmp_path / "serve.log"
    with api.client, process(server_log, *start, **env):
        wait_for(lambda: api.get("health"), server_log, 120)
        with process(serve_log, *serve, **env):
            wait_for(lambda: api.get("deployments/name/rerun/pith"), serve_log)
            yield api, serve_log


def test_the_three_deployments_run_from_the_api(tmp_path: Path, config_file: Path) -> None:
    with served(tmp_path, config_file) as (api, log):
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
        assert_retried(api, tmp_path, log)
    assert_whole(tmp_path)
    assert log.read_text().count("made a signing key") == 1
    assert "Warning" not in log.read_text()


def is_over(api: Api, run: str) -> bool:
    return api.get(f"flow_runs/{run}")["state_type"] in {"COMPLETED", "FAILED", "CRASHED"}


def assert_artifacts(api: Api, runs: dict[str, str]) -> None:
    for job, run in runs.items():
        found = {artifact["key"]: artifact["data"] for artifact in api.of_run("artifacts", run)}
        progress = {"pith-backfill-progress"} if job == "backfill" else set()
        assert found.keys() == {f"pith-{job}-report", f"pith-{job}-table"} | progress
        assert found[f"pith-{job}-report"].startswith(f"# {job}: ")
        if progress:
            assert float(found["pith-backfill-progress"]) == 100
            assert '"what": "new records", "number": 9' in found["pith-backfill-table"]
        if job == "nightly":
            assert '"number": 60, "note": "complete: harvested 60' in found["pith-nightly-table"]


def assert_names(api: Api, runs: dict[str, str], log: Path) -> None:
    parts = {"backfill": "oai-page.xml", "nightly": "pages from 1", "rerun": "9999.99999"}
    for job, part in parts.items():
        # Task runs reach the server as events, some seconds late.
        tasks = wait_for(partial(api.of_run, "task_runs", runs[job]), log)
        assert [part in task["name"] for task in tasks] == [True]


def assert_logs(api: Api, runs: dict[str, str], log: Path) -> None:
    def lines(job: str) -> list[str]:
        found = api.of_run("logs", runs[job], limit=200)
        return [line["message"] for line in found if line["name"] == "pith_ingest"]

    wait_for(lambda: any("made a signing key" in line for line in lines("backfill")), log)
    pages = wait_for(lambda: [line for line in lines("nightly") if "page 1" in line], log)
    assert len(pages) == 1


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
    """Show that the command line, where this server is configured, runs its jobs as flows."""
    log, key, home = tmp_path / "command.log", tmp_path / "signing.key", tmp_path / "prefect"
    env = {
        "HOME": str(tmp_path),
        "PREFECT_HOME": str(home),
        "PREFECT_API_URL": str(api.client.base_url).rstrip("/"),
        "PITH_IDENTITY__KEY_FILE": str(key),
        "PYTHONPATH": os.environ.get("PYTHONPATH", ""),
    }
    words = ["flows.cli", "backfill", "--raw", str(SAMPLE), "--data", str(tmp_path / "other")]
    with process(log, *words, **env) as child:
        assert child.wait(60) == 1  # the sample has a broken record
    assert "new records 9" in log.read_text()
    runs = api.ask("flow_runs/filter", flows={"name": {"any_": ["backfill"]}})
    assert [run["state_type"] for run in runs] == ["COMPLETED"] * 2


def assert_retried(api: Api, tmp_path: Path, log: Path) -> None:
    """Show that a night without arXiv is tried again: nothing listens on port 9."""
    nowhere = tmp_path / "nowhere.yaml"
    nowhere.write_text(
        "identity: {key_file: signing.key}\n"
        "arxiv: {oai_url: 'http://127.0.0.1:9', atom_url: 'http://127.0.0.1:9', "
        "pace_seconds: 0, pace_file: pace.lock}\n"
    )
    run = api.start("nightly/pith", config_file=str(nowhere))
    wait_for(lambda: api.get(f"flow_runs/{run}")["state"]["name"] == "AwaitingRetry", log)
    keys = {artifact["key"] for artifact in api.of_run("artifacts", run)}
    assert keys >= {"pith-nightly-report", "pith-nightly-table"}


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
    with process(log, "flows.cli", "serve", **home, **python_path, **env) as child:
        assert child.wait(60) == 2
    assert log.read_text().startswith("pith-ingest: ")
    assert log.read_text().count("\n") == 1
    assert part in log.read_text()
    assert "prefect server start" in log.read_text()


@pytest.mark.parametrize("line", ["cron: nonsense", "timezone: Mars/Olympus"])
def test_a_schedule_that_is_none_is_named(tmp_path: Path, line: str) -> None:
    from flows.serving import make_deployments  # noqa: PLC0415 - Prefect, for this test alone

    file = tmp_path / "config.yaml"
    file.write_text(f"schedule: {{{line}}}\n")
    assert load_config(file)
    with pytest.raises(ConfigError, match=f"schedule.*{line.split()[1]}"):
        make_deployments(file, None)
