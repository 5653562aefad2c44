"""The keys that `verify` trusts, and why: never because of anything that lies beside a bundle.

Keys come from what was pinned in this program, from the user's own key and configuration, and from
a trust file of the user's own, which `pith-ingest trust` keeps.
"""

import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Literal

import msgspec

from flows.common.errors import ConfigError
from flows.common.files.own_files import OWN_FOLDER, WRITE, read_own
from flows.common.terminal import echo, quoted
from transforms.encoding.timestamps import to_seconds
from transforms.signing import (
    PUBLIC_KEY_BYTES,
    Ed25519Signer,
    decode_base64,
    encode_base64,
    fingerprint,
    is_public_key,
)
from transforms.verify.verify import PITH_SCIENCE_KEY

Trust = Mapping[bytes, str]
"""The raw public keys that are trusted, each with the reason."""

TRUST_FILE = OWN_FOLDER / "trusted-keys.json"
CONFIG_VARIABLE = "PITH_CONFIG"

_PINNED = {PITH_SCIENCE_KEY: "pith.science, pinned in pith-ingest"}
_SHORTEST_PREFIX = 8


class SavedKey(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A key that the user trusts: 32 bytes in base64, when it was added (UTC), from where it is."""

    public_key: str
    added_at: str
    source: str

    @property
    def raw(self) -> bytes:
        """The 32 bytes."""
        return decode_base64(self.public_key, PUBLIC_KEY_BYTES)

    @property
    def reason(self) -> str:
        """Why it is trusted."""
        return f"added {self.added_at} from {self.source}"


class _Saved(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    version: Literal[1]
    keys: list[SavedKey]


def default_trust(config: Path | None) -> Trust:
    """Return the keys that are trusted where nothing is named: pinned, own, and saved ones.

    `config` is a configuration that the user named; see `own_trust`.
    """
    saved = {key.raw: key.reason for key in saved_keys()}
    return {**saved, **own_trust(config), **_PINNED}


def named_trust(names: Sequence[str], config: Path | None, option: str = "--trust") -> Trust:
    """Return the keys that an option names: `pith.science`, `own`, or 32 bytes in base64."""
    trust: dict[bytes, str] = {}
    for name in names:
        if name == "pith.science":
            trust |= _PINNED
        elif name == "own":
            trust |= own_trust(config)
        else:
            trust[_named_key(name, option)] = f"named by {option}"
    return trust


def own_trust(config: Path | None) -> Trust:
    """Return the user's own keys: the one that signs, if there is one, and those that did before.

    They come from the configuration that the user named (`config`, or an absolute `PITH_CONFIG`),
    or else from the environment and `~/.config/pith-ingest/signing.key`. Never from `config.yaml`
    of the working folder, nor by a path that counts from there, nor from Prefect, which looks there
    for the address of its server.
    """
    # The configuration takes most of the start, and who names the keys to trust needs none.
    from flows.common.config import load_identity
    from flows.common.keys import in_secret, key_location, own_keys

    config = config or _configured()
    identity = load_identity(config, here=False)
    if config is None:
        _refuse_relative(identity.key_file, "the key file that the environment names")
    if in_secret(identity):
        echo(
            f"the signing key in {key_location(identity)} is not fetched to verify; add its public "
            "key with 'pith-ingest trust add'",
            err=True,
        )
    known = {decode_base64(key.public_key, PUBLIC_KEY_BYTES): key for key in identity.known_keys}
    signing = f"own, the signing key in {key_location(identity)}"
    where = config or "the environment"
    try:
        own = set(known) if in_secret(identity) else own_keys(identity)
    except ConfigError as error:
        raise ConfigError(f"{error}; or name the keys that you trust with --trust") from None
    return {
        key: f"own, {known[key].key_id} of known_keys in {where}" if key in known else signing
        for key in own
    }


def saved_keys() -> list[SavedKey]:
    """Return what the trust file holds, in the order of adding; raises `ConfigError` if damaged."""
    file = _trust_file()
    try:
        text = read_own(file, "the trust file", closed_to=WRITE)
    except FileNotFoundError:
        return []
    try:
        saved = msgspec.json.decode(text, type=_Saved)
        for key in saved.keys:
            _ = key.raw
    except ValueError as error:
        raise ConfigError(
            f"the trust file {file} is damaged ({error}); mend it, or move it away and add the "
            "keys again with 'pith-ingest trust add'"
        ) from None
    return saved.keys


def save_key(text: str, source: str, moment: datetime) -> tuple[SavedKey, bool]:
    """Add a public key in base64 to the trust file; return it, and whether it is new there.

    Raises `ConfigError` for what is no public key, without repeating it: it may be a private one.
    """
    new = SavedKey(encode_base64(_public_key(text)), to_seconds(moment), source)
    with _changing() as keys:
        for key in keys:
            if key.public_key == new.public_key:
                return key, False
        keys.append(new)
    return new, True


def remove_key(name: str) -> SavedKey:
    """Take a key out of the trust file, named in base64 or by 8 or more digits of its fingerprint.

    Raises `ConfigError` where that names none, or several.
    """
    with _changing() as keys:
        named = [key for key in keys if _is_named(key, name)]
        if len(named) != 1:
            raise ConfigError(
                f"the trust file has {'several such keys' if named else 'no such key'}; "
                "'pith-ingest trust list' shows its keys with their fingerprints"
            )
        keys.remove(named[0])
    return named[0]


def _is_named(key: SavedKey, name: str) -> bool:
    return key.public_key == name or (
        len(name) >= _SHORTEST_PREFIX and fingerprint(key.raw).startswith(name.lower())
    )


def _named_key(name: str, option: str) -> bytes:
    try:
        return decode_base64(name, PUBLIC_KEY_BYTES)
    except ValueError:
        raise ConfigError(
            f"{option} {quoted(name)}: neither 'pith.science' nor 'own' nor a public key in base64"
        ) from None


def _public_key(text: str) -> bytes:
    try:
        key = decode_base64(text, PUBLIC_KEY_BYTES)
    except ValueError as error:
        raise ConfigError(
            f"that is no public key ({error}): give its 32 bytes in base64, as "
            "'pith-ingest keygen' prints them"
        ) from None
    # One seed in sixteen has the form of a public key; the user's own is known by what it makes.
    if not is_public_key(key) or Ed25519Signer(key).public_key in own_trust(None):
        raise ConfigError(
            "that is no public key; if it is a private one, it stands in your shell's history now, "
            "so make a new one with 'pith-ingest keygen'"
        )
    return key


def _configured() -> Path | None:
    """Return the configuration that the environment names, if it does."""
    name = os.environ.get(CONFIG_VARIABLE)
    if not name:
        return None
    return _refuse_relative(Path(name), f"the file of {CONFIG_VARIABLE}")


def _trust_file() -> Path:
    return _refuse_relative(TRUST_FILE.expanduser(), "the home folder")


def _refuse_relative(path: Path, what: str) -> Path:
    """Return an absolute path; another would lead into the folder that the command stands in."""
    if not path.is_absolute():
        raise ConfigError(
            f"{what} is given by a relative path, and no key to trust is taken from the working "
            "folder; give the path from / on, or name a configuration with --config"
        )
    return path


@contextmanager
def _changing() -> Iterator[list[SavedKey]]:
    """Yield the saved keys to change, and save what became of them; one process at a time."""
    from filelock import FileLock

    file = _trust_file()
    try:
        file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        with FileLock(file.with_suffix(".lock"), mode=0o600):
            before = saved_keys()
            keys = [*before]
            yield keys
            if keys != before:
                _write(file, msgspec.json.encode(_Saved(version=1, keys=keys)))
    except OSError as error:
        raise ConfigError(f"cannot write the trust file {file}: {error.strerror}") from None


def _write(file: Path, data: bytes) -> None:
    """Replace the file in one step, durable, closed to others from its first moment."""
    unfinished = file.with_name(f".{file.name}.unfinished")
    unfinished.unlink(missing_ok=True)
    descriptor = os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as stream:
        stream.write(msgspec.json.format(data, indent=2) + b"\n")
        stream.flush()
        os.fsync(stream.fileno())
    unfinished.replace(file)
