"""How fast a registry serves, beside the bare route of the same framework; this file with `--help`.

`wrk` asks for random bundles of a data folder, in turns from `pith-ingest registry serve` and from
a Starlette route that returns one bundle's bytes from memory, on the same machine: what counts are
the ratios. It prints them as JSON, each with its goal.
"""

import argparse
import hashlib
import json
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from itertools import islice
from pathlib import Path
from statistics import median
from typing import Any

ROOT = Path(__file__).parents[2]
sys.path[:0] = [str(ROOT), str(ROOT / "tests")]

from benchmarks.parts.snapshot_lines import write_lines
from flows.registry.index.bundle_index import BundleIndex, index_path
from flows.registry.index.following import update
from flows.store.bundles.reader import read_bundles
from flows.store.catalog.copies import open_catalog
from flows.store.layout import Layout

PARTS = Path(__file__).parent / "parts"
PATH = os.pathsep.join([str(ROOT), str(ROOT / "tests")])
GOALS = {"bundle": 0.6, "known": 0.9, "p99": 3.0}
WRITTEN = 3
"""For each paper that is there, so many new ones come while it is measured beside a writer."""


class Bench:
    """Measures in a folder that its maker removes."""

    def __init__(self, folder: Path, options: argparse.Namespace) -> None:
        """Work in `folder`, which is empty, as the command line says."""
        self.folder = folder
        self.options = options
        self.layout = Layout(folder / "data")
        self.names, self.more = folder / "names.txt", folder / "more.jsonl"

    def prepare(self) -> None:
        """Make the records, their index, and the list of what to ask for."""
        papers = self.options.papers
        whole, first = self.folder / "whole.jsonl", self.folder / "first.jsonl"
        write_lines(whole, papers * (1 + WRITTEN if self.options.writer else 1))
        with whole.open("rb") as lines, first.open("wb") as out, self.more.open("wb") as more:
            out.writelines(islice(lines, papers))
            more.writelines(lines)
        whole.unlink()
        assert self.backfill(first).wait() == 0
        update(self.layout)
        with closing(open_catalog(self.layout)) as catalog, self.names.open("w") as names:
            for shard in sorted(catalog.shard_names()):
                for record, data in read_bundles(self.layout, catalog.of_shard(shard)):
                    suffix = record.pith_number.rpartition(":")[2]
                    names.write(f"{suffix} {hashlib.sha256(data).hexdigest()}\n")
        (self.folder / "bundle.json").write_bytes(data)
        assert BundleIndex(index_path(self.layout)).find(suffix)

    def backfill(self, snapshot: Path) -> subprocess.Popen[bytes]:
        """Begin to issue the papers of a snapshot."""
        settings = {"PITH_OUTPUTS__BUNDLE_FILES": "all" if self.options.files else "none"}
        words = ["backfill", "--snapshot", str(snapshot), "--data", str(self.layout.root)]
        return subprocess.Popen(
            [sys.executable, "-m", "flows.cli.main", *words],
            env=self.environment(settings), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )  # fmt: skip

    def environment(self, settings: dict[str, str]) -> dict[str, str]:
        """Return the environment of a process: none of the user's settings, this code."""
        own = ("PITH_", "PREFECT_")
        kept = {name: value for name, value in os.environ.items() if not name.startswith(own)}
        key = {"PITH_IDENTITY__KEY_FILE": str(self.folder / "signing.key")}
        return kept | {"PYTHONPATH": PATH, "PREFECT_API_URL": ""} | key | settings

    @contextmanager
    def serving(self, *command: str) -> Iterator[int]:
        """Run a server that takes a port as its last word, and yield the port."""
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = int(free.getsockname()[1])
        server = subprocess.Popen(
            [sys.executable, *command, str(port)],
            env=self.environment({}), stdout=subprocess.DEVNULL,
        )  # fmt: skip
        try:
            _wait_for(port)
            yield port
        finally:
            server.terminate()
            server.wait()

    def ask(self, port: int, *, known: bool = False) -> dict[str, float]:
        """Ask at random for a while, and return requests a second and the 99th percentile."""
        options = self.options
        command = [
            "wrk", f"-t{options.threads}", f"-c{options.connections}", f"-d{options.seconds}s",
            "-s", str(PARTS / "random_bundles.lua"), f"http://127.0.0.1:{port}",
            "--", str(self.names), "known" if known else "all", str(time.time_ns() % 10**6),
        ]  # fmt: skip
        done = subprocess.run(command, capture_output=True, text=True, check=True)
        said: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
        assert not said["errors"] + said["status_errors"], said
        rate = said["requests"] / said["microseconds"] * 1e6
        return {"rate": rate, "p99": said["p99"], "requests": said["requests"]}

    def compare(self, ours: int, bare: int, *, known: bool = False) -> dict[str, Any]:
        """Ask both in turns, and return the ratios of the medians."""
        rounds = [(self.ask(bare), self.ask(ours, known=known)) for _ in range(self.options.rounds)]
        floor, served = (
            {name: median(one[which][name] for one in rounds) for name in ("rate", "p99")}
            for which in (0, 1)
        )
        goal = GOALS["known" if known else "bundle"]
        return {
            "bare_per_second": round(floor["rate"]),
            "per_second": round(served["rate"]),
            "ratio": round(served["rate"] / floor["rate"], 3),
            "goal": goal,
            "p99_ms": [round(one["p99"] / 1000, 2) for one in (floor, served)],
            "p99_ratio": round(served["p99"] / floor["p99"], 2),
            "p99_goal": GOALS["p99"],
        }

    @contextmanager
    def writing(self) -> Iterator[None]:
        """Issue more papers meanwhile; they must not run out."""
        writer = self.backfill(self.more)
        try:
            yield
            assert writer.poll() is None, "the writer was done before the measuring was"
        finally:
            writer.terminate()
            writer.wait()

    def memory(self, port: int) -> dict[str, Any]:
        """Return the memory of the service's processes in MiB as requests go on."""
        asked, held = 0, [_resident(port)]
        while asked < self.options.requests:
            asked += int(self.ask(port)["requests"])
            held.append(_resident(port))
        return {"requests": asked, "MiB": held}

    def measure(self) -> dict[str, Any]:
        """Return all figures."""
        serve = ["-m", "flows.cli.main", "registry", "serve", "--data", str(self.layout.root)]
        bare = [str(PARTS / "bare_route.py"), str(self.folder / "bundle.json")]
        with self.serving(*serve, "--port") as ours, self.serving(*bare) as floor:
            self.ask(ours)  # once before, for caches
            figures = {
                "random bundles": self.compare(ours, floor),
                "304": self.compare(ours, floor, known=True),
                "memory": self.memory(ours),
            }
            if self.options.writer:
                with self.writing():
                    figures["beside a writer"] = self.compare(ours, floor)
        return figures


def _wait_for(port: int) -> None:
    for _ in range(300):
        try:
            socket.create_connection(("127.0.0.1", port)).close()
        except ConnectionRefusedError:
            time.sleep(0.1)
        else:
            return
    raise TimeoutError("the server did not start")


def _resident(port: int) -> int:
    """Return the memory of all processes that name a port in their command, or descend from one."""
    processes = {}
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            words = (folder / "cmdline").read_bytes().split(b"\0")
            parent = int((folder / "stat").read_text().rpartition(")")[2].split()[1])
            pages = int((folder / "statm").read_text().split()[1])
        except (OSError, ValueError, IndexError):
            continue
        processes[int(folder.name)] = words, parent, pages
    mine = {pid for pid, (words, *_) in processes.items() if str(port).encode() in words}
    mine |= {pid for pid, (_, parent, _) in processes.items() if parent in mine}
    pages = sum(processes[pid][2] for pid in mine if b"wrk" not in processes[pid][0][0])
    return pages * os.sysconf("SC_PAGESIZE") // 2**20


def main() -> None:
    """Measure, and print the figures."""
    parser = argparse.ArgumentParser(description=__doc__.partition(";")[0])
    parser.add_argument("--papers", type=int, default=100_000)
    parser.add_argument("--seconds", type=int, default=10, help="of each turn")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--connections", type=int, default=16)
    parser.add_argument("--threads", type=int, default=1, help="of wrk")
    parser.add_argument("--requests", type=int, default=200_000, help="for the memory")
    parser.add_argument("--files", action="store_true", help="write bundle files too")
    parser.add_argument("--writer", action="store_true", help="measure beside a writer too")
    options = parser.parse_args()
    if not shutil.which("wrk"):
        parser.exit(2, "wrk is missing: apt-get install wrk\n")
    with tempfile.TemporaryDirectory(prefix="pith-serving-") as folder:
        bench = Bench(Path(folder), options)
        bench.prepare()
        print(json.dumps({"options": vars(options), **bench.measure()}, indent=2))


if __name__ == "__main__":
    main()
