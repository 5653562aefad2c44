"""An index gives back each place, is sorted, and what is no index is refused."""

import gzip
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from transforms.registry.packs import BadIndexError, Place, read_index, to_member, write_index

SUFFIXES = st.text("ABCDEFGHIJKLMNOPQRSTUVWXYZ234567", min_size=24, max_size=24).map("QZ".__add__)
PLACES = st.builds(
    Place, st.integers(0, 2**16 - 1), st.integers(0, 2**32 - 1), st.integers(0, 2**32 - 1)
)


@given(st.dictionaries(SUFFIXES, PLACES))
def test_an_index_gives_back_what_was_written(places: dict[str, Place]) -> None:
    data = write_index(places)
    assert len(data) == 25 * len(places)
    assert read_index("QZ", data) == places
    assert list(read_index("QZ", data)) == sorted(places, key=_in_bytes)


def _in_bytes(suffix: str) -> list[int]:
    return ["ABCDEFGHIJKLMNOPQRSTUVWXYZ234567".index(character) for character in suffix]


@given(st.dictionaries(SUFFIXES, PLACES, min_size=2))
def test_an_index_that_is_cut_or_out_of_order_is_refused(places: dict[str, Place]) -> None:
    data = write_index(places)
    with pytest.raises(BadIndexError, match="multiple of 25"):
        read_index("QZ", data[:-1])
    first, second = data[:25], data[25:50]
    for wrong in (second + first, first + first):
        with pytest.raises(BadIndexError, match="not sorted"):
            read_index("QZ", wrong + data[50:])


@given(st.binary(), st.binary())
def test_members_are_gzip_and_lie_one_after_the_other(one: bytes, other: bytes) -> None:
    members = [to_member(one), to_member(other)]
    assert [gzip.decompress(member) for member in members] == [one, other]
    assert gzip.decompress(b"".join(members)) == one + other
    assert all(a == b for a, b in pairwise([to_member(one), to_member(one)]))
