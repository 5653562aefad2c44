"""Strict reading of arXivRaw replies: papers, rejects, and what is no reply at all."""

import os
import resource
from datetime import UTC, date, datetime

import pytest
from support.papers.oai_pages import CLOSE, OPEN, error, page, record, version
from support.paths import ROOT, SHARED

from transforms.parsing import oai_xml
from transforms.parsing.arxiv_xml import parse_page
from transforms.parsing.oai_xml import OaiError, PageError

SAMPLE = ROOT / "data" / "sample" / "oai-page.xml"
REPLIES = SHARED / "arxiv"


def test_a_record_gives_its_paper() -> None:
    versions = version(1) + version(2, "Wed, 2 Feb 2011 00:49:18 GMT", "0kb", "I")
    only = record(versions=versions, title="Two\n  lines", comments="3 pages", license="")
    parsed = parse_page(page(only, token=""))
    (paper,) = parsed.papers
    assert (paper.id, paper.version, paper.withdrawn) == ("0903.0442", 2, True)
    assert paper.submitted_at == datetime(2009, 3, 3, 4, 22, 14, tzinfo=UTC)
    assert paper.versions[1].created == datetime(2011, 2, 2, 0, 49, 18, tzinfo=UTC)
    assert (paper.title, paper.license, paper.comments) == ("Two lines", "", "3 pages")
    assert paper.categories == ("cs.LG", "stat.ML")
    assert paper.datestamp == date(2011, 2, 3)


@pytest.mark.parametrize("token", [None, "", "verb%3DListRecords%26skip%3D3"])
def test_the_token_tells_one_page_the_last_page_and_a_next_page(token: str | None) -> None:
    assert parse_page(page(record(), token=token)).resumption_token == token


BROKEN = {
    "no title": (record(title=""), "no title"),
    "no version": (record(versions=""), "no version 1"),
    "bad date": (record(versions=version(1, "yesterday")), "date of v1: 'yesterday' is not"),
    "impossible date": (record(versions=version(1, "Tue, 31 Feb 2009 04:22:14 GMT")), "day"),
    "bad version": (record(versions=version(1).replace("v1", "one")), "'one' is not a version"),
    "bad id": (record("../../etc/passwd"), "is not an arXiv id"),
    "bad datestamp": (record(datestamp="soon"), "datestamp 'soon' is not a day"),
    "two titles": (record(journal="x").replace("<journal>x</journal>", "<title>B</title>"),
                   "two elements title"),
    "markup": (record(title="@").replace("@", "a <b>bold</b> title"), "markup or an entity"),
    "other id": (record().replace("<id>0903.0442", "<id>0903.0443"), "names another id"),
    "other format": (record().replace("OAI/arXivRaw/", "OAI/arXiv/"), "format arXivRaw, not"),
    "no metadata": ("<record><header/></record>\n", "without header or metadata"),
    "huge field": (record(title="x" * 1_000_001), "more than 1000000"),
}  # fmt: skip


@pytest.mark.parametrize("name", BROKEN)
def test_a_broken_record_is_a_reject_and_the_others_go_on(name: str) -> None:
    broken, reason = BROKEN[name]
    parsed = parse_page(page(record("2201.00001"), broken, record("2201.00002"), token="t"))
    assert [paper.id for paper in parsed.papers] == ["2201.00001", "2201.00002"]
    (reject,) = parsed.rejects
    assert reject.position == 1
    assert reason in reject.reason
    assert reject.raw == broken.strip().encode()
    assert parsed.resumption_token == "t"


@pytest.mark.parametrize(
    "damage", [b"\x01", b"\xff\xfe", b"&nosuch;", b"<open>", b"x" * 11_000_000]
)
def test_a_record_that_is_not_xml_is_a_reject_when_all_around_it_is_whole(damage: bytes) -> None:
    broken = record("2201.00009").encode().replace(b"An abstract", damage)
    parsed = parse_page(
        page(record("2201.00001"), "@", record("2201.00002"), token="t").replace(b"@", broken)
    )
    assert [paper.id for paper in parsed.papers] == ["2201.00001", "2201.00002"]
    assert [(reject.position, reject.raw) for reject in parsed.rejects] == [(1, broken.strip())]
    assert parsed.resumption_token == "t"


def test_a_page_cut_anywhere_is_an_error() -> None:
    whole = page(record("2201.00001"), record("2201.00002"), token="next").rstrip()
    for end in range(len(whole)):
        with pytest.raises(PageError):
            parse_page(whole[:end])


def test_a_record_that_swallowed_the_next_is_an_error() -> None:
    whole = page(record("2201.00001"), record("2201.00002"), record("2201.00003"))
    with pytest.raises(PageError):
        parse_page(whole.replace(b"</record>", b"", 1))


BOMB = (
    '<?xml version="1.0"?><!DOCTYPE OAI-PMH [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;&a;&a;&a;">'
    '<!ENTITY c "&b;&b;&b;&b;&b;&b;">]><OAI-PMH xmlns="http://www.openarchives.org/OAI/2.0/">'
    "<ListRecords>&c;</ListRecords></OAI-PMH>"
)
NO_PAGES = {
    "nothing": (b"", "empty"),
    "blanks": (b" \n", "empty"),
    "text": (b"Service unavailable", "not whole or not well-formed"),
    "HTML": (b"<html><body><p>Rate exceeded</p></body></html>", "root element is 'html'"),
    "broken HTML": (b"<html><body><p>Rate exceeded<br></body></html>", "not well-formed"),
    "entity bomb": (BOMB.encode(), "document type"),
    "entity bomb in UTF-16": (BOMB.encode("utf-16"), "document type"),
    "external entity": (
        b'<!DOCTYPE x [<!ENTITY f SYSTEM "file:///etc/passwd">]><x>&f;</x>', "document type"),
    "no records": (f"{OPEN}<Identify/>{CLOSE}".encode(), "does not answer ListRecords"),
}  # fmt: skip


@pytest.mark.parametrize("name", NO_PAGES)
def test_what_is_no_page_says_so(name: str) -> None:
    data, reason = NO_PAGES[name]
    with pytest.raises(PageError, match=reason):
        parse_page(data)


def test_a_page_beyond_the_limit_is_refused_unread(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(oai_xml, "MAX_PAGE_BYTES", 100)
    with pytest.raises(PageError, match="more than the 100"):
        parse_page(page(record()))


def test_an_error_reply_is_its_code() -> None:
    with pytest.raises(OaiError, match="noRecordsMatch: none here") as caught:
        parse_page(error("noRecordsMatch", "none here"))
    assert caught.value.code == "noRecordsMatch"


def test_many_rejects_cost_no_more_than_many_papers() -> None:
    parsed = parse_page(page(*[record(title="")] * 2000))
    assert len(parsed.rejects) == 2000


def test_the_sample_holds_the_hard_cases() -> None:
    parsed = parse_page(SAMPLE.read_bytes())
    papers = {paper.id: paper for paper in parsed.papers}
    assert len(papers) == 9
    assert papers["math/0501999"].license == ""
    assert papers["2201.99901"].withdrawn
    assert papers["2201.99902"].version == 12
    assert papers["2201.99902"].abstract.count("\n  ") == 2
    assert not papers["2201.99903"].title.isascii()
    assert [reject.arxiv_id for reject in parsed.rejects] == ["2201.99904"]


@pytest.mark.skipif(not REPLIES.exists(), reason=f"arXiv's own replies are not at {REPLIES}")
def test_arxivs_own_replies_are_read() -> None:
    seen = {}
    for reply in sorted([*REPLIES.glob("oai_server/*.xml"), *REPLIES.glob("captured/*.xml")]):
        if reply.name.startswith("error_"):
            with pytest.raises(OaiError) as caught:
                parse_page(reply.read_bytes())
            assert reply.name.startswith(f"error_{caught.value.code}")
        elif reply.name.startswith(("identify", "listm", "lists", "09_", "10_")):
            with pytest.raises(PageError):
                parse_page(reply.read_bytes())
        else:
            parsed = parse_page(reply.read_bytes())
            is_raw = "_raw_" in reply.name or "arXivRaw" in reply.name
            assert bool(parsed.papers) == is_raw, reply.name
            assert all("not arXivRaw" in reject.reason for reject in parsed.rejects)
            seen.update({paper.id: paper for paper in parsed.papers})
    assert seen["1101.0600"].version == 25
    assert seen["0903.0442"].withdrawn
    assert seen["cs/0001024"].license == ""
    assert seen["1304.4214"].abstract.startswith("Neutron scattering is a powerful probe of")
    assert seen["1810.09584"].authors.endswith(r"\'Edgar Rold\'an")
    assert "\n" not in seen["1304.4214"].abstract


@pytest.mark.long
def test_the_memory_of_a_page_is_given_back() -> None:
    data = page(*(record(f"2201.{number:05}") for number in range(1300)))
    for _ in range(5):
        parse_page(data)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    for _ in range(1000 if os.environ.get("FULL") else 60):
        parse_page(data)
    grown_kib = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
    assert grown_kib < 8 * 1024


@pytest.mark.parametrize(
    ("said", "size"),
    [
        ("70", 70), (" 70 ", 70), ("0", 0), ("", None), ("-1", None), ("7e9", None),
        ("\u0667\u0660", None), ("9" * 9, 999_999_999), ("9" * 10, None), ("9" * 100_000, None),
    ],
)  # fmt: skip
def test_the_size_of_a_list_is_what_the_server_says_where_that_is_a_number(
    said: str, size: int | None
) -> None:
    whole = page(record(), token="next")
    assert parse_page(whole).list_size is None
    attribute = f'<resumptionToken completeListSize="{said}">'.encode()
    found = parse_page(whole.replace(b"<resumptionToken>", attribute))
    assert (found.list_size, found.resumption_token) == (size, "next")
    # Beside a record that is not well-formed too.
    broken = page(record(), record("2201.00002").replace("<title>", "<title>&nbsp;"), token="next")
    found = parse_page(broken.replace(b"<resumptionToken>", attribute))
    assert (found.list_size, len(found.rejects)) == (size, 1)
