"""The script that one would write without pith-ingest: one loop, the standard library and PyNaCl.

`.venv/bin/python tests/benchmarks/obvious/script.py SNAPSHOT FOLDER` writes a signed bundle to each
line of Kaggle's snapshot. It makes what the format asks for and nothing else: no tables, no
rejects, no second run, no recovery. What cleans arXiv's texts is imported, for that is no matter of
speed. `bulk.py` checks that its bundles are those of `transforms`, then measures it.
"""

import base64
import hashlib
import json
import sys
from datetime import UTC, datetime
from pathlib import Path

from nacl.signing import SigningKey

sys.path.insert(0, str(Path(__file__).parents[2]))

from benchmarks.obvious.parts import (
    BUILDER,
    Json,
    canonical,
    record_of,
    sha256_hex,
    snapshot_of,
    state_of,
)

SITE, SIGNER_ID, RESOLVER = "https://script.invalid", "script.invalid", "A script"
SEED = b"\x01" * 32  # nobody is to trust it
KEY_ID, KEY_URL, KEY_NOTES = "script-key", f"{SITE}/key.json", "The key of a script."


def compact(value: object) -> bytes:
    """Return the form of a bundle file: JSON without spaces, in the order of the keys."""
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False).encode()


class Script:
    """A key and what is the same in all that it signs."""

    def __init__(self, seed: bytes) -> None:
        """Take the 32-byte seed of the key."""
        self.key = SigningKey(seed)
        public = bytes(self.key.verify_key)
        self.fingerprint = sha256_hex(public)[:32]
        self.public_key = {
            "key_id": KEY_ID,
            "algorithm": "ed25519",
            "format": "raw",
            "public_key_b64": base64.b64encode(public).decode(),
            "public_key_hex": public.hex(),
            "fingerprint_sha256_b32_first128bits": base64.b32encode(
                hashlib.sha256(public).digest()
            ).decode()[:26],
            "fingerprint_sha256_hex": self.fingerprint,
            "rotates_at": None,
            "url": KEY_URL,
            "notes": KEY_NOTES,
        }

    def bundle(self, row: Json, now: datetime) -> Json:
        """Return the signed bundle of a row of the snapshot."""
        record = record_of(row)
        digest = hashlib.sha256(canonical(record)).digest()
        suffix = base64.b32encode(digest).decode()[:26]
        number = f"pith:{record['metadata']['submitted_at'][:4]}:{suffix}"
        second, source = f"{now:%Y-%m-%dT%H:%M:%SZ}", record["source"]
        receipt = self.receipt(digest, now)
        created = {
            "canonical_record": record,
            "canonical_sha256": digest.hex(),
            "receipt": receipt,
            "source_kind": "arxiv",
            "source_id": source["id"],
            "source_version": source["version"],
            "attestation_state": "computed",
        }
        shown = {"graph_snapshot": snapshot_of(row, record), "verdict_id": None}
        events = [
            self.event("record_created", "record", created, number, now),
            self.event("graph_snapshot", "graph", shown, number, now),
        ]
        aliases = [
            {"alias_kind": kind, "alias_value": value, "created_at": second}
            for kind, value in (
                ("arxiv", source["id"]),
                ("arxiv_version", f"{source['id']}v{source['version']}"),
                ("doi", f"10.48550/arxiv.{source['id']}"),
                ("pith_short_12", suffix[:12]),
                ("pith_short_16", suffix[:16]),
                ("pith_short_8", suffix[:8]),
            )
        ]
        home = f"{SITE}/pith/{suffix}"
        well_known = f"{SITE}/.well-known/pith/{suffix}/bundle.json"
        bundle = {
            "bundle_type": "pith_open_graph_bundle",
            "bundle_version": "1.0",
            "pith_number": number,
            "short_pith_number": f"pith:{suffix[:8]}",
            "canonical_record": record,
            "canonical_sha256": digest.hex(),
            "source": {"kind": "arxiv", "id": source["id"], "version": source["version"]},
            "source_aliases": aliases,
            "events": events,
            "timestamp_proofs": [],
            "mirror_hints": [
                {
                    "mirror_type": "https",
                    "name": RESOLVER,
                    "base_url": SITE,
                    "bundle_url": f"{home}/bundle.json",
                    "state_url": f"{home}/state.json",
                    "well_known_bundle_url": well_known,
                    "status": "primary",
                }
            ],
            "public_keys": [self.public_key],
            "merge_version": "pith-open-graph-merge-v1",
            "built_at": second,
            "links": {
                "resolver": home,
                "bundle": f"{home}/bundle.json",
                "state": f"{home}/state.json",
                "well_known_bundle": well_known,
            },
            "state": state_of(number, record, aliases, events),
        }
        whole = hashlib.sha256(canonical(bundle)).digest()
        signature = self.signature(whole, "bundle_sha256_bytes", now)
        bundle["bundle_signature"] = signature | {"bundle_sha256": whole.hex()}
        return bundle

    def receipt(self, digest: bytes, now: datetime) -> Json:
        """Return the receipt of a canonical record."""
        moment = f"{now:%Y-%m-%dT%H:%M:%S.%fZ}"
        return {
            "kind": "pith_receipt",
            "key_id": KEY_ID,
            "algorithm": "ed25519",
            "signed_at": moment,
            "signature_b64": self.sign(digest),
            "signed_message": "canonical_sha256_bytes",
            "builder_version": BUILDER,
            "receipt_version": "0.3",
            "canonical_sha256": digest.hex(),
            "last_reissued_at": moment,
            "signature_status": "signed_v1",
            "first_computed_at": moment,
            "public_key_fingerprint": self.fingerprint,
        }

    def event(self, kind: str, target: str, payload: Json, number: str, now: datetime) -> Json:
        """Return a signed event."""
        event: Json = {
            "event_type": kind,
            "subject_pith_number": number,
            "target": target,
            "payload": payload,
            "signer": {
                "signer_id": SIGNER_ID,
                "signer_type": "pith_registry",
                "key_id": KEY_ID,
                "public_key_fingerprint": self.fingerprint,
            },
            "created_at": f"{now:%Y-%m-%dT%H:%M:%SZ}",
            "supersedes": [],
            "prev_event": None,
        }
        digest = hashlib.sha256(canonical(event | {"schema_version": "1.0"})).digest()
        return event | {
            "signature": self.signature(digest, "open_graph_event_sha256_bytes", now),
            "content_sha256": digest.hex(),
            "schema_version": "1.0",
            "event_id": f"sha256:{digest.hex()}",
        }

    def signature(self, digest: bytes, message: str, now: datetime) -> Json:
        """Return the signature object of an event or a bundle."""
        return {
            "signature_status": "signed_v1",
            "algorithm": "ed25519",
            "key_id": KEY_ID,
            "public_key_fingerprint": self.fingerprint,
            "signature_b64": self.sign(digest),
            "signed_message": message,
            "signed_at": f"{now:%Y-%m-%dT%H:%M:%S.%fZ}",
        }

    def sign(self, digest: bytes) -> str:
        """Return a signature in base64."""
        return base64.b64encode(self.key.sign(digest).signature).decode()


def process(snapshot: Path, folder: Path, seed: bytes) -> None:
    """Write a bundle to each line of `snapshot`, a readable file each."""
    script = Script(seed)
    folder.mkdir(parents=True, exist_ok=True)
    with snapshot.open(encoding="utf-8") as lines:
        for line in lines:
            bundle = script.bundle(json.loads(line), datetime.now(UTC))
            name = bundle["pith_number"].replace(":", "-")
            text = json.dumps(bundle, indent=2, ensure_ascii=False)
            (folder / f"{name}.json").write_text(text, encoding="utf-8")


if __name__ == "__main__":
    process(Path(sys.argv[1]), Path(sys.argv[2]), SEED)
