"""The proof of a file as it was scanned, and reading it without taking anything else for that."""

import hashlib
import io
import os
from dataclasses import dataclass, replace
from pathlib import Path


class UnprovenError(Exception):
    """The file does not hold what it held, or cannot be read; the message says where or why."""


@dataclass(frozen=True, slots=True)
class Proof:
    """A file's size, time of change (ns) and the SHA-256 of each of its blocks, when scanned.

    `digests` begin with the block `first`, for a part of a file needs only its own.
    """

    size: int
    modified: int
    block_bytes: int
    digests: tuple[bytes, ...]
    first: int = 0

    @property
    def end(self) -> int:
        """Where the last block ends that it proves."""
        return min((self.first + len(self.digests)) * self.block_bytes, self.size)

    def of(self, offset: int, size: int) -> "Proof":
        """Return what proves these bytes, which are some, in whole blocks."""
        first, last = offset // self.block_bytes, (offset + size - 1) // self.block_bytes
        digests = self.digests[first - self.first : last - self.first + 1]
        return replace(self, digests=digests, first=first)

    def change(self, path: Path) -> str | None:
        """Return what of the file's size and time is another now, or None."""
        try:
            now = path.stat()
        except OSError as error:
            return f"it cannot be looked at any more: {error.strerror}"
        if now.st_size != self.size:
            return f"it had {self.size} bytes, and has {now.st_size} now"
        return None if now.st_mtime_ns == self.modified else "it was written again meanwhile"


class ProvenFile(io.RawIOBase):
    """An open file of which only bytes are given that a proof has; it ends where the proof does.

    Bytes are compared before they are given, in whole blocks, so that nothing is ever made of
    others. Reading raises `UnprovenError` for another or a missing byte, and for what the system
    says.
    """

    def __init__(self, file: io.FileIO, proof: Proof) -> None:
        """Read from `file`, which stays the caller's to close."""
        self._file, self._proof = file, proof
        self._place = 0
        self._start, self._block = 0, b""

    def readable(self) -> bool:
        """Return True."""
        return True

    def seekable(self) -> bool:
        """Return True."""
        return True

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        """Go to a place, counted from the start, from here or from the proof's end."""
        base = {os.SEEK_SET: 0, os.SEEK_CUR: self._place, os.SEEK_END: self._proof.end}[whence]
        if base + offset < 0:
            raise OSError(f"a negative place: {base + offset}")
        self._place = base + offset
        return self._place

    def tell(self) -> int:
        """Return the place."""
        return self._place

    def readinto(self, buffer: bytearray | memoryview) -> int:  # type: ignore[override]
        """Fill the buffer, but for the end of the proof; zipfile takes no less."""
        filled, view = 0, memoryview(buffer).cast("B")
        while filled < len(view) and self._place < self._proof.end:
            if not self._start <= self._place < self._start + len(self._block):
                self._load(self._place // self._proof.block_bytes)
            begin = self._place - self._start
            piece = memoryview(self._block)[begin : begin + len(view) - filled]
            view[filled : filled + len(piece)] = piece
            filled += len(piece)
            self._place += len(piece)
        return filled

    def _load(self, number: int) -> None:
        """Read a block and compare it."""
        start = number * self._proof.block_bytes
        due = min(self._proof.block_bytes, self._proof.size - start)
        block = b""
        try:
            self._file.seek(start)
            while len(block) < due and (more := self._file.read(due - len(block))):
                block += more
        except OSError as error:
            raise UnprovenError(error.strerror) from None
        if len(block) < due:
            raise UnprovenError(
                f"it was cut off while this run read it, at byte {start + len(block)} of "
                f"{self._proof.size}"
            )
        if hashlib.sha256(block).digest() != self._proof.digests[number - self._proof.first]:
            raise UnprovenError(
                f"it was changed while this run read it, somewhere from byte {start} to "
                f"{start + due}"
            )
        self._start, self._block = start, block
