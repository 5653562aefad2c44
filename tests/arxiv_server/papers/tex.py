"""The Atom API's rewriting of TeX: accents and Greek letters become Unicode."""

import re
import unicodedata

_COMBINING = {
    '"': "\u0308", "'": "\u0301", "`": "\u0300", "^": "\u0302", "~": "\u0303", "H": "\u030b",
    "c": "\u0327", "v": "\u030c",
}  # fmt: skip
_ACCENT = re.compile(r"""\{?\\(?:(["'`^~])\s*|([Hcv])(?=\{))\{?([A-Za-z])\}?""")
_LETTERS = {"\\o": "\u00f8", "\\O": "\u00d8", "\\l": "\u0142", "\\L": "\u0141"}
_LETTER = re.compile(r"\{?(\\[oOlL])(?![A-Za-z])\}?")
_GREEK = re.compile(r"\\(alpha|beta|gamma|delta|epsilon|mu|pi|sigma)(?![A-Za-z])")


def convert(text: str) -> str:
    """Return TeX text as the Atom API serves it: rewritten, even inside `$...$`."""
    text = _ACCENT.sub(_accented, text)
    text = _LETTER.sub(lambda match: _LETTERS[match[1]], text)
    return _GREEK.sub(_greek, text)


def _accented(match: re.Match[str]) -> str:
    accent = _COMBINING[match[1] or match[2]]
    return unicodedata.normalize("NFC", match[3] + accent)


def _greek(match: re.Match[str]) -> str:
    # Unicode spells the common form of epsilon and the rest as TeX does.
    return unicodedata.lookup(f"GREEK SMALL LETTER {match[1].upper()}")
