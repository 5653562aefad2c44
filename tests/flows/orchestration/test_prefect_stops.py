"""What operators do to a run on a real server: cancel it, suspend it, restart the server under it.

The imitation of arXiv holds a page back until the test lets it go: each comes in the middle.
"""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from arxiv_server import ArxivServer, make_library
from arxiv_server.papers.plan import Seen
from support.runs.real_prefect import (
    Api,
    RealServer,
    is_alive,
    is_over,
    serving,
    state_of,
    wait_for,
    write_config,
)
from support.runs.runs import assert_whole, rows

from flows.orchestration.automations import shipped

pytestmark = pytest.mark.prefect

TODAY = datetime.now(UTC).date()
PAPERS, PAGE = 60, 10


@dataclass
class HeldArxiv:
    """ArXiv's imitation, which keeps the request number `held` for a page until it is let go."""

    server: ArxivServer
    held: int = 4
    is_open: threading.Event = field(default_factory=threading.Event)
    pages: list[str] = field(default_factory=list)

    def hold(self, seen: Seen) -> None:
        """Note the token of a page, "" for the first, and keep it where it is the one."""
        if seen.query.get("verb") == "ListRecords":
            self.pages.append(seen.query.get("resumptionToken", ""))
            if len(self.pages) == self.held:
                self.is_open.wait()  # as long as Prefect takes

    def again(self, held: int) -> None:
        """Begin to count anew, and keep that request."""
        self.is_open.set()
        self.is_open, self.held = threading.Event(), held
        self.pages.clear()

    def is_waited_for(self) -> bool:
        return len(self.pages) >= self.held


@contextmanager
def held_arxiv() -> Iterator[HeldArxiv]:
    library = make_library(PAPERS, 3, TODAY - timedelta(2), 3)
    with ArxivServer(library, today=TODAY, page_size=PAGE) as server:
        arxiv = HeldArxiv(server)
        server.on_request = arxiv.hold
        try:
            yield arxiv
        finally:
            arxiv.is_open.set()


def start(api: Api, arxiv: HeldArxiv, log: Path, **parameters: Any) -> str:
    """Start a harvest, and return its run once arXiv holds a page back."""
    first = (TODAY - timedelta(5)).isoformat()
    run = api.start("backfill/pith-backfill", categories=["all"], first=first, **parameters)
    wait_for(arxiv.is_waited_for, log)
    return run


def test_runs_that_are_cancelled_suspended_or_lose_their_server_go_on(
    tmp_path: Path, real_server: RealServer
) -> None:
    api = real_server.api
    with held_arxiv() as arxiv:
        config_file = write_config(tmp_path, arxiv.server.url)
        with serving(api, config_file, real_server.env) as log:
            automation = make_short_automation(api)
            cancelled = assert_cancelled_ends(tmp_path, api, arxiv, log)
            assert "Traceback" not in log.read_text()
            assert_goes_on_without_its_server(tmp_path, real_server, arxiv, log, cancelled)
            suspended = assert_suspended_goes_on(tmp_path / "other", api, arxiv, log)
            wait_for(partial(fired, api, automation), log)
            assert not any(fired(api, one["id"]) for one in shipped_ones(api) if is_proactive(one))
            api.client.delete(f"automations/{automation}").raise_for_status()
    for folder in (tmp_path, suspended):
        assert len(rows(folder, "papers")) == PAPERS
        assert_whole(folder)


def assert_cancelled_ends(folder: Path, api: Api, arxiv: HeldArxiv, log: Path) -> str:
    """Show that a cancelled run ends though arXiv does not answer, and return it."""
    run = start(api, arxiv, log)
    # The first page is noted as taken, then, so that the same run does not begin again.
    wait_for(lambda: len(rows(folder, "papers")) >= 2 * PAGE, log)
    api.ask(f"flow_runs/{run}/set_state", state={"type": "CANCELLING"})
    wait_for(lambda: not is_alive(run), log)
    assert state_of(api, run) == "Cancelled", log.read_text()
    assert not arxiv.is_open.is_set()
    assert len(rows(folder, "papers")) < PAPERS
    return run


def assert_goes_on_without_its_server(
    folder: Path, real_server: RealServer, arxiv: HeldArxiv, log: Path, cancelled: str
) -> None:
    """Show that the same run again goes on, and survives that the server restarts meanwhile."""
    api = real_server.api
    arxiv.again(held=2)
    run = api.start("backfill/pith-backfill", **api.get(f"flow_runs/{cancelled}")["parameters"])
    wait_for(arxiv.is_waited_for, log)
    assert all(arxiv.pages)  # by a token, not from the start
    real_server.stop()
    arxiv.is_open.set()
    wait_for(lambda: len(rows(folder, "papers")) == PAPERS, log)
    real_server.start()
    wait_for(partial(is_over, api, run), log)
    assert state_of(api, run) == "Completed", log.read_text()


def assert_suspended_goes_on(folder: Path, api: Api, arxiv: HeldArxiv, log: Path) -> Path:
    """Show that a suspended run ends with its step, holds nothing, and goes on when resumed.

    Return the folder of that run. Prefect tells a run of it by an event, and nobody else that this
    came: where it took longer than the rest of the run, another one has longer.
    """
    for seconds in (1, 4, 16, 64):
        run = suspend(folder / str(seconds), api, arxiv, log, seconds)
        if state_of(api, run) == "Suspended":
            break
    assert state_of(api, run) == "Suspended", log.read_text()
    api.ask(f"flow_runs/{run}/resume")
    wait_for(partial(is_over, api, run), log)
    assert state_of(api, run) == "Completed", log.read_text()
    return folder / str(seconds)


def suspend(folder: Path, api: Api, arxiv: HeldArxiv, log: Path, seconds: float) -> str:
    """Suspend a run in the middle of a list, which goes on after some seconds; return the run."""
    arxiv.again(held=4)
    run = start(api, arxiv, log, data_dir=str(folder / "data"))
    # As the button of the UI does.
    details = {"pause_reschedule": True, "pause_timeout": f"{TODAY + timedelta(3)}T00:00:00Z"}
    state = {"type": "PAUSED", "name": "Suspended", "state_details": details}
    assert api.ask(f"flow_runs/{run}/set_state", state=state)["status"] == "ACCEPT"
    time.sleep(seconds)
    arxiv.is_open.set()
    wait_for(lambda: not is_alive(run), log)
    return run


def make_short_automation(api: Api) -> str:
    """Make the automation of nights, with ten seconds instead of 48 hours; return its id."""
    (night,) = [one for one in shipped() if "complete night" in one.name]
    short = night.model_dump(mode="json") | {"name": "pith no complete night for 10 seconds"}
    short["trigger"]["within"] = 10
    return str(api.ask("automations/", **short)["id"])


def fired(api: Api, automation: str) -> bool:
    wanted = {
        "event": {"name": ["prefect.automation.triggered"]},
        "resource": {"id": [f"prefect.automation.{automation}"]},
    }
    return bool(api.ask("events/filter", filter=wanted)["events"])


def shipped_ones(api: Api) -> list[dict[str, Any]]:
    names = {one.name for one in shipped()}
    return [one for one in api.ask("automations/filter") if one["name"] in names]


def is_proactive(automation: dict[str, Any]) -> bool:
    return bool(automation["trigger"]["posture"] == "Proactive")
