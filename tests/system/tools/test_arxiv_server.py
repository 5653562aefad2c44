"""Tests of the imitated arXiv itself, against what is known of the real one."""

import os
import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import arxiv  # type: ignore[import-untyped]
import httpx
import pytest
from arxiv_server import (
    ArxivServer,
    CachedError,
    CutConnection,
    DropConnection,
    Fault,
    Forbidden,
    Garbage,
    Library,
    Oversized,
    Redirect,
    Restamp,
    SlowFirstByte,
    Truncate,
    Unavailable,
    Vanish,
    Version,
    Work,
    make_library,
    random_faults,
    set_of,
)
from arxiv_server.services.sets import list_sets
from lxml import etree
from support.paths import SHARED, TESTS

pytestmark = pytest.mark.process

ARXIV = SHARED / "arxiv"
OAI = "{http://www.openarchives.org/OAI/2.0/}"
RAW = "{http://arxiv.org/OAI/arXivRaw/}"
DAY = date(2026, 3, 2)
TODAY = date(2026, 3, 10)
RAW_FORMAT = {"metadataPrefix": "arXivRaw"}
needs_shared = pytest.mark.skipif(not ARXIV.is_dir(), reason=f"no captured replies in {ARXIV}")


@pytest.fixture
def server() -> Iterator[ArxivServer]:
    """Serve 40 papers of one day, ten a page."""
    library = make_library(40, 7, DAY, 1)
    with ArxivServer(library, today=TODAY, page_size=10, id_page_size=25) as running:
        yield running


@pytest.fixture
def client() -> Iterator[httpx.Client]:
    """Open a client which keeps its connection."""
    with httpx.Client(timeout=5) as opened:
        yield opened


def ask(client: httpx.Client, server: ArxivServer, **query: str) -> etree._Element:
    """Ask and parse strictly; `from_` stands for `from`."""
    params = {name.rstrip("_"): value for name, value in query.items()}
    reply = client.get(server.oai_url, params=params)
    assert reply.status_code == 200
    return etree.fromstring(reply.content)


def records(client: httpx.Client, server: ArxivServer, **query: str) -> etree._Element:
    """Ask for records in arXivRaw."""
    return ask(client, server, verb="ListRecords", **RAW_FORMAT, **query)


def ids(page: etree._Element) -> list[str]:
    """Return the papers of a reply."""
    found = [node.text or "" for node in page.iter(f"{OAI}identifier")]
    return [text.removeprefix("oai:arXiv.org:") for text in found]


def harvest(
    client: httpx.Client, server: ArxivServer, verb: str = "ListRecords", **query: str
) -> list[str]:
    """Follow the tokens to the end, as a client does that trusts them."""
    page = ask(client, server, verb=verb, **RAW_FORMAT, **query)
    found = ids(page)
    while token := page.findtext(f".//{OAI}resumptionToken"):
        page = ask(client, server, verb=verb, resumptionToken=token)
        found += ids(page)
    return found


def code(page: etree._Element) -> str | None:
    """Return the code of an OAI error."""
    error = page.find(f"{OAI}error")
    return None if error is None else error.get("code")


def test_a_harvest_gives_every_paper_in_order(client: httpx.Client, server: ArxivServer) -> None:
    """Pages follow each other by datestamp and id; records and identifiers page apart."""
    everything = [work.id for work in server.library.works()]
    assert harvest(client, server) == everything
    assert len(server.requests) == 4
    assert harvest(client, server, "ListIdentifiers") == everything
    assert len(server.requests) == 6


def test_tokens(client: httpx.Client, server: ArxivServer) -> None:
    """A token is a quoted query, an empty one ends several pages, one page has none."""
    categories = {category for work in server.library.works() for category in work.categories}
    assert "hep-th" in categories
    page = records(client, server, from_="2026-03-02", until="2026-03-09", set="physics")
    token = page.find(f".//{OAI}resumptionToken")
    assert token is not None
    assert token.items() == [("expirationDate", "2026-03-11T00:00:00Z")]
    assert token.text == (
        "verb%3DListRecords%26metadataPrefix%3DarXivRaw%26from%3D2026-03-02"
        "%26until%3D2026-03-09%26set%3Dphysics%26skip%3D10"
    )
    assert token.text is not None
    request = ask(client, server, verb="ListRecords", resumptionToken=token.text)[1]
    assert request.items() == [("verb", "ListRecords"), ("resumptionToken", token.text)]
    for _ in range(3):
        page = ask(client, server, verb="ListRecords", resumptionToken=token.text)
        token = page.find(f".//{OAI}resumptionToken")
        assert token is not None
        if token.text is None:
            break
    assert token.text is None
    assert not token.attrib
    small = records(client, server, set="physics:hep-th")
    assert 0 < len(ids(small)) < 10
    assert small.find(f".//{OAI}resumptionToken") is None


def test_token_moves_from_to_the_day_it_reached(client: httpx.Client) -> None:
    """Across days a token starts at the last day and skips what that day has given."""
    library = make_library(30, 3, DAY, 3)
    with ArxivServer(library, today=TODAY, page_size=12) as server:
        tokens = []
        page = records(client, server)
        while token := page.findtext(f".//{OAI}resumptionToken"):
            tokens.append(token.removeprefix("verb%3DListRecords%26metadataPrefix%3DarXivRaw"))
            page = ask(client, server, verb="ListRecords", resumptionToken=token)
        stamps = [work.datestamp for work in library.works()]
        assert stamps[:12] == [DAY] * 12
        assert stamps[12] == DAY
        assert tokens[0] == "%26skip%3D12"
        given = stamps[:24].count(stamps[24])
        assert 0 < given < 12
        assert tokens[1:] == [f"%26from%3D{stamps[24]}%26skip%3D{given}"]
        assert harvest(client, server) == [work.id for work in library.works()]


def test_restamping_served_papers_loses_as_many_others(
    client: httpx.Client, server: ArxivServer
) -> None:
    """Four re-stamped, exactly four others lost, without an error; identifiers show them."""
    before = {work.id for work in server.library.works()}
    server.order(Restamp(4, TODAY), skip=1)
    found = harvest(client, server, until=str(DAY))
    assert len(before - set(found)) == 4
    moved = {work.id for work in server.library.works() if work.datestamp == TODAY}
    assert len(moved) == 4
    assert moved <= set(found)
    now = harvest(client, server, "ListIdentifiers", until=str(DAY))
    assert len(set(now) - set(found)) == 4


def test_resumption_beyond_the_end_matches_nothing(
    client: httpx.Client, server: ArxivServer
) -> None:
    """A list which shrank ends with noRecordsMatch; what vanished leaves no trace."""
    token = records(client, server).findtext(f".//{OAI}resumptionToken") or ""
    gone = [work.id for work in server.library.works()][9:]
    server.library.remove(*gone)
    page = ask(client, server, verb="ListRecords", resumptionToken=token)
    assert code(page) == "noRecordsMatch"
    lost = f"oai:arXiv.org:{gone[0]}"
    page = ask(client, server, verb="GetRecord", identifier=lost, **RAW_FORMAT)
    assert code(page) == "idDoesNotExist"
    listing = client.get(server.oai_url, params={"verb": "ListIdentifiers", **RAW_FORMAT}).text
    assert "deleted" not in listing


def test_vanish(client: httpx.Client, server: ArxivServer) -> None:
    """The papers served last are gone from the next answer on."""
    first = ids(records(client, server))
    server.order(Vanish(3))
    assert set(first[-3:]).isdisjoint(harvest(client, server))


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ({"verb": "ListRecords", **RAW_FORMAT, "set": "cs.LG"}, "badArgument"),
        ({"verb": "ListRecords", **RAW_FORMAT, "from": "2005-09-15"}, "badArgument"),
        ({"verb": "ListRecords", **RAW_FORMAT, "until": "2026-03-11"}, "badArgument"),
        ({"verb": "ListRecords", **RAW_FORMAT, "from": "2026-03-02T00:00:00Z"}, "badArgument"),
        ({"verb": "ListRecords", **RAW_FORMAT, "until": "2026-02-30"}, "badArgument"),
        ({"verb": "ListRecords", **RAW_FORMAT, "from": "2026-03-3"}, "badArgument"),
        (
            {"verb": "ListRecords", **RAW_FORMAT, "from": "2026-03-05", "until": "2026-03-04"},
            "badArgument",
        ),
        ({"verb": "ListRecords", **RAW_FORMAT, "cursor": "1"}, "badArgument"),
        ({"verb": "ListRecords"}, "badArgument"),
        ({"verb": "GetRecord", **RAW_FORMAT}, "badArgument"),
        ({"verb": "Identify", "set": "cs"}, "badArgument"),
        ({"verb": "ListRecords", **RAW_FORMAT, "from": "2026-03-03"}, "noRecordsMatch"),
        ({"verb": "ListRecords", **RAW_FORMAT, "set": "econ"}, "noRecordsMatch"),
        ({"verb": "ListRecords", "resumptionToken": "x"}, "badResumptionToken"),
        ({"verb": "ListRecords", "metadataPrefix": "marc"}, "cannotDisseminateFormat"),
        ({"verb": "listrecords"}, "badVerb"),
        ({}, "badVerb"),
    ],
)
def test_errors(
    client: httpx.Client, server: ArxivServer, query: dict[str, str], expected: str
) -> None:
    """Errors come with HTTP 200 and the protocol's code."""
    reply = client.get(server.oai_url, params=query)
    assert reply.status_code == 200
    assert code(etree.fromstring(reply.content)) == expected


def test_first_and_last_day_are_included(client: httpx.Client) -> None:
    """`from` and `until` are inclusive, from arXiv's first day to today."""
    library = make_library(60, 5, DAY, 6)
    with ArxivServer(library, today=DAY + timedelta(days=5)) as server:
        inner = {work.id for work in library.works() if date(2026, 3, 3) <= work.datestamp <= TODAY}
        assert set(harvest(client, server, from_="2026-03-03", until="2026-03-07")) == inner
        assert len(harvest(client, server, from_="2005-09-16")) == 60
        repeated = client.get(f"{server.oai_url}?verb=ListRecords&verb=ListRecords")
        assert code(etree.fromstring(repeated.content)) == "badArgument"


def test_sets_hold_cross_lists_and_parents(client: httpx.Client, server: ArxivServer) -> None:
    """A set holds papers with the category anywhere in their list."""
    works = server.library.works()
    crossed = {work.id for work in works if "cs.LG" in work.categories}
    assert any(work.categories[0] != "cs.LG" for work in works if work.id in crossed)
    assert set(harvest(client, server, set="cs:cs:LG")) == crossed
    # math.NA is cs.NA by its second name, and arXiv's records say so.
    cs = {
        work.id
        for work in works
        if any(each.startswith("cs.") or each == "math.NA" for each in work.categories)
    }
    assert set(harvest(client, server, set="cs")) == cs
    assert set(harvest(client, server, set="cs:cs")) == cs
    sky = {work.id for work in works if "astro-ph.CO" in work.categories}
    assert set(harvest(client, server, set="physics:astro-ph")) == sky
    named = ["cs.LG", "hep-th", "astro-ph.CO", "math.NA", "math-ph", "quant-ph", "stat.ML"]
    assert [set_of(category) for category in named] == [
        "cs:cs:LG", "physics:hep-th", "physics:astro-ph:CO", "math:math:NA", "physics:math-ph",
        "physics:quant-ph", "stat:stat:ML",
    ]  # fmt: skip


def test_the_generator_is_seeded_and_varied() -> None:
    """The same seed gives the same papers, with every kind that a harvest meets."""
    works = make_library(400, 11, DAY, 5).works()
    assert works == make_library(400, 11, DAY, 5).works()
    assert works != make_library(400, 12, DAY, 5).works()
    assert {work.datestamp for work in works} == {DAY + timedelta(days=n) for n in range(5)}
    old = [work for work in works if "/" in work.id]
    assert 10 < len(old) < 80
    assert all(work.versions[0].created < datetime(2007, 4, 1, tzinfo=UTC) for work in old)
    assert 10 < sum(work.license is None for work in works) < 100
    assert 4 < sum(work.newest[2:] == (0, "I") for work in works) < 40
    assert sum("\n  " in work.abstract for work in works) > 100
    assert sum('\\"' in work.title for work in works) > 20
    assert sum(len(work.categories) > 1 for work in works) > 100
    for work in works:
        created = [version.created for version in work.versions]
        assert created == sorted(created)
        assert created[-1].date() < work.datestamp


def test_text_survives_the_xml(client: httpx.Client, server: ArxivServer) -> None:
    """Whatever a paper holds is what a strict parser reads."""
    text = "  <b> & \"q\" 'a' ]]> \\'e \u00e9 \U0001d538\n  next"
    work = server.library.works()[0]
    server.library.revise(work.id, TODAY, title=text, abstract=text, license=None)
    page = ask(
        client, server, verb="GetRecord", identifier=f"oai:arXiv.org:{work.id}", **RAW_FORMAT
    )
    assert page.findtext(f".//{RAW}title") == text
    assert page.findtext(f".//{RAW}abstract") == text
    assert page.find(f".//{RAW}license") is None
    assert page.findtext(f".//{OAI}datestamp") == str(TODAY)
    versions = page.findall(f".//{RAW}version")
    assert [each.get("version") for each in versions] == [
        f"v{n + 1}" for n in range(len(work.versions) + 1)
    ]
    assert versions[-1].findtext(f"{RAW}date") == "Mon, 09 Mar 2026 14:05:09 GMT"
    server.library.withdraw(work.id, TODAY, "withdrawn")
    page = records(client, server, from_=str(TODAY))
    newest = page.findall(f".//{RAW}version")[-1]
    assert [newest[1].text, newest[2].text] == ["0kb", "I"]


# Against arXiv's own replies.


def work_of(record: etree._Element) -> Work:
    """Read a captured record."""
    get = record.findtext
    return Work(
        id=get(f".//{RAW}id") or "",
        datestamp=date.fromisoformat(get(f".//{OAI}datestamp") or ""),
        title=get(f".//{RAW}title") or "",
        abstract=get(f".//{RAW}abstract") or "",
        authors=get(f".//{RAW}authors") or "",
        categories=tuple((get(f".//{RAW}categories") or "").split()),
        license=get(f".//{RAW}license"),
        versions=tuple(
            Version(
                int((node.get("version") or "")[1:]),
                datetime.strptime(
                    node.findtext(f"{RAW}date") or "", "%a, %d %b %Y %H:%M:%S GMT"
                ).replace(tzinfo=UTC),
                int((node.findtext(f"{RAW}size") or "").removesuffix("kb")),
                node.findtext(f"{RAW}source_type"),
            )
            for node in record.iter(f"{RAW}version")
        ),
        submitter=get(f".//{RAW}submitter") or "",
        comments=get(f".//{RAW}comments"),
        journal_ref=get(f".//{RAW}journal-ref"),
        doi=get(f".//{RAW}doi"),
        report_no=get(f".//{RAW}report-no"),
    )


def alike(xml: str) -> str:
    """Blot out what differs for good reason: the hour, the host, and fields which we leave out."""
    xml = re.sub(r"<responseDate>.*?</", "<responseDate></", xml)
    xml = re.sub(r">https?://[^<]*/oai</request>", "></request>", xml)
    return re.sub(r" *<(acm-class|msc-class|proxy)>.*\n", "", xml)


def captured(name: str) -> str:
    """Read a reply of arXiv's server."""
    return (ARXIV / "oai_server" / name).read_text(encoding="utf-8")


def works_in(name: str) -> list[Work]:
    """Read the papers in a captured reply."""
    return [
        work_of(each) for each in etree.fromstring(captured(name).encode()).iter(f"{OAI}record")
    ]


def repeated(xml: str) -> dict[str, str]:
    """Return the query which a captured reply repeats."""
    return {str(k): str(v) for k, v in etree.fromstring(xml.encode())[1].attrib.items()}


@needs_shared
@pytest.mark.parametrize(
    "name",
    [path.name for path in sorted((ARXIV / "oai_server").glob("getrecord_raw_*.xml"))],
)
def test_records_are_byte_for_byte_arxivs(client: httpx.Client, name: str) -> None:
    """Given arXiv's paper, the reply is arXiv's."""
    expected = captured(name)
    with ArxivServer(Library(works_in(name)), today=date(2026, 11, 20)) as server:
        reply = client.get(server.oai_url, params=repeated(expected))
    assert alike(reply.text) == alike(expected)


@needs_shared
@pytest.mark.parametrize(
    ("name", "before", "after"),
    [("page1_token", 0, 1), ("page2_token", 3, 1), ("lastpage_emptytoken", 71, 0)],
)
def test_pages_are_byte_for_byte_arxivs(
    client: httpx.Client, name: str, before: int, after: int
) -> None:
    """Given arXiv's papers between so many others, the page and its token are arXiv's."""
    expected = captured(f"listrecords_raw_{name}.xml")
    works = works_in(f"listrecords_raw_{name}.xml")
    fill = [replace(works[0], id=f"0000.{n:05d}") for n in range(before)]
    fill += [replace(works[0], id=f"9999.{n:05d}") for n in range(after)]
    library = Library([*works, *fill])
    with ArxivServer(library, today=date(2026, 11, 20), page_size=len(works)) as server:
        reply = client.get(server.oai_url, params=repeated(expected))
    assert alike(reply.text) == alike(expected)


@needs_shared
@pytest.mark.parametrize(
    ("name", "query"),
    [
        ("badArgument_from_too_early", {"verb": "ListRecords", **RAW_FORMAT, "from": "2000-01-01"}),
        (
            "badArgument_seconds",
            {"verb": "ListRecords", **RAW_FORMAT, "from": "2015-05-19T00:00:00Z"},
        ),
        ("badArgument_set", {"verb": "ListRecords", **RAW_FORMAT, "set": "cs.LG"}),
        (
            "badArgument_until_future",
            {"verb": "ListRecords", **RAW_FORMAT, "until": "2027-01-01"},
        ),
        ("badResumptionToken", {"verb": "ListRecords", "resumptionToken": "nonsense"}),
        ("badResumptionToken_wrongverb", None),
        ("badVerb", {"verb": "Nonsense"}),
        (
            "cannotDisseminateFormat",
            {"verb": "GetRecord", "identifier": "oai:arXiv.org:1007.5339", "metadataPrefix": "x"},
        ),
        ("idDoesNotExist", None),
        (
            "idDoesNotExist_badprefix",
            {"verb": "GetRecord", "identifier": "arXiv:1007.5339", **RAW_FORMAT},
        ),
        ("noRecordsMatch", None),
    ],
)
def test_errors_are_byte_for_byte_arxivs(
    client: httpx.Client, name: str, query: dict[str, str] | None
) -> None:
    """Each error reply is arXiv's; without a query here, it is the one the reply repeats."""
    expected = captured(f"error_{name}.xml")
    with ArxivServer(Library(), today=date(2026, 11, 20)) as server:
        reply = client.get(server.oai_url, params=query or repeated(expected))
    assert alike(reply.text) == alike(expected)


@needs_shared
def test_the_remaining_verbs_have_arxivs_shape(client: httpx.Client, server: ArxivServer) -> None:
    """The sets are arXiv's in arXiv's order; Identify says the same in the same order."""
    specs = re.findall(r"<setSpec>(.*?)</setSpec>", captured("listsets.xml"))
    assert [spec for spec, _ in list_sets()] == specs
    page = ask(client, server, verb="ListSets")
    assert [node.text for node in page.iter(f"{OAI}setSpec")] == specs
    ours = ask(client, server, verb="Identify")[2]
    theirs = etree.fromstring(captured("identify.xml").encode())[2]
    assert [node.tag for node in ours] == [node.tag for node in theirs][:-1]
    same = ("repositoryName", "protocolVersion", "earliestDatestamp", "granularity")
    for name in same:
        assert ours.findtext(f"{OAI}{name}") == theirs.findtext(f"{OAI}{name}")
    formats = ask(client, server, verb="ListMetadataFormats")
    prefixes = [node.text for node in formats.iter(f"{OAI}metadataPrefix")]
    assert prefixes == ["arXivRaw"]


# HTTP, and the faults.


def test_gzip_only_for_those_who_accept_it(server: ArxivServer) -> None:
    """The body is compressed on demand; the connection is kept."""
    query = {"verb": "ListRecords", **RAW_FORMAT}
    with httpx.Client() as client:
        packed = client.get(server.oai_url, params=query)
        plain = client.get(server.oai_url, params=query, headers={"Accept-Encoding": "identity"})
    assert packed.headers["content-encoding"] == "gzip"
    assert "content-encoding" not in plain.headers
    assert packed.content == plain.content
    assert int(packed.headers["content-length"]) < len(plain.content)
    assert "connection" not in packed.headers
    with ArxivServer(server.library, today=TODAY, gzip=False) as other:
        assert "content-encoding" not in httpx.get(other.oai_url).headers


def test_the_old_address_redirects(client: httpx.Client, server: ArxivServer) -> None:
    """`/oai2` answers 301 with the same query at `/oai`."""
    query = {"verb": "Identify"}
    reply = client.get(server.old_oai_url, params=query)
    assert reply.status_code == 301
    assert reply.headers["location"] == f"{server.oai_url}?verb=Identify"
    followed = client.get(server.old_oai_url, params=query, follow_redirects=True)
    assert "<Identify>" in followed.text
    assert client.get(f"{server.url}/rss").status_code == 404


def test_the_log_and_the_hook(client: httpx.Client, server: ArxivServer) -> None:
    """Requests are logged with their headers and times, and announced before the answer."""
    called: list[str] = []
    server.on_request = lambda seen: called.append(seen.query["verb"])
    began = time.monotonic()
    ask(client, server, verb="Identify")
    client.get(server.oai_url, params={"verb": "ListSets"}, headers={"User-Agent": "pith (x@y)"})
    assert called == ["Identify", "ListSets"]
    first, second = server.requests
    assert (first.method, first.path, first.query) == ("GET", "/oai", {"verb": "Identify"})
    assert second.headers["user-agent"] == "pith (x@y)"
    assert began <= first.at <= second.at <= time.monotonic()
    assert server.busiest == 1


@pytest.mark.parametrize(
    ("fault", "status", "header"),
    [
        (Unavailable("0"), 503, "0"),
        (Unavailable("Tue, 10 Mar 2026 05:11:00 GMT", 429), 429, "Tue, 10 Mar 2026 05:11:00 GMT"),
        (Unavailable(status=502), 502, None),
        (Forbidden(), 403, None),
        (Redirect("http://127.0.0.1:9/oai"), 302, None),
        (Garbage("html"), 200, None),
        (Garbage("broken"), 200, None),
        (Garbage("latin1"), 200, None),
        (Garbage("empty"), 200, None),
        (Truncate(0.6), 200, None),
        (Truncate(90), 200, None),
    ],
)
def test_faults_with_a_whole_reply(
    client: httpx.Client, server: ArxivServer, fault: Fault, status: int, header: str | None
) -> None:
    """The reply is well framed and bad once; the next is good."""
    server.order(fault)
    reply = client.get(server.oai_url, params={"verb": "ListRecords", **RAW_FORMAT})
    assert reply.status_code == status
    assert reply.headers.get("retry-after") == header
    with pytest.raises(etree.XMLSyntaxError):
        etree.fromstring(reply.content)
    assert server.pending == 0
    assert len(ids(records(client, server))) == 10


def test_a_truncated_page_fools_a_lenient_parser(client: httpx.Client, server: ArxivServer) -> None:
    """Cut before its token, a page read leniently is a shorter last page."""
    server.order(Truncate(0.6))
    reply = client.get(server.oai_url, params={"verb": "ListRecords", **RAW_FORMAT})
    lenient = etree.fromstring(reply.content, etree.XMLParser(recover=True))
    assert 0 < len(ids(lenient)) < 10
    assert lenient.find(f".//{OAI}resumptionToken") is None


@pytest.mark.parametrize("fault", [CutConnection(0.5), CutConnection(0), DropConnection()])
def test_faults_of_the_connection(client: httpx.Client, server: ArxivServer, fault: Fault) -> None:
    """A cut or dropped connection is an error to the client, who may connect again."""
    server.order(fault)
    with pytest.raises(httpx.RemoteProtocolError):
        records(client, server)
    assert len(ids(records(client, server))) == 10


def test_slow_first_byte(client: httpx.Client, server: ArxivServer) -> None:
    """A late reply trips the client's read timeout."""
    server.order(SlowFirstByte(30))
    with pytest.raises(httpx.ReadTimeout):
        client.get(server.oai_url, timeout=0.1)
    server.order(SlowFirstByte(0.1))
    began = time.monotonic()
    assert client.get(server.oai_url).status_code == 200
    assert time.monotonic() - began >= 0.1


def test_stopping_does_not_wait() -> None:
    """The stop ends a slow reply and closes idle connections at once."""
    with httpx.Client() as client:
        with ArxivServer(Library(), today=TODAY) as server:
            client.get(server.oai_url)
            server.order(SlowFirstByte(30))
            with pytest.raises(httpx.ReadTimeout):
                client.get(server.oai_url, timeout=0.05)
            began = time.monotonic()
        assert time.monotonic() - began < 1
        with pytest.raises(httpx.ConnectError):
            client.get(server.oai_url)


def test_simultaneous_requests_are_noticed(server: ArxivServer) -> None:
    """`busiest` tells a client of two connections from one of one."""
    server.order(SlowFirstByte(0.3))
    slow = threading.Thread(target=httpx.get, args=(server.oai_url,))
    slow.start()
    while not server.requests:
        time.sleep(0.005)
    httpx.get(server.oai_url)
    slow.join()
    assert server.busiest == 2


def test_oversized(client: httpx.Client, server: ArxivServer) -> None:
    """A huge reply is well-formed and, compressed, small on the wire."""
    server.order(Oversized(3_000_000))
    reply = client.get(server.oai_url, params={"verb": "ListRecords", **RAW_FORMAT})
    assert len(reply.content) == 3_000_000
    assert int(reply.headers["content-length"]) < 100_000
    assert len(ids(etree.fromstring(reply.content))) == 10


def test_a_cached_error_sticks_until_midnight(client: httpx.Client, server: ArxivServer) -> None:
    """The same URL keeps its error; another URL does not have it."""
    server.order(CachedError("noRecordsMatch"))
    for _ in range(3):
        assert code(records(client, server, from_=str(DAY))) == "noRecordsMatch"
    assert code(records(client, server, from_="2026-03-01")) is None
    server.today = TODAY + timedelta(days=1)
    assert code(records(client, server, from_=str(DAY))) is None
    server.order(CachedError("noRecordsMatch"))
    assert code(records(client, server)) == "noRecordsMatch"
    server.clear_cache()
    assert code(records(client, server)) is None


def test_orders_wait_for_their_request(client: httpx.Client, server: ArxivServer) -> None:
    """An order meets requests of its verb, lets some pass, and may last for several."""
    server.order(Forbidden(), on="ListRecords", skip=1, times=2)
    server.order(Unavailable(), on=lambda seen: "set" in seen.query)

    def status(**query: str) -> int:
        return client.get(server.oai_url, params=query).status_code

    assert status(verb="Identify") == 200
    asked = [status(verb="ListRecords", metadataPrefix="arXivRaw") for _ in range(4)]
    assert asked == [200, 403, 403, 200]
    assert status(verb="ListSets", set="cs") == 503
    assert server.pending == 0
    server.order(Forbidden())
    server.order(Unavailable())
    assert [status(verb="Identify") for _ in range(3)] == [403, 503, 200]
    server.order(Restamp(1, TODAY), Truncate(0.5))
    client.get(server.oai_url, params={"verb": "Identify"})
    assert [work.datestamp for work in server.library.works()].count(TODAY) == 1


def test_a_patient_client_survives_random_faults(client: httpx.Client, server: ArxivServer) -> None:
    """The mix is seeded, and passes."""
    mix = random_faults(5, requests=60, share=0.5, restamp_to=DAY)
    assert mix == random_faults(5, requests=60, share=0.5, restamp_to=DAY)
    assert mix != random_faults(6, requests=60, share=0.5, restamp_to=DAY)
    assert len({type(fault) for _, fault in mix}) > 4
    for skip, fault in mix:
        server.order(fault, skip=skip)
    query = {"verb": "ListRecords", **RAW_FORMAT}
    found: list[str] = []
    for _ in range(60):
        try:
            reply = client.get(server.oai_url, params=query)
            page = etree.fromstring(reply.raise_for_status().content)
        except (httpx.HTTPError, etree.XMLSyntaxError):
            continue
        found += ids(page)
        token = page.findtext(f".//{OAI}resumptionToken")
        if not token:
            break
        query = {"verb": "ListRecords", "resumptionToken": token}
    assert found == [work.id for work in server.library.works()]


def test_a_bug_of_the_server_fails_the_test(client: httpx.Client) -> None:
    """An error in the server's own thread is not lost."""
    server = ArxivServer(Library(), today=TODAY)
    server.__enter__()
    server.order(Vanish(("no such paper",)))
    with pytest.raises(httpx.RemoteProtocolError):
        client.get(server.oai_url)
    with pytest.raises(RuntimeError, match="test server"):
        server.__exit__(None, None, None)


def test_it_runs_as_a_process(client: httpx.Client) -> None:
    """It prints its address first and ends on SIGTERM."""
    command = [sys.executable, "-m", "arxiv_server", "--count", "20", "--page-size", "8"]
    env = os.environ | {"PYTHONPATH": str(TESTS)}
    with subprocess.Popen(command, env=env, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            url = process.stdout.readline().strip()
            query = {"verb": "ListRecords", **RAW_FORMAT}
            page = etree.fromstring(client.get(f"{url}/oai", params=query).content)
            assert len(ids(page)) == 8
        finally:
            process.send_signal(signal.SIGTERM)
        assert process.wait(5) == 0


# The Atom API.


def search(server: ArxivServer, **query: object) -> list[arxiv.Result]:
    """Ask with the public client, without its pauses."""
    public = arxiv.Client(page_size=15, delay_seconds=0, num_retries=0)
    public.query_url_format = server.atom_url + "?{}"
    return list(public.results(arxiv.Search(**query)))


def test_the_arxiv_package_reads_the_feed(server: ArxivServer) -> None:
    """The public client pages through a category and reads every field."""
    works = {work.id: work for work in server.library.works()}
    found = search(server, query="all:we")
    assert len(server.requests) == -(-len(found) // 15)
    listed = {work.id for work in works.values() if "cs.LG" in work.categories}
    results = search(server, query="cat:cs.LG")
    assert {result.get_short_id().rpartition("v")[0] for result in results} == listed
    for result in results:
        work = works[result.get_short_id().rpartition("v")[0]]
        assert result.entry_id == f"http://arxiv.org/abs/{work.id}v{work.newest.number}"
        assert result.primary_category == work.categories[0]
        assert tuple(result.categories) == work.categories
        assert result.published == work.versions[0].created
        assert result.updated == work.newest.created
        assert result.doi == work.doi
        assert len(result.authors) == work.authors.count(",") + 1


def test_the_feed_rewrites_tex(server: ArxivServer) -> None:
    """Accents and Greek become Unicode, even within mathematics."""
    work = server.library.works()[0]
    server.library.revise(
        work.id,
        TODAY,
        title='Schr\\"odinger and Erd\\H{o}s at $\\mu$KE',
        authors="\\'Eva M{\\\"u}ller and S{\\o}ren Fran\\c{c}ois",
    )
    (result,) = search(server, id_list=[work.id])
    assert result.title == "Schrödinger and Erdős at $μ$KE"
    names = [author.name for author in result.authors]
    assert names == ["Éva Müller", "Søren François"]
    assert [found.entry_id for found in search(server, query="ti:erdős AND ti:KE")] == [
        result.entry_id
    ]
    assert search(server, query="ti:erdős AND cat:nosuch.XX") == []


def test_ids_known_and_unknown(client: httpx.Client, server: ArxivServer) -> None:
    """A version may be named; an unknown id gives no entry, a malformed one HTTP 400."""
    work = next(work for work in server.library.works() if len(work.versions) > 1)
    (newest,) = search(server, id_list=[work.id])
    assert newest.entry_id.endswith(f"{work.id}v{work.newest.number}")
    (first,) = search(server, id_list=[f"{work.id}v1", "2101.99999"])
    assert first.entry_id.endswith(f"{work.id}v1")
    assert first.updated == first.published == work.versions[0].created
    assert search(server, id_list=[f"{work.id}v99"]) == []
    unknown = client.get(server.atom_url, params={"id_list": "0000.0000"})
    assert unknown.status_code == 200
    assert "totalResults>0<" in unknown.text
    assert "<entry>" not in unknown.text
    malformed = client.get(server.atom_url, params={"id_list": "abc"})
    assert malformed.status_code == 400
    assert "<summary>incorrect id format for abc</summary>" in malformed.text
    assert client.get(server.atom_url, params={"start": "-1"}).status_code == 400
    with pytest.raises(arxiv.HTTPError):
        search(server, id_list=["abc"])


def test_sorting_and_slices(client: httpx.Client, server: ArxivServer) -> None:
    """Results sort by either date; a slice holds 2,000 at most."""
    found = search(server, query="all:we", sort_by=arxiv.SortCriterion.SubmittedDate)
    published = [result.published for result in found]
    assert published == sorted(published, reverse=True)
    found = search(
        server,
        query="all:we",
        sort_by=arxiv.SortCriterion.LastUpdatedDate,
        sort_order=arxiv.SortOrder.Ascending,
    )
    updated = [result.updated for result in found]
    assert updated == sorted(updated)
    assert len(set(updated)) > 10
    model = server.library.works()[0]
    server.library.add(*(replace(model, id=f"9901.{n:05d}") for n in range(2010)))
    many = {"search_query": f"cat:{model.categories[0]}", "max_results": "3000"}
    assert client.get(server.atom_url, params=many).text.count("<entry>") == 2000
    many["max_results"] = "30001"
    assert client.get(server.atom_url, params=many).status_code == 400


@needs_shared
def test_feeds_have_the_apis_shape(client: httpx.Client, server: ArxivServer) -> None:
    """Feeds and entries hold the same elements in the same order as captured ones."""

    def shape(node: etree._Element) -> list[str]:
        tags = [str(child.tag) for child in node]
        return [tag for n, tag in enumerate(tags) if n == 0 or tag != tags[n - 1]]

    atom = "{http://www.w3.org/2005/Atom}"
    model = server.library.works()[0]
    full = replace(model, comments="c", journal_ref="j", doi="10.5555/1")
    server.library.add(full)
    page = etree.fromstring((ARXIV / "atom" / "atom_search_page_2026-04.xml").read_bytes())
    ours = etree.fromstring(client.get(server.atom_url, params={"id_list": full.id}).content)
    assert shape(ours) == shape(page)
    assert shape(ours.findall(f"{atom}entry")[0]) == shape(page.findall(f"{atom}entry")[0])
    error = etree.fromstring((ARXIV / "atom" / "atom_error_HTTP400_2026-04.xml").read_bytes())
    bad = etree.fromstring(client.get(server.atom_url, params={"id_list": "abc"}).content)
    assert shape(bad) == shape(error)
    assert shape(bad.findall(f"{atom}entry")[0]) == shape(error.findall(f"{atom}entry")[0])
