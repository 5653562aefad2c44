"""The command line as a user meets it: real processes, one sentence per error, exit statuses."""

import json
from pathlib import Path

import pytest
from support.commands.command import assert_one_sentence, run, without_rights
from support.papers.golden_data import FOLDER, GOLDEN
from support.papers.oai_pages import page, record
from support.runs.runs import process

pytestmark = pytest.mark.process

COMMANDS = [
    "keygen", "backfill", "nightly", "rerun", "serve", "verify", "merge", "show", "find", "status",
    "export", "rebuild-catalog", "up",
]  # fmt: skip


@pytest.mark.parametrize("command", COMMANDS)
def test_each_command_explains_itself(tmp_path: Path, command: str) -> None:
    done = run(tmp_path, command, "--help")
    assert done.returncode == 0
    assert "Usage:" in done.stdout
    assert done.stderr == ""


def test_verify_reads_the_published_bundles(tmp_path: Path) -> None:
    done = run(tmp_path, "verify", *sorted(FOLDER.glob("*.bundle.json")))
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.count("valid, trusted") == 5
    assert "5 bundles: 5 valid, 5 trusted, 0 unreadable" in done.stdout


def test_verify_names_what_is_wrong(tmp_path: Path) -> None:
    bad = tmp_path / "bad.json"
    bad.write_bytes(GOLDEN[0].data.replace(b"Gradient", b"gradient", 1))
    done = run(tmp_path, "verify", bad, FOLDER / f"{GOLDEN[1].id}.bundle.json")
    assert done.returncode == 1
    assert "INVALID             events: event sha256:55e4" in done.stdout
    assert "content_sha256 does not recompute" in done.stdout
    assert "2 bundles: 1 valid, 1 trusted, 0 unreadable" in done.stdout


@pytest.mark.parametrize("content", [b"", b"{", b"[" * 100_000, b"\xff", b'{"a":NaN}'])
def test_verify_says_when_it_could_not_read(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "x.json").write_bytes(content)
    done = run(tmp_path, "verify", tmp_path / "x.json", tmp_path / "nowhere.json")
    assert (done.returncode, done.stderr) == (2, "")
    assert done.stdout.count("unreadable  ") == 2


def test_verify_trusts_only_whom_its_user_names(tmp_path: Path) -> None:
    golden = FOLDER / f"{GOLDEN[0].id}.bundle.json"
    run(tmp_path, "keygen")
    mine = run(tmp_path, "verify", "--trust", "own", golden)
    assert (mine.returncode, mine.stdout.count("valid, UNTRUSTED")) == (1, 1)
    theirs = run(tmp_path, "verify", "--trust", "pith.science", golden)
    assert theirs.returncode == 0
    assert_one_sentence(run(tmp_path, "verify", "--trust", "me", golden), "--trust 'me'")


def test_keygen_never_replaces_a_key(tmp_path: Path) -> None:
    file = tmp_path / "one.key"
    made = run(tmp_path, "keygen", file)
    assert made.returncode == 0
    assert "fingerprint" in made.stdout
    assert file.read_text().strip() not in made.stdout + made.stderr
    again = run(tmp_path, "keygen", file)
    assert again.returncode == 2
    assert_one_sentence(again, "there is a key in")


def test_show_and_find_read_what_is_kept(tmp_path: Path) -> None:
    process(tmp_path, page(record("0903.0442", authors=r"E. Schr\"odinger, B. Two")))
    data = ["--data", str(tmp_path / "data")]
    shown = run(tmp_path, "show", "0903.0442", *data)
    assert shown.returncode == 0
    number = shown.stdout.split()[2]
    assert number.startswith("pith:2009:")
    bundle = json.loads(run(tmp_path, "show", "--bundle", number, *data).stdout)
    assert bundle["pith_number"] == number
    assert number in run(tmp_path, "show", bundle["short_pith_number"], *data).stdout
    assert number in run(tmp_path, "find", "SCHRODINGER title", *data).stdout
    assert run(tmp_path, "find", "einstein", *data).stdout == ""
    assert_one_sentence(run(tmp_path, "show", "1906.10822", *data), "nothing is known of")


def test_status_and_rebuild_tell_what_there_is(tmp_path: Path) -> None:
    process(tmp_path, page(record(), record("2201.00001", title="")))
    data = ["--data", str(tmp_path / "data")]
    status = run(tmp_path, "status", *data)
    assert (status.returncode, status.stderr) == (0, "")
    assert "1 record, 1 reject, " in status.stdout
    assert "done, 1 reject; 1 paper" in status.stdout
    (tmp_path / "data" / "catalog.sqlite").unlink()
    rebuilt = run(tmp_path, "rebuild-catalog", *data)
    assert rebuilt.returncode == 0
    assert "knows 1 record of 2 shards again" in rebuilt.stdout
    assert run(tmp_path, "status", *data).stdout == status.stdout


def test_backfill_runs_as_a_whole_process(tmp_path: Path) -> None:
    reply = tmp_path / "reply.xml"
    reply.write_bytes(page(record()))
    done = run(tmp_path, "backfill", "--raw", reply, "--data", tmp_path / "data")
    assert done.returncode == 0
    assert "1 new record, " in done.stdout
    assert "made a signing key" in done.stderr
    assert "Traceback" not in done.stderr
    assert "Warning" not in done.stderr


@pytest.mark.parametrize("mode", [0o000, 0o500], ids=["unreadable", "read-only"])
def test_a_folder_without_rights_is_named(tmp_path: Path, mode: int) -> None:
    process(tmp_path, page(record()))
    data = tmp_path / "data"
    data.chmod(mode)
    try:
        done = without_rights(tmp_path, "rerun", "0903.0442", "--data", data)
    finally:
        data.chmod(0o700)
    assert done.returncode == 2
    assert_one_sentence(done, str(data))


WRONG_USE = {
    "a setting": ({"PITH_COLOUR": "red"}, ["find"], "unknown environment variable PITH_COLOUR"),
    "a file": ({}, ["find", "--config", "/nowhere.yaml"], "cannot read the configuration"),
    "no data": ({}, ["find", "--data", "/nowhere"], "no records in /nowhere yet"),
    "an id": ({}, ["rerun", "../x", "--data", "/nowhere"], "is not an arXiv id"),
}


@pytest.mark.parametrize("name", WRONG_USE)
def test_wrong_use_is_one_sentence_and_status_2(tmp_path: Path, name: str) -> None:
    env, words, part = WRONG_USE[name]
    done = run(tmp_path, *words, **env)
    assert done.returncode == 2
    assert_one_sentence(done, part)
