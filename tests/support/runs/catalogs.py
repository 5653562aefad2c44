"""What a catalog knows, to be compared."""

import sqlite3
from pathlib import Path
from typing import Any

from flows.store.layout import Layout
from flows.store.repair.rebuild import rebuild_catalog
from flows.store.store import open_store


def dump(catalog: Path) -> dict[str, list[Any]]:
    """Return all that a catalog knows, but for what only saves time."""
    # A rebuilt catalog numbers its shards anew, so they are named.
    of_shard = "name FROM {} JOIN shards ON shards.id = shard"
    selected = [
        "name, unit, run, has_files FROM shards",
        "arxiv_id, version, pith_number, shown_sha256, datestamp, issued_at, shard_row, "
        + of_shard.format("records"),
        "raw_sha256, " + of_shard.format("rejects"),
        "arxiv_id, " + of_shard.format("vanished"),
        "* FROM done_windows",
    ]
    with sqlite3.connect(f"file:{catalog}?mode=ro", uri=True) as connection:
        found = {
            what.split("FROM ")[1].split()[0]: sorted(connection.execute(f"SELECT {what}"), key=str)
            for what in selected
        }
    connection.close()
    return found


def rebuilt(folder: Path) -> dict[str, list[Any]]:
    """Rebuild the catalog, let the next run complete the files, and return what it knows."""
    rebuild_catalog(Layout(folder / "data"))
    with open_store(Layout(folder / "data"), job="test", bundle_files=True, say=lambda _: None):
        pass
    return dump(folder / "data" / "catalog.sqlite")
