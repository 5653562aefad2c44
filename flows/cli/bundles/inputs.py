"""Reading bundles to verify: from files, folders, Parquet shards, standard input."""

import os
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import BinaryIO

from flows.cli.bundles.found import FoundBundle
from flows.common.errors import ConfigError
from flows.common.files.regular_file import open_regular
from flows.common.files.whole_file import is_unfinished
from transforms.encoding.strict_json import MAX_BYTES

STANDARD_INPUT = Path("-")
_UNFINISHED = "a run has not written it to its end; the next run does"


def read_sources(paths: Sequence[Path]) -> Iterator[FoundBundle]:
    """Yield the bundles at `paths`, one at a time, each at most one byte larger than allowed.

    A file named *.parquet is a shard with a binary column `bundle`, `-` is standard input, any
    other file one bundle. A folder is searched for *.json, and for *.parquet with that column, but
    not through links to other folders; one that holds neither raises `ConfigError`. What in it
    cannot be read, a folder below it too, is yielded with the reason.
    """
    for path in paths:
        if path == STANDARD_INPUT:
            yield FoundBundle("-", sys.stdin.buffer.read(MAX_BYTES + 1))
        elif path.is_dir():
            yield from _read_folder(path)
        else:
            yield from _read_file(path)


def _read_folder(folder: Path) -> Iterator[FoundBundle]:
    paths_below, unsearched = _search(folder)
    inside = [
        path
        for path in sorted(paths_below)
        if (path.suffix == ".json" and not _is_unfinished(path))
        or (path.suffix == ".parquet" and _may_hold_bundles(path))
    ]
    if not inside and not unsearched:
        raise ConfigError(f"{folder} holds no bundles (*.json, or *.parquet with bundles)")
    for path in inside:
        yield from _read_file(path, only_files=True)
    yield from unsearched


def _search(folder: Path) -> tuple[list[Path], list[FoundBundle]]:
    """Return all below `folder` that is no folder, and the folders that could not be searched.

    Without recursion: folders may lie in each other deeper than Python can go.
    """
    paths_below: list[Path] = []
    unsearched: list[FoundBundle] = []
    pending = [folder]
    while pending:
        here = pending.pop()
        try:
            with os.scandir(here) as entries:
                for entry in entries:
                    is_folder = entry.is_dir(follow_symlinks=False)
                    (pending if is_folder else paths_below).append(here / entry.name)
        except OSError as error:
            reason = f"the folder cannot be searched: {_why(error)}"
            unsearched.append(FoundBundle(str(here), None, reason))
    return paths_below, unsearched


def _read_file(path: Path, *, only_files: bool = False) -> Iterator[FoundBundle]:
    try:
        with _open(path, only_files=only_files) as file:
            if path.suffix == ".parquet":
                # Here, for pyarrow is half of the start.
                from flows.cli.bundles.shard import read_shard

                yield from read_shard(str(path), file)
            else:
                yield FoundBundle(str(path), file.read(MAX_BYTES + 1))
    except OSError as error:
        yield FoundBundle(str(path), None, _UNFINISHED if _is_unfinished(path) else _why(error))


def _is_unfinished(path: Path) -> bool:
    try:
        return is_unfinished(path.lstat())
    except OSError:
        return False  # it is reported when it is read


def _may_hold_bundles(path: Path) -> bool:
    from flows.cli.bundles.shard import may_hold_bundles

    try:
        with _open(path, only_files=True) as file:
            return may_hold_bundles(file)
    except OSError:
        return True  # it is reported when it is read


def _open(path: Path, *, only_files: bool) -> BinaryIO:
    # What is named may be meant to be a pipe; what is found in a folder may wait for ever.
    return os.fdopen(open_regular(path), "rb") if only_files else path.open("rb")


def _why(error: OSError) -> str:
    return error.strerror or str(error)
