"""SHA-256 digests: bytes within the program, hex and base32 where something is written or read."""

import base64
import hashlib
from typing import NewType

Digest = NewType("Digest", bytes)
"""The 32 raw bytes of a SHA-256."""

DIGEST_BYTES = 32
BASE32_LENGTH = 26
"""Characters of a digest's base32 that numbers and keys use: 130 bits."""

_BYTES_IN_BASE32 = 20
"""So much of a digest is encoded: the least that has those 26 characters and no padding."""


def sha256(data: bytes) -> Digest:
    """Return the SHA-256 of `data`."""
    return Digest(hashlib.sha256(data).digest())


def to_hex(digest: Digest) -> str:
    """Return a digest as documents, columns and messages have it: 64 hex digits."""
    return digest.hex()


def from_hex(text: str) -> Digest:
    """Return the digest that `to_hex` wrote; raises `ValueError` for any other text."""
    digest = bytes.fromhex(text)
    if len(digest) != DIGEST_BYTES or digest.hex() != text:
        raise ValueError(f"{text!r:.80} is not a SHA-256 of 64 hex digits")
    return Digest(digest)


def base32_prefix(digest: Digest) -> str:
    """Return the first 26 characters of a digest in base32 (RFC 4648), as numbers and keys do."""
    return base64.b32encode(digest[:_BYTES_IN_BASE32])[:BASE32_LENGTH].decode()
