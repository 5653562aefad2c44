"""The layout of one data folder: where everything lies."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from flows.store.files.local import Files, LocalFiles

if TYPE_CHECKING:
    from flows.store.files.objects import ObjectFiles

TABLES = ("papers", "events", "bundles", "rejects", "vanished", "windows")
RUNS, BUNDLES = "runs", "bundles"


@dataclass(frozen=True, slots=True)
class Layout:
    """The names of one data folder's files; what comes from outside never becomes part of one.

    `root` holds everything. Where the files are `objects` of a store, it holds only the catalog
    and the lock of the process that writes, on its own disk.
    """

    root: Path
    objects: "ObjectFiles | None" = None

    @property
    def files(self) -> Files:
        """The files that runs make."""
        return self.objects or LocalFiles(self.root)

    @property
    def location(self) -> str:
        """The path or URL of the whole, as messages and reports give it."""
        return self.files.location()

    @property
    def catalog(self) -> Path:
        """The SQLite index, which the shards can rebuild."""
        return self.root / "catalog.sqlite"

    @property
    def search(self) -> Path:
        """The search index, which is there where a registry serves, and which the tables make."""
        return self.root / "search.sqlite"

    @property
    def statistics(self) -> Path:
        """The figures of the registry's home page, which the tables make."""
        return self.root / "statistics.json"

    @property
    def lock(self) -> Path:
        """The file that the one writer locks."""
        return self.root / ".writer.lock"

    def raw_reply(self, sha256: str) -> str:
        """Return the key of the reply with this sha256 (hex), which is kept compressed."""
        return f"raw/{sha256[:2]}/{sha256}.xml.zst"

    def table(self, name: str) -> str:
        """Return the folder of a table's shards."""
        return f"tables/{name}"

    def shard(self, table: str, name: str) -> str:
        """Return the key of one table's Parquet file of one shard."""
        return f"tables/{table}/{name}.parquet"

    def bundle(self, pith_number: str) -> str:
        """Return a Pith Number's bundle file, `bundles/<year>/<first two>/<suffix>.json`."""
        _, year, suffix = pith_number.split(":")
        return f"{BUNDLES}/{year}/{suffix[:2]}/{suffix}.json"

    def report(self, run: str, name: str) -> str:
        """Return the key of a report of a run."""
        return f"{RUNS}/{run}/{name}"
