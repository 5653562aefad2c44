"""The documents of a registry, made of published bundles."""

import copy
import json
from datetime import UTC, datetime
from typing import Any

import pytest
from support.bundles.schemas import errors
from support.papers.golden_data import GOLDEN

from transforms.encoding.canonical import canonical_json
from transforms.encoding.digest import sha256, to_hex
from transforms.registry.record_document import (
    record_document,
    state_document,
    verification_status,
)
from transforms.registry.registry_documents import key_document, mirror_manifest

BASE = "https://registry.example"
FIELDS = [
    "record_type", "schema_url", "pith_number", "short_pith_number", "schema_version",
    "canonical_sha256", "source", "attestation_state", "paper", "verification_status",
    "canonical_record",
]  # fmt: skip
PUBLISHED_STATUS = {
    "content_addressed": True,
    "pith_receipt": True,
    "author_attested": False,
    "weak_author_claims": 0,
    "strong_author_claims": 0,
    "externally_anchored": False,
    "storage_verified": False,
    "citation_signatures": 0,
    "replication_records": 0,
    "graph_snapshot": True,
    "references_resolved": False,
    "formal_links_present": False,
}


@pytest.mark.parametrize("golden", GOLDEN, ids=lambda golden: golden.id)
def test_the_record_document_has_the_published_fields_in_their_order(golden: Any) -> None:
    document = record_document(golden.bundle, base_url=BASE)
    assert list(document) == FIELDS
    assert list(document["source"]) == ["kind", "id", "version"]
    assert list(document["verification_status"].items()) == list(PUBLISHED_STATUS.items())
    assert errors("number-record", json.loads(json.dumps(document))) == []
    hashed = to_hex(sha256(canonical_json(document["canonical_record"])))
    assert hashed == document["canonical_sha256"] == golden.bundle["canonical_sha256"]


@pytest.mark.parametrize("golden", GOLDEN, ids=lambda golden: golden.id)
def test_the_state_document_is_what_stands_in_the_bundle(golden: Any) -> None:
    document = state_document(golden.bundle)
    assert b'"state":' + document + b',"bundle_signature":' in golden.data
    assert errors("state", json.loads(document)) == []


@pytest.mark.parametrize(
    ("field", "change"),
    [
        ("content_addressed", {"canonical_record": None}),
        ("pith_receipt", {"record_created": None}),
        ("author_attested", {"author_attestations": [{}]}),
        ("externally_anchored", {"timestamp_anchors": [{}]}),
        ("storage_verified", {"storage_attestations": [{}]}),
        ("citation_signatures", {"citation_signatures": [{}, {}]}),
        ("replication_records", {"replication_records": [{}]}),
        ("graph_snapshot", {"graph_snapshots": []}),
    ],
)
def test_the_status_follows_the_state(field: str, change: dict[str, Any]) -> None:
    state = copy.deepcopy(GOLDEN[0].bundle["state"])
    state["current"] |= change
    found: Any = verification_status(state)
    changed = {name for name in found if found[name] != PUBLISHED_STATUS[name]}
    assert changed == {field}
    (value,) = change.values()
    assert found[field] == (len(value or []) or bool(value))


@pytest.mark.parametrize(
    ("field", "section", "counted"),
    [
        ("references_resolved", "references", "resolved_work"),
        ("formal_links_present", "formal_canon", "evidence_count"),
    ],
)
def test_the_status_follows_the_newest_snapshot(field: str, section: str, counted: str) -> None:
    for count, shown in ((0, False), (2, True), ("2", False), (None, False)):
        state = copy.deepcopy(GOLDEN[0].bundle["state"])
        snapshot = state["current"]["graph_snapshots"][-1]["payload"]["graph_snapshot"]
        snapshot[section][counted] = count
        assert dict(verification_status(state))[field] is shown


def test_a_record_without_an_active_snapshot_has_a_document() -> None:
    bundle = copy.deepcopy(GOLDEN[0].bundle)
    bundle["state"]["current"]["graph_snapshots"] = []
    document = record_document(bundle, base_url=BASE)
    assert document["paper"] is None
    assert errors("number-record", json.loads(json.dumps(document))) == []


def test_the_manifest_is_the_published_one_with_our_names() -> None:
    key = key_document(GOLDEN[0].bundle)
    made_at = datetime(2026, 5, 17, 1, 2, 3, 4, UTC)
    manifest: Any = mirror_manifest(
        "A registry", base_url=BASE, public_key=key, generated_at=made_at
    )
    assert manifest.pop("notes")
    assert manifest == {
        "manifest_type": "pith_mirror_manifest",
        "manifest_version": "1.0",
        "generated_at": "2026-05-17T01:02:03Z",
        "merge_version": "pith-open-graph-merge-v1",
        "mirrors": [
            {
                "name": "A registry",
                "mirror_type": "https",
                "base_url": BASE,
                "bundle_pattern": f"{BASE}/pith/{{suffix}}/bundle.json",
                "state_pattern": f"{BASE}/pith/{{suffix}}/state.json",
                "well_known_pattern": f"{BASE}/.well-known/pith/{{suffix}}/bundle.json",
                "public_key": GOLDEN[0].bundle["public_keys"][0],
                "status": "primary",
            }
        ],
    }
    assert errors("mirror-manifest", manifest | {"notes": "A sentence."}) == []
    assert errors("signing-key", key) == []
