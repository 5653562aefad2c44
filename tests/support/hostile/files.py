"""A folder of files that want to keep, to fill or to end whoever reads it."""

import os
import socket
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from random import Random

from support.papers.golden_data import GOLDEN

from .inputs import BUNDLES
from .shards import SHARDS, good

Place = Callable[[Path, Random], None]

DEPTH = 25
"""Folders of 200 characters: together more than a path may have."""


def pipe(path: Path, _: Random) -> None:
    os.mkfifo(path)


def listening(path: Path, _: Random) -> None:
    with socket.socket(socket.AF_UNIX) as server, suppress(OSError):  # the path may be too long
        server.bind(str(path))
    if not path.exists():
        os.mkfifo(path)


def linked(to: str) -> Place:
    return lambda path, _: path.symlink_to(to)


def sparse(size: int) -> Place:
    def place(path: Path, _: Random) -> None:
        with path.open("wb") as file:
            file.truncate(size)

    return place


def noise(path: Path, rng: Random) -> None:
    path.write_bytes(rng.randbytes(rng.randrange(1, 100_000)))


def folders_in_each_other(within: Path, names: Sequence[str]) -> None:
    """Make folders in each other, whose path may be too long to open, and a file in the last."""
    here = os.open(within, os.O_RDONLY)
    for name in names:
        os.mkdir(name, dir_fd=here)
        inner = os.open(name, os.O_RDONLY, dir_fd=here)
        os.close(here)
        here = inner
    file = os.open("x.json", os.O_WRONLY | os.O_CREAT, 0o600, dir_fd=here)
    os.write(file, b"{}")
    os.close(file)
    os.close(here)


def too_deep(path: Path, _: Random) -> None:
    folders_in_each_other(path.parent, [path.name, *["d" * 200] * DEPTH])


def cut(path: Path, rng: Random) -> None:
    whole = good()
    path.write_bytes(whole[: rng.randrange(len(whole))])


def flipped(path: Path, rng: Random) -> None:
    whole = bytearray(good())
    for _ in range(rng.randrange(1, 20)):
        whole[rng.randrange(len(whole))] ^= 1 << rng.randrange(8)
    path.write_bytes(whole)


def in_utf_16(path: Path, _: Random) -> None:
    path.write_bytes(GOLDEN[0].data.decode().encode("utf-16"))


def written(make: Callable[[int], bytes], size: int) -> Place:
    def place(path: Path, rng: Random) -> None:
        path.write_bytes(make(rng.randrange(size // 2, size)))

    return place


def of_shard(make: Callable[[], bytes]) -> Place:
    def place(path: Path, _: Random) -> None:
        path.write_bytes(make())

    return place


FILES: dict[str, Place] = (
    {
        "pipe.json": pipe,
        "pipe.parquet": pipe,
        "listening.json": listening,
        "device.json": linked("/dev/zero"),
        "device.parquet": linked("/dev/zero"),
        "terminal.json": linked("/dev/tty"),
        "nothing.json": linked("nowhere"),
        "nothing.parquet": linked("nowhere"),
        "itself.json": linked("itself.json"),
        "large.json": sparse(10 * 2**30),
        "large.parquet": sparse(10 * 2**30),
        "noise.json": noise,
        "noise.parquet": noise,
        "cut.parquet": cut,
        "flipped.parquet": flipped,
        "utf-16.json": in_utf_16,
        "two\nlines\x1b[2J.json": noise,
        "too deep.json": too_deep,
        "empty.json": linked("/dev/null"),
    }
    | {f"{name}.json": written(make, 1_000_000) for name, make in BUNDLES.items()}
    | {f"{name}.parquet": of_shard(make) for name, make in SHARDS.items()}
)
"""What is put at each name."""

HARMLESS = {"blanks.json", "a dictionary of text beside it.parquet", "flipped.parquet"}
"""What is odd but may be valid."""
