"""The lists without metadata, the errors and the tokens, on replies of arXiv's own server code."""

import pickle
from datetime import date
from urllib.parse import quote, urlencode

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.papers.captured import ARXIV, needs_shared

from transforms.parsing.arxiv_xml import parse_page
from transforms.parsing.oai_lists import (
    Header,
    Repository,
    parse_identifiers,
    parse_identify,
    parse_sets,
)
from transforms.parsing.oai_xml import (
    BadArgumentError,
    BadResumptionTokenError,
    BadVerbError,
    CannotDisseminateFormatError,
    IdDoesNotExistError,
    NoMetadataFormatsError,
    NoRecordsMatchError,
    NoSetHierarchyError,
    OaiError,
    PageError,
    oai_error,
    rewind,
)

REPLIES = ARXIV / "oai_server"

HEADERS = """
<header><identifier>oai:arXiv.org:cs/0001024</identifier><datestamp>2026-03-02</datestamp>
<setSpec>cs:cs:LG</setSpec></header>
<header><identifier>oai:arXiv.org:1906.10822</identifier><datestamp>2026-03-03</datestamp></header>
"""
RESUME = "verb%3DListRecords%26metadataPrefix%3DarXivRaw%26from%3D2026-03-02%26skip%3D1300"


def reply(answer: str) -> bytes:
    return f'<OAI-PMH xmlns="http://www.openarchives.org/OAI/2.0/">{answer}</OAI-PMH>'.encode()


def identifiers(content: str) -> bytes:
    return reply(f"<ListIdentifiers>{content}</ListIdentifiers>")


def test_identifiers() -> None:
    page = parse_identifiers(identifiers(HEADERS))
    assert page.headers == [
        Header("cs/0001024", date(2026, 3, 2)),
        Header("1906.10822", date(2026, 3, 3)),
    ]
    assert page.rejects == []
    assert page.resumption_token is None


@pytest.mark.parametrize(
    ("element", "token"),
    [
        ("", None),
        ("<resumptionToken/>", ""),
        (
            "<resumptionToken expirationDate='2026-03-03T00:00:00Z'> a%3Db </resumptionToken>",
            "a%3Db",
        ),
    ],
)
def test_the_three_ways_in_which_a_page_ends(element: str, token: str | None) -> None:
    assert parse_identifiers(identifiers(HEADERS + element)).resumption_token == token


BAD_HEADERS = {
    "another prefix": ("<identifier>oai:x:1906.10822</identifier>", "does not begin with"),
    "no arXiv id": ("<identifier>oai:arXiv.org:../x</identifier>", "is not an arXiv id"),
    "a version": ("<identifier>oai:arXiv.org:1906.10822v2</identifier>", "is not an arXiv id"),
    "no identifier": ("", "does not begin with"),
    "no day": (
        "<identifier>oai:arXiv.org:1906.10822</identifier><datestamp>soon</datestamp>",
        "is not a day",
    ),
}


@pytest.mark.parametrize(("inner", "reason"), BAD_HEADERS.values(), ids=BAD_HEADERS)
def test_a_bad_header_is_a_reject_and_the_others_go_on(inner: str, reason: str) -> None:
    page = parse_identifiers(identifiers(f"<header>{inner}</header>{HEADERS}"))
    assert [header.arxiv_id for header in page.headers] == ["cs/0001024", "1906.10822"]
    (reject,) = page.rejects
    assert reject.position == 0
    assert reason in reject.reason
    assert inner.encode() in reject.raw


BAD_REPLIES = {
    "empty": b"",
    "cut": identifiers(HEADERS)[:-30],
    "a page for people": b"<html><body>One moment</body></html>",
    "another verb": reply("<GetRecord/>"),
    "a document type": b"<!DOCTYPE x>" + identifiers(HEADERS),
}


@pytest.mark.parametrize("data", BAD_REPLIES.values(), ids=BAD_REPLIES)
def test_a_reply_that_is_not_whole_is_an_error(data: bytes) -> None:
    for parse in (parse_identifiers, parse_sets, parse_identify):
        with pytest.raises(PageError):
            parse(data)


def test_every_cut_of_a_list_is_noticed() -> None:
    whole = identifiers(HEADERS + "<resumptionToken>a%3Db</resumptionToken>")
    for end in range(len(whole)):
        with pytest.raises(PageError):
            parse_identifiers(whole[:end])


def test_a_set_without_its_parts_is_an_error() -> None:
    for sets in ("", "<set><setSpec>cs</setSpec></set>", "<set><setName>x</setName></set>"):
        with pytest.raises(PageError):
            parse_sets(reply(f"<ListSets>{sets}</ListSets>"))


def test_identify_without_a_day_is_an_error() -> None:
    parts = "<baseURL>x</baseURL><granularity>YYYY-MM-DD</granularity>"
    for day in ("", "<earliestDatestamp>once</earliestDatestamp>"):
        with pytest.raises(PageError):
            parse_identify(reply(f"<Identify>{parts}{day}</Identify>"))


@needs_shared
def test_arxivs_sets() -> None:
    page = parse_sets((REPLIES / "listsets.xml").read_bytes())
    assert len(page.sets) == 174
    assert page.sets["physics:astro-ph:CO"] == "Cosmology and Nongalactic Astrophysics"
    assert page.resumption_token is None


@needs_shared
def test_arxivs_identify() -> None:
    assert parse_identify((REPLIES / "identify.xml").read_bytes()) == Repository(
        "https://oaipmh.arxiv.org/oai", date(2005, 9, 16), "YYYY-MM-DD"
    )


CLASSES = {
    "badArgument": BadArgumentError,
    "badResumptionToken": BadResumptionTokenError,
    "badVerb": BadVerbError,
    "cannotDisseminateFormat": CannotDisseminateFormatError,
    "idDoesNotExist": IdDoesNotExistError,
    "noMetadataFormats": NoMetadataFormatsError,
    "noRecordsMatch": NoRecordsMatchError,
    "noSetHierarchy": NoSetHierarchyError,
}


@pytest.mark.parametrize(("code", "kind"), CLASSES.items())
def test_each_code_has_its_error_that_says_what_to_do(code: str, kind: type[OaiError]) -> None:
    with pytest.raises(kind) as raised:
        parse_page(reply(f"<error code='{code}'>No\n  luck.</error>"))
    assert raised.value.code == code
    assert str(raised.value) == f"{code}: No luck; {kind.advice}"
    assert kind.advice


def test_an_unknown_code_is_a_plain_error() -> None:
    with pytest.raises(OaiError) as raised:
        parse_sets(reply("<error code='tooLazy'/>"))
    assert type(raised.value) is OaiError
    assert str(raised.value) == raised.value.code == "tooLazy"


def test_errors_travel_between_processes() -> None:
    error = pickle.loads(pickle.dumps(oai_error("noRecordsMatch", "none")))  # noqa: S301 - our own
    assert type(error) is NoRecordsMatchError
    assert str(error) == str(oai_error("noRecordsMatch", "none"))


@needs_shared
def test_arxivs_errors() -> None:
    files = sorted(REPLIES.glob("error_*.xml"))
    assert files
    for file in files:
        code = file.stem.split("_")[1]
        for parse in (parse_page, parse_identifiers, parse_sets, parse_identify):
            with pytest.raises(CLASSES[code]):
                parse(file.read_bytes())


def test_rewinding_changes_the_place_alone() -> None:
    assert rewind(RESUME, 300) == RESUME.replace("1300", "1000")
    assert rewind(RESUME, 1300) == rewind(RESUME, 9999) == RESUME.replace("1300", "0")
    assert rewind("skip%3D5", 2) == "skip%3D3"
    assert rewind("skip%3D5%26verb%3DListRecords", 2) == "skip%3D3%26verb%3DListRecords"


@pytest.mark.parametrize(
    "token",
    ["", "1234|5001", "0b2c|skip=12", "noskip%3D5", "skip%3D", "skip%3D5x", "skip%3D1%26skip%3D2"],
)
def test_a_token_of_another_form_is_not_rewound(token: str) -> None:
    assert rewind(token, 10) is None


@given(
    st.dictionaries(st.text(min_size=1).filter(lambda name: name != "skip"), st.text()),
    st.integers(0, 10**8),
    st.integers(0, 10**8),
)
def test_any_token_of_arxivs_form_is_rewound(
    others: dict[str, str], skip: int, records: int
) -> None:
    def token(place: int) -> str:
        return quote(urlencode({**others, "skip": str(place)}))

    assert rewind(token(skip), records) == token(max(0, skip - records))
