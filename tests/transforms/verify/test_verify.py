"""Verifying bundles: what is wrong is found and named (spec, section 7)."""

import json
import random
from typing import Any

import pytest
from support.bundles.bad_bundles import HOSTILE
from support.bundles.signed_events import ISSUER
from support.papers.golden_data import GOLDEN, Golden

from transforms import IssueTimes, build_bundle, bundle_bytes
from transforms.encoding.canonical import compact_json_unchecked
from transforms.encoding.timestamps import from_text
from transforms.verify.verify import PITH_SCIENCE_KEY, Outcome, verify_bundle

each_golden = pytest.mark.parametrize("golden", GOLDEN, ids=lambda golden: golden.id)
REPLACEMENTS = 'abcdefABCDEF0123456789 "\\{}[],:-_./\u00e9'


@each_golden
def test_a_published_bundle_is_valid_and_trusted_only_with_its_key(golden: Golden) -> None:
    with_key = verify_bundle(golden.data, [PITH_SCIENCE_KEY])
    without = verify_bundle(golden.data, [ISSUER.signer.public_key])
    assert (with_key.valid, with_key.trusted) == (True, True)
    assert (without.valid, without.trusted) == (True, False)
    assert with_key.pith_number == golden.metadata["pith_number"]
    assert verify_bundle(golden.data, []).trusted is False


@each_golden
def test_a_cut_abstract_is_the_only_thing_that_cannot_be_checked(golden: Golden) -> None:
    unchecked = {c.name for c in verify_bundle(golden.data, []).checks
                 if c.outcome is Outcome.UNCHECKED}  # fmt: skip
    whole = len(golden.metadata["abstract"]) <= 600
    assert unchecked == (set() if whole else {"abstract"})


def uncovered_digits(data: str) -> set[int]:
    """Find the one place that no hash covers: the fraction of the last signature's time.

    The signature is over `bundle_sha256`, which leaves the signature object out. Its seconds are
    bounded by `built_at`, its fraction by nothing.
    """
    start = data.rindex('"signed_at":"') + len('"signed_at":"2026-05-26T18:12:40.')
    return set(range(start, start + 6))


@pytest.mark.long
@each_golden
def test_every_changed_character_is_found(golden: Golden) -> None:
    data = golden.data.decode()
    choose = random.Random(golden.id)
    # Every one in the shortest file, a sample in the others: a second each.
    everywhere = golden is min(GOLDEN, key=lambda other: len(other.data))
    positions = range(len(data)) if everywhere else choose.sample(range(len(data)), 1500)
    unnoticed = set()
    for position in positions:
        character = data[position]
        kind = "0123456789" if character.isdigit() else REPLACEMENTS
        other = choose.choice([c for c in kind if c != character])
        report = verify_bundle((data[:position] + other + data[position + 1 :]).encode(), [])
        if report.valid:
            unnoticed.add(position)
        else:
            assert report.unreadable or report.failure
    assert unnoticed <= uncovered_digits(data)


def test_what_we_sign_verifies_and_is_trusted_with_our_key() -> None:
    moment = from_text("2026-11-21T00:00:00.123456Z")
    bundle = build_bundle(GOLDEN[0].paper, issuer=ISSUER, times=IssueTimes.at(moment))
    report = verify_bundle(bundle_bytes(bundle), [ISSUER.signer.public_key])
    assert (report.valid, report.trusted) == (True, True)


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_bytes_get_an_answer(name: str) -> None:
    report = verify_bundle(HOSTILE[name], [])
    assert report.unreadable
    assert not report.valid


def places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    inner = (
        value.items() if isinstance(value, dict)
        else enumerate(value) if isinstance(value, list) else ()
    )  # fmt: skip
    return [path, *(found for key, item in inner for found in places(item, (*path, key)))]


def changed(value: Any, path: tuple[Any, ...], *, new: Any) -> Any:
    if not path:
        return new
    copy = dict(value) if isinstance(value, dict) else list(value)
    copy[path[0]] = changed(value[path[0]], path[1:], new=new)
    return copy


@pytest.mark.parametrize("new", [None, True, 0, "", "\ud800", [], {}, [[]], {"a": {}}], ids=repr)
def test_a_wrong_type_anywhere_gets_an_answer(new: Any) -> None:
    bundle = GOLDEN[4].bundle
    for path in places(bundle):
        other = changed(bundle, path, new=new)
        if other != bundle:
            report = verify_bundle(json.dumps(other).encode(), [PITH_SCIENCE_KEY])
            assert not report.valid, path
            assert not report.trusted


def test_true_is_not_one() -> None:
    bundle = GOLDEN[0].bundle
    other = changed(bundle, ("source", "version"), new=True)
    failure = verify_bundle(compact_json_unchecked(other), []).failure
    assert failure
    assert failure.name == "source"
