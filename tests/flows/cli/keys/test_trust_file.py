"""The keys that a user trusts: kept by `pith-ingest trust`, in a file of the user's own."""

import json
import os
import stat
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest
from nacl.signing import SigningKey
from support.bundles.signed_events import ISSUER, OTHER, issuer
from support.hostile.text import stand
from support.papers.golden_data import GOLDEN
from support.paths import ROOT

from flows.cli.bundles.reports import Form, print_reports
from flows.cli.keys.trusted_keys import TRUST_FILE, default_trust, remove_key, save_key, saved_keys
from flows.common.errors import ConfigError
from flows.common.keys import create_key
from transforms import IssueTimes, build_bundle
from transforms.bundle.build import bundle_bytes, draft
from transforms.bundle.later_events import append_snapshot, reissue
from transforms.encoding.timestamps import from_text
from transforms.signing import encode_base64, fingerprint
from transforms.verify.verify import PITH_SCIENCE_KEY

pytestmark = pytest.mark.process

NOW = datetime(2026, 11, 21, 3, 38, 14, tzinfo=UTC)
FIRST = from_text("2026-11-21T00:00:00Z")
BUNDLE = build_bundle(GOLDEN[0].paper, issuer=ISSUER, times=IssueTimes.at(FIRST))
THEIRS = encode_base64(ISSUER.signer.public_key)
WHERE = "https://registry.example/pith-signing-key.json"


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "home"
    folder.mkdir()
    monkeypatch.setenv("HOME", str(folder))
    for name in ("PITH_CONFIG", "PITH_SIGNING_KEY"):
        monkeypatch.delenv(name, raising=False)
    # Made when `config` was imported, with the home that was then.
    monkeypatch.setenv(
        "PITH_IDENTITY__KEY_FILE", str(folder / ".config" / "pith-ingest" / "signing.key")
    )
    return folder


def trust_file() -> Path:
    return TRUST_FILE.expanduser()


def test_a_key_that_was_added_is_trusted_and_the_output_says_why(tmp_path: Path) -> None:
    (tmp_path / "b.json").write_bytes(bundle_bytes(BUNDLE))
    before = stand(tmp_path, "verify", "b.json")
    assert (before.returncode, before.stdout.count("UNTRUSTED")) == (1, 1)
    added = stand(tmp_path, "trust", "add", THEIRS, "--from", WHERE)
    assert (added.returncode, added.stderr) == (0, "")
    reason = added.stdout.split(", ", 1)[1].strip()
    assert reason.endswith(f"from {WHERE}")
    after = stand(tmp_path, "verify", "b.json")
    assert after.returncode == 0
    short = ISSUER.fingerprint[:8]
    assert f"valid, trusted      {BUNDLE['pith_number']}  key {short}  b.json\n" in after.stdout
    assert f"key {ISSUER.fingerprint}  trusted: {reason}; signed in 1\n" in after.stdout
    listed = stand(tmp_path, "trust", "list").stdout
    assert f"{ISSUER.fingerprint}  {THEIRS}  {reason}\n" in listed
    assert "pith.science, pinned in pith-ingest" in listed
    removed = stand(tmp_path, "trust", "remove", ISSUER.fingerprint[:12])
    assert removed.returncode == 0
    assert stand(tmp_path, "verify", "b.json").returncode == 1


def test_the_reason_is_told_in_every_form(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    both = reissue(BUNDLE, issuer=OTHER, moment=from_text("2026-11-22T00:00:00Z"))
    (tmp_path / "b.json").write_bytes(bundle_bytes(both))
    save_key(THEIRS, WHERE, NOW)
    told = {}
    for form in Form:
        paths = [tmp_path / "b.json"]
        assert print_reports(paths, trust=None, config=None, metadata=None, form=form) == 1
        told[form] = capsys.readouterr().out
    ours, theirs = ISSUER.fingerprint, OTHER.fingerprint
    trusted = f"{ours}  trusted: added 2026-11-21T03:38:14Z from {WHERE}"
    stranger = f"{theirs}  not among the keys that you trust"
    # The line names the key that is the reason; the other one is no news.
    for form in (Form.LINES, Form.QUIET):
        assert told[form].splitlines()[0].split("  ")[-2] == f"key {theirs[:8]}"
    assert f"key {trusted}; signed in 1" in told[Form.LINES]
    assert f"key {stranger}; signed in 1" in told[Form.LINES]
    assert trusted not in told[Form.QUIET]
    assert stranger in told[Form.QUIET]
    assert f"    signed by        {trusted}\n" in told[Form.VERBOSE]
    signers = json.loads(told[Form.JSON].splitlines()[0])["signers"]
    assert {each["fingerprint"]: each["trusted"] for each in signers} == {
        ours: f"added 2026-11-21T03:38:14Z from {WHERE}", theirs: None,
    }  # fmt: skip


def test_an_invalid_bundle_names_no_keys(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "b.json").write_bytes(GOLDEN[0].data.replace(b"Gradient", b"gradient", 1))
    for form in Form:
        paths = [tmp_path / "b.json"]
        assert print_reports(paths, trust=None, config=None, metadata=None, form=form) == 1
    assert fingerprint(PITH_SCIENCE_KEY)[:8] not in capsys.readouterr().out


def test_of_many_strangers_the_rest_is_counted_not_listed(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    bundle = BUNDLE
    for number in range(30):
        moment = from_text(f"2026-11-22T00:00:{number:02}Z")
        bundle = append_snapshot(
            bundle, draft(GOLDEN[0].paper), issuer=issuer(f"stranger-{number}"), moment=moment
        )
    (tmp_path / "b.json").write_bytes(bundle_bytes(bundle))
    paths = [tmp_path / "b.json"]
    assert print_reports(paths, trust=None, config=None, metadata=None, form=Form.QUIET) == 1
    out = capsys.readouterr().out
    assert out.count("not among the keys that you trust") == 20
    assert "and 11 other keys that are not among yours" in out
    assert max(map(len, out.splitlines())) < 1000


def test_own_keys_say_where_they_are(monkeypatch: pytest.MonkeyPatch, home: Path) -> None:
    file = home / ".config" / "pith-ingest" / "signing.key"
    made = create_key(file)
    assert default_trust(None)[made.public_key] == f"own, the signing key in {file}"
    monkeypatch.setenv("PITH_SIGNING_KEY", encode_base64(bytes(32)))
    reasons = default_trust(None)
    assert made.public_key not in reasons
    assert "own, the signing key in the environment variable PITH_SIGNING_KEY" in reasons.values()


def test_a_key_is_added_once_and_the_file_is_private(home: Path) -> None:
    mask = os.umask(0)
    try:
        first, is_new = save_key(THEIRS, WHERE, NOW)
        again = save_key(THEIRS, "elsewhere", datetime(2027, 1, 1, tzinfo=UTC))
    finally:
        os.umask(mask)
    assert is_new
    assert again == (first, False)
    assert saved_keys() == [first]
    for path, mode in ((trust_file(), 0o600), (home / ".config" / "pith-ingest", 0o700)):
        assert stat.S_IMODE(path.stat().st_mode) == mode
    assert remove_key(THEIRS) == first
    assert saved_keys() == []
    with pytest.raises(ConfigError, match="no such key"):
        remove_key(THEIRS)


def test_a_short_or_shared_beginning_names_no_key() -> None:
    save_key(THEIRS, WHERE, NOW)
    for name in ("", ISSUER.fingerprint[:7], ISSUER.fingerprint + "0", THEIRS[:-1], "*"):
        with pytest.raises(ConfigError, match="no such key"):
            remove_key(name)
    assert remove_key(ISSUER.fingerprint[:8].upper()).public_key == THEIRS


NO_KEYS = {
    "nothing": "",
    "no base64": "no key at all",
    "a short one": encode_base64(b"x" * 31),
    "a long one": encode_base64(b"x" * 33),
    "stray bits": THEIRS[:-2] + chr(ord(THEIRS[-2]) + 1) + "=",
    "hexadecimal": ISSUER.signer.public_key.hex(),
    "zeros": encode_base64(bytes(32)),
    "the neutral point": encode_base64(b"\1" + bytes(31)),
    "a point of order 8": "Jujlk/AqyRflw4RAc2cSGmMGNZGgUvuwRCEKUUeTugU=",
    "no point": encode_base64(b"\2" + bytes(31)),
    "a spelling that is not canonical": encode_base64(b"\xee" + b"\xff" * 30 + b"\x7f"),
}


@pytest.mark.parametrize("name", NO_KEYS)
def test_what_is_no_public_key_is_refused_and_not_repeated(name: str) -> None:
    with pytest.raises(ConfigError, match="that is no public key") as caught:
        save_key(NO_KEYS[name], WHERE, NOW)
    assert not NO_KEYS[name] or NO_KEYS[name] not in str(caught.value)
    assert not trust_file().exists()


def test_ones_own_private_key_is_refused_even_where_it_could_be_a_public_one(home: Path) -> None:
    # A seed that is a point of the curve: one in sixteen is.
    seed = next(key for key in (bytes(SigningKey(bytes([n]) * 32).verify_key) for n in range(200)))
    file = home / ".config" / "pith-ingest" / "signing.key"
    file.parent.mkdir(parents=True)
    file.write_text(encode_base64(seed) + "\n")
    file.chmod(0o600)
    with pytest.raises(ConfigError, match="stands in your shell's history now"):
        save_key(encode_base64(seed), WHERE, NOW)


DAMAGED = {
    "no JSON": b"{",
    "nothing": b"",
    "a list": b"[]",
    "a later version": b'{"version": 2, "keys": []}',
    "a setting too many": b'{"version": 1, "keys": [], "x": 1}',
    "a key that is none": b'{"version":1,"keys":[{"public_key":"x","added_at":"","source":""}]}',
    "a key of another type": b'{"version":1,"keys":[{"public_key":1,"added_at":"","source":""}]}',
    "more than a megabyte": b" " * 2**21,
    "no UTF-8": b'{"version": 1, "keys": [], "\xff": 1}',
}


@pytest.mark.parametrize("name", DAMAGED)
def test_a_damaged_file_stops_and_is_not_taken_for_an_empty_one(name: str) -> None:
    trust_file().parent.mkdir(parents=True)
    trust_file().write_bytes(DAMAGED[name])
    for use in (saved_keys, lambda: save_key(THEIRS, WHERE, NOW), lambda: default_trust(None)):
        with pytest.raises(ConfigError, match="the trust file"):
            use()
    assert trust_file().read_bytes() == DAMAGED[name]


def test_every_truncated_file_is_refused_or_says_less() -> None:
    save_key(THEIRS, WHERE, NOW)
    whole = trust_file().read_bytes()
    for length in range(len(whole) - 1):
        trust_file().write_bytes(whole[:length])
        with pytest.raises(ConfigError, match="is damaged"):
            saved_keys()


def test_a_file_that_others_can_write_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    save_key(THEIRS, WHERE, NOW)
    for mode in (0o620, 0o602, 0o666):
        trust_file().chmod(mode)
        with pytest.raises(ConfigError, match=r"others can write the trust file .*chmod 600"):
            saved_keys()
    trust_file().chmod(0o644)
    assert len(saved_keys()) == 1
    monkeypatch.setattr("os.geteuid", lambda: os.getuid() + 1)
    with pytest.raises(ConfigError, match="belongs to another user"):
        saved_keys()


def test_a_pipe_in_its_place_does_not_hold_verify_up() -> None:
    trust_file().parent.mkdir(parents=True)
    os.mkfifo(trust_file())
    with pytest.raises(ConfigError, match="is not a file"):
        saved_keys()


ADDING = """
import sys
from datetime import UTC, datetime
from flows.cli.keys.trusted_keys import save_key
for key in sys.argv[1:]:
    save_key(key, "a test", datetime.now(UTC))
"""


def test_keys_added_at_the_same_time_are_all_kept() -> None:
    keys = [encode_base64(bytes(SigningKey(bytes([n]) * 32).verify_key)) for n in range(40)]
    adding = [
        subprocess.Popen([sys.executable, "-c", ADDING, *keys[start::4]], cwd=ROOT)
        for start in range(4)
    ]
    assert [process.wait(120) for process in adding] == [0] * 4
    assert sorted(key.public_key for key in saved_keys()) == sorted(keys)


def test_adding_that_was_killed_leaves_the_keys_of_before(monkeypatch: pytest.MonkeyPatch) -> None:
    save_key(THEIRS, WHERE, NOW)
    left = trust_file().with_name(".trusted-keys.json.unfinished")
    left.write_bytes(b"half")
    monkeypatch.setattr("os.fsync", lambda _: (_ for _ in ()).throw(KeyboardInterrupt))
    with pytest.raises(KeyboardInterrupt):
        save_key(encode_base64(OTHER.signer.public_key), WHERE, NOW)
    assert [key.public_key for key in saved_keys()] == [THEIRS]
    monkeypatch.undo()


def test_a_folder_that_cannot_be_written_is_one_sentence(home: Path) -> None:
    (home / ".config").write_text("a file where a folder is due")
    with pytest.raises(ConfigError, match="cannot write the trust file"):
        save_key(THEIRS, WHERE, NOW)
