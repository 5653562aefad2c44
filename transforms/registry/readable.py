"""Titles and names as people read them: TeX accents as letters, formulas as they are."""

import re

from transforms.paper.search_keys import decode_accents

_FORMULA = re.compile(r"(\$[^$]*\$)")
_BRACED = re.compile(r"(\\[A-Za-z]+\s*)?\{([^{}\\]*)\}")


def readable(text: str) -> str:
    r"""Return `text` with accents decoded and braces around plain text dropped: `{K\"ahler}`.

    What stands between dollars is left as it is.
    """
    if "\\" not in text and "{" not in text:
        return text
    pieces = _FORMULA.split(text)
    pieces[::2] = [_BRACED.sub(_unbraced, decode_accents(piece)) for piece in pieces[::2]]
    return "".join(pieces)


def _unbraced(match: re.Match[str]) -> str:
    """Return what stands in braces, without them unless they are the argument of a command."""
    return match[0] if match[1] else match[2]
