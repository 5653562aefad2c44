"""How fast Dask does what the local runner does, on one machine: this file with `--help`.

Whole runs of `pith-ingest backfill --snapshot` as processes, start-up included: two local worker
processes and a Dask cluster of two in turn, so that what else the machine does meets both.
"""

import argparse
import shutil
import statistics
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).parents[2]
sys.path[:0] = [str(ROOT), str(ROOT / "tests")]

from benchmarks.parts.measure import FailedRunError, Usage, machine, measured
from benchmarks.parts.runs import environment, say
from benchmarks.parts.snapshot_lines import write_lines

GOAL = 0.8
WORKERS = "2"
RUNNERS = ("local", "dask")


def backfill(folder: Path, snapshot: Path, runner: str) -> Usage:
    """Measure one backfill, whose data it removes."""
    say(f"backfill by the runner {runner!r}")
    command = ["-m", "flows.cli.main", "backfill", "--snapshot", str(snapshot), "--data", "data"]
    settings = {
        "HOME": str(folder),
        "PITH_OUTPUTS__BUNDLE_FILES": "none",
        "PITH_RUNNER": runner,
        "PITH_WORKERS": WORKERS,
    }
    usage = measured([sys.executable, *command], env=environment(settings), folder=folder)
    shutil.rmtree(folder / "data")
    return usage


def measure(folder: Path, papers: int, rounds: int) -> str:
    """Return the ratio of the speeds, and what each run took."""
    snapshot = folder / "snapshot.json"
    say(f"writing a snapshot of {papers:,} papers")
    write_lines(snapshot, papers)
    took: dict[str, list[Usage]] = {runner: [] for runner in RUNNERS}
    for _ in range(rounds):
        for runner in RUNNERS:
            took[runner].append(backfill(folder, snapshot, runner))
    local, dask = (statistics.median(one.wall for one in took[runner]) for runner in RUNNERS)
    ratio = local / dask
    verdict = f"goal >= {GOAL}: {'ok' if ratio >= GOAL else 'MISSED'}"
    lines = [
        f"speed of dask / local: {ratio:.2f} ({verdict})",
        f"{papers:,} papers, {WORKERS} workers each, {machine()}",
    ]
    for runner, runs in took.items():
        # No CPU time: what worker processes use is not counted in the one that is waited for.
        each = ", ".join(f"{one.wall:.1f} s" for one in runs)
        rate = papers / statistics.median(one.wall for one in runs)
        lines.append(f"{runner:<6} {rate:>7,.0f} papers/s (median of {each})")
    return "\n".join(lines)


def main() -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(description="Measure Dask against the local runner.")
    parser.add_argument("--papers", type=int, default=100_000)
    parser.add_argument("--rounds", type=int, default=3)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="pith-bench-") as folder:
        try:
            print(measure(Path(folder), asked.papers, asked.rounds))
        except FailedRunError as error:
            say(str(error))
            return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
