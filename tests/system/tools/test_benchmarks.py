"""The benchmark runs and finds every figure; how large they are is no matter of tests."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from benchmarks.parts.figures import BIG, FIGURES, FILES, PLAIN
from benchmarks.parts.snapshot_lines import write_lines
from benchmarks.parts.table import Found, as_text, markdown, rows_of
from support.paths import TESTS

from transforms.parsing.kaggle import parse_line

pytestmark = pytest.mark.process

BULK = TESTS / "benchmarks" / "bulk.py"


@pytest.mark.long
def test_a_small_benchmark_finds_every_figure(tmp_path: Path) -> None:
    output = tmp_path / "bench.json"
    done = subprocess.run(
        [sys.executable, BULK, "--papers", "300", "--big", "600", "--rounds", "2",
         "--output", output],
        env=os.environ | {"TMPDIR": str(tmp_path)},
        capture_output=True, text=True, timeout=600, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    found: Found = json.loads(output.read_text())
    assert found["machine"].keys() == {"cpus", "python", "platform", "processor"}
    assert found["sizes"] == {"papers": 300, "big": 600, "rounds": 2}
    least, middle, most = found["signatures"]
    assert 0 < least <= middle <= most
    assert [row["name"] for row in found["figures"]] == [figure.name for figure in FIGURES]
    for row in found["figures"]:
        assert min(row["value"], row["floor"], row["ratio"]) > 0
        assert (row["spread"] is None) == (row["rounds"] == 1)
        assert (row["goal"] is None) == (row["is_met"] is None)
    assert all(found["seconds"][run] for run in (PLAIN, FILES, BIG))
    assert done.stdout == as_text(found) + "\n"
    assert list(tmp_path.iterdir()) == [output]


def test_a_figure_is_the_median_of_the_ratios_to_its_floors_beside_it() -> None:
    series = {
        "files: CPU": [300e-6, 200e-6, 100e-6],
        "files: four signatures": [100e-6, 60e-6, 40e-6],
        "files: bare file": [50e-6, 40e-6, 10e-6],
        "big: peak": [720.0 * 2**20],
        "no files: peak": [700.0 * 2**20, 650.0 * 2**20, 710.0 * 2**20],
        "big: CPU": [1e-6],  # without its floor
    }
    files, peak = rows_of(series)
    assert (files["name"], files["rounds"]) == ("CPU a paper, with files", 3)
    assert [files["value"], files["floor"]] == pytest.approx([200, 100])
    assert files["ratio"] == pytest.approx(2)
    assert files["spread"] == pytest.approx(0)
    assert peak["ratio"] == pytest.approx(720 / 700)
    assert (peak["spread"], peak["is_met"], peak["goal"]) == (None, False, "≤ 1.15, ≤ 700 MiB")
    text = markdown([files, peak])
    assert len({len(line) for line in text.splitlines()}) == 1
    assert text.count("MISSED") == 1


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
