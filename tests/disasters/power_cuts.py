"""Power cuts: the file system is shut down without flushing while a run writes to it, or after.

Run it as root on Linux: `.venv/bin/python tests/disasters/power_cuts.py --cuts 20`.

The data folder lies on an ext4 of its own, in a file that is mounted; what ext4 has not written
when it is shut down is gone, as when the power is cut. After each cut the file system is mounted
again and looked at, by code of its own: what the catalog says is written must be there, and
`status` must work. Then the same command runs again, and may be cut again; in the end each paper is
there once, with what the first run had committed.
"""

import argparse
import fcntl
import hashlib
import json
import os
import shutil
import sqlite3
import struct
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import asdict, dataclass, field
from pathlib import Path
from random import Random

ROOT = Path(__file__).parents[2]
sys.path[:0] = [str(ROOT), str(ROOT / "tests")]

import pyarrow.parquet as pq
from support.papers.oai_pages import page, record

from transforms.verify.verify import verify_bundle

A_REPLY = 100  # papers
_WITH_PAPERS = "SELECT name, has_files FROM shards WHERE unit <> 'empty'"
IMAGE_BYTES = 2**30
EXT4_IOC_SHUTDOWN = 0x8004587D  # _IOR('X', 125, __u32) of the kernel's ext4.h
NO_LOG_FLUSH = 2
PATIENCE = 300
"""Seconds after which a run counts as hanging."""


class NoDiskError(Exception):
    """No file system can be mounted here."""


@dataclass(slots=True)
class Seen:
    """What cuts showed; that nothing was lost is asserted on the way."""

    cuts: int = 0
    papers: int = 0
    seconds_without_a_cut: float = 0.0
    exit_statuses: dict[int, int] = field(default_factory=dict)
    shards_found: int = 0
    shards_completed: int = 0


class Disk:
    """An ext4 file system in a file."""

    def __init__(self, folder: Path) -> None:
        """Make the file, empty."""
        self.image, self.mounted = folder / "disk", folder / "mounted"
        self.mounted.mkdir()

    def format(self) -> None:
        """Begin with an empty file system."""
        self.image.unlink(missing_ok=True)
        with self.image.open("wb") as file:
            file.truncate(IMAGE_BYTES)
        subprocess.run(["mkfs.ext4", "-q", "-F", str(self.image)], check=True)

    def mount(self) -> None:
        """Mount it; ext4 replays its journal."""
        command = ["mount", "-o", "loop", str(self.image), str(self.mounted)]
        subprocess.run(command, check=True, capture_output=True)

    def cut(self) -> None:
        """Cut the power: nothing more is written, and what was not written is lost."""
        descriptor = os.open(self.mounted, os.O_RDONLY)
        try:
            fcntl.ioctl(descriptor, EXT4_IOC_SHUTDOWN, struct.pack("I", NO_LOG_FLUSH))
        finally:
            os.close(descriptor)

    def unmount(self) -> None:
        """Unmount it."""
        subprocess.run(["umount", str(self.mounted)], check=True)


@contextmanager
def making_disk() -> Iterator[Disk]:
    """Give a disk in a folder that is removed; raises `NoDiskError` if the machine allows none."""
    with tempfile.TemporaryDirectory(prefix="pith-power-") as folder:
        disk = Disk(Path(folder))
        try:
            disk.format()
            disk.mount()
            disk.unmount()
        except (OSError, subprocess.CalledProcessError) as error:
            raise NoDiskError(f"only root on Linux can mount an ext4 in a file: {error}") from None
        yield disk


def write_replies(folder: Path, replies: int) -> Path:
    """Write saved replies with as many papers each."""
    saved = folder / "saved"
    saved.mkdir()
    for number in range(replies):
        ids = [f"2201.{number * A_REPLY + place:05}" for place in range(1, A_REPLY + 1)]
        (saved / f"{number:04}.xml").write_bytes(page(*map(record, ids)))
    return saved


class Trial:
    """One archive on one disk, which is cut off and goes on."""

    def __init__(self, disk: Disk, folder: Path, replies: int) -> None:
        """Take the disk and a folder elsewhere, for what is no part of the archive."""
        self.disk, self.folder, self.saved = disk, folder, folder / "saved"
        self.data = disk.mounted / "data"
        self.seen = Seen(papers=replies * A_REPLY)

    def start(self, *words: str) -> "subprocess.Popen[str]":
        """Start a command of pith-ingest on the archive."""
        settings = {
            "PITH_IDENTITY__KEY_FILE": str(self.folder / "signing.key"),
            "PITH_WORKERS": "2",
            "HOME": str(self.folder),
            "PREFECT_PROFILES_PATH": os.devnull,
        }
        return subprocess.Popen(
            [sys.executable, "-m", "flows.cli.main", *words, "--data", str(self.data)],
            cwd=ROOT,
            env=os.environ | settings,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    def backfill(self) -> "subprocess.Popen[str]":
        """Start the run that is cut off."""
        return self.start("backfill", "--raw", str(self.saved))

    def run_to_the_end(self) -> float:
        """Run without a cut, and return the seconds that it took."""
        started = time.monotonic()
        said, _ = (run := self.backfill()).communicate(timeout=PATIENCE)
        assert run.returncode == 0, said
        return time.monotonic() - started

    def cut(self, after: float) -> None:
        """Cut the power so many seconds after the start of a run, and look at what is left."""
        run = self.backfill()
        with suppress(subprocess.TimeoutExpired):
            run.wait(after)
        self.disk.cut()
        said, _ = run.communicate(timeout=PATIENCE)
        self.seen.cuts += 1
        statuses = self.seen.exit_statuses
        statuses[run.returncode] = statuses.get(run.returncode, 0) + 1
        say(f"exit status {run.returncode}: {said.splitlines()[-1] if said else 'nothing said'}")
        self.disk.unmount()
        self.disk.mount()

    def look(self) -> dict[str, str]:
        """Assert that what the catalog says is so; return its shards' files by their sha256."""
        said, _ = (status := self.start("status")).communicate(timeout=PATIENCE)
        # What the ledger has committed and the catalog does not know yet, the next run takes up.
        expected = ("run a backfill first", "mended by: the next run")
        assert status.returncode == 0 or any(words in said for words in expected), said
        with self.catalog() as catalog:
            committed = dict(catalog.execute(_WITH_PAPERS))
        found: dict[str, str] = {}
        for name, has_files in committed.items():
            found |= {str(path): sha256_of(path) for path in self.tables_of(name)}
            if has_files:
                self.assert_files(name)
        self.seen.shards_found += len(committed)
        self.seen.shards_completed += len(committed) - sum(committed.values())
        say(f"cut {self.seen.cuts}: {len(committed)} shards, {sum(committed.values())} with files")
        return found

    @contextmanager
    def catalog(self) -> Iterator[sqlite3.Connection]:
        """Give the catalog as SQLite makes it whole again, in a copy."""
        with tempfile.TemporaryDirectory() as folder:
            for path in self.data.glob("catalog.sqlite*"):
                shutil.copy(path, folder)
            with closing(sqlite3.connect(Path(folder) / "catalog.sqlite")) as connection:
                if not connection.execute("SELECT 1 FROM sqlite_master").fetchone():
                    connection.execute("CREATE TABLE shards (name, unit, has_files)")
                yield connection

    def tables_of(self, shard: str) -> tuple[Path, ...]:
        """Return the files of a shard that was committed."""
        tables = self.data / "tables"
        names = pq.read_metadata(tables / "bundles" / f"{shard}.parquet").metadata[b"pith.tables"]
        return tuple(tables / name / f"{shard}.parquet" for name in names.decode().split())

    def assert_files(self, shard: str) -> int:
        """Assert that the bundle files of a shard are there, byte for byte."""
        table = pq.read_table(self.data / "tables" / "bundles" / f"{shard}.parquet")
        for row in table.select(["pith_number", "bundle"]).to_pylist():
            _, year, suffix = row["pith_number"].split(":")
            path = self.data / "bundles" / year / suffix[:2] / f"{suffix}.json"
            assert path.read_bytes() == row["bundle"], f"{path} is not what {shard} has"
        return len(table)

    def assert_whole(self, before: dict[str, str]) -> None:
        """Assert that each paper is there once, and that what was committed `before` still is."""
        assert {path: sha256_of(Path(path)) for path in before} == before
        with self.catalog() as catalog:
            committed = dict(catalog.execute(_WITH_PAPERS))
            (records,) = catalog.execute("SELECT count(*) FROM records").fetchone()
        on_disk = {path.stem for path in self.data.glob("tables/bundles/*.parquet")}
        assert on_disk == committed.keys()
        assert set(committed.values()) == {1}
        assert sum(map(self.assert_files, committed)) == records == self.seen.papers
        files = list((self.data / "bundles").rglob("*"))
        bundles = [path for path in files if path.suffix == ".json"]
        assert len(bundles) == self.seen.papers
        assert not [path for path in files if path.suffix == ".tmp"]
        for path in bundles[:: max(1, len(bundles) // 500)]:
            assert verify_bundle(path.read_bytes(), []).valid


def sha256_of(path: Path) -> str:
    """Return the sha256 of a file, in hex."""
    return hashlib.sha256(path.read_bytes()).hexdigest()


def cut_often(disk: Disk, cuts: int, *, replies: int, seed: int) -> Seen:
    """Cut off runs so many times or once more; raises `AssertionError` where anything is lost."""
    choose = Random(seed)
    with tempfile.TemporaryDirectory(prefix="pith-power-") as name:
        trial = Trial(disk, Path(name), replies)
        write_replies(trial.folder, replies)
        with fresh(disk):
            seconds = trial.run_to_the_end()
        trial.seen.seconds_without_a_cut = round(seconds, 1)
        while trial.seen.cuts < cuts:
            with fresh(disk):
                before: dict[str, str] = {}
                # One archive may be cut off twice, so that what completes it is cut off too.
                for _ in range(choose.choice([1, 2])):
                    # At the end the run is over, if it is as fast as the first.
                    trial.cut(choose.uniform(0.3, 1.2) * seconds)
                    before |= trial.look()
                trial.run_to_the_end()
                trial.assert_whole(before)
    return trial.seen


@contextmanager
def fresh(disk: Disk) -> Iterator[None]:
    """Mount an empty file system for as long as the block takes."""
    disk.format()
    disk.mount()
    try:
        yield
    finally:
        disk.unmount()


def say(what: str) -> None:
    """Tell how far it has come, apart from the figures."""
    print(what, file=sys.stderr, flush=True)


def main() -> int:
    """Cut, and print what was seen."""
    parser = argparse.ArgumentParser(description="Cut the power while runs write.")
    parser.add_argument("--cuts", type=int, default=20)
    parser.add_argument("--replies", type=int, default=40, help=f"of {A_REPLY} papers each")
    parser.add_argument("--seed", type=int, default=10)
    asked = parser.parse_args()
    with making_disk() as disk:
        seen = cut_often(disk, asked.cuts, replies=asked.replies, seed=asked.seed)
    print(json.dumps(asdict(seen), indent=2))
    return 0


if __name__ == "__main__":
    sys.exit(main())
