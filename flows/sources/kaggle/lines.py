"""Kaggle's file, read in parts of bounded size: lines, then papers and rejects."""

import io
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from flows.common.errors import InputFileError, LostInputError
from flows.common.limits import Limits
from flows.sources.kaggle.file import UNREADABLE, unpacked
from flows.sources.kaggle.proof import Proof, ProvenFile, UnprovenError
from transforms.paper.paper import BadPaperError, Paper, Reject
from transforms.paper.selection import SeenIds, Selection
from transforms.parsing.kaggle import claimed_id, parse_line

MAX_LINE_BYTES = 4 * 2**20
"""A longer line is refused. 100,000 characters of authors, given twice, take less than 1 MiB."""

KEPT_BYTES = 64 * 2**10
"""So much of a line that is too long is kept."""

REPEATED = "an earlier line has this id"
"""The reason of a reject that is a paper but for that."""


@dataclass(slots=True)
class Part:
    """Consecutive lines: a unit of work that holds at most `part_bytes + MAX_LINE_BYTES`.

    `lines` has all of them as they came, blank ones too, so that `lines[n]` is the file's line
    `first_line + n`, counted from 1. One that is too long is `b""` there and is in `too_long`.
    `offset` and `size` are in bytes of the unpacked text; `position` is how far the file, packed
    as it lies, was read when the part was full.
    """

    index: int
    first_line: int
    offset: int
    position: int = 0
    size: int = 0
    lines: list[bytes] = field(default_factory=list)
    too_long: list[Reject] = field(default_factory=list)

    @property
    def next_line(self) -> int:
        """The number of the line after this part."""
        return self.first_line + len(self.lines)


@dataclass(frozen=True, slots=True)
class Span:
    """Where a part lies in a plain file: `size` bytes from `offset`; lines count from 1.

    `proof` is of these bytes, in whole blocks.
    """

    index: int
    first_line: int
    offset: int
    size: int
    proof: Proof

    @property
    def position(self) -> int:
        """How far the file is read when the part is."""
        return self.offset + self.size


@dataclass(slots=True)
class PartPapers:
    """The papers of a part, the line of each, rejects by line, rows not selected, blanks."""

    papers: list[Paper]
    line_numbers: list[int]
    rejects: list[Reject]
    filtered: int
    blank: int


def read_parts(path: Path, limits: Limits, proof: Proof | None = None) -> Iterator[Part]:
    """Yield the file's lines in parts, each as soon as it is read; no more is held.

    Raises `InputFileError` for a file that cannot be read or is no such file, and for one that is
    damaged after the lines before the damage were yielded; `LostInputError` for one that is not
    what `proof` says, after the parts that are whole.
    """
    part = Part(index=0, first_line=1, offset=0)
    damage = None
    try:
        with unpacked(path, proof) as (stream, file):
            while _fill(part, stream, limits):
                part.position = file.tell()
                yield part
                part = Part(part.index + 1, part.next_line, part.offset + part.size, part.position)
            part.position = file.tell()
    except UnprovenError as error:
        raise _lost(path, part, str(error)) from None
    except UNREADABLE as error:
        damage = getattr(error, "strerror", None) or str(error)
    if part.lines:
        yield part
    if damage is not None:
        raise InputFileError(
            f"cannot read the snapshot {path} from byte {part.offset + part.size} of its text "
            f"(line {part.next_line}) on: {damage}"
        )


def read_span(path: Path, span: Span) -> Part:
    """Read the lines of one part of a plain file.

    Raises `LostInputError` where it cannot be read, or not as it was scanned.
    """
    part = Part(span.index, span.first_line, span.offset, span.position)
    try:
        with path.open("rb", buffering=0) as file:
            proven = ProvenFile(file, span.proof)
            stream: io.BufferedReader = io.BufferedReader(proven, span.proof.block_bytes)
            stream.seek(span.offset)
            while part.size < span.size and _read_line(part, stream):
                pass
    except OSError as error:
        raise _lost(path, part, error.strerror or str(error)) from None
    except UnprovenError as error:
        raise _lost(path, part, str(error)) from None
    return part


def _lost(path: Path, part: Part, reason: str) -> LostInputError:
    return LostInputError(
        f"cannot read the snapshot {path} from line {part.next_line} on: {reason}; what was "
        "committed stays, and the same command goes on once the file is whole"
    )


def read_part(part: Part, *, selection: Selection) -> PartPapers:
    """Make papers of a part's lines; blank lines are nothing, bad ones become rejects."""
    # A line that is too long is empty here.
    found = PartPapers([], [], list(part.too_long), 0, blank=-len(part.too_long))
    for number, line in enumerate(part.lines, part.first_line):
        if not line or line.isspace():
            found.blank += 1
            continue
        try:
            paper = parse_line(line)
        except BadPaperError as error:
            found.rejects.append(_reject(number, claimed_id(line), str(error), line))
            continue
        if selection.matches(paper):
            found.papers.append(paper)
            found.line_numbers.append(number)
        else:
            found.filtered += 1
    found.rejects.sort(key=_position)
    return found


def reject_repeated(part: Part, found: PartPapers, seen: SeenIds) -> PartPapers:
    """Make rejects of the papers whose id an earlier line gave; the first row counts.

    `seen` is of the whole file, so the parts come here in their order.
    """
    kept = PartPapers([], [], list(found.rejects), found.filtered, found.blank)
    for paper, number in zip(found.papers, found.line_numbers, strict=True):
        if seen.add(paper.id):
            kept.papers.append(paper)
            kept.line_numbers.append(number)
        else:
            line = part.lines[number - part.first_line]
            kept.rejects.append(_reject(number, paper.id, REPEATED, line))
    kept.rejects.sort(key=_position)
    return kept


def _reject(number: int, arxiv_id: str | None, reason: str, line: bytes) -> Reject:
    return Reject(number, arxiv_id, reason, line.removesuffix(b"\n"))


def _position(reject: Reject) -> int:
    return reject.position


def _fill(part: Part, stream: io.BufferedReader, limits: Limits) -> bool:
    """Add lines to `part` until it is full, or return False at the end of the file."""
    while part.size < limits.part_bytes and len(part.lines) < limits.part_lines:
        if not _read_line(part, stream):
            return False
    return True


def _read_line(part: Part, stream: io.BufferedReader) -> bool:
    """Add a line to `part`, or return False at the end of the file."""
    line = stream.readline(MAX_LINE_BYTES)
    if not line:
        return False
    size = len(line)
    if size == MAX_LINE_BYTES and not line.endswith(b"\n") and (rest := _skip_line(stream)):
        size += rest
        reason = (
            f"a line of {size} bytes, more than {MAX_LINE_BYTES}; "
            f"only its first {KEPT_BYTES} are kept"
        )
        part.too_long.append(Reject(part.next_line, None, reason, line[:KEPT_BYTES]))
        line = b""
    part.lines.append(line)
    part.size += size
    return True


def _skip_line(stream: io.BufferedReader) -> int:
    """Read to the end of a line and return its length."""
    size = 0
    while piece := stream.readline(KEPT_BYTES):
        size += len(piece)
        if piece.endswith(b"\n"):
            break
    return size
