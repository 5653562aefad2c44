"""The search page: what is asked in its address, what is found, and what else to try."""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import date
from urllib.parse import urlencode

from flows.common.errors import StoreError
from flows.registry.reader import RegistryReader
from flows.registry.site.renderer import licence_name
from flows.store.search.file import DamagedIndexError
from flows.store.search.query import MOST_FOUND, Facet, Found, SearchIndex, SearchQuery

A_PAGE = 20
LAST_PAGE = MOST_FOUND // A_PAGE
MOST_LICENCES = 12

_Fields = Mapping[str, str]


class BadSearchError(ValueError):
    """A field of the search that is not what it should be; the message says what it should."""


def read_query(fields: _Fields) -> tuple[SearchQuery, int]:
    """Return what the fields of an address ask for, and which page; raises `BadSearchError`."""
    page = fields.get("page", "1")
    if not (page.isascii() and page.isdecimal() and 1 <= int(page[:9]) <= LAST_PAGE):
        raise BadSearchError(f"pages are counted from 1 to {LAST_PAGE}")
    first, until = _day(fields, "from"), _day(fields, "until")
    if first and until and first > until:
        raise BadSearchError("the first day is after the last")
    query = SearchQuery(
        text=fields.get("q", "").strip(),
        category=fields.get("category", ""),
        licence=fields.get("licence", ""),
        first=first,
        until=until,
    )
    return query, int(page)


def _day(fields: _Fields, name: str) -> date | None:
    text = fields.get(name)
    try:
        return date.fromisoformat(text) if text else None
    except ValueError:
        raise BadSearchError(f"{name!r} is a day such as 2019-06-26") from None


def search_values(reader: RegistryReader, index: SearchIndex, fields: _Fields) -> dict[str, object]:
    """Return what the template of the search page shows, whatever the fields hold."""
    shown = {name: fields.get(name, "") for name in ("q", "category", "licence", "from", "until")}
    values: dict[str, object] = {
        "fields": shown, "problem": None, "found": None, "page": 1, "pages": 0, "tries": [],
        "categories": {}, "licences": [], "behind": None, "is_asked": any(shown.values()),
        "query_of": lambda page: _address(shown | {"page": str(page)}), "most": MOST_FOUND,
    }  # fmt: skip
    try:
        values |= _facets(index) | {"behind": _behind(reader, index)}
        query, page = read_query(fields)
        found = index.search(query, start=(page - 1) * A_PAGE, most=A_PAGE)
        values |= {"found": found, "page": page, "pages": -(-found.count // A_PAGE)}
        if not found.count:
            values["tries"] = list(_tries(index, query, shown))
    except BadSearchError as error:
        values["problem"] = f"This cannot be searched for: {error}."
    except DamagedIndexError:
        values["problem"] = (
            "The search index is damaged; it is made anew when the registry starts again."
        )
    except StoreError:
        values["problem"] = "The search index is not there yet: it is being made."
    return values


def _facets(index: SearchIndex) -> dict[str, object]:
    licences = sorted(index.facets("licence"), key=lambda facet: -facet.papers)[:MOST_LICENCES]
    groups: dict[str, list[Facet]] = {}
    for facet in index.facets("category"):
        groups.setdefault(facet.value.partition(".")[0], []).append(facet)
    return {"categories": groups, "licences": licences}


def _behind(reader: RegistryReader, index: SearchIndex) -> tuple[int, int] | None:
    """Return how many ledger entries the index has taken of how many, or None if it has all."""
    with reader.catalog() as catalog:
        there = catalog.head().number
    taken = index.state().number
    return (taken, there) if taken < there else None


def _tries(
    index: SearchIndex, query: SearchQuery, shown: _Fields
) -> Iterator[tuple[str, str, Found]]:
    """Yield what would find something: in words, its address, and what it finds."""
    fewer = " ".join(query.words[:-1])
    options = [
        (bool(fewer), f"without “{' '.join(query.words[-1:])}”", {"q": fewer}, {"text": fewer}),
        (query.category, f"in all categories, not only {query.category}", {"category": ""}, None),
        (query.licence, f"not only under {licence_name(query.licence)}", {"licence": ""}, None),
        (query.first or query.until, "on all days", {"from": "", "until": ""},
         {"first": None, "until": None}),
    ]  # fmt: skip
    for is_asked, words, fields, changes in options:
        if is_asked:
            wider = replace(query, **(changes or fields))
            found = index.search(wider, most=0)
            if found.count:
                yield words, _address({**shown, **fields}), found


def _address(fields: _Fields) -> str:
    """Return the query of an address, without what is empty, nor the first page."""
    kept = {name: value for name, value in fields.items() if value}
    if kept.get("page") == "1":
        del kept["page"]
    return f"?{urlencode(kept, errors='replace')}"
