"""How long a search takes, and how long indexing a paper, at two sizes of the registry.

Run it with `.venv/bin/python tests/benchmarks/searching.py [SMALL] [LARGE]`, such as `10000
1000000`. Papers are made up of the words of `snapshot_words`, a table of them is written, and its
index is made as `registry serve` makes it.
"""

import json
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from itertools import chain, islice
from pathlib import Path
from random import Random

sys.path.insert(0, str(Path(__file__).parents[1]))

from benchmarks.parts.snapshot_lines import make_pools
from flows.store.layout import Layout
from flows.store.parquet.shards import ShardName
from flows.store.parquet.writer import ShardWriter, name_shard
from flows.store.repair.rebuild import rebuild_catalog
from flows.store.search.build import update_index
from flows.store.search.query import SearchIndex, SearchQuery
from transforms import Version
from transforms.paper.search_keys import ascii_key
from transforms.tables.schema import PaperRow

SMALL, LARGE, A_SHARD, ROUNDS = 10_000, 200_000, 5_000, 40
FIRST, LAST = datetime(1991, 8, 14, tzinfo=UTC), datetime(2026, 11, 1, tzinfo=UTC)
HASH = "0" * 64
CC0 = "http://creativecommons.org/publicdomain/zero/1.0/"
BEGIN, END = date(2010, 1, 1), date(2010, 12, 31)
QUERIES = {
    "no filter at all": [SearchQuery()],
    "a common word": [SearchQuery(text=word) for word in ("the ", "of ", "is ", "show ")],
    "a rare word": [SearchQuery(text=word) for word in ("hyperabelion ", "unwavement ")],
    "two words": [SearchQuery(text=text) for text in ("learning from ", "these results ")],
    "a name": [SearchQuery(text="anna chenla"), SearchQuery(text="wei wangro")],
    "accents": [SearchQuery(text="Schrödinger "), SearchQuery(text=r"Erd\H{o}s H\"older ")],
    "a beginning": [SearchQuery(text=text) for text in ("con", "quas", "entan", "of hyper")],
    "a category": [SearchQuery(category="econ.EM"), SearchQuery(category="cs")],
    "a word, a category, days": [
        SearchQuery(text="the ", category="cs.LG", first=BEGIN, until=END)
    ],
    "all of it": [
        SearchQuery(
            text="of these results", category="nucl-th", licence=CC0, first=BEGIN, until=END
        )
    ],
    "nothing is found": [SearchQuery(text="xyzzyq"), SearchQuery(text="the plugh ")],
}


@dataclass(frozen=True, slots=True)
class Measured:
    """A search index of `papers` papers, and the milliseconds of each search by kind."""

    papers: int
    microseconds_a_paper: float
    bytes_a_paper: float
    searches: dict[str, list[float]]

    def percentile(self, percent: int) -> float:
        """Return of all searches, each kind as often as any other."""
        return statistics.quantiles([*chain(*self.searches.values())], n=100)[percent - 1]


def made_up(count: int) -> Iterator[PaperRow]:
    """Yield as many rows of papers, with dates that rise as those of arXiv's snapshot."""
    rng = Random(1)
    pools = make_pools(rng)
    titles = [json.loads(f'"{half}"') for half in pools.titles]
    authors = [json.loads(f'"{name}"') for name, _ in pools.authors]
    keys = {text: ascii_key(text) for text in (*titles, *authors)}
    licences = [json.loads(text) or "" for text in pools.licenses]
    for number in range(count):
        halves = rng.choices(titles, k=2)
        names = rng.choices(authors, k=min(1 + int(rng.expovariate(1 / 3.2)), 10))
        submitted = FIRST + (LAST - FIRST) * (number / count)
        primary, *cross = rng.choice(pools.categories).split()
        yield PaperRow(
            f"{number:09}", 1, f"pith:{submitted.year}:{number:026}", HASH, HASH, HASH,
            " ".join(halves), " ".join(keys[half] for half in halves), "", ", ".join(names),
            ", ".join(keys[name] for name in names), names, primary, tuple(cross),
            rng.choice(licences), submitted, (Version(1, submitted),), bool(number % 2),
            None, None, None, None, None, None, None, submitted.date(), "made up",
            submitted + timedelta(days=1),
        )  # fmt: skip


def write_papers(layout: Layout, count: int) -> None:
    """Write shards of papers alone, and the catalog of them."""
    rows = made_up(count)
    for number in range(-(-count // A_SHARD)):
        writer = ShardWriter()
        writer.add("papers", list(islice(rows, A_SHARD)))
        shard = ShardName(f"made-up-{number:04}", "made up", "no run", "")
        name_shard(layout, writer.write(layout, shard))
    rebuild_catalog(layout)


def measure(folder: Path, count: int) -> Measured:
    """Make an index of so many papers, and search it."""
    layout = Layout(folder / str(count))
    write_papers(layout, count)
    started = time.process_time()
    assert update_index(layout, print)
    spent = time.process_time() - started
    index, rng = SearchIndex(layout.search), Random(1)
    assert index.state().papers == count
    searches: dict[str, list[float]] = {kind: [] for kind in QUERIES}
    for _ in range(ROUNDS):
        for kind, queries in QUERIES.items():
            query = rng.choice(queries)
            began = time.perf_counter()
            index.search(query)
            searches[kind].append((time.perf_counter() - began) * 1e3)
    index.close()
    return Measured(count, spent / count * 1e6, layout.search.stat().st_size / count, searches)


def main() -> None:
    """Print the milliseconds of each kind of search at two sizes, and the ratio of both p95."""
    sizes = [int(argument) for argument in sys.argv[1:]] or [SMALL, LARGE]
    with tempfile.TemporaryDirectory() as folder:
        small, large = (measure(Path(folder), size) for size in sizes)
    print(f"{'p50 / p95 in ms at':28} {small.papers:>15,} {large.papers:>15,} papers")
    for kind in QUERIES:
        columns = [
            f"{statistics.median(one):.2f} / {statistics.quantiles(one, n=20)[18]:.2f}"
            for one in (small.searches[kind], large.searches[kind])
        ]
        print(f"{kind:28} {columns[0]:>15} {columns[1]:>15}")
    for one in (small, large):
        print(
            f"{one.papers:,} papers: p50 {one.percentile(50):.2f} ms, p95 {one.percentile(95):.2f} "
            f"ms; {one.microseconds_a_paper:.1f} us and {one.bytes_a_paper:.0f} bytes a paper"
        )
    print(f"p95 of the larger / of the smaller: {large.percentile(95) / small.percentile(95):.2f}")


if __name__ == "__main__":
    main()
