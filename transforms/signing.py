"""Ed25519 keys (RFC 8032) as receipts, events and bundles use and publish them (spec, 3 and 6)."""

import binascii
from dataclasses import dataclass, field
from datetime import datetime
from functools import lru_cache
from typing import Protocol

from nacl.bindings import (
    crypto_core_ed25519_is_valid_point,
    crypto_sign,
    crypto_sign_open,
    crypto_sign_seed_keypair,
    crypto_sign_SEEDBYTES,
)
from nacl.exceptions import BadSignatureError

from transforms.documents.record import KeyFacts, PublicKey, Signature
from transforms.encoding.digest import Digest, base32_prefix, sha256, to_hex
from transforms.encoding.timestamps import to_micros

PUBLIC_KEY_BYTES = 32
SIGNATURE_BYTES = 64

_KEYS_KEPT = 64
"""For how many keys their names are kept: nearly all bundles are signed by the same few."""


class Signer(Protocol):
    """A key that can sign: one in memory, or a test that replays recorded signatures."""

    @property
    def public_key(self) -> bytes:
        """The 32 raw bytes of the Ed25519 public key."""

    def sign(self, message: bytes) -> bytes:
        """Return the 64-byte signature of `message`."""


class Ed25519Signer:
    """A signer that holds its key in memory and never shows it."""

    __slots__ = ("_secret_key", "public_key")

    def __init__(self, seed: bytes) -> None:
        """Take a 32-byte seed; any other length raises `ValueError`."""
        if len(seed) != crypto_sign_SEEDBYTES:
            raise ValueError(f"an Ed25519 seed has {crypto_sign_SEEDBYTES} bytes, not {len(seed)}")
        self.public_key, self._secret_key = crypto_sign_seed_keypair(seed)

    def sign(self, message: bytes) -> bytes:
        """Return the 64-byte signature of `message`; the same message gives the same bytes."""
        return crypto_sign(message, self._secret_key)[:SIGNATURE_BYTES]

    def __repr__(self) -> str:
        """Return the key's public fingerprint only."""
        return f"Ed25519Signer({fingerprint(self.public_key)})"


@dataclass(frozen=True, slots=True)
class Identity:
    """The configured names in a bundle that say whose it is (spec, section 6).

    `key_notes` tells a reader of the bundle how the key is used.
    """

    signer_id: str
    base_url: str
    resolver_name: str
    key_id: str
    key_url: str
    key_notes: str
    builder_version: str


@dataclass(frozen=True, slots=True)
class Issuer:
    """A configured identity together with what signs for it."""

    identity: Identity
    signer: Signer
    fingerprint: str = field(init=False)
    key_document: PublicKey = field(init=False)
    """The entry of a bundle's `public_keys` for the signer's key."""

    def __post_init__(self) -> None:
        """Hash and describe the public key once: each bundle names it many times."""
        key = self.signer.public_key
        object.__setattr__(self, "fingerprint", fingerprint(key))
        object.__setattr__(self, "key_document", public_key_document(key, self.identity))


@lru_cache(maxsize=_KEYS_KEPT)
def fingerprint(public_key: bytes) -> str:
    """Return a key's fingerprint: the first 32 hex digits of its SHA-256 (spec, section 3)."""
    return to_hex(sha256(public_key))[:32]


def base64_bytes(data: bytes) -> bytes:
    """Return standard base64 with padding, as signatures and keys are written."""
    return binascii.b2a_base64(data, newline=False)


def encode_base64(data: bytes) -> str:
    """Return what `base64_bytes` does as text."""
    return base64_bytes(data).decode()


def decode_base64(text: object, length: int) -> bytes:
    """Return `length` bytes of base64 in its one canonical spelling, or raise `ValueError`.

    Stray bits in the last character would let a changed text decode to the same bytes.
    """
    if not isinstance(text, str) or not text.isascii():
        raise ValueError("not base64: not an ASCII string")
    try:
        data = binascii.a2b_base64(text, strict_mode=True)
    except binascii.Error as error:
        raise ValueError(f"not base64: {error}") from None
    if encode_base64(data) != text:
        raise ValueError("not in canonical base64")
    if len(data) != length:
        raise ValueError(f"{len(data)} bytes where {length} are due")
    return data


def is_public_key(key: bytes) -> bool:
    """Return whether 32 bytes can be an Ed25519 public key: a point of the curve's main subgroup.

    Of random bytes, such as a seed, one in sixteen can.
    """
    return len(key) == PUBLIC_KEY_BYTES and bool(crypto_core_ed25519_is_valid_point(key))


def is_signed_by(public_key: bytes, message: bytes, signature: bytes) -> bool:
    """Return whether `signature` (64 bytes) is `public_key`'s Ed25519 signature of `message`."""
    # libsodium reads as many bytes as it is due, whatever it is given.
    if len(public_key) != PUBLIC_KEY_BYTES or len(signature) != SIGNATURE_BYTES:
        return False
    try:
        crypto_sign_open(signature + message, public_key)
    except BadSignatureError:
        return False
    return True


def signature_block(
    message: Digest, message_name: str, *, issuer: Issuer, signed_at: datetime
) -> Signature:
    """Return the signature object of an event or a bundle, whose digest `message` is signed."""
    return signature_object(
        issuer.signer.sign(message),
        message_name,
        key_id=issuer.identity.key_id,
        fingerprint=issuer.fingerprint,
        signed_at=to_micros(signed_at),
    )


def signature_object(
    signature: bytes, message_name: str, *, key_id: str, fingerprint: str, signed_at: str
) -> Signature:
    """Return the signature object of an event or a bundle, for 64 bytes that were signed before."""
    return {
        "signature_status": "signed_v1",
        "algorithm": "ed25519",
        "key_id": key_id,
        "public_key_fingerprint": fingerprint,
        "signature_b64": encode_base64(signature),
        "signed_message": message_name,
        "signed_at": signed_at,
    }


@lru_cache(maxsize=_KEYS_KEPT)
def key_facts(public_key: bytes) -> KeyFacts:
    """Return the fields of an entry of `public_keys` that the 32 raw bytes alone decide."""
    return {
        "algorithm": "ed25519",
        "format": "raw",
        "public_key_b64": encode_base64(public_key),
        "public_key_hex": public_key.hex(),
        "fingerprint_sha256_b32_first128bits": base32_prefix(sha256(public_key)),
        "fingerprint_sha256_hex": fingerprint(public_key),
    }


def public_key_document(public_key: bytes, identity: Identity) -> PublicKey:
    """Return the entry of a bundle's `public_keys` for `public_key` (32 raw bytes)."""
    return {
        "key_id": identity.key_id,
        **key_facts(public_key),
        "rotates_at": None,
        "url": identity.key_url,
        "notes": identity.key_notes,
    }
