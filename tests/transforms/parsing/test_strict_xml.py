"""XML that is whole, in UTF-8 and no more than data needs; and where its elements stand."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lxml import etree
from support.papers.oai_pages import CLOSE, OPEN, page, record

from transforms.parsing import strict_xml
from transforms.parsing.arxiv_xml import parse_page
from transforms.parsing.oai_lists import parse_identifiers
from transforms.parsing.oai_xml import MAX_TOKEN, OAI, PageError
from transforms.parsing.strict_xml import NotStrictXmlError, element_spans, parse_xml

PIECES = [
    "<record/>", "<record>a</record>", "<record a='>' b=\"/>\" />", "<x:record>&lt;</x:record>",
    "<record>\n<record/></record\n>", "<!-- <record> -->", "<![CDATA[<record>]]>",
    "<?p <record>?>",
    "<recorded/>", "<x:r>a</x:r>", "<records></records>", "é]]&gt;", "<r a='!--'/>",
    "<record a='&lt;/record&gt;'/>",
]  # fmt: skip


@given(st.lists(st.sampled_from(PIECES), max_size=12))
def test_the_spans_are_those_of_the_elements(pieces: list[str]) -> None:
    data = f"<root xmlns:x='y'>{''.join(pieces)}</root>".encode()
    spans = element_spans(data, "record")
    elements = [e for e in parse_xml(data) if etree.QName(e).localname == "record"]
    assert len(spans) == len(elements)
    for span, element in zip(spans, elements, strict=True):
        alone = parse_xml(b"<root xmlns:x='y'>%s</root>" % span)[0]
        assert (alone.tag, alone.text, sorted(alone.items()), len(alone)) == (
            element.tag, element.text, sorted(element.items()), len(element),
        )  # fmt: skip


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-32", "latin-1", "cp037"])
def test_only_utf_8_is_read(encoding: str) -> None:
    data = f'<?xml version="1.0" encoding="{encoding}"?><a>é&lt;</a>'.encode(encoding)
    with pytest.raises(NotStrictXmlError):
        parse_xml(data)


def test_utf_8_may_have_a_byte_order_mark() -> None:
    assert parse_xml("\ufeff<a>é</a>".encode()).text == "é"


@pytest.mark.parametrize("piece", [b"<a/>", b"<a b='c'/>"])
def test_more_markup_than_a_reply_needs_is_refused_unread(
    piece: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(strict_xml, "MAX_MARKUP", 100)
    count = 98 // (piece.count(b"<") + piece.count(b"="))
    assert len(parse_xml(b"<r>" + piece * count + b"</r>")) == count
    with pytest.raises(NotStrictXmlError, match="more than 100 tags and attributes"):
        parse_xml(b"<r>" + piece * (count + 2) + b"</r>")


def test_a_record_in_a_comment_is_none() -> None:
    """Neither where all is well-formed, nor where another one is not."""
    hidden = f"<!-- {record('2201.00009')} -->"
    for broken in (record(title=""), record("2201.00008").replace("</id>", "&x;</id>")):
        parsed = parse_page(page(record("2201.00001"), hidden, broken, record("2201.00002")))
        assert [paper.id for paper in parsed.papers] == ["2201.00001", "2201.00002"]
        assert [reject.raw for reject in parsed.rejects] == [broken.strip().encode()]
        assert [reject.position for reject in parsed.rejects] == [1]


def test_a_reject_is_kept_as_it_came_however_it_is_written() -> None:
    odd = "<o:record\n xmlns:o='http://www.openarchives.org/OAI/2.0/' a='>'>é<!-- > --></o:record >"
    parsed = parse_page(page(record("2201.00001"), odd, record("2201.00002")))
    assert [reject.raw for reject in parsed.rejects] == [odd.encode()]


def test_records_outside_their_list_are_told_where_a_reject_would_be_mistaken() -> None:
    outside = f"<about>{record('2201.00009')}</about><ListRecords>".encode()
    data = page(record("2201.00001"), record(title="")).replace(b"<ListRecords>", outside)
    with pytest.raises(PageError, match="record outside the list of them"):
        parse_page(data)


def test_headers_in_odd_places_are_no_headers() -> None:
    header = "<header><identifier>x</identifier></header>"
    inside = f"<!-- {header} --><x><y>{header}</y></x>"
    reply = f"{OPEN}<ListIdentifiers>{header}@</ListIdentifiers>{CLOSE}"
    (reject,) = parse_identifiers(reply.replace("@", f"<!-- {header} -->").encode()).rejects
    assert reject.raw == header.encode()
    with pytest.raises(PageError, match="header outside the list"):
        parse_identifiers(reply.replace("@", inside).encode())


def test_a_token_that_no_address_could_hold_is_an_error() -> None:
    assert parse_page(page(record(), token="x" * MAX_TOKEN)).resumption_token
    with pytest.raises(PageError, match="a resumption token of 2001 characters, more than 2000"):
        parse_page(page(record(), token="x" * (MAX_TOKEN + 1)))


def test_an_error_reply_is_quoted_in_short() -> None:
    error = f"{OPEN}<error code='{'c' * 9000}'>{'m ' * 9000}</error>{CLOSE}"
    with pytest.raises(Exception, match="ccc") as caught:
        parse_page(error.encode())
    assert len(str(caught.value)) < 1000
    assert OAI in str(parse_xml(f"{OPEN}{CLOSE}".encode()).tag)


def test_whitespace_between_elements_is_dropped_and_within_a_text_kept() -> None:
    root = parse_xml(b"<r>\n  <a> </a>\n <b>x <!-- c --> y</b> <c>\n</c> <d>&#32;</d>\n</r>")
    assert [child.text for child in root] == [" ", "x  y", "\n", " "]
    assert (root.text, [child.tail for child in root]) == (None, [None] * 4)
