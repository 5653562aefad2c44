"""Running jobs in a folder of their own, and looking at what they leave."""

import hashlib
from collections.abc import Iterable
from datetime import date
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
from arxiv_server import ArxivServer

from flows.common.config import ArxivConfig, Config, IdentityConfig
from flows.common.limits import Limits
from flows.jobs.report import RunReport
from flows.store.catalog.catalog import Catalog
from flows.store.layout import Layout
from support.paths import ROOT
from support.runs import jobs
from transforms.verify.verify import verify_bundle

SAMPLE = ROOT / "data" / "sample"


DEFAULT_LIMITS = Limits()


def config_in(folder: Path, workers: int = 1, limits: Limits = DEFAULT_LIMITS) -> Config:
    return Config(
        data_dir=folder / "data",
        identity=IdentityConfig(key_file=folder / "signing.key"),
        workers=workers,
        limits=limits,
    )


def process(folder: Path, *replies: bytes) -> RunReport:
    """Backfill these replies into `folder`; each becomes a file of its own."""
    saved = folder / "replies"
    saved.mkdir(exist_ok=True)
    paths = [saved / f"{hashlib.sha256(reply).hexdigest()}.xml" for reply in replies]
    for path, reply in zip(paths, replies, strict=True):
        path.write_bytes(reply)
    return jobs.backfill_raw(config_in(folder), paths)


def rows(folder: Path, table: str) -> list[dict[str, Any]]:
    shards = sorted((folder / "data" / "tables" / table).glob("*.parquet"))
    return [row for shard in shards for row in pq.read_table(shard).to_pylist()]


def held(folder: Path) -> dict[str, tuple[date, str]]:
    """Return day and title of the newest record of each paper."""
    found: dict[str, tuple[date, str]] = {}
    for row in rows(folder, "papers"):
        newest = row["datestamp"], row["title"]
        found[row["arxiv_id"]] = max(found.get(row["arxiv_id"], newest), newest)
    return found


def bundle_files(folder: Path) -> dict[str, bytes]:
    found = (folder / "data" / "bundles").rglob("*.json")
    return {path.stem: path.read_bytes() for path in found}


def tree(folder: Path, *, without: Iterable[str] = ("runs",)) -> dict[str, tuple[int, str]]:
    """Return the time and hash of every file below the data folder."""
    data = folder / "data"
    return {
        str(path.relative_to(data)): (
            path.stat().st_mtime_ns,
            hashlib.sha256(path.read_bytes()).hexdigest(),
        )
        for path in sorted(data.rglob("*"))
        if path.is_file() and path.relative_to(data).parts[0] not in without
    }


def assert_whole(folder: Path) -> None:
    """Assert that catalog, tables and files tell one story and that every bundle is valid."""
    layout = Layout(folder / "data")
    catalog = Catalog.open(layout.catalog, read_only=True)
    in_time = sorted(rows(folder, "bundles"), key=lambda row: row["issued_at"])
    newest = {row["pith_number"]: row["bundle"] for row in in_time}
    assert catalog.known(newest).keys() == newest.keys()
    assert bundle_files(folder) == {n.split(":")[2]: data for n, data in newest.items()}
    for data in newest.values():
        assert verify_bundle(data, []).valid
    on_disk = {path.stem for path in layout.root.joinpath("tables").rglob("*.parquet")}
    assert on_disk == catalog.shard_names()
    assert not list(layout.root.rglob("*.tmp"))
    catalog.close()


def config_for(folder: Path, server: ArxivServer, **settings: Any) -> Config:
    """Configure a run in `folder` to harvest from the imitation, without waiting for the pace."""
    arxiv = ArxivConfig(
        oai_url=server.oai_url,
        atom_url=server.atom_url,
        pace_seconds=0,
        contact="mailto:tests@example.org",
        pace_file=folder / "pace.lock",
    )
    return config_in(folder).model_copy(update={"arxiv": arxiv, **settings})


def write_config(folder: Path, server: ArxivServer) -> Path:
    """Write a `config.yaml` that keeps to its folder and asks a test server; return its path."""
    file = folder / "config.yaml"
    file.write_text(
        "data_dir: data\nidentity: {key_file: signing.key}\n"
        f"arxiv: {{oai_url: '{server.oai_url}', atom_url: '{server.atom_url}', "
        "pace_seconds: 0, pace_file: pace.lock}\n"
    )
    return file
