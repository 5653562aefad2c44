"""Where bundles to verify come from: files, folders, Parquet shards, standard input."""

import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from flows.errors import ConfigError
from transforms.strict_json import MAX_BYTES

STANDARD_INPUT = Path("-")


@dataclass(frozen=True, slots=True)
class FoundBundle:
    """The bytes of one bundle, or None with the reason why they could not be read.

    `row` counts the rows of a Parquet file from 0; `columns` is what the row says beside.
    """

    path: str
    data: bytes | None
    unreadable: str = ""
    row: int | None = None
    columns: dict[str, object] | None = None


def read_sources(paths: Sequence[Path]) -> Iterator[FoundBundle]:
    """Give the bundles at `paths`, one at a time, each at most one byte larger than allowed.

    A file named *.parquet is a shard with a binary column `bundle`, `-` is standard input, any
    other file one bundle. A folder is searched for *.json, and for *.parquet with that column;
    one that holds neither raises `ConfigError`.
    """
    for path in paths:
        if path == STANDARD_INPUT:
            yield FoundBundle("-", sys.stdin.buffer.read(MAX_BYTES + 1))
        elif path.is_dir():
            yield from _read_folder(path)
        else:
            yield from _read_file(path)


def _read_folder(folder: Path) -> Iterator[FoundBundle]:
    inside = sorted(
        path
        for path in folder.rglob("*")
        if path.suffix == ".json" or (path.suffix == ".parquet" and _may_hold_bundles(path))
    )
    if not inside:
        raise ConfigError(f"{folder} holds no bundles (*.json, or *.parquet with bundles)")
    for path in inside:
        yield from _read_file(path)


def _read_file(path: Path) -> Iterator[FoundBundle]:
    if path.suffix == ".parquet":
        from flows.bundle_shard import read_shard  # noqa: PLC0415 - pyarrow is half of the start

        yield from read_shard(path)
        return
    try:
        with path.open("rb") as stream:
            yield FoundBundle(str(path), stream.read(MAX_BYTES + 1))
    except OSError as error:
        yield FoundBundle(str(path), None, error.strerror or str(error))


def _may_hold_bundles(path: Path) -> bool:
    from flows.bundle_shard import may_hold_bundles  # noqa: PLC0415 - as above

    return may_hold_bundles(path)
