"""Readers work whatever a killed run left, and with the right to read alone; they write nothing."""

import os
import shutil
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from support.commands.command import _run, assert_one_sentence, run, without_rights
from support.papers.oai_pages import page, record
from support.paths import ROOT
from support.runs.runs import assert_whole, process, tree

from flows.common.keys import load_key
from flows.store.catalog.catalog import Catalog
from flows.store.catalog.file import begin_changes
from flows.store.layout import Layout
from transforms.signing import encode_base64

pytestmark = pytest.mark.process

SPILLED = """
import os, signal, sqlite3, sys
catalog = sqlite3.connect(sys.argv[1], isolation_level=None)
catalog.execute("PRAGMA cache_size = 2")  # pages, so that SQLite writes into the file long before
catalog.execute("BEGIN IMMEDIATE")
catalog.execute("UPDATE records SET arxiv_id = 'never committed' || rowid")
catalog.execute("DELETE FROM shards WHERE 1")
os.kill(os.getpid(), signal.SIGKILL)
"""
COMMITTING = """
import sqlite3, sys
catalog = sqlite3.connect(sys.argv[1], isolation_level=None, timeout=60)
while True:
    catalog.execute("UPDATE records SET arxiv_id = arxiv_id")  # the same, but written
"""


def kill_in_a_transaction(catalog: Path) -> None:
    """Have a process killed that has written half of what it was going to commit."""
    begin_changes(catalog)  # as every writer does
    done = subprocess.run([sys.executable, "-c", SPILLED, catalog], check=False, timeout=60)
    assert done.returncode == -signal.SIGKILL
    assert b"never committed" in catalog.read_bytes()
    assert is_hot(catalog)


def kill_in_its_commit(catalog: Path) -> None:
    """Have a process killed within SQLite's commit: its journal is synced, and still there."""
    begin_changes(catalog)  # as every writer does
    journal = Path(f"{catalog}-journal")
    while not is_hot(catalog):
        with subprocess.Popen([sys.executable, "-c", COMMITTING, catalog]) as writer:
            # A journal's header is zero until the journal is synced; then the catalog is written.
            while not begins_with_magic(journal):
                assert writer.poll() is None
            writer.kill()


def begins_with_magic(journal: Path) -> bool:
    try:
        with journal.open("rb") as file:
            return file.read(1) == b"\xd9"
    except FileNotFoundError:
        return False


def is_hot(catalog: Path) -> bool:
    """Tell whether SQLite alone can only read a catalog once somebody has written it."""
    with closing(sqlite3.connect(f"file:{catalog}?mode=ro", uri=True)) as plain:
        try:
            plain.execute("SELECT * FROM records")
        except sqlite3.OperationalError as error:
            return str(error) == "attempt to write a readonly database"
    return False


Reader = Callable[..., subprocess.CompletedProcess[str]]

MOMENTS = {"in a transaction": kill_in_a_transaction, "in its commit": kill_in_its_commit}


@pytest.fixture
def filled(tmp_path: Path) -> Path:
    """A folder with the papers of two shards."""
    process(tmp_path, *(page(*map(record, ids(month))) for month in (1, 2)))
    return tmp_path


@pytest.fixture
def killed(filled: Path) -> Path:
    """The same, whose catalog a killed run left in the middle of a commit."""
    kill_in_a_transaction(Layout(filled / "data").catalog)
    return filled


def ids(month: int) -> list[str]:
    return [f"22{month:02}.{number:05}" for number in range(1, 121)]


def key_of(folder: Path) -> str:
    signer = load_key(folder / "signing.key")
    return encode_base64(signer.public_key)


def protect(folder: Path) -> None:
    """Take all rights to write away."""
    for path in (folder, *folder.rglob("*")):
        path.chmod(path.stat().st_mode & ~0o222)


@pytest.fixture
def unprotected(tmp_path: Path) -> Iterator[None]:
    """Give the rights back in the end, so that the folder can be removed."""
    yield
    for path in (tmp_path / "data", *(tmp_path / "data").rglob("*")):
        path.chmod(path.stat().st_mode | 0o600)


def assert_readable(folder: Path, reader: Reader = without_rights) -> None:
    """Assert that each command that reads finds what was committed, and writes nothing."""
    data, exported = folder / "data", folder / "exported"
    before = tree(folder)
    reading: dict[str, list[str]] = {
        "status": ["240 records, 0 rejects"],
        "show 2201.00007": ["arXiv           2201.00007v1"],
        "show --bundle 2201.00007": ['"pith_open_graph_bundle"'],
        "find --limit 3": ["2201.00003"],
        "export --all --to": ["bundles written 240"],
        f"verify --quiet --trust {key_of(folder)}": ["240 bundles: 240 valid, 240 trusted"],
    }
    for words, expected in reading.items():
        named: list[str | Path] = [exported] if "export" in words else []
        named += [data / "bundles"] if "verify" in words else ["--data", data]
        done = reader(folder, *words.split(), *named)
        assert done.returncode == 0, done.stderr
        for text in expected:
            assert text in done.stdout
        assert ("237 more" in done.stderr) is words.startswith("find")
    assert sum(path.is_file() for path in exported.rglob("*")) == 240
    shutil.rmtree(exported)
    assert tree(folder) == before


@pytest.mark.usefixtures("unprotected")
@pytest.mark.parametrize("moment", MOMENTS)
def test_a_killed_run_stops_no_reader_with_rights_or_without(filled: Path, moment: str) -> None:
    MOMENTS[moment](Layout(filled / "data").catalog)
    done = run(filled, "status", "--data", filled / "data")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("240 records, 0 rejects, ")
    protect(filled / "data")
    assert_readable(filled)


def test_the_next_run_mends_what_readers_left_as_it_was(killed: Path) -> None:
    assert run(killed, "status", "--data", killed / "data").returncode == 0
    assert process(killed, page(record("2203.00001"))).counts.new_records == 1
    assert_whole(killed)
    assert process(killed, page(record(ids(1)[0]))).counts.unchanged == 1


def test_a_reader_outlives_a_writer_that_dies_while_it_reads(killed: Path) -> None:
    """Its next question is answered from the same records, as often as that comes."""
    catalog = Layout(killed / "data").catalog
    process(killed, page(record("2203.00001")))
    with closing(Catalog.open(catalog, read_only=True)) as reader:
        for _ in range(2):
            assert reader.count("records") == 241
            assert len(reader.of_arxiv_id("2203.00001")) == 1
            assert reader.windows.open_windows() == []
            kill_in_a_transaction(catalog)


def test_a_run_that_was_killed_as_it_made_its_catalog_left_nothing_to_read(tmp_path: Path) -> None:
    catalog = Layout(tmp_path / "data").catalog
    catalog.parent.mkdir()
    catalog.touch()
    done = run(tmp_path, "status", "--data", tmp_path / "data")
    assert done.returncode == 2
    assert_one_sentence(done, "there are no records", "run a backfill first")
    assert process(tmp_path, page(record())).counts.new_records == 1


def test_private_copies_leave_nothing_behind(
    killed: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    temporary = tmp_path_factory.mktemp("temporary")
    done = run(killed, "status", "--data", killed / "data", TMPDIR=str(temporary))
    assert done.returncode == 0
    assert list(temporary.iterdir()) == []


def test_a_reader_that_can_make_no_copy_says_so(killed: Path) -> None:
    nowhere = str(killed / "no such folder")
    code = (
        f"import tempfile; tempfile.tempdir = {nowhere!r}; from flows.cli.main import main; main()"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, "status", "--data", killed / "data"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 2
    assert_one_sentence(done, "catalog.sqlite", "a killed run", "any run in this folder mends it")


@pytest.fixture
def read_only_mount(tmp_path: Path) -> Iterator[Path]:
    """Mount the folder `data` so that nobody can write, as root can; see it as `mounted/data`."""
    mounted = tmp_path / "mounted" / "data"
    mounted.mkdir(parents=True)
    (tmp_path / "data").mkdir()
    for options in (["--bind", str(tmp_path / "data"), str(mounted)], ["-o", "remount,ro,bind"]):
        command = ["mount", *options, *([] if "--bind" in options else [str(mounted)])]
        if subprocess.run(command, capture_output=True, check=False).returncode:
            pytest.skip("only root can mount a folder read-only")
    yield mounted.parent
    subprocess.run(["umount", str(mounted)], check=True)


def test_everything_is_read_from_a_read_only_mount(read_only_mount: Path, tmp_path: Path) -> None:
    process(tmp_path, *(page(*map(record, ids(month))) for month in (1, 2)))
    kill_in_a_transaction(Layout(tmp_path / "data").catalog)
    shutil.copyfile(tmp_path / "signing.key", read_only_mount / "signing.key")
    (read_only_mount / "signing.key").chmod(0o600)
    with pytest.raises(OSError, match="Read-only file system"):
        (read_only_mount / "data" / "file").touch()
    assert_readable(read_only_mount)
    done = run(read_only_mount, "rerun", "2201.00001", "--data", read_only_mount / "data")
    assert done.returncode == 2
    assert_one_sentence(done, "Read-only file system")


def as_nobody(folder: Path, *words: str | Path) -> subprocess.CompletedProcess[str]:
    """Run as a user who owns nothing; skip where that is not possible."""
    become = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"]
    if os.geteuid() or subprocess.run([*become, sys.executable, "-c", ""], check=False).returncode:
        pytest.skip("only root can be another user, who must be able to run this Python")
    return _run(become, folder, words)


def test_another_user_reads_everything_but_the_key() -> None:
    with TemporaryDirectory() as name:
        folder = Path(name)
        folder.chmod(0o755)
        process(folder, *(page(*map(record, ids(month))) for month in (1, 2)))
        (folder / "exported").mkdir()
        (folder / "exported").chmod(0o777)
        done = as_nobody(folder, "verify", folder / "data" / "bundles")
        assert done.returncode == 2
        assert_one_sentence(done, "cannot read the key", "with --trust")
        kill_in_a_transaction(Layout(folder / "data").catalog)
        assert_readable(folder, as_nobody)
        (folder / "data").chmod(0o700)
        for words in ("status", "show 2201.00007", "find", "export --all"):
            done = as_nobody(folder, *words.split(), "--data", folder / "data")
            assert done.returncode == 2
            assert_one_sentence(done, "Permission denied")
