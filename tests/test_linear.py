"""Every parser takes time and memory in proportion to its input."""

import subprocess
import sys
from pathlib import Path

SCRIPT = Path(__file__).parent / "benchmarks" / "linearity.py"


def test_four_times_the_bytes_take_at_most_five_times_the_time_and_memory() -> None:
    done = subprocess.run(
        [sys.executable, SCRIPT, "--bytes", "60000"],
        capture_output=True, text=True, timeout=900, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    assert len(done.stdout.splitlines()) > 100
