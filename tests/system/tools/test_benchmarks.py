"""The benchmark runs and finds figures; which ones is no matter of tests."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from benchmarks.parts.snapshot_lines import write_lines
from support.paths import TESTS

from transforms.parsing.kaggle import parse_line

pytestmark = pytest.mark.process

BULK = TESTS / "benchmarks" / "bulk.py"


def test_a_small_benchmark_finds_every_figure(tmp_path: Path) -> None:
    output = tmp_path / "bench.json"
    done = subprocess.run(
        [sys.executable, BULK, "--papers", "300", "--big", "600", "--output", output],
        env=os.environ | {"TMPDIR": str(tmp_path)},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    figures = json.loads(output.read_text())
    assert figures["machine"].keys() == {"cpus", "python", "platform", "processor"}
    papers = {name: run["papers"] for name, run in figures["runs"].items()}
    small = dict.fromkeys(["no files", "same file", "same papers", "with files", "script"], 300)
    assert papers == small | {"big": 600}
    for run in figures["runs"].values():
        assert min(run["wall_seconds"], run["cpu_seconds"], run["cpu_to_floor"]) > 0
    assert figures["stages"].keys() == {
        "lines to papers",
        "papers to bundles",
        "papers to rows",
        "rows to Parquet",
        "changed papers",
        "OAI pages to papers",
        "verifying",
    }
    assert {goal["name"] for goal in figures["goals"]} >= {
        "papers/s, no files",
        "papers/s, with files",
    }
    for goal in figures["goals"]:
        assert f"{goal['name']} " in done.stdout
    assert list(tmp_path.iterdir()) == [output]


def test_the_same_seed_gives_the_same_lines_and_all_are_papers(tmp_path: Path) -> None:
    first, second, other = (tmp_path / name for name in ("first", "second", "other"))
    write_lines(first, 5000)
    write_lines(second, 5000)
    write_lines(other, 5000, seed=2)
    assert first.read_bytes() == second.read_bytes() != other.read_bytes()
    papers = [parse_line(line) for line in first.read_bytes().splitlines(keepends=True)]
    assert len({paper.id for paper in papers}) == 5000
    assert 1500 < first.stat().st_size / 5000 < 1700
    assert all(paper.submitted_at.strftime("%y%m") == paper.id[:4] for paper in papers)
