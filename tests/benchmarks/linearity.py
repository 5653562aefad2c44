"""Whether four times the bytes take four times the time and memory, of every parser, at its worst.

Run it with `.venv/bin/python tests/benchmarks/linearity.py`. Each hostile input of `tests/hostile/`
is read in a process of its own, in two sizes, the second four times the first. A parser that is
linear shows ratios up to 4, a quadratic one 16; more than 5, in the best of several rounds, is told
and makes the exit status 1. Memory is what the process had at most beyond what it began with, and
is 0 where there is no `/proc`.
"""

import argparse
import gc
import os
import pickle
import socket
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import httpx

sys.path.insert(0, str(Path(__file__).parents[1]))

from support.hostile import inputs, shards
from support.hostile.inputs import Input

from flows.cli.bundles.inputs import read_sources
from flows.common.errors import ArxivError
from flows.common.http.pace import Pace
from flows.common.http.response import TooLargeError, TransientError, read_body
from flows.common.limits import RetryPolicy
from flows.sources.arxiv.oai_client import OaiClient
from flows.sources.arxiv.search import check_feed
from flows.store.files.raw_replies import UnreadableReplyError, read_reply
from transforms.paper.paper import BadPaperError
from transforms.parsing.arxiv_xml import parse_page
from transforms.parsing.kaggle import claimed_id, parse_line
from transforms.parsing.oai_lists import parse_identifiers, parse_sets
from transforms.parsing.oai_xml import MAX_PAGE_BYTES, OaiError, PageError
from transforms.verify.verify import verify_bundle

TIMES, MOST = 4, 5.0
LEAST_SECONDS, LEAST_MIB = 0.005, 8.0
"""Less cannot be told from what a process holds free anyway, and fresh memory costs the kernel."""

ROUNDS, TRIES = 3, 4
REFUSED = (
    ArxivError, BadPaperError, OaiError, PageError, TransientError, TooLargeError,
    UnreadableReplyError,
)  # fmt: skip


@dataclass(frozen=True)
class Taken:
    """What one reading took: CPU seconds, and MiB beyond what the process began with."""

    seconds: float
    mib: float


def parse_row(data: bytes) -> None:
    """Read a line of the snapshot as the backfill does."""
    try:
        parse_line(data)
    except BadPaperError:
        claimed_id(data)


def verify(data: bytes) -> None:
    """Verify a bundle."""
    verify_bundle(data, [])


def unpack(data: bytes) -> None:
    """Read a packed reply from its file."""
    with tempfile.NamedTemporaryFile() as file:
        file.write(data)
        file.flush()
        read_reply(Path(file.name), limit=MAX_PAGE_BYTES)


def read_shard(data: bytes) -> None:
    """Read the rows of a shard from its file."""
    with tempfile.NamedTemporaryFile(suffix=".parquet") as file:
        file.write(data)
        file.flush()
        for _ in read_sources([Path(file.name)]):
            pass


class Pieces(httpx.SyncByteStream):
    """A body as a connection gives it."""

    def __init__(self, data: bytes) -> None:
        """Take the whole."""
        self._data = data

    def __iter__(self) -> Iterator[bytes]:
        """Yield it by 16 KiB."""
        return (self._data[at : at + 2**14] for at in range(0, len(self._data), 2**14))


def inflate(data: bytes) -> None:
    """Read a gzip body."""
    headers = {"Content-Encoding": "gzip"}
    request = httpx.Request("GET", "http://arxiv.example/oai")
    response = httpx.Response(200, headers=headers, stream=Pieces(data), request=request)
    read_body(response, MAX_PAGE_BYTES)


def exchange(data: bytes) -> None:
    """Ask a server that answers just these bytes."""
    with socket.create_server(("127.0.0.1", 0)) as server, tempfile.TemporaryDirectory() as folder:
        child = os.fork()
        if not child:
            with suppress(OSError):
                connection, _ = server.accept()
                connection.recv(2**16)
                connection.sendall(data)
                connection.shutdown(socket.SHUT_WR)
                connection.recv(2**16)
            os._exit(0)
        url = f"http://127.0.0.1:{server.getsockname()[1]}/oai"
        with OaiClient(url, "test", Pace(Path(folder) / "l", 0), RetryPolicy(attempts=1)) as client:
            try:
                client.identify()
            finally:
                client._fetcher._client.close()  # noqa: SLF001 - the server waits for it
                os.waitpid(child, 0)


def pages_of_nothing(size: int) -> bytes:
    """Compose a shard of many pages with one empty value each."""
    count = size // 40
    pages = [shards.Page(shards.plain(b""))] * count
    return shards.shard(shards.Column(pages=pages, values=count), rows=count)


def row_groups(size: int) -> bytes:
    """Compose a shard of many row groups of the same row."""
    page = shards.Page(shards.plain(b"x"))
    return shards.shard(shards.Column(pages=[page]), groups=size // 50)


SHARDS: dict[str, Input] = {
    "a value in 2,000 rows": lambda size: shards.one_value(size, 2000),
    "a code in as many rows": lambda size: shards.shard(
        shards.Column(pages=shards.codes(size), values=size), rows=size
    ),
    "a plain value": lambda size: shards.shard(
        shards.Column(pages=[shards.Page(shards.plain(bytes(10 * size)))])
    ),
    "pages of nothing": pages_of_nothing,
    "row groups": row_groups,
    "a page header": lambda size: shards.shard(
        shards.Column(pages=[shards.Page(b"x" * size, kind=77)])
    ),
}

PARSERS: Mapping[str, tuple[Callable[[bytes], object], Mapping[str, Input], float]] = {
    "OAI page": (parse_page, inputs.PAGES, 1),
    "list of ids": (parse_identifiers, inputs.IDENTIFIERS, 1),
    "list of sets": (parse_sets, inputs.SETS, 1),
    "Atom feed": (check_feed, inputs.FEEDS, 1),
    "snapshot line": (parse_row, inputs.ROWS, 1),
    "bundle": (verify, inputs.BUNDLES, 1),
    "packed file": (unpack, inputs.PACKED, 4),
    "gzip body": (inflate, inputs.BODIES, 4),
    "HTTP": (exchange, inputs.REPLIES, 0.8),
    "Parquet": (read_shard, SHARDS, 1),
}
"""How each reads, what hurts it, and how many times the bytes asked for that needs to be seen."""


def mib(key: str) -> float:
    """Return a figure of this process in MiB."""
    try:
        lines = Path("/proc/self/status").read_text().splitlines()
    except OSError:
        return 0.0
    return next(int(line.split()[1]) / 1024 for line in lines if line.startswith(key))


def take(read: Callable[[bytes], object], data: bytes) -> Taken:
    """Read in this process, and say what that took."""
    gc.disable()  # it begins with 70,000 objects, and then takes five times as long as these grow
    with suppress(OSError):
        Path("/proc/self/clear_refs").write_text("5")  # begins the peak anew
    before, seconds, most = mib("VmRSS"), [], 0.0
    for _ in range(ROUNDS):
        started = time.process_time()
        with suppress(*REFUSED):
            read(data)
        seconds.append(time.process_time() - started)
        most = most or mib("VmHWM") - before
    return Taken(min(seconds), most)


def apart(read: Callable[[bytes], object], make: Input, size: int) -> Taken:
    """Make an input and read it in a process of its own."""
    ours, theirs = os.pipe()
    child = os.fork()
    if not child:
        status = 1
        try:
            data = make(size)
            os.write(theirs, pickle.dumps(take(read, data)))
            status = 0
        finally:
            os._exit(status)
    os.close(theirs)
    with os.fdopen(ours, "rb") as pipe:
        answer = pipe.read()
    _, status = os.waitpid(child, 0)
    if status:
        raise RuntimeError(f"the process ended with {status}")
    taken = pickle.loads(answer)  # noqa: S301 - our own
    assert isinstance(taken, Taken)
    return taken


def ratios(small: Taken, large: Taken) -> tuple[float, float]:
    """Return how many times the time and the memory of the small input the large one took."""
    return (
        large.seconds / max(small.seconds, LEAST_SECONDS),
        large.mib / max(small.mib, LEAST_MIB),
    )


def measure(read: Callable[[bytes], object], make: Input, size: int) -> tuple[Taken, Taken]:
    """Measure both sizes, again if the ratio is too large: on a shared machine it may be chance."""
    best: tuple[Taken, Taken] | None = None
    for _ in range(TRIES):
        both = apart(read, make, size), apart(read, make, TIMES * size)
        if best is None or max(ratios(*both)) < max(ratios(*best)):
            best = both
        if max(ratios(*best)) <= MOST:
            break
    assert best is not None
    return best


def main() -> int:
    """Measure all, print a line each, and return the exit status."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--bytes", type=int, default=100_000, help="of the smaller inputs, about")
    parser.add_argument("--only", default="", help="inputs whose names begin so")
    asked = parser.parse_args()
    size, bad, worst = asked.bytes, 0, 0.0
    print(f"{'':58} {'ms':>8} {'MiB':>6} {'ms':>9} {'MiB':>6}   time memory")
    for name, (read, kinds, scale) in PARSERS.items():
        for kind, make in kinds.items():
            if not f"{name}: {kind}".startswith(asked.only):
                continue
            both = measure(read, make, int(scale * size))
            ratio = ratios(*both)
            bad += max(ratio) > MOST
            worst = max(worst, *ratio)
            figures = " ".join(f"{each.seconds * 1000:9.1f} {each.mib:6.1f}" for each in both)
            verdict = "  NOT LINEAR" if max(ratio) > MOST else ""
            print(f"{f'{name}: {kind}':57} {figures} {ratio[0]:6.1f} {ratio[1]:6.1f}{verdict}")
            sys.stdout.flush()
    print(f"{bad} of the inputs take more than {MOST:g} times; the largest ratio is {worst:.1f}")
    return bool(bad)


if __name__ == "__main__":
    sys.exit(main())
