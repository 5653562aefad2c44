"""Prefect's own commands against its server: every list, `deploy --all`, a pool with a worker."""

import re
import shutil
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path

import pytest
from arxiv_server import ArxivServer, make_library
from support.paths import ROOT
from support.runs.real_prefect import (
    PATIENCE,
    Api,
    come_due,
    free_port,
    is_over,
    prefect_server,
    process,
    state_of,
    wait_for,
    waits,
    write_config,
)
from support.runs.runs import SAMPLE, assert_whole, rows

from flows.orchestration.automations import FOLDER

pytestmark = pytest.mark.prefect

TODAY = datetime.now(UTC).date()
TEXT = (ROOT / "docs" / "prefect.md").read_text()
# Every list command but Prefect Cloud's, with what it shows of ours once all three jobs ran.
LISTS = {
    "deployment ls": "nightly/pith-nightly",
    "deployment schedule ls nightly/pith-nightly": "30 5 * * 1-5",
    "flow ls": "backfill",
    "flow-run ls": "COMPLETED",
    "task-run ls": "COMPLETED",
    "artifact ls": "pith-nightly-report",
    "work-pool ls": "pith",
    "work-queue ls": "default",
    "automation ls": "pith no complete night",
    "block ls": None,
    "block type ls": "secret",
    "variable ls": None,
    "concurrency-limit ls": None,
    "global-concurrency-limit ls": None,
    "profile ls": None,
    "server services ls": None,
}


def prefect(folder: Path, env: dict[str, str], command: str) -> str:
    """Run a command of Prefect's, and return what it printed."""
    done = subprocess.run(
        [sys.executable, "-m", "prefect", "--no-prompt", *command.split()],
        cwd=folder,
        # As wide as its tables, or these cut their words.
        env=env | {"COLUMNS": "200"},
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
    )
    said = done.stdout + done.stderr
    assert done.returncode == 0, f"{command}:\n{said}"
    assert not re.search("Traceback|Error|Warning", said), f"{command}:\n{said}"
    return said


def of_text(start: str) -> str:
    """Return the documentation's block of YAML that holds this line."""
    blocks: list[str] = re.findall(r"```yaml\n(.*?)```", TEXT, re.DOTALL)
    (block,) = [block for block in blocks if start in block]
    return block


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder as docs/prefect.md describes it: `config.yaml`, `prefect.yaml` and automations."""
    deployments = of_text("deployments:").replace("/srv/pith", str(tmp_path))
    (tmp_path / "prefect.yaml").write_text(deployments)
    for file in FOLDER.glob("*.yaml"):
        shutil.copy(file, tmp_path)
    return tmp_path


def test_prefects_own_commands_serve_a_work_pool_whose_worker_runs_all_jobs(folder: Path) -> None:
    log, port = folder / "worker.log", free_port()
    write_config(folder, f"http://127.0.0.1:{port}")
    with prefect_server(folder) as (api, env):
        for line in of_text("deployments:").splitlines():
            if command := re.match("# prefect (work-pool .*)", line):
                prefect(folder, env, command[1])
        deployed = prefect(folder, env, "deploy --all")
        assert all(f"{job}/pith-{job}" in deployed for job in ("backfill", "nightly", "rerun"))
        with process(log, "prefect", "worker", "start", "--pool", "pith", env=env, cwd=folder):
            run_all(api, log, port)
        assert_lists(folder, env)
    assert len(rows(folder, "papers")) == 69
    assert_whole(folder)


def run_all(api: Api, log: Path, port: int) -> None:
    """Run the three jobs in a pool that takes one at a time, of which a waiting night is none."""
    library = make_library(60, 3, TODAY - timedelta(2), 3)
    night = api.start("nightly/pith-nightly")
    wait_for(partial(waits, api, night), log)
    with ArxivServer(library, today=TODAY, port=port):
        others = [
            api.start("backfill/pith-backfill", raw=[str(SAMPLE)]),
            api.start("rerun/pith-rerun", papers=[library.works()[0].id]),
        ]
        for run in others:
            wait_for(partial(is_over, api, run), log)
        assert waits(api, night)
        come_due(api, night)
        wait_for(partial(is_over, api, night), log)
    assert [state_of(api, run) for run in (*others, night)] == ["Completed"] * 3, log.read_text()


def assert_lists(folder: Path, env: dict[str, str]) -> None:
    for command in re.findall("^prefect (automation create .*)$", TEXT, re.MULTILINE):
        prefect(folder, env, command)
    with ThreadPoolExecutor(2) as pool:
        said = list(pool.map(partial(prefect, folder, env), LISTS))
    for (command, shown), printed in zip(LISTS.items(), said, strict=True):
        assert shown is None or shown in printed, f"{command}:\n{printed}"
