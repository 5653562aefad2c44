"""Bad bundles by name, each with the check that recomputes and must catch it."""

import json
from datetime import timedelta

from support.bundles.bad_bundles.changes import (
    EARLY,
    HASH,
    PAPER,
    RECEIPT,
    SIGNATURE,
    SUFFIX,
    TRUE,
    event_by_unlisted_key,
    second_time,
    two_titles,
)
from support.bundles.forging import (
    AT,
    GOOD,
    Bundle,
    drop,
    drop_state_event,
    merged,
    put,
    resigned,
    sign_bundle,
    sign_receipt,
    unsigned,
    with_events,
)
from support.bundles.signed_events import OTHER, STRANGER
from transforms.signing import encode_base64

BAD_WHOLE: dict[str, tuple[Bundle, str]] = {
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
    "another title": (with_events(put(*PAPER, "title", "Something else")), "title"),
    "title a number": (with_events(put(*PAPER, "title", 1)), "title"),
    "title missing": (with_events(drop(*PAPER, "title")), "title"),
    "a later snapshot's title": (with_events(two_titles), "title"),
    "another abstract": (with_events(put(*PAPER, "abstract_excerpt", "Else.")), "abstract"),
    "abstract missing": (with_events(drop(*PAPER, "abstract_excerpt")), "abstract"),
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
    "signed in whole seconds": (
        unsigned(put(SIGNATURE, "signed_at", "2026-11-21T00:00:00Z")), "bundle_signature"),
    "built at no time": (resigned(put("built_at", None)), "bundle_signature"),
}  # fmt: skip
