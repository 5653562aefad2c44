"""A few attacks of each kind of the campaign; all of them with FULL=1."""

import os

import pytest
from fuzz.campaign import FULL, Tally, try_forgeries, try_merges, try_mutations

MUTATIONS, FORGERIES, MERGES = FULL if os.environ.get("FULL") else (600, 120, 6)


@pytest.fixture(scope="module")
def mutated() -> Tally:
    return try_mutations(MUTATIONS)


def test_a_changed_file_passes_only_where_no_hash_looks(mutated: Tally) -> None:
    assert mutated.escaped == []
    assert mutated.caught.total() > mutated.tried / 2


def test_mutations_meet_many_checks(mutated: Tally) -> None:
    assert len(mutated.caught) > 8


def test_a_forger_who_signs_everything_again_says_only_what_a_signer_may() -> None:
    tally = try_forgeries(FORGERIES)
    assert tally.escaped == []
    assert tally.caught.total() > tally.tried / 2


def test_merges_of_adversarial_copies_depend_on_no_order_and_hold_no_strangers_word() -> None:
    tally = try_merges(MERGES)
    assert tally.escaped == []
    assert tally.passed.total() == MERGES
