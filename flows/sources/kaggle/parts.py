"""One pass over Kaggle's file: its sha256, its proof, and where the parts of a plain file lie."""

import hashlib
import os
import stat
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import BinaryIO, NamedTuple

from flows.common.errors import InputFileError
from flows.common.limits import Limits
from flows.common.process.progress import track
from flows.ingest.run import InputFile
from flows.sources.kaggle.file import is_plain
from flows.sources.kaggle.lines import Span
from flows.sources.kaggle.proof import Proof

LARGE = 2**30
"""Bytes of a file that takes seconds to read."""


class Scan(NamedTuple):
    """Kaggle's file as scanned, its parts if it is plain, and the proof for reading it again.

    Only unpacking tells the parts of a compressed file, so there they are None, and `lines` is 0.
    """

    file: InputFile
    spans: list[Span] | None
    proof: Proof
    lines: int = 0


def scan(path: Path, limits: Limits) -> Scan:
    """Read the file once; its parts are the same as `read_parts` yields within these limits.

    Raises `InputFileError` for what is no file, cannot be read, or is written meanwhile.
    """
    whole, digests, size = hashlib.sha256(), [], 0
    spans = _Spans(limits)
    try:
        if not stat.S_ISREG(path.stat().st_mode):
            raise InputFileError(
                f"cannot read the snapshot {path}: it is no regular file, which can be read twice"
            )
        with path.open("rb") as file:
            before = os.fstat(file.fileno())
            plain = is_plain(file.peek(4)[:4])
            for block in _blocks(file, before.st_size, limits.proof_block_bytes):
                whole.update(block)
                digests.append(hashlib.sha256(block).digest())
                size += len(block)
                if plain:
                    spans.add(block)
            after = os.fstat(file.fileno())
    except OSError as error:
        raise InputFileError(f"cannot read the snapshot {path}: {error.strerror}") from None
    if (after.st_size, after.st_mtime_ns) != (size, before.st_mtime_ns):
        raise InputFileError(
            f"cannot read the snapshot {path}: it is being written; run again when it is complete"
        )
    proof = Proof(size, after.st_mtime_ns, limits.proof_block_bytes, tuple(digests))
    described = InputFile(path.name, size, whole.hexdigest())
    return Scan(described, spans.close(proof) if plain else None, proof, spans.lines)


def _blocks(file: BinaryIO, size: int, block_bytes: int) -> Iterator[bytes]:
    """Yield the blocks of a file; of a large one it is shown how many were read."""
    blocks = iter(partial(file.read, block_bytes), b"")
    if size < LARGE:
        return blocks
    return track(blocks, total=-(-size // block_bytes), what="blocks of the snapshot checked")


class _Spans:
    """Cuts a text into parts; a part ends as `part_bytes` and `part_lines` of the limits say."""

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._done: list[tuple[int, int, int]] = []
        self._offset = self._size = self._lines = 0
        self._first_line = 1
        self._ends_open = False

    @property
    def lines(self) -> int:
        """How many lines there were, after `close`."""
        return self._first_line - 1 + self._ends_open

    def add(self, block: bytes) -> None:
        """Take the next bytes of the text."""
        self._ends_open = not block.endswith(b"\n")
        for start, end, lines, is_full in self._pieces(block):
            self._size += end - start
            self._lines += lines
            if is_full:
                self._cut()

    def close(self, proof: Proof) -> list[Span]:
        """Return all parts; the last one may end without a line's end."""
        if self._size:
            self._cut()
        return [
            Span(index, first_line, offset, size, proof.of(offset, size))
            for index, (first_line, offset, size) in enumerate(self._done)
        ]

    def _pieces(self, block: bytes) -> Iterator[tuple[int, int, int, bool]]:
        """Yield start, end and number of line ends of each piece, and whether it fills the part."""
        start = 0
        while start < len(block):
            due = max(self._limits.part_bytes - self._size - 1, 0)
            end = block.find(b"\n", start + due) + 1
            is_full = end > 0
            end = end or len(block)
            lines = block.count(b"\n", start, end)
            allowed = self._limits.part_lines - self._lines
            if lines >= allowed:
                end, lines, is_full = _after(block, start, allowed), allowed, True
            yield start, end, lines, is_full
            start = end

    def _cut(self) -> None:
        self._done.append((self._first_line, self._offset, self._size))
        self._offset += self._size
        self._first_line += self._lines
        self._size = self._lines = 0


def _after(block: bytes, start: int, lines: int) -> int:
    """Return the place after so many line ends."""
    for _ in range(lines):
        start = block.index(b"\n", start) + 1
    return start
