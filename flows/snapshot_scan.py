"""One pass over a snapshot: its sha256, and where the parts of a plain file begin and end."""

import hashlib
from collections.abc import Iterator
from pathlib import Path

from flows import snapshot
from flows.errors import SnapshotError
from flows.snapshot import Span
from flows.snapshot_file import SnapshotFile, is_plain

BLOCK_BYTES = 2**20


def scan(path: Path) -> tuple[SnapshotFile, list[Span] | None]:
    """Return what the file is, and its parts if it is plain: the same as `read_parts` gives.

    Only unpacking tells the parts of a packed file, so there they are None.
    """
    digest, size = hashlib.sha256(), 0
    spans = _Spans()
    try:
        with path.open("rb", buffering=0) as file:
            plain = is_plain(file.read(4))
            file.seek(0)
            while block := file.read(BLOCK_BYTES):
                digest.update(block)
                size += len(block)
                if plain:
                    spans.add(block)
    except OSError as error:
        raise SnapshotError(f"cannot read the snapshot {path}: {error.strerror}") from None
    described = SnapshotFile(path.name, size, digest.hexdigest())
    return described, spans.close() if plain else None


class _Spans:
    """Cuts a text into parts; a part ends as `snapshot.PART_BYTES` and `PART_LINES` say."""

    def __init__(self) -> None:
        self._done: list[Span] = []
        self._offset = self._size = self._lines = 0
        self._first_line = 1

    def add(self, block: bytes) -> None:
        """Take the next bytes of the text."""
        for start, end, lines, is_full in self._pieces(block):
            self._size += end - start
            self._lines += lines
            if is_full:
                self._cut()

    def close(self) -> list[Span]:
        """Return all parts; the last one may end without a line's end."""
        if self._size:
            self._cut()
        return self._done

    def _pieces(self, block: bytes) -> Iterator[tuple[int, int, int, bool]]:
        """Give start, end and number of line ends of each piece, and whether it fills the part."""
        start = 0
        while start < len(block):
            due = max(snapshot.PART_BYTES - self._size - 1, 0)
            end = block.find(b"\n", start + due) + 1
            is_full = end > 0
            end = end or len(block)
            lines = block.count(b"\n", start, end)
            allowed = snapshot.PART_LINES - self._lines
            if lines >= allowed:
                end, lines, is_full = _after(block, start, allowed), allowed, True
            yield start, end, lines, is_full
            start = end

    def _cut(self) -> None:
        span = Span(len(self._done), self._first_line, self._offset, self._size)
        self._done.append(span)
        self._offset += self._size
        self._first_line += self._lines
        self._size = self._lines = 0


def _after(block: bytes, start: int, lines: int) -> int:
    """Return the place after so many line ends."""
    for _ in range(lines):
        start = block.index(b"\n", start) + 1
    return start
