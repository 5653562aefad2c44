"""Files that appear whole or not at all: what a store of them does, and those on a disk."""

import ctypes
import errno
import os
import secrets
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import BinaryIO, Protocol

from flows.common.errors import StoreError
from flows.common.files.whole_file import Data, create_whole, read_whole, replace_whole

_BLOCK_BYTES = 2**20
_UNNAMED = f".*.{'[0-9a-f]' * 16}.tmp"


class Files(Protocol):
    """The files of one data folder, by keys such as `tables/papers/x.parquet`.

    Keys are made by `Layout` alone. What fails is an `OSError`, or a `StoreError` that says it.
    """

    def location(self, key: str = "") -> str:
        """Return the path or URL of a file, or of the whole, as messages and reports give it."""

    def write_unnamed(self, key: str, data: Data) -> str:
        """Write `data`, durable, where no reader looks and no other process writes.

        Returns the key under which `name` and `remove` find it.
        """

    def name(self, unnamed: Iterable[tuple[str, str]]) -> None:
        """Rename files that were written unnamed to their keys, which no files have."""

    def remove_unnamed(self) -> int:
        """Remove what was never named, which a killed run left; return how many."""

    def write(self, key: str, data: Data) -> None:
        """Write `data`, durable, replacing what is there in one step."""

    def write_often(self, key: str, data: Data) -> None:
        """Write `data`, replacing what is there in one step; a power cut may take it."""

    def write_derived(self, files: Iterable[tuple[str, Data]]) -> None:
        """Write files that can be derived again; they survive a power cut once they are synced."""

    def syncing(self, folder: str) -> AbstractContextManager[Callable[[], None]]:
        """Yield what waits until all that was written below `folder` survives a power cut.

        It raises `OSError` where anything of it could not be written since the block began.
        """

    def read(self, key: str) -> bytes:
        """Return a file's bytes; raises `FileNotFoundError`."""

    def blocks(self, key: str) -> Iterator[bytes]:
        """Yield a file's bytes, some at a time; raises `FileNotFoundError`."""

    def exists(self, key: str) -> bool:
        """Return whether there is such a file."""

    def names(self, folder: str) -> list[str]:
        """Return the names directly in a folder, of files and folders; none where it is missing."""

    def sizes(self, folder: str) -> dict[str, int]:
        """Return the bytes of each file directly in a folder by its name."""

    def move(self, key: str, to: str) -> None:
        """Rename a file to another key, which no file has."""

    def remove(self, keys: Iterable[str]) -> None:
        """Remove files, those that are there."""

    def opened(self, key: str) -> AbstractContextManager[Path | BinaryIO]:
        """Yield a file for random reading, as pyarrow takes it; raises `FileNotFoundError`."""


@dataclass(frozen=True, slots=True)
class LocalFiles:
    """Files below a folder: to a temporary name, fsync, rename, fsync of the folder."""

    root: Path

    def location(self, key: str = "") -> str:
        """Return the path."""
        return str(self.root / key)

    def write_unnamed(self, key: str, data: Data) -> str:
        """Write to a temporary name beside the file, which no reader's pattern matches."""
        path = self.root / key
        self._make_folder(path.parent)
        temporary = _unnamed(path)
        with temporary.open("wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        return str(temporary.relative_to(self.root))

    def name(self, unnamed: Iterable[tuple[str, str]]) -> None:
        """Rename each, and sync its folder."""
        for temporary, key in unnamed:
            self._rename(temporary, key)

    def _make_folder(self, folder: Path) -> None:
        """Make a folder and those above it, durably: a file in it is no safer than they are."""
        if not folder.exists():
            self._make_folder(folder.parent)
            folder.mkdir(exist_ok=True)
            sync_folder(folder.parent)

    def _rename(self, temporary: str, key: str) -> None:
        path = self.root / key
        if path.exists():
            raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), str(path))
        (self.root / temporary).replace(path)
        sync_folder(path.parent)

    def remove_unnamed(self) -> int:
        """Remove the temporary names that `write_unnamed` made; bundle files replace theirs."""
        folders = ("", "ledger/", "raw/*/", "runs/*/", "tables/*/")
        left = [path for folder in folders for path in self.root.glob(f"{folder}{_UNNAMED}")]
        for path in left:
            # Another thread may have given one its name meanwhile: that of `write_often`.
            path.unlink(missing_ok=True)
        return len(left)

    def write(self, key: str, data: Data) -> None:
        """Write unnamed, then replace."""
        path = self.root / key
        (self.root / self.write_unnamed(key, data)).replace(path)
        sync_folder(path.parent)

    def write_often(self, key: str, data: Data) -> None:
        """Write to a temporary name, then replace; the system syncs it some time."""
        path = self.root / key
        self._make_folder(path.parent)
        temporary = _unnamed(path)
        temporary.write_bytes(data)
        temporary.replace(path)

    def write_derived(self, files: Iterable[tuple[str, Data]]) -> None:
        """Create each under its own name, readable by nobody until it is whole.

        One that is there is replaced in one step. `syncing` syncs them, or the system some time.
        """
        root = f"{self.root}/"
        for key, data in files:
            try:
                create_whole(root + key, data)
            except FileNotFoundError:
                # By texts: a path's own takes 20 us more for each of thousands of folders.
                os.makedirs((root + key).rpartition("/")[0], exist_ok=True)  # noqa: PTH103
                create_whole(root + key, data)
            except FileExistsError:
                replace_whole(root + key, data)

    @contextmanager
    def syncing(self, folder: str) -> Iterator[Callable[[], None]]:
        """Sync the file system of a folder, which is made where there is none."""
        path = self.root / folder
        with writing(path):
            path.mkdir(parents=True, exist_ok=True)
            descriptor = os.open(path, os.O_RDONLY)
        try:
            yield partial(_sync_file_system, descriptor, path)
        finally:
            os.close(descriptor)

    def read(self, key: str) -> bytes:
        """Read the file; one that is not whole yet is not there."""
        return read_whole(self.root / key)

    def blocks(self, key: str) -> Iterator[bytes]:
        """Read the file by blocks."""
        with (self.root / key).open("rb", buffering=0) as file:
            while block := file.read(_BLOCK_BYTES):
                yield block

    def exists(self, key: str) -> bool:
        """Look for the path."""
        return (self.root / key).exists()

    def names(self, folder: str) -> list[str]:
        """List the folder."""
        try:
            return [path.name for path in (self.root / folder).iterdir()]
        except FileNotFoundError:
            return []

    def sizes(self, folder: str) -> dict[str, int]:
        """List the folder with what the system knows of each file."""
        try:
            with os.scandir(self.root / folder) as entries:
                return {entry.name: entry.stat().st_size for entry in entries if entry.is_file()}
        except FileNotFoundError:
            return {}

    def move(self, key: str, to: str) -> None:
        """Rename it."""
        self._make_folder((self.root / to).parent)
        self._rename(key, to)
        sync_folder((self.root / key).parent)

    def remove(self, keys: Iterable[str]) -> None:
        """Unlink each."""
        for key in keys:
            (self.root / key).unlink(missing_ok=True)

    @contextmanager
    def opened(self, key: str) -> Iterator[Path]:
        """Yield the path, which pyarrow reads best by itself."""
        yield self.root / key


def _unnamed(path: Path) -> Path:
    """Return a temporary name beside a path, as `_UNNAMED` has them."""
    return path.with_name(f".{path.name}.{secrets.token_hex(8)}.tmp")


@contextmanager
def writing(folder: Path) -> Iterator[None]:
    """Turn what the system says about writing below `folder` into a `StoreError`."""
    try:
        yield
    except OSError as error:
        where = error.filename or folder
        raise StoreError(f"cannot write {where}: {error.strerror or error}") from error


@contextmanager
def reading(folder: Path) -> Iterator[None]:
    """Turn what the system says about reading below `folder` into a `StoreError`."""
    try:
        yield
    except OSError as error:
        where = error.filename or folder
        raise StoreError(f"cannot read {where}: {error.strerror or error}") from error


def _sync_file_system(descriptor: int, folder: Path) -> None:
    """Sync the file system of an open folder, by the one call that also tells what failed.

    That call is Linux's, and Python has no name for it; `sync` of other systems tells nothing.
    """
    libc = ctypes.CDLL(None, use_errno=True)
    if not hasattr(libc, "syncfs"):
        os.sync()
    elif libc.syncfs(descriptor):
        error = ctypes.get_errno()
        raise OSError(error, os.strerror(error), str(folder))


def sync_folder(path: Path) -> None:
    """Make what was named or removed in a folder durable."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
