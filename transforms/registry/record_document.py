"""The documents of one record, each made of its bundle alone (registry spec, the documents)."""

from collections.abc import Mapping
from typing import Literal, TypedDict

from transforms.bundle.state import write_state
from transforms.documents.bundle import Bundle
from transforms.documents.event import SnapshotPaper
from transforms.documents.record import Record, Source
from transforms.documents.state import Current, State
from transforms.registry.addresses import schema_address


class VerificationStatus(TypedDict):
    """What is known of a record, and what is not yet: a function of its state."""

    content_addressed: bool
    pith_receipt: bool
    author_attested: bool
    weak_author_claims: int
    strong_author_claims: int
    externally_anchored: bool
    storage_verified: bool
    citation_signatures: int
    replication_records: int
    graph_snapshot: bool
    references_resolved: bool
    formal_links_present: bool


class RecordDocument(TypedDict):
    """The document of a record; what the published ones have after these fields is not known.

    `paper` is that of the newest active snapshot, None where there is none.
    """

    record_type: Literal["pith_number_record"]
    schema_url: str
    pith_number: str
    short_pith_number: str
    schema_version: str
    canonical_sha256: str
    source: Source
    attestation_state: str
    paper: SnapshotPaper | None
    verification_status: VerificationStatus
    canonical_record: Record


def record_document(bundle: Bundle, *, base_url: str) -> RecordDocument:
    """Return the record document of a valid bundle, as the registry at `base_url` serves it."""
    current = bundle["state"]["current"]
    snapshots, record = current["graph_snapshots"], bundle["canonical_record"]
    return {
        "record_type": "pith_number_record",
        "schema_url": schema_address(base_url, "number-record"),
        "pith_number": bundle["pith_number"],
        "short_pith_number": bundle["short_pith_number"],
        "schema_version": record["schema_version"],
        "canonical_sha256": bundle["canonical_sha256"],
        "source": bundle["source"],
        "attestation_state": "computed",
        "paper": snapshots[-1]["payload"]["graph_snapshot"]["paper"] if snapshots else None,
        "verification_status": verification_status(bundle["state"]),
        "canonical_record": record,
    }


def verification_status(state: State) -> VerificationStatus:
    """Return what a record's state shows; only of lists that are empty is any other form known."""
    current = state["current"]
    references, formal = _sections(current)
    # What an author's claim looks like, which tells weak ones from strong, is not published.
    return {
        "content_addressed": current["canonical_record"] is not None,
        "pith_receipt": current["record_created"] is not None,
        "author_attested": bool(current["author_attestations"]),
        "weak_author_claims": 0,
        "strong_author_claims": 0,
        "externally_anchored": bool(current["timestamp_anchors"]),
        "storage_verified": bool(current["storage_attestations"]),
        "citation_signatures": len(current["citation_signatures"]),
        "replication_records": len(current["replication_records"]),
        "graph_snapshot": bool(current["graph_snapshots"]),
        "references_resolved": _is_positive(references.get("resolved_work")),
        "formal_links_present": _is_positive(formal.get("evidence_count")),
    }


def state_document(bundle: Bundle) -> bytes:
    """Return the bundle's state by itself, byte for byte as it stands in the bundle."""
    return write_state(bundle["state"])


def _sections(current: Current) -> tuple[Mapping[str, object], Mapping[str, object]]:
    """Return the sections `references` and `formal_canon` of the newest active snapshot."""
    if not current["graph_snapshots"]:
        return {}, {}
    snapshot = current["graph_snapshots"][-1]["payload"]["graph_snapshot"]
    return snapshot["references"], snapshot["formal_canon"]


def _is_positive(count: object) -> bool:
    return isinstance(count, int) and count > 0
