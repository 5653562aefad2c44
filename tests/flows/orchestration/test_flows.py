"""The three flows, run by Prefect."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from arxiv_server import ArxivServer, make_library
from prefect import flow, runtime
from support.runs.runs import SAMPLE, assert_whole, write_config

from flows.backfill import backfill
from flows.common.errors import ConfigError
from flows.common.limits import Limits
from flows.ingest.steps import Step
from flows.nightly import nightly
from flows.orchestration.tasks import TaskSteps
from flows.rerun import rerun

pytestmark = pytest.mark.prefect

TODAY = datetime.now(UTC).date()


@pytest.fixture
def server() -> Iterator[ArxivServer]:
    with ArxivServer(make_library(60, 3, TODAY - timedelta(2), 3), today=TODAY) as running:
        yield running


@pytest.fixture
def config_file(tmp_path: Path, server: ArxivServer) -> Path:
    return write_config(tmp_path, server)


@pytest.mark.usefixtures("prefect")
def test_the_three_flows_share_one_store(
    tmp_path: Path, config_file: Path, server: ArxivServer
) -> None:
    assert backfill(raw=[SAMPLE], config_file=config_file).counts.new_records == 9
    assert nightly(config_file=config_file).counts.new_records == 60
    assert rerun([server.library.works()[0].id], config_file=config_file).counts.unchanged == 1
    assert backfill(categories=["all"], config_file=config_file).counts.unchanged == 60
    assert backfill(search="cat:cs.LG", config_file=config_file).exit_status == 0
    assert_whole(tmp_path)


@pytest.mark.usefixtures("prefect")
def test_a_wrong_use_fails_the_run_with_its_sentence(config_file: Path) -> None:
    nowhere = [config_file.parent / "nowhere"]
    state = backfill(raw=nowhere, config_file=config_file, return_state=True)
    assert state.is_failed()
    with pytest.raises(ConfigError, match="does not exist"):
        state.result()
    neither = backfill(config_file=config_file, return_state=True)
    with pytest.raises(ConfigError, match="name one source"):
        neither.result()


@pytest.mark.usefixtures("prefect")
def test_a_flow_run_has_no_more_task_runs_than_the_server_can_record() -> None:
    def name() -> str | None:
        found: str | None = runtime.task_run.name
        return found

    @flow
    def many() -> list[str | None]:
        steps = TaskSteps(Limits(task_runs=3))
        found = [steps.run(Step.HARVEST_PAGES, f"{{page}} {n}", name) for n in range(4)]
        return [*found, steps.run(Step.WRITE_REPORT, "it", name)]

    assert many() == [
        "{page} 0", "{page} 1", None, None, "it",
    ]  # fmt: skip
