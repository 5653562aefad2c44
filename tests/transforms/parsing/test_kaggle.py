"""Rows of the Kaggle snapshot: the same paper as from OAI, or a reason why not."""

import json
from collections.abc import Iterator
from dataclasses import fields, replace
from datetime import UTC, date, datetime
from typing import Any

import pytest
from support.papers.oai_pages import page, record, version
from support.papers.snapshot_rows import DATE, line, older_row, row
from support.paths import SHARED

from transforms import BadPaperError, Paper, Version, pith_number
from transforms.bundle.record import canonical_record
from transforms.parsing.arxiv_xml import parse_page
from transforms.parsing.kaggle import claimed_id, parse_line
from transforms.parsing.oai_xml import OaiError

ROWS = SHARED / "arxiv" / "kaggle"
needs_rows = pytest.mark.skipif(not ROWS.is_dir(), reason=f"the real rows are not in {ROWS}")
REPLIES = sorted((SHARED / "arxiv").glob("*/*.xml"))

TWO_DATES = ("Tue, 3 Mar 2009 04:22:14 GMT", "Wed, 2 Feb 2011 00:49:18 GMT")
FIELDS = {
    "submitter": "Ren\\'e Nobody",
    "authors": "Ren\\'e Nobody (1), Zo\u00eb Nowhere (2) ((1) Here, (2) There)",
    "comments": "3 pages, 2 figures",
    "journal-ref": "J. Inv. Res. 1 (2010) 2--3",
    "doi": "10.1000/one 10.1000/two",
    "report-no": "INV-10-1",
    "categories": "math-ph hep-th math.MP",
    "license": "http://creativecommons.org/licenses/by/4.0/",
}
WRAPPED = {
    "title": "On $\\alpha$-stars and\n  their neighbours",
    "abstract": '  We show $x^2$ in\nthe plane.\n  A second paragraph, with\nna\\"ive words.\n',
}
UNWRAPPED = {
    "title": "On $\\alpha$-stars and their neighbours",
    "abstract": 'We show $x^2$ in the plane.\n  A second paragraph, with na\\"ive words.',
}


def as_in_a_row(paper: Paper) -> Paper:
    """Take away what the snapshot has not: sizes, source types, the MSC class."""
    versions = tuple(Version(version.number, version.created) for version in paper.versions)
    return replace(paper, versions=versions, msc_class=None, acm_class=None)


def rows(name: str) -> Iterator[tuple[dict[str, Any], Paper]]:
    for read in (ROWS / name).read_bytes().splitlines():
        yield json.loads(read), parse_line(read)


@pytest.mark.parametrize("in_oai", [WRAPPED, UNWRAPPED], ids=["oai old", "oai new"])
@pytest.mark.parametrize("in_row", [WRAPPED, UNWRAPPED], ids=["row old", "row new"])
def test_a_row_and_an_oai_record_give_the_same_paper(
    in_oai: dict[str, str], in_row: dict[str, str]
) -> None:
    versions = "".join(version(n, created, "16kb", "D") for n, created in enumerate(TWO_DATES, 1))
    oai = record(versions=versions, **{"msc-class": "35L45"}, **FIELDS, **in_oai)
    (from_oai,) = parse_page(page(oai)).papers
    created = [{"version": f"v{n}", "created": day} for n, day in enumerate(TWO_DATES, 1)]
    from_row = parse_line(line(row(versions=created, **FIELDS, **in_row)))
    absent = {"versions", "msc_class", "acm_class"}
    for name in {field.name for field in fields(Paper)} - absent:
        assert getattr(from_row, name) == getattr(from_oai, name) is not None, name
    assert from_row == as_in_a_row(from_oai)
    assert from_row.versions[0].size is None
    assert from_oai.versions[0].size == "16kb"
    assert pith_number(canonical_record(from_row)) == pith_number(canonical_record(from_oai))


def test_an_older_row_gives_the_same_paper_but_for_licence_and_day() -> None:
    created = [{"version": f"v{n}", "created": day} for n, day in enumerate(TWO_DATES, 1)]
    current = parse_line(line(row(versions=created, **FIELDS, **WRAPPED)))
    fields: dict[str, Any] = FIELDS | WRAPPED | {"categories": [FIELDS["categories"]]}
    older = parse_line(line(older_row(versions=["v1", "v2"], versions_dates=TWO_DATES, **fields)))
    assert older == replace(current, license="", datestamp=None)


@pytest.mark.skipif(not REPLIES, reason=f"arXiv's own replies are not in {SHARED}")
def test_real_records_written_as_rows_give_the_same_papers() -> None:
    # No paper is there in both forms, so the rows are written from the replies.
    compared = 0
    for reply in REPLIES:
        try:
            papers = parse_page(reply.read_bytes()).papers
        except (OaiError, ValueError):
            continue
        for paper in papers:
            compared += 1
            assert parse_line(line(written_as_row(paper))) == as_in_a_row(paper)
    assert compared > 10


def written_as_row(paper: Paper) -> dict[str, Any]:
    return {
        "id": paper.id,
        "submitter": paper.submitter,
        "authors": paper.authors,
        "title": paper.title,
        "comments": paper.comments,
        "journal-ref": paper.journal_ref,
        "doi": paper.doi,
        "report-no": paper.report_no,
        "categories": " ".join(paper.categories),
        "license": paper.license or None,
        "abstract": f"  {paper.abstract}\n",
        "versions": [
            {"version": f"v{v.number}", "created": f"{v.created:%a, %d %b %Y %H:%M:%S} GMT"}
            for v in paper.versions
        ],
        "update_date": paper.datestamp and paper.datestamp.isoformat(),
    }


@needs_rows
def test_the_first_rows_of_the_snapshot() -> None:
    papers = {paper.id: paper for _, paper in rows("snapshot_first200.jsonl")}
    assert len(papers) == 200
    first = papers["0704.0001"]
    assert first.title == (
        "Calculation of prompt diphoton production cross sections at Tevatron and LHC energies"
    )
    assert first.authors == "C. Bal\\'azs, E. L. Berger, P. M. Nadolsky, C.-P. Yuan"
    assert first.abstract.startswith("A fully differential calculation in perturbative quantum")
    assert first.abstract.endswith("selection of events.")
    assert "\n" not in first.abstract
    assert first.versions == (
        Version(1, datetime(2007, 4, 2, 19, 18, 42, tzinfo=UTC)),
        Version(2, datetime(2007, 7, 24, 20, 10, 27, tzinfo=UTC)),
    )
    assert (first.license, first.categories) == ("", ("hep-ph",))
    assert (first.submitter, first.doi) == ("Pavel Nadolsky", "10.1103/PhysRevD.76.013009")
    assert (first.journal_ref, first.report_no) == ("Phys.Rev.D76:013009,2007", "ANL-HEP-PR-07-12")
    assert first.comments == "37 pages, 15 figures; published version"
    assert first.datestamp == date(2008, 11, 26)
    second = papers["0704.0002"]
    assert second.license == "http://arxiv.org/licenses/nonexclusive-distrib/1.0/"
    assert (second.categories, second.version) == (("math.CO", "cs.CG"), 2)
    assert (second.journal_ref, second.doi, second.report_no) == (None, None, None)
    assert sum(" " in (paper.doi or "") for paper in papers.values()) == 2


@needs_rows
@pytest.mark.parametrize("name", ["snapshot_first200.jsonl", "older_schema_6rows.jsonl"])
def test_every_row_gives_its_own_values(name: str) -> None:
    for read, paper in rows(name):
        assert (paper.id, paper.license) == (read["id"], read.get("license") or "")
        assert paper.submitter == read["submitter"]
        assert (paper.datestamp and paper.datestamp.isoformat()) == read.get("update_date")
        assert len(paper.versions) == paper.version == len(read["versions"])
        assert paper.submitted_at == min(version.created for version in paper.versions)
        assert " ".join(paper.categories) in (read["categories"], *read["categories"])
        assert "\n" not in paper.title + paper.authors
        for shown, given in ((paper.title, read["title"]), (paper.abstract, read["abstract"])):
            assert shown.split() == given.split()
        assert paper.abstract == paper.abstract.strip()


@needs_rows
def test_the_rows_of_the_older_schema() -> None:
    papers = {paper.id: paper for _, paper in rows("older_schema_6rows.jsonl")}
    assert len(papers) == 6
    assert papers["math/9201201"].submitter is None
    assert papers["math/9201201"].submitted_at == datetime(1992, 1, 6, 16, 29, 58, tzinfo=UTC)
    assert papers["0704.0002"].categories == ("math.CO", "cs.CG")
    assert papers["0801.0495"].abstract.count("\n  ") == 4
    newer = {paper.id: paper for _, paper in rows("snapshot_first200.jsonl")}
    for arxiv_id in ("0704.0001", "0704.0002", "0704.0003"):
        assert papers[arxiv_id] == replace(newer[arxiv_id], license="", datestamp=None)


def without(name: str) -> dict[str, Any]:
    return {key: value for key, value in row().items() if key != name}


def dated(created: object) -> dict[str, Any]:
    return row(versions=[{"version": "v1", "created": created}])


BROKEN = {
    "empty": (b"", "not JSON: "),
    "cut": (line(row())[:300], "not JSON: "),
    "two rows on one line": (line(row()).strip() * 2, "not JSON: "),
    "NaN": (b'{"id":NaN}', "not JSON: "),
    "deep": (b"[" * 100_000, "not JSON: "),
    "invalid UTF-8": (line(row()).replace(b"title", b"t\xeftle"), "not UTF-8"),
    "Latin-1": ('{"id":"é"}'.encode("latin-1"), "not UTF-8"),
    "lone surrogate": (line(row(title="\ud800")), "not JSON: "),
    "a list": (b"[1]", "not a JSON object but a list"),
    "a string": (b'"text"', "not a JSON object but a string"),
    "null": (b"null", "not a JSON object but null"),
    "no id": (line(without("id")), "no id"),
    "no title": (line(without("title")), "no title"),
    "no abstract": (line(without("abstract")), "no abstract"),
    "no authors": (line(without("authors")), "no authors"),
    "no categories": (line(without("categories")), "no categories"),
    "no versions": (line(without("versions")), "no versions"),
    "no license": (line(without("license")), "no license"),
    "title null": (line(row(title=None)), "no title"),
    "title empty": (line(row(title=" \n")), "title is empty"),
    "id a number": (line(row() | {"id": 704.0001}), "id is a number, not a string"),
    "id with version": (line(row("0704.0001v2")), "'0704.0001v2' is not an arXiv id"),
    "id a path": (line(row("../../etc/passwd")), "is not an arXiv id"),
    "title a list": (line(row(title=["x"])), "title is a list, not a string"),
    "license a boolean": (line(row(license=False)), "license is a boolean, not a string"),
    "comments an object": (line(row(comments={})), "comments is an object, not a string"),
    "categories a list": (line(row(categories=["cs.LG"])), "categories is a list, not a string"),
    "category bad": (line(row(categories="cs.LG ../x")), "'../x' is not an arXiv category"),
    "versions empty": (line(row(versions=[])), "no version 1"),
    "versions a string": (line(row(versions="v1")), "versions is a string, not a list"),
    "version a string": (line(row(versions=["v1"])), "a version is a string, not an object"),
    "version without name": (
        line(row(versions=[{"created": DATE}])),
        "number is null, not",
    ),
    "version v0": (line(row(versions=[{"version": "v0", "created": DATE}])), "is not a version"),
    "version date null": (line(dated(None)), "date of v1: null, not a string"),
    "version date ISO": (line(dated("2009-03-03")), "date of v1: '2009-03-03' is not a date"),
    "version date impossible": (line(dated(DATE.replace("03 Mar", "31 Feb"))), "date of v1: day"),
    "day a number": (line(row(update_date=2011)), "update_date is a number, not a string"),
    "day impossible": (line(row(update_date="2011-02-30")), "update_date '2011-02-30' is not"),
    "day of a week": (line(row(update_date="2011-W05-4")), "update_date '2011-W05-4' is not"),
    "older, dates short": (line(older_row(versions_dates=[])), "1 versions but 0 dates"),
    "older, dates null": (line(older_row(versions_dates=None)), "no versions_dates"),
    "older, category a number": (line(older_row(categories=[1])), "categories is not a list of"),
    "older, version an object": (
        line(older_row(versions=[{}])),
        "number is an object",
    ),
}


@pytest.mark.parametrize(("broken", "reason"), BROKEN.values(), ids=BROKEN)
def test_a_bad_row_is_refused_with_a_reason(broken: bytes, reason: str) -> None:
    with pytest.raises(BadPaperError) as caught:
        parse_line(broken)
    assert reason in str(caught.value)
    assert len(str(caught.value)) < 200
    assert "\n" not in str(caught.value)


def test_versions_keep_the_order_of_the_file_which_must_rise() -> None:
    listed = [{"version": "v2", "created": DATE}, {"version": "v1", "created": DATE}]
    with pytest.raises(BadPaperError, match="no version 1"):
        parse_line(line(row(versions=listed)))
    gap = [{"version": "v1", "created": DATE}, {"version": "v3", "created": DATE}]
    assert [v.number for v in parse_line(line(row(versions=gap))).versions] == [1, 3]


def test_a_refused_row_still_tells_its_id_where_it_can() -> None:
    assert claimed_id(line(row("math/9201201", title=None))) == "math/9201201"
    for unreadable in (b"{", b"\xff", b"[]", b"{}", b"7", b'{"id":7}', b'{"id":"../x"}'):
        assert claimed_id(unreadable) is None
