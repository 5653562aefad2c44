"""What pith-ingest costs, beside floors: `make bench`, or this file with `--help`.

Whole runs of commands as processes on a generated snapshot, the obvious script on the same one,
questions to a folder of many papers, each stage alone. Every figure is the ratio to a floor that is
measured in turns with it, so that it holds on a busy machine too; `parts/figures.py` declares them
all. It prints a table and writes `bench.json`.
"""

import argparse
import json
import shutil
import sys
import tempfile
from dataclasses import asdict, dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
sys.path[:0] = [str(ROOT), str(ROOT / "tests")]

from benchmarks.obvious.comparison import compare
from benchmarks.parts.figures import BIG, FILES, PLAIN, SMALL, UNCHANGED
from benchmarks.parts.measure import FailedRunError
from benchmarks.parts.questions import Changes, Folder, measure_changes, measure_questions
from benchmarks.parts.readers import measure_checks, measure_pages
from benchmarks.parts.runs import Bench, say
from benchmarks.parts.stages import measure_stages
from benchmarks.parts.table import as_text, found


@dataclass(frozen=True, slots=True)
class Sizes:
    """How many papers each run takes; `big` 0 leaves all out that needs the big folder."""

    papers: int
    big: int
    rounds: int

    @property
    def script(self) -> int:
        """Papers of the obvious script, whose speed was the same for 10,000 and 20,000."""
        return self.papers // 5

    @property
    def small(self) -> int:
        """Papers of the folder with which the big one is compared."""
        return min(10_000, self.papers)

    @property
    def changes(self) -> int:
        """Papers that change in a night."""
        return min(1500, self.small // 6)


def measure(bench: Bench, sizes: Sizes) -> None:
    """Measure everything; bundle files last, when nothing was removed for long (`Bench.space`)."""
    snapshot = bench.snapshot(sizes.papers)
    compare(snapshot)
    if sizes.big:
        measure_big(bench, sizes)
    say("each stage alone")
    measure_stages(bench, snapshot)
    measure_pages(bench)
    measure_checks(bench)
    for _ in range(sizes.rounds):
        measure_round(bench, sizes, snapshot)


def measure_round(bench: Bench, sizes: Sizes, snapshot: Path) -> None:
    """Measure each run once, its floor right after it."""
    # A file that differs in its last line's end has no finished parts: each paper is compared.
    other = snapshot.with_name("other.jsonl")
    shutil.copyfile(snapshot, other)
    with other.open("ab") as file:
        file.write(b"\n")
    data = bench.space("plain")
    bench.backfill(PLAIN, snapshot, sizes.papers, data=data)
    bench.bare_inserts(PLAIN, data)
    bench.backfill(UNCHANGED, other, sizes.papers, data=data)
    data = bench.space("files")
    bench.backfill(FILES, snapshot, sizes.papers, data=data)
    bench.bare_files(data)
    bench.obvious(sizes.script)


def measure_big(bench: Bench, sizes: Sizes) -> None:
    """Measure the big run, and ask its folder what a small one is asked too."""
    folders = []
    for name, papers in ((SMALL, sizes.small), (BIG, sizes.big)):
        folder = Folder(name, bench.folder / name, bench.snapshot(papers), papers)
        bench.backfill(name, folder.snapshot, papers, data=folder.data)
        folders.append(folder)
    measure_questions(bench, folders, sizes.rounds)
    small, big = folders
    count = sizes.changes
    changes = [
        Changes(f"{SMALL}: changes", small, count, among=sizes.small),
        # Most of what changes in a night is of late; where nothing is, is the worst case.
        Changes(f"{BIG}: changes", big, count, among=sizes.small),
        Changes(f"{BIG}: scattered changes", big, count, among=sizes.big),
    ]
    measure_changes(bench, changes, sizes.rounds)
    # Gigabytes, but not many files.
    big.snapshot.unlink()
    shutil.rmtree(big.data)


def main() -> int:
    """Measure, print the table, write the figures."""
    parser = argparse.ArgumentParser(description="Measure what pith-ingest costs beside floors.")
    parser.add_argument("--papers", type=int, default=100_000)
    parser.add_argument("--big", type=int, default=1_000_000, help="0 leaves the big folder out")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--output", type=Path, default=Path("bench.json"))
    asked = parser.parse_args()
    sizes = Sizes(asked.papers, asked.big, asked.rounds)
    with tempfile.TemporaryDirectory(prefix="pith-bench-") as folder:
        bench = Bench(Path(folder))
        try:
            measure(bench, sizes)
        except FailedRunError as error:
            say(str(error))
            return 1
    values = found(bench, asdict(sizes))
    print(as_text(values))
    asked.output.write_text(json.dumps(values, indent=2) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
