"""What a published registry says of itself: the newest state, and what each publish wrote.

`pith-publish.json` is written last, in one step: until then readers see what was there before. All
that it names is there, and what it does not name yet disturbs nobody.
"""

from datetime import datetime
from typing import Literal

import msgspec

from flows.common.errors import StoreError
from flows.store.files.local import Files

STATE = "pith-publish.json"
LISTS = "publishes"
PACKS, INDEXES = "packs", "indexes"

FileLayout = Literal["files", "packs"]
"""A file for each document of each record, or bundles in packs."""


class LedgerHead(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The last entry of the data folder's ledger that is published."""

    number: int
    sha256: str


class Published(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The newest state: of which data folder, up to where, and where readers find the bundles.

    `packs` are keys in the order of their numbers, which never changes; `indexes` are keys by the
    first two characters of suffixes. `list` is the key of what the last publish wrote.
    """

    publish_version: Literal[1]
    number: int
    published_at: datetime
    base_url: str
    folder: str
    ledger: LedgerHead
    layout: FileLayout
    records: int
    list: str
    packs: tuple[str, ...] = ()
    indexes: dict[str, str] = {}


class WrittenKey(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A file that a publish wrote: its key, bytes and sha256 (hex)."""

    key: str
    size: int
    sha256: str


class WrittenList(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """All files that one publish wrote, and those that it removed."""

    number: int
    published_at: datetime
    written: tuple[WrittenKey, ...]
    removed: tuple[str, ...]


def list_key(number: int) -> str:
    """Return the key of what the publish with this number wrote."""
    return f"{LISTS}/{number:08}.json"


def read_published(files: Files) -> Published | None:
    """Return the newest state of a target, or None where nothing was published yet.

    Raises `StoreError` where its file is none of ours.
    """
    try:
        return msgspec.json.decode(files.read(STATE), type=Published)
    except FileNotFoundError:
        return None
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise StoreError(
            f"{files.location(STATE)} is not what 'registry publish' writes ({error}); "
            "publish to another place"
        ) from None


def to_document(value: Published | WrittenList) -> bytes:
    """Return the bytes of a document as it is published."""
    return msgspec.json.format(msgspec.json.encode(value), indent=1)
