"""Exporting: bundles out of the shards, as the files that `bundle_files: all` writes.

It selects by what a user names: papers, categories, and the days of issue, so that a mirror can
take what is new since its last export. The catalog knows these days; days of submission are not
asked for, since a file's path has their year and an arXiv id their month.
"""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, closing, nullcontext
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from flows.common.errors import ConfigError
from flows.common.process.progress import track
from flows.common.process.signals import note, unbroken
from flows.store.bundles.reader import read_bundles
from flows.store.catalog.catalog import Catalog
from flows.store.catalog.copies import coordinating, open_catalog
from flows.store.catalog.records import UNKNOWN_SNAPSHOT, KnownRecord
from flows.store.catalog.references import find_records, parse_references
from flows.store.files.local import Files, LocalFiles, writing
from flows.store.layout import Layout
from flows.store.parquet.shards import read_rows_of
from flows.store.repair.inspection import require_shard
from transforms.encoding.strict_json import read_json
from transforms.paper.reference import Reference


@dataclass(frozen=True, slots=True)
class ExportSelection:
    """A choice of bundles to export: those that meet every condition given.

    `categories` are primary ones or cross-lists, and archives such as `math`; the days, both
    inclusive and in UTC, are those on which the newest bundle of a number was issued.
    """

    papers: Sequence[str] = ()
    categories: frozenset[str] = frozenset()
    first: date | None = None
    until: date | None = None

    def has_day(self, record: KnownRecord) -> bool:
        """Return whether the bundle of `record` was issued on a selected day."""
        return (self.first or date.min) <= record.issued_at.date() <= (self.until or date.max)

    def has_category(self, categories: Iterable[str]) -> bool:
        """Return whether one of a paper's categories, or its archive, is selected."""
        return not self.categories or any(
            {category, category.partition(".")[0]} & self.categories for category in categories
        )


@dataclass(slots=True)
class Exported:
    """The number of bundle files written, and of those that were there already, the same."""

    written: int = 0
    unchanged: int = 0


def export_bundles(layout: Layout, selection: ExportSelection, to: Path | None = None) -> Exported:
    """Write the newest bundle of each number that is selected as a file below `to`.

    None is the data folder's own `bundles/`. What is below the data folder has one writer, so it
    is locked meanwhile; elsewhere a run may go on, and what it commits until the end is taken too.
    Raises `ConfigError` when nothing that is kept is selected.
    """
    if selection.first and selection.until and selection.first > selection.until:
        raise ConfigError(f"--issued-from {selection.first} is later than --issued-until")
    references = parse_references(selection.papers)
    files: Files = LocalFiles(to) if to else layout.files
    exported = Exported()
    note("the bundle files that it wrote are whole, and the same command goes on with the others")
    with closing(open_catalog(layout)) as catalog, _held(layout, to):
        for shard, records in _by_shard(layout, catalog, references):
            chosen = [record for record in records if selection.has_day(record)]
            if chosen:
                require_shard(layout, catalog, shard, "bundles", "papers")
            for number, bundle in _bundles(layout, shard, chosen, selection):
                key = layout.bundle(number)
                _write(files, key.removeprefix("bundles/") if to else key, bundle, exported)
    if not exported.written + exported.unchanged:
        raise ConfigError(f"no bundle kept in {layout.location} is what you asked for")
    return exported


def _held(layout: Layout, to: Path | None) -> AbstractContextManager[object]:
    if to is None or to.resolve().is_relative_to(layout.root.resolve()):
        return coordinating(layout, "export")
    return nullcontext()


def _by_shard(
    layout: Layout, catalog: Catalog, references: Sequence[Reference]
) -> Iterator[tuple[str, list[KnownRecord]]]:
    """Yield each shard with its records that the references mean; without any, all of them."""
    if references:
        by_shard: dict[str, list[KnownRecord]] = {}
        for reference in references:
            for record in find_records(catalog, reference, layout.location):
                by_shard.setdefault(record.shard, []).append(record)
        yield from by_shard.items()
        return
    seen: set[str] = set()
    # A run that goes on moves records from shards that are still to come to new ones.
    while new := sorted(catalog.shard_names() - seen):
        for shard in track(new, total=len(new), what="shards"):
            yield shard, catalog.of_shard(shard)
        seen.update(new)


def _bundles(
    layout: Layout, shard: str, records: Sequence[KnownRecord], selection: ExportSelection
) -> Iterator[tuple[str, bytes]]:
    """Yield the newest bundles of records in one shard, of the selected categories."""
    if selection.categories and records:
        # Papers and bundles of a shard are parallel rows, but for papers that a repair lost.
        lost = {r.pith_number for r in records if r.snapshot_sha256 == UNKNOWN_SNAPSHOT}
        numbers = {r.shard_row: r.pith_number for r in records if r.pith_number not in lost}
        columns = ["primary_category", "cross_lists"]
        papers = read_rows_of(layout, "papers", shard, columns, numbers)
        chosen = {row for row, (one, cross) in papers if selection.has_category([one, *cross])}
        records = [r for r in records if r.shard_row in chosen or r.pith_number in lost]
    for record, bundle in read_bundles(layout, records):
        if record.snapshot_sha256 != UNKNOWN_SNAPSHOT or selection.has_category(
            _categories(bundle)
        ):
            yield record.pith_number, bundle


def _categories(bundle: bytes) -> list[str]:
    metadata = read_json(bundle)["canonical_record"]["metadata"]
    return [metadata["primary_cat"], *metadata["cross_cats_sorted"]]


def _write(files: Files, key: str, bundle: bytes, exported: Exported) -> None:
    with writing(Path(files.location(key)).parent):
        if _is_there(files, key, bundle):
            exported.unchanged += 1
            return
        with unbroken():
            files.write_derived([(key, bundle)])
            exported.written += 1


def _is_there(files: Files, key: str, bundle: bytes) -> bool:
    try:
        return files.read(key) == bundle
    except FileNotFoundError:
        return False
