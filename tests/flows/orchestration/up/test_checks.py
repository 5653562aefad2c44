"""What hinders `up` is one sentence each, before anything is started; nothing is deleted."""

import hashlib
import os
import socket
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest
from support.commands.command import assert_one_sentence, run, without_rights
from support.runs.real_prefect import free_port

from flows.common.errors import ConfigError, PithError, StoreError
from flows.orchestration.up.checks import (
    check_database,
    check_ports,
    find_prefect,
    make_folder,
)
from flows.orchestration.up.health import Addresses
from flows.orchestration.up.running import LOCK, Running, is_there, only_one

pytestmark = pytest.mark.process


@pytest.fixture
def taken() -> Iterator[int]:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        yield listener.getsockname()[1]


def refused(folder: Path, *words: str | Path, parts: tuple[str, ...]) -> None:
    """Show that `up` says one sentence, has started nothing, and leaves no claim behind."""
    done = run(folder, "up", *words)
    assert (done.returncode, done.stdout) == (2, "")
    assert_one_sentence(done, *parts)
    assert not is_there(folder / "data" / "prefect")
    assert not (folder / ".prefect").exists()


@pytest.mark.parametrize("option", ["--port", "--prefect-port"])
def test_a_port_in_use_is_named_with_its_option(tmp_path: Path, taken: int, option: str) -> None:
    ports = {"--port": free_port(), "--prefect-port": free_port()} | {option: taken}
    words = [str(word) for pair in ports.items() for word in pair]
    sentence = f"port {taken} of 127.0.0.1 is in use by another program; name another with {option}"
    refused(tmp_path, *words, "--data", tmp_path / "data", parts=(sentence,))


@pytest.mark.parametrize(
    ("addresses", "part"),
    [
        (Addresses("127.0.0.1", 4200, "127.0.0.1", 4200), "are both 4200"),
        (Addresses("no.such.invalid", 1, "127.0.0.1", 0), "--host no.such.invalid: this machine"),
        (Addresses("127.0.0.1", 1, "203.0.113.1", 0), "port 0 of 203.0.113.1"),
        (Addresses("127.0.0.1", 1, "x" * 300, 0), "this machine has no such address"),
    ],
    ids=str,
)
def test_an_address_that_cannot_be_listened_on_is_named(addresses: Addresses, part: str) -> None:
    with pytest.raises(ConfigError) as refusal:
        check_ports(addresses)
    assert part in str(refusal.value)


def test_an_address_is_asked_where_this_machine_reaches_it() -> None:
    everywhere = Addresses("0.0.0.0", 80, "::", 4200)  # noqa: S104 - what an operator types
    assert (everywhere.site, everywhere.api) == ("http://127.0.0.1:80", "http://[::1]:4200/api")


def test_a_folder_without_rights_is_named(tmp_path: Path) -> None:
    data = tmp_path / "data"
    data.mkdir(mode=0o500)
    done = without_rights(tmp_path, "up", "--data", data)
    assert done.returncode == 2
    assert_one_sentence(done, f"cannot write to {data / 'prefect'} (Permission denied)", "--data")


def make_database(file: Path, revision: str | None) -> None:
    with closing(sqlite3.connect(file)) as database:
        database.execute("CREATE TABLE flow_run (id TEXT, name TEXT)")
        database.executemany("INSERT INTO flow_run VALUES (?, ?)", [("x" * 99, "y")] * 500)
        if revision:
            database.execute("CREATE TABLE alembic_version (version_num TEXT)")
            database.execute("INSERT INTO alembic_version VALUES (?)", [revision])
        database.commit()


def look_at(folder: Path) -> None:
    make_folder(folder)
    check_database(folder, find_prefect())


def overwrite(file: Path) -> None:
    file.write_bytes(os.urandom(5000))


def break_a_page(file: Path) -> None:
    make_database(file, "79e7a60e43d8")
    with file.open("r+b") as opened:
        opened.seek(4096 * 3)
        opened.write(b"\xff" * 4096)


DATABASES: dict[str, tuple[Callable[[Path], None], str]] = {
    "no database": (overwrite, "is damaged (file is not a database)"),
    "a broken page": (break_a_page, "is damaged ("),
    "another program's": (lambda file: make_database(file, None), "is no database of Prefect's"),
    "a newer one": (lambda file: make_database(file, "ffffffffffff"), "is of another Prefect"),
    "a folder": (Path.mkdir, "Is a directory"),
}


@pytest.mark.parametrize("name", DATABASES)
def test_a_database_that_prefect_cannot_use_is_named_and_kept(tmp_path: Path, name: str) -> None:
    make, part = DATABASES[name]
    folder = tmp_path / "data" / "prefect"
    make_folder(folder)
    file = folder / "prefect.db"
    make(file)
    before = hashlib.sha256(file.read_bytes()).digest() if file.is_file() else None
    with pytest.raises(PithError) as refusal:
        look_at(folder)
    assert part in str(refusal.value)
    if before:
        assert f"move it aside with 'mv {file} {file}.old'" in str(refusal.value)
        assert hashlib.sha256(file.read_bytes()).digest() == before


def test_an_older_database_is_said_to_be_brought_up_to_date(tmp_path: Path) -> None:
    assert check_database(tmp_path, find_prefect()) is None
    file = tmp_path / "prefect.db"
    file.touch()
    assert check_database(tmp_path, find_prefect()) is None
    make_database(file, "9725c1cbee35")
    said = check_database(tmp_path, find_prefect())
    assert said
    assert "is of an older Prefect, and is brought up to date" in said


def test_a_damaged_database_stops_it_before_anything_starts(tmp_path: Path) -> None:
    make_folder(tmp_path / "data" / "prefect")
    overwrite(tmp_path / "data" / "prefect" / "prefect.db")
    ports = ("--port", str(free_port()), "--prefect-port", str(free_port()))
    refused(tmp_path, "--data", tmp_path / "data", *ports, parts=("is damaged", "move it aside"))


def test_without_prefect_it_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("flows.orchestration.up.checks.find_spec", lambda _: None)
    with pytest.raises(ConfigError, match="Prefect is not installed in this environment"):
        find_prefect()


AT = Addresses("127.0.0.1", 1, "127.0.0.1", 2)


def test_one_up_has_a_folder_and_what_it_noted_may_be_anything(tmp_path: Path) -> None:
    for noted in ("", "null", "[]", '{"pid": "x"}', '{"addresses": 3, "parts": []}', "\0" * 100):
        (tmp_path / "up.running").write_text(noted)
        assert Running.read(tmp_path) is None
    with only_one(tmp_path):
        assert is_there(tmp_path)
        with pytest.raises(StoreError, match="already \\(another process\\)"), only_one(tmp_path):
            pass
        Running(os.getpid(), AT, {"site": 10**7}).write(tmp_path)
        with pytest.raises(StoreError, match=f"already \\(process {os.getpid()}\\)"):
            only_one(tmp_path).__enter__()
        found = Running.read(tmp_path)
        assert found == Running(os.getpid(), AT, {"site": 10**7})
        assert found.left() == {}
    assert not is_there(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == [LOCK]


def test_a_check_without_an_up_says_so_and_writes_nothing(tmp_path: Path) -> None:
    done = run(tmp_path, "up", "--check", "--data", tmp_path / "data")
    assert (done.returncode, done.stderr) == (1, "")
    assert done.stdout == "'pith-ingest up' does not run for this data folder\n"
    as_json = run(tmp_path, "up", "--check", "--json", "--data", tmp_path / "data")
    assert (as_json.returncode, '"healthy": false' in as_json.stdout) == (1, True)
    assert not (tmp_path / "data").exists()
