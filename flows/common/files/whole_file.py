"""Files that any moment shows whole or not at all, though the process be killed while it writes.

A new file is created under its own name without the right to read it, which it gets when all its
bytes are in it: one call to the system more than without any care, where a temporary name and a
rename are a third more work. What a kill leaves is not readable, and known by that, to root too.
"""

import errno
import os
import secrets
import stat
from contextlib import suppress
from functools import cache
from pathlib import Path

Data = bytes | memoryview

_UNFINISHED = stat.S_IWUSR
"""The rights of a file while it is written; no file is kept with these alone."""


def create_whole(path: str, data: Data) -> None:
    """Create a file; `FileExistsError` where there is one, whole or not, which stays as it is."""
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, _UNFINISHED)
    try:
        _write(descriptor, data)
        _finish(descriptor)
    except BaseException:
        with suppress(OSError):  # what went wrong before it matters more
            Path(path).unlink()
        raise
    finally:
        os.close(descriptor)


def create_linked(file: Path, data: bytes) -> None:
    """Create a single file that is whole once it has its name; `FileExistsError` where one is.

    By a temporary name and a link, so that a kill leaves nothing under the file's own name.
    """
    unfinished = file.with_name(f".{file.name}.{secrets.token_hex(8)}.tmp")
    with unfinished.open("xb") as stream:
        try:
            stream.write(data)
            stream.flush()
            os.fsync(stream.fileno())
            file.hardlink_to(unfinished)
        finally:
            unfinished.unlink()


def replace_whole(path: str, data: Data) -> None:
    """Write a file under a temporary name beside it, and replace what is there in one step."""
    folder, _, name = path.rpartition("/")
    temporary = f"{folder}/.{name}.tmp"
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o666)
    try:
        _write(descriptor, data)
    finally:
        os.close(descriptor)
    Path(temporary).replace(path)


def read_whole(path: Path) -> bytes:
    """Return a file's bytes; raises `FileNotFoundError` for one that is not whole yet.

    Rights keep readers from such a file, but not root: so they are looked at once it is open.
    """
    try:
        with path.open("rb") as file:
            if not is_unfinished(os.fstat(file.fileno())):
                return file.read()
    except PermissionError:
        if not is_unfinished(path.stat()):
            raise
    raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), str(path))


def is_unfinished(status: os.stat_result) -> bool:
    """Return whether a file is being written, or its writer was killed: it is not there yet."""
    return stat.S_ISREG(status.st_mode) and stat.S_IMODE(status.st_mode) == _UNFINISHED


def _write(descriptor: int, data: Data) -> None:
    left = memoryview(data)
    while left:
        left = left[os.write(descriptor, left) :]


def _finish(descriptor: int) -> None:
    try:
        os.fchmod(descriptor, _rights())
    except PermissionError:
        # A file system without rights of its own, such as exFAT, may refuse those that it has not.
        if is_unfinished(os.fstat(descriptor)):
            raise


@cache
def _rights() -> int:
    """Return the rights that this process gives a file (its umask)."""
    mask = os.umask(0o077)  # stricter meanwhile, should another thread create a file
    os.umask(mask)
    return 0o666 & ~mask
