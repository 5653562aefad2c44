"""Search keys in ASCII, for people: never hashed (spec, section 1)."""

import re
from functools import lru_cache

from pylatexenc.latex2text import LatexNodes2Text
from unidecode import unidecode

# One TeX accent or letter with its argument: \\"o  \\'{e}  \\c{c}  \\v s  \\i  \\ss  {\\l}
_ARGUMENT = r"(?:\\[ij](?![A-Za-z])\s?|[A-Za-z]|\{\s*(?:\\[ij]|[A-Za-z])\s*\})"
_TEX_LETTER = re.compile(
    rf"""\\(?:[`'^"~=.]\s?{_ARGUMENT}"""
    rf"""|[cvukHrdbt](?:\s{_ARGUMENT}|\{{\s*(?:\\[ij]|[A-Za-z])\s*\}})"""
    r"""|(?:ss|ae|AE|oe|OE|aa|AA|dh|DH|dj|DJ|ng|NG|th|TH|o|O|l|L|i|j)(?![A-Za-z])\s?)"""
)
_OTHER = re.compile(r"[^\x00-\x7f]+")
_WORD = re.compile(r"[0-9a-z]+")
_BRACES = str.maketrans("", "", "{}")


def ascii_key(text: str) -> str:
    r"""Return `text` as someone would type it: `Schr\"odinger` becomes `Schrodinger`.

    TeX accents are decoded, braces dropped, the rest transliterated to ASCII; formulas stay TeX.
    """
    text = decode_accents(text)
    if "{" in text or "}" in text:
        text = text.translate(_BRACES)
    return text if text.isascii() else _OTHER.sub(_transliterate, text)


def decode_accents(text: str) -> str:
    r"""Return `text` with its TeX accents and letters as Unicode has them; formulas stay TeX."""
    return _TEX_LETTER.sub(lambda match: _decode(match[0]), text) if "\\" in text else text


def search_words(text: str) -> list[str]:
    """Return the words of what someone types, with accents, in TeX or in ASCII, as in a key."""
    return _WORD.findall(ascii_key(text).lower())


@lru_cache(maxsize=4096)
def _decode(tex: str) -> str:
    """Return one accent decoded; a few hundred occur in all of arXiv, and the decoder is slow."""
    return str(LatexNodes2Text().latex_to_text(tex))


def _transliterate(match: re.Match[str]) -> str:
    return _ascii_of(match[0])


@lru_cache(maxsize=4096)
def _ascii_of(others: str) -> str:
    return unidecode(others)
