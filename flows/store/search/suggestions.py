"""What to say where no paper matches, with what would find one."""

import difflib
from collections.abc import Iterator, Sequence

from flows.common.terminal import quoted
from flows.store.layout import Layout
from flows.store.search.scan import which_match, words_that_begin
from transforms.paper.reference import Reference
from transforms.paper.search_terms import SearchTerm, search_terms

_MOST_COMPARED = 20_000
"""Words that are compared with one that is not there, the commonest: some tenths of a second."""

_SHORTEST, _MOST_MISSPELT, _MOST_DROPPED = 4, 3, 6
_LIKENESS = 0.75


def nothing_matches(layout: Layout, text: str, unknown: Sequence[Reference]) -> str:
    """Return a sentence on a text that no paper matches; `unknown` is what it names.

    Raises `StoreError` where the tables cannot be read.
    """
    if papers := [reference for reference in unknown if reference.arxiv_id]:
        advice = f"ask arXiv for it with 'pith-ingest rerun {papers[0]}'"
    elif unknown and "pith" in text.lower():
        advice = "no record with this number is kept; try the paper's arXiv id"
    else:
        advice = _advice(layout, search_terms(text))
    return f"no paper matches {quoted(text.strip())}; {advice}"


def _advice(layout: Layout, terms: Sequence[SearchTerm]) -> str:
    if not terms:
        return "try words of its title or the name of an author"
    choices = [*filter(None, dict.fromkeys(map(tuple, _choices(layout, terms))))]
    matching = [
        choice
        for choice, matches in zip(choices, which_match(layout, choices), strict=True)
        if matches
    ]
    if matching:
        return f"try {quoted(' '.join(map(str, matching[0])))}"
    return "try fewer or other words" if len(terms) > 1 else "try another word"


def _choices(layout: Layout, terms: Sequence[SearchTerm]) -> Iterator[list[SearchTerm]]:
    """Yield what may be meant: with other words for those that no paper has, or without them."""
    there = which_match(layout, [[term] for term in terms])
    missing = [term for term, is_there in zip(terms, there, strict=True) if not is_there]
    instead = {term: _instead(layout, term) for term in missing[:_MOST_MISSPELT]}
    yield [new for term in terms for new in instead.get(term, [term])]
    rest = [term for term in terms if term not in missing]
    yield rest
    if 1 < len(rest) <= _MOST_DROPPED:
        yield from ([*rest[:n], *rest[n + 1 :]] for n in reversed(range(len(rest))))
    words = [word for term in terms for word in term.words]
    yield from ([SearchTerm((word,))] for word in words[:_MOST_DROPPED])


def _instead(layout: Layout, term: SearchTerm) -> list[SearchTerm]:
    """Return the words of a phrase, or the word most like one that no paper has, if any is."""
    if len(term.words) > 1:
        return [SearchTerm((word,)) for word in term.words]
    (word,) = term.words
    if len(word) < _SHORTEST:
        return []
    known = words_that_begin(layout, word[0], _MOST_COMPARED)
    return [SearchTerm((like,)) for like in difflib.get_close_matches(word, known, 1, _LIKENESS)]
