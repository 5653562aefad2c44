"""ArXiv's Atom API: search and look-up by id, of the newest metadata, with TeX rewritten."""

import base64
import hashlib
import re
from collections.abc import Mapping
from datetime import date
from urllib.parse import urlencode
from xml.sax.saxutils import escape, quoteattr

from arxiv_server.papers.library import Library, Version, Work
from arxiv_server.papers.tex import convert

SLICE_LIMIT = 2000
TOTAL_LIMIT = 30_000
_ID = re.compile(r"(\d{4}\.\d{4,5}|[a-z-]+(?:\.[A-Z]{2})?/\d{7})(?:v([1-9]\d*))?")
_FEED = """<?xml version='1.0' encoding='UTF-8'?>
<feed xmlns:opensearch="http://a9.com/-/spec/opensearch/1.1/" \
xmlns:arxiv="http://arxiv.org/schemas/atom" xmlns="http://www.w3.org/2005/Atom">
"""

Entry = tuple[Work, Version]


class AtomError(Exception):
    """A query which the API answers with HTTP 400 and a feed that says why."""


class AtomService:
    """Answers `/api/query` from a library as it is at that moment."""

    def __init__(self, library: Library, today: date) -> None:
        """Serve this library; `today` dates the feeds."""
        self.library = library
        self.today = today

    def answer(self, query: Mapping[str, str]) -> tuple[int, str, tuple[str, ...]]:
        """Return the HTTP status, the feed and the ids of the papers in it."""
        try:
            start = _number(query, "start", 0)
            wanted = _number(query, "max_results", 10)
            found = _sorted(self._find(query), query)
        except AtomError as error:
            return 400, self._error(str(error)), ()
        page = found[start : start + min(wanted, SLICE_LIMIT)]
        feed = self._feed(query, len(found), start, wanted, page)
        return 200, feed, tuple(work.id for work, _ in page)

    def _find(self, query: Mapping[str, str]) -> list[Entry]:
        search, ids = query.get("search_query", ""), query.get("id_list", "")
        if ids:
            found = [self._lookup(text.strip()) for text in ids.split(",")]
            named = [entry for entry in found if entry is not None]
        elif search:
            named = [(work, work.newest) for work in self.library.works()]
        else:
            return []
        terms = search.split(" AND ") if search else []
        return [entry for entry in named if all(_matches(entry[0], term) for term in terms)]

    def _lookup(self, text: str) -> Entry | None:
        match = _ID.fullmatch(text)
        if match is None:
            message = f"incorrect id format for {text}"
            raise AtomError(message)
        work = self.library.get(match[1])
        if work is None:
            return None
        number = int(match[2] or work.newest.number)
        return next(((work, each) for each in work.versions if each.number == number), None)

    def _feed(
        self,
        query: Mapping[str, str],
        total: int,
        start: int,
        wanted: int,
        page: list[Entry],
    ) -> str:
        names = {"search_query": "", "id_list": "", "start": "0", "max_results": "10"}
        asked = {name: query.get(name, default) for name, default in names.items()}
        title = "&".join(f"{name}={value}" for name, value in asked.items())
        digest = base64.b64encode(hashlib.sha256(title.encode()).digest()[:20]).decode()
        link = quoteattr(f"https://arxiv.org/api/query?{urlencode(asked)}")
        return f"""{_FEED}  <id>https://arxiv.org/api/{digest.rstrip("=")}</id>
  <title>arXiv Query: {escape(title)}</title>
  <updated>{self.today}T05:10:00Z</updated>
  <link href={link} type="application/atom+xml"/>
  <opensearch:itemsPerPage>{wanted}</opensearch:itemsPerPage>
  <opensearch:totalResults>{total}</opensearch:totalResults>
  <opensearch:startIndex>{start}</opensearch:startIndex>
{"".join(_entry(work, version) for work, version in page)}</feed>
"""

    def _error(self, message: str) -> str:
        address = f"https://arxiv.org/api/errors#{message.replace(' ', '_')}"
        updated = f"<updated>{self.today}T05:10:00Z</updated>"
        return f"""{_FEED}  <id>https://arxiv.org/</id>
  <title>arXiv Search Results</title>
  {updated}
  <opensearch:itemsPerPage>1</opensearch:itemsPerPage>
  <opensearch:totalResults>1</opensearch:totalResults>
  <opensearch:startIndex>0</opensearch:startIndex>
  <entry>
    <id>{escape(address)}</id>
    <title>Error</title>
    {updated}
    <link href={quoteattr(address)} rel="alternate" type="text/html"/>
    <summary>{escape(message)}</summary>
    <author>
      <name>arXiv api core</name>
    </author>
  </entry>
</feed>
"""


def _number(query: Mapping[str, str], name: str, default: int) -> int:
    text = query.get(name) or str(default)
    if not re.fullmatch(r"\d+", text, re.ASCII):
        message = f"{name} must be an integer"
        raise AtomError(message)
    if int(text) > TOTAL_LIMIT:
        message = f"{name} must not exceed {TOTAL_LIMIT}"
        raise AtomError(message)
    return int(text)


def _matches(work: Work, term: str) -> bool:
    field, separator, value = term.strip().partition(":")
    if not separator:
        field, value = "all", term.strip()
    if field == "cat":
        return value in work.categories
    texts = {"ti": work.title, "abs": work.abstract, "au": work.authors}
    if field not in {*texts, "all"}:
        message = f"incorrect search field {field}"
        raise AtomError(message)
    text = " ".join(texts.values()) if field == "all" else texts[field]
    words = re.findall(r"\w+", convert(text).casefold())
    return all(word in words for word in re.findall(r"\w+", value.casefold()))


def _sorted(found: list[Entry], query: Mapping[str, str]) -> list[Entry]:
    """Order what was found; "relevance", the API's default, is the order found."""
    number = {"submittedDate": 0, "lastUpdatedDate": -1}.get(query.get("sortBy", ""))
    if number is None:
        return found
    descending = query.get("sortOrder", "descending") == "descending"
    return sorted(found, key=lambda entry: entry[0].versions[number].created, reverse=descending)


def _names(authors: str) -> list[str]:
    return [name for name in re.split(r",\s*|\s+and\s+", convert(authors)) if name]


def _entry(work: Work, version: Version) -> str:
    address = f"arxiv.org/abs/{work.id}v{version.number}"
    pdf = address.replace("/abs/", "/pdf/")
    lines = [
        f"<id>http://{address}</id>",
        f"<title>{escape(convert(work.title))}</title>",
        f"<updated>{version.created:%Y-%m-%dT%H:%M:%SZ}</updated>",
        f'<link href="https://{address}" rel="alternate" type="text/html"/>',
        f'<link href="https://{pdf}" rel="related" type="application/pdf" title="pdf"/>',
        f"<summary>{escape(convert(work.abstract))}</summary>",
        *(
            f'<category term="{category}" scheme="http://arxiv.org/schemas/atom"/>'
            for category in work.categories
        ),
        f"<published>{work.versions[0].created:%Y-%m-%dT%H:%M:%SZ}</published>",
    ]
    if work.comments is not None:
        lines.append(f"<arxiv:comment>{escape(work.comments)}</arxiv:comment>")
    lines.append(f'<arxiv:primary_category term="{work.categories[0]}"/>')
    if work.journal_ref is not None:
        lines.append(f"<arxiv:journal_ref>{escape(work.journal_ref)}</arxiv:journal_ref>")
    for name in _names(work.authors):
        lines += ["<author>", f"  <name>{escape(name)}</name>", "</author>"]
    if work.doi is not None:
        link = quoteattr(f"https://doi.org/{work.doi}")
        lines.append(f"<arxiv:doi>{escape(work.doi)}</arxiv:doi>")
        lines.append(f'<link rel="related" href={link} title="doi"/>')
    inner = "".join(f"    {line}\n" for line in lines)
    return f"  <entry>\n{inner}  </entry>\n"
