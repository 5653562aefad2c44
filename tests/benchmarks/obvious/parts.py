"""What the obvious script hashes and signs: record, snapshot and state of a row, as plain dicts."""

import hashlib
import json
from email.utils import parsedate_to_datetime
from typing import Any

from transforms.encoding.canonical import canonical_text
from transforms.paper.authors import authors_text
from transforms.paper.paper import one_line, unwrap

Json = dict[str, Any]

BUILDER = "script"
EMPTY = {"snapshot_sha256": hashlib.sha256(b'{"payload":[]}').hexdigest()}
VERDICT: Json = {
    "id": None,
    "model_set": {},
    "created_at": None,
    "strongest_claim": "",
    "one_line_summary": "",
    "pipeline_version": None,
    "weakest_assumption": "",
    "pith_extraction_headline": "",
}
EVENT_LISTS = (
    "author_attestations",
    "timestamp_anchors",
    "storage_attestations",
    "citation_signatures",
    "replication_records",
    "corrections",
    "mirror_hints",
)


def canonical(value: object) -> bytes:
    """Return canonical JSON."""
    return json.dumps(
        value, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False
    ).encode()


def sha256_hex(data: bytes) -> str:
    """Return the SHA-256 of `data` in hex."""
    return hashlib.sha256(data).hexdigest()


def record_of(row: Json) -> Json:
    """Return the canonical record of a row."""
    primary, *cross_lists = row["categories"].split()
    submitted = parsedate_to_datetime(row["versions"][0]["created"])
    return {
        "source": {
            "id": row["id"],
            "kind": "arxiv",
            "version": int(row["versions"][-1]["version"][1:]),
        },
        "metadata": {
            "license": row["license"] or "",
            "primary_cat": primary,
            "submitted_at": f"{submitted:%Y-%m-%dT%H:%M:%SZ}",
            "cross_cats_sorted": sorted(cross_lists),
            "title_canon_sha256": sha256_hex(canonical_text(row["title"]).encode()),
            "abstract_canon_sha256": sha256_hex(canonical_text(row["abstract"]).encode()),
        },
        "schema_version": "1.0",
    }


def snapshot_of(row: Json, record: Json) -> Json:
    """Return what the second event shows of a paper."""
    metadata = record["metadata"]
    return {
        "paper": {
            "title": one_line(row["title"]),
            "license": metadata["license"],
            "headline": "",
            "cross_cats": row["categories"].split()[1:],
            "primary_cat": metadata["primary_cat"],
            "authors_text": authors_text(row["authors"]),
            "submitted_at": metadata["submitted_at"],
            "abstract_excerpt": unwrap(row["abstract"])[:600],
        },
        "claims": {"count": 0, "items": [], **EMPTY},
        "source": record["source"],
        "verdict": VERDICT,
        "references": {
            "count": 0,
            "sample": [],
            "resolved_work": 0,
            **EMPTY,
            "internal_anchors": 0,
        },
        "formal_canon": {"evidence_count": 0, **EMPTY},
        "author_claims": {"count": 0, "strong_count": 0, **EMPTY},
        "builder_version": BUILDER,
    }


def state_of(number: str, record: Json, aliases: list[Json], events: list[Json]) -> Json:
    """Return the state of a record with these two events, nested keys sorted."""
    names = ("event_id", "target", "created_at", "signer", "payload")
    created, snapshot = ({name: in_order(event[name]) for name in names} for event in events)
    state = {
        "state_type": "pith_open_graph_state",
        "state_version": "1.0",
        "pith_number": number,
        "merge_version": "pith-open-graph-merge-v1",
        "event_count": 2,
        "valid_event_count": 2,
        "invalid_event_count": 0,
        "equivocation_count": 0,
        "current": {
            "canonical_record": in_order(record),
            "source_aliases": aliases,
            "graph_snapshots": [snapshot],
            **{name: [] for name in EVENT_LISTS},
            "record_created": created,
        },
        "equivocations": [],
        "invalid_events": [],
        "applied_event_ids": [event["event_id"] for event in events],
    }
    return state | {"state_sha256": sha256_hex(canonical(state))}


def in_order(value: Any) -> Any:
    """Return `value` with all its keys sorted."""
    return json.loads(canonical(value)) if isinstance(value, dict) else value
