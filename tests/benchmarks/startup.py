"""How long commands take to answer, beside a bare interpreter in the same run.

Run it with `.venv/bin/python tests/benchmarks/startup.py`.
"""

import os
import statistics
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).parents[2]
ROUNDS = 10
SCRIPT = "from flows.cli.app import app; app()"
BUNDLE = "tests/golden/1906.10822.bundle.json"

COMMANDS = {
    "python -c pass": ["pass"],
    "pith-ingest --help": [SCRIPT, "--help"],
    "pith-ingest verify FILE": [SCRIPT, "verify", BUNDLE],
    "pith-ingest verify --trust pith.science FILE": [
        SCRIPT, "verify", "--trust", "pith.science", BUNDLE,
    ],
    "what a backfill imports": ["import flows.jobs.backfill"],
    "what its workers import": [
        "import flows.sources.kaggle.units, flows.ingest.executors.processes"
    ],
}  # fmt: skip


def seconds_of(words: list[str]) -> float:
    """Return the seconds until a process has ended."""
    started = time.perf_counter()
    subprocess.run(
        [sys.executable, "-c", *words],
        cwd=ROOT,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        stdout=subprocess.DEVNULL,
        check=True,
    )
    return time.perf_counter() - started


def main() -> None:
    """Measure all in turns, since a shared machine's speed changes; print the medians."""
    rounds = [{name: seconds_of(words) for name, words in COMMANDS.items()} for _ in range(ROUNDS)]
    print(f"medians of {ROUNDS} rounds, in seconds")
    for name in COMMANDS:
        print(f"{statistics.median(measured[name] for measured in rounds):6.3f}  {name}")


if __name__ == "__main__":
    main()
