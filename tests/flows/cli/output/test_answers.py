"""How answers are shown: to the width of a terminal, plain in a pipe, whole as JSON."""

import io
import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from rich.cells import cell_len
from rich.console import Console
from support.commands.terminal import ESCAPE, without_style
from support.hostile.text import ANY, assert_safe

from flows.cli.output.answer import answer
from flows.cli.output.blocks import Block, Column, Fields, Table
from flows.cli.output.plain import plain_lines
from flows.cli.output.screen import laid_out
from flows.common.terminal import Line, Tone

NUMBER = "pith:2017:M5BNRHPUWGA7MHPFDKCQKNVN6T"
COLUMNS = [
    Column("arXiv", whole=True),
    Column("Pith Number", whole=True),
    Column("title"),
    Column("n", whole=True, is_number=True),
]
TITLE = "[red]Three Factors[/red] Influencing Minima in 王王王王王王王王王王 Descent :smile:"
BLOCKS: list[Block] = [
    Line("done, 1 reject", Tone.WARNING),
    Line("  pith-ingest backfill --category all --from 2026-11-09 --until 2026-11-17 now"),
    Fields([("Pith Number", NUMBER), ("title", TITLE), ("hostile", ANY), ("none", "")]),
    Table(COLUMNS, [["1711.04623", NUMBER, TITLE, Line("12", Tone.GOOD)]] * 2),
    Table(COLUMNS, [["1711.04623", NUMBER, ANY, "1"]]),
]


def shown(blocks: Sequence[Block], width: int, colours: Any = "truecolor") -> str:
    file = io.StringIO()
    console = Console(file=file, width=width, color_system=colours, force_terminal=True)
    console.print(laid_out(blocks))
    return file.getvalue()


@pytest.mark.parametrize("width", [20, 30, 38, 40, 60, 66, 80, 200])
def test_no_line_is_wider_than_the_terminal_and_no_id_is_cut(width: int) -> None:
    text = without_style(shown(BLOCKS, width))
    assert_safe(text)
    assert max(map(cell_len, text.splitlines())) <= width
    whole = text if width >= len(NUMBER) + 2 else text.replace("\n  ", "")
    assert whole.count(NUMBER) == 4
    assert whole.count("1711.04623") == 3


def test_markup_and_names_of_emoji_are_shown_as_they_are() -> None:
    text = without_style(shown(BLOCKS, 200))
    assert text.count(TITLE) == 3


def test_without_colours_there_is_no_escape_sequence() -> None:
    assert ESCAPE in shown(BLOCKS, 80)
    assert ESCAPE not in shown(BLOCKS, 80, None)
    assert shown(BLOCKS, 80, None) == without_style(shown(BLOCKS, 80))


def test_a_title_is_cut_where_the_row_does_not_fit_and_stands_below_where_it_is_narrow() -> None:
    rows = shown([Table(COLUMNS, [["1711.04623", NUMBER, "A long title, longer", "7"]])], 68, None)
    assert rows == (
        f"arXiv       Pith Number                           title            n\n"
        f"1711.04623  {NUMBER}  A long title, …  7\n"
    )
    stacked = shown([Table(COLUMNS, [["1711.04623", NUMBER, "t" * 50, "7"]])], 40, None)
    assert stacked == f"1711.04623\n  {NUMBER}\n  {'t' * 37}…\n  n  7\n"


def test_a_wrapped_line_goes_on_below_itself() -> None:
    line = Line("  a command of many words", Tone.GOOD)
    assert shown([line], 15, None) == "  a command\n    of many\n    words\n"


def test_a_pipe_gets_everything_in_plain_lines() -> None:
    lines = list(plain_lines(BLOCKS))
    assert lines[0] == "done, 1 reject"
    assert lines[2] == f"Pith Number  {NUMBER}"
    assert lines[3] == f"title        {TITLE}"
    assert lines[5] == "none"
    assert lines[6].split() == ["arXiv", "Pith", "Number", "title", "n"]
    assert lines[7].endswith(f"{TITLE}  12")
    assert_safe("\n".join(lines))
    assert list(plain_lines([Table([Column(""), Column("")], [["a", "bb"], ["ccc", "d"]])])) == [
        "a    bb",
        "ccc  d",
    ]


def test_a_table_without_rows_is_its_titles_and_one_without_titles_nothing() -> None:
    assert list(plain_lines([Table(COLUMNS, [])])) == ["arXiv  Pith Number  title  n"]
    assert shown([Table([Column("")], []), Fields([])], 80) == ""


@dataclass(frozen=True, slots=True)
class Answer:
    title: str
    when: datetime
    file: Path


def test_json_is_one_document_in_ascii_that_holds_what_was_given(
    capsys: pytest.CaptureFixture[str],
) -> None:
    given = [Answer(f"é{ANY}\x7f", datetime(2026, 11, 21, tzinfo=UTC), Path("data/x"))]
    answer(given, [Line("not this")], as_json=True)
    written = capsys.readouterr().out
    assert written.isascii()
    assert_safe(written)
    assert json.loads(written) == [
        {"title": f"é{ANY}\x7f", "when": "2026-11-21T00:00:00Z", "file": "data/x"}
    ]
