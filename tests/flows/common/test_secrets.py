"""A signing key is shown to nobody, taken from nobody else, and handed to workers alone."""

import json
import logging
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from support.hostile.text import stand, texts
from support.papers.oai_pages import page, record
from support.paths import TESTS

from flows.common.config import Config, IdentityConfig, load_config
from flows.common.errors import ConfigError
from flows.common.keys import create_key, load_issuer, load_key
from flows.common.process.exit_status import ExitStatus
from transforms.signing import Ed25519Signer, encode_base64, fingerprint

pytestmark = pytest.mark.process

SEED = bytes(range(7, 39))
KEY = encode_base64(SEED)
FORMS = {"base64": KEY, "without its end": KEY.rstrip("="), "hexadecimal": SEED.hex()}


def shows_key(text: str) -> bool:
    """Tell whether a good part of the key stands in `text`, in whichever form."""
    return any(form[start : start + 16] in text for form in FORMS.values() for start in (0, 12, 26))


def with_key(form: str) -> Iterator[tuple[str, str]]:
    """Give each setting's name and a configuration that has the key in its place."""
    defaults = Config().model_dump(mode="json")
    for place in texts(defaults):
        changed = json.loads(json.dumps(defaults))
        parent: Any = changed
        for step in place[:-1]:
            parent = parent[step]
        parent[place[-1]] = form
        yield ".".join(map(str, place)), json.dumps(changed)


TAKEN = {"categories", "data_dir", "state_dir"}
"""Settings that take any text; they name folders, and what arXiv is asked for."""


@pytest.mark.parametrize("form", FORMS)
def test_a_key_in_the_place_of_a_setting_is_refused_and_not_repeated(
    tmp_path: Path, form: str
) -> None:
    file = tmp_path / "config.yaml"
    taken = set()
    for name, text in with_key(FORMS[form]):
        file.write_text(text)
        try:
            load_config(file)
        except ConfigError as error:
            said = str(error)
        else:
            taken.add(name)
            continue
        assert name.split(".")[0] in said
        assert not shows_key(said), name
    assert taken <= TAKEN


MISTAKES = {
    "no space": f"identity: {{key_secret:{KEY}}}",
    "no space, nothing else": f"key_secret:{KEY}",
    "a quote that is not closed": f'identity: {{key_secret: "{KEY}',
    "a tab": f"identity:\n\tkey_secret: {KEY}",
    "a name": f"{KEY}: key_secret",
    "a name within": f"identity: {{{KEY}: x}}",
    "the key file itself": f"{KEY}\n",
    "an alias": f"identity: {{key_secret: *{KEY.rstrip('=')}}}",
    "a tag": f"identity: !{KEY} x",
    "a list": f"identity: {{known_keys: [{KEY}]}}",
    "a known key without its name": f"identity: {{known_keys: [{{public_key: {KEY}}}]}}",
    "a date": f"identity: {{known_keys: [{{key_id: x, public_key: {KEY}, first: {KEY}}}]}}",
    "a key too long": f"identity: {{known_keys: [{{key_id: x, public_key: {KEY}A}}]}}",
    "a URL's password": f"arxiv: {{oai_url: 'https://x:{SEED.hex()}@example.org/'}}",
    "a port": f"dask: {{address: 'tcp://x:{KEY}'}}",
}


@pytest.mark.parametrize("name", MISTAKES)
def test_nor_is_one_in_a_file_with_a_mistake(tmp_path: Path, name: str) -> None:
    file = tmp_path / "config.yaml"
    file.write_text(MISTAKES[name])
    with pytest.raises(ConfigError) as caught:
        load_config(file)
    assert not shows_key(str(caught.value))
    assert "config.yaml" in str(caught.value)


@pytest.mark.parametrize(
    "name", ["PITH_IDENTITY__KEY_SECRET", "PITH_IDENTITY", "PITH_WORKERS", "PITH_DASK__ADDRESS"]
)
def test_nor_one_in_the_wrong_variable(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    monkeypatch.setenv(name, KEY)
    with pytest.raises(ConfigError) as caught:
        load_config()
    assert not shows_key(str(caught.value))


WORDS: dict[str, list[str]] = {
    "a command": [KEY],
    "an option": [f"--{KEY}"],
    "a number": ["find", "--limit", KEY],
    "a day": ["backfill", "--category", "cs.LG", "--from", KEY],
    "a key to trust with a slip": ["verify", "--trust", KEY[1:], "x"],
    "a key to trust in hexadecimal": ["verify", "--trust", SEED.hex(), "x"],
    "a key to trust for ever": ["trust", "add", KEY],
    "a key to forget": ["trust", "remove", KEY],
    "a paper": ["rerun", KEY],
    "a name": ["show", KEY],
    "a data folder": ["find", "--data", KEY],
    "a configuration": ["find", "--config", KEY],
    "a bundle": ["merge", KEY, "--output", "x"],
    "a word too many": ["nightly", KEY],
}


@pytest.mark.parametrize("name", WORDS)
def test_nor_one_among_the_words_of_a_command(tmp_path: Path, name: str) -> None:
    done = stand(tmp_path, *WORDS[name], PITH_DATA_DIR=str(tmp_path))
    assert done.returncode == 2, done.stderr
    assert not shows_key(done.stdout + done.stderr)


@pytest.mark.usefixtures("prefect")
def test_a_key_instead_of_its_secrets_name_never_reaches_prefects_database(tmp_path: Path) -> None:
    from prefect.settings import PREFECT_API_DATABASE_CONNECTION_URL

    from flows.rerun import rerun

    for form in FORMS.values():
        file = tmp_path / "config.yaml"
        file.write_text(f"identity: {{key_secret: '{form}'}}\n")
        state = rerun(["0903.0442"], config_file=file, data_dir=tmp_path, return_state=True)
        assert state.is_failed()
        assert "identity.key_secret" in (state.message or "")
        assert not shows_key(state.message or "")
    url = PREFECT_API_DATABASE_CONNECTION_URL.value()
    database = Path(str(url).partition("///")[2].partition("?")[0])
    kept = b"".join(path.read_bytes() for path in database.parent.glob(f"{database.name}*"))
    assert b"identity.key_secret" in kept
    assert not shows_key(kept.decode("latin-1"))


def test_a_fault_of_our_own_shows_no_key_either(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from flows.cli import main as cli

    monkeypatch.setattr(sys, "argv", ["pith-ingest", "find", "--data", str(tmp_path)])
    monkeypatch.setattr(
        "flows.cli.data.find.load", lambda *_: (_ for _ in ()).throw(ZeroDivisionError(KEY))
    )
    monkeypatch.setattr("logging.StreamHandler", logging.NullHandler)
    with pytest.raises(SystemExit) as ended:
        cli.main()
    assert ended.value.code == ExitStatus.INTERNAL_FAULT
    assert not shows_key(capsys.readouterr().err)


def test_a_key_file_of_another_user_is_refused_for_root_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "signing.key"
    create_key(file)
    if os.geteuid() == 0:
        os.chown(file, 12345, -1)
    else:
        monkeypatch.setattr("os.geteuid", lambda: os.getuid() + 1)
    for use in (lambda: load_key(file), lambda: load_issuer(IdentityConfig(key_file=file))):
        with pytest.raises(ConfigError, match=r"signing\.key belongs to another user"):
            use()


def test_what_is_no_file_is_no_key(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe", 0o600)
    (tmp_path / "large").write_bytes(b"A" * 2**21)
    (tmp_path / "large").chmod(0o600)
    for name, reason in (("pipe", "not a file"), (".", "not a file"), ("large", "larger than")):
        with pytest.raises(ConfigError, match=reason):
            load_key(tmp_path / name)


WORKERS = """
import multiprocessing, os, sys
from pathlib import Path
from flows.jobs.job import open_run
from flows.ingest.executors.processes import ProcessExecutor
from support.runs.runs import config_in
from support.commands.environments import look
if __name__ == "__main__":
    with open_run("backfill", config_in(Path(sys.argv[1]))) as run:
        pool = ProcessExecutor(run.config, run.context, 2)
        found = [pool.submit(look).result() for _ in range(4)]
        tasks = Path(f"/proc/{os.getpid()}/task").glob("*/children")
        children = [pid for task in tasks for pid in task.read_text().split()]
        environments = [Path(f"/proc/{pid}/environ").read_text() for pid in children]
        for text in [*(found[0]), *environments]:
            print(text.replace("\\0", " "))
        print("CHILDREN", len(children), os.environ["PITH_SIGNING_KEY"] is not None)
        pool.close()
"""


def test_workers_have_the_key_and_their_environment_has_not(tmp_path: Path) -> None:
    (tmp_path / "watched.py").write_text(WORKERS)
    path = os.pathsep.join([*sys.path, str(TESTS)])
    done = subprocess.run(
        [sys.executable, str(tmp_path / "watched.py"), str(tmp_path)],
        env={**os.environ, "PITH_SIGNING_KEY": KEY, "PYTHONPATH": path},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert f"None SIGNS {fingerprint(Ed25519Signer(SEED).public_key)}" in done.stdout
    # The fork server and the tracker of semaphores at the least, and all with an environment.
    assert int(re.findall(r"CHILDREN (\d+) True", done.stdout)[0]) >= 2
    assert done.stdout.count("PYTHONPATH=") >= 4
    assert not shows_key(done.stdout)


def test_a_run_with_workers_signs_with_the_key_of_the_environment(tmp_path: Path) -> None:
    replies = tmp_path / "replies"
    replies.mkdir()
    for number in range(4):
        (replies / f"{number}.xml").write_bytes(page(record(f"2201.{number:05}")))
    words: list[str | Path] = ["backfill", "--raw", replies, "--data", tmp_path / "data"]
    done = stand(tmp_path, *words, PITH_SIGNING_KEY=KEY, PITH_WORKERS="2")
    assert (done.returncode, done.stderr.count("made a signing key")) == (0, 0), done.stderr
    kept = [tmp_path / "data" / name for name in ("tables", "bundles")]
    verified = stand(tmp_path, "verify", *kept, PITH_SIGNING_KEY=KEY)
    assert "8 bundles: 8 valid, 8 trusted" in verified.stdout
    assert "own, the signing key in the environment variable PITH_SIGNING_KEY" in verified.stdout
