"""SHA-256 digests: bytes within the program, hex and base32 where something is written or read."""

import hashlib
from typing import NewType

Digest = NewType("Digest", bytes)
"""The 32 raw bytes of a SHA-256."""

DIGEST_BYTES = 32
BASE32_LENGTH = 26
"""Characters of a digest's base32 that numbers and keys use: 130 bits."""

_BASE32 = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"
_PAIRS = [first + second for first in _BASE32 for second in _BASE32]
_SHIFTS = range(5 * (BASE32_LENGTH - 2), -1, -10)


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
    # Not by `base64.b32encode`, which is written in Python too and takes twice as long.
    bits = int.from_bytes(digest[:17], "big") >> 6  # of 136 bits the first 130
    return "".join([_PAIRS[bits >> shift & 0x3FF] for shift in _SHIFTS])
