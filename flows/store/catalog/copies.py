"""An object store's one coordinator: its lock there, and the copy of its catalog.

The catalog itself is a file of the coordinator's machine. Who finds another copy in the store than
the one he left (or fetched) there learns that another coordinator ran since, and takes its copy.
"""

import hashlib
import json
import secrets
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from flows.common.errors import StoreError
from flows.store.catalog.catalog import Catalog
from flows.store.catalog.connection import is_there
from flows.store.catalog.file import DamagedCatalogError, begin_changes
from flows.store.files.local import LocalFiles, writing
from flows.store.files.lock import describe, locked, make_holder
from flows.store.layout import Layout
from flows.store.ledger import MEND, entry_numbers

if TYPE_CHECKING:
    from flows.store.files.objects import ObjectFiles

LOCK, COPY = "writer.json", "catalog.sqlite"
_ATTEMPTS = 3
_CHANGE_COUNTER = slice(24, 28)
"""Where a database file counts its transactions (SQLite's file format, 1.3.9)."""


@dataclass(slots=True)
class Coordinator:
    """This process as the one writer of an object store; `claimed` makes it."""

    layout: Layout
    objects: "ObjectFiles"
    mark: dict[str, Any]

    def publish(self, *, anyway: bool = False) -> None:
        """Put a copy of the catalog into the store, unless the one there is known to be the same.

        Raises `StoreError` where somebody has taken the lock away from this run.
        """
        catalog, root = self.layout.catalog, self.layout.root
        if not catalog.exists():
            return
        here = [self.objects.version(COPY), _changes(catalog)]
        if _known(self.layout) == here and not anyway:
            return
        if self.objects.read_json(LOCK) != self.mark:
            raise StoreError(
                f"the lock {self.objects.location(LOCK)} was taken from this run; the copy of its "
                f"catalog was not put there, the next run takes up what it made"
            )
        copy = root / "catalog.copy"
        with writing(root):
            copy.unlink(missing_ok=True)
            _back_up(catalog, copy)
            self.objects.send(COPY, copy)
            copy.unlink()
        self._note()

    def take_newer(self) -> None:
        """Fetch the copy of the catalog where another coordinator, or none here, wrote it."""
        version = self.objects.version(COPY)
        if version is not None and version != _known(self.layout)[0]:
            with writing(self.layout.root):
                begin_changes(self.layout.catalog)
                _fetch(self.objects, self.layout.catalog)
            self._note()

    def _note(self) -> None:
        """Note that the catalog here and the copy there are one."""
        noted = json.dumps([self.objects.version(COPY), _changes(self.layout.catalog)])
        with writing(self.layout.root):
            LocalFiles(self.layout.root).write(_noted(self.layout).name, noted.encode())


@contextmanager
def coordinating(layout: Layout, job: str) -> Iterator[Coordinator | None]:
    """Be the one writer of a data folder, wherever its files lie; None where they are local.

    In an object store, the copy of the catalog is put at the end, also of a run that fails.
    """
    with locked(layout, job):
        if layout.objects is None:
            yield None
            return
        with _claimed(layout, layout.objects, job) as coordinator:
            try:
                yield coordinator
            except BaseException:
                with suppress(StoreError):
                    coordinator.publish()
                raise
            coordinator.publish()


def readable_catalog(layout: Layout) -> Path:
    """Return a catalog file to read: the coordinator's own, or elsewhere a copy of it.

    A copy is fetched once for each that the store has had. The file may be missing.
    """
    if layout.objects is None:
        return layout.catalog
    version = layout.objects.version(COPY)
    if version is None or version == _known(layout)[0]:
        return layout.catalog
    folder = layout.root / "copies"
    copy = folder / f"{hashlib.sha256(version.encode()).hexdigest()[:32]}.sqlite"
    if not copy.exists():
        with writing(folder):
            folder.mkdir(parents=True, exist_ok=True)
            older = list(folder.glob("*.sqlite"))
            _fetch(layout.objects, copy)
            for path in older:
                path.unlink(missing_ok=True)
    return copy


def open_catalog(layout: Layout) -> Catalog:
    """Open the catalog for reading; raises `StoreError` where there is none."""
    file = readable_catalog(layout)
    nothing = StoreError(f"there are no records in {layout.location} yet; run a backfill first")
    if not is_there(file):
        if entry_numbers(layout.files):
            raise StoreError(f"the catalog of {layout.location} is gone; {MEND}")
        raise nothing
    try:
        return Catalog.open(file, read_only=True)
    except DamagedCatalogError:
        # As a run leaves it that was killed before its first commit.
        if entry_numbers(layout.files):
            raise
        raise nothing from None


@contextmanager
def _claimed(layout: Layout, objects: "ObjectFiles", job: str) -> Iterator[Coordinator]:
    mark = make_holder(job) | {"coordinator": _own_name(layout)}
    _claim(layout, objects, mark)
    try:
        yield Coordinator(layout, objects, mark)
    finally:
        with suppress(StoreError):  # what went wrong before it matters more
            if objects.read_json(LOCK) == mark:
                objects.remove([LOCK])


def _claim(layout: Layout, objects: "ObjectFiles", mark: dict[str, Any]) -> None:
    data, them = json.dumps(mark).encode(), {}
    for attempt in range(1, _ATTEMPTS + 1):
        try:
            if objects.create(LOCK, data):
                return
        except StoreError:
            # Not retried by itself, for it may have been done: then the lock is ours below.
            if attempt == _ATTEMPTS:
                raise
        them = objects.read_json(LOCK)
        if them.get("coordinator") == mark["coordinator"]:
            # Of a run that was killed here: the lock of this folder is ours now.
            objects.write(LOCK, data)
            return
        if them:
            break
    raise StoreError(
        f"{describe(them)} is writing to {layout.location}; wait for it or stop it. If it was "
        f"killed and cannot run there again, remove {objects.location(LOCK)}, and the next run "
        "takes over"
    )


def _back_up(catalog: Path, copy: Path) -> None:
    """Copy a database as it was at one moment."""
    try:
        with closing(sqlite3.connect(catalog)) as ours, closing(sqlite3.connect(copy)) as other:
            ours.backup(other)
    except sqlite3.Error as error:
        raise StoreError(f"cannot copy the catalog to {copy}: {error}") from None


def _own_name(layout: Layout) -> str:
    """Return what tells this folder from those of other coordinators."""
    file = layout.root / ".coordinator"
    with writing(layout.root):
        if not file.exists():
            LocalFiles(layout.root).write(file.name, secrets.token_hex(16).encode())
        return file.read_text()


def _fetch(objects: "ObjectFiles", path: Path) -> None:
    """Fetch the copy of the catalog, replacing `path` as a whole."""
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(4)}.tmp")
    try:
        objects.fetch(COPY, temporary)
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)


def _noted(layout: Layout) -> Path:
    return layout.root / ".copied.json"


def _known(layout: Layout) -> list[str | int | None]:
    """Return the version of the copy that was last one with the catalog here, and its changes."""
    try:
        version, changes = json.loads(_noted(layout).read_bytes())
    except (OSError, ValueError, TypeError):
        return [None, None]
    return [version, changes]


def _changes(catalog: Path) -> int:
    with catalog.open("rb") as file:
        return int.from_bytes(file.read(32)[_CHANGE_COUNTER])
