"""Runs that ended because `serve` did: they go on where they stopped, once it is there again.

Every job takes up what it committed, so nothing is done twice. Prefect itself leaves such a run
`Running` for ever where `serve` was killed, and calls it `Cancelled` where `serve` was stopped.
"""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import httpx
from filelock import FileLock, Timeout

from flows.common.terminal import sentence
from flows.orchestration.up.health import DEPLOYMENT_NAME
from flows.store.layout import Layout

MOST_ATTEMPTS = 10
"""A run that was begun so often is not begun again: it may be what ends `serve`."""

STOPPED_BY_SERVE = "Runner is shutting down."
"""What Prefect's runner says of the runs that it ends when it is stopped itself."""

WRITING = "another run is writing to"
LEFT = "what Prefect shows as running is left as it is: cancel there what is not"

_UNFINISHED = ("RUNNING", "PENDING", "CANCELLING")
_MOST_RUNS = 100


@dataclass(frozen=True, slots=True)
class Interrupted:
    """Finds the runs of the three deployments that nobody runs any more."""

    client: httpx.AsyncClient
    api: str
    layout: Layout

    async def put_back(self) -> list[str]:
        """Have Prefect's server start them again, and say so of each, a sentence a run.

        To be called while no `serve` is there. Where a process still writes to the data folder, it
        may be one of them: then all is left as it is.
        """
        try:
            runs = [run for run in await self._runs() if _is_interrupted(run)]
            if runs and _is_locked(self.layout):
                return [f"{WRITING} {self.layout.location}; {LEFT}"]
            return [await self._end_or_start(run) for run in runs]
        except (httpx.HTTPError, ValueError, LookupError) as error:
            return [f"Prefect's server does not tell which runs were interrupted: {error}"]

    async def _runs(self) -> list[dict[str, Any]]:
        wanted = {
            "deployments": {"name": {"any_": [DEPLOYMENT_NAME]}},
            "flow_runs": {"state": {"type": {"any_": [*_UNFINISHED, "CANCELLED"]}}},
            "sort": "START_TIME_DESC",
            "limit": _MOST_RUNS,
        }
        found = await self.client.post(f"{self.api}/flow_runs/filter", json=wanted)
        runs: list[dict[str, Any]] = found.raise_for_status().json()
        return runs

    async def _end_or_start(self, run: dict[str, Any]) -> str:
        name = f"the run {sentence(run['name'])}"
        if run["state_type"] == "CANCELLING":
            await self._set(run, "CANCELLED", "Cancelled", "was to be cancelled, and has ended")
            return f"{name}, which was to be cancelled, has ended"
        if run["run_count"] >= MOST_ATTEMPTS:
            why = f"ended with the process of serve, and was begun {run['run_count']} times"
            await self._set(run, "CRASHED", "Crashed", why)
            return f"{name} {why}: it is not begun again"
        await self._set(
            run, "SCHEDULED", "AwaitingRetry", "ended with serve, goes on where it stopped"
        )
        return f"{name} was interrupted, and goes on where it stopped"

    async def _set(self, run: dict[str, Any], kind: str, name: str, message: str) -> None:
        details = {"scheduled_time": datetime.now(UTC).isoformat()} if kind == "SCHEDULED" else {}
        state = {"type": kind, "name": name, "message": message, "state_details": details}
        answer = await self.client.post(
            f"{self.api}/flow_runs/{run['id']}/set_state", json={"state": state, "force": True}
        )
        answer.raise_for_status()


def _is_interrupted(run: dict[str, Any]) -> bool:
    message = (run["state"] or {}).get("message") or ""
    return run["state_type"] in _UNFINISHED or STOPPED_BY_SERVE in message


def _is_locked(layout: Layout) -> bool:
    """Tell whether a process has the right to write to the data folder."""
    if not layout.lock.exists():
        return False
    try:
        with FileLock(layout.lock, timeout=0):
            return False
    except Timeout:
        return True
