"""New snapshots build on the kept bundle alone: read where it lies, and only when it verifies."""

import io
import json
import sqlite3
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any, ClassVar

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from support.bundles.signed_events import STRANGER
from support.commands.command import assert_one_sentence, run
from support.papers.oai_pages import page, record
from support.runs.catalogs import dump, rebuilt
from support.runs.runs import assert_whole, bundle_files, config_in, process, rows, tree

from flows.cli.data.show import print_bundle, print_record
from flows.common.errors import StoreError
from flows.jobs import reissue as reissuing
from flows.store.bundles.reader import read_bundles
from flows.store.catalog.catalog import Catalog
from flows.store.catalog.file import end_changes
from flows.store.catalog.records import KnownRecord
from flows.store.files.local import LocalFiles
from flows.store.layout import Layout
from flows.store.parquet.schema import GROUP_ROWS
from transforms.bundle.build import SIGNED_MESSAGE, bundle_bytes, bundle_digest
from transforms.encoding.timestamps import from_text
from transforms.signing import signature_block

pytestmark = pytest.mark.process


@pytest.fixture(autouse=True)
def no_look(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let a run go on past the look at sizes, which most of these shards would not pass."""
    if "gone_or_anothers" not in request.node.name:
        monkeypatch.setattr("flows.store.opening._check_tables", lambda *_: [])


A_GROUP = GROUP_ROWS["bundles"]


def ids(count: int, month: int = 1) -> list[str]:
    return [f"22{month:02}.{number:05}" for number in range(1, count + 1)]


def known(folder: Path, *arxiv_ids: str) -> list[KnownRecord]:
    with closing(Catalog.open(Layout(folder / "data").catalog, read_only=True)) as catalog:
        return [catalog.of_arxiv_id(arxiv_id)[-1] for arxiv_id in arxiv_ids]


class Counted(io.FileIO):
    """A table's file that counts how often it is opened, and how much of it is read."""

    opened: ClassVar[Counter[str]] = Counter()
    bytes_read: ClassVar[Counter[str]] = Counter()

    def read(self, size: int | None = -1) -> bytes:
        data = super().read(size)
        self.bytes_read[Path(str(self.name)).parent.name] += len(data)
        return data


@contextmanager
def open_counted(files: LocalFiles, key: str) -> Iterator[Counted]:
    with Counted(files.root / key) as file:
        Counted.opened[key.split("/")[1]] += 1
        yield file


@pytest.fixture
def counted(monkeypatch: pytest.MonkeyPatch) -> type[Counted]:
    monkeypatch.setattr(LocalFiles, "opened", open_counted)
    return Counted


def test_a_changed_paper_reads_its_row_group_and_not_its_shard(
    tmp_path: Path, counted: type[Counted]
) -> None:
    read = []
    for count in (2 * A_GROUP, 12 * A_GROUP):
        folder = tmp_path / str(count)
        folder.mkdir()
        process(folder, page(*map(record, ids(count))))
        counted.bytes_read.clear()
        changed = page(record(ids(count)[A_GROUP + 7], authors="A. Third", datestamp="2020-01-01"))
        assert process(folder, changed).counts.new_snapshots == 1
        read.append(counted.bytes_read["bundles"])
    small, large = read
    assert large < 1.5 * small


def test_row_groups_of_bundles_are_full_though_known_papers_come_between(tmp_path: Path) -> None:
    process(tmp_path, page(*map(record, ids(500)[::3])))
    assert process(tmp_path, page(*map(record, ids(500)))).counts.new_records == 333
    files = (tmp_path / "data" / "tables" / "bundles").iterdir()
    metadata = max(map(pq.read_metadata, files), key=lambda found: found.num_rows)
    groups = [metadata.row_group(at).num_rows for at in range(metadata.num_row_groups)]
    assert groups == [A_GROUP, A_GROUP, 333 - 2 * A_GROUP]


def test_many_changes_open_each_shard_once(tmp_path: Path, counted: type[Counted]) -> None:
    pages = [page(*map(record, ids(40, month))) for month in (1, 2, 3)]
    process(tmp_path, *pages)
    counted.opened.clear()
    everyone = [record(i, authors="A. Third") for month in (3, 1, 2) for i in ids(40, month)]
    assert process(tmp_path, page(*everyone)).counts.new_snapshots == 120
    # The fourth is the new shard, whose bundle files are written.
    assert counted.opened["bundles"] == 3 + 1
    assert_whole(tmp_path)


def test_each_record_is_found_in_its_row_through_everything_that_moves_it(tmp_path: Path) -> None:
    process(tmp_path, page(*map(record, ids(300))))
    process(tmp_path, page(*(record(i, authors="A. Third") for i in ids(300)[::7])))
    # Twice in one unit of work: the last of two rows counts.
    twice = [record(ids(300)[5], authors=f"Author {n}", datestamp=f"2020-01-0{n}") for n in (1, 2)]
    process(tmp_path, page(record(ids(300)[6], authors="A. Fourth"), *twice))
    (tmp_path / "signing.key").rename(tmp_path / "old.key")
    again = reissuing.reissue(config_in(tmp_path), ids(300)[:20], job_name="rerun")
    assert again.counts.reissued == 20

    def found() -> dict[str, bytes]:
        records = known(tmp_path, *ids(300))
        read = read_bundles(Layout(tmp_path / "data"), records)
        return {one.pith_number.split(":")[2]: bundle for one, bundle in read}

    assert found() == bundle_files(tmp_path)
    before = dump(tmp_path / "data" / "catalog.sqlite")
    assert rebuilt(tmp_path) == before
    assert found() == bundle_files(tmp_path)
    assert len(json.loads(found()[known(tmp_path, ids(300)[5])[0].pith_number[10:]])["events"]) == 5


Rows = list[dict[str, Any]]


def swap(found: Rows, *columns: str) -> None:
    for column in columns:
        found[0][column], found[1][column] = found[1][column], found[0][column]


def change_a_letter(found: Rows) -> None:
    found[0]["bundle"] = found[0]["bundle"].replace(b"A title", b"a title")


def sign_other_aliases(found: Rows) -> None:
    """Add a key of one's own, and sign by it what only the bundle's own signature covers."""
    bundle = json.loads(found[0]["bundle"])
    bundle["source_aliases"][0]["alias_value"] = "9999.99999"
    bundle["public_keys"].append(STRANGER.key_document)
    digest, signed_at = bundle_digest(bundle), from_text(bundle["built_at"])
    signature = signature_block(digest, SIGNED_MESSAGE, issuer=STRANGER, signed_at=signed_at)
    bundle["bundle_signature"] = {**signature, "bundle_sha256": digest.hex()}
    found[0]["bundle"] = bundle_bytes(bundle)


LIES: dict[str, tuple[Callable[[Rows], object], str]] = {
    "a letter": (change_a_letter, "events: event .* does not recompute"),
    "the aliases": (sign_other_aliases, "aliases: source_aliases are not those of the record"),
    "no JSON": (lambda found: found[0].update(bundle=b"{"), "not JSON"),
    "another paper's": (lambda found: swap(found, "bundle"), "it is the bundle of pith:2009:"),
    "the rows' order": (
        lambda found: swap(found, *found[0]),
        "does not hold pith:2009:.* in row 0",
    ),
    "no rows": (lambda found: found.clear(), "does not hold pith:2009:.* in row 0"),
}


def rewrite(shard: Path, change: Callable[[Rows], object]) -> None:
    """Change the rows of a shard, as whoever can write to the folder could."""
    found = pq.read_table(shard)
    changed = found.to_pylist()
    change(changed)
    pq.write_table(pa.Table.from_pylist(changed, found.schema), shard)


def shards(folder: Path) -> list[Path]:
    found = (folder / "data" / "tables" / "bundles").glob("*.parquet")
    return sorted(found, key=lambda path: path.stat().st_mtime_ns)


def assert_refused(folder: Path, why: str) -> None:
    """Assert that nothing is built on the paper's bundle, nor is it shown, and nothing changes."""
    (shard,), before = shards(folder)[-1:], tree(folder)
    names_both = rf"{shard} .*{why}.*; 'pith-ingest doctor' tells"
    with pytest.raises(StoreError, match=names_both):
        process(folder, page(record("2201.00001", authors="A. Third", datestamp="2020-01-01")))
    (folder / "signing.key").rename(folder / "old.key")
    with pytest.raises(StoreError, match=names_both):
        reissuing.reissue(config_in(folder), ["2201.00001"], job_name="rerun")
    (folder / "old.key").replace(folder / "signing.key")
    for show in (print_record, print_bundle):
        with pytest.raises(StoreError, match=names_both):
            show(config_in(folder), "2201.00001")
    changed = {path for path, _ in tree(folder).items() ^ before.items()}
    assert not {path for path in changed if not path.startswith("raw/")}


@pytest.mark.parametrize("lie", LIES)
def test_nothing_is_built_on_a_bundle_that_does_not_verify(tmp_path: Path, lie: str) -> None:
    process(tmp_path, page(record("2201.00001"), record("2201.00002")))
    change, why = LIES[lie]
    rewrite(shards(tmp_path)[0], change)
    assert_refused(tmp_path, why)


def test_nothing_is_built_on_an_older_bundle_of_the_record(tmp_path: Path) -> None:
    process(tmp_path, page(record("2201.00001", datestamp="2011-02-03")))
    (older,) = rows(tmp_path, "bundles")
    process(tmp_path, page(record("2201.00001", authors="A. New", datestamp="2011-02-04")))
    rewrite(shards(tmp_path)[-1], lambda found: found[0].update(bundle=older["bundle"]))
    assert_refused(tmp_path, "its newest snapshot is not the one that the catalog has")


def test_nothing_is_built_on_a_shard_that_is_gone_or_anothers(tmp_path: Path) -> None:
    process(tmp_path, page(record("2201.00001")))
    (shard,) = shards(tmp_path)
    whole = shard.read_bytes()
    (papers,) = (tmp_path / "data" / "tables" / "papers").glob("*.parquet")
    for other in (papers.read_bytes(), whole[:-20], None):
        shard.unlink() if other is None else shard.write_bytes(other)
        with pytest.raises(StoreError, match=rf"{shard}.*'pith-ingest doctor'"):
            process(tmp_path, page(record("2201.00001", authors="A. New", datestamp="2020-01-01")))
    shard.write_bytes(whole)
    assert process(tmp_path, page(record("2201.00001", authors="A. New"))).counts.new_snapshots == 1
    assert_whole(tmp_path)


def test_one_bad_bundle_costs_no_other_paper_its_snapshot(tmp_path: Path) -> None:
    """What does not touch it goes on: a rerun of the others, and their bundles."""
    process(tmp_path, page(record("2201.00001"), record("2201.00002")))
    rewrite(shards(tmp_path)[0], change_a_letter)
    other = page(record("2201.00002", authors="A. New", datestamp="2020-01-01"))
    assert process(tmp_path, other).counts.new_snapshots == 1


def test_a_catalog_of_the_older_format_is_rebuilt_by_the_command_that_it_names(
    tmp_path: Path,
) -> None:
    process(tmp_path, page(record("2201.00001")))
    catalog = Layout(tmp_path / "data").catalog
    before = dump(catalog)
    with closing(sqlite3.connect(catalog)) as connection:
        connection.executescript("ALTER TABLE records DROP COLUMN shard_row; PRAGMA user_version=2")
    end_changes(catalog)
    for words in (["status"], ["backfill", "--raw", tmp_path / "replies"]):
        done = run(tmp_path, *words, "--data", tmp_path / "data")
        assert done.returncode == 2
        assert_one_sentence(done, "older pith-ingest", "'pith-ingest rebuild-catalog'")
    assert run(tmp_path, "rebuild-catalog", "--data", tmp_path / "data").returncode == 0
    assert dump(catalog) == before
