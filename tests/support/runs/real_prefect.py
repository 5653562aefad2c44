"""Prefect's real parts for tests: a server, processes beside it, and its REST API."""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Self
from uuid import uuid4

import httpx
import pytest
import stamina

from support.paths import ROOT

PATIENCE = 240
"""Seconds: where SQLite is contended, Prefect's server may answer nothing for a minute."""


@contextmanager
def process(
    log: Path, *words: str, env: dict[str, str], cwd: Path = ROOT
) -> Iterator[subprocess.Popen[bytes]]:
    """Run `python -m …` in a process group of its own, which is ended in any case."""
    clean = {name: value for name, value in os.environ.items() if not name.startswith("P")}
    with log.open("wb") as output:
        child = subprocess.Popen(
            [sys.executable, "-m", *words],
            cwd=cwd,
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


def wait_for(what: Callable[[], Any], log: Path, seconds: float = PATIENCE) -> Any:
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


def free_port() -> int:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port: int = taken.getsockname()[1]
        return port


def is_transient(error: Exception) -> bool:
    """Return whether Prefect's own client would retry.

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

    @stamina.retry(
        on=is_transient,
        attempts=None,
        timeout=PATIENCE,
        wait_initial=0.1,
        wait_max=3,
        wait_jitter=0,
    )
    def _request(self, method: str, path: str, **options: Any) -> Any:
        return self.client.request(method, path, **options).raise_for_status().json()


@contextmanager
def prefect_server(folder: Path) -> Iterator[tuple[Api, dict[str, str]]]:
    """Start a server that keeps to `folder`; give its API, and an environment that leads there."""
    with RealServer(folder) as server:
        yield server.api, server.env


class RealServer:
    """A Prefect server that keeps to a folder, its API, and an environment that leads there.

    A context manager; within it the server can be stopped and started again where it was.
    """

    def __init__(self, folder: Path) -> None:
        port = free_port()
        self.env = {
            "HOME": str(folder),
            "PREFECT_HOME": str(folder / "prefect"),
            "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
            "PREFECT_API_URL": f"http://127.0.0.1:{port}/api",
            "PREFECT_RUNNER_POLL_FREQUENCY": "1",
            "PREFECT_WORKER_QUERY_SECONDS": "1",
            "PYTHONPATH": os.environ.get("PYTHONPATH", ""),
        }
        self._words = ["prefect", "server", "start", "--host", "127.0.0.1", "--port", str(port)]
        self._log = folder / "server.log"
        self._stack = ExitStack()
        self.api = Api(self.env["PREFECT_API_URL"])

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()
        self.api.client.close()

    def start(self) -> None:
        """Start it, and wait until it answers."""
        self._stack.enter_context(process(self._log, *self._words, env=self.env))
        wait_for(lambda: self.api.get("health"), self._log)

    def stop(self) -> None:
        """Stop it, as an operator does."""
        self._stack.close()


@contextmanager
def serving(api: Api, config_file: Path, env: dict[str, str]) -> Iterator[Path]:
    """Run `pith-ingest serve` beside a server, and give what it prints."""
    folder = config_file.parent
    log = folder / "serve.log"
    words = [
        "flows.cli.main",
        "serve",
        "--config",
        str(config_file),
        "--data",
        str(folder / "data"),
    ]
    with process(log, *words, env=env):
        # A server that tests share knows the deployments of the one before, so not these alone.
        wait_for(lambda: "being served" in log.read_text(), log)
        wait_for(lambda: api.get("deployments/name/rerun/pith-rerun")["status"] == "READY", log)
        yield log


def is_over(api: Api, run: str) -> bool:
    return api.get(f"flow_runs/{run}")["state_type"] in {
        "COMPLETED",
        "FAILED",
        "CRASHED",
        "CANCELLED",
    }


def is_alive(run: str) -> bool:
    """Return whether a process of a flow run of `serve` is there, by its environment."""
    for environ in Path("/proc").glob("[0-9]*/environ"):
        with suppress(OSError):
            if f"FLOW_RUN_ID={run}".encode() in environ.read_bytes():
                return True
    return False


def state_of(api: Api, run: str) -> str:
    return str(api.get(f"flow_runs/{run}")["state"]["name"])


def waits(api: Api, run: str) -> bool:
    return state_of(api, run) == "AwaitingRetry"


def come_due(api: Api, run: str) -> None:
    """Let a waiting run's half hour be over."""
    due = {"scheduled_time": datetime.now(UTC).isoformat()}
    state = {"type": "SCHEDULED", "name": "AwaitingRetry", "state_details": due}
    api.ask(f"flow_runs/{run}/set_state", state=state, force=True)


def write_config(folder: Path, arxiv_url: str) -> Path:
    """Write a configuration for jobs that ask the imitation of arXiv at this URL."""
    file = folder / "config.yaml"
    file.write_text(
        "identity: {key_file: signing.key}\n"
        f"arxiv: {{oai_url: '{arxiv_url}/oai', atom_url: '{arxiv_url}/api/query', "
        "pace_seconds: 0, pace_file: pace.lock}\n"
        "schedule: {cron: '15 4 * * 2', timezone: Europe/Berlin}\n"
    )
    return file
