"""A data folder in an object store, and what it holds."""

import os
import shutil
from datetime import UTC, datetime
from pathlib import Path

import pytest

from flows.common.config import Config
from flows.ingest.worker_context import layout_of
from flows.store.files.objects import ObjectFiles
from support.runs.catalogs import dump
from support.stores.object_store import S3

MOMENT = datetime(2026, 3, 4, 5, 6, 7, 891011, tzinfo=UTC)
KILLS = 40 if os.environ.get("FULL") else 10
PAPERS, PAGE = 200, 5


def use(store: S3, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in store.environment().items():
        monkeypatch.setenv(name, value)


def objects(config: Config) -> ObjectFiles:
    found = layout_of(config).objects
    assert found
    return found


def contents(config: Config, *, without: tuple[str, ...] = ("runs",)) -> dict[str, bytes]:
    """Return all objects of a data folder by key."""
    files, found = objects(config), {}
    folders = [""]
    while folders:
        folder = folders.pop()
        for name in files.names(folder):
            key = f"{folder}/{name}".lstrip("/")
            if files.exists(key):
                found[key] = files.read(key)
            elif key not in without:
                folders.append(key)
    return found


def fetch(config: Config, folder: Path) -> Path:
    """Fetch a data folder as one on the disk, with the coordinator's own catalog."""
    shutil.rmtree(folder, ignore_errors=True)
    for key, data in contents(config).items():
        path = folder / "data" / key
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
    own = layout_of(config).catalog
    assert dump(own) == dump(folder / "data" / "catalog.sqlite"), "the copy is another"
    assert not list((folder / "data").glob("unnamed/**/*"))
    assert not (folder / "data" / "writer.json").exists()
    return folder
