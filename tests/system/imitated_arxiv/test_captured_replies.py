"""The imitated arXiv against replies of the real one, byte for byte."""

import re
from dataclasses import replace
from datetime import UTC, date, datetime

import httpx
import pytest
from arxiv_server import ArxivServer, Library, Version, Work
from arxiv_server.services.sets import list_sets
from lxml import etree
from support.papers.captured import ARXIV, needs_shared
from support.papers.oai_client import OAI, RAW, RAW_FORMAT, ask

pytestmark = pytest.mark.process


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
