"""A file under its own name is whole, or nobody's to read: through kills, races and full disks."""

import errno
import multiprocessing
import os
import resource
import signal
import subprocess
import sys
from collections.abc import Callable
from multiprocessing.synchronize import Event
from pathlib import Path
from random import Random

import pytest
from support.commands.command import run, without_rights
from support.papers.oai_pages import page, record
from support.paths import ROOT
from support.runs.runs import assert_whole, bundle_files, process

from flows.common.files.whole_file import create_whole, is_unfinished, read_whole, replace_whole
from flows.registry.mirror.kept import MirrorFolder
from flows.store.files.local import LocalFiles

pytestmark = pytest.mark.process

IDS = ["2201.00001", "2201.00002", "2201.00003"]
DATA = b"\x01" * 2**23
KILLS = 12


def write_on(folder: Path, begun: Event) -> None:
    """Write large files one after the other, in a process of its own, until it is killed."""
    files = LocalFiles(folder)
    begun.set()
    while True:
        files.write_derived([(f"{number}.json", DATA) for number in range(4)])


def test_killed_while_it_writes_a_file_is_whole_or_not_to_be_read(tmp_path: Path) -> None:
    context = multiprocessing.get_context("forkserver")
    choose, unfinished = Random(14), 0
    for number in range(KILLS):
        folder = tmp_path / str(number)
        folder.mkdir()
        begun = context.Event()
        child = context.Process(target=write_on, args=(folder, begun))
        child.start()
        assert begun.wait(60)
        while not (found := list(folder.glob("*.json"))):
            assert child.is_alive()
        # A moment that no event marks: somewhere in the millisecond that a file takes.
        for _ in range(choose.randrange(20_000)):
            pass
        child.kill()
        child.join()
        found = list(folder.glob("*.json"))
        left = [path for path in found if is_unfinished(path.stat())]
        unfinished += len(left)
        assert all(path.read_bytes() == DATA for path in found if path not in left)
        LocalFiles(folder).write_derived([(path.name, DATA) for path in found])
        assert all(path.read_bytes() == DATA for path in found)
        assert not any(is_unfinished(path.stat()) for path in found)
    assert unfinished, "no kill came while a file was written: nothing is shown"


_KILLED = """
import os, signal, sys
from flows.common.files import whole_file
finish, left = whole_file._finish, [int(sys.argv.pop(1))]
def die(descriptor):
    if not left[0]:
        os.ftruncate(descriptor, 4096)
        os.kill(os.getpid(), signal.SIGKILL)
    left[0] -= 1
    finish(descriptor)
whole_file._finish = die
from flows.cli.main import main
main()
"""


@pytest.fixture
def killed(tmp_path: Path) -> Path:
    """A data folder whose run was killed while it wrote the second of three bundle files."""
    saved = tmp_path / "replies"
    saved.mkdir()
    process(tmp_path, page(record("2112.00001")))
    (saved / "more.xml").write_bytes(page(*map(record, IDS)))
    env = os.environ | {"PITH_IDENTITY__KEY_FILE": str(tmp_path / "signing.key")}
    words = ["backfill", "--raw", str(saved / "more.xml"), "--data", str(tmp_path / "data")]
    command = [sys.executable, "-c", _KILLED, "1", *words]
    child = subprocess.run(command, cwd=ROOT, env=env, timeout=60, capture_output=True, check=False)
    assert child.returncode == -signal.SIGKILL, child.stderr
    return tmp_path


def unfinished(folder: Path) -> list[Path]:
    found = (folder / "data" / "bundles").rglob("*.json")
    return [path for path in found if is_unfinished(path.stat())]


def test_readers_do_without_a_file_that_a_kill_left_and_the_next_run_makes_it(
    killed: Path,
) -> None:
    (half,) = unfinished(killed)
    assert half.stat().st_size == 4096
    data = str(killed / "data")
    for reader in (run, without_rights):
        done = reader(killed, "verify", killed / "data" / "bundles")
        assert (done.returncode, done.stderr) == (0, "")
        assert "2 bundles" in done.stdout
        assert "0 valid, 0 trusted, 1 unreadable" in reader(killed, "verify", half).stdout
        for arxiv_id in IDS:
            assert reader(killed, "show", arxiv_id, "--bundle", "--data", data).returncode == 0
        to = killed / f"to-{reader.__name__}"
        assert reader(killed, "export", "--all", "--to", to, "--data", data).returncode == 0
        assert len(list(to.rglob("*.json"))) == 4
    assert unfinished(killed) == [half]
    process(killed, page(*map(record, IDS)))
    assert unfinished(killed) == []
    assert len(bundle_files(killed)) == 4
    assert_whole(killed)


def test_an_export_below_the_data_folder_finishes_what_a_kill_left(killed: Path) -> None:
    done = without_rights(killed, "export", "--all", "--data", killed / "data")
    assert done.returncode == 0, done.stderr
    assert unfinished(killed) == []
    assert len(bundle_files(killed)) == 4


def test_a_doctor_reads_a_folder_with_a_file_that_a_kill_left(killed: Path) -> None:
    before = without_rights(killed, "doctor", "--full", "--data", killed / "data")
    assert before.returncode in {0, 1}, before.stderr
    assert "Permission denied" not in before.stdout + before.stderr


def test_a_file_has_the_rights_that_the_umask_leaves(tmp_path: Path) -> None:
    words = ("import os, sys; os.umask(0o027)\n"
             "from flows.common.files.whole_file import create_whole\n"
             "create_whole(sys.argv[1], b'1'); assert os.umask(0) == 0o027")  # fmt: skip
    path = tmp_path / "one"
    subprocess.run([sys.executable, "-c", words, str(path)], check=True, cwd=ROOT)
    assert path.stat().st_mode & 0o777 == 0o640


def test_what_is_there_is_replaced_in_one_step_and_never_cut(tmp_path: Path) -> None:
    path = tmp_path / "1.json"
    create_whole(str(path), b"older")
    with pytest.raises(FileExistsError):
        create_whole(str(path), b"newer")
    assert path.read_bytes() == b"older"
    with path.open("rb") as reader:
        LocalFiles(tmp_path).write_derived([("1.json", b"newer")])
        assert reader.read() == b"older"
    assert path.read_bytes() == b"newer"
    replace_whole(str(path), b"newest")
    assert [found.read_bytes() for found in tmp_path.iterdir()] == [b"newest"]


def test_half_a_file_is_not_there_for_root_either(tmp_path: Path) -> None:
    path, half = tmp_path / "2026" / "AB" / f"AB{'C' * 24}.json", 2**20
    path.parent.mkdir(parents=True)
    writer = os.open(path, os.O_WRONLY | os.O_CREAT, 0o200)
    os.write(writer, DATA[:half])
    readers: list[Callable[[], bytes]] = [
        lambda: read_whole(path),
        lambda: LocalFiles(path.parent).read(path.name),
    ]
    for reader in readers:
        with pytest.raises(FileNotFoundError, match=path.stem):
            reader()
    kept = MirrorFolder(tmp_path)
    assert kept.of_suffix(path.stem) is kept.bundle(f"pith:2026:{path.stem}") is None
    os.write(writer, DATA[half:])
    os.fchmod(writer, 0o644)
    os.close(writer)
    assert [reader() for reader in readers] == [DATA, DATA]
    assert kept.of_suffix(path.stem) == kept.bundle(f"pith:2026:{path.stem}") == DATA


def test_a_file_that_cannot_be_written_to_its_end_leaves_nothing(tmp_path: Path) -> None:
    handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1000, limits[1]))
    try:
        with pytest.raises(OSError, match=os.strerror(errno.EFBIG)):
            LocalFiles(tmp_path).write_derived([("1.json", b"1" * 2000)])
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
        signal.signal(signal.SIGXFSZ, handler)
    assert list(tmp_path.iterdir()) == []
