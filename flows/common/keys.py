"""The signing key: from the environment, a Prefect Secret, or a file that its owner alone reads."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import mkstemp
from urllib.parse import urlsplit

from nacl.utils import random

from flows.common.config import IdentityConfig
from flows.common.errors import ConfigError
from flows.common.files.own_files import READ, read_own
from flows.common.terminal import quoted
from transforms.signing import (
    PUBLIC_KEY_BYTES,
    Ed25519Signer,
    Identity,
    Issuer,
    decode_base64,
    encode_base64,
    fingerprint,
)
from transforms.verify.verify import PITH_SCIENCE_KEY

SEED_BYTES = 32
KEY_VARIABLE = "PITH_SIGNING_KEY"
_NOTES = (
    "This registry uses this Ed25519 key to sign canonical record SHA-256 digests. Verify with: "
    "ed25519_verify(public_key, message=canonical_sha256_bytes, "
    "signature=base64decode(signature_b64))."
)


class KeyExistsError(ConfigError):
    """There is a key where one was to be made."""


def create_key(file: Path) -> Ed25519Signer:
    """Make a new key in `file`; no one else can read it at any moment.

    Raises `KeyExistsError` where there is one, also if another process makes it meanwhile.
    """
    seed = random(SEED_BYTES)
    try:
        file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        # With mode 0600 and a name that no other process has, nor one that was killed had.
        descriptor, unfinished = mkstemp(prefix=f".{file.name}.", dir=file.parent)
        try:
            with os.fdopen(descriptor, "w") as stream:
                stream.write(encode_base64(seed) + "\n")
                stream.flush()
                os.fsync(stream.fileno())
            # A link appears whole or not at all, and never replaces a key.
            file.hardlink_to(unfinished)
        finally:
            Path(unfinished).unlink()
    except FileExistsError:
        if not file.exists():
            raise ConfigError(
                f"cannot make a key in {file}: its folder is a file, or it is a link to nothing"
            ) from None
        raise KeyExistsError(
            f"there is a key in {file} already; name another file, or move that one away first"
        ) from None
    except OSError as error:
        raise ConfigError(f"cannot make a key in {file}: {error.strerror}") from None
    return Ed25519Signer(seed)


def load_key(file: Path) -> Ed25519Signer:
    """Read the key in `file`; refuses one that others can read or that belongs to another user."""
    try:
        text = read_own(file, "the key", closed_to=READ).decode("ascii")
    except FileNotFoundError:
        raise ConfigError(
            f"there is no key in {file}; 'pith-ingest keygen' makes one, and so does the first job"
        ) from None
    except UnicodeDecodeError:
        raise ConfigError(f"cannot read the key {file}: it is not text") from None
    return _signer_of(text.strip(), str(file))


def load_issuer(config: IdentityConfig) -> Issuer:
    """Return who signs; raises `ConfigError` where there is no key.

    The key comes from the first that is there: the environment variable `PITH_SIGNING_KEY`, the
    Prefect Secret block that `key_secret` names, the file `key_file`.
    """
    seed = os.environ.get(KEY_VARIABLE)
    if seed is not None:
        signer = _signer_of(seed, key_location(config))
    elif config.key_secret is not None:
        signer = _signer_of(_read_secret(config.key_secret), key_location(config))
    else:
        signer = load_key(config.key_file)
    return Issuer(identity_of(config, signer.public_key), signer)


def ensure_issuer(config: IdentityConfig) -> tuple[Issuer, bool]:
    """Return who signs, and whether the key was made just now because there was none.

    For the three jobs alone. Of several that begin at once, one makes the key and all have it.
    """
    is_new = False
    if not has_key(config):
        try:
            create_key(config.key_file)
            is_new = True
        except KeyExistsError:
            pass
    return load_issuer(config), is_new


def own_keys(config: IdentityConfig) -> set[bytes]:
    """Return the public keys that are ours: the signing one, if there is one, and known ones."""
    known = {decode_base64(key.public_key, PUBLIC_KEY_BYTES) for key in config.known_keys}
    return known | ({load_issuer(config).signer.public_key} if has_key(config) else set())


def key_location(config: IdentityConfig) -> str:
    """Return where `load_issuer` takes the key from."""
    if KEY_VARIABLE in os.environ:
        return f"the environment variable {KEY_VARIABLE}"
    return f"the Secret {config.key_secret}" if config.key_secret else str(config.key_file)


def in_secret(config: IdentityConfig) -> bool:
    """Return whether `load_issuer` would ask a Prefect server for the key."""
    return config.key_secret is not None and KEY_VARIABLE not in os.environ


def has_key(config: IdentityConfig) -> bool:
    """Return whether there is a key, or at least a variable or Secret that should hold one."""
    return KEY_VARIABLE in os.environ or bool(config.key_secret) or _may_exist(config.key_file)


def _may_exist(file: Path) -> bool:
    """Return whether a file may be there: one that this user may not see, reading says why."""
    try:
        return file.exists()
    except PermissionError:
        return True


@contextmanager
def kept_from_children() -> Iterator[None]:
    """Keep the key's variable out of the environment that processes started meanwhile inherit."""
    seed = os.environ.pop(KEY_VARIABLE, None)
    try:
        yield
    finally:
        if seed is not None:
            os.environ[KEY_VARIABLE] = seed


def _read_secret(name: str) -> str:
    from prefect.blocks.system import Secret

    try:
        return str(Secret.load(name).get())  # type: ignore[union-attr]  # called synchronously
    except ValueError:
        raise ConfigError(f"Prefect has no Secret block {quoted(name)}; make it first") from None


def _signer_of(text: str, where: str) -> Ed25519Signer:
    """Make a signer of a seed in base64; no error ever shows the text."""
    try:
        return Ed25519Signer(decode_base64(text.strip(), SEED_BYTES))
    except ValueError:
        raise ConfigError(f"{where} does not hold a key as 'pith-ingest keygen' makes it") from None


def identity_of(config: IdentityConfig, public_key: bytes) -> Identity:
    """Return the identity that bundles carry; refuses one that claims to be pith.science's."""
    hosts = {urlsplit(config.base_url).hostname or "", config.signer_id.lower()}
    claims = any(host == "pith.science" or host.endswith(".pith.science") for host in hosts)
    if claims and public_key != PITH_SCIENCE_KEY:
        msg = (
            "identity: signer_id and base_url name pith.science, whose key this is not; "
            "name your own registry"
        )
        raise ConfigError(msg)
    key_id = config.key_id or f"unregistered-{fingerprint(public_key)[:8]}"
    return Identity(
        signer_id=config.signer_id,
        base_url=config.base_url,
        resolver_name=config.resolver_name,
        key_id=key_id,
        key_url=config.key_url or f"{config.base_url}/pith-signing-key.json",
        key_notes=_NOTES,
        builder_version=config.builder_version,
    )
