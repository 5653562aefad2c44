"""The documents of the registry itself: manifest, key, schemas, health."""

import asyncio
from dataclasses import dataclass
from functools import cache
from http import HTTPStatus
from importlib.resources import files

from flows.registry.reader import RegistryReader
from flows.registry.server.http.problems import ProblemError
from flows.registry.server.http.replies import Document, Reply, reply_to
from flows.registry.server.http.requests import Request
from flows.store.catalog.records import KnownRecord
from transforms.documents.bundle import Bundle
from transforms.encoding.canonical import compact_json_unchecked
from transforms.encoding.digest import sha256, to_hex
from transforms.encoding.strict_json import read_json
from transforms.registry.addresses import CHANGES, SCHEMAS, change_path
from transforms.registry.registry_documents import key_document, mirror_manifest

JSON = "application/json"
NO_STORE = "no-store"
_ENDING = ".schema.json"
MOST_DIGITS = 9
"""Of the number of an entry."""


@dataclass(frozen=True, slots=True)
class Whole:
    """Answers what is asked of the registry as a whole; `name` is what it calls itself."""

    reader: RegistryReader
    base_url: str
    name: str

    async def mirrors(self, request: Request) -> Reply:
        """Return the mirror manifest."""
        record, bundle = await asyncio.to_thread(self._newest)
        manifest = mirror_manifest(
            self.name,
            base_url=self.base_url,
            public_key=key_document(bundle),
            generated_at=record.issued_at,
        )
        return _answer(request, compact_json_unchecked(manifest))

    async def signing_key(self, request: Request) -> Reply:
        """Return the key that signed the newest bundle."""
        _, bundle = await asyncio.to_thread(self._newest)
        return _answer(request, compact_json_unchecked(key_document(bundle)))

    async def change(self, request: Request) -> Reply:
        """Return the records that an entry of the ledger has, for mirrors."""
        number = request.path.removeprefix(f"{CHANGES}/").removesuffix(".json")
        known = number.isascii() and number.isdecimal() and len(number) <= MOST_DIGITS
        change = await asyncio.to_thread(self.reader.change, int(number)) if known else None
        if change is None or request.path != change_path(int(number)):
            raise ProblemError(HTTPStatus.NOT_FOUND, "The ledger has no such entry.")
        return _answer(request, compact_json_unchecked(change))

    async def schema(self, request: Request) -> Reply:
        """Return a JSON Schema."""
        name = request.path.removeprefix(f"{SCHEMAS}/")
        if name not in _schemas():
            raise ProblemError(HTTPStatus.NOT_FOUND, "There is no such schema.")
        return _answer(request, _schemas()[name], "application/schema+json")

    async def openapi(self, request: Request) -> Reply:
        """Return what OpenAPI says of this service."""
        data = (files("flows.registry.server") / "openapi.json").read_bytes()
        return _answer(request, data)

    async def health(self, request: Request) -> Reply:
        """Say that the process answers."""
        return _answer(request, b'{"status":"ok"}', cache=NO_STORE)

    async def readiness(self, request: Request) -> Reply:
        """Say that there are records to serve; raises `StoreError` where they cannot be read."""
        await asyncio.to_thread(self._newest)
        return _answer(request, b'{"status":"ready"}', cache=NO_STORE)

    def _newest(self) -> tuple[KnownRecord, Bundle]:
        record = self.reader.newest()
        if record is None:
            raise ProblemError(HTTPStatus.NOT_FOUND, "There are no records yet.")
        return record, read_json(self.reader.bundle(record).read())


def _answer(
    request: Request, data: bytes, media_type: str = JSON, cache: str | None = None
) -> Reply:
    document = Document(media_type, to_hex(sha256(data)), lambda: data)
    if cache:
        document = document._replace(cache=cache)
    return reply_to(request.method, request.headers, document)


@cache
def _schemas() -> dict[str, bytes]:
    """Return the JSON Schemas by file name."""
    folder = files("transforms") / "schemas"
    return {
        file.name: file.read_bytes() for file in folder.iterdir() if file.name.endswith(_ENDING)
    }
