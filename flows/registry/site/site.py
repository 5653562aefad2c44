"""The site's answers over HTTP: each page at its address, and the JSON that it is made of."""

import asyncio
import re
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from functools import cache
from http import HTTPStatus
from importlib.resources import files
from importlib.resources.abc import Traversable
from urllib.parse import parse_qs, urlsplit

import msgspec

from flows.common.errors import ConfigError
from flows.jobs.reports.rendering import style
from flows.registry.publish.published import FileLayout
from flows.registry.reader import RegistryReader
from flows.registry.server.http.problems import ProblemError
from flows.registry.server.http.replies import MINUTES, Document, Reply, make_reply, reply_to
from flows.registry.server.http.requests import Answer, Request
from flows.registry.site.home_page import home_values
from flows.registry.site.operations import (
    LAST_PAGE,
    TABLES,
    NoSuchRunError,
    read_report,
    report_values,
    runs_values,
    table_values,
)
from flows.registry.site.record_page import read_context, record_values
from flows.registry.site.renderer import Renderer
from flows.registry.site.search_page import search_values
from flows.store.catalog.records import KnownRecord
from flows.store.catalog.references import parse_references
from flows.store.search.query import SearchIndex
from transforms.documents.bundle import Bundle
from transforms.encoding.digest import sha256, to_hex
from transforms.paper.reference import BadReferenceError

HTML, JSON = "text/html; charset=utf-8", "application/json"
_HOST = re.compile(r"(?:[A-Za-z0-9.-]{1,253}|\[[0-9A-Fa-f:.]{2,45}\])(?::[0-9]{1,5})?", re.ASCII)
PACKED = "/packed"
"""The page of all records, where they are published in packs."""

MOST_FIELDS = 20
_MEDIA_TYPES = {
    "css": "text/css; charset=utf-8",
    "js": "text/javascript; charset=utf-8",
    "svg": "image/svg+xml",
}


class Site:
    """The pages for people; `base_url` is where the registry is published, `name` is its name."""

    def __init__(
        self,
        reader: RegistryReader,
        base_url: str,
        name: str,
        published: FileLayout | None = None,
    ) -> None:
        """Open nothing yet; `published` is the layout of the files that the pages are to become."""
        self._reader = reader
        self._base_url = base_url
        self._published = published
        self._renderer = Renderer(name, published=published)
        self._index = SearchIndex(reader.layout.search)

    def answers(self) -> dict[str, Answer]:
        """Return the site's routes: addresses and what answers there."""
        tables = {f"/{name}": self._table(name) for name in TABLES}
        rows = {f"/{name}.json": self._table_json(name) for name in TABLES}
        return {
            "/": self.home,
            **({PACKED: self.packed} if self._published == "packs" else {}),
            **({} if self._published else {"/search": self.search}),
            "/verify": self.verify,
            "/runs": self.runs,
            "/runs/{run}": self.run,
            "/runs/{run}/report.json": self.report,
            "/static/{name:path}": self.static,
            **tables,
            **rows,
        }

    def record(self, bundle: Bundle, host: str | None) -> tuple[bytes, datetime]:
        """Return the page of a record, asked for at `host`, and when its paper last got a bundle.

        Raises `StoreError`.
        """
        (record,) = self._reader.resolve(bundle["pith_number"])
        context = read_context(self._reader, record)
        values = record_values(bundle, context, self._base(host))
        modified = max(one.issued_at for one in context.records)
        return self._renderer.render("record.html", values), modified

    def _base(self, host: str | None) -> str:
        """Return the base of addresses: where none was configured, the host that was asked."""
        is_nowhere = (urlsplit(self._base_url).hostname or "").endswith(".invalid")
        return f"http://{host}" if is_nowhere and _HOST.fullmatch(host or "") else self._base_url

    def candidates(self, name: str, found: Sequence[KnownRecord]) -> bytes:
        """Return the page of the records that a short number stands for."""
        return self._renderer.render("candidates.html", {"name": name, "found": found})

    def error(self, status: HTTPStatus, detail: str) -> bytes:
        """Return the page of an error."""
        return self._renderer.render("error.html", {"status": status, "detail": detail})

    async def home(self, request: Request) -> Reply:
        """Return the home page."""
        today = datetime.now(UTC).date()
        base = self._base(request.headers.get("host"))
        values = await asyncio.to_thread(home_values, self._reader, base, today)
        return self._page(request, "home.html", values)

    async def search(self, request: Request) -> Reply:
        """Return the search page, or where the record is that was named instead of words."""
        fields = _fields(request)
        if named := await asyncio.to_thread(self._named, fields.get("q", "")):
            suffix = named.pith_number.rpartition(":")[2]
            headers = {"location": f"/pith/{suffix}", "cache-control": MINUTES}
            return make_reply(HTTPStatus.SEE_OTHER, headers)
        values = await asyncio.to_thread(search_values, self._reader, self._index, fields)
        return self._page(request, "search.html", values)

    def _named(self, text: str) -> KnownRecord | None:
        """Return the one record that a text names by its number, its id or its DOI, if it does."""
        try:
            # As commands take it: a registry's addresses also take eight small letters, which
            # may be a word that is looked for.
            parse_references([text])
            found = self._reader.resolve(text)
        except (ConfigError, BadReferenceError):
            return None
        return found[0] if len(found) == 1 else None

    async def packed(self, request: Request) -> Reply:
        """Return the page that shows any record out of packs."""
        return self._page(request, "packed.html", {})

    async def verify(self, request: Request) -> Reply:
        """Return the page that verifies what its visitor drops there."""
        return self._page(request, "verify.html", {})

    async def runs(self, request: Request) -> Reply:
        """Return the list of runs."""
        values = await asyncio.to_thread(runs_values, self._reader.layout, _page_of(request))
        return self._page(request, "operations/runs.html", self._listed(values))

    async def run(self, request: Request) -> Reply:
        """Return the page of a run."""
        values = await self._of_run(request, report_values)
        return self._page(request, "operations/run.html", values)

    async def report(self, request: Request) -> Reply:
        """Return the report of a run as JSON."""
        return _reply(request, JSON, _json(await self._of_run(request, read_report)))

    async def _of_run(
        self, request: Request, read: Callable[..., dict[str, object]]
    ) -> dict[str, object]:
        run = request.path.split("/")[2]
        try:
            return await asyncio.to_thread(read, self._reader.layout, run)
        except NoSuchRunError:
            raise ProblemError(HTTPStatus.NOT_FOUND, "There is no report of such a run.") from None

    def _table(self, table: str) -> Answer:
        async def answer(request: Request) -> Reply:
            values = await asyncio.to_thread(table_values, self._reader, table, _page_of(request))
            return self._page(request, f"operations/{table}.html", self._listed(values))

        return answer

    def _table_json(self, table: str) -> Answer:
        async def answer(request: Request) -> Reply:
            values = await asyncio.to_thread(table_values, self._reader, table, _page_of(request))
            return _reply(request, JSON, _json(values))

        return answer

    async def static(self, request: Request) -> Reply:
        """Return a script, a style or a picture of the site's."""
        name = request.path.removeprefix("/static/")
        data = static_files().get(name)
        if data is None:
            raise ProblemError(HTTPStatus.NOT_FOUND, "There is no such file.")
        return _reply(request, _MEDIA_TYPES[name.rpartition(".")[2]], data)

    def _listed(self, values: dict[str, object]) -> dict[str, object]:
        """Return the values of a list, which as a plain file has its newest page alone."""
        return values | {"pages": 1} if self._published else values

    def _page(self, request: Request, template: str, values: Mapping[str, object]) -> Reply:
        return _reply(request, HTML, self._renderer.render(template, values))


def _reply(request: Request, media_type: str, data: bytes) -> Reply:
    document = Document(media_type, to_hex(sha256(data)), lambda: data)
    return reply_to(request.method, request.headers, document)


def _fields(request: Request) -> dict[str, str]:
    """Return the fields of an address, of each the last; raises `ProblemError`."""
    try:
        found = parse_qs(request.query, errors="replace", max_num_fields=MOST_FIELDS)
    except ValueError:
        raise ProblemError(HTTPStatus.BAD_REQUEST, "The address has too many fields.") from None
    return {name: values[-1].replace("\x00", "") for name, values in found.items()}


def _page_of(request: Request) -> int:
    text = _fields(request).get("page", "1")
    if text.isascii() and text.isdecimal() and 1 <= int(text[:9]) <= LAST_PAGE:
        return int(text[:9])
    raise ProblemError(HTTPStatus.BAD_REQUEST, f"Pages are counted from 1 to {LAST_PAGE}.")


def _json(value: object) -> bytes:
    return msgspec.json.encode(value)


@cache
def static_files() -> dict[str, bytes]:
    """Return all files of the site by name; what is asked for never becomes a path."""
    return {"style.css": style(), **dict(_below(files("flows.registry") / "static", ""))}


def _below(folder: Traversable, prefix: str) -> list[tuple[str, bytes]]:
    found: list[tuple[str, bytes]] = []
    for one in folder.iterdir():
        if one.is_dir():
            found += _below(one, f"{prefix}{one.name}/")
        elif one.name.rpartition(".")[2] in _MEDIA_TYPES:
            found.append((prefix + one.name, one.read_bytes()))
    return found
