"""OAI-PMH replies of arXiv in the `arXivRaw` format: bytes to papers and rejects.

Sources: OAI-PMH 2.0, section 4; arXiv's `arXivRaw.xsd`.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date

from lxml import etree

from transforms.paper.paper import BadPaperError, Paper, Reject, Version, make_paper, make_version
from transforms.parsing.oai_xml import (
    ID_PREFIX,
    OAI,
    PageError,
    check_size,
    claimed_day,
    claimed_id,
    find_answer,
    parse_day,
    parse_reply,
    read_header,
    read_list_size,
    read_token,
    sources_of,
)

_RAW = "{http://arxiv.org/OAI/arXivRaw/}"
_OPEN_RECORD, _CLOSE_RECORD = b"<record>", b"</record>"
_ENVELOPE = b'<OAI-PMH xmlns="http://www.openarchives.org/OAI/2.0/">%s</OAI-PMH>'
_VERBS = ("ListRecords", "GetRecord")
_FIELDS = {
    "id": "arxiv_id",
    "title": "title",
    "abstract": "abstract",
    "authors": "authors",
    "categories": "categories",
    "license": "license_url",
    "submitter": "submitter",
    "comments": "comments",
    "journal-ref": "journal_ref",
    "doi": "doi",
    "report-no": "report_no",
    "msc-class": "msc_class",
    "acm-class": "acm_class",
}
_RECORD_TAG, _HEADER_TAG, _METADATA_TAG = f"{OAI}record", f"{OAI}header", f"{OAI}metadata"
_RAW_TAG = f"{_RAW}arXivRaw"
_VERSION_TAG = f"{_RAW}version"
_DATE_TAG, _SIZE_TAG, _SOURCE_TYPE_TAG = f"{_RAW}date", f"{_RAW}size", f"{_RAW}source_type"
_ANY_RAW_TAG = f"{_RAW}*"
_FIELD_OF_TAG = {f"{_RAW}{element}": name for element, name in _FIELDS.items()}
_NO_FIELDS: dict[str, str | None] = dict.fromkeys(_FIELDS.values())

_LOCAL_NAME = etree.XPath("local-name()")

_Refusal = tuple[int, str | None, date | None, str]
"""A record's position, the id and the day that its header claims, and why it is refused."""


@dataclass(frozen=True, slots=True)
class Page:
    """One `ListRecords` or `GetRecord` reply.

    `resumption_token` is None where the reply has none (a list of one page), `""` on the last page
    of several, else what fetches the next page. `list_size` is how many records the whole list has,
    where the server says it.
    """

    papers: list[Paper]
    rejects: list[Reject]
    resumption_token: str | None
    list_size: int | None = None


def parse_page(data: bytes) -> Page:
    """Return one reply; a record that cannot be used becomes a reject and the others go on.

    Raises `PageError` for a reply that is not whole, and `OaiError` for an error reply.
    """
    check_size(data)  # first, since a broken reply is searched as text
    try:
        root = parse_reply(data)
    except PageError as error:
        return _salvage(data, error)
    listing = find_answer(root, *_VERBS)
    records = listing.findall(_RECORD_TAG)
    papers, refused = _read(enumerate(records))
    rejects = _rejects(refused, sources_of(data, records, "record") if refused else [])
    return Page(papers, rejects, read_token(listing), read_list_size(listing))


def _salvage(data: bytes, cause: PageError) -> Page:
    """Return a reply in which some record is not well-formed but everything around them is whole.

    One such record would otherwise stop every harvest of its day. The skeleton without the records
    must parse strictly, and no span may have swallowed the start of another record.
    """
    ends = list(_record_ends(data))
    spans = [data[start:end] for start, end in ends]
    if not spans or any(span.count(_OPEN_RECORD) > 1 for span in spans):
        raise cause
    listing = find_answer(parse_reply(_skeleton(data, ends)), *_VERBS)
    spans = _in_listing(listing, spans, cause)
    broken: list[Reject] = []
    papers, refused = _read(_whole(spans, broken))
    rejects = _rejects(refused, spans)
    rejects = sorted(rejects + broken, key=lambda reject: reject.position)
    return Page(papers, rejects, read_token(listing), read_list_size(listing))


def _whole(spans: Sequence[bytes], broken: list[Reject]) -> Iterator[tuple[int, etree._Element]]:
    """Yield the records that are well-formed, one at a time; the others are put into `broken`."""
    for position, span in enumerate(spans):
        try:
            yield position, parse_reply(_ENVELOPE % span)[0]
        except PageError as error:
            broken.append(Reject(position, None, str(error), span))


def _record_ends(data: bytes) -> Iterator[tuple[int, int]]:
    """Yield where each record written as arXiv writes it begins and ends, in one pass.

    Not by an expression, which would seek the end anew from each beginning that has none.
    """
    end = 0
    while (start := data.find(_OPEN_RECORD, end)) >= 0:
        close = data.find(_CLOSE_RECORD, start)
        if close < 0:
            return
        end = close + len(_CLOSE_RECORD)
        yield start, end


def _skeleton(data: bytes, ends: Sequence[tuple[int, int]]) -> bytes:
    """Return the reply with an empty, numbered element for each record."""
    pieces, at = [], 0
    for number, (start, end) in enumerate(ends):
        pieces += [data[at:start], b'<record n="%d"/>' % number]
        at = end
    return b"".join([*pieces, data[at:]])


def _in_listing(listing: etree._Element, spans: Sequence[bytes], cause: PageError) -> list[bytes]:
    """Return the spans that the skeleton's list has: one in a comment is no record.

    Raises `cause` if the list has other records too, written in some other way.
    """
    numbered = {str(number): span for number, span in enumerate(spans)}
    found = [numbered.pop(record.get("n", ""), b"") for record in listing.findall(_RECORD_TAG)]
    if not all(found):
        raise cause
    return found


def _read(records: Iterable[tuple[int, etree._Element]]) -> tuple[list[Paper], list[_Refusal]]:
    """Return the papers of record elements, and which are refused."""
    papers: list[Paper] = []
    refused: list[_Refusal] = []
    for position, record in records:
        try:
            papers.append(_paper(record))
        except BadPaperError as error:
            header = record.find(_HEADER_TAG)
            refused.append((position, claimed_id(header), claimed_day(header), str(error)))
    return papers, refused


def _rejects(refused: Iterable[_Refusal], spans: Sequence[bytes]) -> list[Reject]:
    """Return what was refused, each with its bytes."""
    return [Reject(at, arxiv_id, why, spans[at], day) for at, arxiv_id, day, why in refused]


def _paper(record: etree._Element) -> Paper:
    # The protocol's order (OAI-PMH 2.0, section 2.5); anything else is no record of arXiv's.
    children = record.iterchildren(_HEADER_TAG, _METADATA_TAG)
    header, metadata = next(children, None), next(children, None)
    if (
        header is None or metadata is None
        or header is not record[0] or metadata is not record[1]
        or header.tag != _HEADER_TAG or metadata.tag != _METADATA_TAG
    ):  # fmt: skip
        raise BadPaperError("a record without header or metadata")
    raw = next(metadata.iterchildren(_RAW_TAG), None)
    if raw is None or raw is not metadata[0]:
        name = str(_LOCAL_NAME(metadata[0])) if len(metadata) else "nothing"
        raise BadPaperError(f"metadata in the format {name:.80}, not arXivRaw")
    identifier, datestamp = read_header(header)
    versions, fields = _raw_fields(raw)
    arxiv_id = (fields.pop("arxiv_id") or "").strip()
    if identifier != ID_PREFIX + arxiv_id:
        raise BadPaperError("the header names another id than the metadata")
    day = parse_day(datestamp)
    return make_paper(arxiv_id=arxiv_id, versions=versions, datestamp=day, **fields)


def _raw_fields(raw: etree._Element) -> tuple[list[Version], dict[str, str | None]]:
    """Return the children of `arXivRaw`: the versions, and the other fields of a paper."""
    fields = _NO_FIELDS.copy()
    versions = []
    for element in raw.iterchildren(_ANY_RAW_TAG):
        tag = element.tag
        name = _FIELD_OF_TAG.get(tag)
        if name is not None:
            if len(element):
                raise BadPaperError(f"markup or an entity inside {etree.QName(element).localname}")
            if fields[name] is not None and name != "arxiv_id":
                raise BadPaperError(f"two elements {etree.QName(element).localname}")
            fields[name] = element.text or ""
        elif tag == _VERSION_TAG:
            versions.append(_version(element))
    return versions, fields


def _version(element: etree._Element) -> Version:
    created, size, source_type = "", None, None
    for part in element.iterchildren(_ANY_RAW_TAG):
        tag = part.tag
        if tag == _DATE_TAG:
            created = part.text or ""
        elif tag == _SIZE_TAG:
            size = part.text
        elif tag == _SOURCE_TYPE_TAG:
            source_type = part.text
    return make_version(element.get("version", ""), created, size, source_type)
