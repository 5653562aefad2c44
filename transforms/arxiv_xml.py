"""OAI-PMH replies of arXiv in the `arXivRaw` format: bytes to papers and rejects.

Sources: OAI-PMH 2.0, section 4; arXiv's `arXivRaw.xsd`.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date

from lxml import etree

from transforms.oai_xml import (
    ID_PREFIX,
    OAI,
    PageError,
    check_size,
    claimed_day,
    claimed_id,
    find_answer,
    parse_reply,
    read_datestamp,
    read_identifier,
    read_token,
)
from transforms.paper import BadPaperError, Paper, Reject, Version, make_paper, make_version

_RAW = "{http://arxiv.org/OAI/arXivRaw/}"
_RECORD_SPAN = re.compile(rb"<record>.*?</record>", re.DOTALL)
_ENVELOPE = b'<OAI-PMH xmlns="http://www.openarchives.org/OAI/2.0/">%s</OAI-PMH>'
_VERBS = ("ListRecords", "GetRecord")
_FIELDS = {
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
_RECORD_PARTS = [f"{OAI}header", f"{OAI}metadata"]
_RAW_TAG = f"{_RAW}arXivRaw"
_VERSION_TAG, _ID_TAG = f"{_RAW}version", f"{_RAW}id"
_DATE_TAG, _SIZE_TAG, _SOURCE_TYPE_TAG = f"{_RAW}date", f"{_RAW}size", f"{_RAW}source_type"
_FIELD_OF_TAG = {f"{_RAW}{element}": name for element, name in _FIELDS.items()}


_Refusal = tuple[int, str | None, date | None, str]
"""A record's position, the id and the day that its header claims, and why it is refused."""


@dataclass(frozen=True, slots=True)
class Page:
    """One `ListRecords` or `GetRecord` reply.

    `resumption_token` is None where the reply has none (a list of one page), `""` on the last page
    of several, else what fetches the next page.
    """

    papers: list[Paper]
    rejects: list[Reject]
    resumption_token: str | None


def parse_page(data: bytes) -> Page:
    """Read one reply; a record that cannot be used becomes a reject and the others go on.

    Raises `PageError` for a reply that is not whole, and `OaiError` for an error reply.
    """
    check_size(data)  # first, since a broken reply is searched as text
    try:
        root = parse_reply(data)
    except PageError as error:
        return _salvage(data, error)
    listing = find_answer(root, *_VERBS)
    records = listing.findall(f"{OAI}record")
    papers, refused = _read(enumerate(records))
    spans = [match[0] for match in _RECORD_SPAN.finditer(data)] if refused else []
    if len(spans) != len(records):
        # Not written as arXiv writes them, so not to be found as text.
        spans = [etree.tostring(record, encoding="utf-8", with_tail=False) for record in records]
    rejects = _rejects(refused, spans)
    return Page(papers, rejects, read_token(listing))


def _salvage(data: bytes, cause: PageError) -> Page:
    """Read a reply in which some record is not well-formed but everything around them is whole.

    One such record would otherwise stop every harvest of its day. The skeleton without the records
    must parse strictly, and no span may have swallowed the start of another record.
    """
    spans = [match[0] for match in _RECORD_SPAN.finditer(data)]
    if not spans or any(span.count(b"<record>") > 1 for span in spans):
        raise cause
    listing = find_answer(parse_reply(_RECORD_SPAN.sub(b"<record/>", data)), *_VERBS)
    whole: list[tuple[int, etree._Element]] = []
    broken: list[Reject] = []
    for position, span in enumerate(spans):
        try:
            whole.append((position, parse_reply(_ENVELOPE % span)[0]))
        except PageError as error:
            broken.append(Reject(position, None, str(error), span))
    papers, refused = _read(whole)
    rejects = _rejects(refused, spans)
    return Page(
        papers, sorted(rejects + broken, key=lambda reject: reject.position), read_token(listing)
    )


def _read(records: Iterable[tuple[int, etree._Element]]) -> tuple[list[Paper], list[_Refusal]]:
    """Make papers of record elements, and refuse the others."""
    papers: list[Paper] = []
    refused: list[_Refusal] = []
    for position, record in records:
        try:
            papers.append(_paper(record))
        except BadPaperError as error:
            header = record.find(f"{OAI}header")
            refused.append((position, claimed_id(header), claimed_day(header), str(error)))
    return papers, refused


def _rejects(refused: Iterable[_Refusal], spans: Sequence[bytes]) -> list[Reject]:
    """Return what was refused, each with its bytes."""
    return [Reject(at, arxiv_id, why, spans[at], day) for at, arxiv_id, day, why in refused]


def _paper(record: etree._Element) -> Paper:
    # The protocol's order (OAI-PMH 2.0, section 2.5); anything else is no record of arXiv's.
    parts = list(record)
    if [part.tag for part in parts[:2]] != _RECORD_PARTS:
        raise BadPaperError("a record without header or metadata")
    header, metadata = parts[:2]
    raw = next(iter(metadata), None)
    if raw is None or raw.tag != _RAW_TAG:
        found = "nothing" if raw is None else etree.QName(raw).localname
        raise BadPaperError(f"metadata in the format {found}, not arXivRaw")
    arxiv_id, versions, fields = _raw_fields(raw)
    if read_identifier(header) != ID_PREFIX + arxiv_id:
        raise BadPaperError("the header names another id than the metadata")
    return make_paper(
        arxiv_id=arxiv_id,
        versions=versions,
        datestamp=read_datestamp(header),
        title=fields.pop("title", None),
        abstract=fields.pop("abstract", None),
        authors=fields.pop("authors", None),
        categories=fields.pop("categories", None),
        **fields,
    )


def _raw_fields(raw: etree._Element) -> tuple[str, list[Version], dict[str, str]]:
    """Read the children of `arXivRaw`: the id, the versions, the fields that a paper has."""
    fields: dict[str, str] = {}
    versions = []
    arxiv_id = ""
    for element in raw:
        tag = element.tag
        if tag == _VERSION_TAG:
            versions.append(_version(element))
            continue
        if tag == _ID_TAG:
            arxiv_id = _text(element)
            continue
        name = _FIELD_OF_TAG.get(tag)
        if name is None:
            continue
        if name in fields:
            raise BadPaperError(f"two elements {etree.QName(element).localname}")
        fields[name] = _text(element)
    return arxiv_id.strip(), versions, fields


def _text(element: etree._Element) -> str:
    if len(element):
        raise BadPaperError(f"markup or an entity inside {etree.QName(element).localname}")
    return element.text or ""


def _version(element: etree._Element) -> Version:
    created, size, source_type = "", None, None
    for part in element:
        tag = part.tag
        if tag == _DATE_TAG:
            created = part.text or ""
        elif tag == _SIZE_TAG:
            size = part.text
        elif tag == _SOURCE_TYPE_TAG:
            source_type = part.text
    return make_version(element.get("version", ""), created, size, source_type)
