"""Every command in the README runs as printed."""

import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text()
BLOCKS = re.findall(r"^```(sh|python)\n(.*?)^```", README, re.DOTALL | re.MULTILINE)
COMMANDS = [line for kind, block in BLOCKS if kind == "sh" for line in block.splitlines()]
# `make test` is what runs this; `make lint` is CI's other half.
RUN_ELSEWHERE = {"make test", "make lint"}
# The sample holds a broken record, so processing it ends with status 1: done, with rejects.
WITH_REJECTS = ".venv/bin/pith-ingest backfill --raw data/sample --data data/demo"


@pytest.fixture(scope="module")
def checkout(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Copy what git tracks, with this checkout's environment, to run the commands in."""
    if not (ROOT / ".venv" / ".ready").exists():
        pytest.skip("there is no .venv made by make; 'make test' makes one")
    folder = tmp_path_factory.mktemp("checkout") / "pith-ingest"
    tracked = subprocess.run(
        ["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=True
    )
    for name in filter(None, tracked.stdout.split("\0")):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(ROOT / name, folder / name)
    (folder / ".venv").symlink_to(ROOT / ".venv")
    return folder


def run(checkout: Path, command: list[str]) -> subprocess.CompletedProcess[str]:
    home = checkout.parent / "home"
    home.mkdir(exist_ok=True)
    return subprocess.run(
        command,
        cwd=checkout,
        env={"PATH": os.environ["PATH"], "HOME": str(home)},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )


def test_every_command_runs_as_printed_and_the_python_too(checkout: Path) -> None:
    assert set(COMMANDS) > RUN_ELSEWHERE
    for command in COMMANDS:
        if command in RUN_ELSEWHERE:
            continue
        done = run(checkout, ["bash", "-c", command])
        assert done.returncode == (1 if command == WITH_REJECTS else 0), done.stderr
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
