"""The floors: what libraries alone need for the part of the work that nobody can leave out.

Each is in seconds for one paper, of CPU time on one core where nothing else is said.
"""

import os
import sqlite3
import time
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

from lxml import etree
from nacl.signing import SigningKey

from flows.store.catalog.catalog import Catalog
from flows.store.catalog.records import record_row
from flows.store.layout import Layout
from flows.store.parquet.shards import read_rows

SIGNATURES = 4
"""Per paper: receipt, two events, bundle."""

SIGNED_PAPERS = 200
_KEY, _MESSAGE = SigningKey(b"\x01" * 32), b"\x02" * 32
_CREATE = os.O_WRONLY | os.O_CREAT | os.O_EXCL


def four_signatures() -> float:
    """Sign as often as some papers need with libsodium, on this thread, for about 15 ms."""
    started = time.thread_time()
    for _ in range(SIGNED_PAPERS * SIGNATURES):
        _ = _KEY.sign(_MESSAGE).signature
    return (time.thread_time() - started) / SIGNED_PAPERS


def four_checks(papers: int) -> float:
    """Check as many signatures as so many papers have with libsodium."""
    key, signature = _KEY.verify_key, _KEY.sign(_MESSAGE).signature
    started = time.process_time()
    for _ in range(papers * SIGNATURES):
        key.verify(_MESSAGE, signature)
    return (time.process_time() - started) / papers


def bare_parsing(pages: Sequence[bytes], papers: int) -> float:
    """Parse pages of OAI-PMH, with so many papers, into lxml's trees, of which nothing is read."""
    started = time.process_time()
    for page in pages:
        etree.fromstring(page)
    return (time.process_time() - started) / papers


def bare_files(data: Path, folder: Path) -> float:
    """Write the bundle files of the data folder `data` once more, below `folder`.

    One by one in the order of its shards, with the same names in the same folders, each under its
    own name at once, nothing synced. Reading them out of the tables is not counted.
    """
    layout, made, seconds, papers = Layout(data), set[str](), 0.0, 0
    for shard in sorted((data / layout.table("bundles")).glob("*.parquet")):
        rows = read_rows(layout, "bundles", shard.stem, ["pith_number", "bundle"])
        files = [(f"{folder}/{layout.bundle(number)}", text) for number, text in rows]
        started = time.process_time()
        for name, text in files:
            parent = name.rpartition("/")[0]
            if parent not in made:
                Path(parent).mkdir(parents=True, exist_ok=True)
                made.add(parent)
            file = os.open(name, _CREATE)
            os.write(file, text)
            os.close(file)
        seconds += time.process_time() - started
        papers += len(files)
    return seconds / papers


def bare_inserts(data: Path, folder: Path) -> float:
    """Insert the records of a data folder's catalog into an empty table: seconds by the clock.

    In the same order, a durable transaction for each shard.
    """
    seconds, papers = 0.0, 0
    with (
        closing(Catalog.open(Layout(data).catalog, read_only=True)) as catalog,
        closing(sqlite3.connect(folder / "bare.sqlite", isolation_level=None)) as table,
    ):
        table.execute("CREATE TABLE records (a, b, c, d, e, f, g, h)")
        for number, shard in enumerate(sorted(catalog.shard_names())):
            rows = [
                (*record_row(r.arxiv_id, r.version, *r[2:6]), number, r.shard_row)
                for r in catalog.of_shard(shard)
            ]
            started = time.perf_counter()
            table.execute("BEGIN")
            table.executemany("INSERT INTO records VALUES (?, ?, ?, ?, ?, ?, ?, ?)", rows)
            table.execute("COMMIT")
            seconds += time.perf_counter() - started
            papers += len(rows)
    return seconds / papers
