"""Reading the snapshot's file: every packing, parts of bounded size, and bad input."""

import gzip
import hashlib
import logging
import subprocess
import sys
import tracemalloc
import zipfile
from collections.abc import Callable, Iterable
from contextlib import ExitStack
from dataclasses import replace
from itertools import chain, repeat
from pathlib import Path
from typing import Any

import pytest
import zstandard
from support.papers.snapshot_rows import line, older_row, row, text

from flows.common.errors import InputFileError, PithError
from flows.common.limits import Limits
from flows.ingest.run import InputFile
from flows.sources.kaggle.lines import MAX_LINE_BYTES, Part, read_part, read_parts, reject_repeated
from flows.sources.kaggle.parts import scan
from transforms import Reject
from transforms.paper.selection import SeenIds, Selection

pytestmark = pytest.mark.process

ALL = Selection()
LIMITS = Limits()
SMALL_PARTS = Limits(part_bytes=4_000)
IDS = [f"0704.{number:04}" for number in range(1, 301)]
MiB = 2**20


def zipped(members: dict[str, bytes], path: Path, method: int = zipfile.ZIP_DEFLATED) -> Path:
    with zipfile.ZipFile(path, "w", method) as archive:
        for name, data in members.items():
            archive.writestr(name, data)
    return path


def as_zip(data: bytes, path: Path) -> None:
    zipped({"folder/snapshot.json": data, "README.md": b"about"}, path)


def as_zstd(data: bytes, path: Path) -> None:
    path.write_bytes(zstandard.ZstdCompressor().compress(data))


PACKINGS: dict[str, Callable[[bytes, Path], object]] = {
    "plain": lambda data, path: path.write_bytes(data),
    "gzip": lambda data, path: path.write_bytes(gzip.compress(data)),
    "zstd": as_zstd,
    "zip": as_zip,
}
each_packing = pytest.mark.parametrize("pack", PACKINGS.values(), ids=PACKINGS)
each_archive = pytest.mark.parametrize("packing", ["gzip", "zstd", "zip"])


def ids_of(parts: list[Part]) -> list[str]:
    return [paper.id for part in parts for paper in read_part(part, selection=ALL).papers]


def rejects_of(path: Path, limits: Limits = LIMITS) -> list[Reject]:
    return [r for part in read_parts(path, limits) for r in read_part(part, selection=ALL).rejects]


@each_packing
def test_the_first_bytes_tell_the_packing_not_the_name(
    pack: Callable[[bytes, Path], object], tmp_path: Path
) -> None:
    data = text(*IDS)
    path = tmp_path / "snapshot.dat"
    pack(data, path)
    parts = list(read_parts(path, SMALL_PARTS))
    assert b"".join(each for part in parts for each in part.lines) == data
    assert ids_of(parts) == IDS
    assert len(parts) > 10
    assert [part.index for part in parts] == list(range(len(parts)))
    for part in parts:
        whole = b"".join(part.lines)
        assert (part.size, data[part.offset :][: part.size]) == (len(whole), whole)
        assert part.first_line == data[: part.offset].count(b"\n") + 1


@pytest.mark.parametrize("packing", ["gzip", "zstd"])
def test_an_archive_written_in_several_pieces_is_read_to_its_end(
    packing: str, tmp_path: Path
) -> None:
    first, second = tmp_path / "1", tmp_path / "2"
    PACKINGS[packing](text("0704.0001"), first)
    PACKINGS[packing](text("0704.0002"), second)
    first.write_bytes(first.read_bytes() + second.read_bytes())
    assert ids_of(list(read_parts(first, LIMITS))) == ["0704.0001", "0704.0002"]


def test_an_empty_file_has_no_parts(tmp_path: Path) -> None:
    path = tmp_path / "empty.json"
    path.write_bytes(b"")
    assert list(read_parts(path, LIMITS)) == []


def test_both_schemas_blank_lines_and_a_last_line_without_its_end(tmp_path: Path) -> None:
    path = tmp_path / "snapshot.json"
    windows = line(row("0704.0003")).replace(b"\n", b"\r\n")
    last = line(row("0704.0004")).strip()
    path.write_bytes(b"\n" + line(older_row("0704.0002")) + b" \r\n" + windows + last)
    (part,) = read_parts(path, LIMITS)
    found = read_part(part, selection=ALL)
    assert [paper.id for paper in found.papers] == ["0704.0002", "0704.0003", "0704.0004"]
    assert found.line_numbers == [2, 4, 5]
    assert found.rejects == []


def test_bad_lines_become_rejects_and_the_others_papers(tmp_path: Path) -> None:
    bad = {
        3: (b'{"id":"0704.0003","title"', None, "not JSON: "),
        50: (line(row("0704.0050", title=None)), "0704.0050", "no title"),
        51: (line(row("0704.0051", versions="v1")), "0704.0051", "versions is a string"),
        100: (b'{"id":"0704.0100\xff"}', None, "not UTF-8"),
        300: (line(row("0704.0300"))[:-20], None, "not JSON: "),
    }
    lines = [line(row(arxiv_id)) for arxiv_id in IDS]
    for number, (broken, _, _) in bad.items():
        lines[number - 1] = broken.strip() + b"\n"
    path = tmp_path / "snapshot.json"
    path.write_bytes(b"".join(lines).removesuffix(b"\n"))
    rejects = rejects_of(path, SMALL_PARTS)
    assert [reject.position for reject in rejects] == list(bad)
    for reject, (broken, arxiv_id, reason) in zip(rejects, bad.values(), strict=True):
        assert (reject.arxiv_id, reject.raw) == (arxiv_id, broken.strip())
        assert reject.reason.startswith(reason)
    good = [arxiv_id for number, arxiv_id in enumerate(IDS, 1) if number not in bad]
    assert ids_of(list(read_parts(path, SMALL_PARTS))) == good


def test_of_one_id_twice_the_first_good_row_counts(tmp_path: Path) -> None:
    path = tmp_path / "snapshot.json"
    again, broken = line(row("0704.0002", title="Another")), line(row("0704.0400", title=None))
    path.write_bytes(broken + text(*IDS) + again + line(row("0704.0400")))
    seen = SeenIds()
    read = [(part, read_part(part, selection=ALL)) for part in read_parts(path, SMALL_PARTS)]
    kept = [reject_repeated(part, found, seen) for part, found in read]
    papers = [paper for found in kept for paper in found.papers]
    assert [paper.id for paper in papers] == [*IDS, "0704.0400"]
    assert papers[1].title == "A title of 0704.0002"
    first, second = [reject for found in kept for reject in found.rejects]
    assert (first.position, first.reason) == (1, "no title")
    assert second == Reject(302, "0704.0002", "an earlier line has this id", again.strip())


def test_rows_that_are_not_selected_are_counted(tmp_path: Path) -> None:
    path = tmp_path / "snapshot.json"
    path.write_bytes(text("0704.0001") + line(row("0704.0002", categories="math.NT")) + b"?\n")
    (part,) = read_parts(path, LIMITS)
    found = read_part(part, selection=Selection(frozenset({"math"})))
    assert [paper.id for paper in found.papers] == ["0704.0002"]
    assert (found.line_numbers, found.filtered, len(found.rejects)) == ([2], 1, 1)


def test_the_longest_line_that_is_taken_and_the_shortest_that_is_not(tmp_path: Path) -> None:
    path = tmp_path / "snapshot.json"
    padding = MAX_LINE_BYTES - len(line(row("0704.0001")))
    longest = line(row("0704.0001")).replace(b"\n", b" " * padding + b"\n")
    unended = longest.removesuffix(b"\n") + b" "
    for last in (unended, longest.replace(b"\n", b" \n")):
        path.write_bytes(longest + last)
        first, *rest = read_parts(path, LIMITS)
        assert ids_of([first, *rest]) == ["0704.0001"] * (2 if last is unended else 1)
        assert sum(part.size for part in [first, *rest]) == 2 * MAX_LINE_BYTES + (
            last is not unended
        )


def written(packing: str, path: Path, pieces: Iterable[bytes]) -> None:
    """Write an archive without holding its text."""
    with ExitStack() as stack:
        stream: Any
        if packing == "gzip":
            stream = stack.enter_context(gzip.open(path, "wb", compresslevel=1))
        elif packing == "zstd":
            file = stack.enter_context(path.open("wb"))
            stream = stack.enter_context(zstandard.ZstdCompressor(level=1).stream_writer(file))
        else:
            kind = zipfile.ZIP_DEFLATED
            archive = stack.enter_context(zipfile.ZipFile(path, "w", kind, compresslevel=1))
            stream = stack.enter_context(archive.open("snapshot.json", "w"))
        for piece in pieces:
            stream.write(piece)


@each_archive
def test_a_line_of_100_megabytes_is_refused_without_holding_it(
    packing: str, tmp_path: Path
) -> None:
    path = tmp_path / "snapshot"
    long = repeat(b"x" * MiB, 100)
    written(packing, path, chain([text("0704.0001")], long, [b"\n" + text("0704.0002")]))
    tracemalloc.start()
    parts = list(read_parts(path, LIMITS))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 16 * MiB
    first, second = (read_part(part, selection=ALL) for part in parts)
    assert [paper.id for paper in first.papers + second.papers] == ["0704.0001", "0704.0002"]
    assert first.line_numbers + second.line_numbers == [1, 3]
    (reject,) = first.rejects
    assert (reject.position, reject.arxiv_id, reject.raw) == (2, None, b"x" * 64 * 1024)
    assert reject.reason == (
        f"a line of {100 * MiB + 1} bytes, more than {MAX_LINE_BYTES}; "
        "only its first 65536 are kept"
    )


GROWTH = """
import resource, sys
from pathlib import Path
from flows.common.limits import Limits
from flows.sources.kaggle.lines import read_parts
def peak():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
before = peak()
size = sum(part.size for part in read_parts(Path(sys.argv[1]), Limits()))
print(size, (peak() - before) * 1024)
"""


@each_archive
def test_a_large_snapshot_is_read_in_constant_memory(packing: str, tmp_path: Path) -> None:
    # In a process of its own, since what the archives' libraries take is not Python's to count.
    path = tmp_path / "snapshot"
    block = line(row("0704.0001", abstract="x" * 15_000)) * 70  # over a megabyte
    written(packing, path, repeat(block, 200))
    command = [sys.executable, "-c", GROWTH, str(path)]
    run = subprocess.run(command, capture_output=True, text=True, check=True)
    size, growth = map(int, run.stdout.split())
    assert size == 200 * len(block)
    assert growth < 48 * MiB


@pytest.mark.parametrize("short", [b"\n", b"1\n"])
def test_many_short_lines_do_not_swell_a_part(short: bytes, tmp_path: Path) -> None:
    path = tmp_path / "snapshot.json"
    path.write_bytes(short * 50_000)
    assert [len(part.lines) for part in read_parts(path, LIMITS)] == [20_000, 20_000, 10_000]


@pytest.mark.parametrize("packing", ["gzip", "zstd"])
def test_an_archive_cut_short_gives_what_is_before_the_cut(packing: str, tmp_path: Path) -> None:
    path = tmp_path / "snapshot"
    data = b"".join(line(row(i, title=noise(f"{n}{i}"))) for n in range(6) for i in IDS)
    PACKINGS[packing](data, path)
    path.write_bytes(path.read_bytes()[:-40_000])
    given: list[Part] = []
    with pytest.raises(InputFileError, match="cannot read the snapshot") as caught:
        given.extend(read_parts(path, SMALL_PARTS))
    read = b"".join(each for part in given for each in part.lines)
    assert data.startswith(read)
    assert read.endswith(b"\n")
    assert len(read) > len(data) // 2
    where = f"{path} from byte {len(read)} of its text (line {len(read.splitlines()) + 1}) on: "
    assert where in str(caught.value)


def noise(seed: str) -> str:
    return "".join(hashlib.sha256(f"{seed}{n}".encode()).hexdigest() for n in range(20))


@each_archive
def test_a_damaged_archive_is_an_error(packing: str, tmp_path: Path) -> None:
    path = tmp_path / "snapshot"
    PACKINGS[packing](b"".join(line(row(i, title=noise(i))) for i in IDS), path)
    whole = path.read_bytes()
    for at in (len(whole) // 2, 0):
        path.write_bytes(whole[: at + 4] + b"damage" * 20 + whole[at + 124 :])
        with pytest.raises(InputFileError, match=f"cannot read the snapshot {path} from byte"):
            list(read_parts(path, LIMITS))


@pytest.mark.parametrize(
    ("members", "found"),
    [
        ({}, "holds 0 .json or .jsonl files"),
        ({"notes.txt": b""}, "holds 0 .json or .jsonl files"),
        ({"a.json": b"", "b.JSONL": b""}, "holds 2 .json or .jsonl files"),
    ],
)
def test_a_zip_must_hold_one_snapshot(
    members: dict[str, bytes], found: str, tmp_path: Path
) -> None:
    with pytest.raises(InputFileError, match=found):
        list(read_parts(zipped(members, tmp_path / "snapshot.zip"), LIMITS))


def test_a_zip_packed_otherwise_or_encrypted_is_an_error(tmp_path: Path) -> None:
    path = zipped({"a.json": b"{}\n"}, tmp_path / "a.zip", zipfile.ZIP_BZIP2)
    with pytest.raises(InputFileError, match="not packed by deflate"):
        list(read_parts(path, LIMITS))
    data = bytearray(zipped({"a.json": b"{}\n"}, path).read_bytes())
    data[data.index(b"PK\x01\x02") + 8] |= 1
    path.write_bytes(data)
    with pytest.raises(InputFileError, match="encrypted"):
        list(read_parts(path, LIMITS))


def test_a_member_whose_name_is_no_text_is_an_error(tmp_path: Path) -> None:
    path = zipped({"é.json": b"{}\n"}, tmp_path / "a.zip")
    path.write_bytes(path.read_bytes().replace("é".encode(), b"\xff\xff"))
    with pytest.raises(InputFileError, match="utf-8"):
        list(read_parts(path, LIMITS))


def test_a_members_name_never_becomes_a_path(tmp_path: Path) -> None:
    folder = tmp_path / "inner"
    folder.mkdir()
    path = zipped({"../../escaped.json": text("0704.0001")}, folder / "snapshot.zip")
    assert ids_of(list(read_parts(path, LIMITS))) == ["0704.0001"]
    assert sorted(tmp_path.rglob("*")) == [folder, path]


def test_a_file_that_is_not_there_or_is_a_folder_is_an_error(tmp_path: Path) -> None:
    for path in (tmp_path, tmp_path / "none.json"):
        with pytest.raises(PithError, match="cannot read the snapshot"):
            list(read_parts(path, LIMITS))
        with pytest.raises(PithError, match="cannot read the snapshot"):
            scan(path, LIMITS)


def test_a_file_is_described_as_it_lies_on_disk(tmp_path: Path) -> None:
    path = tmp_path / "arxiv.json.gz"
    path.write_bytes(gzip.compress(text("0704.0001")))
    data = path.read_bytes()
    sha256 = hashlib.sha256(data).hexdigest()
    assert scan(path, LIMITS)[:2] == (InputFile("arxiv.json.gz", len(data), sha256), None)


def test_the_check_of_a_large_file_tells_how_far_it_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    path = tmp_path / "arxiv.json"
    path.write_bytes(text("0704.0001"))
    size = path.stat().st_size
    limits = replace(LIMITS, proof_block_bytes=size // 2 + 1)
    with caplog.at_level(logging.INFO, "pith_ingest"):
        scan(path, limits)
        assert caplog.messages == []
        monkeypatch.setattr("flows.sources.kaggle.parts.LARGE", size)
        scan(path, limits)
    [line] = caplog.messages
    assert line.startswith("2 of 2 blocks of the snapshot checked, ")
