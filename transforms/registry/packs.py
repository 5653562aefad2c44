"""Packs: how millions of bundles are published as about a thousand plain files (docs/registry.md).

A pack is gzip members one after the other, a bundle each. An index has the places of all bundles
whose suffixes begin with the same two characters, sorted by suffix; an entry is 25 bytes:

    15 bytes  the other 24 characters of the suffix, base32 without padding
     2 bytes  the number of the pack, counted from 0 in the manifest
     4 bytes  where the member begins in it
     4 bytes  how long the member is

Integers are unsigned, the highest byte first. So a bundle is one range of one pack.
"""

import struct
import zlib
from base64 import b32decode, b32encode
from collections.abc import Mapping
from itertools import pairwise
from typing import NamedTuple

PREFIX_CHARACTERS = 2
"""Of a suffix, which its index has in its name: 1,024 indexes."""

_GZIP = 16 + zlib.MAX_WBITS
_ENTRY = struct.Struct(">15sHII")


class Place(NamedTuple):
    """Where a bundle lies: in which pack of the manifest, from which byte on, and how many."""

    pack: int
    offset: int
    length: int


class BadIndexError(Exception):
    """An index that cannot be what was published; the message says why."""


def to_member(bundle: bytes) -> bytes:
    """Return a bundle as a gzip member, the same each time."""
    packer = zlib.compressobj(wbits=_GZIP)
    return packer.compress(bundle) + packer.flush()


def write_index(places: Mapping[str, Place]) -> bytes:
    """Return the index of the bundles with these suffixes, which all begin alike."""
    keyed = ((b32decode(suffix[PREFIX_CHARACTERS:]), place) for suffix, place in places.items())
    return b"".join(_ENTRY.pack(key, *place) for key, place in sorted(keyed))


def read_index(prefix: str, data: bytes) -> dict[str, Place]:
    """Return the places that an index holds, by suffix; raises `BadIndexError`."""
    if len(data) % _ENTRY.size:
        raise BadIndexError(f"it has {len(data)} bytes, which is no multiple of {_ENTRY.size}")
    entries = list(_ENTRY.iter_unpack(data))
    if any(one[0] >= other[0] for one, other in pairwise(entries)):
        raise BadIndexError("its entries are not sorted, each once")
    return {prefix + b32encode(key).decode(): Place(*place) for key, *place in entries}
