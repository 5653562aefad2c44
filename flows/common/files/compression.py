"""Compressed files: gzip or zstd, known by their first bytes, not by their name."""

import io
import zlib
from collections.abc import Iterator
from contextlib import contextmanager

import pyarrow as pa

DAMAGED = (OSError, EOFError, zlib.error)
"""What reading raises for a damaged archive, beside the system's own errors."""

_READ_BYTES = 128 * 2**10
_LEVEL = 9
_GZIP, _ZSTD = b"\x1f\x8b", b"\x28\xb5\x2f\xfd"


def is_compressed(start: bytes) -> bool:
    """Return whether a file that starts with these four bytes is gzip or zstd."""
    return start.startswith(_GZIP) or start == _ZSTD


@contextmanager
def decompressed(file: io.RawIOBase) -> Iterator[io.BufferedReader]:
    """Yield the contents of an unbuffered file, compressed or plain, as a stream.

    Memory is bounded. Reading raises one of `DAMAGED` for an archive that is cut short, which the
    reader of the package zstandard takes for a whole one.
    """
    start = file.read(4)
    file.seek(0)
    if is_compressed(start):
        codec = "zstd" if start == _ZSTD else "gzip"
        with pa.CompressedInputStream(file, codec) as stream:
            yield io.BufferedReader(stream, _READ_BYTES)
    else:
        yield io.BufferedReader(file, _READ_BYTES)


def compress(data: bytes) -> bytes:
    """Return `data` as one frame of zstd."""
    return bytes(pa.Codec("zstd", _LEVEL).compress(data, asbytes=True))


def decompress(data: bytes, limit: int) -> bytes:
    """Return what frames of zstd hold, or the first `limit` bytes of it and one more.

    Raises one of `DAMAGED` for other bytes, before or after the frames too.
    """
    with pa.CompressedInputStream(pa.BufferReader(data), "zstd") as stream:
        return bytes(stream.read(limit + 1))
