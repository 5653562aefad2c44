"""The kept records by any of their names, and their bundles: read-only, beside a running writer."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import RLock
from time import monotonic
from typing import NamedTuple, Self

from flows.common.errors import StoreError
from flows.store.bundles.reader import read_bundles
from flows.store.catalog.catalog import Catalog
from flows.store.catalog.copies import open_catalog, readable_catalog
from flows.store.catalog.records import KnownRecord
from flows.store.catalog.references import matching_records
from flows.store.layout import Layout
from transforms.encoding.digest import sha256, to_hex
from transforms.registry.names import parse_name

COPY_SECONDS = 5.0
"""For which a copy of an object store's catalog is used before a newer one is looked for."""


class StoredBundle(NamedTuple):
    """The exact bytes of a bundle, and their SHA-256 (hex)."""

    data: bytes
    sha256: str


class RegistryReader:
    """A data folder as a registry reads it; each process has one, and its threads share that.

    Every method raises `StoreError` where the folder cannot be read, or holds nothing yet.
    """

    def __init__(self, layout: Layout) -> None:
        """Read nothing yet."""
        self.layout = layout
        self._lock = RLock()
        self._catalog: Catalog | None = None
        self._file: tuple[Path, int] | None = None
        self._looked_at = 0.0

    def __enter__(self) -> Self:
        """Return itself."""
        return self

    def __exit__(self, *_: object) -> None:
        """Close the catalog."""
        self.close()

    def close(self) -> None:
        """Close the catalog; the next use opens it again."""
        with self._lock:
            if self._catalog:
                self._catalog.close()
            self._catalog = self._file = None

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

    def bundle(self, record: KnownRecord) -> StoredBundle:
        """Return the newest bundle of a record."""
        data = next(data for _, data in read_bundles(self.layout, [record]))
        return StoredBundle(data, to_hex(sha256(data)))

    def newest(self) -> KnownRecord | None:
        """Return a record whose bundle was committed last, or None in an empty folder."""
        with self.catalog() as catalog:
            return catalog.newest()

    def _current(self) -> Catalog:
        """Return the open catalog, opened again where the file was replaced."""
        if self._catalog and self._file == self._found():
            return self._catalog
        self.close()
        self._catalog = open_catalog(self.layout)
        self._looked_at = 0.0
        self._file = self._found()
        return self._catalog

    def _found(self) -> tuple[Path, int] | None:
        """Return the catalog's file and its inode: one that was made again has another."""
        now = monotonic()
        if self.layout.objects and self._file and now - self._looked_at < COPY_SECONDS:
            return self._file
        self._looked_at = now
        path = readable_catalog(self.layout)
        try:
            return path, path.stat().st_ino
        except OSError as error:
            raise StoreError(f"cannot read the catalog {path}: {error.strerror}") from None
