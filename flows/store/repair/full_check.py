"""Reading everything that was committed: the bytes of each file, and whether all bundles verify."""

import hashlib
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import BrokenExecutor, ProcessPoolExecutor
from contextlib import closing
from dataclasses import dataclass, field
from functools import partial
from multiprocessing import get_context

from flows.common.errors import StoreError, WorkerError
from flows.common.files.compression import DAMAGED, decompress
from flows.common.process.pools import ENDED_ALONE, end_pool
from flows.store.catalog.catalog import Catalog
from flows.store.catalog.copies import readable_catalog
from flows.store.catalog.records import KnownRecord
from flows.store.layout import Layout
from flows.store.ledger import Entry
from flows.store.parquet.reader import read_commit
from flows.store.parquet.shards import ShardName, read_rows
from flows.store.repair.inspection import WrongFile, check_bytes
from transforms.verify.verify import verify_bundle

_MAX_REPLY_BYTES = 2**28


@dataclass(slots=True)
class ShardCheck:
    """The findings of reading one shard.

    `bad_bundles` are numbers whose bundle does not verify though the file is the one committed,
    `bundle_files` those whose file is another than the shard says; `untrusted` counts the bundles
    that are valid, but not of our keys; `unknown` are numbers that the catalog does not know as the
    shard does.
    """

    shard: str
    records: int = 0
    wrong: list[WrongFile] = field(default_factory=list)
    bad_bundles: list[str] = field(default_factory=list)
    bundle_files: list[str] = field(default_factory=list)
    untrusted: int = 0
    unknown: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Expected:
    """The values that shards are compared with.

    `keys` are the public keys that sign here. `order` is each shard's number in the
    ledger. `catalog` tells whether the catalog can be compared, `bundle_files` whether there is to
    be a file for each record.
    """

    keys: frozenset[bytes]
    order: dict[str, int]
    catalog: bool
    bundle_files: bool


def check_shards(
    layout: Layout, entries: Sequence[Entry], expected: Expected, workers: int
) -> Iterator[ShardCheck]:
    """Read these shards by so many processes, and yield what each shows.

    Raises `WorkerError` where one of the processes is killed.
    """
    check = partial(check_shard, layout, expected)
    if workers == 1 or len(entries) <= 1:
        yield from map(check, entries)
        return
    pool = ProcessPoolExecutor(workers, get_context("forkserver"))
    try:
        yield from pool.map(check, entries)
    except BrokenExecutor:
        raise WorkerError(f"a worker process ended {ENDED_ALONE}") from None
    finally:
        end_pool(pool, cancel=True)


def check_shard(layout: Layout, expected: Expected, entry: Entry) -> ShardCheck:
    """Read one shard, and compare catalog and bundle files with it."""
    found = ShardCheck(entry.shard)
    for file in entry.files:
        if problem := check_bytes(layout.files, file):
            found.wrong.append(WrongFile(file.key, problem))
    if found.wrong:
        return found
    newest: dict[str, KnownRecord] = {}
    if expected.catalog:
        with closing(Catalog.open(readable_catalog(layout), read_only=True)) as catalog:
            newest = _compare_catalog(layout, catalog, entry, expected.order, found)
    _verify(layout, found, expected.keys, newest if expected.bundle_files else {})
    return found


def _compare_catalog(
    layout: Layout, catalog: Catalog, entry: Entry, order: dict[str, int], found: ShardCheck
) -> dict[str, KnownRecord]:
    """Compare the catalog with a shard; return the records of which it has the newest bundle."""
    shard = ShardName(entry.shard, entry.unit, entry.run, entry.folder)
    commit = read_commit(layout, shard)
    here = {row[2]: row for row in commit.records}
    known = catalog.known_of({row[0] for row in commit.records})
    newest = {
        number: one for number, one in known.items()
        if one.shard == entry.shard and number in here
    }  # fmt: skip
    for number, (arxiv_id, version, _, shown, day, _) in here.items():
        one = known.get(number)
        is_right = one is not None and (
            order.get(one.shard, -1) > order[entry.shard]
            if one.shard != entry.shard
            else (one.arxiv_id, one.version, one.snapshot_sha256) == (arxiv_id, version, shown)
            and (one.datestamp.isoformat() if one.datestamp else None) == day
        )
        if not is_right:
            found.unknown.append(number)
    found.unknown += [
        one.pith_number for one in catalog.of_shard(entry.shard) if one.pith_number not in here
    ]
    refused = set(commit.reject_sha256s)
    found.unknown += sorted(refused - catalog.known_rejects(refused))
    return newest


def _verify(
    layout: Layout, found: ShardCheck, keys: frozenset[bytes], newest: dict[str, KnownRecord]
) -> None:
    """Verify every bundle of a shard, and compare the files of those that are the newest."""
    rows = {
        number: row
        for row, (number,) in enumerate(read_rows(layout, "bundles", found.shard, ["pith_number"]))
    }
    bundles = read_rows(layout, "bundles", found.shard, ["pith_number", "bundle"])
    for row, (number, data) in enumerate(bundles):
        found.records += 1
        report = verify_bundle(data, keys)
        if not report.valid or report.pith_number != number:
            found.bad_bundles.append(number)
        found.untrusted += report.valid and not report.trusted
        if number in newest and rows[number] == row and not _has_file(layout, number, data):
            found.bundle_files.append(number)


def _has_file(layout: Layout, number: str, data: bytes) -> bool:
    try:
        return layout.files.read(layout.bundle(number)) == data
    except FileNotFoundError:
        return False


def find_bad_replies(layout: Layout, sha256s: Iterable[str]) -> Iterator[tuple[str, str]]:
    """Yield the key of each kept reply that is not what its name says, and how that shows."""
    for sha256 in sorted(set(sha256s)):
        if problem := _reply_problem(layout, sha256):
            yield layout.raw_reply(sha256), problem


def _reply_problem(layout: Layout, sha256: str) -> str | None:
    try:
        data = layout.files.read(layout.raw_reply(sha256))
        reply = decompress(data, _MAX_REPLY_BYTES)
    except FileNotFoundError:
        return "is gone"
    except (*DAMAGED, StoreError) as error:
        return f"cannot be read: {error}"
    same = hashlib.sha256(reply).hexdigest() == sha256
    return None if same else "is another reply than its name says"
