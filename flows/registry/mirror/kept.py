"""The folder of a mirror: the bundles that it keeps, how far it came, and what it refused.

Bundles lie as `pith-ingest export` writes them. `mirror.json` is written once the bundles that it
counts survive a power cut.
"""

from contextlib import suppress
from datetime import datetime
from itertools import count
from pathlib import Path

import msgspec

from flows.common.errors import StoreError
from flows.common.files.whole_file import read_whole
from flows.store.files.local import LocalFiles, reading, writing
from flows.store.layout import Layout

STATE, REFUSED = "mirror.json", "refused.jsonl"
DAMAGED = ".damaged"
"""After the name of a file that is no bundle any more: no reader of bundles takes it for one."""


class MirrorState(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Which registry is mirrored, by which keys (base64) it is known, and how far it was taken.

    `source` is what the cursor counts.
    """

    url: str
    keys: tuple[str, ...]
    source: str = ""
    cursor: int = 0


class Refused(msgspec.Struct, frozen=True):
    """What was not kept: when, what it was called, why, and the sha256 (hex) of its bytes."""

    refused_at: datetime
    name: str
    reason: str
    sha256: str


class MirrorFolder:
    """The files of one mirror."""

    def __init__(self, folder: Path) -> None:
        """Make nothing yet."""
        self.folder = folder
        self.files = LocalFiles(folder)

    def state(self) -> MirrorState | None:
        """Return how far the mirror came, None where there is none; raises `StoreError`."""
        try:
            return msgspec.json.decode(self.files.read(STATE), type=MirrorState)
        except FileNotFoundError:
            return None
        except (msgspec.DecodeError, UnicodeDecodeError, OSError) as error:
            raise StoreError(f"cannot read {self.files.location(STATE)}: {error}") from None

    def save(self, state: MirrorState) -> None:
        """Keep how far the mirror came, after all that was written until now."""
        with writing(self.folder):
            with self.files.syncing("") as sync:
                sync()
            self.files.write(STATE, msgspec.json.format(msgspec.json.encode(state)))

    def bundle(self, pith_number: str) -> bytes | None:
        """Return the kept bundle of a number, or None."""
        with reading(self.folder), suppress(FileNotFoundError):
            return self.files.read(_key(pith_number))
        return None

    def of_suffix(self, suffix: str) -> bytes | None:
        """Return the kept bundle with a whole suffix, of whatever year, or None."""
        for path in self.folder.glob(f"*/{suffix[:2]}/{suffix}.json"):
            with reading(self.folder), suppress(FileNotFoundError):
                return read_whole(path)
        return None

    def keep(self, pith_number: str, data: bytes) -> None:
        """Write a bundle, whole or not at all."""
        with writing(self.folder):
            self.files.write_derived([(_key(pith_number), data)])

    def put_aside(self, pith_number: str) -> str:
        """Rename the kept bundle of a number, which is damaged, and return where it lies now."""
        key = _key(pith_number)
        names = (f"{key}{DAMAGED}{number or ''}" for number in count())
        free = next(name for name in names if not self.files.exists(name))
        with writing(self.folder):
            self.files.move(key, free)
        return self.files.location(free)

    def refuse(self, refused: Refused) -> None:
        """Note what was refused."""
        with writing(self.folder), (self.folder / REFUSED).open("ab") as file:
            file.write(msgspec.json.encode(refused) + b"\n")


def _key(pith_number: str) -> str:
    return Layout(Path()).bundle(pith_number).partition("/")[2]
