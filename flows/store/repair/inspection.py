"""Comparing the files of a data folder with those that were committed, by a look.

A look: which files there are, and their sizes. `check_bytes` reads them.
"""

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from flows.common.counts import counted
from flows.common.errors import StoreError
from flows.store.catalog.catalog import Catalog
from flows.store.files.local import Files
from flows.store.layout import TABLES, Layout
from flows.store.ledger import MEND, CommittedFile, Entry
from flows.store.parquet.shards import ShardName, read_file_marks


@dataclass(frozen=True, slots=True)
class Committed:
    """All that counts by the ledger: each file by its key, and each shard's entry by its name.

    Replaced shards are left out, and so are files that are known to be lost.
    """

    files: dict[str, CommittedFile]
    shards: dict[str, Entry]

    @classmethod
    def by(cls, entries: Sequence[Entry]) -> "Committed":
        """Return what the entries of a whole ledger commit."""
        replaced = {name for entry in entries for name in entry.replaces}
        lost = {key for entry in entries for key in entry.lost}
        shards = {
            entry.shard: entry for entry in entries if entry.shard and entry.shard not in replaced
        }
        files = {file.key: file for entry in shards.values() for file in entry.files}
        return cls({key: file for key, file in files.items() if key not in lost}, shards)

    def shard_of(self, key: str) -> str:
        """Return the name of the shard that a file belongs to."""
        return key.rpartition("/")[2].removesuffix(".parquet")


@dataclass(frozen=True, slots=True)
class WrongFile:
    """A committed file that is not what was committed, and how that shows."""

    key: str
    problem: str


@dataclass(frozen=True, slots=True)
class UnknownFile:
    """A file among the tables that the ledger does not know.

    `shard` is the shard that it says it is of, under its own name; None for any other file. It is
    `ours` where it was made by this data folder, or by a version that gave folders no id.
    """

    key: str
    shard: ShardName | None
    ours: bool


def table_sizes(layout: Layout) -> dict[str, int]:
    """Return the bytes of every Parquet file among the tables, by key."""
    return {
        f"{layout.table(table)}/{name}": size
        for table in TABLES
        for name, size in layout.files.sizes(layout.table(table)).items()
        if name.endswith(".parquet") and not name.startswith(".")
    }


def find_wrong_files(files: Files, committed: Committed, sizes: dict[str, int]) -> list[WrongFile]:
    """Return the committed files that are gone or have another size, in the ledger's order.

    One that has no name yet, since its run was killed, is not gone.
    """
    found = []
    for key, file in committed.files.items():
        if key not in sizes:
            if not (file.unnamed and files.exists(file.unnamed)):
                found.append(WrongFile(key, "is gone"))
        elif sizes[key] != file.size:
            found.append(WrongFile(key, f"has {sizes[key]} bytes instead of {file.size}"))
    return found


def find_unknown_files(
    layout: Layout, committed: Committed, sizes: Iterable[str], folder: str
) -> list[UnknownFile]:
    """Return the Parquet files among the tables that the ledger does not know, sorted."""
    return [_unknown(layout, key, folder) for key in sorted(sizes) if key not in committed.files]


def _unknown(layout: Layout, key: str, folder: str) -> UnknownFile:
    try:
        shard = read_file_marks(layout, key)
    except (StoreError, FileNotFoundError):
        shard = None
    # A copy under another name is not the shard that it says it is.
    if shard and shard.name != key.rpartition("/")[2].removesuffix(".parquet"):
        shard = None
    return UnknownFile(key, shard, shard is not None and shard.folder in {"", folder})


def check_bytes(files: Files, file: CommittedFile) -> str | None:
    """Read a committed file and return how it differs from what was committed, if it does."""
    size, digest = 0, hashlib.sha256()
    try:
        for block in files.blocks(file.key):
            size += len(block)
            digest.update(block)
    except FileNotFoundError:
        return "is gone"
    if size != file.size:
        return f"has {size} bytes instead of {file.size}"
    return None if digest.hexdigest() == file.sha256 else "has other bytes than were committed"


def require_bytes(files: Files, wanted: Iterable[CommittedFile]) -> None:
    """Raise `StoreError` for the first file whose bytes are not those that were committed."""
    for file in wanted:
        if problem := check_bytes(files, file):
            raise StoreError(f"{files.location(file.key)} {problem}; {MEND}")


def require_shard(layout: Layout, catalog: Catalog, shard: str, *tables: str) -> None:
    """Raise `StoreError` unless the files of some tables of a shard are those committed."""
    keys = {layout.shard(table, shard) for table in tables}
    require_bytes(layout.files, (file for file in catalog.files_of(shard) if file.key in keys))


def refuse_wrong(layout: Layout, wrong: Sequence[WrongFile]) -> None:
    """Raise `StoreError` where a committed file is gone or has another size."""
    if wrong:
        others = counted(len(wrong) - 1, "more files are so too", "more file is so too")
        more = f" ({others})" if len(wrong) > 1 else ""
        where = layout.files.location(wrong[0].key)
        raise StoreError(f"{where}, which was committed, {wrong[0].problem}{more}; {MEND}")
