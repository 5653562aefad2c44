"""Digests: bytes within the program, hex and base32 at its edges."""

import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from transforms.encoding.digest import base32_prefix, from_hex, sha256, to_hex

ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"  # RFC 4648, section 6


@given(st.binary())
def test_a_digest_comes_back_from_its_hex(data: bytes) -> None:
    digest = sha256(data)
    assert to_hex(digest) == hashlib.sha256(data).hexdigest()
    assert from_hex(to_hex(digest)) == digest


@pytest.mark.parametrize(
    "text", ["", "zz" * 32, "ab" * 31, "ab" * 33, "AB" * 32, " " + "ab" * 32, "ab " * 32, "١٢" * 32]
)
def test_what_is_no_digest_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="hex"):
        from_hex(text)


@given(st.binary())
def test_base32_is_of_the_first_130_bits(data: bytes) -> None:
    digest = sha256(data)
    bits = int.from_bytes(digest) >> (256 - 130)
    due = "".join(ALPHABET[bits >> shift & 31] for shift in range(125, -1, -5))
    assert base32_prefix(digest) == due
