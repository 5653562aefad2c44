"""The bundles of known records: read by shard and row, verified before anything builds on them."""

from collections import defaultdict
from collections.abc import Container, Iterable, Iterator

from flows.common.errors import StoreError
from flows.common.terminal import printable
from flows.store.catalog.records import UNKNOWN_SNAPSHOT, KnownRecord
from flows.store.layout import Layout
from flows.store.parquet.shards import damaged, read_rows, read_rows_of
from transforms.documents.bundle import Bundle
from transforms.documents.event import is_snapshot
from transforms.encoding.canonical import canonical_json_unchecked
from transforms.encoding.digest import Digest, sha256
from transforms.verify.verify import BadBundleError, read_verified


def read_bundles(
    layout: Layout, records: Iterable[KnownRecord]
) -> Iterator[tuple[KnownRecord, bytes]]:
    """Yield the exact bytes of the newest bundle of each record, shard by shard.

    Raises `StoreError` that names a shard's file which does not hold what it should.
    """
    by_shard: dict[str, dict[int, KnownRecord]] = defaultdict(dict)
    for record in records:
        by_shard[record.shard][record.shard_row] = record
    for shard, here in by_shard.items():
        numbers = {row: record.pith_number for row, record in here.items()}
        for row, (bundle,) in read_rows_of(layout, "bundles", shard, ["bundle"], numbers):
            yield here[row], bundle


def find_bundles(layout: Layout, shard: str, numbers: Container[str]) -> dict[str, bytes]:
    """Return the exact bytes of the last bundles with these numbers in one shard, read as a whole.

    For a shard of which nothing else is known; raises `StoreError` for one that cannot be read.
    """
    rows = read_rows(layout, "bundles", shard, ["pith_number", "bundle"])
    return {number: bundle for number, bundle in rows if number in numbers}


def verified(layout: Layout, record: KnownRecord, data: bytes) -> Bundle:
    """Return the bundle of a record, whose bytes were read, for a new signature to build on.

    Every hash and signature in it is verified, and that it is the one which the catalog means.
    Raises `StoreError` that names the shard's file otherwise.
    """
    try:
        bundle = read_verified(data)
    except BadBundleError as error:
        raise _damaged(layout, record, printable(str(error))) from None
    current = bundle["state"]["current"]
    if bundle["pith_number"] != record.pith_number:
        raise _damaged(layout, record, f"it is the bundle of {bundle['pith_number']}")
    if not (current["graph_snapshots"] and current["record_created"]):
        raise _damaged(layout, record, "its events contradict each other")
    if record.snapshot_sha256 not in {UNKNOWN_SNAPSHOT, newest_snapshot_sha256(bundle)}:
        raise _damaged(layout, record, "its newest snapshot is not the one that the catalog has")
    return bundle


def newest_snapshot_sha256(bundle: Bundle) -> Digest:
    """Return the digest of the paper in the last snapshot of a valid bundle."""
    # Of a valid bundle each event is an object of known form; the order is that of appending.
    papers = [
        event["payload"]["graph_snapshot"]["paper"]
        for event in bundle["events"]
        if is_snapshot(event)
    ]
    return sha256(canonical_json_unchecked(papers[-1]))


def _damaged(layout: Layout, record: KnownRecord, why: str) -> StoreError:
    what = f"does not hold the bundle of {record.pith_number} in row {record.shard_row}: {why}"
    return damaged(layout, "bundles", record.shard, what)
