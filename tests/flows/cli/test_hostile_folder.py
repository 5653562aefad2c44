"""A folder that means harm gives no command the power to trust, or to sign, for its user."""

import json
import os
import socketserver
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from support.bundles.signed_events import ISSUER, OTHER
from support.hostile.text import stand
from support.papers.golden_data import GOLDEN
from support.papers.oai_pages import page, record
from support.paths import ROOT
from typer import Typer

from flows.common.config import load_config, load_identity
from flows.common.errors import ConfigError
from flows.common.files.config_file import DEFAULT_FILE
from flows.common.keys import create_key
from transforms import IssueTimes, build_bundle
from transforms.bundle.build import bundle_bytes
from transforms.encoding.timestamps import from_text
from transforms.signing import encode_base64, fingerprint

pytestmark = pytest.mark.process

SEED = ISSUER.identity.key_id.encode().ljust(32, b".")
FORGED = bundle_bytes(
    build_bundle(
        GOLDEN[0].paper, issuer=OTHER, times=IssueTimes.at(from_text("2026-11-21T00:00:00Z"))
    )
)
THEIRS = encode_base64(OTHER.signer.public_key)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Make a folder with a forged bundle and all that a configuration could be read from."""
    made = tmp_path / "downloaded"
    made.mkdir()
    (made / "bundle.json").write_bytes(FORGED)
    known = f"{{key_id: x, public_key: '{THEIRS}'}}"
    (made / "config.yaml").write_text(
        f"identity: {{signer_id: evil.example, key_file: signing.key, known_keys: [{known}]}}\n"
    )
    key = made / "signing.key"
    key.write_text(encode_base64(b"other".ljust(32, b".")) + "\n")
    key.chmod(0o600)
    variables = f"PITH_IDENTITY__KEY_FILE={key}\nPITH_CONFIG=config.yaml\nHOME={made}\n"
    (made / ".env").write_text(variables)
    (made / "prefect.toml").write_text("[api]\nurl = 'http://127.0.0.1:9/api'\n")
    (made / "pyproject.toml").write_text("[tool.prefect]\napi.url = 'http://127.0.0.1:9/api'\n")
    own = made / ".config" / "pith-ingest"
    own.mkdir(parents=True)
    saved = {"public_key": THEIRS, "added_at": "2026-11-21T00:00:00Z", "source": "you"}
    (own / "trusted-keys.json").write_text(json.dumps({"version": 1, "keys": [saved]}))
    (own / "signing.key").hardlink_to(key)
    (made / "~").symlink_to(made)
    return made


@pytest.mark.parametrize("words", [[], ["--trust", "own"], ["--trust", "pith.science"]])
def test_verify_trusts_nobody_because_of_the_folder_it_stands_in(
    folder: Path, words: list[str]
) -> None:
    done = stand(folder, "verify", *words, "bundle.json")
    assert (done.returncode, done.stderr) == (1, "")
    assert "valid, UNTRUSTED" in done.stdout
    assert f"key {OTHER.fingerprint}  not among the keys that you trust" in done.stdout


@pytest.mark.parametrize(
    "variable",
    [{"PITH_CONFIG": "config.yaml"}, {"PITH_IDENTITY__KEY_FILE": "signing.key"}, {"HOME": "."}],
    ids=str,
)
def test_a_path_that_leads_into_the_folder_is_refused(
    folder: Path, variable: dict[str, str]
) -> None:
    done = stand(folder, "verify", "bundle.json", **variable)
    assert (done.returncode, done.stdout) == (2, "")
    assert "no key to trust is taken from the working folder" in done.stderr


def test_a_configuration_that_its_user_names_counts(folder: Path) -> None:
    named = stand(folder, "verify", "--config", "config.yaml", "bundle.json")
    absolute = stand(folder, "verify", "bundle.json", PITH_CONFIG=str(folder / "config.yaml"))
    for done in (named, absolute):
        assert done.returncode == 0, done.stdout + done.stderr
        assert "trusted: own, x of known_keys in " in done.stdout


@contextmanager
def prefect_of_a_stranger() -> Iterator[tuple[str, list[bytes]]]:
    """Give the address of a server to which nobody should speak, and what it was told."""
    told: list[bytes] = []

    class Handler(socketserver.StreamRequestHandler):
        def handle(self) -> None:
            told.append(self.rfile.readline())

    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        yield f"http://127.0.0.1:{server.server_address[1]}/api", told
        server.shutdown()


@pytest.mark.parametrize("file", [".env", "prefect.toml", "pyproject.toml"])
def test_a_key_in_a_secret_is_not_asked_of_a_server_that_the_folder_names(
    tmp_path: Path, file: str
) -> None:
    folder, mine = tmp_path / "downloaded", tmp_path / "mine.yaml"
    folder.mkdir()
    (folder / "bundle.json").write_bytes(FORGED)
    mine.write_text("identity: {key_secret: my-key}\n")
    with prefect_of_a_stranger() as (url, told):
        texts = {
            ".env": f"PREFECT_API_URL={url}\n",
            "prefect.toml": f"[api]\nurl = '{url}'\n",
            "pyproject.toml": f"[tool.prefect]\napi.url = '{url}'\n",
        }
        (folder / file).write_text(texts[file])
        verified = stand(folder, "verify", "--config", mine, "bundle.json")
        merged = stand(folder, "merge", "bundle.json", "--output", "m.json", "--config", mine)
    assert told == []
    assert (verified.returncode, verified.stdout.count("UNTRUSTED")) == (1, 1)
    assert "not fetched to verify" in verified.stderr
    assert (merged.returncode, merged.stderr.count(f"{file} in this folder")) == (2, 1)
    assert not (folder / "m.json").exists()


WATCHED = """
import sys
def tell(event, args):
    if event == "open" and isinstance(args[0], str | bytes):
        print("OPENED", args[0] if isinstance(args[0], str) else args[0].decode())
sys.addaudithook(tell)
from flows.cli.main import main
main()
"""


@pytest.mark.parametrize(
    "words",
    [
        ["verify", "bundle.json"],
        ["verify", "--json", "--trust", "own", "bundle.json"],
        ["trust", "list"],
        ["trust", "add", "11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo="],
    ],
    ids=" ".join,
)
def test_verify_and_trust_open_nothing_there_but_what_is_named(
    folder: Path, words: list[str]
) -> None:
    done = subprocess.run(
        [sys.executable, "-P", "-c", WATCHED, *words],
        cwd=folder,
        env={
            "PATH": os.environ["PATH"],
            "HOME": str(folder.parent / "home"),
            "PYTHONPATH": os.pathsep.join(filter(None, sys.path)),
            "PYTHONDONTWRITEBYTECODE": "1",
        },
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode in {0, 1}, done.stderr
    opened = {
        folder / line.removeprefix("OPENED ")
        for line in done.stdout.splitlines()
        if line.startswith("OPENED ")
    }
    inside = {path.name for path in opened if path.is_relative_to(folder)}
    assert inside == {word for word in words if word.endswith(".json")}
    assert len(opened) > 10


def test_merge_does_not_sign_as_the_folder_says(folder: Path) -> None:
    refused = stand(folder, "merge", "bundle.json", "--output", "out.json")
    assert refused.returncode == 2
    assert "config.yaml in this folder says who signs" in refused.stderr
    assert not (folder / "out.json").exists()
    named = stand(folder, "merge", "bundle.json", "--output", "out.json", "--config", "config.yaml")
    assert named.returncode == 0, named.stderr
    (folder / "config.yaml").write_text("categories: [cs.LG]\n")
    assert "there is no key" in stand(folder, "merge", "bundle.json", "--output", "own.json").stderr
    assert stand(folder, "keygen").returncode == 0
    own = stand(folder, "merge", "bundle.json", "--output", "own.json")
    assert own.returncode == 0, own.stderr
    listed = json.loads((folder / "own.json").read_text())["public_keys"]
    made = create_key(folder / "never.key")  # that keys differ is no accident
    assert fingerprint(made.public_key) not in str(listed)
    assert "evil.example" not in (folder / "own.json").read_text()


def test_a_configuration_that_a_third_person_planted_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    DEFAULT_FILE.write_text("data_dir: theirs\n")
    assert load_config().data_dir == Path("theirs")
    stat = Path.stat

    def owned(path: Path, *, follow_symlinks: bool = True) -> os.stat_result:
        found = list(stat(path, follow_symlinks=follow_symlinks))
        if path == DEFAULT_FILE:
            found[4] = 12345
        return os.stat_result(found)

    monkeypatch.setattr(Path, "stat", owned)
    with pytest.raises(ConfigError, match="neither yours nor the folder's owner's"):
        load_config()
    assert load_config(DEFAULT_FILE).data_dir == Path("theirs")
    assert load_identity(here=False) == load_identity(DEFAULT_FILE, here=False)
    monkeypatch.setattr(Path, "stat", stat)
    DEFAULT_FILE.unlink()
    os.mkfifo(DEFAULT_FILE)
    with pytest.raises(ConfigError, match="is not a file"):
        load_config()


READS_HERE = {
    "backfill": ["--raw", "replies"],
    "nightly": [],
    "rerun": ["0903.0442"],
    "serve": [],
    "registry serve": [],
    "registry publish": ["--to", "site"],
    "registry mirror": ["http://127.0.0.1:1", "--to", "mirror"],
    "show": ["0903.0442"],
    "find": [],
    "export": ["--all"],
    "status": [],
    "doctor": [],
    "rebuild-catalog": [],
    "keygen": [],
    "merge": ["bundle.json", "--output", "out.json"],
}
READS_NOTHING = {
    "verify": ["bundle.json"],
    "keygen FILE": ["new.key"],
    "init": ["new"],
    "trust list": [],
    "trust add": ["11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo="],
    "trust remove": ["11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo="],
}


def test_the_table_in_security_says_which_commands_read_the_folders_configuration(
    folder: Path,
) -> None:
    text = (ROOT / "SECURITY.md").read_text()
    table = text.partition("| command | `config.yaml` of the working folder |")[2]
    rows = [row.split(" | ") for row in table.partition("\n\n")[0].splitlines()[2:]]
    said = {
        name: row[1]
        for row in rows
        for name in row[0].removeprefix("| ").replace("`", "").split(", ")
    }
    assert said.keys() == READS_HERE.keys() | READS_NOTHING.keys()
    (folder / "replies").mkdir()
    (folder / "replies" / "reply.xml").write_bytes(page(record()))
    (folder / "config.yaml").write_text("colour: red\n")
    for name, words in {**READS_HERE, **READS_NOTHING}.items():
        # Without a Prefect server: the folder names one that is not there.
        done = stand(folder, *name.removesuffix(" FILE").split(), *words, PREFECT_API_URL="")
        reads = "unknown setting colour" in done.stderr
        assert reads is (name in READS_HERE), (name, done.stderr)
        assert said[name].startswith("no") is not reads, name


def test_each_command_stands_in_that_table() -> None:
    from flows.cli.app import app
    from flows.cli.keys import trust
    from flows.cli.registry.app import app as registry

    def names(of: Typer) -> set[str]:
        return {
            command.name or getattr(command.callback, "__name__", "").replace("_", "-")
            for command in of.registered_commands
        }

    in_table = {name.removesuffix(" FILE") for name in READS_HERE.keys() | READS_NOTHING.keys()}
    assert in_table == (
        names(app)
        | {f"trust {name}" for name in names(trust.app)}
        | {f"registry {name}" for name in names(registry)}
    )
