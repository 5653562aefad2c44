"""ArXiv's OAI-PMH service: its verbs, its errors (all HTTP 200) and its way of paging."""

import re
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import date, timedelta
from urllib.parse import parse_qs, quote, unquote, urlencode

from arxiv_server.papers.library import Library, Work
from arxiv_server.services import oai_xml
from arxiv_server.services.sets import KNOWN_SETS

EARLIEST = date(2005, 9, 16)
# In the order in which requests are repeated and tokens written.
_LIST_ARGUMENTS = ("verb", "metadataPrefix", "from", "until", "set")
# What a reply about a bad format still repeats of the request.
_KEPT = ("verb", "resumptionToken")

BAD_ARGUMENT = "badArgument"
BAD_VERB = "badVerb"
NO_SUCH_ID = "idDoesNotExist"
NO_RECORDS = "noRecordsMatch"
BAD_RESUMPTION = "badResumptionToken"
BAD_FORMAT = "cannotDisseminateFormat"


@dataclass(frozen=True)
class Answer:
    """A reply's XML and the ids of the papers in it."""

    xml: str
    served: tuple[str, ...] = ()


class OaiError(Exception):
    """One of the protocol's errors; `request` is what the reply repeats of the request."""

    def __init__(
        self, code: str, reason: str | None = None, request: Mapping[str, str] | None = None
    ) -> None:
        """Keep the parts."""
        super().__init__(code, reason)
        self.code = code
        self.reason = reason
        self.request = dict(request or {})


@dataclass
class OaiService:
    """
    Answers OAI-PMH queries from a library as it is at that moment.

    Only the format arXivRaw is served. `today` is the server's date.
    """

    library: Library
    base_url: str
    page_size: int
    id_page_size: int
    today: date

    def answer(self, pairs: Sequence[tuple[str, str]]) -> Answer:
        """Answer the query given as its arguments in order, repeated ones included."""
        try:
            return self._dispatch(pairs)
        except OaiError as error:
            return Answer(self.error(error.code, error.reason, error.request))

    def error(
        self, code: str, reason: str | None = None, request: Mapping[str, str] | None = None
    ) -> str:
        """Render an error reply."""
        return self._wrap(request or {}, oai_xml.error(code, reason))

    def _wrap(self, request: Mapping[str, str], interior: str) -> str:
        return oai_xml.envelope(self.base_url, self.today, request, interior)

    def _dispatch(self, pairs: Sequence[tuple[str, str]]) -> Answer:
        query = dict(pairs)
        if len(query) < len(pairs):
            raise OaiError(BAD_ARGUMENT, "Duplicate parameters not allowed")
        verb = query.get("verb", "")
        if verb in {"ListRecords", "ListIdentifiers"}:
            return self._list(query)
        if verb == "GetRecord":
            return self._get_record(query)
        interiors = {
            "Identify": lambda: oai_xml.identify(self.base_url),
            "ListMetadataFormats": oai_xml.formats,
            "ListSets": oai_xml.sets,
        }
        if verb not in interiors:
            raise OaiError(BAD_VERB, "Invalid verb provided")
        if set(query) - {"verb"}:
            raise OaiError(BAD_ARGUMENT, "No other parameters allowed")
        return Answer(self._wrap(query, interiors[verb]()))

    def _get_record(self, query: dict[str, str]) -> Answer:
        if set(query) != {"verb", "identifier", "metadataPrefix"}:
            raise OaiError(BAD_ARGUMENT, "Parameters provided did not match expected.")
        identifier = query["identifier"]
        if not identifier.startswith(oai_xml.ID_PREFIX):
            reason = f"All identifiers start with: {oai_xml.ID_PREFIX}"
            raise OaiError(NO_SUCH_ID, reason)
        request = {"verb": query["verb"], "identifier": identifier}
        _check_format(query["metadataPrefix"], request)
        request["metadataPrefix"] = query["metadataPrefix"]
        work = self.library.get(identifier.removeprefix(oai_xml.ID_PREFIX))
        if work is None:
            raise OaiError(NO_SUCH_ID, "Nothing found for this ID", request)
        interior = f"    <GetRecord>\n                {oai_xml.record(work)}\n    </GetRecord>"
        return Answer(self._wrap(request, interior), (work.id,))

    def _list(self, query: dict[str, str]) -> Answer:
        resuming = "resumptionToken" in query
        skip, request = 0, query if resuming else _in_order(query)
        if resuming:
            skip, query = _open_token(query)
        found = self._select(query, request)[skip:]
        if not found:
            raise OaiError(NO_RECORDS, None, request)
        just_ids = query["verb"] == "ListIdentifiers"
        page = found[: self.id_page_size if just_ids else self.page_size]
        token = ""
        if len(found) > len(page):
            token = oai_xml.resumption(_token(query, skip, page, found[len(page)]), self.today)
        elif resuming:
            token = oai_xml.resumption("", self.today)
        render = oai_xml.identifiers if just_ids else oai_xml.records
        served = tuple(work.id for work in page)
        return Answer(self._wrap(request, render(page, token)), served)

    def _select(self, query: dict[str, str], request: dict[str, str]) -> list[Work]:
        if "metadataPrefix" not in query:
            raise OaiError(BAD_ARGUMENT, "metadataPrefix required.")
        if not set(query) <= set(_LIST_ARGUMENTS):
            raise OaiError(BAD_ARGUMENT, "Unallowed parameter.")
        kept = {name: value for name, value in request.items() if name in _KEPT}
        _check_format(query["metadataPrefix"], kept)
        first = _day(query, "from") or EARLIEST
        last = _day(query, "until") or self.today
        if query.get("set") and query["set"] not in KNOWN_SETS:
            raise OaiError(BAD_ARGUMENT, "Set does not exist")
        if first > last:
            reason = "until date must be greater than or equal to from date"
            raise OaiError(BAD_ARGUMENT, reason)
        if first < EARLIEST:
            raise OaiError(BAD_ARGUMENT, "start date too early")
        # ArXiv compares the END of that day with this moment: tomorrow is too late already.
        if last >= self.today + timedelta(days=1):
            raise OaiError(BAD_ARGUMENT, "until date too late")
        return self.library.select(first, last, query.get("set") or None)


def _check_format(prefix: str, request: Mapping[str, str]) -> None:
    if prefix != "arXivRaw":
        raise OaiError(BAD_FORMAT, "Did not recognize requested format", request)


def _day(query: Mapping[str, str], name: str) -> date | None:
    text = query.get(name)
    if not text:
        return None
    if re.fullmatch(r"\d{4}-\d{2}-\d{2}", text, re.ASCII):
        with suppress(ValueError):
            return date.fromisoformat(text)
    raise OaiError(BAD_ARGUMENT, f"{name} date format must be YYYY-MM-DD")


def _in_order(query: Mapping[str, str]) -> dict[str, str]:
    return {name: query[name] for name in _LIST_ARGUMENTS if query.get(name)}


def _open_token(query: dict[str, str]) -> tuple[int, dict[str, str]]:
    """Return the number of records to skip and the query which a token continues."""
    if set(query) != {"verb", "resumptionToken"}:
        raise OaiError(BAD_ARGUMENT, "No other parameters allowed with resumptionToken")
    parsed = parse_qs(unquote(query["resumptionToken"]))
    inner = {name: values[0] for name, values in parsed.items()}
    skip = inner.pop("skip", "")
    if not re.fullmatch(r"\d+", skip, re.ASCII) or "verb" not in inner:
        reason = "Token decoding failed or format is invalid."
        raise OaiError(BAD_RESUMPTION, reason)
    if inner["verb"] != query["verb"]:
        raise OaiError(BAD_RESUMPTION, "token from different verb", query)
    return int(skip), inner


def _token(query: dict[str, str], skip: int, page: Sequence[Work], following: Work) -> str:
    """
    Make the token of the page which begins with `following`.

    Within one day arXiv counts on from the page before. Once a page has reached another day, the
    token starts `from` that day and skips those of it already served; so papers of that day
    which are re-stamped in between make the same number of others unreachable.
    """
    day = following.datestamp
    if page[0].datestamp == day:
        return _quoted(query, skip + len(page))
    return _quoted({**query, "from": str(day)}, sum(work.datestamp == day for work in page))


def _quoted(query: Mapping[str, str], skip: int) -> str:
    return quote(urlencode({**_in_order(query), "skip": str(skip)}))
