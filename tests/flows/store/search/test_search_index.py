"""The search index holds what the tables hold, after whatever happened to it."""

import multiprocessing
import os
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from random import Random
from typing import Any

import pytest
from filelock import FileLock
from support.papers.oai_pages import page, record, version
from support.runs.runs import config_in, process

from flows.cli.data.rebuild_catalog import rebuild_catalog
from flows.store.layout import Layout
from flows.store.repair.doctor import repair_folder
from flows.store.search import build, writer
from flows.store.search.build import keep_index, update_index
from flows.store.search.query import SearchIndex, SearchQuery


def say_nothing(_: str) -> None:
    pass


def held(layout: Layout) -> list[Any]:
    """Return all that an index has: papers, facets with counts, and postings."""
    with closing(sqlite3.connect(layout.search)) as connection:
        connection.execute(
            "CREATE VIRTUAL TABLE temp.posted USING fts5vocab(main, words, instance)"
        )
        facets = dict(connection.execute("SELECT id, kind || value FROM facets"))
        papers = dict(connection.execute("SELECT id, arxiv_id FROM papers"))
        posted = connection.execute("SELECT term, doc FROM posted").fetchall()
        named = [
            (facets[int(term[1:])] if term.startswith("§") else term, papers[doc])
            for term, doc in posted
        ]
        rows = connection.execute("SELECT arxiv_id, version, title, categories FROM papers")
        counts = connection.execute("SELECT kind, value, papers FROM facets WHERE papers")
        return [sorted(rows), sorted(counts), sorted(set(named))]


def held_anew(layout: Layout) -> list[Any]:
    """Return what an index has that is made of the tables at once."""
    update_index(layout, say_nothing, anew=True)
    return held(layout)


def papers(*numbers: int, newest: int = 1) -> bytes:
    versions = "".join(version(number) for number in range(1, newest + 1))
    return page(
        *(
            record(f"2201.{number:05}", title=f"Title {newest} of {number}", versions=versions)
            for number in numbers
        )
    )


@pytest.fixture
def layout(tmp_path: Path) -> Layout:
    """Return a folder of three shards, with an index that was made of the first."""
    process(tmp_path, papers(1, 2, 3))
    found = Layout(tmp_path / "data")
    assert update_index(found, pytest.fail)
    process(tmp_path, papers(2, 4, newest=2), papers(5, 6))
    return found


def count(layout: Layout) -> int:
    index = SearchIndex(layout.search)
    found = index.search(SearchQuery(text="title")).count
    index.close()
    return found


def test_a_run_takes_its_papers_into_an_index_that_there_is(layout: Layout) -> None:
    assert count(layout) == 6
    grown = held(layout)
    assert grown == held_anew(layout)


def test_a_run_makes_no_index_where_there_is_none(tmp_path: Path) -> None:
    process(tmp_path, papers(1))
    assert not Layout(tmp_path / "data").search.exists()


def test_a_run_ends_well_whatever_the_index_is(layout: Layout, tmp_path: Path) -> None:
    layout.search.unlink()
    layout.search.mkdir()
    assert process(tmp_path, papers(7)).counts.new_records == 1


def test_a_run_does_not_wait_for_who_updates_the_index(layout: Layout, tmp_path: Path) -> None:
    with FileLock(layout.search.with_name(".search.sqlite.lock")):
        assert process(tmp_path, papers(7)).counts.new_records == 1
        assert not update_index(layout, pytest.fail)
    assert count(layout) == 6
    assert update_index(layout, pytest.fail)
    assert count(layout) == 7


def test_the_catalog_made_again_makes_the_index_again(layout: Layout, tmp_path: Path) -> None:
    before, inode = held(layout), layout.search.stat().st_ino
    config = tmp_path / "config.yaml"
    config.write_text("data_dir: data\nidentity: {key_file: signing.key}\n")
    index = SearchIndex(layout.search)
    assert index.state().papers == 6
    rebuild_catalog(config, None)
    assert held(layout) == before
    assert index.search(SearchQuery()).count == 6
    index.close()
    layout.search.unlink()
    rebuild_catalog(config, None)
    assert not layout.search.exists(), inode


def _flip(path: Path) -> None:
    data = bytearray(path.read_bytes())
    data[100:5000] = Random(2).randbytes(4900)
    path.write_bytes(data)


def _of_another_folder(path: Path) -> None:
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("UPDATE state SET folder = 'another'")
        connection.commit()


def _of_another_history(path: Path) -> None:
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("UPDATE state SET sha256 = 'another'")
        connection.commit()


def _ahead(path: Path) -> None:
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("UPDATE state SET number = 1000")
        connection.commit()


def _older(path: Path) -> None:
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA user_version = 0")
        connection.commit()


def _without_a_table(path: Path) -> None:
    with closing(sqlite3.connect(path)) as connection:
        connection.executescript("DROP TABLE state; CREATE TABLE other (x)")


@pytest.mark.parametrize(
    ("damage", "said"),
    [
        (lambda path: path.write_bytes(b"not a database" * 500), "damaged"),
        (lambda path: path.write_bytes(b""), "of another format"),
        (lambda path: path.write_bytes(path.read_bytes()[:5000]), "damaged"),
        (_flip, "damaged"),
        (_of_another_folder, "another data folder's"),
        (_of_another_history, "another history"),
        (_ahead, "knows more than the ledger"),
        (_older, "of another format"),
        (_without_a_table, "damaged"),
    ],
)
def test_an_index_that_is_not_right_is_made_anew_with_a_sentence(
    layout: Layout, damage: Callable[[Path], object], said: str
) -> None:
    before = held(layout)
    damage(layout.search)
    sentences: list[str] = []
    assert update_index(layout, sentences.append)
    (sentence,) = sentences
    assert said in sentence
    assert sentence.endswith("it is made anew")
    assert held(layout) == before


def test_a_repair_that_replaces_a_shard_makes_the_index_anew(
    layout: Layout, tmp_path: Path
) -> None:
    shard = min((layout.root / "tables" / "bundles").glob("*.parquet"))
    shard.write_bytes(shard.read_bytes()[:-9])
    repair_folder(layout, config_in(tmp_path), full=False, say=say_nothing)
    sentences: list[str] = []
    assert update_index(layout, sentences.append)
    assert "older than a repair" in sentences[0]
    assert held(layout) == held_anew(layout)


def _update_until(layout: Layout, kill_at: int) -> None:
    """Update in batches of two, and die before the batch with this number is committed."""
    build.ROWS_AT_ONCE = 2
    write = writer.Facets.write
    calls: list[int] = []

    def write_or_die(facets: writer.Facets) -> None:
        write(facets)
        calls.append(1)
        if len(calls) == kill_at:
            os._exit(9)

    writer.Facets.write = write_or_die  # type: ignore[assignment, method-assign]
    update_index(layout, say_nothing)


@pytest.mark.process
def test_killed_at_each_batch_the_index_ends_with_each_paper_once(tmp_path: Path) -> None:
    process(tmp_path, papers(1, 2, 3), papers(3, 4, newest=2), papers(5, 6), papers(1, newest=3))
    layout = Layout(tmp_path / "data")
    context = multiprocessing.get_context("spawn")
    ends = []
    for kill_at in (1, 2, 1, 3, 9):
        child = context.Process(target=_update_until, args=(layout, kill_at))
        child.start()
        child.join()
        ends.append(child.exitcode)
    assert ends[0] == 9
    assert ends[-1] == 0
    assert held(layout) == held_anew(layout)
    assert count(layout) == 6


def test_a_reader_beside_the_writer_reads_on(layout: Layout) -> None:
    index = SearchIndex(layout.search)
    with closing(sqlite3.connect(layout.search, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        other.execute("UPDATE state SET papers = 0")
        assert index.state().papers == 6
        other.execute("ROLLBACK")
    index.close()


def test_progress_is_told_by_entries_of_the_ledger(
    layout: Layout, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(build, "ROWS_AT_ONCE", 1)
    told: list[tuple[int, int]] = []
    update_index(
        layout, say_nothing, anew=True, on_progress=lambda done, total: told.append((done, total))
    )
    total = told[0][1]
    assert told[0] == (0, total)
    assert told[-1] == (total, total)
    assert len(told) > 3


def test_where_nothing_was_committed_keeping_an_index_says_so(tmp_path: Path) -> None:
    layout = Layout(tmp_path)
    layout.search.touch()
    said: list[str] = []
    keep_index(layout, said.append)
    assert "run a backfill first" in said[0]


def test_after_many_papers_the_postings_of_a_word_lie_together(
    layout: Layout, monkeypatch: pytest.MonkeyPatch
) -> None:
    def segments() -> int:
        with closing(sqlite3.connect(layout.search)) as connection:
            sql = "SELECT count(DISTINCT segid) FROM words_idx"
            return int(connection.execute(sql).fetchone()[0])

    before = held(layout)
    assert segments() > 1
    monkeypatch.setattr(build, "MANY", 1)
    update_index(layout, say_nothing, anew=True)
    assert segments() == 1
    assert held(layout) == before
