"""What another registry has, piece by piece, of those that we know how to ask.

A listing gives pieces; each has a cursor, which is kept once all of the piece is taken, and with
which `pieces` begins after it.
"""

import hashlib
import zlib
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import NamedTuple, Protocol, TypeVar

import msgspec

from flows.registry.mirror.client import RegistryClient, RegistryError
from flows.registry.publish.published import STATE, Published, WrittenList, list_key
from transforms.encoding.strict_json import MAX_BYTES
from transforms.registry.addresses import (
    CHANGES,
    asked_record,
    change_path,
    is_suffix,
    record_addresses,
)

_GZIP = 16 + zlib.MAX_WBITS

_T = TypeVar("_T")


class Offered(NamedTuple):
    """A bundle that a registry has: how errors name it, its suffix if known, its bytes.

    `read` asks for the bytes; None where they are not there. `sha256` (hex) is of them, if listed.
    """

    name: str
    suffix: str | None
    read: Callable[[], bytes | None]
    sha256: str | None = None


class Piece(NamedTuple):
    """Some of what a registry has, and the cursor of all until its end."""

    cursor: int
    offered: Iterator[Offered]


class Listing(Protocol):
    """The pieces of a registry."""

    source: str
    """What the cursor counts, which another kind of registry counts otherwise."""

    def pieces(self, cursor: int) -> Iterator[Piece]:
        """Yield what comes after a cursor; 0 is the beginning."""


def find_listing(client: RegistryClient) -> Listing:
    """Return the way in which this registry says what it has; raises `RegistryError` if in none."""
    if data := client.get(STATE):
        published = _decoded(data, Published, STATE)
        kind = PublishedPacks if published.layout == "packs" else PublishedFiles
        return kind(client, published)
    if data := client.get(change_path(1)[1:]):
        return ServedChanges(client, _decoded(data, Change, change_path(1)[1:]).folder)
    raise RegistryError(
        f"{client.server} does not say which records it has; name them in a file, with --numbers"
    )


class NamedRecords:
    """Records that the user names, of any registry that serves the published addresses."""

    source = "numbers"

    def __init__(self, client: RegistryClient, suffixes: Sequence[str]) -> None:
        """Take whole suffixes."""
        self._client, self._suffixes = client, suffixes

    def pieces(self, cursor: int) -> Iterator[Piece]:
        """Yield all of them, whatever was taken before: they may have grown."""
        del cursor
        yield Piece(0, (_by_address(self._client, suffix) for suffix in self._suffixes))


class Change(msgspec.Struct, frozen=True):
    """The records whose newest bundle one entry of a served registry's ledger has."""

    folder: str
    number: int
    last: int
    suffixes: tuple[str, ...]


class ServedChanges:
    """A registry that is served: what each entry of its ledger has."""

    def __init__(self, client: RegistryClient, folder: str) -> None:
        """Take the id of its data folder."""
        self._client = client
        self.source = f"{CHANGES} of {folder}"

    def pieces(self, cursor: int) -> Iterator[Piece]:
        """Yield the entries after the one with the number `cursor`."""
        number = cursor + 1
        while data := self._client.get(change_path(number)[1:]):
            change = _decoded(data, Change, change_path(number)[1:])
            suffixes = [suffix for suffix in change.suffixes if is_suffix(suffix)]
            yield Piece(number, (_by_address(self._client, suffix) for suffix in suffixes))
            if number >= change.last:
                return
            number += 1


class PublishedFiles:
    """A published registry with a file for each document: what each publish wrote."""

    def __init__(self, client: RegistryClient, published: Published) -> None:
        """Take its state."""
        self._client, self._published = client, published
        self.source = f"publishes of {published.folder}"

    def pieces(self, cursor: int) -> Iterator[Piece]:
        """Yield the publishes after the one with the number `cursor`."""
        for number in range(cursor + 1, self._published.number + 1):
            key = list_key(number)
            data = self._client.get(key)
            if data is None:
                raise RegistryError(f"{self._client.server} has no {key}, which its state names")
            written = _decoded(data, WrittenList, key).written
            yield Piece(number, self._offered((one.key, one.sha256) for one in written))

    def _offered(self, written: Iterator[tuple[str, str]]) -> Iterator[Offered]:
        for key, sha256 in written:
            asked = asked_record(f"/{key}")
            if asked and asked.part == "bundle" and is_suffix(asked.name):
                yield _by_address(self._client, asked.name)._replace(sha256=sha256)


class PublishedPacks:
    """A published registry with bundles in packs, of which each is fetched once."""

    def __init__(self, client: RegistryClient, published: Published) -> None:
        """Take its state."""
        self._client, self._published = client, published
        self.source = f"packs of {published.folder}"

    def pieces(self, cursor: int) -> Iterator[Piece]:
        """Yield the packs but the first `cursor` ones."""
        for number, key in enumerate(self._published.packs[cursor:], cursor + 1):
            yield Piece(number, self._members(key))

    def _members(self, key: str) -> Iterator[Offered]:
        data = self._client.get(key)
        if data is None or not key.endswith(f"/{hashlib.sha256(data).hexdigest()[:32]}.pack"):
            raise RegistryError(
                f"{self._client.server} has another {key} than its name says; "
                "the same command asks again"
            )
        at = 0
        while at < len(data):
            name, (bundle, length) = f"{key} from byte {at} on", _first_member(data, at)
            yield Offered(name, None, partial(bytes, bundle))
            if not length:
                return
            at += length


def _first_member(data: bytes, at: int) -> tuple[bytes, int]:
    """Return the member that begins at a byte, and its length; 0 where no further one is found."""
    inflater = zlib.decompressobj(_GZIP)
    try:
        bundle = inflater.decompress(memoryview(data)[at:], MAX_BYTES + 1)
    except zlib.error:
        return b"", 0
    return bundle, len(data) - at - len(inflater.unused_data) if inflater.eof else 0


def _by_address(client: RegistryClient, suffix: str) -> Offered:
    key = record_addresses("", suffix).bundle[1:]
    return Offered(f"/{key}", suffix, partial(client.get, key))


def _decoded(data: bytes, kind: type[_T], key: str) -> _T:
    try:
        return msgspec.json.decode(data, type=kind)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise RegistryError(f"/{key} is not what a registry serves: {error}") from None
