"""From raw fields to a `Paper`: layouts, author names, what is refused."""

from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from transforms import BadPaperError, Version, make_paper
from transforms.paper.authors import author_names
from transforms.paper.paper import MAX_FIELD, check_id, make_version, one_line, unwrap

FIRST = Version(1, datetime(2009, 3, 3, 4, 22, 14, tzinfo=UTC))
FIELDS: dict[str, Any] = {
    "arxiv_id": "1906.10822",
    "versions": [FIRST],
    "title": "A title",
    "abstract": "An abstract.",
    "authors": "An Author",
    "categories": "cs.LG stat.ML",
}


def test_old_and_new_layouts_give_one_text() -> None:
    old = make_paper(
        **FIELDS
        | {
            "title": "Calculation of\n  cross sections",
            "abstract": "  First line\nsecond line.\n  A paragraph\nwrapped.\n",
            "authors": "A. One,\n  B. Two",
        }
    )
    new = make_paper(
        **FIELDS
        | {
            "title": "Calculation of cross sections",
            "abstract": "First line second line.\n  A paragraph wrapped.",
            "authors": "A. One, B. Two",
        }
    )
    assert old == new


def test_a_title_keeps_the_spaces_within_it() -> None:
    assert one_line("  two  spaces \n  and a line ") == "two  spaces and a line"


def test_an_abstract_keeps_its_paragraphs() -> None:
    assert unwrap("  one\ntwo\n  three\n") == "one two\n  three"


@pytest.mark.parametrize(
    ("raw", "names"),
    [
        ("A. One, B. Two", ["A. One", "B. Two"]),
        ("A. One and B. Two", ["A. One", "B. Two"]),
        ("A. One, B. Two, and the C Team", ["A. One", "B. Two", "the C Team"]),
        ("A. One (1 and 2), B. Two (2) ((1) X, (2) Y)", ["A. One", "B. Two"]),
        (r"Stanis{\l}aw J\k{e}bski", [r"Stanis{\l}aw J\k{e}bski"]),
        ("Anders Andersson", ["Anders Andersson"]),
        ("A. One (open, B. Two", ["A. One (open", "B. Two"]),
        ("A. One) , B. Two (x)", ["A. One)", "B. Two"]),
        ("A.\n  One,B. Two,", ["A. One", "B. Two"]),
        ("B. Two,and A. One and and", ["B. Two", "A. One"]),
        ("ATLAS Collaboration: G. Aad", ["ATLAS Collaboration: G. Aad"]),
    ],
)
def test_author_names(raw: str, names: list[str]) -> None:
    assert author_names(raw) == names


def test_author_names_takes_hostile_nesting_in_its_stride() -> None:
    assert author_names("A. One " + "(" * 200_000 + ")" * 200_000) == ["A. One"]
    assert len(author_names("(" * 200_000)) == 1


@given(st.lists(st.text("abc XY.", min_size=1).map(str.strip).filter(bool), min_size=1))
def test_plain_names_survive_the_author_string(names: list[str]) -> None:
    plain = [" ".join(name.split()) for name in names]
    assert author_names(", ".join(plain)) == plain


@pytest.mark.parametrize("good", ["1906.10822", "0704.0001", "math/0410603", "math.GT/0309136"])
def test_ids(good: str) -> None:
    assert check_id(good) == good


@pytest.mark.parametrize(
    "bad",
    ["", "../../etc/passwd", "1906.10822v1", "1906.108222", "math/../x", "\uff11906.10822", "x\n"],
)
def test_what_is_no_id_cannot_become_a_path(bad: str) -> None:
    with pytest.raises(BadPaperError, match="is not an arXiv id"):
        check_id(bad)


@pytest.mark.parametrize(
    ("changed", "reason"),
    [
        ({"title": None}, "no title"),
        ({"title": " \n"}, "title is empty"),
        ({"abstract": None}, "no abstract"),
        ({"authors": None}, "no authors"),
        ({"categories": ""}, "categories is empty"),
        ({"categories": "cs.LG <b>"}, "'<b>' is not an arXiv category"),
        ({"versions": []}, "no version 1"),
        ({"versions": [Version(2, FIRST.created)]}, "no version 1"),
        ({"versions": [FIRST, FIRST]}, "do not rise"),
        ({"abstract": "x" * (MAX_FIELD + 1)}, "characters, more than"),
        ({"comments": "\ud800"}, "lone surrogate"),
    ],
    ids=str,
)
def test_what_cannot_become_a_paper_says_why(changed: dict[str, Any], reason: str) -> None:
    with pytest.raises(BadPaperError, match=reason):
        make_paper(**FIELDS | changed)


def test_a_version_older_than_any_paper_is_refused() -> None:
    assert make_version("v1", "Fri, 25 Apr 1986 15:39:49 GMT").created.year == 1986
    with pytest.raises(BadPaperError, match="is before 1980"):
        make_version("v1", "Mon, 1 Jan 1900 00:00:00 GMT")
