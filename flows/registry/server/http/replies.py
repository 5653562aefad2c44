"""Replies: a document as the headers of a request ask for it."""

import zlib
from collections.abc import Callable, Mapping
from datetime import datetime
from http import HTTPStatus
from typing import NamedTuple

import zstandard

from flows.registry.server.http.negotiation import (
    UnsatisfiableRangeError,
    asked_range,
    best_encoding,
    http_date,
    matches,
    not_modified,
)
from flows.registry.server.http.problems import MEDIA_TYPE, ProblemError, problem_json

MINUTES = "public, max-age=300"
"""For what a later commit may change, and that is everything: a bundle gets new events."""

_LEAST_COMPRESSED = 400
"""Bytes: what is shorter fits a packet anyway."""

_ZSTD = zstandard.ZstdCompressor(level=3)

Headers = list[tuple[bytes, bytes]]


class Reply(NamedTuple):
    """A whole reply, as it is sent."""

    status: HTTPStatus
    headers: Headers
    body: bytes = b""


class Document(NamedTuple):
    """What is served at an address; `read` gives its bytes only where they are wanted.

    `sha256` (hex) is of these bytes; `vary` names the request's headers that chose this document.
    """

    media_type: str
    sha256: str
    read: Callable[[], bytes]
    modified: datetime | None = None
    cache: str = MINUTES
    vary: str = "Accept-Encoding"


def reply_to(method: str, asked: Mapping[str, str], document: Document) -> Reply:
    """Return a document as the headers of a request, named in small letters, ask for it.

    Raises `ProblemError` for a range that is not there.
    """
    headers = {"cache-control": document.cache, "vary": document.vary}
    etag = f'"{document.sha256}"'
    if _is_known(asked, etag, document.modified):
        # And nothing else, for who asks has it (RFC 9110, section 15.4.5).
        return make_reply(HTTPStatus.NOT_MODIFIED, {**headers, "etag": etag})
    body = document.read()
    headers |= {"content-type": document.media_type, "accept-ranges": "bytes"}
    if document.modified:
        headers["last-modified"] = http_date(document.modified)
    wanted = _range(method, asked, etag, document.modified, len(body))
    if wanted is not None:
        headers["content-range"] = f"bytes {wanted.start}-{wanted.stop - 1}/{len(body)}"
        part = body[wanted.start : wanted.stop]
        return make_reply(HTTPStatus.PARTIAL_CONTENT, {**headers, "etag": etag}, part)
    encoding = best_encoding(asked.get("accept-encoding"))
    if encoding and len(body) >= _LEAST_COMPRESSED:
        headers["content-encoding"] = encoding
        etag = f'{etag[:-1]}-{encoding}"'
        body = _compressed(body, encoding)
    return make_reply(HTTPStatus.OK, {**headers, "etag": etag}, body)


def problem_reply(problem: ProblemError) -> Reply:
    """Return the reply that says what is wrong; nobody keeps it."""
    headers = {"content-type": MEDIA_TYPE, "cache-control": "no-store", **problem.headers}
    return make_reply(problem.status, headers, problem_json(problem.status, problem.detail))


def make_reply(status: HTTPStatus, headers: Mapping[str, str], body: bytes = b"") -> Reply:
    """Return a reply with these headers and its length."""
    own = [(name.encode(), value.encode("latin-1")) for name, value in headers.items()]
    if status not in {HTTPStatus.NOT_MODIFIED, HTTPStatus.NO_CONTENT}:
        own.append((b"content-length", str(len(body)).encode()))
    return Reply(status, own, body)


def _is_known(asked: Mapping[str, str], etag: str, modified: datetime | None) -> bool:
    """Return whether the asker has the document; its ETag counts before its time."""
    if (known := asked.get("if-none-match")) is not None:
        return matches(known, etag)
    since = asked.get("if-modified-since")
    return since is not None and modified is not None and not_modified(since, modified)


def _range(
    method: str, asked: Mapping[str, str], etag: str, modified: datetime | None, size: int
) -> range | None:
    """Return the part that is asked for, None for the whole: also where `If-Range` is of another.

    A part is one of the document as it is, never of a compressed one.
    """
    if method != "GET" or "range" not in asked:
        return None
    condition = asked.get("if-range")
    if condition not in {None, etag, http_date(modified) if modified else etag}:
        return None
    try:
        return asked_range(asked["range"], size)
    except UnsatisfiableRangeError:
        raise ProblemError(
            HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE,
            f"The document has {size} bytes.",
            {"content-range": f"bytes */{size}"},
        ) from None


def _compressed(body: bytes, encoding: str) -> bytes:
    """Return a body compressed anew, at a level that takes less time than keeping many would cost.

    Of a bundle zstd takes 30 µs, gzip 70.
    """
    if encoding == "zstd":
        return _ZSTD.compress(body)
    packer = zlib.compressobj(level=1, wbits=31)
    return packer.compress(body) + packer.flush()
