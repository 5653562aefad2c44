"""Hostile inputs by parser: each a function of the bytes that it shall have, about."""

import gzip
import json
import struct
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

import zstandard

from support.bundles.signed_events import ISSUER, KEYS, signed
from support.papers.golden_data import GOLDEN
from support.papers.oai_pages import CLOSE, OPEN, record
from support.papers.snapshot_rows import line, row
from transforms.bundle.events import content_digest
from transforms.encoding.canonical import compact_json_unchecked
from transforms.signing import encode_base64

Input = Callable[[int], bytes]

RECORD = record().encode()
LIST, END = f"{OPEN}<ListRecords>".encode(), f"</ListRecords>{CLOSE}".encode()
HEADER = (
    b"<header><identifier>oai:arXiv.org:1906.10822</identifier>"
    b"<datestamp>2026-03-02</datestamp></header>"
)


def listed(content: bytes) -> bytes:
    return LIST + content + END


def within(place: bytes, put: bytes, size: int) -> bytes:
    """Compose a page of one record with `put` at a place in it, as often as it takes."""
    return listed(RECORD.replace(place, place + put * (size // len(put)), 1))


def repeated(piece: bytes, size: int, last: bytes = b"") -> bytes:
    return listed(piece * (size // len(piece)) + last)


def attributes(form: bytes, size: int, tag: bytes = b"record") -> bytes:
    count = size // (len(form) + 4)
    return b"<" + tag + b" " + b" ".join(form % number for number in range(count)) + b"/>"


def rooted(form: bytes, size: int, content: bytes) -> bytes:
    """Compose a page whose root declares many namespaces; `content` is the other half of it."""
    names = attributes(form, size // 2, b"OAI-PMH")[:-2]
    page = listed(content * (size // 2 // len(content)))
    return page.replace(b"<OAI-PMH", names, 1)


def long_namespace(size: int, content: bytes) -> bytes:
    """Compose a page whose root declares one namespace of half its bytes; the rest is `content`."""
    page = listed(content * (size // 2 // len(content)))
    return page.replace(b"<OAI-PMH", b'<OAI-PMH xmlns:x="' + b"u" * (size // 2) + b'"', 1)


def unknown_elements(size: int) -> bytes:
    return listed(
        RECORD.replace(b"<arXivRaw", b'<arXivRaw xmlns:x="' + b"u" * (size // 2) + b'"').replace(
            b"</arXivRaw>", b"<x:y/>" * (size // 12) + b"</arXivRaw>"
        )
    )


PAGES: dict[str, Input] = {
    "records without end": partial(repeated, b"<record>"),
    "records without end, in a comment, beside a reject": lambda size: listed(
        RECORD + b"<record/><!--" + b"<record>" * (size // 8) + b"-->"
    ),
    "whole records": partial(repeated, RECORD),
    "whole records and a reject": partial(repeated, RECORD, last=b"<record/>"),
    "whole records and a broken one": partial(repeated, RECORD, last=b"<record>&x;</record>"),
    "rejects": partial(repeated, b"<record/>"),
    "rejects written otherwise": partial(repeated, b"<record\n></record >"),
    "broken records": partial(repeated, b"<record>&x;</record>"),
    "empty records and a broken one": partial(
        repeated, b"<record></record>", last=b"<record>&x;</record>"
    ),
    "records in records": lambda size: listed(
        (b"<record>" * 100 + b"</record>" * 100) * (size // 1700)
    ),
    "comments in a field": partial(within, b"An abstract", b"a<!---->"),
    "instructions in a field": partial(within, b"An abstract", b"a<?b?>"),
    "sections in a field": partial(within, b"An abstract", b"a<![CDATA[b]]>"),
    "references in a field": partial(within, b"An abstract", b"&#97;&lt;"),
    "line ends in a field": partial(within, b"An abstract", b"\n  \n"),
    "commas in the authors": partial(within, b"A. One", b", (B. Two, "),
    "versions": partial(within, b"</version>", b"<version version='v2'><date>x</date></version>"),
    "elements": partial(repeated, b"<a/>"),
    "nested elements": lambda size: listed(
        (b"<a>" * 200 + b"</a>" * 200) * (size // 1400)
    ),
    "attributes": lambda size: listed(attributes(b'a%d="b"', size)),
    "namespaces of one element": lambda size: listed(attributes(b'xmlns:a%d="b"', size)),
    "namespaces of the root, and rejects": lambda size: rooted(
        b'xmlns:a%d="b"', size, b"<record />"
    ),
    "a long namespace, and unknown elements": unknown_elements,
    "a long namespace, and records of it": lambda size: long_namespace(
        size, b"<record><x:a/><x:b/></record>"
    ),
    "a long namespace, and another format": lambda size: long_namespace(
        size, b"<record><header/><metadata><x:a/></metadata></record>"
    ),
    "a long name": lambda size: listed(b"<" + b"a" * size + b"/>"),
    "beginnings of tags": lambda size: b"<" * size,
    "comments without end": lambda size: LIST + b"<!-" * (size // 3),
    "tokens": partial(within, b"</record>", b"<resumptionToken>%26skip%3D1</resumptionToken>"),
    "a long token": lambda size: listed(
        RECORD + b"<resumptionToken>" + b"%26skip%3D" * (size // 10) + b"</resumptionToken>"
    ),
}  # fmt: skip


def identifiers(content: bytes) -> bytes:
    return listed(content).replace(b"ListRecords>", b"ListIdentifiers>")


IDENTIFIERS: dict[str, Input] = {
    "headers": lambda size: identifiers(HEADER * (size // len(HEADER))),
    "rejects": lambda size: identifiers(b"<header/>" * (size // 9)),
    "namespaces of the root, and rejects": lambda size: rooted(
        b'xmlns:a%d="b"', size, b"<header/>"
    ).replace(b"ListRecords>", b"ListIdentifiers>"),
    "unfinished headers": lambda size: identifiers(b"<header>" * (size // 8)),
    "sets": lambda size: identifiers(
        HEADER.replace(b"</header>", b"<setSpec>a:b</setSpec>" * (size // 22) + b"</header>")
    ),
}

SETS: dict[str, Input] = {
    "sets": lambda size: listed(
        b"".join(
            b"<set><setSpec>a:%d</setSpec><setName>b</setName></set>" % number
            for number in range(size // 54)
        )
    ).replace(b"ListRecords>", b"ListSets>"),
    "a set without a name": lambda size: listed(
        b"<set><setSpec>a</setSpec></set>" * (size // 31)
    ).replace(b"ListRecords>", b"ListSets>"),
}

_FEED = (
    b'<feed xmlns="http://www.w3.org/2005/Atom" xmlns:o="http://a9.com/-/spec/opensearch/1.1/">'
    b"<o:totalResults>1</o:totalResults><o:startIndex>0</o:startIndex>%s</feed>"
)
_ENTRY = (
    b"<entry><id>http://arxiv.org/abs/1906.10822v1</id><updated>2026-01-01T00:00:00Z</updated>"
    b"<published>2026-01-01T00:00:00Z</published><title>t</title></entry>"
)
FEEDS: dict[str, Input] = {
    "entries": lambda size: _FEED % (_ENTRY * (size // len(_ENTRY))),
    "a long title": lambda size: _FEED % _ENTRY.replace(b"t</title>", b" a" * size + b"</title>"),
    "links": lambda size: (
        _FEED % _ENTRY.replace(b"<title>", b'<link href="a"/>' * (size // 16) + b"<title>")
    ),
    "elements": lambda size: _FEED % (_ENTRY + b"<a/>" * (size // 4)),
}  # fmt: skip


def with_field(name: str, value: Callable[[int], Any], size: int) -> bytes:
    return line(row() | {name: value(size)})


ROWS: dict[str, Input] = {
    "a long title": partial(with_field, "title", lambda size: " a" * (size // 2)),
    "line ends": partial(with_field, "abstract", lambda size: "a\n  \n" * (size // 5)),
    "parentheses": partial(with_field, "authors", lambda size: "(" * (size // 2) + ")" * size),
    "and": partial(with_field, "authors", lambda size: "a and b, " * (size // 9)),
    "TeX": partial(with_field, "title", lambda size: '{\\"o}$\\' * (size // 7)),
    "surrogates": partial(with_field, "title", lambda size: "\ud800" * (size // 6)),
    "categories": partial(with_field, "categories", lambda size: "a-b-c " * (size // 6)),
    "a category that is none": partial(with_field, "categories", lambda size: "a-" * (size // 2)),
    "versions": partial(
        with_field, "versions",
        lambda size: [{"version": f"v{n}", "created": "Tue, 3 Mar 2009 04:22:14 GMT"}
                      for n in range(1, size // 60)],
    ),
    "a long number": lambda size: b'{"id":' + b"9" * size + b"}",
    "a long fraction": lambda size: b'{"id":0.' + b"1" * size + b"}",
    "lists": lambda size: b"[" + b"[]," * (size // 3) + b"[]]",
    "nested": lambda size: b"[" * size,
    "keys": lambda size: json.dumps({f"k{n}": 1 for n in range(size // 12)}).encode(),
    "one key": lambda size: b'{"id":1' + b',"id":1' * (size // 7) + b"}",
    "escapes": lambda size: b'{"id":"' + b"\\u00e9" * (size // 6) + b'"}',
    "bytes that are no text": lambda size: b'{"id":"' + b"\xc3" * size + b'"}',
}  # fmt: skip


def changed(**parts: Any) -> bytes:
    return json.dumps({**GOLDEN[0].bundle, **parts}).encode()


def many_events(size: int, *, linked: bool) -> bytes:
    """Compose a bundle of signed events of one line; linked, each replaces the eight before it."""
    made: list[dict[str, Any]] = []
    start = datetime(2026, 1, 1, tzinfo=UTC)
    number = GOLDEN[0].bundle["pith_number"]
    for at in range(size // 1100):
        event = signed("note", {"at": at}, at=start + timedelta(seconds=at), number=number)
        if linked:
            event["supersedes"] = [other["event_id"] for other in made[-8:]]
            digest = content_digest(event)
            event["content_sha256"], event["event_id"] = digest.hex(), f"sha256:{digest.hex()}"
            signature = encode_base64(ISSUER.signer.sign(digest))
            event["signature"] = event["signature"] | {"signature_b64": signature}
        made.append(event)
    return changed(events=made, public_keys=KEYS)


def golden_again(size: int) -> bytes:
    """Compose a bundle whose own events stand in it many times."""
    bundle = GOLDEN[0].bundle
    events = bundle["events"] * max(1, size // len(json.dumps(bundle["events"])))
    return compact_json_unchecked({**bundle, "events": events})


BUNDLES: dict[str, Input] = {
    "events, signed": partial(many_events, linked=False),
    "events, of the same line": partial(many_events, linked=True),
    "events, the same again": golden_again,
    "events that are none": lambda size: changed(events=[{}] * (size // 4)),
    "keys": lambda size: changed(public_keys=GOLDEN[0].bundle["public_keys"] * (size // 700)),
    "aliases": lambda size: changed(
        source_aliases=GOLDEN[0].bundle["source_aliases"] * (size // 500)
    ),
    "a long title": lambda size: GOLDEN[0].data.replace(b'"title":"', b'"title":"' + b"A" * size),
    "blanks": lambda size: b" " * size + GOLDEN[0].data,
    "a long integer": lambda size: changed(n=0).replace(b'"n": 0', b'"n": ' + b"9" * size),
    "a long fraction": lambda size: changed(n=0).replace(b'"n": 0', b'"n": 0.' + b"9" * size),
    "one key": lambda size: b'{"a":1' + b',"a":1' * (size // 6) + b"}",
    "keys of one object": lambda size: changed(n={f"k{n}": None for n in range(size // 16)}),
    "keys that are not ASCII": lambda size: changed(n={f"é{n}": 0 for n in range(size // 16)}),
    "lists": lambda size: changed(n=[[]] * (size // 4)),
    "lists, compact": lambda size: b'{"bundle_type":[' + b"[]," * (size // 3) + b"[]]}",
    "objects": lambda size: changed(n=[{}] * (size // 4)),
    "nested": lambda size: b"[" * size,
    "nested objects": lambda size: b'{"a":' * (size // 5),
    "escapes": lambda size: changed(n="é\ud83d\ude00" * (size // 18)),
    "surrogates": lambda size: changed(n="\ud800" * (size // 6)),
}  # fmt: skip


def deflated(blocks: bytes) -> bytes:
    return b"\x1f\x8b\x08\0\0\0\0\0\0\x03" + blocks + b"\x01\0\0\xff\xff" + bytes(8)


def in_zstd(blocks: bytes) -> bytes:
    return b"\x28\xb5\x2f\xfd\x00\x58" + blocks + b"\x01\0\0"


def times(piece: bytes, size: int) -> bytes:
    return piece * (size // len(piece))


EMPTY_BLOCK = b"\x00\x00\x00\xff\xff"
ZSTD_ZEROS = struct.pack("<I", 131_072 << 3 | 2)[:3] + b"\0"
PACKED: dict[str, Input] = {
    "gzip, empty members": partial(times, gzip.compress(b"", mtime=0)),
    "gzip, members of a byte": partial(times, gzip.compress(b"x", mtime=0)),
    "gzip, empty blocks": lambda size: deflated(times(EMPTY_BLOCK, size)),
    "gzip, bytes after its end": lambda size: gzip.compress(b"x", mtime=0) + b"z" * size,
    "gzip, a long name": lambda size: b"\x1f\x8b\x08\x08" + b"\0\0\0\0\0\x03" + b"a" * size,
    "gzip, zeros": lambda size: gzip.compress(bytes(size), 9, mtime=0),
    "gzip, text": lambda size: gzip.compress(times(RECORD, size), 1, mtime=0),
    "zstd, empty frames": partial(times, zstandard.ZstdCompressor().compress(b"")),
    "zstd, frames of a byte": partial(times, zstandard.compress(b"x")),
    "zstd, frames to skip": lambda size: (
        zstandard.compress(b"x") + times(b"\x50\x2a\x4d\x18\0\0\0\0", size)
    ),
    "zstd, empty blocks": lambda size: in_zstd(times(b"\0\0\0", size)),
    "zstd, blocks of a byte": lambda size: in_zstd(times(b"\x08\0\0a", size)),
    "zstd, zeros": lambda size: in_zstd(times(ZSTD_ZEROS, size // 10_000)),
    "zstd, bytes after its end": lambda size: zstandard.compress(b"x") + b"z" * size,
    "zstd, text": lambda size: zstandard.compress(times(RECORD, size), 1),
}

BODIES: dict[str, Input] = {
    "gzip, bytes after its end": PACKED["gzip, bytes after its end"],
    "gzip, members after its end": PACKED["gzip, members of a byte"],
    "gzip, empty blocks": PACKED["gzip, empty blocks"],
    "gzip, zeros": PACKED["gzip, zeros"],
    "gzip, stored": lambda size: gzip.compress(bytes(range(256)) * (size // 256), 0, mtime=0),
}  # fmt: skip

HEAD = b"HTTP/1.1 200 OK\r\n"
CHUNKS = HEAD + b"Transfer-Encoding: chunked\r\n\r\n"
REPLIES: dict[str, Input] = {
    "interim replies": partial(times, b"HTTP/1.1 103 Early Hints\r\n\r\n"),
    "a header": lambda size: HEAD + b"X: " + b"a " * (size // 2),
    "headers": lambda size: HEAD + times(b"X: y\r\n", size),
    "a folded header": lambda size: HEAD + b"X: y\r\n" + times(b" a\r\n", size),
    "chunks of a byte": lambda size: CHUNKS + times(b"1\r\na\r\n", size),
    "a chunk's size": lambda size: CHUNKS + b"0" * size,
    "a chunk's extension": lambda size: CHUNKS + b"1;" + b"a" * size,
    "trailers": lambda size: CHUNKS + b"0\r\n" + times(b"X: y\r\n", size),
    "a body": lambda size: HEAD + b"\r\n" + b"<" * size,
}
"""Whole answers of a server."""
