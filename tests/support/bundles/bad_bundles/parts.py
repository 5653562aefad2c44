"""Bundles by name that only a look at their parts tells bad, or not to be checked."""

from copy import deepcopy

from support.bundles.bad_bundles.changes import (
    CREATED,
    EARLY,
    EMPTY,
    EXCERPT,
    FUTURE,
    GOOD_PAPER,
    HASH,
    METADATA,
    OTHER_SUFFIX,
    PAPER,
    RECEIPT,
    RECORD,
    SNAPSHOT,
    SOURCE,
    SUFFIX,
    elsewhere,
    late_event,
    later_snapshot,
    one_more,
    rename_key,
    signed_again_by_other,
    twice_with,
)
from support.bundles.forging import (
    Bundle,
    drop,
    merged,
    put,
    resigned,
    restated,
    unsigned,
    with_events,
)

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
    "a paper with a key more": (with_events(put(*PAPER, "x", 1)), "schema"),
    "a title of two lines": (
        with_events(put(*PAPER, "title", GOOD_PAPER["title"].replace(" ", "\n", 1))), "schema"),
    "an excerpt of 601 characters": (
        with_events(put(*PAPER, "abstract_excerpt", EXCERPT.ljust(601))), "schema"),
    "authors of two lines": (with_events(put(*PAPER, "authors_text", "A\nB")), "schema"),
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
    "a snapshot of another licence": (with_events(put(*PAPER, "license", "x")), "payloads"),
    "a snapshot of another category": (with_events(put(*PAPER, "primary_cat", "x")), "payloads"),
    "a snapshot of a category more": (
        with_events(put(*PAPER, "cross_cats", ["cs.LG", "stat.ML"])), "payloads"),
    "a snapshot of another date": (
        with_events(put(*PAPER, "submitted_at", "2019-06-26T02:54:27Z")), "payloads"),
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


UNCHECKED: dict[str, tuple[Bundle, str]] = {
    "invented proofs": (
        resigned(put("timestamp_proofs", [{"kind": "invented", "at": EARLY}])), "timestamp_proofs"),
    "proofs of no form": (resigned(put("timestamp_proofs", [None, 1, "x"])), "timestamp_proofs"),
    "claims": (
        with_events(put(*SNAPSHOT, "claims", {**EMPTY, "count": 1, "snapshot_sha256": HASH})),
        "sections"),
    "a verdict": (with_events(put(*SNAPSHOT, "verdict", "strongest_claim", "x")), "sections"),
    "a verdict's id": (with_events(put("events", 1, "payload", "verdict_id", "x")), "sections"),
    "a headline": (with_events(put(*PAPER, "headline", "x")), "sections"),
}  # fmt: skip
"""What nobody can check yet: the bundle is valid, and the check says that it was not made."""
