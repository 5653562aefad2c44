"""Where everything lies below the data folder."""

from dataclasses import dataclass
from pathlib import Path

TABLES = ("papers", "events", "bundles", "rejects", "vanished", "windows")


@dataclass(frozen=True, slots=True)
class Layout:
    """The paths of one data folder; names that come from outside never become paths."""

    root: Path

    @property
    def catalog(self) -> Path:
        """The SQLite index, which the shards can rebuild."""
        return self.root / "catalog.sqlite"

    @property
    def lock(self) -> Path:
        """The file that the one writer locks."""
        return self.root / ".writer.lock"

    @property
    def raw(self) -> Path:
        """The replies of arXiv as they came."""
        return self.root / "raw"

    @property
    def runs(self) -> Path:
        """One folder per run, with its report."""
        return self.root / "runs"

    def raw_reply(self, sha256: str) -> Path:
        """Return where the reply with this sha256 (hex) is kept, compressed."""
        return self.raw / sha256[:2] / f"{sha256}.xml.zst"

    def table(self, name: str) -> Path:
        """Return the folder of a table's shards."""
        return self.root / "tables" / name

    def shard(self, table: str, name: str) -> Path:
        """Return the Parquet file of one shard of one table."""
        return self.table(table) / f"{name}.parquet"

    def bundle(self, pith_number: str) -> Path:
        """Return the bundle file of a Pith Number, `bundles/<year>/<first two>/<suffix>.json`."""
        _, year, suffix = pith_number.split(":")
        return self.root / "bundles" / year / suffix[:2] / f"{suffix}.json"
