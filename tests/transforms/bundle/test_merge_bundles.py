"""Merging copies of a bundle: our key signs only what it can stand for, or nothing."""

import json
from copy import deepcopy
from dataclasses import replace
from datetime import timedelta
from itertools import permutations
from random import Random
from typing import Any

import pytest
from support.bundles.adversarial_copies import LATER, sign_otherwise
from support.bundles.bad_bundles import later_snapshot
from support.bundles.forging import (
    AT,
    GOOD,
    PAPER,
    Bundle,
    key_of,
    merge_again,
    sign_bundle,
    sign_event,
)
from support.bundles.signed_events import ISSUER, OTHER, STRANGER, signed
from support.papers.golden_data import GOLDEN

from transforms import Issuer, bundle_bytes
from transforms.bundle.build import draft
from transforms.bundle.events import content_digest
from transforms.bundle.later_events import append_snapshot, reissue
from transforms.bundle.merge_bundles import CannotMergeError, MergedBundle, merge_bundles
from transforms.encoding.timestamps import to_seconds
from transforms.signing import Ed25519Signer, encode_base64
from transforms.verify.verify import verify_bundle

NOW = LATER + timedelta(minutes=1)
NUMBER = GOOD["pith_number"]


def merged(*copies: Bundle, issuer: Issuer = ISSUER, **trust: Any) -> MergedBundle:
    """Merge valid copies to what must be a valid bundle."""
    for copy in copies:
        assert verify_bundle(bundle_bytes(copy), []).failure is None
    result = merge_bundles(copies, issuer=issuer, moment=NOW, **trust)
    assert verify_bundle(bundle_bytes(result.bundle), []).failure is None
    return result


def by(who: Issuer, bundle: Bundle, *events: Any) -> Bundle:
    """Return a copy that `who` signs, with more events."""
    bundle = deepcopy(bundle)
    bundle["events"] += deepcopy(list(events))
    if who.identity.key_id not in {key["key_id"] for key in bundle["public_keys"]}:
        bundle["public_keys"].append(key_of(who))
    bundle["built_at"] = to_seconds(LATER)
    merge_again(bundle)
    sign_bundle(bundle, by=who, at=LATER)
    return bundle


def blessing(**changed: Any) -> dict[str, Any]:
    """Return an event whose signer does not say which key is its own."""
    return signed("blessing", {"n": 1}, at=AT, number=NUMBER, **changed)


def test_copies_merge_to_one_bundle_whatever_their_order() -> None:
    other = draft(replace(PAPER, authors="Somebody Else"))
    copies = [
        GOOD,
        reissue(GOOD, issuer=ISSUER, moment=AT + timedelta(seconds=1)),
        append_snapshot(GOOD, other, issuer=ISSUER, moment=AT + timedelta(seconds=1)),
    ]
    result = merged(*copies, issuer=OTHER).bundle
    assert len(result["events"]) == 4
    for seed in range(6):
        shuffled = copies * 2
        Random(seed).shuffle(shuffled)
        assert merged(*shuffled, issuer=OTHER).bundle == result
    with pytest.raises(CannotMergeError, match="different records"):
        merge_bundles([GOOD, GOLDEN[1].bundle], issuer=OTHER, moment=NOW)


def test_a_strangers_time_of_signing_is_not_taken() -> None:
    copy = deepcopy(GOOD)
    for event in copy["events"]:
        event["signature"]["signed_at"] = "2026-11-21T07:07:07.777777Z"
    copy = by(STRANGER, copy)
    alone, beside = merged(copy).bundle, merged(copy, GOOD).bundle
    times = [event["signature"]["signed_at"] for event in alone["events"]]
    assert times == ["2026-11-21T00:00:00.000000Z"] * 2
    assert beside["events"] == GOOD["events"]


def test_a_strangers_times_of_aliases_are_not_taken() -> None:
    copy = deepcopy(GOOD)
    for alias in copy["source_aliases"]:
        alias["created_at"] = "2026-11-21T07:07:07Z"
    copy = by(STRANGER, copy)
    assert merged(copy).bundle["source_aliases"] == GOOD["source_aliases"]
    assert merged(copy, GOOD).bundle["source_aliases"] == GOOD["source_aliases"]


def test_what_a_stranger_says_of_keys_is_not_taken() -> None:
    copy = deepcopy(GOOD)
    copy["public_keys"][0] |= {"url": "https://evil.example/", "notes": "evil"}
    event = blessing(by=STRANGER)
    copy = by(STRANGER, copy, event)
    copy["public_keys"][1] |= {"url": "https://evil.example/", "notes": "evil"}
    keys = merged(by(STRANGER, copy)).bundle["public_keys"]
    assert keys[0] == key_of(ISSUER)
    (key,) = keys[1:]
    assert (key["public_key_hex"], key["url"], key["notes"]) == (
        STRANGER.signer.public_key.hex(),
        None,
        "",
    )


def test_a_key_that_signed_nothing_is_not_listed() -> None:
    assert merged(by(STRANGER, GOOD)).bundle["public_keys"] == [key_of(ISSUER)]


def test_a_strangers_name_for_our_key_is_not_taken() -> None:
    copy, event = deepcopy(GOOD), blessing()
    copy["public_keys"].append({**key_of(ISSUER), "key_id": "evil-key"})
    event["signature"]["key_id"] = "evil-key"
    result = merged(by(STRANGER, copy, event)).bundle
    assert "evil" not in bundle_bytes(result).decode()
    assert len(result["events"]) == 3


def test_a_trusted_signature_is_preferred_whichever_copy_comes_last() -> None:
    ours, theirs = blessing(), blessing()
    sign_event(theirs, by=STRANGER)
    assert ours["event_id"] == theirs["event_id"]
    copies = [by(STRANGER, GOOD, theirs), by(OTHER, GOOD, ours)]
    for order in permutations(copies):
        (event,) = [e for e in merged(*order).bundle["events"] if e["event_type"] == "blessing"]
        assert event["signature"]["public_key_fingerprint"] == ISSUER.fingerprint
    # Nobody's key is trusted: the least bytes, which no order changes.
    nobody = Issuer(ISSUER.identity, Ed25519Signer(b"n" * 32))
    results = {bundle_bytes(merged(*order, issuer=nobody).bundle) for order in permutations(copies)}
    assert len(results) == 1


def test_of_two_signatures_by_one_key_the_least_is_taken() -> None:
    event = blessing(by=OTHER)
    digest = content_digest(event)
    signatures = [event["signature"]["signature_b64"]]
    for nonce in range(3):
        made = sign_otherwise(b"other".ljust(32, b"."), digest, nonce)
        signatures.append(encode_base64(made))
    copies = []
    for signature in signatures:
        other = deepcopy(event)
        other["signature"]["signature_b64"] = signature
        copies.append(by(OTHER, GOOD, other))
    results = {bundle_bytes(merged(*order).bundle) for order in permutations(copies)}
    assert len(results) == 1


def test_two_first_times_are_named_and_nothing_is_signed() -> None:
    golden = next(g for g in GOLDEN if g.metadata["pith_number"] == NUMBER)
    for copies in ([GOOD, golden.bundle], [golden.bundle, GOOD]):
        with pytest.raises(CannotMergeError) as caught:
            merge_bundles(copies, issuer=ISSUER, moment=NOW)
        said = str(caught.value)
        assert "2026-05-18T00:01:09.598220Z by pith.science" in said
        assert "2026-11-21T00:00:00.123456Z by issuer.example" in said


def test_our_own_copies_that_dispute_an_alias_are_named() -> None:
    copies = []
    for seconds in (5, 3):
        copy = deepcopy(GOOD)
        copy["source_aliases"][5]["created_at"] = f"2026-11-21T00:00:0{seconds}Z"
        copies.append(by(ISSUER, copy))
    result = merged(*copies)
    assert result.bundle["source_aliases"][5]["created_at"] == "2026-11-21T00:00:03Z"
    (note,) = result.notes
    assert "pith_short_8" in note


def test_an_event_of_the_future_is_refused() -> None:
    event = signed("blessing", {}, at=NOW + timedelta(days=2), number=NUMBER)
    copy = deepcopy(GOOD)
    copy["events"].append(event)
    copy["built_at"] = to_seconds(NOW + timedelta(days=3))
    merge_again(copy)
    sign_bundle(copy, at=NOW + timedelta(days=3))
    assert verify_bundle(bundle_bytes(copy), []).valid
    with pytest.raises(CannotMergeError, match="more than a day after now"):
        merge_bundles([copy], issuer=ISSUER, moment=NOW)


def test_an_event_that_our_clock_does_not_know_yet_dates_the_whole() -> None:
    event = signed("blessing", {}, at=NOW + timedelta(hours=2), number=NUMBER)
    copy = deepcopy(GOOD)
    copy["events"].append(event)
    copy["built_at"] = to_seconds(NOW + timedelta(hours=3))
    merge_again(copy)
    sign_bundle(copy, at=NOW + timedelta(hours=3))
    assert merged(copy).bundle["built_at"] == to_seconds(NOW + timedelta(hours=2))


def test_invented_proofs_are_left_out_and_said() -> None:
    copy = deepcopy(GOOD)
    copy["timestamp_proofs"] = [{"kind": "invented"}]
    result = merged(by(STRANGER, copy))
    assert result.bundle["timestamp_proofs"] == []
    assert "1 timestamp proofs" in result.notes[0]


@pytest.mark.parametrize("golden", GOLDEN, ids=lambda golden: golden.id)
def test_a_published_events_bytes_stay_but_for_what_nothing_covers(golden: Any) -> None:
    shuffled = {name: golden.bundle[name] for name in sorted(golden.bundle)}
    result = merged(json.loads(json.dumps(shuffled, sort_keys=True))).bundle
    published = deepcopy(golden.bundle["events"])
    for event in published:
        event["signature"]["signed_at"] = event["created_at"].replace("Z", ".000000Z")
    assert json.dumps(result["events"]) == json.dumps(published)


def test_a_key_renamed_since_keeps_both_names() -> None:
    renamed = Issuer(replace(ISSUER.identity, key_id="zz-new"), ISSUER.signer)
    for bundle in (
        merged(GOOD, issuer=renamed).bundle,
        reissue(GOOD, issuer=renamed, moment=LATER),
        append_snapshot(GOOD, draft(PAPER), issuer=renamed, moment=LATER),
    ):
        assert verify_bundle(bundle_bytes(bundle), []).failure is None
        assert [key["key_id"] for key in bundle["public_keys"]] == ["zz-new", "issuer-key"]


def test_a_clock_that_is_behind_signs_nothing_before_what_is_there() -> None:
    early = AT - timedelta(days=400)
    for bundle in (
        reissue(GOOD, issuer=ISSUER, moment=early),
        append_snapshot(GOOD, draft(PAPER), issuer=ISSUER, moment=early),
    ):
        assert verify_bundle(bundle_bytes(bundle), []).failure is None
        assert bundle["events"][-1]["created_at"] == GOOD["events"][0]["created_at"]


def test_later_snapshots_of_strangers_stand_beside_ours() -> None:
    bundle = deepcopy(GOOD)
    later_snapshot(authors_text="Somebody Else")(bundle)
    event = bundle["events"].pop()
    event["signer"] |= {
        "signer_id": "stranger.example",
        "key_id": STRANGER.identity.key_id,
        "public_key_fingerprint": STRANGER.fingerprint,
    }
    sign_event(event, by=STRANGER)
    shown = merged(by(STRANGER, GOOD, event), GOOD).bundle["state"]["current"]["graph_snapshots"]
    assert len(shown) == 2
