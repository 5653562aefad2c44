"""The common parts of OAI-PMH replies: strict XML, errors, record headers, resumption tokens.

Source: OAI-PMH 2.0, sections 2.5 and 3. A reply that is not whole is an error, never a short page,
since a lenient parser would lose the resumption token and take the list for finished.
"""

import re
from collections.abc import Sequence
from datetime import date, datetime

from lxml import etree

from transforms.paper.paper import BadPaperError
from transforms.parsing.strict_xml import NotStrictXmlError, element_spans, parse_xml

MAX_PAGE_BYTES = 64 * 2**20
"""A larger reply is refused unread. A page of 2,000 records has about 5 MB."""

MAX_TOKEN = 2_000
"""Characters of a resumption token, which becomes a part of an address. ArXiv's have about 150."""

MOST_DIGITS = 9
"""Of a list's size; a longer one is none."""

OAI = "{http://www.openarchives.org/OAI/2.0/}"
ID_PREFIX = "oai:arXiv.org:"
_IDENTIFIER, _DATESTAMP = f"{OAI}identifier", f"{OAI}datestamp"
_MAX_SAID = 300
_SKIP = re.compile(r"(?:^|(?<=%26))skip%3D(\d{1,9})(?=%26|$)", re.ASCII)


class PageError(ValueError):
    """A reply that cannot be used at all: not whole, not XML, not OAI-PMH, or too large."""


class OaiError(Exception):
    """An `<error>` reply (OAI-PMH 2.0, section 3.6): its `code`, the server's words, `advice`.

    The protocol's own codes have a subclass each; see `oai_error`.
    """

    advice = ""
    answered_at: datetime | None = None
    """The time at which the server says that it answered, if it does."""

    def __init__(self, code: str, message: str) -> None:
        """Keep `code`, such as `noRecordsMatch`, apart from the message."""
        super().__init__(code, message)
        self.code = code
        self.message = message

    def __str__(self) -> str:
        """Return what the server said, and what to do about it."""
        said = f"{self.code}: {self.message}" if self.message else self.code
        return f"{said.rstrip('.')}; {self.advice}" if self.advice else said


class BadArgumentError(OaiError):
    """The request is not one that the server takes."""

    advice = "check the set and the days, which run from 2005-09-16 to today in UTC"


class BadResumptionTokenError(OaiError):
    """The list cannot be continued from here."""

    advice = "begin the list again, from the last day of which a page has come"


class BadVerbError(OaiError):
    """The request was mangled on its way, or the address is not that of an OAI-PMH server."""

    advice = "check the address arxiv.oai_url in the configuration"


class CannotDisseminateFormatError(OaiError):
    """The server, or this one record, does not come as `arXivRaw`."""

    advice = "check that arxiv.oai_url is arXiv's, which alone serves the format arXivRaw"


class IdDoesNotExistError(OaiError):
    """ArXiv has no paper of this id, or has removed it."""

    advice = "check the id, which has no version and is case-sensitive; arXiv may have removed it"


class NoRecordsMatchError(OaiError):
    """Nothing is listed for this set and these days, or not yet: arXiv's CDN keeps this answer."""

    advice = "ask again after midnight UTC before these days count as days without papers"


class NoMetadataFormatsError(OaiError):
    """A record comes in no format at all."""

    advice = "leave this paper out and ask again on another day"


class NoSetHierarchyError(OaiError):
    """The server has no sets, so it is not arXiv's."""

    advice = "check the address arxiv.oai_url in the configuration, or harvest without categories"


_ERRORS = {
    "badArgument": BadArgumentError,
    "badResumptionToken": BadResumptionTokenError,
    "badVerb": BadVerbError,
    "cannotDisseminateFormat": CannotDisseminateFormatError,
    "idDoesNotExist": IdDoesNotExistError,
    "noRecordsMatch": NoRecordsMatchError,
    "noMetadataFormats": NoMetadataFormatsError,
    "noSetHierarchy": NoSetHierarchyError,
}


def oai_error(code: str, message: str) -> OaiError:
    """Return the exception of an error code; one that OAI-PMH 2.0 does not know is plain."""
    return _ERRORS.get(code, OaiError)(code, message)


def check_size(data: bytes) -> None:
    """Raise `PageError` for a reply larger than `MAX_PAGE_BYTES`."""
    if len(data) > MAX_PAGE_BYTES:
        raise PageError(f"{len(data)} bytes, more than the {MAX_PAGE_BYTES} that a reply may have")


def parse_reply(data: bytes) -> etree._Element:
    """Return a reply's root element, parsed as strictly as `parse_xml` does.

    Raises `PageError` for a reply that is not whole or larger than `MAX_PAGE_BYTES`.
    """
    check_size(data)
    try:
        root = parse_xml(data)
    except NotStrictXmlError as error:
        raise PageError(str(error)) from None
    if root.tag != f"{OAI}OAI-PMH":
        raise PageError(f"not an OAI-PMH reply: its root element is {root.tag!r:.80}")
    return root


def find_answer(root: etree._Element, *verbs: str) -> etree._Element:
    """Return the element of the first of `verbs` that is there; raises the reply's `OaiError`."""
    error = root.find(f"{OAI}error")
    if error is not None:
        said = " ".join((error.text or "").split())
        raised = oai_error(error.get("code", "")[:_MAX_SAID], said[:_MAX_SAID])
        raised.answered_at = read_answered_at(root)
        raise raised
    for verb in verbs:
        answer = root.find(f"{OAI}{verb}")
        if answer is not None:
            return answer
    raise PageError(f"an OAI-PMH reply that does not answer {' or '.join(verbs)}")


def read_answered_at(root: etree._Element) -> datetime | None:
    """Return the server's time of a reply (its `responseDate`), or None where there is none."""
    try:
        moment = datetime.fromisoformat(root.findtext(f"{OAI}responseDate", "").strip())
    except ValueError:
        return None
    return moment if moment.tzinfo else None


def read_token(answer: etree._Element) -> str | None:
    """Return the resumption token: None if there is none, `""` on the last page of several.

    Raises `PageError` for one longer than `MAX_TOKEN`.
    """
    token = answer.findtext(f"{OAI}resumptionToken")
    if token is None:
        return None
    token = token.strip()
    if len(token) > MAX_TOKEN:
        raise PageError(f"a resumption token of {len(token)} characters, more than {MAX_TOKEN}")
    return token


def read_list_size(answer: etree._Element) -> int | None:
    """Return how many records the whole list has (`completeListSize`), where the server says it.

    It is optional and may be an estimate (OAI-PMH 2.0, section 3.5); arXiv does not send it. What
    is no number is as good as nothing.
    """
    token = answer.find(f"{OAI}resumptionToken")
    size = "" if token is None else token.get("completeListSize", "").strip()
    return int(size) if size.isascii() and size.isdigit() and len(size) <= MOST_DIGITS else None


def sources_of(data: bytes, elements: Sequence[etree._Element], name: str) -> list[bytes]:
    """Return the bytes of the elements `name` of a list, as they stand in its reply.

    Raises `PageError` where the reply has such elements elsewhere too, outside of these.
    """
    spans = element_spans(data, name)
    if len(spans) != len(elements):
        raise PageError(f"elements {name} outside the list of them")
    return spans


def read_header(header: etree._Element) -> tuple[str, str]:
    """Return a record header's identifier, `oai:arXiv.org:1906.10822`, and its day, unchecked."""
    texts: dict[str, str] = {}
    for element in header.iterchildren(_IDENTIFIER, _DATESTAMP):
        texts.setdefault(element.tag, element.text or "")
    return texts.get(_IDENTIFIER, "").strip(), texts.get(_DATESTAMP, "")


def parse_day(text: str) -> date:
    """Return a day written as `2026-03-02`, or raise `BadPaperError`."""
    try:
        return date.fromisoformat(text.strip())
    except ValueError:
        raise BadPaperError(f"datestamp {text!r:.80} is not a day") from None


def claimed_day(header: etree._Element | None) -> date | None:
    """Return the day that a header gives, for a reject, or None where it gives none."""
    try:
        return None if header is None else parse_day(read_header(header)[1])
    except BadPaperError:
        return None


def claimed_id(header: etree._Element | None) -> str | None:
    """Return the arXiv id that a header gives, unchecked, for the report of a reject."""
    return None if header is None else read_header(header)[0].removeprefix(ID_PREFIX) or None


def rewind(token: str, records: int) -> str | None:
    """Return the token of a page that begins `records` earlier; None if it has not arXiv's form.

    ArXiv's token is a URL-quoted query with `skip`, which counts from the first record of the day
    that the token names: that day's start is as far as it goes back. An interrupted harvest
    re-reads some records in this way, since those which moved out of the list in the meantime
    (they were changed) have let others move up, past the token's place.
    """
    places = list(_SKIP.finditer(token))
    if len(places) != 1:
        return None
    start, end = places[0].span(1)
    return f"{token[:start]}{max(0, int(places[0][1]) - records)}{token[end:]}"
