"""The registry's own answers as files: what its server would say to each address, taken once.

So a published registry and a served one say the same. What only a server can answer, such as a
search, is left out: nothing with a question mark in its address is taken.
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
from transforms.registry.addresses import MIRRORS, SCHEMAS, SIGNING_KEY, record_addresses

HOME = "/"
PAGE_OF = "index.html"
"""What web servers answer for a folder."""

_SCHEMAS = [
    f"{SCHEMAS}/{file.name}"
    for file in (files("transforms") / "schemas").iterdir()
    if file.name.endswith(".schema.json")
]
_ALWAYS = (HOME, MIRRORS, SIGNING_KEY, *_SCHEMAS)
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
        due, seen = [*_ALWAYS], {*_ALWAYS}
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

    A stylesheet or a module names none that pages do not.
    """
    if not _is_page(reply):
        return []
    found = (urldefrag(str(link)).url for _, _, link, _ in html.iterlinks(reply.content))
    return [
        link
        for link in dict.fromkeys(found)
        if link.startswith("/")
        and not link.startswith(("//", "/pith/", "/.well-known/"))
        and "?" not in link
    ]
