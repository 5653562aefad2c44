"""Categories as sets."""

import pytest
from arxiv_server.services.sets import KNOWN_SETS
from support.paths import SHARED

from flows.common.errors import ConfigError
from flows.sources.arxiv.sets import set_of_category, sets_by_category
from transforms.parsing.oai_lists import parse_sets

LIST = SHARED / "arxiv" / "oai_server" / "listsets.xml"

SETS = {
    "cs.LG": "cs:cs:LG",
    "hep-th": "physics:hep-th",
    "astro-ph.CO": "physics:astro-ph:CO",
    "cond-mat.str-el": "physics:cond-mat:str-el",
    "physics.optics": "physics:physics:optics",
    "math.NA": "math:math:NA",
    "math-ph": "physics:math-ph",
    "q-bio.QM": "q-bio:q-bio:QM",
    "cs": "cs:cs",
    "math": "math:math",
    "astro-ph": "physics:astro-ph",
    "physics": "physics:physics",
    "physics:astro-ph": "physics:astro-ph",
    "cs:cs:LG": "cs:cs:LG",
}


@pytest.mark.parametrize(("category", "set_spec"), SETS.items())
def test_the_set_of_a_category(category: str, set_spec: str) -> None:
    assert set_of_category(category, KNOWN_SETS) == set_spec


@pytest.mark.parametrize(
    ("category", "meant"),
    [
        ("cs.lg", "cs.LG"),
        ("CS.LG", "cs.LG"),
        ("cs:LG", "cs.LG"),
        ("hepth", "hep-th"),
        ("astro-ph.C0", "astro-ph.CO"),
        ("stats.ML", "stat.ML"),
        ("maths", "math"),
    ],
)
def test_a_wrong_category_names_the_nearest_right_one(category: str, meant: str) -> None:
    with pytest.raises(ConfigError) as raised:
        set_of_category(category, KNOWN_SETS)
    assert str(raised.value) == f"arXiv has no category {category!r}; did you mean {meant}?"


def test_what_is_like_nothing_is_an_error_too() -> None:
    for category in ("", "☃", "x" * 1000):
        with pytest.raises(ConfigError, match="arXiv has no category"):
            set_of_category(category, KNOWN_SETS)
    with pytest.raises(ConfigError, match=r"no category 'cs\.LG'$"):
        set_of_category("cs.LG", [])


def test_arxivs_own_list() -> None:
    if not LIST.exists():
        pytest.skip(f"no captured list of sets in {LIST}")
    known = parse_sets(LIST.read_bytes()).sets
    named = sets_by_category(known)
    # All but the eight groups above the archives.
    assert set(named.values()) == {spec for spec in known if ":" in spec}
    assert len(named) == len(known) - 8 == 166
    for category, set_spec in SETS.items():
        assert set_of_category(category, known) == set_spec
