"""Keys: made once, readable by their owner alone, never shown."""

import os
import signal
import stat
import subprocess
import sys
from contextlib import ExitStack
from pathlib import Path

import pytest
from nacl.utils import random
from support.bundles.signed_events import ISSUER
from support.paths import ROOT

from flows.cli.bundles.merge import merge_files
from flows.common import keys
from flows.common.config import IdentityConfig
from flows.common.errors import ConfigError
from flows.common.keys import (
    create_key,
    ensure_issuer,
    has_key,
    identity_of,
    load_issuer,
    load_key,
    own_keys,
)
from transforms.signing import is_signed_by
from transforms.verify.verify import PITH_SCIENCE_KEY


def test_a_key_is_made_once_and_is_private(tmp_path: Path) -> None:
    file = tmp_path / "keys" / "signing.key"
    old_mask = os.umask(0)
    try:
        made = create_key(file)
    finally:
        os.umask(old_mask)
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert stat.S_IMODE(file.parent.stat().st_mode) == 0o700
    assert load_key(file).public_key == made.public_key
    assert os.listdir(file.parent) == ["signing.key"]  # noqa: PTH208 - hidden ones too
    with pytest.raises(ConfigError, match="there is a key in"):
        create_key(file)
    assert load_key(file).public_key == made.public_key


KILLED = """
import os, signal, sys
from pathlib import Path
from flows.common.keys import create_key
Path.hardlink_to = lambda *_: os.kill(os.getpid(), signal.SIGKILL)
create_key(Path(sys.argv[1]))
"""


def test_what_a_killed_keygen_left_is_no_key_and_hinders_nobody(tmp_path: Path) -> None:
    file = tmp_path / "signing.key"
    killed = subprocess.run([sys.executable, "-c", KILLED, str(file)], cwd=ROOT, check=False)
    assert killed.returncode == -signal.SIGKILL
    # As one was called that an older version left: by the number of a process, here our own.
    (tmp_path / f".signing.key.{os.getpid()}").touch()
    (left,) = set(tmp_path.iterdir()) - {tmp_path / f".signing.key.{os.getpid()}"}
    assert stat.S_IMODE(left.stat().st_mode) == 0o600
    config = IdentityConfig(key_file=file)
    assert not has_key(config)
    made, is_new = ensure_issuer(config)
    assert is_new
    assert load_issuer(config).fingerprint == made.fingerprint


AT_ONCE = """
import sys
from pathlib import Path
from flows.common.config import IdentityConfig
from flows.common.keys import ensure_issuer
print("ready", flush=True)
sys.stdin.readline()
issuer, is_new = ensure_issuer(IdentityConfig(key_file=Path(sys.argv[1])))
print(issuer.fingerprint, is_new)
"""


def test_of_jobs_that_begin_at_once_one_makes_the_key_and_all_have_it(tmp_path: Path) -> None:
    words = [sys.executable, "-c", AT_ONCE, str(tmp_path / "signing.key")]
    with ExitStack() as stack:
        jobs = [
            stack.enter_context(
                subprocess.Popen(
                    words, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
                )
            )
            for _ in range(4)
        ]
        assert [job.stdout and job.stdout.readline() for job in jobs] == ["ready\n"] * 4
        for job in jobs:
            assert job.stdin
            job.stdin.write("go\n")
            job.stdin.flush()
        said = [job.communicate()[0].split() for job in jobs]
    assert len({fingerprint for fingerprint, _ in said}) == 1
    assert sorted(is_new for _, is_new in said) == ["False"] * 3 + ["True"]


def test_a_key_that_comes_while_one_is_made_is_taken(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "signing.key"
    first = [create_key]

    def overtaken(size: int) -> bytes:
        if first:
            first.pop()(file)
        return random(size)

    monkeypatch.setattr(keys, "random", overtaken)
    issuer, is_new = ensure_issuer(IdentityConfig(key_file=file))
    assert not is_new
    assert issuer.signer.public_key == load_key(file).public_key


def test_only_jobs_make_a_key(tmp_path: Path) -> None:
    config = IdentityConfig(key_file=tmp_path / "signing.key")
    with pytest.raises(ConfigError, match=r"no key in .*; 'pith-ingest keygen' makes one"):
        load_issuer(config)
    with pytest.raises(ConfigError, match="no key in"):
        merge_files(config, [], tmp_path / "merged.json")
    assert own_keys(config) == set()
    assert list(tmp_path.iterdir()) == []


def test_where_no_key_can_be_made_no_key_is_said_to_be_there(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    (tmp_path / "link").symlink_to(tmp_path / "nowhere")
    for place in (tmp_path / "file" / "signing.key", tmp_path / "link"):
        with pytest.raises(ConfigError, match="its folder is a file, or it is a link to nothing"):
            create_key(place)


def test_a_key_that_others_can_read_is_refused_with_the_cure(tmp_path: Path) -> None:
    file = tmp_path / "signing.key"
    create_key(file)
    file.chmod(0o640)
    with pytest.raises(ConfigError, match="chmod 600"):
        load_key(file)


@pytest.mark.parametrize("text", ["", "c2hvcnQ=", "no base64!", "ü"])
def test_what_is_no_key_is_named(tmp_path: Path, text: str) -> None:
    file = tmp_path / "signing.key"
    file.write_text(text)
    file.chmod(0o600)
    with pytest.raises(ConfigError, match=r"signing\.key"):
        load_key(file)


def test_a_signer_does_not_show_its_seed(tmp_path: Path) -> None:
    file = tmp_path / "signing.key"
    issuer, is_new = ensure_issuer(IdentityConfig(key_file=file))
    assert is_new
    assert file.read_text().strip() not in repr(issuer)
    assert load_issuer(IdentityConfig(key_file=file)).fingerprint == issuer.fingerprint


@pytest.mark.parametrize(
    "claim",
    [
        {"signer_id": "pith.science"},
        {"signer_id": "PITH.science"},
        {"base_url": "https://pith.science"},
        {"base_url": "https://www.pith.science/x"},
    ],
    ids=str,
)
def test_nobody_else_can_sign_as_pith_science(claim: dict[str, str]) -> None:
    config = IdentityConfig.model_validate(claim)
    with pytest.raises(ConfigError, match=r"pith\.science"):
        identity_of(config, b"k" * 32)
    assert identity_of(config, PITH_SCIENCE_KEY)


@pytest.mark.parametrize(("key_bytes", "signature_bytes"), [(31, 64), (33, 64), (32, 63), (32, 65)])
def test_a_key_or_signature_of_another_length_signed_nothing(
    key_bytes: int, signature_bytes: int
) -> None:
    key, signature = ISSUER.signer.public_key, ISSUER.signer.sign(b"message")
    assert is_signed_by(key, b"message", signature)
    other_key, other = (key + b"0")[:key_bytes], (signature + b"m")[:signature_bytes]
    assert not is_signed_by(other_key, b"message", other)
    assert not is_signed_by(key, b"essage", signature + b"m")
