"""The OAI-PMH replies without metadata: `ListIdentifiers`, `ListSets`, `Identify` (section 4)."""

from dataclasses import dataclass
from datetime import date, datetime

from lxml import etree

from transforms.paper.paper import BadPaperError, Reject, check_id
from transforms.parsing.oai_xml import (
    ID_PREFIX,
    OAI,
    PageError,
    claimed_id,
    find_answer,
    parse_day,
    parse_reply,
    read_answered_at,
    read_header,
    read_token,
    sources_of,
)


@dataclass(frozen=True, slots=True)
class Header:
    """That a paper is listed, and the day of its last change."""

    arxiv_id: str
    datestamp: date


@dataclass(frozen=True, slots=True)
class IdentifierPage:
    """One `ListIdentifiers` reply; `resumption_token` as in `arxiv_xml.Page`.

    `answered_at` is when the server says that it answered; None where it does not say.
    """

    headers: list[Header]
    rejects: list[Reject]
    resumption_token: str | None
    answered_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class SetPage:
    """One `ListSets` reply: names by set, such as `cs:cs:LG`; tokens as in `arxiv_xml.Page`."""

    sets: dict[str, str]
    resumption_token: str | None


@dataclass(frozen=True, slots=True)
class Repository:
    """A reply to `Identify`; `granularity` is `YYYY-MM-DD` where datestamps are days."""

    base_url: str
    earliest: date
    granularity: str


def parse_identifiers(data: bytes) -> IdentifierPage:
    """Return one `ListIdentifiers` reply; a header that cannot be used becomes a reject.

    Raises `PageError` for a reply that is not whole, and `OaiError` for an error reply; so do the
    functions below.
    """
    root = parse_reply(data)
    answer = find_answer(root, "ListIdentifiers")
    elements = answer.findall(f"{OAI}header")
    headers: list[Header] = []
    refused: list[tuple[int, str | None, str]] = []
    for position, header in enumerate(elements):
        try:
            headers.append(_header(header))
        except BadPaperError as error:
            refused.append((position, claimed_id(header), str(error)))
    sources = sources_of(data, elements, "header") if refused else []
    rejects = [Reject(at, arxiv_id, reason, sources[at]) for at, arxiv_id, reason in refused]
    return IdentifierPage(headers, rejects, read_token(answer), read_answered_at(root))


def parse_sets(data: bytes) -> SetPage:
    """Return one `ListSets` reply; arXiv lists some sets twice, as archive and as category."""
    answer = find_answer(parse_reply(data), "ListSets")
    sets: dict[str, str] = {}
    for element in answer.iterfind(f"{OAI}set"):
        spec = _required(element, "setSpec")
        sets.setdefault(spec, _required(element, "setName"))
    if not sets:
        raise PageError("a list of sets without any set")
    return SetPage(sets, read_token(answer))


def parse_identify(data: bytes) -> Repository:
    """Return an `Identify` reply."""
    answer = find_answer(parse_reply(data), "Identify")
    try:
        # With a finer granularity the day is followed by a time.
        earliest = parse_day(_required(answer, "earliestDatestamp")[:10])
    except BadPaperError as error:
        raise PageError(f"Identify: {error}") from None
    return Repository(_required(answer, "baseURL"), earliest, _required(answer, "granularity"))


def _header(header: etree._Element) -> Header:
    identifier, datestamp = read_header(header)
    if not identifier.startswith(ID_PREFIX):
        raise BadPaperError(f"{identifier!r:.80} does not begin with {ID_PREFIX}")
    return Header(check_id(identifier.removeprefix(ID_PREFIX)), parse_day(datestamp))


def _required(element: etree._Element, name: str) -> str:
    text = element.findtext(f"{OAI}{name}", "").strip()
    if not text:
        raise PageError(f"{etree.QName(element).localname} without {name}")
    return text
