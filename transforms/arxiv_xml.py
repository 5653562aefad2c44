"""OAI-PMH replies of arXiv in the `arXivRaw` format: bytes to papers and rejects.

Sources: OAI-PMH 2.0, sections 3 and 4; arXiv's `arXivRaw.xsd`. Parsing is strict: a reply that is
not whole is an error, never a short page, since a lenient parser would lose the resumption token
and take the list for finished.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date

from lxml import etree

from transforms.instants import from_arxiv
from transforms.paper import BadPaperError, Paper, Reject, Version, make_paper

MAX_PAGE_BYTES = 64 * 2**20
"""A larger reply is refused unread. A page of 2,000 records has about 5 MB."""

_OAI = "{http://www.openarchives.org/OAI/2.0/}"
_RAW = "{http://arxiv.org/OAI/arXivRaw/}"
_ID_PREFIX = "oai:arXiv.org:"
_RECORD_SPAN = re.compile(rb"<record>.*?</record>", re.DOTALL)
_ENVELOPE = b'<OAI-PMH xmlns="http://www.openarchives.org/OAI/2.0/">%s</OAI-PMH>'
_VERSION = re.compile(r"v([1-9]\d{0,3})", re.ASCII)
_LISTS = (f"{_OAI}ListRecords", f"{_OAI}GetRecord")
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
}
_FIELD_OF_TAG = {f"{_RAW}{element}": name for element, name in _FIELDS.items()}


_Refusal = tuple[int, str | None, str]


class PageError(ValueError):
    """A reply that cannot be used at all: not whole, not XML, not OAI-PMH, or too large."""


class OaiError(Exception):
    """An `<error>` reply (OAI-PMH 2.0, section 3.6): its `code` and the server's words."""

    def __init__(self, code: str, message: str) -> None:
        """Keep `code`, such as `noRecordsMatch`, apart from the message."""
        super().__init__(f"{code}: {message}")
        self.code = code


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
    if len(data) > MAX_PAGE_BYTES:
        raise PageError(f"{len(data)} bytes, more than the {MAX_PAGE_BYTES} that a reply may have")
    try:
        root = _parse(data)
    except PageError as error:
        return _salvage(data, error)
    listing = _listing(root)
    records = listing.findall(f"{_OAI}record")
    papers, refused = _read(enumerate(records))
    spans = [match[0] for match in _RECORD_SPAN.finditer(data)] if refused else []
    if len(spans) != len(records):
        # Not written as arXiv writes them, so not to be found as text.
        spans = [etree.tostring(record, encoding="utf-8", with_tail=False) for record in records]
    rejects = [Reject(at, arxiv_id, reason, spans[at]) for at, arxiv_id, reason in refused]
    return Page(papers, rejects, _token(listing))


def _salvage(data: bytes, cause: PageError) -> Page:
    """Read a reply in which some record is not well-formed but everything around them is whole.

    One such record would otherwise stop every harvest of its day. The skeleton without the records
    must parse strictly, and no span may have swallowed the start of another record.
    """
    spans = [match[0] for match in _RECORD_SPAN.finditer(data)]
    if not spans or any(span.count(b"<record>") > 1 for span in spans):
        raise cause
    listing = _listing(_parse(_RECORD_SPAN.sub(b"<record/>", data)))
    whole: list[tuple[int, etree._Element]] = []
    broken: list[Reject] = []
    for position, span in enumerate(spans):
        try:
            whole.append((position, _parse(_ENVELOPE % span)[0]))
        except PageError as error:
            broken.append(Reject(position, None, str(error), span))
    papers, refused = _read(whole)
    rejects = [Reject(at, arxiv_id, reason, spans[at]) for at, arxiv_id, reason in refused]
    return Page(
        papers, sorted(rejects + broken, key=lambda reject: reject.position), _token(listing)
    )


def _read(records: Iterable[tuple[int, etree._Element]]) -> tuple[list[Paper], list[_Refusal]]:
    """Make papers of record elements; of the others give position, claimed id and reason."""
    papers: list[Paper] = []
    refused: list[_Refusal] = []
    for position, record in records:
        try:
            papers.append(_paper(record))
        except BadPaperError as error:
            refused.append((position, _claimed_id(record), str(error)))
    return papers, refused


def _parse(data: bytes) -> etree._Element:
    """Parse strictly: no entities, no DTD, no network, libxml2's own limits kept."""
    if b"<!DOCTYPE" in data:
        raise PageError("a document type declaration, which no OAI-PMH reply has")
    parser = etree.XMLParser(
        resolve_entities=False, no_network=True, load_dtd=False, huge_tree=False,
        remove_comments=True, remove_pis=True,
    )  # fmt: skip
    try:
        root = etree.fromstring(data, parser)
    except etree.XMLSyntaxError as error:
        raise PageError(
            f"not whole or not well-formed XML: {error.msg}" if data.strip() else "empty"
        ) from None
    if root.getroottree().docinfo.internalDTD is not None:
        raise PageError("a document type declaration, which no OAI-PMH reply has")
    if root.tag != f"{_OAI}OAI-PMH":
        raise PageError(f"not an OAI-PMH reply: its root element is {root.tag!r:.80}")
    return root


def _listing(root: etree._Element) -> etree._Element:
    error = root.find(f"{_OAI}error")
    if error is not None:
        raise OaiError(error.get("code", ""), " ".join((error.text or "").split()))
    for tag in _LISTS:
        listing = root.find(tag)
        if listing is not None:
            return listing
    raise PageError("an OAI-PMH reply without records (neither ListRecords nor GetRecord)")


def _token(listing: etree._Element) -> str | None:
    token = listing.find(f"{_OAI}resumptionToken")
    return None if token is None else (token.text or "").strip()


def _paper(record: etree._Element) -> Paper:
    header, metadata = record.find(f"{_OAI}header"), record.find(f"{_OAI}metadata")
    if header is None or metadata is None:
        raise BadPaperError("a record without header or metadata")
    raw = next(iter(metadata), None)
    if raw is None or raw.tag != f"{_RAW}arXivRaw":
        found = "nothing" if raw is None else etree.QName(raw).localname
        raise BadPaperError(f"metadata in the format {found}, not arXivRaw")
    arxiv_id, versions, fields = _raw_fields(raw)
    if header.findtext(f"{_OAI}identifier", "").strip() != _ID_PREFIX + arxiv_id:
        raise BadPaperError("the header names another id than the metadata")
    return make_paper(
        arxiv_id=arxiv_id,
        versions=versions,
        datestamp=_datestamp(header.findtext(f"{_OAI}datestamp", "")),
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
        if tag == f"{_RAW}version":
            versions.append(_version(element))
            continue
        if tag == f"{_RAW}id":
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
    number = _VERSION.fullmatch(element.get("version", ""))
    if not number:
        raise BadPaperError(f"{element.get('version')!r:.80} is not a version such as v1")
    try:
        created = from_arxiv(element.findtext(f"{_RAW}date", ""))
    except ValueError as error:
        raise BadPaperError(f"date of {number[0]}: {error}") from None
    size, source_type = element.findtext(f"{_RAW}size"), element.findtext(f"{_RAW}source_type")
    return Version(int(number[1]), created, size, source_type)


def _datestamp(text: str) -> date:
    try:
        return date.fromisoformat(text.strip())
    except ValueError:
        raise BadPaperError(f"datestamp {text!r:.80} is not a day") from None


def _claimed_id(record: etree._Element) -> str | None:
    identifier = record.findtext(f"{_OAI}header/{_OAI}identifier", "").strip()
    return identifier.removeprefix(_ID_PREFIX) or None
