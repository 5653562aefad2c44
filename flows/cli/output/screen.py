"""Blocks on a terminal, to its width; imported only where there is one, for rich takes its time.

Rich knows how wide a character is, wraps and paints; what goes where is decided here, for its own
tables cut what must stay whole.
"""

from collections.abc import Iterable, Iterator, Sequence

from rich.cells import cell_len
from rich.console import Console, Group, RenderResult
from rich.console import ConsoleOptions as Options
from rich.text import Text

from flows.cli.output.blocks import Block, Cell, Fields, Table, text_of
from flows.common.terminal import Line, Tone, printable

_GAP = 2
_LEAST = 12
"""So many columns are left at least for a text that may be cut; else cells are stacked."""


def laid_out(blocks: Iterable[Block]) -> Group:
    """Return the blocks as what rich prints."""
    return Group(*map(_Laid, blocks))


class _Laid:
    """A block that is laid out when the width is known."""

    def __init__(self, block: Block) -> None:
        self._block = block

    def __rich_console__(self, console: Console, options: Options) -> RenderResult:
        width = options.max_width
        match self._block:
            case Line():
                yield from _line(self._block, console, width)
            case Fields():
                yield from _fields(self._block, console, width)
            case Table():
                yield from _table(self._block, console, width)


def _text(cell: Cell) -> Text:
    tone = Tone.PLAIN if isinstance(cell, str) else cell.tone
    return Text(printable(text_of(cell)), style=tone.value)


def _wrapped(text: Text, console: Console, width: int) -> list[Text]:
    """Return a text in lines of a width; a word that is longer is broken, and nothing lost."""
    lines = text.wrap(console, max(width, 1), overflow="fold")
    for line in lines:
        line.rstrip()
    return list(lines)


def _line(line: Line, console: Console, width: int) -> list[Text]:
    """Return a line, wrapped where it must be, the rest two columns to the right of its begin."""
    text = _text(line)
    if cell_len(text.plain) <= width:
        return [text]
    indent = len(text.plain) - len(text.plain.lstrip())
    first, *others = _wrapped(text[indent:], console, width - indent - _GAP)
    return [_indented(first, indent), *(_indented(other, indent + _GAP) for other in others)]


def _indented(text: Text, columns: int) -> Text:
    text.pad_left(columns)
    return text


def _fields(fields: Fields, console: Console, width: int) -> Iterator[Text]:
    labels = max((cell_len(label) for label, _ in fields.rows), default=0) + _GAP
    for label, value in fields.rows:
        text, shown = _text(value), Text(label.ljust(labels), style=Tone.FAINT.value)
        longest = max(map(cell_len, text.plain.split()), default=0)
        if longest > width - labels:
            # An id or a path stays in one piece on a line of its own, as far as that goes.
            shown.rstrip()
            yield shown
            yield from (_indented(each, _GAP) for each in _wrapped(text, console, width - _GAP))
        else:
            first, *others = _wrapped(text, console, width - labels) or [Text()]
            yield Text.assemble(shown, first)
            yield from (_indented(other, labels) for other in others)


def _table(table: Table, console: Console, width: int) -> Iterator[Text]:
    widths = _column_widths(table, width)
    if widths is None:
        yield from _stacked(table, console, width)
        return
    titles = [Line(column.title, Tone.FAINT) for column in table.columns]
    rows: Sequence[Sequence[Cell]] = table.rows
    if any(column.title for column in table.columns):
        rows = [titles, *rows]
    for row in rows:
        cells = []
        for cell, column, columns in zip(row, table.columns, widths, strict=True):
            text = _text(cell)
            text.truncate(columns, overflow="ellipsis")
            text.align("right" if column.is_number else "left", columns)
            cells.append(text)
        joined = Text(" " * _GAP).join(cells)
        joined.rstrip()
        yield joined


def _column_widths(table: Table, width: int) -> list[int] | None:
    """Return the columns' widths, those that may be cut with what is left; None: it is too little.

    Of these, the narrow ones get all that they need first.
    """
    rows = [[column.title for column in table.columns], *table.rows]
    widths = [
        max(cell_len(printable(text_of(cell))) for cell in cells)
        for cells in zip(*rows, strict=True)
    ]
    may_cut = [n for n, column in enumerate(table.columns) if not column.whole]
    cut = sorted(may_cut, key=lambda n: widths[n])
    left = width - _GAP * (len(widths) - 1) - sum(widths) + sum(widths[n] for n in cut)
    for already, n in enumerate(cut):
        share = max(left // (len(cut) - already), 0)
        if share < min(widths[n], _LEAST):
            return None
        widths[n] = min(widths[n], share)
        left -= widths[n]
    return widths if left >= 0 else None


def _stacked(table: Table, console: Console, width: int) -> Iterator[Text]:
    """Yield each row as its first cell, and the others below it, with their titles."""
    for row in table.rows:
        yield from _wrapped(_text(row[0]), console, width)
        for column, cell in zip(table.columns[1:], row[1:], strict=True):
            text, title = _text(cell), column.title
            if title and len(title) + cell_len(text.plain) + 2 * _GAP <= width:
                text = Text.assemble((title, Tone.FAINT.value), " " * _GAP, text)
            if not column.whole:
                text.truncate(width - _GAP, overflow="ellipsis")
            yield from (_indented(each, _GAP) for each in _wrapped(text, console, width - _GAP))
