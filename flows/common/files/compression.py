"""Files that may be packed: plain, gzip or zstd, told by their first bytes, not by their name."""

import io
import zlib
from collections.abc import Iterator
from contextlib import contextmanager

import pyarrow as pa

DAMAGED = (OSError, EOFError, zlib.error)
"""What reading raises for a damaged archive, beside the system's own errors."""

_READ_BYTES = 128 * 2**10
_GZIP, _ZSTD = b"\x1f\x8b", b"\x28\xb5\x2f\xfd"


def is_packed(start: bytes) -> bool:
    """Tell by a file's first four bytes whether it is gzip or zstd."""
    return start.startswith(_GZIP) or start == _ZSTD


@contextmanager
def unpacked(file: io.RawIOBase) -> Iterator[io.BufferedReader]:
    """Give the contents of an unbuffered file, read as a stream of bounded memory."""
    start = file.read(4)
    file.seek(0)
    if is_packed(start):
        # Not zstandard's reader, which takes a file cut short for a whole one.
        codec = "zstd" if start == _ZSTD else "gzip"
        with pa.CompressedInputStream(file, codec) as stream:
            yield io.BufferedReader(stream, _READ_BYTES)
    else:
        yield io.BufferedReader(file, _READ_BYTES)
