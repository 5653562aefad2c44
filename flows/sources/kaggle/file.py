"""Kaggle's file: its text, whether plain, gzip, zstd or zip."""

import io
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import cast
from zipfile import ZIP_DEFLATED, ZIP_STORED, BadZipFile, ZipFile, ZipInfo

from flows.common.errors import InputFileError
from flows.common.files import compression
from flows.sources.kaggle.proof import Proof, ProvenFile, UnprovenError

UNREADABLE = (
    *compression.DAMAGED,
    BadZipFile,
    NotImplementedError,  # a later version of zip
    UnicodeDecodeError,  # a member's name
)
"""Raised by opening or reading a file without rights or a damaged archive."""

_ENCRYPTED = 0x1
_ZIP = (b"PK\x03\x04", b"PK\x05\x06")


def is_plain(start: bytes) -> bool:
    """Return whether a file's text lies there uncompressed, by its first four bytes."""
    return start not in _ZIP and not compression.is_compressed(start)


def no_text(path: Path) -> InputFileError:
    """Return the error for a file without any text, compressed or not."""
    return InputFileError(f"the snapshot {path} is empty; is it the right file, and all there?")


def describe_size(path: Path) -> tuple[int, int | None]:
    """Return the bytes of the file and of its text; None where only unpacking would tell."""
    try:
        with path.open("rb", buffering=0) as file:
            size = os.fstat(file.fileno()).st_size
            start = file.read(4)
            if not start:
                raise no_text(path)
            if start in _ZIP:
                with ZipFile(file) as archive:
                    return size, _only_member(path, archive).file_size
            return size, None if compression.is_compressed(start) else size
    except UNREADABLE as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise InputFileError(f"cannot read the snapshot {path}: {reason}") from None


@contextmanager
def unpacked(
    path: Path, proof: Proof | None = None
) -> Iterator[tuple[io.BufferedReader, io.RawIOBase]]:
    """Open the file's text; its first bytes tell how it is packed, not its name.

    The file under the text comes with it, to say how far the reading is. With the `proof` of a
    scan, nothing but what was scanned is unpacked: reading raises `UnprovenError` instead.
    """
    with _opened(path, proof) as opened:
        file = ProvenFile(opened, proof) if proof else opened
        start = file.read(4)
        file.seek(0)
        if start in _ZIP:
            with ZipFile(file) as archive, archive.open(_only_member(path, archive)) as member:
                yield io.BufferedReader(cast(io.RawIOBase, member)), file
        else:
            with compression.decompressed(file) as stream:
                yield stream, file


def _opened(path: Path, proof: Proof | None) -> io.FileIO:
    try:
        return path.open("rb", buffering=0)
    except OSError as error:
        if proof:  # it was there
            raise UnprovenError(error.strerror) from None
        raise


def _only_member(path: Path, archive: ZipFile) -> ZipInfo:
    """Return the one member that can be Kaggle's file; its name is never used as a path."""
    members = [m for m in archive.infolist() if m.filename.lower().endswith((".json", ".jsonl"))]
    if len(members) != 1:
        raise InputFileError(
            f"{path} holds {len(members)} .json or .jsonl files, but a snapshot is one"
        )
    if members[0].flag_bits & _ENCRYPTED:
        raise InputFileError(f"{path} is encrypted; unpack it first")
    if members[0].compress_type not in (ZIP_STORED, ZIP_DEFLATED):
        # The other methods unpack without a bound on what they hold.
        raise InputFileError(f"{path} is not packed by deflate; unpack it first")
    return members[0]
