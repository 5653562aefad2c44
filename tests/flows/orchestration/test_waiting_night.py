"""A night without arXiv, tried again later: until then it holds nothing that another run needs."""

from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path

import pytest
from arxiv_server import ArxivServer, make_library
from support.runs.real_prefect import (
    Api,
    RealServer,
    come_due,
    free_port,
    is_over,
    serving,
    state_of,
    wait_for,
    waits,
    write_config,
)
from support.runs.runs import assert_whole, rows

from flows.common.errors import ConfigError
from flows.nightly import unattended

pytestmark = pytest.mark.prefect

TODAY = datetime.now(UTC).date()


def due_in(api: Api, run: str) -> timedelta:
    details = api.get(f"flow_runs/{run}")["state"]["state_details"]
    return datetime.fromisoformat(details["scheduled_time"]) - datetime.now(UTC)


def test_a_rerun_runs_while_a_night_waits_and_the_night_is_done_later(
    tmp_path: Path, real_server: RealServer
) -> None:
    library = make_library(60, 3, TODAY - timedelta(2), 3)
    port = free_port()
    config_file = write_config(tmp_path, f"http://127.0.0.1:{port}")
    api, env = real_server.api, real_server.env
    with serving(api, config_file, env) as log:
        night = api.start("nightly/pith-nightly")
        wait_for(partial(waits, api, night), log)
        assert timedelta(minutes=25) < due_in(api, night) <= timedelta(minutes=30)
        assert "no usable reply" in api.get(f"flow_runs/{night}")["state"]["message"]
        name = api.get(f"flow_runs/{night}")["name"]
        keys = {artifact["key"] for artifact in api.of_run("artifacts", night)}
        assert keys >= {"pith-nightly-report", "pith-nightly-table"}
        with ArxivServer(library, today=TODAY, port=port):
            again = api.start("rerun/pith-rerun", papers=[library.works()[0].id])
            wait_for(partial(is_over, api, again), log)
        assert (state_of(api, again), waits(api, night)) == ("Completed", True)
    # The server waits, not a process of `serve`: another one takes the run up.
    with serving(api, config_file, env) as log, ArxivServer(library, today=TODAY, port=port):
        come_due(api, night)
        wait_for(partial(is_over, api, night), log)
        assert state_of(api, night) == "Completed"
        again = api.get(f"flow_runs/{night}")
        assert (again["run_count"], again["name"]) == (2, name)
        assert_the_third_failure_is_the_last(api, log)
    assert len(rows(tmp_path, "papers")) == 60
    assert_whole(tmp_path)


def assert_the_third_failure_is_the_last(api: Api, log: Path) -> None:
    """Show that a night which cannot be done at all is not tried for ever."""
    night = api.start("nightly/pith-nightly", config_file="/nowhere/config.yaml")
    for _ in range(2):
        wait_for(partial(waits, api, night), log)
        come_due(api, night)
        wait_for(lambda: not waits(api, night), log)
    wait_for(partial(is_over, api, night), log)
    run = api.get(f"flow_runs/{night}")
    assert (run["state"]["name"], run["run_count"]) == ("Failed", 3)


@pytest.mark.usefixtures("prefect")
def test_a_night_that_nobody_would_start_again_has_failed_at_once(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"cannot read .*nowhere\.yaml"):
        unattended(config_file=tmp_path / "nowhere.yaml")
