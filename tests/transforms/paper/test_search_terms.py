"""What people type to look for becomes terms that match keys, and never costs too much."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from transforms.paper.search_terms import MOST_TERMS, SearchTerm, search_terms

KEY = "Three Factors Influencing Minima in SGD\nStanislaw Jastrzebski, Zachary Kenton".lower()
FOUND = [
    "factors",
    "FACT minim",
    "Jastrzębski",
    "jastrzebski, Z.",
    "  three!  factors? ",
    '"influencing minima"',
    "\u201cInfluencing Minima\u201d",
    "\u00abfactors influencing\u00bb kenton",
    '"sgd',
    '""',
    "",
]
NOT_FOUND = [
    "actors",
    "factors deep",
    '"minima influencing"',
    '"influencing min"',
    '"sgd stanislaw"',
    '"fact"',
]


def matches(text: str) -> bool:
    return all(re.search(f"(?m){term.pattern}", KEY) for term in search_terms(text))


@pytest.mark.parametrize("text", FOUND)
def test_words_begin_words_and_phrases_are_whole(text: str) -> None:
    assert matches(text)


@pytest.mark.parametrize("text", NOT_FOUND)
def test_what_is_inside_a_word_in_another_order_or_across_fields_does_not_match(text: str) -> None:
    assert not matches(text)


def test_terms_are_as_typed_and_each_once() -> None:
    terms = search_terms('deep "Neural  Networks" Deep \u738b')
    assert list(map(str, terms)) == ["deep", '"neural networks"', "wang"]
    assert terms[1] == SearchTerm(("neural", "networks"), exact=True)


@given(st.text() | st.text(st.sampled_from('"“”«» ab-\\{é王🙂\0\ud800\n')))
def test_any_text_gives_terms_of_plain_words(text: str) -> None:
    terms = search_terms(text * 20)
    assert len(terms) <= MOST_TERMS
    for term in terms:
        assert re.fullmatch("[0-9a-z]+( [0-9a-z]+)*", " ".join(term.words))
        assert re.search(f"(?m){term.pattern}", " ".join(term.words))
