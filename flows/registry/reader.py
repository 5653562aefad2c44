"""The kept records by any of their names, and their bundles: read-only, beside a running writer."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from threading import RLock
from time import monotonic
from typing import NamedTuple, Self

from flows.common.errors import StoreError
from flows.registry.index.bundle_index import BundleIndex, index_path
from flows.store.bundles.reader import read_bundles
from flows.store.catalog.catalog import Catalog
from flows.store.catalog.copies import open_catalog
from flows.store.catalog.records import KnownRecord
from flows.store.catalog.references import matching_records
from flows.store.layout import Layout
from transforms.encoding.digest import sha256, to_hex
from transforms.registry.names import parse_name
from transforms.registry.registry_documents import ChangeDocument

CATALOG_SECONDS = 5.0
"""For which a catalog stays open: an object store may have a newer copy, and one that was copied
because a run was killed in a commit (`CatalogReader`) is read until it is opened again."""


class StoredBundle(NamedTuple):
    """A bundle that can be read: the SHA-256 of its exact bytes (hex), and when it was signed."""

    sha256: str
    issued_at: datetime
    read: Callable[[], bytes]
    """Return the exact bytes; raises `StoreError`."""


class RegistryReader:
    """A data folder as a registry reads it; each process has one, and its threads share that.

    Every method raises `StoreError` where the folder cannot be read, or holds nothing yet.
    """

    def __init__(self, layout: Layout) -> None:
        """Read nothing yet."""
        self.layout = layout
        self._index = BundleIndex(index_path(layout))
        self._lock = RLock()
        self._catalog: Catalog | None = None
        self._inode: int | None = None
        self._opened_at = 0.0

    def __enter__(self) -> Self:
        """Return itself."""
        return self

    def __exit__(self, *_: object) -> None:
        """Close what is open."""
        self.close()
        self._index.close()

    def close(self) -> None:
        """Close the catalog; the next use opens it again."""
        with self._lock:
            if self._catalog:
                self._catalog.close()
            self._catalog = None

    @contextmanager
    def catalog(self) -> Iterator[Catalog]:
        """Yield the catalog as it is now, for one short use by one thread."""
        with self._lock:
            yield self._current()

    def resolve(self, name: str) -> list[KnownRecord]:
        """Return the records that a name may mean: none, the one, or the candidates.

        An arXiv id or a DOI, with or without a version, means the newest record of it; a short
        number all that begin so. Raises `BadReferenceError` for a text that is no name.
        """
        reference = parse_name(name)
        with self.catalog() as catalog:
            found = matching_records(catalog, reference)
        return found if reference.pith_number else found[-1:]

    def indexed(self, suffix: str) -> StoredBundle | None:
        """Return the bundle with a whole suffix as the index has it, or None.

        This takes microseconds and waits for nobody. The index is behind the last commit by some
        seconds at the most, while what follows it runs.
        """
        found = self._index.find(suffix)
        if found is None:
            return None
        return StoredBundle(
            to_hex(found.sha256), found.issued_at, lambda: found.data() or self._from_tables(suffix)
        )

    def bundle(self, record: KnownRecord) -> StoredBundle:
        """Return the bundle of a record that the catalog gave, from the index or the tables."""
        indexed = self.indexed(record.pith_number.rpartition(":")[2])
        if indexed and indexed.issued_at == record.issued_at:
            return indexed
        data = _read(self.layout, record)
        return StoredBundle(to_hex(sha256(data)), record.issued_at, lambda: data)

    def newest(self) -> KnownRecord | None:
        """Return a record whose bundle was committed last, or None in an empty folder."""
        with self.catalog() as catalog:
            return catalog.newest()

    def change(self, number: int) -> ChangeDocument | None:
        """Return the records that an entry of the ledger has; None where there is none yet."""
        with self.catalog() as catalog:
            last = catalog.head().number
            if not 1 <= number <= last:
                return None
            suffixes = [r.pith_number.rpartition(":")[2] for r in catalog.of_entry(number)]
            return {
                "folder": catalog.folder, "number": number, "last": last, "suffixes": suffixes,
            }  # fmt: skip

    def _from_tables(self, suffix: str) -> bytes:
        with self.catalog() as catalog:
            found = catalog.of_prefix(suffix)
        if not found:
            raise StoreError(f"no record with the suffix {suffix} is kept any more")
        return _read(self.layout, found[0])

    def _current(self) -> Catalog:
        """Return the open catalog, opened again where the file may be another."""
        now = monotonic()
        inode = None if self.layout.objects else _inode(self.layout.catalog)
        is_young = now - self._opened_at < CATALOG_SECONDS
        if self._catalog and is_young and inode == self._inode:
            return self._catalog
        self.close()
        self._catalog = open_catalog(self.layout)
        self._inode, self._opened_at = inode, now
        return self._catalog


def _read(layout: Layout, record: KnownRecord) -> bytes:
    return next(data for _, data in read_bundles(layout, [record]))


def _inode(path: Path) -> int | None:
    """Return the inode of a file, None where there is none: one that was made again has another."""
    try:
        return path.stat().st_ino
    except OSError:
        return None
