"""A published registry is what a server would say, whole at every moment, and only grows."""

import asyncio
import gzip
import hashlib
import json
import signal
import subprocess
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from random import Random

import httpx
import pytest
from support.papers.oai_pages import page, record
from support.registry.publishing import BASE_URL, published
from support.runs.jobs import backfill_raw
from support.runs.runs import SAMPLE, bundle_files, config_in, process

from flows.common.errors import ConfigError, StoreError
from flows.common.files.whole_file import Data
from flows.registry.mirror.client import MOST_BYTES
from flows.registry.publish.packs import PACK_BYTES, PackWriter
from flows.registry.publish.published import FileLayout, Published, read_published
from flows.registry.publish.target import Target
from flows.registry.reader import RegistryReader
from flows.registry.server.app import Registry, make_app
from flows.store.files.local import LocalFiles
from flows.store.layout import Layout
from transforms.encoding.strict_json import MAX_BYTES
from transforms.registry.addresses import record_addresses
from transforms.registry.packs import read_index, to_member

NEW = "2101.00001"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Return a folder with the sample's nine records."""
    backfill_raw(config_in(tmp_path), [SAMPLE])
    return tmp_path


def state_of(to: Path) -> Published:
    state = read_published(LocalFiles(to))
    assert state
    return state


def packed(to: Path) -> dict[str, bytes]:
    """Return all bundles of the packs by suffix, each read as a browser reads it."""
    state, found = state_of(to), {}
    for prefix, key in state.indexes.items():
        for suffix, (pack, offset, length) in read_index(prefix, (to / key).read_bytes()).items():
            with (to / state.packs[pack]).open("rb") as file:
                file.seek(offset)
                found[suffix] = gzip.decompress(file.read(length))
    return found


def tree(to: Path) -> dict[str, str]:
    return {
        str(path.relative_to(to)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in to.rglob("*")
        if path.is_file()
    }


async def served(folder: Path, paths: Iterable[str]) -> dict[str, bytes]:
    with RegistryReader(Layout(folder / "data")) as reader:
        app = make_app(Registry(reader, BASE_URL, "A registry"))
        transport = httpx.ASGITransport(app)
        async with httpx.AsyncClient(transport=transport, base_url=BASE_URL) as client:
            return {path: (await client.get(path)).content for path in paths}


def test_each_file_is_what_the_server_answers(folder: Path, tmp_path: Path) -> None:
    to = tmp_path / "site"
    assert published(folder, to).published.layout == "files"
    for suffix, data in bundle_files(folder).items():
        addresses = record_addresses("", suffix)
        assert (to / addresses.bundle[1:]).read_bytes() == data
        machines = [path for path in addresses if path != addresses.page]
        answers = asyncio.run(served(folder, [*machines, "/pith-signing-key.json"]))
        assert all((to / path[1:]).read_bytes() == body for path, body in answers.items())
        page = (to / addresses.page[1:] / "index.html").read_text()
        assert f"{BASE_URL}{addresses.page}" in page
    assert len(list((to / "pith").glob("*.json"))) == 9


def test_pages_of_runs_are_made_of_reports_and_a_damaged_one_stops_nothing(
    folder: Path, tmp_path: Path
) -> None:
    (older,) = (folder / "data" / "runs").iterdir()
    process(folder, page(record(NEW)))
    # Not by their names, for both may have begun in one second.
    (newer,) = set((folder / "data" / "runs").iterdir()) - {older}
    (newer / "report.html").write_text("<script>planted</script>")
    (older / "report.json").write_text('{"run": "x"}')
    published(folder, tmp_path / "to", "files")
    shown = (tmp_path / "to" / "runs" / newer.name / "index.html").read_text()
    assert '<h1 class="headline good">Done: 1 paper came (1 new).</h1>' in shown
    assert "planted" not in shown
    assert not (tmp_path / "to" / "runs" / older.name).exists()
    assert older.name in (tmp_path / "to" / "runs" / "index.html").read_text()


@pytest.mark.parametrize("file_layout", ["files", "packs"])
def test_a_second_publish_writes_nothing(
    folder: Path, tmp_path: Path, file_layout: FileLayout
) -> None:
    to = tmp_path / "site"
    published(folder, to, file_layout)
    before = tree(to)
    again = published(folder, to)
    assert (again.files, again.changed, again.published.number) == (0, 0, 1)
    assert tree(to) == before


def test_a_night_changes_its_own_records_files_only(folder: Path, tmp_path: Path) -> None:
    to = tmp_path / "site"
    published(folder, to, "files")
    before = tree(to)
    process(folder, page(record(NEW)))
    report = published(folder, to)
    (suffix,) = (suffix for suffix in bundle_files(folder) if f"pith/{suffix}.json" not in before)
    now = tree(to)
    written = {key for key in now if now[key] != before.get(key)}
    of_record = {key for key in written if suffix in key}
    assert report.changed == 1
    assert len(of_record) == 5
    assert not {key for key in written - of_record if "pith/" in key}
    listed = json.loads((to / state_of(to).list).read_bytes())["written"]
    state = {"pith-publish.json", state_of(to).list}
    assert {one["key"]: one["sha256"] for one in listed} == {k: now[k] for k in written - state}


def test_a_night_adds_a_pack_and_changes_its_indexes_only(folder: Path, tmp_path: Path) -> None:
    to = tmp_path / "site"
    published(folder, to, "packs")
    first, before = state_of(to), tree(to)
    assert packed(to) == bundle_files(folder)
    process(folder, page(record(NEW)))
    report = published(folder, to)
    second = state_of(to)
    assert packed(to) == bundle_files(folder)
    assert report.changed == 1
    assert second.packs[: len(first.packs)] == first.packs
    assert len(second.packs) == len(first.packs) + 1
    assert len(second.indexes.items() - first.indexes.items()) == 1
    assert all(tree(to)[key] == digest for key, digest in before.items() if "packs/" in key)


def test_packs_of_three_million_records_fit_a_mirror_and_are_few(tmp_path: Path) -> None:
    largest = len(to_member(Random(16).randbytes(MAX_BYTES)))
    assert PACK_BYTES + largest < MOST_BYTES
    member_bytes = 3_050  # on average, docs/registry.md
    assert 3_000_000 * member_bytes / PACK_BYTES < 300
    random, megabyte = Random(16), 2**20
    bundles = {f"QZ{chr(65 + n % 26)}{'A' * 22}{chr(65 + n // 26)}": random.randbytes(megabyte)
               for n in range(34)}  # fmt: skip
    writer = PackWriter(Target(LocalFiles(tmp_path)), [], {})
    assert writer.add(bundles.items()) == 34
    writer.finish()
    sizes = [(tmp_path / key).stat().st_size for key in writer.packs]
    assert len(sizes) == 2
    assert PACK_BYTES <= sizes[0] < PACK_BYTES + 2 * megabyte
    places = read_index("QZ", (tmp_path / writer.indexes["QZ"]).read_bytes())
    packs = [(tmp_path / key).read_bytes() for key in writer.packs]
    for suffix, (pack, offset, length) in places.items():
        assert gzip.decompress(packs[pack][offset : offset + length]) == bundles[suffix]
    assert places.keys() == bundles.keys()


def test_a_changed_record_is_found_in_its_new_pack_and_old_readers_go_on(
    folder: Path, tmp_path: Path
) -> None:
    to = tmp_path / "site"
    process(folder, page(record(NEW)))
    published(folder, to, "packs")
    old, bundles = state_of(to), bundle_files(folder)
    process(folder, page(record(NEW, datestamp="2026-11-20", authors="C. Three")))
    assert published(folder, to).changed == 1
    assert packed(to) == bundle_files(folder) != bundles
    # Who read the state before the last publish still finds all that it names.
    assert all((to / key).exists() for key in (*old.packs, *old.indexes.values()))
    process(folder, page(record("2101.00002")))
    removed = published(folder, to).removed
    assert removed == len(old.indexes.items() - state_of(to).indexes.items())
    assert packed(to) == bundle_files(folder)


def test_what_was_published_from_elsewhere_is_not_contradicted(
    folder: Path, tmp_path: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    to = tmp_path / "site"
    published(folder, to, "packs")
    before = tree(to)
    other = tmp_path_factory.mktemp("other")
    process(other, page(record(NEW)))
    with pytest.raises(StoreError, match="another data folder was published there"):
        published(other, to)
    with pytest.raises(ConfigError, match="lie in packs"):
        published(folder, to, "files")
    with pytest.raises(StoreError, match=r"is https://registry\.example"):
        published(folder, to, base_url="https://other.example")
    state = to / "pith-publish.json"
    state.write_bytes(state.read_bytes().replace(b'"number": 2', b'"number": 7'))
    with pytest.raises(StoreError, match="does not have"):
        published(folder, to)
    state.write_bytes(b"{}")
    with pytest.raises(StoreError, match="not what 'registry publish' writes"):
        published(folder, to)
    assert {key: digest for key, digest in tree(to).items() if key != state.name} == {
        key: digest for key, digest in before.items() if key != state.name
    }


def test_the_data_folder_is_no_place_to_publish_to(folder: Path) -> None:
    before = tree(folder / "data")
    for place in ("data", "data/bundles", "data/../data/site"):
        with pytest.raises(ConfigError, match="place of its own"):
            published(folder, folder / place)
    statistics = {"statistics.json", ".statistics.json.lock"}
    assert {key: tree(folder / "data")[key] for key in before} == before
    assert tree(folder / "data").keys() - before.keys() <= statistics


def test_a_page_that_no_publish_wrote_is_not_replaced(folder: Path, tmp_path: Path) -> None:
    own = tmp_path / "own"
    own.mkdir()
    (own / "index.html").write_text("mine")
    (own / "CNAME").write_text("papers.example.org")
    with pytest.raises(ConfigError, match=r"index\.html is there, and no publish wrote it"):
        published(folder, own)
    assert sorted(path.name for path in own.iterdir()) == ["CNAME", "index.html"]
    (own / "index.html").unlink()
    published(folder, own)
    assert "mine" not in (own / "index.html").read_text()


def test_an_empty_folder_publishes_nothing(tmp_path: Path) -> None:
    process(tmp_path, page())
    with pytest.raises(ConfigError, match="no record is kept yet"):
        published(tmp_path, tmp_path / "site")


class _Dying(LocalFiles):
    """Fails after a number of writes, as a kill would end them."""

    left = 0

    def write(self, key: str, data: Data) -> None:
        self._count()
        super().write(key, data)

    def write_derived(self, files: Iterable[tuple[str, Data]]) -> None:
        super().write_derived(self._counted(files))

    def _counted(self, files: Iterable[tuple[str, Data]]) -> Iterator[tuple[str, Data]]:
        for one in files:
            self._count()
            yield one

    def _count(self) -> None:
        type(self).left -= 1
        if type(self).left < 0:
            raise KeyboardInterrupt


def test_a_reader_sees_a_whole_registry_wherever_a_publish_ended(
    folder: Path, tmp_path: Path
) -> None:
    to = tmp_path / "site"
    published(folder, to, "packs")
    for n in range(12):
        before = bundle_files(folder)
        process(folder, page(record(f"2102.{n:05}")))
        _Dying.left = n
        try:
            published(folder, to, files=_Dying(to))
        except KeyboardInterrupt:
            assert packed(to) == before
            published(folder, to)
        assert packed(to) == bundle_files(folder)
        named = {*state_of(to).packs, *state_of(to).indexes.values()}
        assert named <= tree(to).keys()


@pytest.mark.process
def test_a_killed_publish_is_completed_by_the_next(folder: Path, tmp_path: Path) -> None:
    to = tmp_path / "site"
    program = "import sys; from flows.cli.main import main; sys.argv[0] = 'pith-ingest'; main()"
    command = [
        sys.executable, "-c", program, "registry", "publish", "--to", str(to),
        "--data", str(folder / "data"), "--config", str(folder / "config.yaml"),
    ]  # fmt: skip
    (folder / "config.yaml").write_text(f"identity: {{base_url: {BASE_URL}}}\n")
    for _ in range(3):
        quiet = subprocess.DEVNULL
        with subprocess.Popen(command, stdout=quiet, stderr=quiet) as running:
            while not any(to.rglob("bundle.json")):
                assert running.poll() is None
            running.send_signal(signal.SIGKILL)
    subprocess.run(command, check=True, capture_output=True)
    bundles = {path.parent.name: path.read_bytes() for path in to.glob("pith/*/bundle.json")}
    assert bundles == bundle_files(folder)
    assert state_of(to).records == 9
