"""Keys: made once, readable by their owner alone, never shown."""

import os
import stat
from pathlib import Path

import pytest
from signed_events import ISSUER

from flows.config import IdentityConfig
from flows.errors import ConfigError
from flows.keys import create_key, identity_of, load_issuer, load_key
from transforms.signing import is_signed_by
from transforms.verify import PITH_SCIENCE_KEY


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
    issuer, is_new = load_issuer(IdentityConfig(key_file=file))
    assert is_new
    assert file.read_text().strip() not in repr(issuer)
    assert load_issuer(IdentityConfig(key_file=file))[0].fingerprint == issuer.fingerprint


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
