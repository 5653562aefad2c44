"""What follows the ledger keeps search and figures at its last entry, and says what stops it."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Event, Thread

from support.papers.oai_pages import page, record
from support.runs.runs import process

from flows.registry.reader import RegistryReader
from flows.registry.site.keeping import keep_pages
from flows.registry.site.statistics import kept_statistics
from flows.store.layout import Layout
from flows.store.search.file import find_state

WAIT_SECONDS = 30


@contextmanager
def keeping(layout: Layout, say: Callable[[str], None]) -> Iterator[None]:
    stop = Event()
    thread = Thread(target=keep_pages, args=(layout, stop, say, 0.05))
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()


def wait_until(is_so: Callable[[], bool]) -> None:
    never = Event()
    for _ in range(WAIT_SECONDS * 20):
        if is_so():
            return
        never.wait(0.05)
    raise AssertionError


def papers(layout: Layout) -> int:
    state = find_state(layout.search)
    return state.papers if state else 0


def test_both_are_made_at_the_start_and_follow_every_run(tmp_path: Path) -> None:
    layout = Layout(tmp_path / "data")
    process(tmp_path, page(record("0903.0001")))
    said: list[str] = []
    with keeping(layout, said.append):
        wait_until(lambda: papers(layout) == 1)
        process(tmp_path, page(record("0903.0002"), record("0903.0003")))
        with RegistryReader(layout) as reader, reader.catalog() as catalog:
            head = catalog.head()
        wait_until(lambda: (found := kept_statistics(layout)) is not None and found.records == 3)
        wait_until(lambda: (found := find_state(layout.search)) is not None
                   and found.sha256 == head.sha256)  # fmt: skip
    assert papers(layout) == 3
    assert said == []


def test_a_damaged_index_is_found_at_the_start_and_made_anew(tmp_path: Path) -> None:
    layout = Layout(tmp_path / "data")
    process(tmp_path, page(record("0903.0001")))
    with keeping(layout, print):
        wait_until(lambda: papers(layout) == 1)
    data = bytearray(layout.search.read_bytes())
    data[4096:8192] = bytes(4096)
    layout.search.write_bytes(data)
    layout.statistics.write_bytes(b'{"number": "x"}')
    said: list[str] = []
    with keeping(layout, said.append):
        wait_until(lambda: bool(said) and papers(layout) == 1)
        wait_until(lambda: kept_statistics(layout) is not None)
    assert "made anew" in said[0]


def test_what_cannot_be_read_is_said_once_and_tried_again(tmp_path: Path) -> None:
    layout = Layout(tmp_path / "data")
    process(tmp_path, page(record("0903.0001")))
    (shard,) = (layout.root / "tables" / "papers").iterdir()
    data = shard.read_bytes()
    shard.write_bytes(data[:-20])
    said: list[str] = []
    with keeping(layout, said.append):
        wait_until(lambda: bool(said))
        shard.write_bytes(data)
        wait_until(lambda: papers(layout) == 1)
    assert len(said) == 1
    assert said[0].startswith("search and figures wait: ")
