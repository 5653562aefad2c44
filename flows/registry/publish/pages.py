"""The registry's own answers as files: what its server would say to each address, taken once.

So a published registry and a served one say the same. What only a server can answer, such as a
search, is left out: of what has a question mark in its address the first page alone is taken.
"""

import asyncio
from collections.abc import AsyncIterator, Iterable, Iterator
from http import HTTPStatus
from importlib.resources import files
from urllib.parse import unquote, urldefrag

import httpx
from lxml import html
from starlette.types import ASGIApp

from flows.common.errors import StoreError
from flows.registry.site.site import PACKED, static_files
from transforms.registry.addresses import MIRRORS, SCHEMAS, SIGNING_KEY, record_addresses

HOME = "/"
PAGE_OF = "index.html"
"""What web servers answer for a folder."""

_SCHEMAS = [
    f"{SCHEMAS}/{file.name}"
    for file in (files("transforms") / "schemas").iterdir()
    if file.name.endswith(".schema.json")
]
_FIRST_PAGE = "?page=1"
_HTML = "text/html"


class Answers:
    """Asks an application of the registry in this process, as readers ask its server."""

    def __init__(self, app: ASGIApp, base_url: str) -> None:
        """Ask `app` as the host of `base_url`."""
        self._app, self._base_url = app, base_url

    def of_records(self, suffixes: Iterable[str]) -> Iterator[tuple[str, bytes]]:
        """Yield key and bytes of each document of each record."""
        paths = (path for suffix in suffixes for path in record_addresses("", suffix))
        return self._run(self._taken(paths))

    def of_site(self) -> Iterator[tuple[str, bytes]]:
        """Yield key and bytes of the registry's documents, and of all pages that they lead to."""
        return self._run(self._followed())

    def of_packed(self) -> list[tuple[str, bytes]]:
        """Return the page of all packed records, by the keys where readers come upon it.

        Many hosts answer `404.html` for what they have not, such as `/pith/SUFFIX`.
        """
        ((_, data),) = self._run(self._taken([PACKED]))
        return [(key, data) for key in (f"pith/{PAGE_OF}", "404.html")]

    def _run(self, answers: AsyncIterator[tuple[str, bytes]]) -> Iterator[tuple[str, bytes]]:
        with asyncio.Runner() as runner:
            while (answer := runner.run(anext(answers, None))) is not None:
                yield answer

    async def _taken(self, paths: Iterable[str]) -> AsyncIterator[tuple[str, bytes]]:
        async with self._client() as client:
            for path in paths:
                reply = await _get(client, path)
                yield _key(path, reply), reply.content

    async def _followed(self) -> AsyncIterator[tuple[str, bytes]]:
        scripts = [f"/static/{name}" for name in static_files()]
        due = [HOME, MIRRORS, SIGNING_KEY, *_SCHEMAS, *scripts]
        seen = set(due)
        async with self._client() as client:
            while due:
                path = due.pop()
                reply = await _get(client, path)
                yield _key(path, reply), reply.content
                new = [to for to in _leads_to(reply) if to not in seen]
                seen.update(new)
                due += new

    def _client(self) -> httpx.AsyncClient:
        transport = httpx.ASGITransport(self._app)
        headers = {"accept": f"{_HTML}, */*;q=0.5", "accept-encoding": "identity"}
        return httpx.AsyncClient(transport=transport, base_url=self._base_url, headers=headers)


async def _get(client: httpx.AsyncClient, path: str) -> httpx.Response:
    reply = await client.get(path)
    if reply.status_code != HTTPStatus.OK:
        raise StoreError(f"the registry answers {path} with status {reply.status_code}")
    return reply


def _is_page(reply: httpx.Response) -> bool:
    return str(reply.headers.get("content-type", "")).startswith(_HTML)


def _key(path: str, reply: httpx.Response) -> str:
    """Return the key of an answer; a page lies in a folder, so that its address has no ending."""
    key = unquote(path).strip("/")
    if not _is_page(reply) or key.endswith(".html"):
        return key
    return f"{key}/{PAGE_OF}" if key else PAGE_OF


def _leads_to(reply: httpx.Response) -> list[str]:
    """Return the addresses on this host that a page names, but records, which are taken by number.

    What modules name is not read: all scripts are taken.
    """
    if not _is_page(reply):
        return []
    links = (urldefrag(str(link)).url for _, _, link, _ in html.iterlinks(reply.content))
    found = (link.removesuffix(_FIRST_PAGE) for link in links)
    return [
        link
        for link in dict.fromkeys(found)
        if link.startswith("/")
        and not link.startswith(("//", "/pith/", "/.well-known/"))
        and "?" not in link
    ]
