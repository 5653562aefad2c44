"""Text that may stand on a terminal, in a log and in a report, wherever it comes from.

Text from outside (fields, file names, what servers say, what a user pastes) never moves a cursor,
forges a line, turns the order of what stands around it, or shows a signing key.
"""

import os
import re
import sys
from contextlib import suppress
from enum import StrEnum
from shutil import get_terminal_size
from textwrap import fill
from typing import TYPE_CHECKING, Literal, NamedTuple, TextIO

if TYPE_CHECKING:
    from rich.console import RenderableType

LONGEST_SENTENCE = 1000
"""Characters of an error, of a log line or of a report's line: a server may say megabytes."""

_HANGING = 2
"""Columns by which a message goes on below its beginning."""

_HIDDEN = "(a key, not shown)"
_BASE64_KEY = re.compile(r"[A-Za-z0-9+/_-]{43}=", re.ASCII)
_HEX_KEY = re.compile(r"[0-9a-fA-F]{64}", re.ASCII)
# Or a part of a key, or one without its last character: random letters of both cases and digits
# take turns at six of ten places, those of paths and names at fewer than three.
_LONG_RUN = re.compile(r"[\w+/-]{32,}=*", re.ASCII)
_TURN = re.compile(r"(?<=[a-z])[A-Z0-9]|(?<=[A-Z])[a-z0-9]|(?<=[0-9])[A-Za-z]", re.ASCII)
_TURNS = 0.4


class Tone(StrEnum):
    """What a line means, which a terminal shows as a style of rich's; without colour, as nothing.

    So the words alone say it too.
    """

    PLAIN = ""
    GOOD = "green"
    WARNING = "yellow"
    BAD = "red"
    FAINT = "dim"
    STRONG = "bold"


class Line(NamedTuple):
    """One line for a person, which a narrow terminal wraps below its own indent."""

    text: str
    tone: Tone = Tone.PLAIN


def printable(text: str, most: int | None = None) -> str:
    r"""Return `text` on one line, each control character written as `\x1b` or the like.

    That is every character but letters, marks, numbers, punctuation, symbols and the space
    (`str.isprintable`), so also C1, bidi controls and lone surrogates. Cut after `most` characters.
    """
    if most is not None and len(text) > most:
        return f"{printable(text[:most])}…"
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)


def sentence(text: str) -> str:
    """Return a message for an error, a log or a report: printable, not long, and no key in it."""
    # Cut before too: the search is not for megabytes.
    start = _BASE64_KEY.sub(_HIDDEN, text[: 2 * LONGEST_SENTENCE])
    start = _LONG_RUN.sub(lambda run: _HIDDEN if _is_random(run[0]) else run[0], start)
    return printable(start, LONGEST_SENTENCE)


def quoted(text: str) -> str:
    """Return what a user wrote in quotes and shortened, or that it looks like a key."""
    return _HIDDEN if looks_like_key(text) else f"{text!r:.80}"


def looks_like_key(text: str) -> bool:
    """Return whether `text` holds a key in base64, or most of one, or is one in hexadecimal."""
    return bool(
        _BASE64_KEY.search(text)
        or _HEX_KEY.fullmatch(text.strip())
        or any(_is_random(run[0]) for run in _LONG_RUN.finditer(text))
    )


def _is_random(run: str) -> bool:
    kinds = {"A" if c.isupper() else "a" if c.islower() else "1" for c in run if c.isalnum()}
    return kinds == set("Aa1") and len(_TURN.findall(run)) >= _TURNS * len(run)


def echo(line: str, *, err: bool = False) -> None:
    """Write one line to standard output or error: the only way there for text.

    At once, so that what a reader of a pipe sees is not behind, and a closed pipe is noticed.
    """
    stream = sys.stderr if err else sys.stdout
    # What a command answers on a terminal is laid out before; JSON keeps its lines.
    stream.write(f"{fitted(printable(line), stream) if err else printable(line)}\n")
    stream.flush()


def fitted(line: str, stream: TextIO) -> str:
    """Return a message broken between words to a terminal's width, below its own indent.

    A path or a key stays in one piece. Elsewhere than on a terminal it is one line.
    """
    if not stream.isatty() or len(line) <= (width := get_terminal_size().columns):
        return line
    indent = " " * (len(line) - len(line.lstrip()) + _HANGING)
    return fill(
        line, width, subsequent_indent=indent, break_long_words=False, break_on_hyphens=False
    )


def ask(question: str) -> str:
    """Return what is typed on the terminal after a question; raises `EOFError` where it ends."""
    with suppress(ImportError):  # where Python has it, arrow keys edit the line
        import readline

        readline.set_auto_history(False)
    try:
        return input(printable(question)).strip()
    except (EOFError, KeyboardInterrupt):
        echo("")  # what is said next begins a line of its own
        raise


def has_colour(stream: TextIO) -> bool:
    """Return whether colour may be shown: on a terminal, and where NO_COLOR is not set."""
    return stream.isatty() and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"


def render(rendered: "RenderableType") -> None:
    """Write what rich lays out to standard output, a terminal; its texts are `printable` already.

    Without colour there is no escape sequence at all, not even for bold.
    """
    from rich.console import Console

    colours: Literal["auto"] | None = "auto" if has_colour(sys.stdout) else None
    Console(color_system=colours, markup=False, emoji=False, highlight=False).print(rendered)
