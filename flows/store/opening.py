"""Opening a data folder for writing: what is there is mended without loss, or stops the run.

Each state of ledger, catalog and tables that is met here stands in the table of `docs/store.md`.
"""

from collections.abc import Callable, Sequence
from contextlib import closing

from flows.common.counts import counted
from flows.common.errors import StoreError
from flows.common.process.clock import utc_now
from flows.store.catalog.catalog import Catalog
from flows.store.catalog.file import (
    UNREADABLE,
    DamagedCatalogError,
    begin_changes,
    find_damage,
    is_noted,
    set_aside,
)
from flows.store.layout import Layout
from flows.store.ledger import (
    FOLDER,
    MEND,
    BadEntryError,
    Entry,
    Head,
    Ledger,
    WrittenEntry,
    entry_file,
    entry_key,
    entry_numbers,
    make_identity,
    read_after,
    read_identity,
    read_number,
)
from flows.store.repair.inspection import (
    Committed,
    find_unknown_files,
    find_wrong_files,
    refuse_wrong,
    table_sizes,
)
from flows.store.repair.rebuild import make_catalog, take_up

Say = Callable[[str], None]


def open_for_writing(layout: Layout, say: Say) -> tuple[Catalog, Ledger]:
    """Return catalog and ledger, at one, of a folder whose committed files are all there.

    `say` gets a sentence for each thing that was mended. Raises `StoreError`, and touches nothing,
    where the state of the folder leaves a doubt.
    """
    folder = _identity(layout, say)
    problem, known = _look(layout, folder)
    _check_ledger(layout, known)
    new = list(read_after(layout.files, Head.of(known[-1]) if known else Head(), folder))
    foreign = _check_tables(layout, [written.entry for written in (*known, *new)], folder)
    if foreign:
        names = ", ".join(foreign[:3])
        what = counted(len(foreign), "files that are", "file that is")
        say(f"left alone {what} none of this data folder's: {names}")
    if problem is None:
        catalog = _caught_up(layout, new, say)
    else:
        catalog = make_again(layout, folder, problem, say)
    return catalog, Ledger(layout.files, folder, catalog.head())


def _identity(layout: Layout, say: Say) -> str:
    """Return the folder's id; it is made for a folder that holds nothing yet."""
    files = layout.files
    if folder := read_identity(files):
        return folder
    if numbers := entry_numbers(files):
        try:
            folder = read_number(files, numbers[0]).entry.folder
        except BadEntryError as error:
            raise StoreError(
                f"{layout.location} has lost its id and its ledger: {error}; {MEND}"
            ) from None
        say(f"made {files.location('folder.json')} again, as the ledger says")
        return make_identity(files, utc_now(), folder)
    if layout.catalog.exists() and layout.catalog.stat().st_size:
        Catalog.open(layout.catalog, read_only=True).close()  # an older one says what to do
        raise StoreError(f"{layout.location} has a catalog, but has lost id and ledger; {MEND}")
    return make_identity(files, utc_now())


def _look(layout: Layout, folder: str) -> tuple[str | None, list[WrittenEntry]]:
    """Return why the catalog must be made again, if it must, and the entries that it knows."""
    path = layout.catalog
    if not path.exists():
        return "was gone", []
    if damage := find_damage(path):
        return damage, []
    try:
        with closing(Catalog.open(path)) as catalog:
            problem = _problem(layout, catalog, folder)
            return problem, [] if problem else list(catalog.entries())
    except DamagedCatalogError as error:
        return str(error).removesuffix(f"; {MEND}"), []
    except (*UNREADABLE, BadEntryError, TypeError) as error:
        return f"cannot be read ({error})", []


def _problem(layout: Layout, catalog: Catalog, folder: str) -> str | None:
    """Return why a catalog that can be opened must be made again, or None."""
    if not is_noted(layout.catalog) and (damage := catalog.inner_damage()):
        return f"is damaged ({damage})"
    if catalog.folder != folder:
        return "was another data folder's"
    return _difference(layout, catalog.head(), entry_numbers(layout.files))


def _difference(layout: Layout, head: Head, numbers: list[int]) -> str | None:
    """Return how the catalog contradicts the ledger; one that is only behind does not."""
    if head.number > max(numbers, default=0):
        raise StoreError(
            f"the catalog of {layout.location} knows {counted(head.number, 'commits')}, but the "
            f"ledger has "
            f"{max(numbers, default=0)}: entries were lost; {MEND}"
        )
    if head.number == 0:
        return None
    try:
        found = read_number(layout.files, head.number)
    except BadEntryError as error:
        raise StoreError(
            f"entry {head.number} of the ledger is not whole: {error}; {MEND}"
        ) from None
    return None if found.sha256 == head.sha256 else "is of another history than the ledger"


def _check_ledger(layout: Layout, known: Sequence[WrittenEntry]) -> None:
    """Refuse a ledger that has lost an entry which the catalog knows, or a part of one."""
    sizes = layout.files.sizes(FOLDER)
    for written in known:
        key = entry_key(written.entry.number)
        if sizes.get(key.rpartition("/")[2]) != len(entry_file(written)):
            raise StoreError(
                f"{layout.files.location(key)} is not the entry that was written; {MEND}"
            )


def _check_tables(layout: Layout, entries: Sequence[Entry], folder: str) -> list[str]:
    """Refuse tables that are not what was committed; return the files that are none of ours."""
    committed = Committed.by(entries)
    sizes = table_sizes(layout)
    refuse_wrong(layout, find_wrong_files(layout.files, committed, sizes))
    unknown = find_unknown_files(layout, committed, sizes, folder)
    if ours := [one.key for one in unknown if one.ours]:
        raise StoreError(
            f"the ledger of {layout.location} does not know {counted(len(ours), 'files')} of its "
            f"tables, such as {ours[0]}; {MEND}"
        )
    return [one.key for one in unknown]


def _caught_up(layout: Layout, new: Sequence[WrittenEntry], say: Say) -> Catalog:
    """Return the catalog, with what the ledger committed after the catalog's last entry."""
    if any(written.entry.replaces for written in new):
        return make_again(layout, new[0].entry.folder, "is older than a repair", say)
    begin_changes(layout.catalog)
    catalog = Catalog.open(layout.catalog)
    try:
        if catalog.upgrade():
            say("brought the catalog to the format of this pith-ingest; nothing in it is lost")
        lost = {key for known in catalog.entries() for key in known.entry.lost} if new else set()
        for written in new:
            take_up(layout, catalog, written, lost)
    except BaseException:
        catalog.close()
        raise
    if shards := [written.entry.shard for written in new if written.entry.shard]:
        more = f" and {len(shards) - 1} more" if len(shards) > 1 else ""
        say(f"took up the shard {shards[0]}{more}, which a killed run had committed")
    return catalog


def make_again(layout: Layout, folder: str, problem: str, say: Say) -> Catalog:
    """Return a catalog made from the whole ledger; the one that was there is set aside."""
    path, aside = layout.catalog, ""
    if path.exists():
        aside = f"; the old one is kept as {set_aside(path)}"
    shards = make_catalog(layout, folder)
    if shards or aside:
        made = f"made again from the ledger and {counted(shards, 'shards')}"
        say(f"the catalog {problem}: {made}{aside}")
    return Catalog.open(path)
