"""Bad bundles by name, each with the check that must catch it, re-signed so that no other does."""

import json
from copy import deepcopy
from datetime import timedelta
from typing import Any

from support.forging import (
    AT,
    GOOD,
    Bundle,
    Change,
    drop,
    drop_state_event,
    key_of,
    merged,
    put,
    resigned,
    restated,
    sign_bundle,
    sign_event,
    sign_receipt,
    unsigned,
    with_events,
)
from support.signed_events import OTHER, STRANGER, signed
from transforms.signing import encode_base64


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
GOOD_PAPER = GOOD["events"][1]["payload"]["graph_snapshot"]["paper"]
EXCERPT = GOOD_PAPER["abstract_excerpt"]
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
    "signed in whole seconds": (
        unsigned(put(SIGNATURE, "signed_at", "2026-11-21T00:00:00Z")), "bundle_signature"),
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


def one_more(event_type: str, **changed: Any) -> Change:
    """Add an event of a foreign type, changed before it is signed."""

    def change(bundle: Bundle) -> None:
        event = signed(event_type, {"n": 2**53}, at=AT, number=bundle["pith_number"])
        event |= changed
        sign_event(event)
        bundle["events"].append(event)

    return change


def later_snapshot(**shown: Any) -> Change:
    def change(bundle: Bundle) -> None:
        old = bundle["events"][1]
        payload = deepcopy(old["payload"])
        payload["graph_snapshot"]["paper"] |= shown
        event = signed("graph_snapshot", payload, at=AT, after=old, number=bundle["pith_number"])
        bundle["events"].append(event)

    return change


def list_other(bundle: Bundle) -> None:
    bundle["public_keys"].append(key_of(OTHER))


def signed_again_by_other(bundle: Bundle) -> None:
    """Sign an event again by another listed key: its signer says that it is not."""
    list_other(bundle)
    sign_event(bundle["events"][1], by=OTHER)


def twice_with(**changed: Any) -> Change:
    """List the key a second time, with something changed."""
    return lambda bundle: bundle["public_keys"].append({**bundle["public_keys"][0], **changed})


def rename_key(bundle: Bundle) -> None:
    """List the key under a second id too, and let what no signature covers name that."""
    twice_with(key_id="second")(bundle)
    sign_bundle(bundle)
    bundle["bundle_signature"]["key_id"] = "second"


def elsewhere(base_url: str) -> Change:
    """Let all links and mirrors lead to another base."""

    def change(bundle: Bundle) -> None:
        old = bundle["mirror_hints"][0]["base_url"]
        for part in (bundle["links"], bundle["mirror_hints"][0]):
            part |= {name: text.replace(old, base_url) for name, text in part.items()}

    return change


def late_event(bundle: Bundle) -> None:
    """Sign an event a microsecond after the whole."""
    sign_event(bundle["events"][1], at=AT + timedelta(microseconds=1))


RECORD = ("canonical_record",)
SOURCE = (*RECORD, "source")
METADATA = (*RECORD, "metadata")
CREATED = ("events", 0)
SNAPSHOT = ("events", 1, "payload", "graph_snapshot")
EMPTY = {"count": 0, "items": []}
FUTURE = "2999-01-01T00:00:00"
OTHER_SUFFIX = "A" * 26

BAD_PARTS: dict[str, tuple[Bundle, str]] = {
    # Keys and signature of the whole, what no signature covers.
    "a key twice with other notes": (resigned(twice_with(notes="x")), "public_keys"),
    "a key under another id than listed first": (unsigned(rename_key), "bundle_signature"),
    # Form: the record.
    "version -5": (restated(put(*SOURCE, "version", -5)), "schema"),
    "version 0": (restated(put(*SOURCE, "version", 0)), "schema"),
    "version 10000": (restated(put(*SOURCE, "version", 10000)), "schema"),
    "an id with its version": (restated(put(*SOURCE, "id", "1906.10822v1")), "schema"),
    "an id that is a path": (restated(put(*SOURCE, "id", "../1906.10822")), "schema"),
    "an id of two lines": (restated(put(*SOURCE, "id", "1906.10822\n")), "schema"),
    "an id in other digits": (restated(put(*SOURCE, "id", "١٩٠٦.10822")), "schema"),
    "another kind of source": (restated(put(*SOURCE, "kind", "biorxiv")), "schema"),
    "a source with a key more": (restated(put(*SOURCE, "x", 1)), "schema"),
    "a record with a key more": (restated(put(*RECORD, "x", 1)), "schema"),
    "metadata with a key more": (restated(put(*METADATA, "x", 1)), "schema"),
    "a licence that is null": (restated(put(*METADATA, "license", None)), "schema"),
    "a licence of two lines": (restated(put(*METADATA, "license", "a\nb")), "schema"),
    "a category that is none": (restated(put(*METADATA, "primary_cat", "CS.LG")), "schema"),
    "a cross-list that is none": (
        restated(put(*METADATA, "cross_cats_sorted", ["stat.ML", "x y"])), "schema"),
    "submitted at a fraction": (
        restated(put(*METADATA, "submitted_at", "2019-06-26T02:54:26.000000Z")), "schema"),
    # Form: events.
    "record_created of schema 9.9": (with_events(put(*CREATED, "schema_version", "9.9")), "schema"),
    "a snapshot of schema 9.9": (with_events(put("events", 1, "schema_version", "9.9")), "schema"),
    "record_created about the graph": (with_events(put(*CREATED, "target", "graph")), "schema"),
    "a snapshot about the record": (with_events(put("events", 1, "target", "record")), "schema"),
    "a snapshot about the universe": (with_events(put("events", 1, "target", "x")), "schema"),
    "an event with a key more": (with_events(put(*CREATED, "x", 1)), "schema"),
    "a payload with a key more": (with_events(put(*CREATED, "payload", "x", 1)), "schema"),
    "a receipt with a key more": (with_events(put(*RECEIPT, "x", 1)), "schema"),
    "a receipt of version 9": (with_events(put(*RECEIPT, "receipt_version", "9")), "schema"),
    "a receipt of no kind": (with_events(put(*RECEIPT, "kind", "x")), "schema"),
    "a receipt without builder": (with_events(put(*RECEIPT, "builder_version", "")), "schema"),
    "a receipt signed in whole seconds": (
        with_events(put(*RECEIPT, "signed_at", "2026-11-21T00:00:01Z")), "schema"),
    "an attestation of more": (
        with_events(put(*CREATED, "payload", "attestation_state", "reviewed")), "schema"),
    "an event at a fraction": (
        with_events(put(*CREATED, "created_at", "2026-11-21T00:00:00.000000Z")), "schema"),
    "a signer of another type": (
        with_events(put(*CREATED, "signer", "signer_type", "x")), "schema"),
    "a signer without a key": (with_events(drop(*CREATED, "signer", "key_id")), "schema"),
    "a signer with a key more": (with_events(put(*CREATED, "signer", "x", 1)), "schema"),
    "a signer without a name": (with_events(put(*CREATED, "signer", "signer_id", "")), "schema"),
    "a signature with more": (merged(put(*CREATED, "signature", "x", 1)), "schema"),
    "a foreign event's signature with more": (
        merged(lambda b: [one_more("blessing")(b), put("events", 2, "signature", "x", 1)(b)]),
        "schema"),
    "a signature in whole seconds": (
        merged(put(*CREATED, "signature", "signed_at", "2026-11-21T00:00:00Z")), "schema"),
    "an event that supersedes no event": (
        with_events(put(*CREATED, "supersedes", ["x"])), "schema"),
    "an event that supersedes one twice": (
        with_events(put(*CREATED, "supersedes", [f"sha256:{HASH}"] * 2)), "schema"),
    "an event after no event": (with_events(put(*CREATED, "prev_event", "x")), "schema"),
    "a snapshot with a key more": (with_events(put(*SNAPSHOT, "x", 1)), "schema"),
    "a paper with a key more": (with_events(put(*SHOWN, "x", 1)), "schema"),
    "a title of two lines": (
        with_events(put(*SHOWN, "title", GOOD_PAPER["title"].replace(" ", "\n", 1))), "schema"),
    "an excerpt of 601 characters": (
        with_events(put(*SHOWN, "abstract_excerpt", EXCERPT.ljust(601))), "schema"),
    "authors of two lines": (with_events(put(*SHOWN, "authors_text", "A\nB")), "schema"),
    "a section without a hash": (with_events(put(*SNAPSHOT, "claims", EMPTY)), "schema"),
    # Form: the rest.
    "a bundle with a key more": (resigned(put("x", 1)), "schema"),
    "a bundle without proofs": (resigned(drop("timestamp_proofs")), "schema"),
    "proofs that are an object": (resigned(put("timestamp_proofs", {})), "schema"),
    "mirrors that are null": (resigned(put("mirror_hints", None)), "schema"),
    "links that are a list": (resigned(put("links", [])), "schema"),
    "a public key with a key more": (resigned(put("public_keys", 0, "x", 1)), "schema"),
    "a key's page that is none": (
        resigned(put("public_keys", 0, "url", "javascript:alert(1)")), "schema"),
    "a key's notes that are null": (resigned(put("public_keys", 0, "notes", None)), "schema"),
    "a key that rotates some time": (
        resigned(put("public_keys", 0, "rotates_at", "soon")), "schema"),
    # Who signed.
    "a signer with another key id": (
        with_events(put(*CREATED, "signer", "key_id", "x")), "signers"),
    "a signer with another fingerprint": (
        with_events(put("events", 1, "signer", "public_key_fingerprint", "0" * 32)), "signers"),
    "an event signed again by another key": (merged(signed_again_by_other), "signers"),
    "a foreign signer with another key": (
        merged(one_more("blessing", signer={"signer_id": "x", "key_id": "y"})), "signers"),
    # Parts that say the same.
    "a snapshot of another licence": (with_events(put(*SHOWN, "license", "x")), "payloads"),
    "a snapshot of another category": (with_events(put(*SHOWN, "primary_cat", "x")), "payloads"),
    "a snapshot of a category more": (
        with_events(put(*SHOWN, "cross_cats", ["cs.LG", "stat.ML"])), "payloads"),
    "a snapshot of another date": (
        with_events(put(*SHOWN, "submitted_at", "2019-06-26T02:54:27Z")), "payloads"),
    "a snapshot of another paper": (with_events(put(*SNAPSHOT, "source", "id", "x/0000000")),
                                    "payloads"),
    "a snapshot of another version": (with_events(put(*SNAPSHOT, "source", "version", 9)),
                                      "payloads"),
    "a later snapshot of another licence": (merged(later_snapshot(license="x")), "payloads"),
    "a receipt for another source": (
        with_events(put(*CREATED, "payload", "source_id", "2601.00001")), "payloads"),
    "a receipt for another version": (
        with_events(put(*CREATED, "payload", "source_version", 9)), "payloads"),
    "cross-lists out of order": (
        restated(put(*METADATA, "cross_cats_sorted", ["stat.ML", "cs.LG"])), "payloads"),
    # Sections.
    "claims that say that they are empty": (
        with_events(put(*SNAPSHOT, "claims", "count", 1)), "sections"),
    "no claims, with another hash": (
        with_events(put(*SNAPSHOT, "claims", "snapshot_sha256", HASH)), "sections"),
    "a count of claims that is false": (
        with_events(put(*SNAPSHOT, "claims", "count", bool(0))), "sections"),
    # Dates.
    "signed before an event was": (merged(late_event), "dates"),
    "an event after the whole": (
        with_events(put(*CREATED, "created_at", "2026-11-21T00:00:01Z")), "dates"),
    "an alias after the whole": (
        merged(put("source_aliases", 0, "created_at", f"{FUTURE}Z")), "dates"),
    "a receipt after the whole": (
        with_events(put(*RECEIPT, "signed_at", f"{FUTURE}.000000Z")), "dates"),
    "a signature at no time": (
        merged(put(*CREATED, "signature", "signed_at", "2026-02-30T00:00:00.000000Z")), "dates"),
    "a foreign event after the whole": (
        merged(one_more("blessing", created_at=f"{FUTURE}Z")), "dates"),
    "submitted after it was computed": (
        restated(put(*METADATA, "submitted_at", f"{FUTURE}Z")), "dates"),
    "submitted in 1901": (
        restated(put(*METADATA, "submitted_at", "1901-01-01T00:00:00Z")), "dates"),
    "submitted on the 30th of February": (
        restated(put(*METADATA, "submitted_at", "2019-02-30T00:00:00Z")), "dates"),
    # Addresses.
    "links to another host": (
        resigned(put("links", "resolver", f"https://evil.example/pith/{SUFFIX}")), "links"),
    "a link to another record": (
        resigned(put("links", "bundle", f"https://issuer.example/pith/{OTHER_SUFFIX}/bundle.json")),
        "links"),
    "a link that is a script": (
        resigned(put("links", "resolver", f"javascript:alert(1)/pith/{SUFFIX}")), "links"),
    "all links to a script": (resigned(elsewhere("javascript:alert(1)//")), "links"),
    "all links to a user's name": (resigned(elsewhere("https://pith.science@evil")), "links"),
    "all links to a fragment": (resigned(elsewhere("https://issuer.example#")), "links"),
    "all links to two lines": (resigned(elsewhere("https://issuer.example\n")), "links"),
    "a link more": (resigned(put("links", "graph", "https://issuer.example/graph.json")), "links"),
    "a link less": (resigned(drop("links", "state")), "links"),
    "a mirror of another record": (
        resigned(put("mirror_hints", 0, "state_url",
                     f"https://issuer.example/pith/{OTHER_SUFFIX}/state.json")), "links"),
    "a primary mirror elsewhere": (
        resigned(lambda b: put("links", deepcopy(b["links"]) | {
            name: url.replace("issuer", "other") for name, url in b["links"].items()})(b)),
        "links"),
    "a mirror with a key more": (resigned(put("mirror_hints", 0, "x", 1)), "links"),
    "a mirror of another kind": (resigned(put("mirror_hints", 0, "mirror_type", "ipfs")), "links"),
    "a mirror with an empty name": (resigned(put("mirror_hints", 0, "name", "")), "links"),
    "a mirror without a name": (resigned(put("mirror_hints", 0, "name", None)), "links"),
}  # fmt: skip
BAD |= BAD_PARTS

UNCHECKED: dict[str, tuple[Bundle, str]] = {
    "invented proofs": (
        resigned(put("timestamp_proofs", [{"kind": "invented", "at": EARLY}])), "timestamp_proofs"),
    "proofs of no form": (resigned(put("timestamp_proofs", [None, 1, "x"])), "timestamp_proofs"),
    "claims": (
        with_events(put(*SNAPSHOT, "claims", {**EMPTY, "count": 1, "snapshot_sha256": HASH})),
        "sections"),
    "a verdict": (with_events(put(*SNAPSHOT, "verdict", "strongest_claim", "x")), "sections"),
    "a verdict's id": (with_events(put("events", 1, "payload", "verdict_id", "x")), "sections"),
    "a headline": (with_events(put(*SHOWN, "headline", "x")), "sections"),
}  # fmt: skip
"""What nobody can check yet: the bundle is valid, and the check says that it was not made."""


def mirror_elsewhere(bundle: Bundle) -> None:
    hint = deepcopy(bundle["mirror_hints"][0])
    other = {name: text.replace("issuer", "mirror") for name, text in hint.items()}
    bundle["mirror_hints"].append({**other, "status": "secondary"})


def two_signatures(bundle: Bundle) -> None:
    """Hold one event twice, signed at two times."""
    event = deepcopy(bundle["events"][1])
    event["signature"]["signed_at"] = "2026-11-20T00:00:00.000000Z"
    bundle["events"].append(event)


HARMLESS |= {
    "a foreign event of another schema": merged(
        one_more("pith.integrity.v1", schema_version="9.9", target="universe", extra={"x": [1]})
    ),
    "a foreign event whose signer says more": merged(
        one_more("blessing", signer={"signer_id": "", "orcid": None, "key_id": "issuer-key"})
    ),
    "a second mirror": resigned(mirror_elsewhere),
    "a key under two ids, the first of them named": resigned(twice_with(key_id="second")),
    "a key without a page": resigned(put("public_keys", 0, "url", None)),
    "an event with two signatures": merged(two_signatures),
    "paragraphs": with_events(put(*SHOWN, "abstract_excerpt", EXCERPT.replace(" ", "\n", 3))),
}

HOSTILE = {
    "nothing": b"",
    "blank": b" ",
    "not UTF-8": b"\xff",
    "not JSON": b"{",
    "a list": b"[]",
    "another object": b"{}",
    "deep": b"[" * 100_000,
    "deep objects": b'{"a":' * 100_000,
    "NaN": b'{"bundle_type":NaN}',
    "a float": b'{"bundle_type":1.0}',
    "a huge number": b'{"n":' + b"9" * 5000 + b"}",
    "a key twice": b'{"bundle_type":1,"bundle_type":"pith_open_graph_bundle"}',
    "too large": b" " * (8 * 2**20 + 1),
}
"""Bytes that are no bundle."""
