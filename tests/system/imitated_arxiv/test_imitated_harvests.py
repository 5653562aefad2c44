"""Harvests from the imitated arXiv, against what is known of the real one."""

from datetime import UTC, date, datetime, timedelta

import httpx
import pytest
from arxiv_server import (
    ArxivServer,
    Restamp,
    Vanish,
    make_library,
    set_of,
)
from lxml import etree
from support.papers.oai_client import (
    DAY,
    OAI,
    RAW,
    RAW_FORMAT,
    TODAY,
    ask,
    code,
    harvest,
    ids,
    records,
)

pytestmark = pytest.mark.process


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
