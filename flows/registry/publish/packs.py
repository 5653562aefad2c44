"""Publishing bundles in packs: new packs for what is new, and the indexes that it changes.

What is published never changes under its name, which is a hash of it, so it can be cached for ever.
A night's records lie in a pack of their own; of the old ones only the indexes are written again.
"""

import os
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor

from flows.common.batches import batches
from flows.common.errors import StoreError
from flows.registry.publish.published import INDEXES, PACKS
from flows.registry.publish.target import Target
from transforms.encoding.digest import sha256, to_hex
from transforms.registry.packs import (
    PREFIX_CHARACTERS,
    BadIndexError,
    Place,
    read_index,
    to_member,
    write_index,
)

PACK_BYTES = 32 * 2**20
"""At three million records some 270 packs, about a thousand files with the indexes of all.

A server without ranges sends one as a whole, and a mirror takes it so: it has at most this and a
bundle more, well below the mirror's limit.
"""

_BUNDLES_AT_ONCE = 512
_HASH_CHARACTERS = 32


class PackWriter:
    """Writes packs, and then the indexes of what they hold.

    `packs` are the keys of all packs in the order of their numbers; `indexes` those of the indexes,
    by the first two characters of suffixes.
    """

    def __init__(self, target: Target, packs: Iterable[str], indexes: Mapping[str, str]) -> None:
        """Go on from what is published."""
        self.target = target
        self.packs = list(packs)
        self.indexes = dict(indexes)
        self._pack = bytearray()
        self._places: dict[str, dict[str, Place]] = defaultdict(dict)

    def add(self, bundles: Iterable[tuple[str, bytes]]) -> int:
        """Put bundles, each with its suffix, into packs; return how many."""
        number = 0
        for suffix, member in _members(bundles):
            place = Place(len(self.packs), len(self._pack), len(member))
            self._places[suffix[:PREFIX_CHARACTERS]][suffix] = place
            self._pack += member
            number += 1
            if len(self._pack) >= PACK_BYTES:
                self._end_pack()
        return number

    def finish(self) -> None:
        """Write the last pack, and each index with a new entry."""
        self._end_pack()
        for prefix, places in sorted(self._places.items()):
            data = write_index(self._published(prefix) | places)
            key = f"{INDEXES}/{prefix}-{_name(data)}.index"
            self.target.write_many([(key, data)])
            self.indexes[prefix] = key

    def _end_pack(self) -> None:
        if not self._pack:
            return
        key = f"{PACKS}/{_name(self._pack)}.pack"
        self.target.write(key, memoryview(self._pack))
        self.packs.append(key)
        self._pack = bytearray()

    def _published(self, prefix: str) -> dict[str, Place]:
        if prefix not in self.indexes:
            return {}
        key, files = self.indexes[prefix], self.target.files
        try:
            return read_index(prefix, files.read(key))
        except (FileNotFoundError, BadIndexError) as error:
            raise StoreError(
                f"{files.location(key)} is not what was published: {error or 'it is gone'}; "
                "publish to another place"
            ) from None


def _members(bundles: Iterable[tuple[str, bytes]]) -> Iterator[tuple[str, bytes]]:
    """Yield the gzip members of bundles; compressing lets go of Python's lock."""
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        for some in batches(bundles, _BUNDLES_AT_ONCE):
            members = pool.map(to_member, (data for _, data in some), chunksize=32)
            yield from zip((suffix for suffix, _ in some), members, strict=True)


def _name(data: bytes | bytearray) -> str:
    return to_hex(sha256(bytes(data)))[:_HASH_CHARACTERS]
