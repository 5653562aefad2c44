"""Making the catalog again, or bringing it up to date, from the ledger and the shards."""

import hashlib
from collections.abc import Sequence
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

from flows.common.errors import StoreError
from flows.common.process.clock import utc_now
from flows.store.catalog.catalog import Catalog
from flows.store.catalog.copies import coordinating
from flows.store.catalog.file import begin_changes
from flows.store.files.local import Files, writing
from flows.store.layout import TABLES, Layout
from flows.store.ledger import (
    CommittedFile,
    Entry,
    Head,
    Ledger,
    WrittenEntry,
    entry_numbers,
    make_identity,
    read_after,
    read_identity,
)
from flows.store.parquet.reader import read_commit
from flows.store.parquet.shards import ShardName, read_rows, read_whole_marks, shard_names
from flows.store.repair.inspection import Committed, check_bytes, require_bytes


def take_up(layout: Layout, catalog: Catalog, written: WrittenEntry, lost: set[str]) -> None:
    """Do all that follows from an entry of the ledger: name its files, tell the catalog of them.

    `lost` are the keys of files that the entries before it note as lost; its own join them.
    Raises `StoreError` where the files are not those that were committed.
    """
    entry = written.entry
    if entry.shard:
        finish_naming(layout.files, entry)
        require_bytes(layout.files, (file for file in entry.files if file.key not in lost))
        catalog.commit(read_commit(layout, _name_of(entry)), written)
    else:
        catalog.note(written)
    lost.update(entry.lost)


def finish_naming(files: Files, entry: Entry) -> None:
    """Rename the files of a committed shard that have not their names yet."""
    for file in entry.files:
        unnamed = CommittedFile(file.unnamed, file.size, file.sha256)
        if file.unnamed and not files.exists(file.key) and check_bytes(files, unnamed) is None:
            files.name([(file.unnamed, file.key)])


def make_catalog(layout: Layout, folder: str) -> int:
    """Make the catalog from the whole ledger, in its order, and return how many shards count.

    What only saves time is not in the shards: windows under way begin anew, and parts of a snapshot
    are looked at once more. Raises `StoreError`, and leaves the old catalog where it is, when a
    file is not what was committed.
    """
    unfinished = layout.catalog.with_suffix(".rebuilt")
    unfinished.unlink(missing_ok=True)
    entries = list(read_after(layout.files, Head(), folder))
    committed = Committed.by([written.entry for written in entries])
    lost: set[str] = set()
    try:
        with closing(Catalog.create(unfinished, folder)) as catalog:
            for written in entries:
                if written.entry.shard in committed.shards or not written.entry.shard:
                    take_up(layout, catalog, written, lost)
                else:
                    catalog.replace_shard(_name_of(written.entry), written)
                    lost.update(written.entry.lost)
    except StoreError:
        unfinished.unlink()
        raise
    begin_changes(layout.catalog)
    for leftover in ("-journal", "-wal", "-shm"):
        Path(f"{layout.catalog}{leftover}").unlink(missing_ok=True)
    unfinished.replace(layout.catalog)
    return len(committed.shards)


def rebuild_catalog(layout: Layout) -> int:
    """Replace the catalog by one made from ledger and shards; return how many shards count.

    Where there is no ledger yet, as an older version left it, it is begun with the shards that are
    there. Raises `StoreError`, and leaves the old catalog where it is, when a file is not what was
    committed.
    """
    with coordinating(layout, "rebuild-catalog") as coordinator, writing(layout.root):
        folder = read_identity(layout.files)
        if folder is None or not entry_numbers(layout.files):
            folder = take_up_older(layout, utc_now())
        shards = make_catalog(layout, folder)
        if coordinator:
            coordinator.publish(anyway=True)
    return shards


def take_up_older(layout: Layout, now: datetime) -> str:
    """Begin the ledger of a data folder of an older version with its shards; return its new id.

    They are committed in the order in which they were issued. Raises `StoreError`, and commits
    nothing, where a file of one of them is missing: that version knew no way to tell why.
    """
    found = []
    for name in sorted(shard_names(layout)):
        shard = read_whole_marks(layout, name)
        if shard is None:
            raise StoreError(
                f"of the shard {name} in {layout.location} a file is missing, or it is none of "
                "pith-ingest's; put it back, or move what is there out of 'tables', and try again"
            )
        found.append((issued(layout, shard), shard))
    ledger = Ledger(layout.files, make_identity(layout.files, now), Head())
    for moment, shard in sorted(found, key=lambda one: (one[0], one[1].name)):
        append_shard(layout, ledger, shard, moment)
    return ledger.folder


def append_shard(
    layout: Layout, ledger: Ledger, shard: ShardName, moment: datetime, replaces: Sequence[str] = ()
) -> WrittenEntry:
    """Commit a shard whose files lie under their names already, as they are."""
    files = [_described(layout.files, layout.shard(table, shard.name)) for table in TABLES]
    return ledger.append(
        moment=max(moment, ledger.head.moment),
        run=shard.run,
        shard=shard.name,
        unit=shard.unit,
        committed=[file for file in files if file],
        replaces=replaces,
    )


def _described(files: Files, key: str) -> CommittedFile | None:
    """Return what a file is now, or None where there is none."""
    digest, size = hashlib.sha256(), 0
    try:
        for block in files.blocks(key):
            digest.update(block)
            size += len(block)
    except FileNotFoundError:
        return None
    return CommittedFile(key, size, digest.hexdigest())


def issued(layout: Layout, shard: ShardName) -> datetime:
    """Return when the last bundle of a shard was issued; of one without, when its run began."""
    moments: list[datetime] = [
        moment for (moment,) in read_rows(layout, "bundles", shard.name, ["issued_at"])
    ]
    if moments:
        return max(moments)
    try:
        return datetime.strptime(shard.run.partition("-")[0] + "+0000", "%Y%m%dT%H%M%SZ%z")
    except ValueError:
        return datetime.min.replace(tzinfo=UTC)


def _name_of(entry: Entry) -> ShardName:
    return ShardName(entry.shard, entry.unit, entry.run, entry.folder)
