"""Every command in the README runs as printed."""

import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from arxiv_server import ArxivServer, make_library
from support.paths import ROOT

pytestmark = pytest.mark.process

README = (ROOT / "README.md").read_text()
BLOCKS = re.findall(r"^```(sh|python)\n(.*?)^```", README, re.DOTALL | re.MULTILINE)
COMMANDS = [line for kind, block in BLOCKS if kind == "sh" for line in block.splitlines()]
# `make test` is what runs this; `make lint` is CI's other half; `make bench` takes long, and
# `test_benchmarks` runs what it runs.
RUN_ELSEWHERE = {"make test", "make lint", "make bench"}
TODAY = datetime.now(UTC).date()


@pytest.fixture(scope="module")
def checkout(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Copy what git tracks, with this checkout's environment, to run the commands in."""
    ready = ROOT / ".venv" / ".ready"
    sources = [ROOT / "pyproject.toml", ROOT / "requirements.lock"]
    if not ready.exists() or any(s.stat().st_mtime > ready.stat().st_mtime for s in sources):
        # The copy's make would make it anew, under the feet of this very process.
        pytest.skip("there is no up-to-date .venv; 'make test' makes one")
    folder = tmp_path_factory.mktemp("checkout") / "pith-ingest"
    tracked = subprocess.run(
        ["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=True
    )
    for name in filter(None, tracked.stdout.split("\0")):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(ROOT / name, folder / name)
    (folder / ".venv").symlink_to(ROOT / ".venv")
    return folder


@pytest.fixture(scope="module")
def arxiv() -> Iterator[dict[str, str]]:
    """Imitate arXiv, which no test reaches, and give the settings that lead there."""
    library = make_library(40, 11, TODAY - timedelta(days=3), 4)
    library.add(replace(library.works()[-1], id="1906.10822"))
    with ArxivServer(library, today=TODAY) as server:
        yield {
            "PITH_ARXIV__OAI_URL": server.oai_url,
            "PITH_ARXIV__ATOM_URL": server.atom_url,
            "PITH_ARXIV__PACE_SECONDS": "0",
        }


def run(checkout: Path, command: list[str], **settings: str) -> subprocess.CompletedProcess[str]:
    home = checkout.parent / "home"
    home.mkdir(exist_ok=True)
    return subprocess.run(
        command,
        cwd=checkout,
        env={"PATH": os.environ["PATH"], "HOME": str(home)} | settings,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )


def test_every_command_runs_as_printed_and_the_python_too(
    checkout: Path, arxiv: dict[str, str]
) -> None:
    assert set(COMMANDS) > RUN_ELSEWHERE
    for command in COMMANDS:
        if command in RUN_ELSEWHERE:
            continue
        done = run(checkout, ["bash", "-c", command], **arxiv)
        assert done.returncode == 0, done.stderr
        assert not re.search("Traceback|Warning", done.stdout + done.stderr), command
    (script,) = [block for kind, block in BLOCKS if kind == "python"]
    read = run(checkout, [".venv/bin/python", "-c", script])
    assert (read.returncode, read.stderr) == (0, "")
    assert "pith:2019:JUV2VY" in read.stdout


def test_the_demo_a_second_time_finds_nothing_new(checkout: Path) -> None:
    run(checkout, ["make", "demo"])
    again = run(checkout, ["make", "demo"])
    assert "new records 0, new snapshots 0, unchanged 9" in again.stdout
    assert "9 bundles: 9 valid, 9 trusted" in again.stdout
