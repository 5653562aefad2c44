"""The documents of records, at their canonical addresses; every other name leads there."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from http import HTTPStatus
from urllib.parse import quote

from flows.registry.reader import RegistryReader, StoredBundle
from flows.registry.server.http.negotiation import best_type
from flows.registry.server.http.problems import ProblemError
from flows.registry.server.http.replies import MINUTES, Document, Reply, make_reply, reply_to
from flows.registry.server.http.requests import Request
from flows.registry.site.site import Site
from flows.store.catalog.records import KnownRecord
from transforms.documents.bundle import Bundle
from transforms.encoding.canonical import compact_json_unchecked
from transforms.encoding.digest import sha256, to_hex
from transforms.encoding.strict_json import read_json
from transforms.paper.reference import BadReferenceError
from transforms.registry.addresses import (
    RecordPart,
    asked_record,
    is_suffix,
    record_addresses,
)
from transforms.registry.record_document import record_document, state_document

HTML, LD_JSON, JSON = "text/html", "application/ld+json", "application/json"
SHOWN_CANDIDATES = 100


@dataclass(frozen=True, slots=True)
class Records:
    """Answers what is asked of records."""

    reader: RegistryReader
    base_url: str
    site: Site

    async def answer(self, request: Request) -> Reply:
        """Return the reply to a request below `/pith/` or `/.well-known/pith/`."""
        asked = asked_record(request.path)
        if asked is None:
            raise ProblemError(HTTPStatus.NOT_FOUND, "There is nothing at this address.")
        part, name = asked
        if not is_suffix(name):
            return await self._elsewhere(request, part, name)
        stored = self.reader.indexed(name)
        if stored is None:
            stored = await asyncio.to_thread(self._find, name)
        document = (
            await asyncio.to_thread(self._document, request, part, stored)
            if (part == "page")
            else self._document(request, part, stored)
        )
        return reply_to(request.method, request.headers, document)

    def _find(self, suffix: str) -> StoredBundle:
        found = self.reader.resolve(suffix)
        if not found:
            raise ProblemError(HTTPStatus.NOT_FOUND, f"No record has the suffix {suffix}.")
        return self.reader.bundle(found[0])

    async def _elsewhere(self, request: Request, part: RecordPart, name: str) -> Reply:
        """Return the reply to a name that is not canonical: where the record is."""
        try:
            found = await asyncio.to_thread(self.reader.resolve, name.rstrip("/"))
        except BadReferenceError as error:
            raise ProblemError(HTTPStatus.NOT_FOUND, f"{error}.") from None
        if not found:
            raise ProblemError(HTTPStatus.NOT_FOUND, f"No record is known as {name:.100}.")
        if len(found) > 1:
            return self._candidates(request, part, name, found)
        headers = {"location": _address(part, found[0]), "cache-control": MINUTES}
        return make_reply(HTTPStatus.FOUND, headers)

    def _candidates(
        self, request: Request, part: RecordPart, name: str, found: Sequence[KnownRecord]
    ) -> Reply:
        if best_type(request.headers.get("accept"), (JSON, HTML)) != HTML:
            return _candidates(part, name, found)
        page = self.site.candidates(name, found[:SHOWN_CANDIDATES])
        headers = {"content-type": f"{HTML}; charset=utf-8", "cache-control": MINUTES}
        return make_reply(HTTPStatus.MULTIPLE_CHOICES, headers, page)

    def _document(self, request: Request, part: RecordPart, stored: StoredBundle) -> Document:
        if part in {"bundle", "well_known_bundle"}:
            return Document(JSON, stored.sha256, stored.read, stored.issued_at)
        bundle: Bundle = read_json(stored.read())
        if part == "state":
            return _made(JSON, state_document(bundle), stored)
        if part == "record":
            return _made(JSON, self._record(bundle), stored)
        media_type = best_type(request.headers.get("accept"), (HTML, LD_JSON, JSON))
        if media_type is None:
            detail = f"This is served as {HTML}, {LD_JSON} and {JSON}."
            raise ProblemError(HTTPStatus.NOT_ACCEPTABLE, detail)
        if media_type == HTML:
            # Of all records of the paper, for it says which is the newest.
            page, modified = self.site.record(bundle, request.headers.get("host"))
            media_type = "text/html; charset=utf-8"
            document = Document(media_type, to_hex(sha256(page)), lambda: page, modified)
        else:
            document = _made(media_type, self._record(bundle), stored)
        return document._replace(vary="Accept, Accept-Encoding")

    def _record(self, bundle: Bundle) -> bytes:
        return compact_json_unchecked(record_document(bundle, base_url=self.base_url))


def _made(media_type: str, data: bytes, stored: StoredBundle) -> Document:
    return Document(media_type, to_hex(sha256(data)), lambda: data, stored.issued_at)


def _address(part: RecordPart, record: KnownRecord) -> str:
    """Return the path of a part of a record, on whatever host was asked."""
    addresses = record_addresses("", record.pith_number.rpartition(":")[2])
    return quote(getattr(addresses, part))


def _candidates(part: RecordPart, name: str, found: Sequence[KnownRecord]) -> Reply:
    """Return the reply that a short number stands for several records (RFC 9110, 15.4.1)."""
    body = {
        "name": name[:SHOWN_CANDIDATES],
        "count": len(found),
        "candidates": [
            {
                "pith_number": record.pith_number,
                "arxiv_id": record.arxiv_id,
                "version": record.version,
                "address": _address(part, record),
            }
            for record in found[:SHOWN_CANDIDATES]
        ],
    }
    headers = {"content-type": JSON, "cache-control": MINUTES}
    return make_reply(HTTPStatus.MULTIPLE_CHOICES, headers, compact_json_unchecked(body))
