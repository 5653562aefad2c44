"""The signed events of a paper: `record_created` and `graph_snapshot` (spec, section 4)."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from transforms.bundle.record import PithId
from transforms.encoding.canonical import sha256, write_canonical
from transforms.encoding.timestamps import to_seconds
from transforms.paper.authors import authors_text
from transforms.paper.paper import Paper
from transforms.signing import Issuer, signature_block

EVENT_SCHEMA_VERSION = "1.0"
EXCERPT_LENGTH = 600
EMPTY_SECTION_SHA256 = sha256(write_canonical({"payload": []})).hex()
UNHASHED = ("signature", "content_sha256", "event_id")
SIGNED_MESSAGE = "open_graph_event_sha256_bytes"


def content_digest(event: dict[str, Any]) -> bytes:
    """Return the 32 bytes that identify and are signed in an event.

    They are the SHA-256 of the event without `signature`, `content_sha256` and `event_id`, so
    signing again changes no id. That the event has canonical JSON is the caller's to know.
    """
    return sha256(content_bytes(event))


def content_bytes(event: dict[str, Any]) -> bytes:
    """Return the canonical JSON that `content_digest` hashes."""
    return write_canonical({key: event[key] for key in event if key not in UNHASHED})


@dataclass(frozen=True, slots=True)
class Issuance:
    """What the events of one record have in common when they are issued."""

    record: dict[str, Any]
    pith_id: PithId
    issuer: Issuer
    created_at: datetime
    """The moment that the events carry, cut to the second."""


def record_created(
    issuance: Issuance,
    receipt: dict[str, Any],
    *,
    signed_at: datetime,
    replaces: str | None = None,
) -> dict[str, Any]:
    """Return the signed event that says: this record was computed, with this receipt.

    `replaces` is the event id of the one that this one supersedes, if the receipt is issued again.
    """
    source = issuance.record["source"]
    payload = {
        "canonical_record": issuance.record,
        "canonical_sha256": issuance.pith_id.digest.hex(),
        "receipt": receipt,
        "source_kind": source["kind"],
        "source_id": source["id"],
        "source_version": source["version"],
        "attestation_state": "computed",
    }
    return _signed(issuance, "record_created", "record", payload, signed_at, replaces=replaces)


def graph_snapshot(
    issuance: Issuance,
    shown: dict[str, Any],
    *,
    signed_at: datetime,
    replaces: str | None = None,
) -> dict[str, Any]:
    """Return the signed event that says what the paper showed (`shown_paper`) at that moment.

    `replaces` is the event id of the snapshot that this one supersedes, if it is a later one.
    """
    snapshot = _snapshot(issuance, shown)
    payload = {"graph_snapshot": snapshot, "verdict_id": None}
    return _signed(issuance, "graph_snapshot", "graph", payload, signed_at, replaces=replaces)


def shown_paper(paper: Paper) -> dict[str, Any]:
    """Return `graph_snapshot.paper`: what a snapshot shows of the paper, keys as published.

    A later snapshot is due exactly when this changes (spec, section 4, later events).
    """
    primary, *cross_lists = paper.categories
    return {
        "title": paper.title,
        "license": paper.license,
        "headline": "",
        "cross_cats": cross_lists,
        "primary_cat": primary,
        "authors_text": authors_text(paper.authors),
        "submitted_at": to_seconds(paper.submitted_at),
        "abstract_excerpt": paper.abstract[:EXCERPT_LENGTH],
    }


def _snapshot(issuance: Issuance, shown: dict[str, Any]) -> dict[str, Any]:
    sections = empty_sections()
    return {
        "paper": shown,
        "claims": sections["claims"],
        "source": issuance.record["source"],
        "verdict": sections["verdict"],
        "references": sections["references"],
        "formal_canon": sections["formal_canon"],
        "author_claims": sections["author_claims"],
        "builder_version": issuance.issuer.identity.builder_version,
    }


def empty_sections() -> dict[str, dict[str, Any]]:
    """Return the sections of a snapshot that no version fills yet, with their empty values."""
    empty = {"snapshot_sha256": EMPTY_SECTION_SHA256}
    return {
        "claims": {"count": 0, "items": [], **empty},
        "verdict": {
            "id": None,
            "model_set": {},
            "created_at": None,
            "strongest_claim": "",
            "one_line_summary": "",
            "pipeline_version": None,
            "weakest_assumption": "",
            "pith_extraction_headline": "",
        },
        "references": {
            "count": 0,
            "sample": [],
            "resolved_work": 0,
            **empty,
            "internal_anchors": 0,
        },
        "formal_canon": {"evidence_count": 0, **empty},
        "author_claims": {"count": 0, "strong_count": 0, **empty},
    }


def _signed(
    issuance: Issuance,
    event_type: str,
    target: str,
    payload: dict[str, Any],
    signed_at: datetime,
    *,
    replaces: str | None,
) -> dict[str, Any]:
    issuer = issuance.issuer
    before_signature = {
        "event_type": event_type,
        "subject_pith_number": issuance.pith_id.number,
        "target": target,
        "payload": payload,
        "signer": {
            "signer_id": issuer.identity.signer_id,
            "signer_type": "pith_registry",
            "key_id": issuer.identity.key_id,
            "public_key_fingerprint": issuer.fingerprint,
        },
        "created_at": to_seconds(issuance.created_at),
        "supersedes": [replaces] if replaces else [],
        "prev_event": replaces,
    }
    schema = {"schema_version": EVENT_SCHEMA_VERSION}
    digest = content_digest(before_signature | schema)
    return {
        **before_signature,
        "signature": signature_block(digest, SIGNED_MESSAGE, issuer=issuer, signed_at=signed_at),
        "content_sha256": digest.hex(),
        **schema,
        "event_id": f"sha256:{digest.hex()}",
    }
