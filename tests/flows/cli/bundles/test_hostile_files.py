"""Files that want to keep, to fill or to end their reader are told, and those after them read."""

import json
import os
import subprocess
import sys
from collections import defaultdict
from pathlib import Path
from random import Random

import pyarrow.parquet as pq
import pytest
from support.hostile.files import FILES, HARMLESS, folders_in_each_other
from support.hostile.inputs import PACKED, PAGES
from support.hostile.shards import GOOD, SHARDS, Column, Page, good, one_value, plain, shard
from support.papers.golden_data import FOLDER, GOLDEN
from support.papers.oai_pages import page, record
from support.runs import jobs
from support.runs.runs import config_in, rows

from flows.cli.bundles import shard as bundle_shard
from flows.cli.bundles.found import FoundBundle
from flows.cli.bundles.inputs import read_sources
from flows.cli.bundles.parquet_pages import read_page_sizes

pytestmark = pytest.mark.process

MIB = 2**20
MAX_MEMORY_MIB = 600
"""What verifying may take, of which 512 MiB are for a file (SECURITY.md)."""


VERIFY = """
import sys
from pathlib import Path
from flows.cli.main import main
try:
    main()
finally:
    status = Path("/proc/self/status")
    lines = status.read_text().splitlines() if status.exists() else ["VmHWM: 0 kB"]
    print(*[int(line.split()[1]) // 1024 for line in lines if "VmHWM" in line], file=sys.stderr)
"""


def verified(*paths: Path) -> tuple[int, list[dict[str, object]], int]:
    """Verify in a process of its own; return its status, its lines and its most memory in MiB."""
    options = ["verify", "--json", "--trust", "pith.science", *map(str, paths)]
    done = subprocess.run(
        [sys.executable, "-c", VERIFY, *options],
        capture_output=True, stdin=subprocess.DEVNULL, text=True, check=False,
    )  # fmt: skip
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    return done.returncode, lines, int(done.stderr)


def test_a_folder_of_hostile_files_is_read_to_its_end(tmp_path: Path) -> None:
    for name, place in FILES.items():
        place(tmp_path / name, Random(1))
    status, lines, memory = verified(tmp_path, FOLDER)
    assert status == 1
    found = defaultdict(set)
    for line in lines[:-1]:
        path = Path(str(line["path"]))
        name = path.relative_to(tmp_path).parts[0] if tmp_path in path.parents else "golden"
        found[name].add(line["status"])
    assert found["golden"] == {"trusted"}
    for name in FILES.keys() - HARMLESS:
        assert found[name] & {"unreadable", "invalid"}, name
    assert memory < MAX_MEMORY_MIB


def found_in(path: Path) -> list[FoundBundle]:
    return list(read_sources([path]))


def test_a_pipe_in_a_folder_is_told_and_not_waited_for(tmp_path: Path) -> None:
    (tmp_path / "a.json").write_bytes(GOLDEN[0].data)
    os.mkfifo(tmp_path / "b.json")
    os.mkfifo(tmp_path / "c.parquet")
    reasons = [found.unreadable for found in found_in(tmp_path)]
    assert reasons == ["", "not a regular file", "not a regular file"]


def test_a_pipe_that_is_named_is_read(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "x")
    writer = subprocess.Popen(["cp", FOLDER / f"{GOLDEN[0].id}.bundle.json", tmp_path / "x"])
    (found,) = found_in(tmp_path / "x")
    assert found.data == GOLDEN[0].data
    assert writer.wait() == 0


def test_a_folder_that_cannot_be_searched_is_told(tmp_path: Path) -> None:
    """Its path is longer than the system takes, which holds for root too."""
    (tmp_path / "a.json").write_bytes(GOLDEN[0].data)
    FILES["too deep.json"](tmp_path / "b", Random(1))
    first, last = found_in(tmp_path)
    assert first.unreadable == ""
    assert last.unreadable == "the folder cannot be searched: File name too long"
    assert verified(tmp_path)[0] == 2


def test_folders_may_lie_deeper_than_python_recurses(tmp_path: Path) -> None:
    folders_in_each_other(tmp_path, ["d"] * 1200)
    try:
        (found,) = found_in(tmp_path)
        assert found.data == b"{}"
    finally:
        # Python's own way to remove them recurses.
        subprocess.run(["rm", "-rf", tmp_path / "d"], check=True)


@pytest.mark.parametrize("make", SHARDS.values(), ids=SHARDS)
def test_a_hostile_shard_is_read_as_far_as_it_is_one(make: object, tmp_path: Path) -> None:
    assert callable(make)
    path = tmp_path / "x.parquet"
    path.write_bytes(make())
    size = path.stat().st_size
    room = max(bundle_shard.FREE_BYTES, bundle_shard.MAX_RATIO * size)
    found = found_in(path)
    given = sum(len(each.data or b"") + bundle_shard.ROW_BYTES for each in found)
    assert given <= room + bundle_shard.ROW_BYTES + 8 * MIB
    assert all(each.unreadable or each.data for each in found)
    assert found[-1].unreadable or [each.data for each in found] == GOOD


def test_bundles_before_the_damage_are_given(tmp_path: Path) -> None:
    path = tmp_path / "x.parquet"
    path.write_bytes(
        shard(Column(pages=[Page(plain(*GOOD), values=5)] * 2, values=1000), rows=1000)
    )
    *good_ones, last = found_in(path)
    assert [each.data for each in good_ones] == GOOD * 2
    assert (last.row, last.unreadable) == (10, "Parquet, but it ends after 10 of 1000 rows")


def test_a_value_of_100_megabytes_is_not_unpacked(tmp_path: Path) -> None:
    path = tmp_path / "x.parquet"
    path.write_bytes(one_value(100_000_000, 2000))
    assert path.stat().st_size < 3500
    status, (line, _), memory = verified(path)
    assert status == 2
    assert "more than 134217728 at one time" in str(line["unreadable"])
    assert memory < verified(FOLDER)[2] + 100


def test_the_files_after_one_with_two_columns_are_read(tmp_path: Path) -> None:
    (tmp_path / "a.parquet").write_bytes(SHARDS["two columns bundle"]())
    (tmp_path / "b.parquet").write_bytes(good())
    status, lines, _ = verified(tmp_path)
    assert status == 2
    assert [line.get("status") for line in lines[:-1]] == ["unreadable", *["trusted"] * 5]
    assert lines[0]["unreadable"] == "Parquet, but with 2 columns 'bundle'"


def test_the_sizes_of_pages_are_those_that_pyarrow_unpacks(tmp_path: Path) -> None:
    path = tmp_path / "x.parquet"
    path.write_bytes(good())
    assert pq.read_metadata(path).row_group(0).column(0).has_dictionary_page
    with path.open("rb") as file:
        ((sizes,),) = read_page_sizes(file, [0])
    data = sum(map(len, GOOD)) + 4 * len(GOOD)
    assert sizes.largest == data
    assert 2 * data + 16 * len(GOOD) < sizes.held < 2 * data + 16 * len(GOOD) + 100


@pytest.mark.parametrize(
    ("writer", "is_read"),
    [
        ("parquet-cpp-arrow version 26.0.1", True),
        ("parquet-mr version 1.13.1 (build x)", True),
        ("parquet-mr version 1.2.9", True),
        ("parquet-mr version 1.2.8", False),
        ("parquet-mr", False),
        ("x parquet-mr version 1.13.1", False),
    ],
)
def test_the_columns_of_writers_that_say_wrong_sizes_are_not_read(
    tmp_path: Path, writer: str, *, is_read: bool
) -> None:
    path = tmp_path / "x.parquet"
    page = Page(plain(GOOD[0]))
    path.write_bytes(shard(Column(pages=[page]), writer=writer.encode()))
    (found,) = found_in(path)
    assert (found.data == GOOD[0]) == is_read


def test_hostile_replies_stop_no_other(tmp_path: Path) -> None:
    folder = tmp_path / "replies"
    folder.mkdir()
    for number, make in enumerate(PAGES.values()):
        (folder / f"{number:02}.xml").write_bytes(make(100_000))
    for number, make in enumerate(PACKED.values()):
        (folder / f"packed-{number:02}.xml.gz").write_bytes(make(100_000))
    os.mkfifo(folder / "pipe.xml")
    (folder / "zeros.xml").symlink_to("/dev/zero")
    (folder / "good.xml").write_bytes(page(record("2201.00001"), record("2201.00002")))
    report = jobs.backfill_raw(config_in(tmp_path), [folder])
    assert report.exit_status == 1
    assert {"2201.00001", "2201.00002"} <= {row["arxiv_id"] for row in rows(tmp_path, "papers")}
    assert report.failures[str(folder / "pipe.xml")] == "not a regular file"
    assert report.failures[str(folder / "zeros.xml")] == "not a regular file"
