"""Checking a data folder against itself: id, ledger, catalog, tables, bundle files, replies.

A look takes sizes and presence; nothing is written, and a run may go on meanwhile.
"""

from collections.abc import Iterator
from contextlib import closing, suppress
from dataclasses import dataclass, field
from enum import StrEnum
from itertools import groupby

from flows.common.counts import counted
from flows.common.errors import StoreError
from flows.store.catalog.catalog import Catalog
from flows.store.catalog.connection import is_there
from flows.store.catalog.copies import readable_catalog
from flows.store.catalog.file import UNREADABLE, DamagedCatalogError, find_damage, is_noted
from flows.store.files.local import reading
from flows.store.layout import Layout
from flows.store.ledger import (
    IDENTITY,
    BadEntryError,
    Entry,
    Head,
    WrittenEntry,
    check_follows,
    entry_key,
    entry_numbers,
    read_identity,
    read_number,
)
from flows.store.repair.inspection import (
    Committed,
    UnknownFile,
    WrongFile,
    find_unknown_files,
    find_wrong_files,
    table_sizes,
)


class Remedy(StrEnum):
    """The remedy of a fault."""

    REPAIR = "pith-ingest doctor --repair"
    NEXT_RUN = "the next run"
    REBUILD = "pith-ingest rebuild-catalog"


@dataclass(frozen=True, slots=True)
class Fault:
    """Something that is not as it was left: where, what, and what mends it."""

    where: str
    problem: str
    remedy: Remedy = Remedy.REPAIR

    def __str__(self) -> str:
        """Return it as one line."""
        return f"{self.where} {self.problem}; mended by: {self.remedy}"


@dataclass(slots=True)
class Findings:
    """The findings of a look at a data folder.

    `entries` is the ledger as far as it can be known, from its files or from the catalog's copies;
    `restorable` are those of which only the catalog has a copy, and `stray` the numbers of files
    that are no entries of it. `catalog_problem` says why the catalog must be made again.
    """

    folder: str
    entries: list[WrittenEntry] = field(default_factory=list)
    restorable: list[WrittenEntry] = field(default_factory=list)
    stray: list[int] = field(default_factory=list)
    catalog_problem: str | None = None
    wrong: list[WrongFile] = field(default_factory=list)
    unknown: list[UnknownFile] = field(default_factory=list)
    faults: list[Fault] = field(default_factory=list)
    notices: list[str] = field(default_factory=list)

    @property
    def committed(self) -> Committed:
        """The files and shards that count by the ledger."""
        return Committed.by([written.entry for written in self.entries])

    @property
    def lost(self) -> set[str]:
        """The keys of files that are known to be lost."""
        return {key for written in self.entries for key in written.entry.lost}


def look(layout: Layout, *, quick: bool = False) -> Findings:
    """Look at id, ledger, catalog and tables: what a run builds upon, and `status` checks.

    A `quick` look does not read the bytes of a catalog that nobody wrote to since its last run.
    """
    with reading(layout.root):
        return _look(layout, quick=quick)


def _look(layout: Layout, *, quick: bool) -> Findings:
    sizes = table_sizes(layout)  # before the ledger: what a run adds meanwhile is in that
    known, catalog_folder, problem = _catalog(layout, quick=quick)
    numbers = entry_numbers(layout.files)
    folder, identity_fault = _folder(layout, numbers, catalog_folder)
    found = Findings(folder, catalog_problem=problem)
    if identity_fault:
        found.faults.append(identity_fault)
    _read_ledger(layout, found, numbers, known)
    _compare_catalog(layout, found, known, catalog_folder)
    _check_tables(layout, found, sizes)
    return found


def _catalog(
    layout: Layout, *, quick: bool
) -> tuple[dict[int, WrittenEntry], str | None, str | None]:
    """Return the entries that the catalog knows, its folder, and what is wrong with its file."""
    path = readable_catalog(layout)
    if not is_there(path):
        return {}, None, "is gone"
    # Before SQLite opens it: to close the file would end the locks of this process.
    problem = None if layout.objects else find_damage(path, quick=quick)
    try:
        catalog = Catalog.open(path, read_only=True)
    except DamagedCatalogError as error:
        return {}, None, str(error).partition("; ")[0]
    with closing(catalog):
        if problem is None and layout.objects is None and not is_noted(path):
            problem = catalog.inner_damage()
        entries: dict[int, WrittenEntry] = {}
        try:
            for written in catalog.entries():
                entries[written.entry.number] = written
            folder: str | None = catalog.folder
        except (*UNREADABLE, BadEntryError, TypeError) as error:
            folder, problem = None, problem or f"cannot be read: {error}"
        return entries, folder, problem


def _folder(
    layout: Layout, numbers: list[int], catalog_folder: str | None
) -> tuple[str, Fault | None]:
    """Return the folder's id by most of its witnesses, and the fault of its file, if it has one."""
    witnesses = []
    for number in (*numbers[:1], *numbers[-1:]):
        with suppress(BadEntryError):
            witnesses.append(read_number(layout.files, number).entry.folder)
    if catalog_folder:
        witnesses.append(catalog_folder)
    try:
        said, problem = read_identity(layout.files), "is gone"
    except StoreError:
        said, problem = None, "is damaged"
    candidates = [one for one in (said, *witnesses) if one]
    folder = max(candidates, key=candidates.count, default=None)
    if said is not None and folder != said:
        problem = "is another folder's"
    if said == folder:
        return folder or "", None
    return folder or "", Fault(layout.files.location(IDENTITY), problem)


def _read_ledger(
    layout: Layout, found: Findings, numbers: list[int], known: dict[int, WrittenEntry]
) -> None:
    """Follow the ledger from its first entry, by its files or else by the catalog's copies."""
    head, there = Head(), set(numbers)
    for number in range(1, max([*numbers, *known], default=0) + 1):
        where = layout.files.location(entry_key(number))
        try:
            written = read_number(layout.files, number)
            check_follows(written.entry, head, found.folder)
        except BadEntryError as error:
            problem = f"is not the entry that was written: {error}"
            copy = known.get(number)
            if copy is None or not _follows(copy.entry, head, found.folder):
                found.stray = [one for one in numbers if one >= number]
                found.faults.append(Fault(where, f"{problem}; what follows it is not known either"))
                return
            found.faults.append(Fault(where, f"{problem}; the catalog has a copy"))
            found.restorable.append(copy)
            found.stray += [number] if number in there else []
            written = copy
        found.entries.append(written)
        head = Head.of(written)


def _follows(entry: Entry, head: Head, folder: str) -> bool:
    try:
        check_follows(entry, head, folder)
    except BadEntryError:
        return False
    return True


def _compare_catalog(
    layout: Layout, found: Findings, known: dict[int, WrittenEntry], folder: str | None
) -> None:
    """Return whether the catalog is at one with the ledger, or only behind it."""
    last = known[max(known)] if known else None
    if found.catalog_problem is None and folder != found.folder:
        found.catalog_problem = "is another data folder's"
    if found.catalog_problem is None and last is not None and last not in found.entries:
        found.catalog_problem = "is of another history than the ledger"
    if found.catalog_problem is None:
        behind = found.entries[len(known) :]
        if any(written.entry.replaces for written in behind):
            found.catalog_problem = "is older than a repair"
        elif behind and not _is_written(layout):
            what = f"is behind by {counted(len(behind), 'commits')}"
            found.faults.append(Fault(str(layout.catalog), what, Remedy.NEXT_RUN))
    if found.catalog_problem and found.entries:
        found.faults.append(Fault(f"the catalog {layout.catalog}", found.catalog_problem))


def _is_written(layout: Layout) -> bool:
    """Return whether a run holds the lock of a local folder, so that the catalog may be behind."""
    return layout.lock.with_suffix(".json").exists()


def _check_tables(layout: Layout, found: Findings, sizes: dict[str, int]) -> None:
    committed, files = found.committed, layout.files
    # Looked at again, for what was on its way to its name is there now.
    found.wrong = [
        one for one in find_wrong_files(files, committed, sizes)
        if one.key in sizes or not files.exists(one.key)
    ]  # fmt: skip
    found.unknown = find_unknown_files(layout, committed, sizes, found.folder)
    found.faults += [Fault(files.location(one.key), one.problem) for one in found.wrong]
    for one in found.unknown:
        where = files.location(one.key)
        if one.ours:
            found.faults.append(Fault(where, "is a shard's, but the ledger does not know it"))
        elif one.shard:
            found.faults.append(Fault(where, "is a shard's of another data folder"))
        else:
            found.notices.append(f"{where} is no file of a shard, and is left alone")


def find_missing_bundle_files(layout: Layout, catalog: Catalog) -> Iterator[tuple[str, list[str]]]:
    """Yield each folder of bundle files that lacks some, or has empty ones, with their numbers."""
    by_folder = groupby(
        catalog.numbers_with_files(), lambda number: layout.bundle(number).rpartition("/")[0]
    )
    for folder, numbers in by_folder:
        sizes = layout.files.sizes(folder)
        missing = [
            number for number in numbers
            if not sizes.get(layout.bundle(number).rpartition("/")[2])
        ]  # fmt: skip
        if missing:
            yield folder, missing


def look_at_bundle_files(layout: Layout, found: Findings) -> None:
    """Add the bundle files that are gone or empty."""
    with closing(Catalog.open(readable_catalog(layout), read_only=True)) as catalog:
        for folder, missing in find_missing_bundle_files(layout, catalog):
            problem = f"lacks {counted(len(missing), 'bundle files')}, such as that of {missing[0]}"
            found.faults.append(Fault(layout.files.location(folder), problem))


def look_at_replies(layout: Layout, found: Findings) -> list[str]:
    """Add the kept replies that are gone, but for those that are known to be; return their keys."""
    wanted = {
        layout.raw_reply(sha256) for written in found.entries for sha256 in written.entry.replies
    } - found.lost
    gone = []
    for folder, keys in groupby(sorted(wanted), lambda key: key.rpartition("/")[0]):
        sizes = layout.files.sizes(folder)
        gone += [key for key in keys if not sizes.get(key.rpartition("/")[2])]
    problem = "is gone or empty; a copy of it put back is best, what was made of it stays valid"
    found.faults += [Fault(layout.files.location(key), problem) for key in gone]
    found.notices += [
        f"{layout.files.location(key)} is known to be lost" for key in sorted(found.lost)
    ]
    return gone
