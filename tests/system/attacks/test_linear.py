"""Every parser takes time and memory in proportion to its input, and no more than is said."""

import os
import subprocess
import sys

import pytest
from support.paths import TESTS

pytestmark = pytest.mark.process

BENCHMARKS = TESTS / "benchmarks"
QUICK = ["a bundle", "a packed file", "a shard"]
"""Of the others the largest input that is let in takes a minute to find."""


def test_four_times_the_bytes_take_at_most_five_times_the_time_and_memory() -> None:
    done = subprocess.run(
        [sys.executable, BENCHMARKS / "linearity.py", "--bytes", "60000"],
        capture_output=True, text=True, timeout=900, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    assert len(done.stdout.splitlines()) > 100


def test_the_worst_input_that_is_let_in_takes_no_more_memory_than_is_said() -> None:
    readers = [] if "FULL" in os.environ else QUICK
    done = subprocess.run(
        [sys.executable, BENCHMARKS / "worst_memory.py", *readers],
        capture_output=True, text=True, timeout=900, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.count("MiB\n") >= len(QUICK)
