"""Bad bundles by name, each with the check that must catch it, re-signed so that no other does."""

import json
import time
from collections.abc import Callable
from copy import deepcopy
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from golden_data import GOLDEN
from signed_events import ISSUER, OTHER, STRANGER, signed

from transforms import Issuer, IssueTimes, build_bundle, bundle_bytes, canonical_json, merge
from transforms.bundle import SIGNED_MESSAGE, bundle_digest
from transforms.canon import sha256
from transforms.events import SIGNED_MESSAGE as EVENT_MESSAGE
from transforms.events import content_digest
from transforms.instants import from_text
from transforms.signing import encode_base64, public_key_document, signature_block
from transforms.verify import Outcome, verify_bundle

AT = from_text("2026-11-21T00:00:00.123456Z")
PINNED = [ISSUER.signer.public_key]
# A paper whose excerpt is its whole abstract, so that every check has something to check.
PAPER = next(golden.paper for golden in GOLDEN if len(golden.metadata["abstract"]) <= 600)
GOOD = build_bundle(PAPER, issuer=ISSUER, times=IssueTimes.at(AT))

Bundle = dict[str, Any]
Change = Callable[[Bundle], object]


def key_of(who: Issuer) -> dict[str, Any]:
    return public_key_document(who.signer.public_key, who.identity)


def sign_event(event: Bundle, *, by: Issuer = ISSUER) -> None:
    digest = content_digest(event)
    event["signature"] = signature_block(digest, EVENT_MESSAGE, issuer=by, signed_at=AT)
    event["content_sha256"], event["event_id"] = digest.hex(), f"sha256:{digest.hex()}"


def sign_receipt(bundle: Bundle, *, by: Issuer = ISSUER) -> None:
    receipt = bundle["events"][0]["payload"]["receipt"]
    digest = bytes.fromhex(bundle["canonical_sha256"])
    receipt["signature_b64"] = encode_base64(by.signer.sign(digest))


def merge_again(bundle: Bundle) -> None:
    bundle["state"] = merge(
        bundle["events"],
        number=bundle["pith_number"],
        public_keys=bundle["public_keys"],
        source_aliases=bundle["source_aliases"],
    )


def sign_bundle(bundle: Bundle, *, by: Issuer = ISSUER, at: datetime = AT) -> None:
    digest = bundle_digest(bundle)
    block = signature_block(digest, SIGNED_MESSAGE, issuer=by, signed_at=at)
    bundle["bundle_signature"] = {**block, "bundle_sha256": digest.hex()}


def resigned(change: Change) -> Bundle:
    """Change a good bundle, then sign it again as a whole: whoever holds the key could."""
    bundle = deepcopy(GOOD)
    change(bundle)
    sign_bundle(bundle)
    return bundle


def with_events(change: Change) -> Bundle:
    """Change it, then sign and merge its events again too."""

    def also(bundle: Bundle) -> None:
        change(bundle)
        for event in bundle["events"]:
            sign_event(event)
        merge_again(bundle)

    return resigned(also)


def merged(change: Change) -> Bundle:
    """Change it, then merge its events again, signatures as they are."""

    def also(bundle: Bundle) -> None:
        change(bundle)
        merge_again(bundle)

    return resigned(also)


def unsigned(change: Change) -> Bundle:
    bundle = deepcopy(GOOD)
    change(bundle)
    return bundle


def put(*path: Any) -> Change:
    """Set the value at `path[:-1]` to `path[-1]`."""
    *way, last, new = path

    def change(bundle: Any) -> None:
        for step in way:
            bundle = bundle[step]
        bundle[last] = new

    return change


def drop(*path: Any) -> Change:
    *way, last = path

    def change(bundle: Any) -> None:
        for step in way:
            bundle = bundle[step]
        del bundle[last]

    return change


def drop_state_event(bundle: Bundle) -> None:
    state = bundle["state"]
    state["applied_event_ids"].pop()
    del state["state_sha256"]
    state["state_sha256"] = sha256(canonical_json(state)).hex()


def second_time(bundle: Bundle) -> None:
    """Issue the receipt again with another first_computed_at."""
    first = bundle["events"][0]
    payload = deepcopy(first["payload"])
    payload["receipt"]["first_computed_at"] = "2026-11-20T00:00:00.000000Z"
    bundle["events"].append(
        signed("record_created", payload, at=AT, after=first, number=bundle["pith_number"])
    )


def two_titles(bundle: Bundle) -> None:
    payload = deepcopy(bundle["events"][1]["payload"])
    payload["graph_snapshot"]["paper"]["title"] = "Something else"
    old = bundle["events"][1]
    bundle["events"].append(
        signed("graph_snapshot", payload, at=AT, after=old, number=bundle["pith_number"])
    )


def event_by_unlisted_key(bundle: Bundle) -> None:
    sign_event(bundle["events"][1], by=STRANGER)


RECEIPT = ("events", 0, "payload", "receipt")
SHOWN = ("events", 1, "payload", "graph_snapshot", "paper")
SIGNATURE = "bundle_signature"
SUFFIX = GOOD["pith_number"][10:]
HASH = "0" * 64
TRUE = bool(1)
EARLY = "2020-01-01T00:00:00.000000Z"

BAD: dict[str, tuple[Bundle, str]] = {
    # What has no canonical form.
    "a key that is not ASCII": (unsigned(put("links", "\u00e9", 1)), "canonical_json"),
    "a lone surrogate": (unsigned(put("links", "x", "\ud800")), "canonical_json"),
    "a lone surrogate in a key": (unsigned(put("links", "\udfff", 1)), "canonical_json"),
    "nested deeply": (unsigned(put("links", "x", json.loads("[" * 300 + "]" * 300))),
                      "canonical_json"),
    # Versions.
    "another bundle version": (resigned(put("bundle_version", "2.0")), "version"),
    "bundle version a number": (resigned(put("bundle_version", 1)), "version"),
    "another merge": (resigned(put("merge_version", "v2")), "version"),
    "another record schema": (resigned(put("canonical_record", "schema_version", "2")), "version"),
    "no record": (resigned(drop("canonical_record")), "version"),
    "record a list": (resigned(put("canonical_record", [])), "version"),
    # Hash and numbers.
    "another licence": (
        resigned(put("canonical_record", "metadata", "license", "x")), "canonical_hash"),
    "another hash": (resigned(put("canonical_sha256", HASH)), "canonical_hash"),
    "hash in capitals": (
        resigned(put("canonical_sha256", GOOD["canonical_sha256"].upper())), "canonical_hash"),
    "hash missing": (resigned(drop("canonical_sha256")), "canonical_hash"),
    "hash null": (resigned(put("canonical_sha256", None)), "canonical_hash"),
    "record without metadata": (resigned(drop("canonical_record", "metadata")), "canonical_hash"),
    "submitted_at a number": (
        resigned(put("canonical_record", "metadata", "submitted_at", 2019)), "canonical_hash"),
    "number of another year": (
        resigned(put("pith_number", f"pith:1999:{SUFFIX}")), "pith_number"),
    "suffix too short": (resigned(put("pith_number", GOOD["pith_number"][:-1])), "pith_number"),
    "suffix too long": (resigned(put("pith_number", GOOD["pith_number"] + "A")), "pith_number"),
    "suffix in small letters": (
        resigned(put("pith_number", GOOD["pith_number"].lower())), "pith_number"),
    "number missing": (resigned(drop("pith_number")), "pith_number"),
    "number a list": (resigned(put("pith_number", [])), "pith_number"),
    "short number of 7": (
        resigned(put("short_pith_number", GOOD["short_pith_number"][:-1])), "short_pith_number"),
    "short number missing": (resigned(drop("short_pith_number")), "short_pith_number"),
    # Source and aliases.
    "source of another version": (resigned(put("source", "version", 9)), "source"),
    "source version true": (resigned(put("source", "version", TRUE)), "source"),
    "source with a key more": (resigned(put("source", "x", 1)), "source"),
    "source missing": (resigned(drop("source")), "source"),
    "aliases in another order": (resigned(lambda b: b["source_aliases"].reverse()), "aliases"),
    "an alias more": (
        resigned(lambda b: b["source_aliases"].append(b["source_aliases"][0])), "aliases"),
    "an alias less": (resigned(lambda b: b["source_aliases"].pop()), "aliases"),
    "no aliases": (resigned(put("source_aliases", [])), "aliases"),
    "aliases null": (resigned(put("source_aliases", None)), "aliases"),
    "an alias of another paper": (
        resigned(put("source_aliases", 0, "alias_value", "2601.00001")), "aliases"),
    "an alias that is a text": (resigned(put("source_aliases", 0, "arxiv")), "aliases"),
    "an alias with a key more": (resigned(put("source_aliases", 0, "x", 1)), "aliases"),
    "an alias without time": (resigned(drop("source_aliases", 0, "created_at")), "aliases"),
    "an alias at no time": (resigned(put("source_aliases", 0, "created_at", "now")), "aliases"),
    # Keys.
    "fingerprint of another key": (
        resigned(put("public_keys", 0, "fingerprint_sha256_hex", "0" * 32)), "public_keys"),
    "base32 fingerprint wrong": (
        resigned(put("public_keys", 0, "fingerprint_sha256_b32_first128bits", "A" * 26)),
        "public_keys"),
    "key in hex of another": (
        resigned(put("public_keys", 0, "public_key_hex", HASH)), "public_keys"),
    "key of 31 bytes": (
        resigned(put("public_keys", 0, "public_key_b64", encode_base64(b"x" * 31))), "public_keys"),
    "key no base64": (resigned(put("public_keys", 0, "public_key_b64", "?")), "public_keys"),
    "key of another algorithm": (
        resigned(put("public_keys", 0, "algorithm", "rsa")), "public_keys"),
    "key a number": (resigned(lambda b: b["public_keys"].append(7)), "public_keys"),
    "keys missing": (resigned(drop("public_keys")), "public_keys"),
    # Receipt.
    "no keys": (resigned(put("public_keys", [])), "receipt"),
    "receipt by another key": (
        with_events(lambda b: sign_receipt(b, by=OTHER)), "receipt"),
    "receipt under an unlisted name": (with_events(put(*RECEIPT, "key_id", "x")), "receipt"),
    "receipt for another digest": (
        with_events(put(*RECEIPT, "canonical_sha256", HASH)), "receipt"),
    "receipt of another kind": (with_events(put(*RECEIPT, "signed_message", "x")), "receipt"),
    "receipt not signed": (with_events(put(*RECEIPT, "signature_status", "none")), "receipt"),
    "receipt signed before computed": (with_events(put(*RECEIPT, "signed_at", EARLY)), "receipt"),
    "receipt reissued before computed": (
        with_events(put(*RECEIPT, "last_reissued_at", EARLY)), "receipt"),
    "receipt at no time": (with_events(put(*RECEIPT, "signed_at", "")), "receipt"),
    "receipt missing": (with_events(drop(*RECEIPT)), "receipt"),
    "receipts with two first times": (with_events(second_time), "receipt"),
    "event about another record": (
        with_events(put("events", 0, "payload", "canonical_sha256", HASH)), "receipt"),
    "no record_created": (with_events(drop("events", 0)), "receipt"),
    "no events": (with_events(put("events", [])), "receipt"),
    "record_created without payload": (with_events(drop("events", 0, "payload")), "receipt"),
    # Events.
    "event by an unlisted key": (merged(event_by_unlisted_key), "events"),
    "event of another number": (
        with_events(put("events", 1, "subject_pith_number", "pith:2019:X")), "events"),
    "event with another payload": (merged(put("events", 1, "payload", "verdict_id", 1)), "events"),
    "event with another hash": (merged(put("events", 1, "content_sha256", HASH)), "events"),
    "event with another id": (merged(put("events", 1, "event_id", "sha256:0")), "events"),
    "event without signature": (merged(drop("events", 1, "signature")), "events"),
    "event with the other's signature": (
        merged(lambda b: put("events", 1, "signature", b["events"][0]["signature"])(b)), "events"),
    "event superseding a number": (with_events(put("events", 1, "supersedes", [1])), "events"),
    "event at no time": (with_events(put("events", 1, "created_at", "soon")), "events"),
    "event at hour 24": (
        with_events(put("events", 1, "created_at", "2026-11-20T24:00:00Z")), "events"),
    "an event that is a text": (merged(lambda b: b["events"].append("x")), "events"),
    "signature with stray bits": (
        merged(put("events", 1, "signature", "signature_b64", "A" * 85 + "B==")), "events"),
    # Text.
    "another title": (with_events(put(*SHOWN, "title", "Something else")), "title"),
    "title a number": (with_events(put(*SHOWN, "title", 1)), "title"),
    "title missing": (with_events(drop(*SHOWN, "title")), "title"),
    "a later snapshot's title": (with_events(two_titles), "title"),
    "another abstract": (with_events(put(*SHOWN, "abstract_excerpt", "Else.")), "abstract"),
    "abstract missing": (with_events(drop(*SHOWN, "abstract_excerpt")), "abstract"),
    # State.
    "state without an event": (resigned(drop_state_event), "state"),
    "state with a key more": (resigned(put("state", "x", 1)), "state"),
    "state with another hash": (resigned(put("state", "state_sha256", HASH)), "state"),
    "state count true": (resigned(put("state", "event_count", TRUE)), "state"),
    "state shows no snapshot": (
        resigned(put("state", "current", "graph_snapshots", [])), "state"),
    "state missing": (resigned(drop("state")), "state"),
    "state a list": (resigned(put("state", [])), "state"),
    # Whole.
    "hash of the bundle wrong": (unsigned(put(SIGNATURE, "bundle_sha256", HASH)), "bundle_hash"),
    "a link changed": (unsigned(put("links", "resolver", "https://evil.example")), "bundle_hash"),
    "a key more": (unsigned(put("x", 1)), "bundle_hash"),
    "no bundle signature": (unsigned(drop(SIGNATURE)), "bundle_hash"),
    "signature for another bundle": (
        unsigned(put(SIGNATURE, "signature_b64", encode_base64(b"x" * 64))), "bundle_signature"),
    "signed by an unlisted key": (
        unsigned(lambda b: sign_bundle(b, by=STRANGER)), "bundle_signature"),
    "signature with a key more": (unsigned(put(SIGNATURE, "x", 1)), "bundle_signature"),
    "signature with a key less": (unsigned(drop(SIGNATURE, "algorithm")), "bundle_signature"),
    "signed a second later": (
        unsigned(lambda b: sign_bundle(b, at=AT + timedelta(seconds=1))), "bundle_signature"),
    "signed at no time": (unsigned(put(SIGNATURE, "signed_at", "")), "bundle_signature"),
    "built at no time": (resigned(put("built_at", None)), "bundle_signature"),
}  # fmt: skip

HARMLESS: dict[str, Bundle] = {
    "nothing changed": GOOD,
    "signed again": resigned(lambda _: None),
    "events in another order": merged(lambda b: b["events"].reverse()),
    "an event twice": merged(lambda b: b["events"].append(b["events"][0])),
    "a key listed and not used": resigned(lambda b: b["public_keys"].append(key_of(OTHER))),
    "a thousand keys": resigned(lambda b: b["public_keys"].extend([key_of(OTHER)] * 1000)),
    "another mirror": resigned(put("mirror_hints", [])),
    "an unknown event": merged(
        lambda b: b["events"].append(
            signed("blessing", {"n": 2**53}, at=AT, number=b["pith_number"])
        )
    ),
}


def test_there_are_at_least_sixty() -> None:
    assert len(BAD) >= 60


@pytest.mark.parametrize("name", BAD)
def test_a_bad_bundle_is_caught_by_its_check(name: str) -> None:
    bundle, check = BAD[name]
    report = verify_bundle(json.dumps(bundle).encode(), PINNED)
    assert report.failure
    assert report.failure.name == check
    assert report.failure.detail
    assert (report.valid, report.trusted) == (False, False)


@pytest.mark.parametrize("name", HARMLESS)
def test_a_harmless_change_is_valid(name: str) -> None:
    report = verify_bundle(bundle_bytes(HARMLESS[name]), PINNED)
    assert (report.failure, report.trusted) == (None, True)
    assert all(check.outcome is Outcome.PASS for check in report.checks)


def test_a_second_key_must_be_trusted_too() -> None:
    def sign_with_other(bundle: Bundle) -> None:
        bundle["public_keys"].append(key_of(OTHER))
        sign_event(bundle["events"][1], by=OTHER)

    data = bundle_bytes(merged(sign_with_other))
    assert (verify_bundle(data, PINNED).valid, verify_bundle(data, PINNED).trusted) == (True, False)
    assert verify_bundle(data, [*PINNED, OTHER.signer.public_key]).trusted


def crowd(bundle: Bundle) -> None:
    """Add two thousand events: half equivocate, half supersede all that came before."""
    number, moment = bundle["pith_number"], datetime(2026, 11, 20, tzinfo=UTC)
    rivals = [signed("correction", {"n": n}, at=moment, number=number) for n in range(1000)]
    bundle["events"] += rivals
    ids = [event["event_id"] for event in rivals]
    for n in range(1000):
        event = signed("mirror_hint", {"n": n}, at=moment, number=number)
        event["supersedes"] = ids[: n % 50]
        sign_event(event)
        bundle["events"].append(event)


def test_a_crowd_of_keys_and_events_is_answered_in_seconds() -> None:
    def both(bundle: Bundle) -> None:
        bundle["public_keys"].extend([key_of(OTHER)] * 1000)
        crowd(bundle)

    data = bundle_bytes(merged(both))
    started = time.process_time()
    report = verify_bundle(data, PINNED)
    assert time.process_time() - started < 5
    assert (report.failure, report.trusted) == (None, True)


def test_columns_must_say_the_same_as_their_bundle() -> None:
    columns: dict[str, object] = {
        "pith_number": GOOD["pith_number"],
        "canonical_sha256": GOOD["canonical_sha256"],
        "bundle_sha256": GOOD[SIGNATURE]["bundle_sha256"],
    }
    assert verify_bundle(bundle_bytes(GOOD), PINNED, columns=columns).trusted
    for name in columns:
        for other in ("x", None):
            report = verify_bundle(bundle_bytes(GOOD), PINNED, columns={**columns, name: other})
            assert report.failure
            assert report.failure.name == "columns"
