"""How fast a snapshot becomes signed bundles: `make bench`, or this file with `--help`.

Whole runs of `pith-ingest backfill --snapshot` as processes, on a generated file; the obvious
script on the same file; each stage alone. All of it is put beside the floor: the CPU time that the
bare signatures of as many papers take on one core, measured next to each figure, so that
ratios hold on a busy machine too. It prints a table and writes `bench.json`.
"""

import argparse
import json
import os
import shutil
import sys
import tempfile
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path

ROOT = Path(__file__).parents[2]
sys.path[:0] = [str(ROOT), str(ROOT / "tests")]

from benchmarks.obvious import script
from benchmarks.obvious.parts import BUILDER
from benchmarks.parts.figures import AGAIN, BIG, FILES, OTHER, PLAIN, SCRIPT, Figures, Run
from benchmarks.parts.measure import FailedRunError, machine, measured
from benchmarks.parts.snapshot_lines import write_lines
from benchmarks.parts.stages import measure_stages
from transforms import Ed25519Signer, Identity, Issuer, IssueTimes, build_bundle, bundle_bytes
from transforms.parsing.kaggle import parse_line

COMPARED, STAGE_PAPERS = 20, 10_000
PATH = os.pathsep.join([str(ROOT), str(ROOT / "tests")])


def say(what: str) -> None:
    """Tell what is being done, apart from the figures."""
    print(f"{datetime.now(UTC):%H:%M:%S} {what}", file=sys.stderr, flush=True)


class Bench:
    """Measures in a folder that its maker removes."""

    def __init__(self, folder: Path) -> None:
        """Work in `folder`, which is empty."""
        self.folder = folder
        self.runs: dict[str, Run] = {}

    def snapshot(self, papers: int) -> Path:
        """Write a generated snapshot of so many papers."""
        say(f"writing a snapshot of {papers:,} papers")
        path = self.folder / f"snapshot-{papers}.jsonl"
        write_lines(path, papers)
        return path

    def backfill(self, name: str, snapshot: Path, papers: int, *, files: bool, data: str) -> None:
        """Measure a backfill into the folder `data`; a second one there should change nothing."""
        place, home = self.folder / data, self.folder / f"{data}-home"
        is_first = not place.exists()
        home.mkdir(exist_ok=True)
        say(f"backfill {name!r}: {papers:,} papers")
        command = [
            "-m",
            "flows.cli.main",
            "backfill",
            "--snapshot",
            str(snapshot),
            "--data",
            str(place),
        ]
        settings = {"PITH_OUTPUTS__BUNDLE_FILES": "all" if files else "none", "HOME": str(home)}
        before = set(place.glob("runs/*/report.json"))
        usage = measured([sys.executable, *command], env=environment(settings), folder=self.folder)
        (written,) = set(place.glob("runs/*/report.json")) - before
        report = json.loads(written.read_text())
        done = report["counts"]["new_records" if is_first else "unchanged"]
        if done != papers:
            raise FailedRunError(f"{done} papers of {papers}: {report['counts']}")
        self.runs[name] = Run(papers, usage, report.get("seconds", {}))

    def obvious(self, snapshot: Path, papers: int) -> None:
        """Measure the obvious script on the same snapshot."""
        say(f"the obvious script: {papers:,} papers")
        output = self.folder / "script"
        command = [sys.executable, script.__file__, str(snapshot), str(output)]
        self.runs[SCRIPT] = Run(papers, measured(command, env=environment({}), folder=self.folder))
        self.forget("script")

    def forget(self, data: str) -> None:
        """Remove what a run wrote."""
        shutil.rmtree(self.folder / data)


def environment(settings: dict[str, str]) -> dict[str, str]:
    """Return the environment of a measured process: none of the user's settings, this code."""
    own = ("PITH_", "PREFECT_")
    kept = {name: value for name, value in os.environ.items() if not name.startswith(own)}
    # Nor a Prefect server that is configured in a file.
    return kept | {"PYTHONPATH": PATH, "PREFECT_API_URL": ""} | settings


def compare(snapshot: Path) -> None:
    """Check that the obvious script's bundles are byte for byte those of `transforms`."""
    identity = Identity(
        signer_id=script.SIGNER_ID,
        base_url=script.SITE,
        resolver_name=script.RESOLVER,
        key_id=script.KEY_ID,
        key_url=script.KEY_URL,
        key_notes=script.KEY_NOTES,
        builder_version=BUILDER,
    )
    issuer = Issuer(identity, Ed25519Signer(script.SEED))
    obvious, now = script.Script(script.SEED), datetime.now(UTC)
    with snapshot.open("rb") as lines:
        for line in islice(lines, COMPARED):
            paper, times = parse_line(line), IssueTimes.at(now)
            ours = bundle_bytes(build_bundle(paper, issuer=issuer, times=times))
            if script.compact(obvious.bundle(json.loads(line), now)) != ours:
                raise FailedRunError(f"the obvious script makes another bundle of {paper.id}")


def measure(folder: Path, papers: int, big: int) -> Figures:
    """Measure everything; `big` 0 leaves the big run out."""
    bench = Bench(folder)
    snapshot = bench.snapshot(papers)
    compare(snapshot)
    bench.backfill(PLAIN, snapshot, papers, files=False, data="plain")
    bench.backfill(AGAIN, snapshot, papers, files=False, data="plain")
    # A file that differs in its last line's end has no finished parts: each paper is compared.
    other = snapshot.with_name("other.jsonl")
    shutil.copyfile(snapshot, other)
    with other.open("ab") as file:
        file.write(b"\n")
    bench.backfill(OTHER, other, papers, files=False, data="plain")
    bench.forget("plain")
    bench.backfill(FILES, snapshot, papers, files=True, data="files")
    bench.forget("files")
    bench.obvious(snapshot, papers)
    if big:
        bench.backfill(BIG, bench.snapshot(big), big, files=False, data="big")
        bench.forget("big")
    say("each stage alone")
    stages = measure_stages(snapshot, min(papers, STAGE_PAPERS))
    return Figures(machine(), bench.runs, stages)


def main() -> int:
    """Measure, print the table, write the figures."""
    parser = argparse.ArgumentParser(description="Measure the bulk path from a snapshot.")
    parser.add_argument("--papers", type=int, default=100_000)
    parser.add_argument("--big", type=int, default=1_000_000, help="0 leaves the big run out")
    parser.add_argument("--output", type=Path, default=Path("bench.json"))
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="pith-bench-") as folder:
        try:
            figures = measure(Path(folder), asked.papers, asked.big)
        except FailedRunError as error:
            say(str(error))
            return 1
    print(figures.table())
    asked.output.write_text(json.dumps(figures.values(), indent=2) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
