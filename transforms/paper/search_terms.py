"""What people type to look for papers: words that begin words, and phrases in quotes."""

import re
from typing import NamedTuple

from transforms.paper.search_keys import search_words

MOST_TERMS = 20
"""As many as a long title has; what is beyond is left aside, for each takes its time."""

_LONGEST = 2_000
"""Characters that are looked at, likewise."""

# Straight quotes and those of typesetters: "…"  “…”  „…“  «…»
_QUOTED = re.compile('["“”„«]([^"“”„«»]*)["“”»]')
_BORDER = "[^0-9a-z]"
_BETWEEN = r"[^0-9a-z\n]+"


class SearchTerm(NamedTuple):
    """Words that follow each other; if `exact`, whole words, and else beginnings of one.

    They are those of search keys: letters `a` to `z` and digits alone.
    """

    words: tuple[str, ...]
    exact: bool = False

    def __str__(self) -> str:
        """Return it as it is typed."""
        words = " ".join(self.words)
        return f'"{words}"' if self.exact else words

    @property
    def pattern(self) -> str:
        """A regular expression for search keys in small letters, each in a line of its own."""
        end = f"(?:{_BORDER}|$)" if self.exact else ""
        return f"(?:^|{_BORDER}){_BETWEEN.join(self.words)}{end}"


def search_terms(text: str) -> list[SearchTerm]:
    """Return what has to be found, each term once, in the order of `text`."""
    terms: list[SearchTerm] = []
    text = text[:_LONGEST].encode(errors="ignore").decode()
    begin = 0
    for quoted in _QUOTED.finditer(text):
        terms += _each(text[begin : quoted.start()])
        if words := search_words(quoted[1]):
            terms.append(SearchTerm(tuple(words), exact=True))
        begin = quoted.end()
    terms += _each(text[begin:])
    return list(dict.fromkeys(terms))[:MOST_TERMS]


def _each(text: str) -> list[SearchTerm]:
    return [SearchTerm((word,)) for word in search_words(text)]
