"""The commit ledger: what was committed to a data folder, in its order; see `docs/store.md`.

An entry is one small file, `ledger/<number>.json`, written once and never changed: a line of JSON,
and a line with the sha256 of that. It names a shard's files with their sizes and hashes, and the
entry before it by its hash, so that a file or an entry that is lost, changed, or of another folder,
is known. Once an entry is durable its shard
counts: that the files get their names, and that the catalog learns of them, follows from it.
"""

import hashlib
import secrets
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import NamedTuple

import msgspec

from flows.common.errors import StoreError
from flows.store.files.local import Files

FOLDER = "ledger"
IDENTITY = "folder.json"
"""The file that names a data folder: made once, copied with it."""

MEND = "'pith-ingest doctor' names what is wrong, and 'pith-ingest doctor --repair' mends it"

_NONE_BEFORE = "0" * 64
_DIGITS = 8


class CommittedFile(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A file of a shard: its key, bytes and sha256 (hex), and where it lay before it was named."""

    key: str
    size: int
    sha256: str
    unnamed: str = ""


class Entry(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """One entry of the ledger.

    `previous` is the sha256 (hex) of the bytes of the entry before it. `moment` is a time, UTC,
    that no signature of the shard is later than. `replies` are the kept replies (sha256, hex) that
    the shard was made of. `replaces` names shards that count no more, since this entry's files hold
    what was left of them; `lost` are keys of files that are known to be gone for good.
    """

    number: int
    previous: str
    folder: str
    moment: datetime
    run: str
    shard: str = ""
    unit: str = ""
    files: tuple[CommittedFile, ...] = ()
    replies: tuple[str, ...] = ()
    replaces: tuple[str, ...] = ()
    lost: tuple[str, ...] = ()

    def to_bytes(self) -> bytes:
        """Return the exact bytes that the ledger keeps and hashes."""
        return msgspec.json.encode(self)


class WrittenEntry(NamedTuple):
    """An entry with the bytes that it is kept as, and their sha256 (hex)."""

    entry: Entry
    data: bytes
    sha256: str


class Head(NamedTuple):
    """The last entry of a ledger: its number, sha256 (hex) and moment; 0 where there is none."""

    number: int = 0
    sha256: str = _NONE_BEFORE
    moment: datetime = datetime.min.replace(tzinfo=UTC)

    @classmethod
    def of(cls, written: WrittenEntry) -> "Head":
        """Return the head of a ledger that ends with this entry."""
        return cls(written.entry.number, written.sha256, written.entry.moment)


class BadEntryError(Exception):
    """An entry of the ledger that cannot be what was written; the message says why."""


def read_entry(data: bytes) -> WrittenEntry:
    """Return the entry that these bytes are; raises `BadEntryError`."""
    try:
        entry = msgspec.json.decode(data, type=Entry)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise BadEntryError(str(error)) from None
    return WrittenEntry(entry, data, hashlib.sha256(data).hexdigest())


def entry_key(number: int) -> str:
    """Return the key of an entry's file."""
    return f"{FOLDER}/{number:0{_DIGITS}}.json"


def entry_numbers(files: Files) -> list[int]:
    """Return the numbers of the entries that there are, sorted."""
    stems = (name.removesuffix(".json") for name in files.names(FOLDER) if name.endswith(".json"))
    return sorted(int(stem) for stem in stems if len(stem) >= _DIGITS and stem.isdecimal())


def entry_file(written: WrittenEntry) -> bytes:
    """Return what the file of an entry holds."""
    return b"%b\n%b\n" % (written.data, written.sha256.encode())


def write_number(files: Files, written: WrittenEntry) -> None:
    """Write the file of an entry, durable."""
    files.write(entry_key(written.entry.number), entry_file(written))


def read_number(files: Files, number: int) -> WrittenEntry:
    """Return an entry of the ledger; raises `BadEntryError` for one that is gone or damaged."""
    try:
        data, _, noted = files.read(entry_key(number)).partition(b"\n")
    except FileNotFoundError:
        raise BadEntryError("it is gone") from None
    if noted != b"%b\n" % hashlib.sha256(data).hexdigest().encode():
        raise BadEntryError("its bytes were changed")
    written = read_entry(data)
    if written.entry.number != number:
        raise BadEntryError(f"it is the entry {written.entry.number}")
    return written


def read_after(files: Files, head: Head, folder: str) -> Iterator[WrittenEntry]:
    """Yield the entries that follow `head`, each checked to follow the one before it.

    Raises `StoreError` that names the first one that does not.
    """
    for number in entry_numbers(files):
        if number <= head.number:
            continue
        try:
            written = read_number(files, number)
            check_follows(written.entry, head, folder)
        except BadEntryError as error:
            where = files.location(entry_key(head.number + 1))
            raise StoreError(f"the ledger is not whole at {where}: {error}; {MEND}") from None
        yield written
        head = Head.of(written)


def check_follows(entry: Entry, head: Head, folder: str) -> None:
    """Raise `BadEntryError` unless `entry` is the next one of this folder's ledger."""
    if entry.folder != folder:
        raise BadEntryError("an entry of another data folder")
    if entry.number != head.number + 1:
        raise BadEntryError("it is gone")
    if entry.previous != head.sha256:
        raise BadEntryError("it does not follow from the entry before it")


@dataclass(slots=True)
class Ledger:
    """The ledger of one data folder in the hands of its one writer."""

    files: Files
    folder: str
    head: Head

    def append(
        self,
        *,
        moment: datetime,
        run: str,
        shard: str = "",
        unit: str = "",
        committed: Sequence[CommittedFile] = (),
        replies: Iterable[str] = (),
        replaces: Iterable[str] = (),
        lost: Iterable[str] = (),
    ) -> WrittenEntry:
        """Write the next entry, durable: from here on what it names counts."""
        entry = Entry(
            self.head.number + 1, self.head.sha256, self.folder, moment, run, shard, unit,
            tuple(committed), tuple(replies), tuple(replaces), tuple(lost),
        )  # fmt: skip
        key, written = entry_key(entry.number), read_entry(entry.to_bytes())
        if self.files.exists(key):
            raise StoreError(f"{self.files.location(key)} is there already; {MEND}")
        write_number(self.files, written)
        self.head = Head.of(written)
        return written


def read_identity(files: Files) -> str | None:
    """Return the id of a data folder, or None if it has none; raises `StoreError` if damaged."""
    try:
        found = msgspec.json.decode(files.read(IDENTITY), type=dict[str, str])
        return found["folder"]
    except FileNotFoundError:
        return None
    except (msgspec.DecodeError, UnicodeDecodeError, KeyError):
        raise StoreError(f"{files.location(IDENTITY)} is damaged; {MEND}") from None


def make_identity(files: Files, moment: datetime, folder: str | None = None) -> str:
    """Write the id of a data folder, a new one unless it is named, and return it."""
    folder = folder or secrets.token_hex(16)
    made = {"folder": folder, "made_at": moment.isoformat(timespec="seconds")}
    files.write(IDENTITY, msgspec.json.encode(made))
    return folder
