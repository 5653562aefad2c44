"""The index of bundles is made of committed shards, and nothing depends on it."""

import hashlib
import sqlite3
import threading
from collections.abc import Callable
from pathlib import Path

import pytest
from support.papers.oai_pages import page, record
from support.runs.runs import bundle_files, process, tree

from flows.common.errors import StoreError
from flows.registry.index.bundle_index import BundleIndex, index_path
from flows.registry.index.following import follow, update
from flows.registry.reader import RegistryReader
from flows.store.layout import Layout

IDS = [f"0903.{n:04}" for n in range(1, 41)]


@pytest.fixture
def layout(tmp_path: Path) -> Layout:
    process(tmp_path, page(*map(record, IDS)))
    return Layout(tmp_path / "data")


def found(layout: Layout) -> dict[str, bytes | None]:
    """Return what the index has of all records that are kept, by suffix."""
    index = BundleIndex(index_path(layout))
    taken = {}
    for suffix in bundle_files(layout.root.parent):
        if bundle := index.find(suffix):
            data = bundle.data()
            assert data is None or hashlib.sha256(data).digest() == bundle.sha256
            taken[suffix] = data
    index.close()
    return taken


def test_it_takes_up_what_was_committed_since(layout: Layout, tmp_path: Path) -> None:
    assert found(layout) == {}
    assert update(layout) == 40
    assert found(layout) == bundle_files(tmp_path)
    assert update(layout) == 0
    process(tmp_path, page(record(IDS[0], authors="A. Another"), record("math/0410603")))
    assert update(layout) == 2
    assert found(layout) == bundle_files(tmp_path)
    assert len(found(layout)) == 41


def test_it_changes_nothing_that_counts(layout: Layout, tmp_path: Path) -> None:
    before = tree(tmp_path, without=["registry"])
    update(layout)
    with RegistryReader(layout) as reader:
        assert all(reader.indexed(suffix) for suffix in bundle_files(tmp_path))
    assert tree(tmp_path, without=["registry"]) == before
    process(tmp_path, page(record("math/0410603")))


def _delete(path: Path) -> None:
    path.unlink()


def _cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:5000])


def _empty(path: Path) -> None:
    path.write_bytes(b"")


def _text(path: Path) -> None:
    path.write_text("no database" * 1000)


def _older(path: Path) -> None:
    with sqlite3.connect(path) as connection:
        connection.execute("PRAGMA user_version = 0")
    connection.close()


def _of_another_folder(path: Path) -> None:
    with sqlite3.connect(path) as connection:
        connection.execute("UPDATE folder SET id = 'another'")
    connection.close()


@pytest.mark.parametrize("damage", [_delete, _cut, _empty, _text, _older, _of_another_folder])
def test_a_damaged_one_is_made_anew_and_missed_by_nobody(
    damage: Callable[[Path], None], layout: Layout, tmp_path: Path
) -> None:
    update(layout)
    damage(index_path(layout))
    with RegistryReader(layout) as reader:
        for suffix, data in bundle_files(tmp_path).items():
            (known,) = reader.resolve(suffix)
            assert reader.bundle(known).read() == data
    assert update(layout) == 40
    assert found(layout) == bundle_files(tmp_path)


def test_one_that_is_cut_while_it_is_read_is_done_without(layout: Layout, tmp_path: Path) -> None:
    update(layout)
    files = bundle_files(tmp_path)
    with RegistryReader(layout) as reader:
        assert reader.indexed(next(iter(files)))
        with index_path(layout).open("r+b") as file:
            file.truncate(4096)
        for suffix, data in files.items():
            (known,) = reader.resolve(suffix)
            assert reader.bundle(known).read() == data


def test_a_flipped_bit_is_noticed_and_the_tables_are_asked(layout: Layout, tmp_path: Path) -> None:
    update(layout)
    with sqlite3.connect(index_path(layout)) as connection:
        for suffix, body in connection.execute("SELECT suffix, body FROM bundles").fetchall():
            at = len(body) // 2
            changed = body[:at] + bytes([body[at] ^ 1]) + body[at + 1 :]
            connection.execute("UPDATE bundles SET body = ? WHERE suffix = ?", (changed, suffix))
    connection.close()
    with RegistryReader(layout) as reader:
        for suffix, data in bundle_files(tmp_path).items():
            bundle = reader.indexed(suffix)
            assert bundle
            assert bundle.read() == data


def test_a_shard_that_is_not_what_was_committed_is_left_out(layout: Layout, tmp_path: Path) -> None:
    (first,) = layout.root.glob("tables/bundles/*.parquet")
    process(tmp_path, page(record("math/0410603")))
    data = bytearray(first.read_bytes())
    data[len(data) // 2] ^= 1
    first.write_bytes(data)
    with pytest.raises(StoreError, match="bundles"):
        update(layout)
    assert len(found(layout)) == 1


def test_threads_that_read_it_at_once_each_get_their_bytes(layout: Layout, tmp_path: Path) -> None:
    update(layout)
    files, wrong = bundle_files(tmp_path), []
    index = BundleIndex(index_path(layout))

    def read() -> None:
        for _ in range(50):
            for suffix, data in files.items():
                found = index.find(suffix)
                if found is None or found.data() != data:
                    wrong.append(suffix)

    threads = [threading.Thread(target=read) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    index.close()
    assert wrong == []


def test_only_one_process_keeps_it(layout: Layout) -> None:
    counted: list[int] = []
    threads = [threading.Thread(target=lambda: counted.append(update(layout))) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sum(counted) == 40
    assert sorted(counted)[:3] == [0, 0, 0]


def test_following_says_a_trouble_once_and_goes_on(layout: Layout, tmp_path: Path) -> None:
    stop, said = threading.Event(), []
    blocked = layout.root / "registry"
    blocked.write_text("a file where the folder belongs")
    again = threading.Event()

    def say(text: str) -> None:
        said.append(text)
        again.set()

    thread = threading.Thread(target=follow, args=(layout, stop, say, 0.01))
    thread.start()
    assert again.wait(30)
    blocked.unlink()
    while len(found(layout)) < 40:
        pass
    stop.set()
    thread.join()
    assert len(said) == 1
    assert "they come from the tables" in said[0]
    assert found(layout) == bundle_files(tmp_path)
