"""Blocks as plain lines, for pipes and files: nothing cut, nothing wrapped, no escape sequence."""

from collections.abc import Iterable, Iterator, Sequence

from flows.cli.output.blocks import Block, Cell, Fields, Table, text_of
from flows.common.terminal import Line, printable

_GAP = "  "


def plain_lines(blocks: Iterable[Block]) -> Iterator[str]:
    """Yield the blocks line by line; columns stand two spaces apart."""
    for block in blocks:
        match block:
            case Line():
                yield block.text
            case Fields():
                yield from _aligned(block.rows)
            case Table():
                yield from _table(block)


def _table(table: Table) -> Iterator[str]:
    titles = [column.title for column in table.columns]
    rows = [titles, *table.rows] if any(titles) else table.rows
    return _aligned(rows, [column.is_number for column in table.columns])


def _aligned(rows: Sequence[Sequence[Cell]], numbers: Sequence[bool] = ()) -> Iterator[str]:
    texts = [[printable(text_of(cell)) for cell in row] for row in rows]
    widths = [max(map(len, column)) for column in zip(*texts, strict=True)]
    right = numbers or [False] * len(widths)
    for row in texts:
        cells = zip(row, widths, right, strict=True)
        padded = (text.rjust(width) if r else text.ljust(width) for text, width, r in cells)
        yield _GAP.join(padded).rstrip()
