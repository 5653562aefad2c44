"""The signed events of a paper: `record_created` and `graph_snapshot` (spec, section 4)."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import cast

from transforms.bundle.record import PithId
from transforms.documents.event import (
    CreatedEvent,
    CreatedPayload,
    ForeignEvent,
    Section,
    Snapshot,
    SnapshotEvent,
    SnapshotPaper,
    SnapshotPayload,
    UnsignedEvent,
)
from transforms.documents.record import Receipt, Record
from transforms.encoding.canonical import canonical_json_unchecked
from transforms.encoding.digest import Digest, sha256, to_hex
from transforms.encoding.timestamps import to_seconds
from transforms.paper.authors import authors_text
from transforms.paper.paper import Paper
from transforms.signing import Issuer, signature_block

EVENT_SCHEMA_VERSION = "1.0"
EXCERPT_LENGTH = 600
EMPTY_SECTION_SHA256 = to_hex(sha256(canonical_json_unchecked({"payload": []})))
UNHASHED = ("signature", "content_sha256", "event_id")
SIGNED_MESSAGE = "open_graph_event_sha256_bytes"


def content_digest(event: Mapping[str, object]) -> Digest:
    """Return the digest that identifies an event and that is signed in it.

    It is the SHA-256 of the event without `signature`, `content_sha256` and `event_id`, so
    signing again changes no id. That the event has canonical JSON is the caller's to know.
    """
    return sha256(content_bytes(event))


def content_bytes(event: Mapping[str, object]) -> bytes:
    """Return the canonical JSON that `content_digest` hashes."""
    hashed = dict(event)
    for name in UNHASHED:
        hashed.pop(name, None)
    return canonical_json_unchecked(hashed)


@dataclass(frozen=True, slots=True)
class Issuance:
    """The facts that the events of one record have in common when they are issued."""

    record: Record
    pith_id: PithId
    issuer: Issuer
    created_at: datetime
    """The moment that the events carry, cut to the second."""


def record_created(
    issuance: Issuance,
    receipt: Receipt,
    *,
    signed_at: datetime,
    replaces: str | None = None,
) -> CreatedEvent:
    """Return the signed event that says: this record was computed, with this receipt.

    `replaces` is the event id of the one that this one supersedes, if the receipt is issued again.
    """
    source = issuance.record["source"]
    payload: CreatedPayload = {
        "canonical_record": issuance.record,
        "canonical_sha256": to_hex(issuance.pith_id.digest),
        "receipt": receipt,
        "source_kind": source["kind"],
        "source_id": source["id"],
        "source_version": source["version"],
        "attestation_state": "computed",
    }
    content = _content(issuance, "record_created", "record", payload, replaces)
    return cast("CreatedEvent", _signed(content, issuance.issuer, signed_at))


def graph_snapshot(
    issuance: Issuance,
    paper: SnapshotPaper,
    *,
    signed_at: datetime,
    replaces: str | None = None,
) -> SnapshotEvent:
    """Return the signed event that says how the paper was at that moment (`snapshot_paper`).

    `replaces` is the event id of the snapshot that this one supersedes, if it is a later one.
    """
    payload: SnapshotPayload = {"graph_snapshot": _snapshot(issuance, paper), "verdict_id": None}
    content = _content(issuance, "graph_snapshot", "graph", payload, replaces)
    return cast("SnapshotEvent", _signed(content, issuance.issuer, signed_at))


def snapshot_paper(paper: Paper) -> SnapshotPaper:
    """Return `graph_snapshot.paper`, the paper as a snapshot has it, keys as published.

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


def _snapshot(issuance: Issuance, paper: SnapshotPaper) -> Snapshot:
    sections = empty_sections()
    return {
        "paper": paper,
        "claims": sections["claims"],
        "source": issuance.record["source"],
        "verdict": sections["verdict"],
        "references": sections["references"],
        "formal_canon": sections["formal_canon"],
        "author_claims": sections["author_claims"],
        "builder_version": issuance.issuer.identity.builder_version,
    }


def empty_sections() -> dict[str, Section]:
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


def _content(
    issuance: Issuance, event_type: str, target: str, payload: object, replaces: str | None
) -> UnsignedEvent:
    issuer = issuance.issuer
    return {
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
        "schema_version": EVENT_SCHEMA_VERSION,
    }


def _signed(content: UnsignedEvent, issuer: Issuer, signed_at: datetime) -> ForeignEvent:
    """Return the event of what its id covers, keys as published."""
    digest = content_digest(content)
    return {
        "event_type": content["event_type"],
        "subject_pith_number": content["subject_pith_number"],
        "target": content["target"],
        "payload": content["payload"],
        "signer": content["signer"],
        "created_at": content["created_at"],
        "supersedes": content["supersedes"],
        "prev_event": content["prev_event"],
        "signature": signature_block(digest, SIGNED_MESSAGE, issuer=issuer, signed_at=signed_at),
        "content_sha256": to_hex(digest),
        "schema_version": content["schema_version"],
        "event_id": f"sha256:{to_hex(digest)}",
    }
