"""Citations are what BibTeX, citeproc and search engines read, whatever arXiv's fields hold."""

from datetime import UTC, datetime
from typing import Any

import pytest

from transforms.registry.citation import (
    CitedPaper,
    bibtex,
    csl_json,
    scholarly_article,
    tex,
    web_address,
)
from transforms.registry.readable import readable

PAGE = "https://example.org/pith/JUV2VY6FK23SMEDNHMW23VESQV"


def cited(**fields: Any) -> CitedPaper:
    values: dict[str, Any] = {
        "arxiv_id": "1906.10822",
        "version": 1,
        "pith_number": "pith:2019:JUV2VY6FK23SMEDNHMW23VESQV",
        "page": PAGE,
        "title": r"On Schr\"odinger's $\alpha_1$",
        "authors": [r"P\'al Erd\H{o}s", "Jane van der Berg", "John Smith Jr.", "Bourbaki"],
        "submitted_at": datetime(2019, 6, 26, tzinfo=UTC),
        "categories": ["cs.LG", "stat.ML"],
        "license": "http://creativecommons.org/licenses/by/4.0/",
    }
    return CitedPaper(**values | fields)


def test_bibtex_has_what_a_citation_of_arxiv_needs() -> None:
    assert bibtex(cited()) == (
        "@misc{erdos2019-1906.10822,\n"
        "  title = {{On Schr\\\"odinger's $\\alpha_1$}},\n"
        "  author = {P\\'al Erd\\H{o}s and Jane van der Berg and John Smith Jr. and Bourbaki},\n"
        "  year = {2019},\n"
        "  month = jun,\n"
        "  eprint = {1906.10822},\n"
        "  archivePrefix = {arXiv},\n"
        "  primaryClass = {cs.LG},\n"
        "  doi = {10.48550/arXiv.1906.10822},\n"
        "  url = {https://arxiv.org/abs/1906.10822v1},\n"
        "  note = {Version 1, record pith:2019:JUV2VY6FK23SMEDNHMW23VESQV}\n"
        "}\n"
    )


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("R&D at 5% of #1_a", r"R\&D at 5\% of \#1\_a"),
        (r"R\&D, $x_1^2 & y$", r"R\&D, $x_1^2 & y$"),
        ("x^2", r"x\textasciicircum{}2"),
        ("costs 5$", r"costs 5\$"),
        ("an { open brace", "an  open brace"),
        ("closed } first {", "closed  first "),
        (r"an escaped \{ alone", "an escaped  alone"),
        (r"\mathbb{R} stays", r"\mathbb{R} stays"),
        (r"\input{/etc/passwd}", r"\textbackslash{}input{/etc/passwd}"),
        (r"$\input{x}$ \inputs", r"$\textbackslash{}input{x}$ \inputs"),
        (r"^^5cinput", r"\textasciicircum{}{}\textasciicircum{}{}5cinput"),
        ("ends in \\", "ends in "),
        ("two\nlines", "two lines"),
    ],
)
def test_a_field_of_bibtex_is_tex_that_harms_nobody(text: str, written: str) -> None:
    assert tex(text) == written


@pytest.mark.parametrize("text", ["}", "{", "}{", "a}},\n note={", "\\{", "}\\", "{{}", '"}'])
def test_no_title_ends_its_field(text: str) -> None:
    entry = bibtex(cited(title=text, authors=[text, f"{text} and others"]))
    depth, ends = 0, []
    for at, character in enumerate(entry):
        depth += {"{": 1, "}": -1}.get(character, 0)
        assert depth >= 0
        if depth == 0 and character == "}":
            ends.append(at)
    assert ends == [len(entry) - 2]


def test_a_group_is_one_name() -> None:
    entry = bibtex(cited(authors=["The ATLAS Collaboration", "A. One"]))
    assert "author = {{The ATLAS Collaboration} and A. One}" in entry
    (group, one) = csl_json(cited(authors=["The ATLAS Collaboration", "A. One"]))["author"]
    assert (group, one) == (
        {"literal": "The ATLAS Collaboration"},
        {"family": "One", "given": "A."},
    )


def test_csl_has_names_in_their_parts_and_accents_as_letters() -> None:
    item = csl_json(cited())
    assert item["title"] == r"On Schrödinger's $\alpha_1$"
    assert item["author"] == [
        {"family": "Erdős", "given": "Pál"},
        {"family": "van der Berg", "given": "Jane"},
        {"family": "Smith", "given": "John", "suffix": "Jr."},
        {"literal": "Bourbaki"},
    ]
    assert item["issued"] == {"date-parts": [[2019, 6, 26]]}
    assert item["DOI"] == "10.48550/arXiv.1906.10822"


def test_an_article_of_schema_org_names_the_record_and_links_only_the_web() -> None:
    article = scholarly_article(cited(), "An abstract.")
    assert article["@type"] == "ScholarlyArticle"
    assert article["@id"] == PAGE
    assert article["license"] == cited().license
    assert article["author"][0] == {"@type": "Person", "name": "Pál Erdős"}
    assert "license" not in scholarly_article(cited(license="javascript:alert(1)"), "")


@pytest.mark.parametrize(
    "text",
    ["javascript:alert(1)", "JAVASCRIPT:x", " http://a.b", "data:text/html,x", "//a.b", "",
     'http://a.b/"onclick=x', "http://a.b/<x>", "https://", "ftp://a.b", "http://a b", "http://ä.b"],
)  # fmt: skip
def test_what_is_no_web_address_is_no_link(text: str) -> None:
    assert web_address(text) is None


def test_without_authors_there_is_still_a_citation() -> None:
    assert bibtex(cited(authors=[])).startswith("@misc{anonymous2019-1906.10822,")


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        (r"Schr{\"o}dinger", "Schrödinger"),
        (r"{\"O}rnek and {NASA}", "Örnek and NASA"),
        (r"$10^{-3}$ of {it}", "$10^{-3}$ of it"),
        (r"\cite{Smith} and $x", r"\cite{Smith} and $x"),
        ("plain", "plain"),
    ],
)
def test_a_title_is_readable(text: str, shown: str) -> None:
    assert readable(text) == shown
