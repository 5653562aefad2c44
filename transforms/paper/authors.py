"""ArXiv's author string as the list that is signed, and as the names for people."""

import re

_PARENTHESIS = re.compile(r"[()]")
# The word alone: between spaces or commas, or at an end.
_AND = re.compile(r"(?<![^ ,])and(?![^ ,])")
_NO_LETTERS_NOR_DIGITS = bytes(code for code in range(128) if not chr(code).isalnum())


def authors_text(authors: str) -> str:
    r"""Return the author list as snapshots show and sign it: split, sorted, joined (spec, 4).

    Every comma and every word `and` splits, inside parentheses too, so affiliations stay, in
    pieces: `W. George (LIX, GRACE)` becomes `GRACE), W. George (LIX`. An equal piece is written
    once. What it returns is its own author list: given back, it comes out the same.
    """
    return ", ".join(sorted(set(_split(authors)), key=_sort_key))


def _sort_key(piece: str) -> tuple[bytes, bytes, str]:
    r"""Return the key to order by: ASCII letters and digits, caseless, as en_US.UTF-8 has them.

    `\v{Z}` is `vz`. Among equal ones lower case comes before upper, then the code point decides.
    """
    letters = piece.encode("ascii", "ignore").translate(None, _NO_LETTERS_NOR_DIGITS)
    return letters.lower(), letters.swapcase(), piece


def author_names(authors: str) -> list[str]:
    """Return the names in arXiv's author string, in its order, for people: none of it is signed.

    Affiliations in parentheses are dropped, TeX is kept; an unmatched parenthesis is a character.
    """
    return _split(_outside(authors) if "(" in authors else authors)


def _split(authors: str) -> list[str]:
    """Return the pieces between commas and the word `and`, single-spaced; none is empty."""
    # Printable text has no whitespace but spaces, and arXiv's mostly single ones.
    if "  " in authors or not authors.isprintable():
        authors = " ".join(authors.split())
    if "and" in authors:
        authors = _AND.sub(",", authors)
    return [piece for piece in map(str.strip, authors.split(",")) if piece]


def _outside(text: str) -> str:
    """Return `text` with each matched pair of parentheses, and all between, as one space."""
    opened: list[int] = []
    outermost: list[tuple[int, int]] = []
    for match in _PARENTHESIS.finditer(text):
        if match[0] == "(":
            opened.append(match.start())
        elif opened:
            start = opened.pop()
            while outermost and outermost[-1][0] > start:
                outermost.pop()
            outermost.append((start, match.end()))
    kept, end = [], 0
    for start, stop in outermost:
        kept.append(text[end:start])
        end = stop
    kept.append(text[end:])
    return " ".join(kept)
