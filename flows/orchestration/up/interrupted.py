"""Runs that ended because `serve` did: they go on where they stopped, once it is there again.

Every job takes up what it committed, so nothing is done twice. Prefect itself leaves such a run
`Running` for ever where its process was killed, and `Crashed` or `Cancelled` where it was stopped.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import httpx
from filelock import FileLock, Timeout

from flows.common.terminal import sentence
from flows.orchestration.names import DEPLOYMENTS
from flows.store.layout import Layout

MOST_ATTEMPTS = 20
"""A run that was begun so often is not begun again: it may be what ends `serve`."""

_UNFINISHED = ("RUNNING", "PENDING", "CANCELLING")
_MOST_RUNS = 100
_Run = dict[str, Any]


@dataclass(slots=True)
class Interrupted:
    """Finds the runs of the three deployments that nobody runs any more."""

    client: httpx.AsyncClient
    api: str
    layout: Layout
    _noted: list[str] = field(default_factory=list)
    """The ids of the runs that `serve` was stopped in: how they ended was not their own doing."""

    async def note(self) -> None:
        """Note which runs are under way, before `serve` is stopped."""
        try:
            self._noted = [run["id"] for run in await self._runs(_UNFINISHED[:2])]
        except (httpx.HTTPError, ValueError, LookupError):
            self._noted = []  # what the server shows as running later is found all the same

    async def put_back(self) -> list[str]:
        """Have Prefect's server start them again, and say so of each, a sentence a run.

        To be called while no `serve` is there. Where a process still writes to the data folder, it
        may be one of them: then all is left as it is.
        """
        noted, self._noted = self._noted, []
        try:
            runs = await self._runs(_UNFINISHED)
            if noted:
                runs += await self._runs(("CANCELLED", "CRASHED"), noted)
            if runs and _is_locked(self.layout):
                where = f"another run is writing to {self.layout.location}"
                return [f"{where}: what Prefect shows as running is left as it is"]
            return [await self._end_or_start(run) for run in runs]
        except (httpx.HTTPError, ValueError, LookupError) as error:
            return [f"Prefect's server does not tell which runs were interrupted: {error}"]

    async def _runs(self, states: Sequence[str], ids: Sequence[str] = ()) -> list[_Run]:
        of_runs: dict[str, Any] = {"state": {"type": {"any_": states}}}
        if ids:
            of_runs["id"] = {"any_": ids}
        found = await self.client.post(
            f"{self.api}/flow_runs/filter",
            json={
                "deployments": {"name": {"any_": list(DEPLOYMENTS.values())}},
                "flow_runs": of_runs,
                "sort": "START_TIME_DESC",
                "limit": _MOST_RUNS,
            },
        )
        runs: list[_Run] = found.raise_for_status().json()
        return runs

    async def _end_or_start(self, run: _Run) -> str:
        name = f"the run {sentence(run['name'])}"
        if run["state_type"] == "CANCELLING":
            await self._set(run, "CANCELLED", "Cancelled", "was to be cancelled, and has ended")
            return f"{name}, which was to be cancelled, has ended"
        if run["run_count"] >= MOST_ATTEMPTS:
            why = f"ended with the process of serve, and was begun {run['run_count']} times"
            await self._set(run, "CRASHED", "Crashed", why)
            return f"{name} {why}: it is not begun again"
        await self._set(run, "SCHEDULED", "AwaitingRetry", "ended with serve, goes on from there")
        return f"the run {sentence(run['name'])} was interrupted: it goes on where it stopped"

    async def _set(self, run: _Run, kind: str, name: str, message: str) -> None:
        details = {"scheduled_time": datetime.now(UTC).isoformat()} if kind == "SCHEDULED" else {}
        state = {"type": kind, "name": name, "message": message, "state_details": details}
        answer = await self.client.post(
            f"{self.api}/flow_runs/{run['id']}/set_state", json={"state": state, "force": True}
        )
        answer.raise_for_status()


def _is_locked(layout: Layout) -> bool:
    """Tell whether a process has the right to write to the data folder."""
    if not layout.lock.exists():
        return False
    try:
        with FileLock(layout.lock, timeout=0):
            return False
    except Timeout:
        return True
